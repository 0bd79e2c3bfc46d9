"""Every error that dynamix raises, one class per cause.

    DynamixError                                (.applied: whether what was asked was stored)
    ├── ValidationException                     refused before anything was sent; also a ValueError
    │   ├── FieldValidationException            a value that its field or its key cannot hold (.field, .value, .errors)
    │   │   ├── WrongTypeError                  also a TypeError
    │   │   ├── MissingKeyError
    │   │   └── RequiredFieldError
    │   ├── UnknownNameError                    a field, index or option that does not exist; also a TypeError
    │   ├── ModelDefinitionError                a model class that no table can have
    │   ├── InvalidQueryError                   a query, scan or condition that DynamoDB cannot run
    │   ├── InvalidUpdateError                  queued changes that DynamoDB cannot make
    │   ├── InvalidCursorError                  a cursor of another table or index, or a damaged one
    │   ├── ItemTooLargeError
    │   ├── TableDiffersError                   a table that no update makes as the model is (.differences)
    │   └── InvalidRequestError                 the service itself refused the request (ValidationException)
    ├── FieldNotLoadedError                     the instance was loaded without this field; also an AttributeError
    ├── StoredValueError                        what is stored is not what its field holds (.key, .field, .value)
    ├── StatementsFailedError                   PartiQL statements of a batch failed (.errors, .results)
    ├── ReadLimitError                          a read stopped at its own bound (.items, .count, .cursor)
    ├── MultipleItemsError                      more than the one item that was asked for (.items)
    ├── CapacityExceededError                   a block consumed more units than it may (.units)
    ├── PartlyAppliedError                      some was stored, some was not (.stored, .not_stored, .unknown)
    ├── ConnectionException                     no answer (.sent: whether the request may have been received)
    │   ├── NotConfiguredError
    │   ├── CredentialsError
    │   ├── ConnectError                        refused, unresolved, TLS failed: never sent
    │   ├── RequestTimeoutError                 no answer in time; also a TimeoutError
    │   │   └── DeadlineExceededError           the operation as a whole was not done in time
    │   ├── ConnectionLostError                 the peer closed before a whole answer
    │   ├── InvalidAnswerError                  an answer that is not DynamoDB's, or damaged
    │   └── OutcomeUnknownError                 a write may or may not have happened, and no repeat can settle it
    └── ClientException                         the service answered with an error (.code, .request_id, .status)
        ├── ConditionalCheckFailedError         (.item: the stored instance; .stored_item: its stored form)
        │   ├── ItemExistsError                 create(overwrite=False) on an existing key
        │   ├── ItemNotFoundError               a change of an item that does not exist
        │   ├── NotUniqueError                  another item has a unique value (.field, .value, .owner)
        │   └── VersionConflict                 a write of an item that others wrote since it was loaded
        ├── TransactionCanceledError            (.reasons, in the caller's order)
        ├── TransactionConflictError
        ├── TransactionInProgressError
        ├── IdempotentParameterMismatchError
        ├── TableNotFoundError
        ├── TableInUseError
        ├── LimitExceededError
        ├── ItemCollectionSizeLimitExceededError
        ├── IndexNotReadyError                  a vector index that is still being filled, or is not there (.index)
        ├── AccessDeniedError
        ├── ThrottledError                      every way of saying "slow down"
        │   └── BatchIncompleteError            (.unprocessed: what is still to do)
        ├── StorageError                        the embedded engine's disk or file: full, not writable, damaged, gone
        │   └── DatabaseFileError               the file cannot be opened; also a ConnectError
        └── ServiceUnavailableError             every other 5xx

`ValidationException`, `ClientException`, `FieldValidationException` and `ConnectionException` are names of the
first dynamix; old `except` clauses rely on them. A class that stands for codes of the service names them in its class
line.

Whether a write was applied is in `applied` of whatever error ends it. Where no attempt of it can have been, the error
is that of the last attempt. Where one may have been, it is OutcomeUnknownError if the write must not be repeated, or if
a repeat was refused (a refusal would seem to say that nothing was stored); else that of the last attempt.

Source of the codes: DynamoDB Developer Guide, "Error handling with DynamoDB", and botocore's service model.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self, TypeAlias, TypeVar

import msgspec

from dynamix.interrupts import let_pass
from dynamix.wire import Item, Response

if TYPE_CHECKING:
    from dynamix.differences import TableDifference

Applied: TypeAlias = Literal["no", "maybe", "partly", "yes"]
Resolution: TypeAlias = Literal["applied", "not applied", "undecidable"]
"""What `resolve` finds out about a write."""


class Place(Protocol):
    """Where items can be read again: a Connection."""

    def request(self, operation: str, body: Mapping[str, Any], /) -> dict[str, Any]: ...

    async def arequest(self, operation: str, body: Mapping[str, Any], /) -> dict[str, Any]: ...


class Named(Protocol):
    """An attribute as it is stored: a field of a model."""

    @property
    def name(self) -> str: ...


class Doubt(Protocol):
    """What is known of a write that may have been applied. `place` is where it was made."""

    place: Place | None

    def about(self, tables: Iterable[Any], /) -> None: ...

    def resolve(self, unique: Named | None, place: Place | None) -> Resolution: ...

    async def aresolve(self, unique: Named | None, place: Place | None) -> Resolution: ...


class DynamixError(Exception):
    """The root of all errors of dynamix.

    `applied` says of every error what became of the write: "no", nothing was stored; "maybe", an attempt of it may have
    been received; "partly", some of it was stored; "yes", all of it was, and the error is about what came after. Of a
    read it is "no".
    """

    applied: Applied = "no"
    _doubt: Doubt | None = None

    def resolve(self, *, unique: Named | None = None, connection: Place | None = None) -> Resolution:
        """Reads, consistently, what is stored now, and says what that proves: that the write was "applied", that it was
        "not applied" and never will be by an attempt of before, or that it is "undecidable".

        An item like the one that was to be stored proves nothing, since others may have stored the same. What proves
        something is a value that only this write can have stored: the version that a VersionField begins, or that of a
        field of which the caller knows it, `unique`, such as `Job.owner`, or a list to which an id was appended. Raises
        InvalidUpdateError where the write did not set that one or add to it, and whatever reading raises. An error that
        was pickled holds no connection, so it needs the one of the write, or NotConfiguredError is raised.
        """
        if self.applied != "maybe" or self._doubt is None:
            return _KNOWN[self.applied]
        return self._doubt.resolve(unique, connection)

    async def aresolve(self, *, unique: Named | None = None, connection: Place | None = None) -> Resolution:
        """See `resolve`."""
        if self.applied != "maybe" or self._doubt is None:
            return _KNOWN[self.applied]
        return await self._doubt.aresolve(unique, connection)

    def _made_at(self, place: Place) -> None:
        """The operation that ends with this error was made there."""
        if self._doubt is not None and self._doubt.place is None:
            self._doubt.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made without `__init__`, whose keywords `args` does not hold. A pickle has texts in
        place of what cannot be pickled."""
        return _made_again, (type(self), _picklable(self.args)), {n: _picklable(v) for n, v in vars(self).items()}

    def __copy__(self) -> Self:
        twin = _made_again(type(self), self.args)
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = _made_again(type(self), self.args)
        memo[id(self)] = twin
        vars(twin).update({name: _deep(value, memo) for name, value in vars(self).items()})
        return twin


