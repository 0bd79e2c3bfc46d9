"""What a connection may be told, and what contradicts what. Shared by `Connection` and `set_connection`."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, get_args

from dynamix.errors import ValidationException, WrongTypeError, unknown
from dynamix.operations.retry import RepeatWrites
from dynamix.transport.hidden import Secret
from dynamix.wire import RequestInfo, ResponseInfo, is_coroutine_function

if TYPE_CHECKING:
    from dynamix.transport.embedded import Engine


class ConnectionOptions(TypedDict, total=False):
    """The arguments of a connection. Times are in seconds.

    One of five places, where none is named Amazon DynamoDB:

    - `is_local_endpoint`: a server on this machine; True for 127.0.0.1:8000, or (host, port). Any credentials will
      do, also none.
    - `endpoint_url`: a server of the DynamoDB protocol, such as "https://dynamodb.eu-west-1.amazonaws.com".
    - `embedded`: the engine in this process; True for one in memory, or the path of its file.
    - `engine`: an Engine that the caller made; closing the connection leaves it open.
    - `boto_client`, `aboto_client`: a caller's own boto3 client, and an aiobotocore (aioboto3) one for the
      asynchronous methods.

    Credentials: `aws_access_key_id` with `aws_secret_access_key` and perhaps `aws_session_token`, or `profile_name`;
    where neither is given, the environment, the default profile, or the role of the machine.

    - `region_name`: such as "eu-west-1".
    - `table_prefix`: stands before the name of every table.
    - `consistent_reads` (False): reads that do not say otherwise are consistent, except those of global indexes, which
      cannot be.
    - `cursor_key` (none): a secret of 16 bytes or more by which the texts of cursors are signed, so that nobody else
      makes one; or several, of which the first signs and each is accepted.
    - `encrypt_cursors` (False): the texts of cursors are encrypted by that key as well.
    - `connect_timeout` (5): for a connection, TLS included.
    - `read_timeout` (30): for a whole answer, and for a free connection when all are busy.
    - `operation_timeout` (none): for an operation as a whole, its repeats and pauses included; for each page of a query
      or scan.
    - `max_connections` (64): for all threads together, and for each event loop.
    - `max_attempts` (4, over a boto client 1): how often a request is sent that may be repeated, the first time
      included.
    - `repeat_writes` ("safe"): which writes are sent again after an answer was lost. "safe": those that have the same
      effect twice; "token": every write of one item, as a transaction of one action, which the service makes once and
      charges twice; "never": none.
    - `retry_delay` (0.025), `throttle_delay` (1), `max_retry_delay` (20): the longest first wait, the same when
      throttled, and the longest of all; each wait may be twice as long as the one before and is cut by chance.
    - `on_request`, `on_response` (none): plain functions that are called before each attempt of a request is sent, and
      when it has ended. What the first raises comes out of the call, and nothing is sent; what the second raises goes
      to `sys.excepthook`, lest the outcome of a write be lost.
    """

    is_local_endpoint: bool | tuple[str, int | str]
    endpoint_url: str
    embedded: bool | str | os.PathLike[str]
    engine: "Engine"
    boto_client: Any
    aboto_client: Any
    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str | None
    profile_name: str
    region_name: str
    table_prefix: str
    consistent_reads: bool
    cursor_key: str | bytes | Sequence[str | bytes]
    encrypt_cursors: bool
    connect_timeout: float
    read_timeout: float
    operation_timeout: float
    max_connections: int
    max_attempts: int
    repeat_writes: RepeatWrites
    retry_delay: float
    throttle_delay: float
    max_retry_delay: float
    on_request: Callable[[RequestInfo], object]
    on_response: Callable[[ResponseInfo], object]


_KNOWN = tuple(ConnectionOptions.__annotations__)
_TEXTS = (
    "endpoint_url",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "profile_name",
    "region_name",
)
_TIMES = (
    "connect_timeout",
    "read_timeout",
    "operation_timeout",
    "retry_delay",
    "throttle_delay",
    "max_retry_delay",
)
_COUNTS = ("max_connections", "max_attempts")
_CALLBACKS = ("on_request", "on_response")
_PLACES = ("is_local_endpoint", "endpoint_url", "embedded", "engine", "boto_client")
SECRETS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""The options that are keys of AWS."""
HIDDEN = (*SECRETS, "cursor_key")
"""Options whose values are never shown."""

_NETWORK = (*SECRETS, "profile_name", "region_name", "connect_timeout", "read_timeout", "max_connections")


def check(options: Any) -> ConnectionOptions:
    """The options that were given, without those that say no: None everywhere, False for places. Secrets are hidden.

    Empties what it was given: a traceback through here and its callers must not show secrets, which may also stand in
    an option whose name is misspelt. Raises UnknownNameError, WrongTypeError, or ValidationException where two
    contradict each other.
    """
    try:
        return _checked(options)
    except ValidationException as error:
        failure = error.with_traceback(None)  # whose frames hold what was given
    finally:
        options.clear()
    raise failure from failure.__cause__


def _checked(options: Mapping[str, Any]) -> ConnectionOptions:
    for name in options:
        if name not in _KNOWN:
            raise unknown(name, "a connection has no option", _KNOWN, list_all=True)
    given = {name: value for name, value in options.items() if not _is_absent(name, value)}
    _check_types(given)
    _check_place(given)
    _check_keys(given)
    hidden: Any = {name: Secret(value) if name in HIDDEN else value for name, value in given.items()}
    return hidden  # type: ignore[no-any-return]


