"""Conditions as users write them: `ForumThread.title.eq("x")`, `ForumThread.tags.contains("y")`, `ForumThread.id > 3`.

Whatever can stand on the left of a condition derives from Comparable: a field, an element inside a map or list, a size.
Each turns its right-hand side into DynamoDB's form at once, so that a value of a wrong type is refused where it is
written.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar, overload

from dynamix.codec import numbers, values
from dynamix.errors import InvalidQueryError, WrongTypeError
from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Comparator,
    Compare,
    Condition,
    Contains,
    In,
    Operand,
    Path,
    Size,
    Value,
)
from dynamix.limits import IN_OPERANDS
from dynamix.wire import AttributeValue

V = TypeVar("V")
TypeName = Literal["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]


class Comparable(Generic[V]):
    """What can be compared with values of type V."""

    __slots__ = ()

    def _operand(self) -> Operand:
        raise NotImplementedError

    def _literal(self, value: V) -> AttributeValue:
        raise NotImplementedError

    def _bound(self, operator: Comparator, value: V) -> AttributeValue:
        """The stored form with which stored forms are compared by `<`, `<=`, `>` or `>=`."""
        return self._literal(value)

    def _ordered(self, condition: str) -> None:
        """Refuse `condition` where the stored form does not sort as the values do."""

    def eq(self, value: V) -> Condition:
        """Equal to `value`."""
        return self._compare("=", value)

    def ne(self, value: V) -> Condition:
        """Not equal to `value`; also met where the attribute is missing."""
        return self._compare("<>", value)

    def lt(self, value: V) -> Condition:
        """Less than `value`."""
        return self._compare("<", value)

    def lte(self, value: V) -> Condition:
        """At most `value`."""
        return self._compare("<=", value)

    def gt(self, value: V) -> Condition:
        """Greater than `value`."""
        return self._compare(">", value)

    def gte(self, value: V) -> Condition:
        """At least `value`."""
        return self._compare(">=", value)

    def between(self, low: V, high: V) -> Condition:
        """From `low` to `high`, both included. Raises InvalidQueryError where `low` is the greater one."""
        self._ordered("between")
        return between(self._operand(), Value(self._bound(">=", low)), Value(self._bound("<=", high)))

    def is_in(self, options: Iterable[V]) -> Condition:
        """Equal to one of 1 to 100 `options`."""
        if isinstance(options, str | bytes) or not isinstance(options, Iterable):
            raise InvalidQueryError(f"is_in takes several values, such as [{options!r}], not {options!r} itself")
        literals = tuple(Value(self._literal(option)) for option in options)
        if not 1 <= len(literals) <= IN_OPERANDS:
            raise InvalidQueryError(f"is_in takes 1 to {IN_OPERANDS} values, not {len(literals)}")
        return In(self._operand(), literals)

    def __eq__(self, value: V) -> Condition:  # type: ignore[override]
        return self.eq(value)

    def __ne__(self, value: V) -> Condition:  # type: ignore[override]
        return self.ne(value)

    def __lt__(self, value: V) -> Condition:
        return self.lt(value)

    def __le__(self, value: V) -> Condition:
        return self.lte(value)

    def __gt__(self, value: V) -> Condition:
        return self.gt(value)

    def __ge__(self, value: V) -> Condition:
        return self.gte(value)

    __hash__ = object.__hash__

    def _compare(self, operator: Comparator, value: V) -> Condition:
        if operator not in ("=", "<>"):
            self._ordered(operator)
            return Compare(operator, self._operand(), Value(self._bound(operator, value)))
        return Compare(operator, self._operand(), Value(self._literal(value)))


class SizeOf(Comparable[int]):
    """The size of an attribute: characters of a string, bytes of a binary, elements of a set, list or map."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def _operand(self) -> Operand:
        return Size(self._path)

    def _literal(self, value: int) -> AttributeValue:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"N": str(value)}
        raise WrongTypeError(
            f"a size is compared with an int, not with {value!r}", field=str(self._path.parts[0]), value=value
        )


