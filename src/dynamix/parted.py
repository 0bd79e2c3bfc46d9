"""Conditions on the parts of a key as conditions on the key: `user_id == "1"` chooses the partition `pk = "USER#1"`.

The parts of a template are taken from the left, as far as each has an `==`; the next one may have a range, where its
texts sort as its values do. A condition that the key says as exactly is not a filter any more.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from dynamix.errors import FieldValidationException, InvalidQueryError
from dynamix.expressions.nodes import BeginsWith, Between, Compare, Condition, Path, Value
from dynamix.fields.computed import ComputedField
from dynamix.fields.date import DateField
from dynamix.fields.key import KeyField
from dynamix.schema.composing import made
from dynamix.schema.index import AnyField, Index
from dynamix.schema.table import Schema

LAST = "\U0010ffff"
"""What sorts behind all other characters."""

_DAY = ("%Y", "%m", "%d")


def on_keys(schema: Schema[Any], index: Index, conditions: list[Condition]) -> list[Condition]:
    """The same conditions, where those on parts of the index's keys stand for ones on the keys.

    Raises FieldValidationException for a value that cannot stand in a template.
    """
    equal = {name: condition for condition in reversed(conditions) if (name := _equal(condition)) is not None}
    values = {name: schema.fields[name].decode(value) for name, (_, value) in _literals(schema, equal).items()}
    done: list[Condition] = []
    given = conditions
    for key in index.hash_keys:
        chosen = _of_partition(schema, key, conditions, values)
        if chosen is not None:
            conditions = [chosen, *conditions]
            done += [equal[part] for part in _exact_parts(schema, key)]
        elif not _has(conditions, key):
            return given
    for key in index.range_keys:
        if isinstance(key, ComputedField) and not _has(conditions, key):
            on_sort = _Sort(schema, key, conditions, values, is_last=key is index.range_keys[-1])
            conditions = [*on_sort.made, *conditions]
            done += on_sort.done + [equal[part] for part in on_sort.exact]
        if not any(_name(c) == key.name and isinstance(c, Compare) and c.operator == "=" for c in conditions):
            break  # of the parts of a sort key, only the last one that is used need not be equal
    keys = {key.name for key in index.keys}
    return [c for c in conditions if not any(c is one for one in done) or _name(c) in keys]


def equal_to(schema: Schema[Any], given: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The conditions that fields have these values, by attribute.

    On a base of several models, these may be parts of a partition key that all of them make alike. Raises
    UnknownNameError, FieldValidationException or InvalidQueryError.
    """
    if schema.kinds is not None and schema.kinds.own is None and not given.keys() <= schema.fields.keys():
        return (_shared(schema, given),)
    return tuple(schema.field(name).eq(value) for name, value in given.items())


def _shared(schema: Schema[Any], given: Mapping[str, Any]) -> Condition:
    """The condition on the partition key that all models of a base make of the same parts."""
    assert schema.kinds is not None  # noqa: S101 - the caller has looked
    members = list(schema.kinds.schemas())
    for index in (schema.table, *schema.indexes.values()):
        keys = [member.fields.get(index.hash_key.attribute) for member in members]
        if len(index.hash_keys) > 1:
            continue
        if not all(isinstance(key, ComputedField) and set(key.parts) == given.keys() for key in keys):
            continue
        found = {made(key, member.fields, given) for key, member in zip(keys, members, strict=True)}
        if len(found) == 1:
            path = Path((index.hash_key.name,), index.hash_key)
            return Compare("=", path, Value(schema.encoder(index.hash_key)(found.pop())))
    raise InvalidQueryError(
        f"no partition key that all of {', '.join(m.model_name for m in members)} have in common is made of "
        f"{', '.join(given)}; give a condition on {schema.table.hash_key}"
    )


def _exact_parts(schema: Schema[Any], key: AnyField) -> list[str]:
    """The parts that have one value where the key has one: those of a template, but for coarse formats."""
    if not isinstance(key, KeyField):
        return []
    return [name for _, name, spec in key.pieces if name is not None and _is_exact(schema.fields[name], spec)]


def _of_partition(
    schema: Schema[Any], key: AnyField, conditions: list[Condition], values: dict[str, Any]
) -> Condition | None:
    """The condition on a partition key of whose parts all are known."""
    if not isinstance(key, ComputedField) or _has(conditions, key) or not all(part in values for part in key.parts):
        return None
    value = key.computed(schema.fields, values)
    return None if value is None else Compare("=", Path((key.name,), key), Value(schema.encoder(key)(value)))