def _check_types(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name in _TEXTS and not (isinstance(value, str) and value):
            raise _wrong(name, value, "a string that is not empty")
        if name in ("consistent_reads", "encrypt_cursors") and not isinstance(value, bool):
            raise _wrong(name, value, "True or False")
        if name == "table_prefix" and not isinstance(value, str):
            raise _wrong(name, value, "a string")
        if name in _TIMES:
            checked_seconds(name, value)
        if name in _COUNTS and not (_is_number(value) and isinstance(value, int) and value > 0):
            raise _wrong(name, value, "an int above 0")
        if name == "repeat_writes":
            checked_repeats(value)
        if name in _CALLBACKS and (not callable(value) or is_coroutine_function(value)):
            raise _wrong(name, value, "a plain function of one argument")
        if name == "boto_client" and not _is_client(value):
            raise _wrong(name, value, "a client for DynamoDB, as boto3.client('dynamodb') makes one")
        if name == "aboto_client" and not (_is_client(value) and hasattr(value, "__aenter__")):
            raise _wrong(name, value, "a client of aiobotocore or aioboto3 for DynamoDB, as `async with` gives it")
        if name == "engine" and (isinstance(value, type) or not hasattr(value, "handle")):
            raise _wrong(name, value, "an Engine, as dynamix.engine.Engine() makes one")
        if name == "embedded" and not (value is True or (isinstance(value, str | os.PathLike) and os.fspath(value))):
            raise _wrong(name, value, "True or the path of a file")
    if "cursor_key" in given and not all(_is_cursor_key(key) for key in cursor_keys(given["cursor_key"])):
        raise _wrong("cursor_key", given["cursor_key"], f"{_CURSOR_KEY_BYTES} bytes or more, or a list of such keys")
    if given.get("encrypt_cursors") and "cursor_key" not in given:
        raise ValidationException("encrypt_cursors needs a key; give cursor_key")
    if given.get("encrypt_cursors"):
        _check_cryptography()
    if "is_local_endpoint" in given:
        local_address(given["is_local_endpoint"])
    if "endpoint_url" in given:
        from dynamix.transport.http.endpoint import parse  # the modules for sockets take long to import

        parse(given["endpoint_url"])


def _check_cryptography() -> None:
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise ValidationException("encrypt_cursors needs the package cryptography; install dynamix-orm[cursors]")


_CURSOR_KEY_BYTES = 16


def cursor_keys(given: Any) -> tuple[bytes, ...]:
    """The keys that `cursor_key` holds, of text its UTF-8."""
    keys = given if isinstance(given, list | tuple) else (given,)
    return tuple(key.encode(errors="surrogatepass") if isinstance(key, str) else key for key in keys) or (b"",)


def _is_cursor_key(key: object) -> bool:
    return isinstance(key, bytes) and len(key) >= _CURSOR_KEY_BYTES


def checked_seconds(name: str, value: Any) -> float:
    """The same number of seconds. Raises WrongTypeError for what is no number above 0."""
    if _is_number(value) and 0 < value < float("inf"):
        return float(value)
    raise _wrong(name, value, "a number of seconds above 0")


def checked_repeats(value: Any) -> RepeatWrites:
    """The same choice of writes to repeat. Raises WrongTypeError for what is none."""
    if isinstance(value, str) and value in get_args(RepeatWrites):
        chosen: Any = value
        return chosen  # type: ignore[no-any-return]
    raise _wrong("repeat_writes", value, "'safe', 'token' or 'never'")


def _is_absent(name: str, value: object) -> bool:
    return value is None or (value is False and name in ("is_local_endpoint", "embedded"))


def _is_client(value: object) -> bool:
    """Whether it has a client's methods. Of boto3's resources a service has only the second, a table the first."""
    return hasattr(value, "get_item") and hasattr(value, "batch_get_item")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(name: str, value: object, wanted: str) -> WrongTypeError:
    shown = f"a {type(value).__name__}" if name in HIDDEN or name == "engine" else repr(value)
    return WrongTypeError(f"{name} must be {wanted}, not {shown}", field=name)


def local_address(value: Any) -> tuple[str, int]:
    """Host and port of `is_local_endpoint`."""
    if value is True:
        return "127.0.0.1", 8000
    from dynamix.transport.http.endpoint import checked_host

    match value:
        case (str(host), int() | str() as port) if re.fullmatch("[0-9]{1,5}", str(port)) and 0 < int(port) < 65536:
            name = checked_host(host)
            if name is not None:
                return name, int(port)
    raise _wrong("is_local_endpoint", value, "True or (host, port)")


def _check_place(given: Mapping[str, Any]) -> None:
    places = [name for name in _PLACES if name in given]
    if "aboto_client" in given and "boto_client" not in given:
        places.append("aboto_client")
    if len(places) > 1:
        raise ValidationException(f"{' and '.join(places)} contradict each other: each names another place; give one")
    if places and places[0] in ("embedded", "engine", "boto_client", "aboto_client"):
        useless = [name for name in _NETWORK if name in given]
        if useless:
            raise ValidationException(f"{', '.join(useless)} would have no effect with {places[0]}; leave them out")


def _check_keys(given: Mapping[str, Any]) -> None:
    keys = [name for name in SECRETS if name in given]
    if keys and "profile_name" in given:
        raise ValidationException(
            f"{' and '.join(keys)} and profile_name contradict each other; give keys or a profile"
        )
    if keys and "is_local_endpoint" not in given and not {*SECRETS[:2]} <= {*keys}:
        raise ValidationException(f"{' and '.join(keys)} alone are not enough: give {SECRETS[0]} and {SECRETS[1]}")