class Conditions(Comparable[V]):
    """What has a document path: a field of a model, or an element inside one."""

    __slots__ = ()

    def _path(self) -> Path:
        raise NotImplementedError

    def _operand(self) -> Operand:
        return self._path()

    def _part_literal(self, value: Any) -> AttributeValue:
        """The JSON form of what `contains` looks for."""
        return _encode_free(self._path(), value)

    def _prefix_literal(self, prefix: Any) -> AttributeValue:
        """The JSON form of what `begins_with` looks for."""
        return self._part_literal(prefix)

    @overload
    def begins_with(self: Conditions[bytes], prefix: bytes) -> Condition: ...
    @overload
    def begins_with(self: Texts, prefix: str) -> Condition: ...
    def begins_with(self, prefix: Any) -> Condition:
        """The string, or the binary, starts with `prefix`."""
        if not isinstance(prefix, str | bytes | bytearray | memoryview):
            raise WrongTypeError(
                f"begins_with takes a str, or bytes, not {prefix!r}", field=str(self._path().parts[0]), value=prefix
            )
        return BeginsWith(self._path(), Value(self._prefix_literal(prefix)))

    def contains(self, part: Any) -> Condition:
        """The string holds the substring `part`, or the set or list the element `part`."""
        return Contains(self._path(), Value(self._part_literal(part)))

    def exists(self) -> Condition:
        """The attribute is stored."""
        return AttributeExists(self._path())

    def not_exists(self) -> Condition:
        """The attribute is not stored."""
        return AttributeNotExists(self._path())

    def size(self) -> SizeOf:
        """The size, to be compared: `ForumThread.title.size() > 3`."""
        return SizeOf(self._path())

    def attribute_type(self, type_name: TypeName) -> Condition:
        """The attribute is stored with this type of DynamoDB: "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS" or
        "BS"."""
        if type_name not in TypeName.__args__:  # type: ignore[attr-defined]
            raise InvalidQueryError(f"{type_name!r} is none of DynamoDB's types: {', '.join(TypeName.__args__)}")  # type: ignore[attr-defined]
        return AttributeType(self._path(), Value({"S": type_name}))


Texts: TypeAlias = Conditions[str] | Conditions[date] | Conditions[datetime] | Conditions[time] | Conditions[timedelta]
"""What is stored as text that may begin with another."""


def between(operand: Operand, low: Value, high: Value) -> Condition:
    """The condition of a range. Raises InvalidQueryError for one that ends before it begins, which DynamoDB refuses."""
    condition = Between(operand, low, high)
    if low.value.keys() == high.value.keys() and _sorted(high.value) < _sorted(low.value):
        from dynamix.expressions.shown import shown_condition  # which few programs need

        raise InvalidQueryError(
            f"nothing is {shown_condition(condition)}, of which the first end is the greater one; give the lesser first"
        )
    return condition


def _sorted(form: AttributeValue) -> Any:
    """A key for values of one type, by which they sort as DynamoDB sorts them; for what does not sort, one for all."""
    match form:
        case {"N": str(text)}:
            return numbers.parse(text)
        case {"S": str(text)}:
            return text
        case {"B": str(text)}:
            return b64decode(text)
    return 0


def deeper(path: Path, part: str | int) -> Path:
    """The path of a map key or list index below `path`."""
    if not isinstance(part, str) and (isinstance(part, bool) or not isinstance(part, int) or part < 0):
        raise InvalidQueryError(f"{part!r} is neither a map key nor a list index of 0 or more")
    if part == "":
        raise InvalidQueryError("'' is no key of a map: it has at least one character")
    return Path((*path.parts, part), path.source)


def _encode_free(path: Path, value: Any) -> AttributeValue:
    try:
        return values.encode(value)
    except values.UnstorableError as error:
        raise WrongTypeError(f"{path.parts[0]}: {error}", field=str(path.parts[0]), value=value) from error