class _Sort:
    """What conditions on the parts of a sort key come to: the conditions `made` of them, those `done` with, and the
    parts that are `exact`ly said by them. A key that is the same in all items needs none where it `is_last`."""

    def __init__(
        self,
        schema: Schema[Any],
        key: ComputedField[Any, Any],
        conditions: list[Condition],
        values: dict[str, Any],
        *,
        is_last: bool,
    ) -> None:
        self.made: list[Condition] = []
        self.done: list[Condition] = []
        self.exact: list[str] = []
        self._path = Path((key.name,), key)
        self._schema = schema
        self._is_last = is_last
        if isinstance(key, KeyField):
            self._take(key, conditions, values)
        elif all(part in values for part in key.parts):
            value = key.computed(schema.fields, values)
            self.made = [] if value is None else [Compare("=", self._path, Value(key._literal(value)))]

    def _take(self, key: KeyField[Any], conditions: list[Condition], values: dict[str, Any]) -> None:
        text = ""
        for number, (literal, name, spec) in enumerate(key.pieces):
            text += literal
            if name is None:
                break
            field = self._schema.fields[name]
            if name not in values:
                after = key.pieces[number + 1][0] if number + 1 < len(key.pieces) else ""
                between = _Range.of(key, field, spec, after, text, conditions)
                if between is not None:
                    self.made = [between.on(self._path)]
                    self.done = between.done
                elif number:
                    self.made = [BeginsWith(self._path, _text(text))]
                return
            text += key.text_of(field, values[name], spec)
            if _is_exact(field, spec):
                self.exact.append(name)
        if key.parts or not self._is_last:
            self.made = [Compare("=", self._path, _text(text))]


class _Range(NamedTuple):
    """The least and the greatest text of a sort key, and the conditions that they say exactly."""

    low: str
    high: str
    done: list[Condition]

    @classmethod
    def of(
        cls, key: KeyField[Any], field: AnyField, spec: str, after: str, start: str, conditions: list[Condition]
    ) -> "_Range | None":
        """That of conditions on one part, behind which comes the text `after`; None where there is none, or where the
        texts of the part do not sort as its values do."""
        found = [c for c in conditions if _name(c) == field.name and (isinstance(c, Between) or _order(c) is not None)]
        if not found or (not spec and (after or field.key_type == "B")):  # base64 sorts otherwise than its bytes
            return None
        low, high, done = start, start + LAST, list[Condition]()
        exact = _is_exact(field, spec)
        try:
            for condition in found:
                for operator, value in _bounds(condition):
                    text = start + key.text_of(field, field.decode(value), spec)
                    behind = text + after + LAST if after else text
                    if operator == ">=":
                        low = max(low, text)
                    elif operator == "<=":
                        high = min(high, behind)
                    elif operator == ">":
                        low = max(low, text if not exact else behind if after else text + "\0")
                    else:
                        high = min(high, text if exact else behind)
                if exact and (after or _order(condition) != "<"):
                    done.append(condition)
        except FieldValidationException:  # a bound that no item has is none of the key's, and left to the filter
            return None
        return cls(low, high, done) if low <= high else None

    def on(self, path: Path) -> Condition:
        """The condition that a key lies in it. No key is empty, so nothing is asked to be greater than that."""
        if not self.low:
            return Compare("<=", path, _text(self.high))
        return Between(path, _text(self.low), _text(self.high))


def _bounds(condition: Condition) -> list[tuple[str, Any]]:
    match condition:
        case Between(_, Value(low), Value(high)):
            return [(">=", low), ("<=", high)]
        case Compare(operator, _, Value(value)):
            return [(operator, value)]
    return []


def _order(condition: Condition) -> str | None:
    match condition:
        case Compare("<" | "<=" | ">" | ">=" as operator, Path(), Value()):
            return operator
    return None


def _is_exact(field: AnyField, spec: str) -> bool:
    """Whether texts of a format are the same for the same values alone."""
    return "%" not in spec or (isinstance(field, DateField) and all(sign in spec for sign in _DAY))


def _text(text: str) -> Value:
    return Value({"S": text})


def _equal(condition: Condition) -> str | None:
    """The attribute that a condition gives a value, None for another condition."""
    match condition:
        case Compare("=", Path((str(),), field), Value()) if field is not None:
            return str(field.attribute)
    return None


def _literals(schema: Schema[Any], equal: dict[str, Condition]) -> dict[str, tuple[str, Any]]:
    """The values that conditions give to parts of computed fields."""
    return {
        name: (name, condition.right.value)
        for name, condition in equal.items()
        if name in schema.part_names and isinstance(condition, Compare) and isinstance(condition.right, Value)
    }


def _name(condition: Condition) -> str | None:
    """The stored name of what a plain condition is on."""
    match condition:
        case Compare(_, Path((str(name),))) | Between(Path((str(name),))) | BeginsWith(Path((str(name),))):
            return name
    return None


def _has(conditions: list[Condition], key: AnyField) -> bool:
    return any(_name(condition) == key.name for condition in conditions)