E = TypeVar("E", bound=DynamixError)
_KNOWN: dict[Applied, Resolution] = {
    "no": "not applied",
    "maybe": "undecidable",
    "partly": "undecidable",
    "yes": "applied",
}


def _made_again(kind: type[E], args: tuple[Any, ...]) -> E:
    """An error as it is before it has attributes."""
    error = kind.__new__(kind, *args)
    error.args = args
    return error


def _picklable(value: Any) -> Any:
    """A value, or as much of it as can be pickled: instead of the rest what `repr` says of it."""
    import pickle  # whoever asks for this has it already

    try:
        pickle.dumps(value)
    except Exception as error:
        let_pass(error)
    else:
        return value
    if type(value) is dict:
        return {_picklable(key): _picklable(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_picklable, value))
    try:
        return repr(value)
    except Exception as error:
        let_pass(error)
        return object.__repr__(value)


def _deep(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy of a value; of one that cannot be copied, such as an open file, itself."""
    try:
        return copy.deepcopy(value, memo)
    except Exception as error:
        let_pass(error)
        return value


class ValidationException(DynamixError, ValueError):  # noqa: N818 - a name of the first dynamix
    """The input was refused; nothing was sent, or the service stored nothing.

    `index` is the position of what was refused among the elements of a batch, from 0; None of what is no batch.
    """

    index: int | None = None


class FieldError(NamedTuple):
    """What is wrong with the value of one field, as JSON can say it: the attribute's name, the value, and why."""

    field: str
    value: Any
    message: str


class FieldValidationException(ValidationException):
    """A value that its field cannot hold.

    `field` is the attribute's name on the model, `value` what was given, `reason` what is wrong with it. Where several
    fields of one object are wrong, these are of the first, and `others` are the errors of the rest; `errors` has all.
    """

    others: "tuple[FieldValidationException, ...]" = ()

    def __init__(self, message: str, *, field: str, value: object = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.reason = message if reason is None else reason

    @property
    def errors(self) -> list[FieldError]:
        """All that is wrong with the object, one entry a field, as `json.dumps` takes it."""
        return [FieldError(one.field, _jsonable(one.value), one.reason) for one in (self, *self.others)]


def all_wrong(errors: Sequence[FieldValidationException]) -> FieldValidationException:
    """The first error, which tells of the others as well."""
    first, *others = errors
    if others:
        first.args = ("; ".join(map(str, errors)),)
        first.others = (*first.others, *(each for other in others for each in (other, *other.others)))
    return first


def _jsonable(value: Any) -> Any:
    """A value as JSON has it; what JSON does not have as text."""
    match value:
        case str() | bool() | None:
            return value
        case int() if value.bit_length() < 4096:  # Python prints no integer of over 4300 digits
            return int(value)
        case float() if isfinite(value):
            return value
        case dict():
            return {str(key): _jsonable(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return list(map(_jsonable, value))
    try:
        return str(value)
    except Exception as error:
        let_pass(error)
        return object.__repr__(value)


class WrongTypeError(FieldValidationException, TypeError):
    """A value of a type that the field does not take."""


class MissingKeyError(FieldValidationException):
    """A part of the primary key is missing or None."""


class RequiredFieldError(FieldValidationException):
    """A required field has no value."""


class UnknownNameError(ValidationException, TypeError):
    """A name that nothing has: of a field, an index, or an option. Made by `unknown`, it suggests the nearest."""


def unknown(name: str, problem: str, known: Iterable[str], *, list_all: bool = False) -> UnknownNameError:
    """The error for a name that nothing has. It suggests the nearest; it lists the known ones where none is near, or
    with `list_all`.
    """
    names = sorted(known)
    listed = ", ".join(names) or "none"
    near = nearest(name, names)
    if near is None:
        return UnknownNameError(f"{problem} {name!r}; there are: {listed}")
    others = f" There are: {listed}" if list_all else ""
    return UnknownNameError(f"{problem} {name!r}; did you mean {near!r}?{others}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names was probably meant, or None."""
    from difflib import get_close_matches  # takes a while to import, and few programs need it

    return next(iter(get_close_matches(name, list(known), n=1)), None)


class ModelDefinitionError(ValidationException, TypeError):
    """A model class that cannot describe a table."""


class InvalidQueryError(ValidationException):
    """A query, scan or condition that DynamoDB cannot run; the message says why and what would work."""


class InvalidUpdateError(ValidationException):
    """Changes that DynamoDB cannot make, or not in one request where that was asked for, or not while a commit
    or deletion of the same instance is under way."""


class InvalidCursorError(ValidationException):
    """A cursor that belongs to another table or index, or that is damaged."""


class ItemTooLargeError(ValidationException):
    """An item of more than 400 KB, attribute names included."""


class TableDiffersError(ValidationException):
    """A table that differs from its model in what no update can change; nothing was changed.

    `differences` are those that cannot be updated.
    """

    differences: "tuple[TableDifference, ...]" = ()


class FieldNotLoadedError(DynamixError, AttributeError):
    """The instance was loaded without this field (a projection, or an index that does not hold it)."""


class StoredValueError(DynamixError):
    """What is stored in an attribute is not what its field holds; another program may have written it.

    `field` is the attribute's name on the model, `value` the stored form. `table` is the table's name and `key` the
    item's key as `get` takes it, as it is stored, whatever can be read of it; None where that is not known.
    """

    table: str | None = None
    key: dict[str, Any] | None = None

    def __init__(self, message: str, *, field: str, value: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value

    def __str__(self) -> str:
        key = ", ".join(f"{name}={value!r}" for name, value in (self.key or {}).items())
        where = [f"item {key}"] * bool(key) + [f"table {self.table!r}"] * bool(self.table)
        return f"{super().__str__()} ({', '.join(where)})" if where else super().__str__()


class ReadLimitError(DynamixError):
    """A read came to a bound of its own (`max_pages`, `max_units`, `max_seconds`) before it had looked at everything.

    `items` are those that were found and not given yet, and `count` is their number, or that of the items which were
    counted, deleted or updated. `start_key(error.cursor)` goes on from there; None: nothing was looked at.
    """

    items: tuple[Any, ...] = ()
    count: int = 0
    cursor: Any = None


class CapacityExceededError(DynamixError):
    """The operations of a `capacity(at_most=...)` block consumed more than that: `units`. What raised it was not sent;
    all that was sent before was answered."""

    units: float = 0.0


class MultipleItemsError(DynamixError):
    """`one()` found more than one item; `items` are the first two."""

    items: tuple[Any, ...] = ()


class PartlyAppliedError(DynamixError):
    """A part of what was asked was stored, and the rest was not: of a batch, of a commit that takes two requests, or of
    what a query deletes or updates.

    Of a batch, `stored` are those of the instances, items or keys given that were stored (or deleted), `not_stored`
    those that surely were not, and `unknown` those that may have been; where nothing surely was stored, `applied` is
    "maybe". The error that stopped it is the cause. From a `batch()` block, which alone knows what it was given, it
    tells of one round of its requests, and is raised as well where nothing of the block was stored: then `applied` is
    "no" or "maybe".

    From `delete()` or `update()` of a query, `count` is how many items were deleted or updated in all. All before
    `cursor` was done with; None is the beginning. Behind it, the same three tell the keys of those that were tried.
    """

    applied: Applied = "partly"
    stored: tuple[Any, ...] = ()
    not_stored: tuple[Any, ...] = ()
    unknown: tuple[Any, ...] = ()
    count: int = 0
    cursor: Any = None


class ConnectionException(DynamixError):  # noqa: N818 - a name of the first dynamix
    """No answer was had. `sent` says whether the request may have reached the service."""

    sent: bool

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class NotConfiguredError(ConnectionException):
    """Neither a connection nor AWS configuration was found."""


class CredentialsError(ConnectionException):
    """Credentials are missing, incomplete, or could not be refreshed."""


class ConnectError(ConnectionException):
    """The connection could not be made; nothing was sent."""


class RequestTimeoutError(ConnectionException, TimeoutError):
    """No answer within the timeout."""


class DeadlineExceededError(RequestTimeoutError):
    """The operation as a whole was not done within its `operation_timeout` or its block's `dynamix.timeout`."""


class ConnectionLostError(ConnectionException):
    """The connection ended before the whole answer had arrived."""


class InvalidAnswerError(ConnectionException):
    """What arrived is not an answer of DynamoDB, or was damaged on the way."""


class OutcomeUnknownError(ConnectionException):
    """A write was sent and may have been applied: repeating it could apply it twice, or its repeat was refused, which
    says nothing of the first attempt. Read the item to learn what happened, or have `resolve()` do so."""

    applied = "maybe"


class ClientException(DynamixError):  # noqa: N818 - a name of the first dynamix
    """The service answered with an error.

    `code` is the service's name of the error, `status` the HTTP status, `request_id` what AWS support asks for.
    """

    codes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str, *, code: str = "", status: int = 0, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.request_id = request_id

    def __init_subclass__(cls, codes: tuple[str, ...] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.codes = codes
        for code in codes:
            _CLASS_BY_CODE[code] = cls


_CLASS_BY_CODE: dict[str, type[ClientException]] = {}


class InvalidRequestError(ClientException, ValidationException, codes=("ValidationException",)):
    """The service refused the request as invalid; nothing was stored."""


class ConditionalCheckFailedError(ClientException, codes=("ConditionalCheckFailedException",)):
    """A condition was not met; nothing was stored.

    `item` is an instance of what is stored, `stored_item` the same in DynamoDB's JSON form. Both are None where no such
    item exists; `item` is, too, where the stored item cannot be read. `changed` names the fields, such as
    "Thread.title", that others changed since the instance was loaded, where that is why.
    """

    item: Any = None
    stored_item: Item | None = None
    changed: tuple[str, ...] = ()


class ItemExistsError(ConditionalCheckFailedError, codes=("DuplicateItemException",)):
    """An item with this key exists already; it was left alone."""


class IndexNotReadyError(ClientException):
    """A vector index cannot be searched: it is still being filled, or the table has none of this name.

    `index` is its name.
    """

    index: str = ""


class ItemNotFoundError(ConditionalCheckFailedError):
    """The item to be changed does not exist; nothing was stored."""


class NotUniqueError(ConditionalCheckFailedError):
    """Another item of the table has a value that is unique; nothing was stored.

    `field` is the attribute's name on the model, `value` the value; of several fields that are unique together, the
    names joined by ", " and the tuple of the values. `owner` is the key of the item that has it, as `get` takes it;
    None where that is not known.
    """

    field: str = ""
    value: Any = None
    owner: dict[str, Any] | None = None


class VersionConflict(ConditionalCheckFailedError):  # noqa: N818 - no error of the caller's
    """Others wrote the item since the instance was loaded: its stored version is another; nothing was stored."""


class CancellationReason(msgspec.Struct, frozen=True):
    """Why one action of a transaction failed. `code` is None for an action that did not fail; `stored_item` is the item
    that its condition looked at, in DynamoDB's JSON form, where the action asked for it.

    In a transaction of models `model` is that of the action, `action` the method that asked for it ("save"), and `item`
    the stored instance, None where there is none or where it cannot be read. `error` is what the action would have
    raised outside a transaction.
    """

    code: str | None
    message: str | None = None
    stored_item: Item | None = None
    model: type[Any] | None = None
    action: str | None = None
    item: Any = None
    error: DynamixError | None = None


class TransactionCanceledError(ClientException, codes=("TransactionCanceledException",)):
    """A transaction was cancelled as a whole; nothing was stored. `reasons` has one entry per action, in the caller's
    order."""

    reasons: tuple[CancellationReason, ...] = ()


class TransactionConflictError(ClientException, codes=("TransactionConflictException",)):
    """Another transaction holds the item."""


class TransactionInProgressError(ClientException, codes=("TransactionInProgressException",)):
    """A transaction with this client token is still running; it was waited for, as long as the retry settings allow."""


class IdempotentParameterMismatchError(ClientException, codes=("IdempotentParameterMismatchException",)):
    """A client token was used again with another request."""


class TableNotFoundError(ClientException, codes=("ResourceNotFoundException", "TableNotFoundException")):
    """The table or index does not exist. Create it with `create_table`."""


class TableInUseError(
    ClientException,
    codes=("ResourceInUseException", "TableInUseException", "TableAlreadyExistsException"),
):
    """The table exists already, or is being created, changed or deleted."""


class LimitExceededError(ClientException, codes=("LimitExceededException",)):
    """Too many table operations at once, or an account's quota is used up."""


class ItemCollectionSizeLimitExceededError(ClientException, codes=("ItemCollectionSizeLimitExceededException",)):
    """The items of one partition key, with their local indexes, exceed 10 GB."""


class AccessDeniedError(
    ClientException,
    codes=(
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "IncompleteSignatureException",
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
    ),
):
    """The credentials are not accepted, or may not do this."""


class ThrottledError(
    ClientException,
    codes=(
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
    ),
):
    """The service asks to slow down; it was asked again as often as the retry settings allow."""


class BatchIncompleteError(ThrottledError):
    """The service kept leaving parts of a batch undone.

    `unprocessed` has the keys or items still to do, in DynamoDB's JSON form; all others are done. Of a write, `stored`
    and `not_stored` are the same as what was given; `unknown` are those of what is still to do that may have been made
    all the same, since an earlier request for them was not answered.
    """

    unprocessed: tuple[Item, ...] = ()
    stored: tuple[Any, ...] = ()
    not_stored: tuple[Any, ...] = ()
    unknown: tuple[Any, ...] = ()


class StatementsFailedError(DynamixError):
    """Some PartiQL statements of a batch failed; each of the others did its work.

    `errors` has their errors by position, `results` the rows of all, None for those that failed.
    """

    errors: Mapping[int, DynamixError] = MappingProxyType({})
    results: tuple[Any, ...] = ()


class ServiceUnavailableError(
    ClientException,
    codes=(
        "InternalServerError",
        "InternalServerErrorException",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ReplicatedWriteConflictException",
    ),
):
    """The service failed (a 5xx answer)."""


class StorageError(ClientException, codes=("StorageException",)):
    """The database under the embedded engine cannot do its work: the disk is full, the file may not be written, is
    damaged or was removed, or the engine was entered from the middle of its own work. Nothing was stored."""


class DatabaseFileError(StorageError, ConnectError):
    """The file of an embedded engine cannot be opened: it may not be read, is damaged, is another program's, or of a
    newer dynamix. Nothing was stored."""


def from_code(code: str, message: str, item: Item | None) -> ClientException:
    """The error of one statement of a batch, whose code lacks the end that errors of requests have."""
    named = code.replace("ValidationError", "Validation").replace("ThrottlingError", "Throttling")
    error_class = _CLASS_BY_CODE.get(named) or _CLASS_BY_CODE.get(f"{named}Exception", ClientException)
    error = error_class(message or code, code=code, status=200)
    if isinstance(error, ConditionalCheckFailedError):
        error.stored_item = item
    return error


class _ErrorBody(msgspec.Struct):
    """The members of an error answer. Both spellings of the message occur."""

    type: str = msgspec.field(name="__type", default="")
    message: str | None = None
    Message: str | None = None
    Item: dict[str, Any] | None = None
    CancellationReasons: list[dict[str, Any]] | None = None


_decode_body = msgspec.json.Decoder(_ErrorBody).decode


def from_response(response: Response) -> DynamixError:
    """The error that an answer of another status than 200 stands for."""
    error = _answered(response)
    if response.doubtful:
        error.applied = "maybe"
    return error


def _answered(response: Response) -> DynamixError:
    try:
        body = _decode_body(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        body = _ErrorBody()
    code = body.type.rpartition("#")[2]
    message = body.message or body.Message or ""
    error_class = _CLASS_BY_CODE.get(code)
    if error_class is None:
        if response.status < 500 and not code:
            return InvalidAnswerError(
                f"the endpoint answered with HTTP status {response.status}, but not in DynamoDB's way; "
                "check the endpoint's address"
            )
        error_class = ServiceUnavailableError if response.status >= 500 else ClientException
    error = error_class(
        message or code or f"HTTP status {response.status}",
        code=code,
        status=response.status,
        request_id=response.request_id,
    )
    if isinstance(error, ConditionalCheckFailedError):
        error.stored_item = body.Item
    elif isinstance(error, TransactionCanceledError):
        error.reasons = tuple(map(_reason, body.CancellationReasons or ()))
    return error


def _reason(body: dict[str, Any]) -> CancellationReason:
    code = body.get("Code")
    return CancellationReason(
        None if code == "None" else code, body.get("Message", body.get("message")), body.get("Item")
    )
