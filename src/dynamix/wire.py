"""The request, its answer, and the effects by which flows ask for them.

An operation is a generator (a *flow*) that yields effects and returns one result. It does no I/O, never
sleeps and reads no clock; a driver does that for it. `Connection` has two drivers, a blocking one and one for asyncio,
so each operation is written once.

    Call      send one request; the driver sends back the decoded answer, or throws the error into the flow
    Pause     wait for some seconds
    Together  run several flows, overlapping where the driver can; the driver sends back their results in order
    Apply     call a function of the caller's; the driver sends back what it returns, or throws its error into the flow
"""

import math
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

AttributeValue: TypeAlias = dict[str, Any]
"""One value in DynamoDB's JSON form, such as `{"S": "physics"}` or `{"N": "1"}`."""

Item: TypeAlias = dict[str, AttributeValue]
"""An item, or a key, in DynamoDB's JSON form: stored attribute name to value."""

SentItem: TypeAlias = dict[str, Any]
"""An item as a request has it: of lists, maps and the like the JSON of the value, as a msgspec.Raw."""


DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a body that is no answer of DynamoDB's."""


class Call(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One request to the service.

    `target` is the operation's name ("GetItem"), `body` its JSON. `decode` turns the body of a 200 answer into the
    result. `repeatable` says whether sending the same bytes twice has the effect of sending them once; only
    then may a driver or a retry repeat a request whose outcome is unknown, and only before `until`, a time of
    `time.monotonic`. `attempt` counts from 1. `for_write` says of a read that it is a part of a write.
    """

    target: str
    body: bytes
    decode: Callable[[bytes], T]
    repeatable: bool = True
    attempt: int = 1
    until: float = math.inf
    for_write: bool = False

    @property
    def table(self) -> str:
        """The names of the tables that the request is about, as far as it names them."""
        try:
            body = msgspec.json.decode(self.body, type=_Tables)
        except msgspec.MsgspecError:
            return "-"
        parts = (part.TableName for action in body.TransactItems for part in action.values())
        return ", ".join(sorted({body.TableName, *body.RequestItems, *parts} - {""})) or "-"

    @property
    def writes(self) -> bool:
        """Whether it may change something, which is taken for granted of an operation that is not known to read."""
        return not self.target.startswith(_READS)


class _Table(msgspec.Struct):
    TableName: str = ""


class _Tables(_Table):
    RequestItems: dict[str, msgspec.Raw] = {}
    TransactItems: list[dict[str, _Table]] = []


_READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List", "Search")


class Pause(msgspec.Struct, frozen=True):
    """Wait for `seconds`. `why` says what is repeated then, `is_throttled` whether the service asked to slow down."""

    seconds: float
    why: str = ""
    is_throttled: bool = False


class Together(msgspec.Struct, frozen=True):
    """Run `flows`, at most `limit` at a time. The first error ends the others and is thrown into the asking flow.

    With `lets_finish`, requests that are under way then are answered first: of a write it is better to know.
    """

    flows: Sequence["Flow[Any]"]
    limit: int = 8
    lets_finish: bool = False


class Apply(msgspec.Struct, frozen=True):
    """Call a function of the caller's. Under asyncio, what it returns is awaited where that can be."""

    function: Callable[[Any], Any]
    argument: Any


Effect: TypeAlias = Call[Any] | Pause | Together | Apply
Flow: TypeAlias = Generator[Effect, Any, T]


class Response(msgspec.Struct, frozen=True, gc=False):
    """An answer of the service: HTTP status, body, and the id under which the service logged the request.

    It is `doubtful` where a client of the caller's had sent the request before and may have been heard. `date` is
    the time of an error answer by the service's clock, as its header says it.
    """

    status: int
    body: bytes
    request_id: str | None = None
    doubtful: bool = False
    date: str | None = None


class RequestInfo(msgspec.Struct, frozen=True):
    """What `on_request` of a connection is told of a request: nothing of what is in it, and no credentials.

    `operation` is such as "GetItem", `table` names the tables, separated by ", ", `attempt` counts from 1, `size` is in
    bytes.
    """

    operation: str
    table: str
    attempt: int
    size: int


class ResponseInfo(msgspec.Struct, frozen=True):
    """What `on_response` of a connection is told of a request that has ended, after so many `seconds`.

    `status` is the HTTP status, `size` the bytes of the answer, and `request_id` what the service logged the request
    under; all None where no answer came. `error` names the class of the error that was made of it, None for none.
    """

    request: RequestInfo
    seconds: float
    status: int | None = None
    size: int | None = None
    request_id: str | None = None
    error: str | None = None


class ReadProgress(msgspec.Struct, frozen=True):
    """What `progress` of a scan is told after each request: how far all of its segments came together.

    `requests` were answered, `looked_at` items were read, of which `found` match, `units` were consumed. `ended` of
    `segments` are read to their end; a scan without segments is one.
    """

    requests: int
    looked_at: int
    found: int
    units: float
    ended: int
    segments: int


class Transport(Protocol):
    """Bytes out, bytes back. Implemented by signed HTTP, the embedded engine, and a caller's own boto client.

    An answer of any status is returned as a Response. What prevents an answer is raised as a
    `dynamix.errors.ConnectionException` whose `sent` says whether the request may have reached the service.
    Transports know nothing of retries. One that works through a client with repeats of its own keeps that client from
    sending again what is not `repeatable` and may have been received; where it did send again what is, and the first
    attempt may have been received, the answer is `doubtful`, or the error's `applied` "maybe". `deadline` is a time of
    `time.monotonic`; what is not answered then raises `dynamix.errors.DeadlineExceededError`.
    """

    def send(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response: ...

    async def asend(
        self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf
    ) -> Response: ...

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


def is_coroutine_function(function: object) -> bool:
    """Whether a function, a method or a partial has to be awaited. The module `inspect` takes long to import."""
    while isinstance(function, partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & _COROUTINE)


_COROUTINE = 0x80  # inspect.CO_COROUTINE
