"""What is known of a write that may have been applied, and what a look at the table proves about it.

An item that equals what was to be stored proves nothing: two workers that take the same lock store the same. So a write
is told to be applied only by a value that no other write stores, and not to be applied only where that is sure:

    begins a version     the first version of an item is a random number; where that is stored, or one to which later
                         writes have raised it, the write was applied
    update at a version  what is stored at the next version is the work of one write; where it is not what was to be
                         set, that was another's, and no attempt can be applied any more
    delete at a version  where the item has a later version, it was not deleted at that one and never will be
    either of the two    where the item still has the version, nothing was applied so far
    under a token        the service makes a transaction once, and has refused this one
    unique               a value of which the caller knows that only this write stores it, or adds it to a list or set

What was not applied so far may be applied by an attempt that is still on its way, which is any that the service has not
answered; then nothing is said. Nor is of an item that is gone: others may have deleted it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec

from dynamix.errors import InvalidUpdateError, Named, NotConfiguredError, Place, Resolution
from dynamix.expressions.nodes import (
    And,
    AttributeNotExists,
    Compare,
    Condition,
    ListAppend,
    Or,
    Path,
    SetOperand,
    Update,
    Value,
)
from dynamix.schema.table import Table
from dynamix.updates.plan import alike, found
from dynamix.wire import AttributeValue, Item

_GENERATION = 2**20
"""How many writes raise a version before it might be taken for one that began elsewhere, below 2**52."""

_Judgement: TypeAlias = Callable[[Item | None], Resolution]
"""What a stored item, or that there is none, says of a write."""


class _Known(msgspec.Struct, frozen=True):
    """What is known of a table: the stored names of its key and its version, and its fields by their stored names."""

    keys: tuple[str, ...]
    version: str | None
    fields: Mapping[str, str]


class Doubt(msgspec.Struct):
    """A request that may have been applied.

    It is `under_way` where an attempt may still reach the service, and `refused` where the last one was cancelled as a
    transaction. `tables` are those that it writes, by name; `place` is where it was sent, of which no pickle knows.
    """

    target: str
    body: bytes
    under_way: bool
    refused: bool
    tables: Mapping[str, _Known] = {}
    place: Place | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Doubt, (self.target, self.body, self.under_way, self.refused, self.tables)

    def __deepcopy__(self, memo: object) -> "Doubt":
        return self

    def about(self, tables: Iterable[Table[Any]]) -> None:
        """Says which tables it writes, if nobody did: a flow may run code of the user's own, which writes others."""
        self.tables = self.tables or {
            table.name: _Known(
                tuple(field.name for field in table.schema.table.keys),
                None if table.schema.version is None else table.schema.version.name,
                {field.name: str(field) for field in table.schema.fields.values()},
            )
            for table in tables
        }

    def resolve(self, unique: Named | None, place: Place | None) -> Resolution:
        """What the items that it wrote say of it."""
        place = place or self.place or _nowhere()
        for body, judge in self._questions(unique):
            said = judge(place.request("GetItem", body).get("Item"))
            if said != "undecidable":
                return said
        return self._by_token()

    async def aresolve(self, unique: Named | None, place: Place | None) -> Resolution:
        """See `resolve`."""
        place = place or self.place or _nowhere()
        for body, judge in self._questions(unique):
            said = judge((await place.arequest("GetItem", body)).get("Item"))
            if said != "undecidable":
                return said
        return self._by_token()

    def _by_token(self) -> Resolution:
        return "not applied" if self.refused and not self.under_way else "undecidable"

    def _questions(self, unique: Named | None) -> list[tuple[dict[str, Any], _Judgement]]:
        """The reads that can settle it, and how each is judged. Raises InvalidUpdateError where it does not set what is
        said to be unique."""
        questions: list[tuple[dict[str, Any], _Judgement]] = []
        is_set = unique is None
        for write in _written(self.target, self.body):
            known = self.tables.get(write.table)
            if known is None:  # a request that knows no model
                continue
            key = {name: write.item[name] for name in known.keys}
            body = {"TableName": write.table, "Key": key, "ConsistentRead": True}
            if unique is not None and known.fields.get(unique.name) == str(unique):
                path = Path((unique.name,))
                if path in write.set or path in write.added:
                    is_set = True
                    questions.append((body, partial(_is_there, path, write)))
            if known.version is not None and (judge := self._by_version(write, known.version)) is not None:
                questions.append((body, judge))
        if not is_set:
            raise InvalidUpdateError(
                f"unique={unique} is no field that this {self.target} sets to a value, or adds elements to; give "
                "one that it does, such as the owner of a lock, or leave unique out"
            )
        return questions

    def _by_version(self, write: "_Write", version: str) -> _Judgement | None:
        """How a write is judged by the version of its item; None where that says nothing."""
        made = _number(write.set.get(Path((version,))))
        loaded = _guarded(write.condition, version)
        if write.kind == "Delete" and loaded is not None:
            return partial(_was_deleted, version, loaded, self.under_way)
        if made is None:
            return None
        if loaded is None:
            return partial(_was_begun, version, made)
        return partial(_was_raised, version, loaded, made, self.under_way, write)


