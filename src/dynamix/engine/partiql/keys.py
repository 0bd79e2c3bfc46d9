"""Which keys a WHERE asks for.

A SELECT reads as a query where its WHERE gives every attribute of the partition key by equality or IN, alone or in each
part of an OR; else it scans. What the WHERE says of the sort key narrows the ranges. The whole WHERE filters what is
read, so a range only ever has to hold enough.

A statement that writes names one item: its WHERE gives each key attribute by one equality, and the rest is a condition.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from msgspec import Struct

from dynamix.engine.data.keys import KeySchema
from dynamix.engine.evaluate.ranges import KeyTest, key_range
from dynamix.engine.faults import invalid
from dynamix.expressions.nodes import And, BeginsWith, Between, Compare, Condition, In, Or, Path, Value, all_of
from dynamix.wire import Item

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_PARTITIONS = 50
_ALTERNATIVES = 500  # more are not told apart: then what the sort key is like only filters

Tests = tuple[KeyTest, ...]
Range = tuple[bytes, bytes]


class Single(NamedTuple):
    """One item: its key, and what else its WHERE says."""

    key: Item
    rest: Condition | None


def single(where: Condition | None, schema: KeySchema) -> Single:
    """The one item that a WHERE names. Raises Fault where it may name none or several."""
    key: Item = {}
    rest: list[Condition] = []
    for part in _conjuncts(where):
        test = _test(part, schema)
        if test is None or test.operator != "=":
            rest.append(part)
        elif key.get(test.name, test.operands[0]) != test.operands[0]:
            raise invalid(
                f"Multiple conditions on same key {test.name}. Only single item Update/Insert/Delete are supported"
            )
        else:
            key[test.name] = test.operands[0]
    if key.keys() != schema.names:
        raise invalid("Where clause does not contain a mandatory equality on all key attributes")
    check_types(key, schema)
    return Single(key, all_of(rest) if rest else None)


def ranges(where: Condition | None, schema: KeySchema) -> list[Range] | None:
    """The ranges of rows that a WHERE asks for, in order and apart from each other; None for all rows."""
    found = set()
    for tests in _alternatives(where, schema):
        by_name: dict[str, KeyTest] = {}
        for test in tests:
            by_name.setdefault(test.name, test)
        usable = _usable(by_name, schema)
        if usable is None:
            return None
        check_types({test.name: operand for test in usable.values() for operand in test.operands}, schema)
        found.add(key_range(schema, usable))
    return list(_apart(sorted(found)))


def check_types(key: Item, schema: KeySchema) -> None:
    """Refuse a key value of another type than the table has for it."""
    for name, type_ in schema.attributes:
        if name in key and type_ not in key[name]:
            raise invalid(f"Key attribute's data type should match its data type in table's schema: Key {name}")


def _usable(tests: dict[str, KeyTest], schema: KeySchema) -> dict[str, KeyTest] | None:
    """The tests that choose one range; None where a partition attribute has no equality."""
    usable = {}
    for name, _ in schema.partition:
        test = tests.get(name)
        if test is None or test.operator != "=":
            return None
        usable[name] = test
    for name, _ in schema.sort:
        test = tests.get(name)
        if test is None:
            break
        usable[name] = test
        if test.operator != "=":
            break
    return usable


def _alternatives(where: Condition | None, schema: KeySchema) -> list[Tests]:
    """What a condition says of keys, as alternatives of tests that hold together; [()] where it says nothing."""
    match where:
        case None:
            return [()]
        case Or(conditions):
            parts = [tests for condition in conditions for tests in _alternatives(condition, schema)]
            return parts if len(parts) <= _ALTERNATIVES and all(parts) else [()]
        case And(conditions):
            choices = [_alternatives(condition, schema) for condition in conditions]
            chosen = product(*_within_bounds(choices, schema))
            return [tuple(test for tests in each for test in tests) for each in chosen]
        case In(Path(parts), options) if _is_key(parts, schema):
            values = [option.value for option in options if isinstance(option, Value)]
            if len(values) == len(options):
                if len(values) > _PARTITIONS and parts[0] in dict(schema.partition):
                    raise invalid(f"IN takes at most {_PARTITIONS} values of the partition key, not {len(values)}")
                return [(KeyTest(str(parts[0]), "=", (value,)),) for value in values]
    test = None if where is None else _test(where, schema)
    return [()] if test is None else [(test,)]


def _within_bounds(choices: list[list[Tests]], schema: KeySchema) -> list[list[Tests]]:
    """The choices that together make no more alternatives than are told apart, those of the partition key first."""
    partition = dict(schema.partition)
    kept = []
    number = 1
    for choice in sorted(choices, key=lambda each: not all(any(test.name in partition for test in t) for t in each)):
        if number * len(choice) <= _ALTERNATIVES:
            kept.append(choice)
            number *= len(choice)
    return kept


def _test(condition: Condition, schema: KeySchema) -> KeyTest | None:
    """What a plain condition asks of a key attribute, or None."""
    match condition:
        case Compare(operator, Path(parts), Value(value)) if operator != "<>" and _is_key(parts, schema):
            return KeyTest(str(parts[0]), operator, (value,))
        case Compare(operator, Value(value), Path(parts)) if operator != "<>" and _is_key(parts, schema):
            return KeyTest(str(parts[0]), _MIRRORED[operator], (value,))
        case Between(Path(parts), Value(low), Value(high)) if _is_key(parts, schema):
            return KeyTest(str(parts[0]), "BETWEEN", (low, high))
        case BeginsWith(Path(parts), Value(prefix)) if _is_key(parts, schema):
            return KeyTest(str(parts[0]), "begins_with", (prefix,))
    return None


def _is_key(parts: tuple[str | int, ...], schema: KeySchema) -> bool:
    return len(parts) == 1 and parts[0] in schema.names


def _conjuncts(where: Condition | None) -> Iterator[Condition]:
    if isinstance(where, And):
        for part in where.conditions:
            yield from _conjuncts(part)
    elif where is not None:
        yield where


def _apart(found: list[Range]) -> Iterator[Range]:
    """Ranges in order, those that touch made one."""
    current: Range | None = None
    for low, high in found:
        if current is not None and low <= current[1]:
            current = (current[0], max(current[1], high))
        else:
            if current is not None:
                yield current
            current = (low, high)
    if current is not None:
        yield current


def attributes(where: Condition | None, *, entered: bool = False) -> frozenset[str]:
    """The top-level attributes that a condition names; with `entered`, those that it looks into."""
    names: set[str] = set()
    pending: list[object] = [where]
    while pending:
        node = pending.pop()
        if isinstance(node, Path):
            if len(node.parts) > 1 or not entered:
                names.add(str(node.parts[0]))
        elif isinstance(node, tuple):
            pending.extend(node)
        elif isinstance(node, Struct):
            pending.extend(getattr(node, name) for name in node.__struct_fields__)
    return frozenset(names)
