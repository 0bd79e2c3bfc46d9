"""A request's bytes to a request whose types and constraints are those of the service's model.

Each operation has a decoder of msgspec, built from `shape_table` at the first use, that parses and checks in one pass.
What it refuses is read once more by `_convert` and `_violations`, which know the service's words. They also let
pass what the service lets pass but the decoder does not: null for an absent member, a number with a fraction where an
integer belongs. The service reports a wrong type at once, as a SerializationException; after that it collects
all violated constraints, up to ten, into one ValidationException. Members that a shape does not have are dropped.

The wording is that of the service as users report it; the tests of dynalite, an emulator checked against the
service, document most of it (https://github.com/architect/dynalite).
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import islice
from threading import RLock
from typing import Annotated, Any, Literal, NoReturn, Required, TypedDict

import msgspec

from dynamix import forks
from dynamix.engine.faults import Fault, invalid, unknown_operation
from dynamix.engine.requests.shape_table import (
    NOT_HERE,
    OPERATIONS,
    SHAPES,
    Blob,
    Boolean,
    Enum,
    Integer,
    List,
    Long,
    Map,
    Shape,
    String,
    Structure,
    Timestamp,
)

_MAX_VIOLATIONS = 10
_TABLE = "TableArn"
"""The shape of what names a table: an ARN, or a name, which has constraints of its own."""
_OF_TABLES = frozenset(
    {"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive", "DescribeTimeToLive"}
)
"""The operations that look at the name of their table before anything else."""
_OF_TAGS = frozenset({"TagResource", "UntagResource", "ListTagsOfResource"})
_NAMESPACE = "com.amazonaws.dynamodb.v20120810"
_BASE64 = (  # the first group is for speed; no group gives back what it matched, so what is wrong is found in one pass
    r"^(?:[A-Za-z0-9+/]{64})*+(?:[A-Za-z0-9+/]{4})*+"
    r"(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?\Z"
)
_BOOLEAN_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_FARTHEST = 1e300
"""Seconds that a number of the JSON may mean; more would be no number in Python."""

_TYPE_CAST = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class "
    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of "
    "loader 'bootstrap')"
)


def decode(target: str, body: bytes) -> dict[str, Any]:
    """The request of an operation, checked. Raises the Fault that the service answers with."""
    decode_body = _DECODERS.get(target) or _make_decoder(target)
    try:
        try:
            request = decode_body(body)
        except msgspec.ValidationError:
            return _read(target, body)
        if target in _OF_TABLES:
            _check_table_name(target, request)
        return request
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault("SerializationException", "") from error


class AttributeValue(TypedDict, total=False):
    """The shape AttributeValue. It contains itself, so it is written out."""

    S: str
    N: str
    B: Annotated[str, msgspec.Meta(pattern=_BASE64)]
    SS: list[str]
    NS: list[str]
    BS: list[Annotated[str, msgspec.Meta(pattern=_BASE64)]]
    M: "dict[str, AttributeValue]"
    L: "list[AttributeValue]"
    NULL: bool
    BOOL: bool


@cache
def _python_type(name: str) -> Any:
    """The Python type with which msgspec checks a shape."""
    if name == "AttributeValue":
        return AttributeValue
    match SHAPES[name]:
        case String(low, high, pattern):
            whole = None if pattern is None else rf"^(?:{pattern})\Z"
            return Annotated[str, msgspec.Meta(min_length=low, max_length=high, pattern=whole)]
        case Enum() as enum:
            return Literal[enum.values]
        case Boolean():
            return bool
        case Blob():
            return Annotated[str, msgspec.Meta(pattern=_BASE64)]
        case Integer(low, high) | Long(low, high) as number:
            return Annotated[int, msgspec.Meta(ge=-number.bound if low is None else low, le=high or number.bound)]
        case Timestamp():
            return float
        case List(of, low, high):
            sequence: Any = list[_python_type(of)]  # type: ignore[misc]
            return Annotated[sequence, msgspec.Meta(min_length=low, max_length=high)]
        case Map(keys, of, low, high):
            mapping: Any = dict[_python_type(keys), _python_type(of)]  # type: ignore[misc]
            return Annotated[mapping, msgspec.Meta(min_length=low, max_length=high)]
        case Structure() as structure:
            members = {
                member.name: Required[_python_type(member.shape)] if member.required else _python_type(member.shape)
                for member in structure.members
            }
            return TypedDict(name, members, total=False)  # type: ignore[operator]


class _Decoders:
    """Makes the decoder of an operation when it is first asked for.

    One that is being made shares parts that are not ready with others that are. So they are made one at a time, and in
    the child of a fork, which may come amid that, from new parts; the only one that contains itself is made here.
    """

    def __init__(self) -> None:
        msgspec.json.Decoder(AttributeValue)
        self._after_fork()
        forks.register(self)

    def _after_fork(self) -> None:
        self._making = RLock()
        _python_type.cache_clear()

    def make(self, target: str) -> Callable[[bytes], dict[str, Any]]:
        """Raises Fault where there is no such operation."""
        shape = OPERATIONS.get(target)
        if shape is None:
            raise unknown_operation(target, NOT_HERE.get(target))
        with self._making:
            if target not in _DECODERS:
                try:
                    _DECODERS[target] = msgspec.json.Decoder(_python_type(shape)).decode
                except BaseException:  # of a signal's handler
                    _python_type.cache_clear()
                    raise
            return _DECODERS[target]


_DECODERS: dict[str, Callable[[bytes], dict[str, Any]]] = {}
_make_decoder = _Decoders().make


def _read(target: str, body: bytes) -> dict[str, Any]:
    """The slow way of `decode`: finds the service's words for what is wrong."""
    shape = OPERATIONS[target]
    request = msgspec.json.decode(body)
    result: dict[str, Any] = _convert(shape, {} if request is None else request)
    if target in _OF_TABLES:
        _check_table_name(target, result)
    elif target in _OF_TAGS and "ResourceArn" not in result:
        raise invalid("Invalid TableArn")
    fault = _violated(shape, result)
    if fault is not None:
        raise fault
    return result


