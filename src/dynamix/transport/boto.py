"""A caller's own boto3 client as a transport, and an aiobotocore one for asyncio.

So users keep what they hang on a client: mocks, DAX, sessions, instrumentation. A request's JSON becomes the keyword
arguments of the client's method, in which binary values are bytes, and the answer becomes JSON again. botocore's errors
become what they stand for: an error of the service an answer with its status, a failure on the way a
ConnectionException. The client repeats requests by its own settings.

Without an aiobotocore client, asynchronous calls run the boto3 client in a thread.
"""

import asyncio
import base64
import json
import re
from datetime import datetime
from functools import cache
from inspect import iscoroutine
from typing import Any

import botocore.exceptions as boto  # type: ignore[import-untyped]
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
)
from dynamix.wire import Response


class BotoTransport:
    """Sends requests by the methods of a boto3 client, or of an aiobotocore client. Closing it leaves them open."""

    def __init__(self, client: Any, async_client: Any = None) -> None:
        self._client = client
        self._async_client = async_client

    def send(self, target: str, body: bytes) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        if self._client is None:
            raise NotConfiguredError("only an asynchronous boto client was given; give boto_client= too")
        try:
            answer = getattr(self._client, method_name(target))(**parameters(body))
        except boto.ClientError as error:
            return _error_response(error)
        except (boto.BotoCoreError, ResponseParserError) as error:
            raise _translated(error) from error
        if iscoroutine(answer):
            answer.close()
            raise NotConfiguredError("boto_client is an asynchronous client; give it as aboto_client=")
        return _response(answer)

    async def asend(self, target: str, body: bytes) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        if self._async_client is None:
            return await asyncio.to_thread(self.send, target, body)
        try:
            return _response(await getattr(self._async_client, method_name(target))(**parameters(body)))
        except boto.ClientError as error:
            return _error_response(error)
        except (boto.BotoCoreError, ResponseParserError) as error:
            raise _translated(error) from error

    def close(self) -> None:
        """Does nothing: the clients are their owner's."""

    async def aclose(self) -> None:
        """Does nothing: the clients are their owner's."""


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


def _error_response(error: boto.ClientError) -> Response:
    """The answer that an error of the service came as."""
    answer = dict(error.response)
    metadata = answer.pop("ResponseMetadata", {})
    described = answer.pop("Error", {})
    body = {**answer, "__type": described.get("Code", ""), "message": described.get("Message", "")}
    return Response(metadata.get("HTTPStatusCode", 400), _json(body), metadata.get("RequestId"))


def _translated(error: boto.BotoCoreError | ResponseParserError) -> DynamixError:
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
