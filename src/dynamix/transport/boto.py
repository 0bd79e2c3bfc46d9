"""A caller's own boto3 client as a transport, and an aiobotocore one for asyncio.

So users keep what they hang on a client: mocks, DAX, sessions, instrumentation. A request's JSON becomes the keyword
arguments of the client's method, in which binary values are bytes, and the answer becomes JSON again. botocore's errors
become what they stand for: an error of the service an answer with its status, a failure on the way a
ConnectionException.

The client repeats requests by its own settings, and knows nothing of writes that must not be applied twice. So two of
its public events are listened to, in all its retry modes: `response-received` says how each attempt ended, and at
`before-send` another attempt of a call that must not be repeated is refused once one may have been applied. The same
event brings the bytes of an answer: the client takes what is no JSON for an empty answer, and thus for success. What a
client without events (one for DAX, say) repeats cannot be told, and a warning says so.

Without an aiobotocore client, asynchronous calls run the boto3 client in a thread.
"""

import asyncio
import base64
import json
import math
import re
import sys
import warnings
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from inspect import iscoroutine
from typing import Any

import botocore.exceptions as boto  # type: ignore[import-untyped]
import msgspec
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from dynamix.errors import (
    ConnectError,
    ConnectionException,
    ConnectionLostError,
    CredentialsError,
    DynamixError,
    InvalidAnswerError,
    NotConfiguredError,
    RequestTimeoutError,
    ValidationException,
    from_response,
)
from dynamix.interrupts import let_pass
from dynamix.operations.retry import Verdict, judge
from dynamix.transport import aside
from dynamix.transport.deadlines import TimeUpError, late, seconds_until
from dynamix.wire import Response