def misnamed(target: str, request: dict[str, Any]) -> Fault | None:
    """The refusal of names that no table can have, in a request that `decode` gave; None where there are none.

    They violate constraints of the shape, and so are the first to be told. But as no table has such a name, they are
    looked for only where a request is refused, for whatever reason.
    """
    names: Iterable[str] = request.get("RequestItems", ())
    if "TableName" in request:
        names = (request["TableName"],)
    elif "TransactItems" in request:
        names = (action["TableName"] for part in request["TransactItems"] for action in part.values())
    if any(True for name in names for _ in _broken_name(name)):
        return _violated(OPERATIONS[target], request)
    return None


def _violated(shape: str, request: dict[str, Any]) -> Fault | None:
    """The refusal of a converted request that violates constraints."""
    violations = list(islice(_violations(shape, request, ""), _MAX_VIOLATIONS))
    if not violations:
        return None
    plural = "s" if len(violations) > 1 else ""
    return invalid(f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}")


def _check_table_name(target: str, request: dict[str, Any]) -> None:
    """Refuse the name of a table that no table can have. All but CreateTable may give an ARN instead."""
    name = request.get("TableName")
    if name is None:
        raise invalid("The parameter 'TableName' is required but was not present in the request")
    if name.startswith("arn:") and target != "CreateTable":
        return
    limits = SHAPES["TableName"]
    assert isinstance(limits, String)  # noqa: S101 - as the table has it
    if not 3 <= len(name) <= 255:
        raise invalid("TableName must be at least 3 characters long and at most 255 characters long")
    for broken in _broken(limits, name):
        where = f"Value '{name}' at 'tableName'"
        raise invalid(f"1 validation error detected: {where} failed to satisfy constraint: {broken}")