class _Write(NamedTuple):
    """A write of one item: its kind as a transaction names it, its table, what has its key, the values that it sets
    whole, the elements that it adds to lists and sets, what it removes, and its condition."""

    kind: str
    table: str
    item: Item
    set: Mapping[Path, AttributeValue]
    added: Mapping[Path, AttributeValue]
    removed: tuple[Path, ...]
    condition: Condition | None


_KINDS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


def _written(target: str, body: bytes) -> Iterator[_Write]:
    """The writes of single items in a request; none of one that is not known."""
    members = msgspec.json.decode(body)
    if target in _KINDS:
        yield _write(_KINDS[target], members)
    for action in members["TransactItems"] if target == "TransactWriteItems" else ():
        ((kind, part),) = action.items()
        yield _write(kind, part)


def _write(kind: str, body: Mapping[str, Any]) -> _Write:
    from dynamix.expressions.text.parse import bind, parse_condition, parse_update  # only who is in doubt reads texts

    names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    condition = None
    if "ConditionExpression" in body:
        condition = bind(parse_condition(body["ConditionExpression"], names, values).node, values)
    if kind == "Put":
        item = body["Item"]
        return _Write(kind, body["TableName"], item, {Path((n,)): form for n, form in item.items()}, {}, (), condition)
    update = Update((), (), (), ())
    if "UpdateExpression" in body:
        update = bind(parse_update(body["UpdateExpression"], names, values).node, values)
    forms = {path: operand.value for path, operand in update.set if isinstance(operand, Value)}
    added = {path: form for path, operand in update.set for form in _appended(operand)}
    added |= {path: operand.value for path, operand in update.add if isinstance(operand, Value)}
    added = {path: form for path, form in added.items() if "N" not in form and any(form.values())}
    return _Write(kind, body["TableName"], body["Key"], forms, added, update.remove, condition)


def _appended(operand: SetOperand) -> Iterator[AttributeValue]:
    """The elements that are put before or behind those of a list."""
    match operand:
        case ListAppend(Value(form), _) | ListAppend(_, Value(form)):
            yield form


def _guarded(condition: Condition | None, version: str) -> int | None:
    """The version that a condition asks for, be it only of an item that exists; None where it asks for none."""
    ahead = [] if condition is None else [condition]
    while ahead:
        match ahead.pop():
            case And(parts) | Or((AttributeNotExists(), _) as parts):
                ahead += parts
            case Compare("=", Path((name,)), Value(form)) if name == version:
                return _number(form)
    return None


def _is_there(path: Path, write: _Write, item: Item | None) -> Resolution:
    stored = None if item is None else found(item, path)
    is_there = alike(stored, write.set[path]) if path in write.set else _includes(stored, write.added[path])
    return "applied" if is_there else "undecidable"


def _was_begun(version: str, first: int, item: Item | None) -> Resolution:
    stored = _stored(item, version)
    return "applied" if stored is not None and first <= stored < first + _GENERATION else "undecidable"


def _was_raised(version: str, loaded: int, made: int, under_way: bool, write: _Write, item: Item | None) -> Resolution:
    stored = _stored(item, version)
    if stored == loaded and not under_way:
        return "not applied"
    return "not applied" if item is not None and stored == made and _differs(write, item) else "undecidable"


def _was_deleted(version: str, loaded: int, under_way: bool, item: Item | None) -> Resolution:
    stored = _stored(item, version)
    if stored is None or not loaded <= stored < loaded + _GENERATION:
        return "undecidable"
    return "undecidable" if stored == loaded and under_way else "not applied"


def _differs(write: _Write, item: Item) -> bool:
    """Whether an item cannot be what a write has left. Elements of lists move, so where they were set says nothing."""
    return (
        any(not alike(found(item, path), form) for path, form in write.set.items() if _is_fixed(path))
        or any(not _includes(found(item, path), form) for path, form in write.added.items() if _is_fixed(path))
        or any(found(item, path) is not None for path in write.removed if _is_fixed(path))
    )


def _includes(stored: AttributeValue | None, added: AttributeValue) -> bool:
    """Whether a list or set has all elements of another."""
    ((tag, elements),) = added.items()
    there = [] if stored is None else stored.get(tag, [])
    if tag != "L":
        there, elements = [{tag[0]: member} for member in there], [{tag[0]: member} for member in elements]
    return all(any(alike(one, element) for one in there) for element in elements)


def _is_fixed(path: Path) -> bool:
    return all(isinstance(part, str) for part in path.parts)


def _stored(item: Item | None, version: str) -> int | None:
    return None if item is None else _number(item.get(version))


def _number(form: AttributeValue | None) -> int | None:
    return int(Decimal(form["N"])) if form is not None and "N" in form else None


def _nowhere() -> Place:
    raise NotConfiguredError(
        "this error was pickled or made by hand, and holds no connection; give the one on which the write was made: "
        "resolve(connection=...)"
    )