class BotoTransport:
    """Sends requests by the methods of a boto3 client, or of an aiobotocore client. Closing it leaves them open."""

    def __init__(self, client: Any, async_client: Any = None) -> None:
        self._client = client
        self._async_client = async_client
        for given in (client, async_client):
            if given is not None:
                _listen(given)

    def send(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        if deadline != math.inf:
            try:
                return aside.call(partial(self.send, target, body, repeatable), deadline)
            except TimeUpError as error:
                raise late(sent=True) from error
        if self._client is None:
            raise NotConfiguredError("only an asynchronous boto client was given; give boto_client= too")
        method = _method(self._client, target)
        attempts = _Attempts(target, repeatable)
        call = _CALL.set(attempts)
        try:
            answer = method(**parameters(body))
        except Exception as error:
            return attempts.failed(error)
        finally:
            _CALL.reset(call)
        if iscoroutine(answer):
            answer.close()
            raise NotConfiguredError("boto_client is an asynchronous client; give it as aboto_client=")
        return attempts.answered(answer)

    async def asend(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        if deadline != math.inf and self._async_client is None:
            try:
                return await aside.acall(partial(self.send, target, body, repeatable), deadline)
            except TimeUpError as error:
                raise late(sent=True) from error
        if deadline != math.inf:
            limit = asyncio.timeout(seconds_until(deadline))
            try:
                async with limit:
                    return await self.asend(target, body, repeatable)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise late(sent=True) from error
        if self._async_client is None:
            return await aside.in_pool(partial(self.send, target, body, repeatable))
        method = _method(self._async_client, target)
        attempts = _Attempts(target, repeatable)
        call = _CALL.set(attempts)
        try:
            answer = await method(**parameters(body))
        except Exception as error:
            return attempts.failed(error)
        finally:
            _CALL.reset(call)
        return attempts.answered(answer)

    def close(self) -> None:
        """Does nothing: the clients are their owner's."""

    async def aclose(self) -> None:
        """Does nothing: the clients are their owner's."""


class _RepeatRefusedError(Exception):
    """Raised into the client, which must not send again what may have been applied."""


class _Attempts:
    """The attempts that the client makes of one call, as its events tell of them."""

    def __init__(self, target: str, repeatable: bool) -> None:
        self.target = target
        self._repeatable = repeatable
        self._count = 0
        self._failure = _untold()  # of the last attempt
        self._nonsense: InvalidAnswerError | None = None  # what the last attempt was answered in place of JSON
        self._doubtful = False  # whether one before the last may have been applied
        self._handled = sys.exception()  # what the caller is handling, which is none of the client's

    def begin(self) -> None:
        """An attempt is about to be sent. Raises _RepeatRefusedError where that could apply a write twice."""
        if self._count:
            self._doubtful |= judge(self._failure) is Verdict.MAYBE_APPLIED
            if self._doubtful and not self._repeatable:
                raise _RepeatRefusedError
        self._count += 1
        self._failure, self._nonsense = _untold(), None

    def end(self, raw: dict[str, Any] | None, answer: dict[str, Any] | None, error: Exception | None) -> None:
        """The attempt was answered, or failed."""
        if error is not None:
            _let_interrupt_pass(error, self._handled)
        if isinstance(error, boto.BotoCoreError):
            self._failure = _translated(error)
        elif answer is not None and "Error" in answer:
            self._failure = from_response(_error_response(answer))
        elif raw is not None and not _is_object(raw.get("body")):
            self._failure = self._nonsense = InvalidAnswerError(
                f"the answer to {self.target} is not DynamoDB's; check the endpoint of the boto client", sent=True
            )

    def answered(self, answer: dict[str, Any]) -> Response:
        """The answer in JSON. Raises InvalidAnswerError for what the client took for an empty answer, and is none."""
        if self._nonsense is not None:
            raise self._nonsense
        return _response(answer)

    def failed(self, error: Exception) -> Response:
        """The error answer that the call ended with. Raises the error where there was none, and what a signal's handler
        raised."""
        _let_interrupt_pass(error, self._handled)
        if isinstance(error, boto.ClientError):
            return _error_response(error.response, doubtful=self._doubtful)
        failure = self._failure if isinstance(error, _RepeatRefusedError) else self._translated(error)
        if self._doubtful:
            failure.applied = "maybe"
        raise failure from error

    def _translated(self, error: Exception) -> DynamixError:
        """The error for one that the client raised. botocore has classes of its own, but its parsers and its retries
        raise whatever comes of an answer that is not the service's."""
        if isinstance(error, boto.BotoCoreError | ResponseParserError):
            return _translated(error)
        if not self._count:
            raise error
        return InvalidAnswerError(f"the boto client failed over an answer: {error!r}", sent=True)


def _let_interrupt_pass(error: BaseException, handled: BaseException | None) -> None:
    """Raises what a signal's handler raised within the client, which may have put it into errors of its own."""
    chain = [error]
    while (within := chain[-1].__cause__ or chain[-1].__context__) is not None and within is not handled:
        chain.append(within)
    for one in reversed(chain):  # the first, as urllib3 gives its traceback to another one
        let_pass(one)


def _untold() -> DynamixError:
    """How an attempt ended of which no failure is told: it was answered, and the client sends the request again."""
    return InvalidAnswerError("the client took the answer for damaged", sent=True)


_CALL: ContextVar[_Attempts | None] = ContextVar("dynamix_boto_call", default=None)
"""The call that this thread or task makes. The client's events do not say whose they are."""


def _listen(client: Any) -> None:
    """Has the client tell of its attempts; once, however many connections use it."""
    try:
        events = client.meta.events
        events.register_first("before-send.dynamodb", _before_send, unique_id="dynamix-before-send")
        events.register_first("response-received.dynamodb", _response_received, unique_id="dynamix-response-received")
    except AttributeError:
        warnings.warn(
            f"the {type(client).__name__} given has no botocore events (meta.events), so dynamix cannot keep it from "
            "sending a request again: what it repeats by itself, it may add or append twice; turn its own retries off",
            RuntimeWarning,
            stacklevel=2,
        )


def _before_send(event_name: str, **_: Any) -> None:
    if (attempts := _attempts(event_name)) is not None:
        attempts.begin()


def _response_received(
    event_name: str,
    response_dict: dict[str, Any] | None = None,
    parsed_response: dict[str, Any] | None = None,
    exception: Exception | None = None,
    **_: Any,
) -> None:
    if (attempts := _attempts(event_name)) is not None:
        attempts.end(response_dict, parsed_response, exception)


def _is_object(body: Any) -> bool:
    """Whether a body is a JSON object. botocore takes everything else that comes with status 200 for an empty one."""
    try:
        _decode_object(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _attempts(event_name: str) -> _Attempts | None:
    """The call that an event is about; None for a call of somebody else's, or one that the client makes for itself."""
    attempts = _CALL.get()
    return attempts if attempts is not None and event_name.endswith(f".{attempts.target}") else None


def _method(client: Any, target: str) -> Any:
    """The client's method for an operation. Raises ValidationException where it has none."""
    method = getattr(client, method_name(target), None)
    if method is None:
        raise ValidationException(
            f"the boto client has no operation {target!r}; those of DynamoDB Streams are made with "
            "boto3.client('dynamodbstreams')"
        )
    return method


@cache
def method_name(target: str) -> str:
    """The client's method for an operation: "GetItem" is `get_item`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", target).lower()


def parameters(body: bytes) -> dict[str, Any]:
    """The keyword arguments for a request's JSON."""
    arguments: dict[str, Any] = json.loads(body, object_hook=_with_bytes)
    return arguments


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """An object with its binary values as bytes. In a request only a value has a text, or texts, by these names."""
    binary, binaries = value.get("B"), value.get("BS")
    if isinstance(binary, str):
        value["B"] = base64.b64decode(binary)
    if isinstance(binaries, list):
        value["BS"] = [base64.b64decode(text) for text in binaries]
    return value


def _response(answer: dict[str, Any]) -> Response:
    """The answer in JSON."""
    metadata = answer.get("ResponseMetadata", {})
    body = {name: member for name, member in answer.items() if name != "ResponseMetadata"}
    return Response(metadata.get("HTTPStatusCode", 200), _json(body), metadata.get("RequestId"))


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, default=_plain, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    """What JSON holds for bytes, and for the times in descriptions."""
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    raise InvalidAnswerError(
        f"the client answered with a {type(value).__name__}, which JSON has no form for", sent=True
    )


def _error_response(parsed: dict[str, Any], *, doubtful: bool = False) -> Response:
    """The answer that an error of the service came as, from what botocore made of it."""
    answer = dict(parsed)
    metadata = answer.pop("ResponseMetadata", {})
    described = answer.pop("Error", {})
    body = {**answer, "__type": described.get("Code", ""), "message": described.get("Message", "")}
    return Response(metadata.get("HTTPStatusCode", 400), _json(body), metadata.get("RequestId"), doubtful)


def _translated(error: Exception) -> DynamixError:
    """The error for one of botocore's, which stands for a failure on the way to the service, there, or back."""
    for classes, kind, sent in _TRANSLATIONS:
        if isinstance(error, classes):
            return kind(f"the boto client failed: {error}", sent=sent)
    if isinstance(error, boto.ParamValidationError):
        return ValidationException(f"the boto client refused the request: {error}")
    return ConnectionException(f"the boto client failed: {error}")


_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], type[ConnectionException], bool], ...] = (
    ((boto.ReadTimeoutError,), RequestTimeoutError, True),
    ((boto.SSLError, boto.HTTPClientError), ConnectionLostError, True),  # it does not say when TLS failed
    ((boto.ConnectionError,), ConnectError, False),
    ((boto.ChecksumError, boto.IncompleteReadError, ResponseParserError), InvalidAnswerError, True),
    ((boto.NoCredentialsError, boto.NoRegionError), NotConfiguredError, False),
    ((boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.SSOError), CredentialsError, False),
)