def _convert(name: str, value: object, *, field: bool = False) -> Any:
    """A JSON value as its shape has it. `field` says that it is a member of a structure, not an element."""
    match SHAPES[name]:
        case String() | Enum():
            return _convert_scalar(value, str, "String")
        case Boolean():
            meant = _BOOLEAN_WORDS.get(value.lower(), value) if isinstance(value, str) else value
            return _convert_scalar(meant, bool, "Boolean")
        case Integer(bound=bound):
            return _convert_number(value, "Integer", bound)
        case Long(bound=bound):
            return _convert_number(value, "Long", bound)
        case Timestamp():
            return _convert_seconds(value)
        case Blob():
            return _convert_blob(value)
        case List(of):
            if isinstance(value, dict):
                _refuse("Start of structure or map found where not expected")
            if not isinstance(value, list):
                _refuse("Unexpected field type" if field else _TYPE_CAST)
            return [_convert(of, _present(of, element)) for element in value]
        case Map(_, of):
            if isinstance(value, list):
                _refuse(f"Unrecognized collection type {_java_type(name)}")
            if not isinstance(value, dict):
                _refuse("Unexpected field type" if field else _TYPE_CAST)
            return {key: _convert(of, _present(of, element)) for key, element in value.items()}
        case Structure() as structure:
            if isinstance(value, list):
                _refuse(f"Unrecognized collection type {_java_type(name)}")
            if not isinstance(value, dict):
                _refuse("Unexpected field type" if field else "Unexpected value type in payload")
            return {
                member.name: _convert(member.shape, value[member.name], field=True)
                for member in structure.members
                if value.get(member.name) is not None
            }


def _present(name: str, element: object) -> object:
    """An element of a list or map. A null where a structure belongs is an empty structure."""
    return {} if element is None and isinstance(SHAPES[name], Structure) else element


def _convert_scalar(value: object, wanted: type, java: str) -> object:
    if isinstance(value, wanted):
        return value
    _refuse_container(value, f"class java.lang.{java}")
    if isinstance(value, str):
        _refuse("Unexpected token received from parser")
    return _refuse(f"{_token(value)} cannot be converted to {java}")


def _convert_number(value: object, java: str, bound: int) -> int:
    """An integer; the service cuts off fractions and stays within the type's bounds."""
    _refuse_container(value, f"class java.lang.{java}")
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        _refuse(f"{_token(value)} cannot be converted to {java}")
    return int(max(-bound, min(bound, value)))


def _convert_seconds(value: object) -> float:
    _refuse_container(value, "class java.util.Date")
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        _refuse(f"{_token(value)} cannot be converted to Date")
    return float(max(-_FARTHEST, min(_FARTHEST, value)))


def _convert_blob(value: object) -> str:
    _refuse_container(value, "class java.nio.ByteBuffer")
    if not isinstance(value, str):
        _refuse("only base-64-encoded strings are convertible to bytes")
    if re.search(_BASE64, value):
        return value
    if len(value) % 4:
        _refuse(f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(value)}")
    wrong = re.search("[^A-Za-z0-9+/=]", value)
    if wrong:
        _refuse(f"Invalid Base64 character: '{wrong[0]}'")
    return _refuse("Invalid last non-pad Base64 character dectected")  # the service's spelling


def _refuse_container(value: object, java: str) -> None:
    if isinstance(value, list):
        _refuse(f"Unrecognized collection type {java}")
    if isinstance(value, dict):
        _refuse("Start of structure or map found where not expected")


def _refuse(message: str) -> NoReturn:
    raise Fault("SerializationException", message)


def _token(value: object) -> str:
    """The service's name for a JSON value that is neither a list nor an object."""
    match value:
        case None:
            return "NULL_VALUE"
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case int():
            return "NUMBER_VALUE"
        case _:
            return "DECIMAL_VALUE"


def _java_type(name: str) -> str:
    """The service's name of a type, as its messages on collections have it."""
    match SHAPES[name]:
        case Map(_, of):
            return f"java.util.Map<java.lang.String, {_java_type(of).removeprefix('class ')}>"
        case List(of):
            return f"java.util.List<{_java_type(of).removeprefix('class ')}>"
        case Structure():
            return f"class {_NAMESPACE}.{name}"
        case _:
            return "java.lang.String"


def _violations(name: str, value: Any, path: str) -> Iterator[str]:
    """The violated constraints of a converted value, in the service's words."""
    shape = SHAPES[name]
    broken = _broken_name(value) if name == _TABLE else _broken(shape, value)
    yield from (f"Value '{_show(name, value)}' at '{path}' failed to satisfy constraint: {m}" for m in broken)
    match shape:
        case Structure() as structure:
            prefix = f"{path}." if path else ""
            for member in structure.members:
                inner = prefix + member.name[0].lower() + member.name[1:]
                if member.name in value:
                    yield from _violations(member.shape, value[member.name], inner)
                elif member.required:
                    yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"
        case List(of):
            for number, element in enumerate(value, 1):
                yield from _element_violations(of, element, f"{path}.{number}.member")
        case Map(_, of):
            for key, element in value.items():
                yield from _element_violations(of, element, f"{path}.{key}.member")


def _element_violations(name: str, value: Any, path: str) -> Iterator[str]:
    """What is wrong inside an element. Its own constraints are the business of the list or map that holds it."""
    if not isinstance(SHAPES[name], String):
        own = len(list(_broken(SHAPES[name], value)))
        yield from (text for number, text in enumerate(_violations(name, value, path)) if number >= own)


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """The constraints of a shape itself that a value violates."""
    match shape:
        case String():
            if shape.pattern is not None and not re.fullmatch(shape.pattern, value):
                yield f"Member must satisfy regular expression pattern: {shape.pattern}"
            yield from _broken_range("length", shape, len(value))
        case Enum() as enum:
            if value not in enum.values:
                yield f"Member must satisfy enum value set: [{', '.join(enum.values)}]"
        case Integer() | Long():
            yield from _broken_range("value", shape, value)
        case List(of):
            yield from _broken_range("length", shape, len(value))
            yield from _broken_elements("Member", of, value)
        case Map(keys, of):
            yield from _broken_range("length", shape, len(value))
            yield from _broken_elements("Map keys", keys, value)
            yield from _broken_elements("Map value", of, value.values())


def _broken_name(name: str) -> Iterator[str]:
    """The first constraint that the name or the ARN of a table violates."""
    return islice(_broken(SHAPES[_TABLE if name.startswith("arn:") else "TableName"], name), 1)


def _broken_range(noun: str, shape: String | Integer | Long | List | Map, size: int) -> Iterator[str]:
    if shape.max is not None and size > shape.max:
        yield f"Member must have {noun} less than or equal to {shape.max}"
    if shape.min is not None and size < shape.min:
        yield f"Member must have {noun} greater than or equal to {shape.min}"


def _broken_elements(subject: str, name: str, values: Any) -> Iterator[str]:
    """One message, on the whole list or map, that lists all constraints of an element."""
    shape = SHAPES["TableName" if name == _TABLE else name]
    broken = _broken_name if name == _TABLE else partial(_broken, shape)
    if isinstance(shape, String | List | Map) and any(True for value in values for _ in broken(value)):
        rules = []
        if shape.max is not None:
            rules.append(f"Member must have length less than or equal to {shape.max}")
        if shape.min is not None:
            rules.append(f"Member must have length greater than or equal to {shape.min}")
        if isinstance(shape, String) and shape.pattern is not None:
            rules.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
        yield f"{subject} must satisfy constraint: [{', '.join(rules)}]"


def _show(name: str, value: Any) -> str:
    """A value as the service prints it: structures only by the name of their class and a hash."""
    match SHAPES[name]:
        case List(of):
            return f"[{', '.join(_show(of, element) for element in value)}]"
        case Map(_, of):
            return f"{{{', '.join(f'{key}={_show(of, element)}' for key, element in value.items())}}}"
        case Structure():
            return f"{_NAMESPACE}.{name}@{zlib.crc32(msgspec.json.encode(value)):x}"
        case Boolean():
            return str(value).lower()
        case _:
            return str(value)
