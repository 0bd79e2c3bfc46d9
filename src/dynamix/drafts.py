"""The changes of one field, folded into what one update can say.

Each kind of field has a draft, into which its changes are folded as they are queued. A draft
knows the changes only, not the stored value: "3 more than now", "these keys set and those removed", "original element 2
replaced, these appended". Once a whole value is set, the draft is that value and later changes are applied to it.

Where the right update depends on what is stored (a change inside a map needs the map to be there; an index counted
across appended elements needs the length), the draft relies on a *picture* of the stored item, and adds to the update a
*fact*: a condition under which the picture holds. When the stored item turns out to differ, the failed request brings
it along, and the plan is made again from the true picture. So a commit takes one request, one more where the picture
was stale, and never applies a change to something other than what it was made for.

    number  ADD                                  list  list_append; SET l[i], REMOVE l[i] by original position;
    map     SET m.k, REMOVE m.k; or the new map        beside those, appends as SET at indexes past any end
    set     ADD, DELETE                          any   SET, or REMOVE for None

ADD and DELETE on one set exist in no single expression; such a plan has a second update.
Source: DynamoDB Developer Guide, "Using update expressions in DynamoDB".
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Context, Decimal
from typing import Any, Self

from msgspec import Struct, field

from dynamix.codec.values import UnstorableError
from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeNotExists,
    Compare,
    Condition,
    IfNotExists,
    ListAppend,
    Path,
    SetOperand,
    Size,
    Update,
    Value,
)
from dynamix.fields.base import Field
from dynamix.wire import Item

_EXACT = Context(prec=200)
_PAST_ANY_END = 1_000_000  # more elements than an item of 400 KB can have


class Plan(Struct):
    """One commit: the update, the facts it relies on, and what must follow in a second update.

    `repeatable` says whether sending it twice has the effect of sending it once.
    """

    set: list[tuple[Path, SetOperand]] = field(default_factory=list)
    remove: list[Path] = field(default_factory=list)
    add: list[tuple[Path, Value]] = field(default_factory=list)
    delete: list[tuple[Path, Value]] = field(default_factory=list)
    facts: list[Condition] = field(default_factory=list)
    then_delete: list[tuple[Path, Value]] = field(default_factory=list)
    repeatable: bool = True

    def update(self) -> Update:
        """The first, and mostly only, update; it lacks `then_delete`."""
        return Update(tuple(self.set), tuple(self.remove), tuple(self.add), tuple(self.delete))


class Picture(Struct, frozen=True):
    """What is believed to be stored for one attribute: whether it exists, and its length if it is a list.

    None means unknown; then it is taken to exist, with every element that is spoken of.
    """

    exists: bool | None = None
    length: int | None = None

    @classmethod
    def of(cls, value: object) -> "Picture":
        """The picture that an instance's value gives."""
        return cls(value is not None, len(value) if isinstance(value, list) else None)

    @classmethod
    def stored(cls, item: Item, name: str) -> "Picture":
        """The picture that a stored item gives."""
        wire = item.get(name)
        return cls(wire is not None, len(wire["L"]) if wire is not None and "L" in wire else None)


UNKNOWN = Picture()


def holds(fact: Condition, item: Item) -> bool:
    """Whether a fact that a plan relied on is true of a stored item."""
    match fact:
        case AttributeExists(path):
            return _present(item, path)
        case AttributeNotExists(path):
            return not _present(item, path)
        case Compare("=", Size(Path() as path), Value(length)):
            return Picture.stored(item, str(path.parts[0])).length == int(length["N"])
    raise TypeError(f"{fact!r} is not a fact that plans rely on")


def _present(item: Item, path: Path) -> bool:
    wire = item.get(str(path.parts[0]))
    if wire is None or len(path.parts) == 1:
        return wire is not None
    return "L" in wire and int(path.parts[1]) < len(wire["L"])


class Draft:
    """The changes of one field, folded. This one is a whole value, set or removed."""

    def __init__(self, field: Field[Any, Any]) -> None:
        self.field = field
        self.path = field._path()
        self.assigned = False
        self.value: Any = None

    def assign(self, value: Any) -> None:
        """Set the whole value; None removes it."""
        self.assigned, self.value = True, value

    def replay(self, draft: Self) -> None:
        """Make the same changes on another draft; this one has no whole value."""

    def plan(self, plan: Plan, picture: Picture) -> None:
        """Put the changes into `plan`."""
        if self.value is None or self.value == frozenset():
            plan.remove.append(self.path)
        else:
            plan.set.append((self.path, Value(self.field.encode(self.value))))

    def _literal(self, value: Any) -> Value:
        """A value as the update says it; checked once more, for the caller may have changed it since it was queued."""
        return Value(self.field._literal(value))


class NumberDraft(Draft):
    """Changes of a number: a sum to add."""

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__(field)
        self.amount: int | float = 0

    def add(self, amount: int | float) -> None:
        """Add to the number; a missing one counts as 0."""
        if self.assigned:
            self.value = plus(self.value, amount)
            return
        total = plus(self.amount, amount)
        self.field._literal(total)
        self.amount = total

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.assigned:
            return super().plan(plan, picture)
        plan.add.append((self.path, self._literal(self.amount)))
        plan.repeatable = False
        return None


class MapDraft(Draft):
    """Changes of a map: its keys set or removed."""

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__(field)
        self.changed: dict[str, Any] = {}
        self.removed: set[str] = set()
        self.creates = False

    def update(self, elements: Mapping[str, Any]) -> None:
        """Set keys; a missing map is created."""
        if self.assigned:
            self.value = {**(self.value or {}), **elements}
            return
        self.creates = True
        self.changed.update(elements)
        self.removed -= elements.keys()

    def discard(self, keys: list[str]) -> None:
        """Remove keys; those that are not there are left at that."""
        if self.assigned:
            self.value = self.value and {key: value for key, value in self.value.items() if key not in keys}
            return
        self.removed.update(keys)
        for key in keys:
            self.changed.pop(key, None)

    def replay(self, draft: Self) -> None:
        if self.creates:
            draft.update(self.changed)
        draft.discard(list(self.removed))

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.assigned:
            return super().plan(plan, picture)
        if picture.exists is False:
            plan.facts.append(AttributeNotExists(self.path))
            if self.creates:
                plan.set.append((self.path, self._literal(self.changed)))
            return None
        plan.facts.append(AttributeExists(self.path))
        for key, wire in self._literal(self.changed).value["M"].items():
            plan.set.append((Path((*self.path.parts, key)), Value(wire)))
        for key in sorted(self.removed):
            plan.remove.append(Path((*self.path.parts, key)))
        return None


class SetDraft(Draft):
    """Changes of a set: elements added and deleted, as they read back.

    Two numbers of other types, such as 0.1 and Decimal("0.1"), can be one element to DynamoDB, not to Python.
    """

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__(field)
        self.added: set[Any] = set()
        self.deleted: set[Any] = set()

    def add(self, elements: set[Any]) -> None:
        """Add elements."""
        if self.assigned:
            self.value = self._read_back() | elements
            return
        self._check(elements)
        self.added |= elements
        self.deleted -= elements

    def delete(self, elements: set[Any]) -> None:
        """Delete elements; those that are not there are left at that."""
        if self.assigned:
            self.value = self.value and self._read_back() - elements
            return
        self._check(elements)
        self.deleted |= elements
        self.added -= elements

    def _read_back(self) -> set[Any]:
        with suppress(UnstorableError):  # an edit in place; the commit says what is wrong
            elements: set[Any] = self.field.from_wire(self.field.to_wire(self.value)) if self.value else set()
            return elements
        return set(self.value)

    def _check(self, elements: set[Any]) -> None:
        """Refuse elements of another type than those queued: of two updates the second would fail."""
        self.field._literal(self.added | self.deleted | elements)

    def replay(self, draft: Self) -> None:
        draft.add(self.added)
        draft.delete(self.deleted)

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.assigned:
            return super().plan(plan, picture)
        if self.added:
            plan.add.append((self.path, self._literal(self.added)))
        if self.deleted:
            later = plan.then_delete if self.added else plan.delete
            later.append((self.path, self._literal(self.deleted)))
        return None


class ListDraft(Draft):
    """Changes of a list, kept in order and resolved against its length when the plan is made."""

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__(field)
        self.steps: list[tuple[str, tuple[Any, ...]]] = []

    def append(self, elements: list[Any]) -> None:
        """Append elements; a missing list is created."""
        self._step("append", elements)

    def replace(self, index: int, element: Any) -> None:
        """Replace an element; past the end, DynamoDB appends."""
        self._step("replace", index, element)

    def remove(self, index: int) -> None:
        """Remove an element; past the end, nothing happens."""
        self._step("remove", index)

    def _step(self, verb: str, *arguments: Any) -> None:
        if not self.assigned:
            self.steps.append((verb, arguments))
            return
        splice = _Splice(len(self.value or ()))
        getattr(splice, verb)(*arguments)
        kept = [splice.replaced.get(i, old) for i, old in enumerate(self.value or ()) if i not in splice.removed]
        if self.value is not None or splice.appends:
            self.value = kept + splice.tail

    def assign(self, value: Any) -> None:
        super().assign(value)
        self.steps.clear()

    def replay(self, draft: Self) -> None:
        for verb, arguments in self.steps:
            getattr(draft, verb)(*arguments)

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.assigned:
            return super().plan(plan, picture)
        missing = picture.exists is False
        splice = _Splice(0 if missing else picture.length)
        for verb, arguments in self.steps:
            getattr(splice, verb)(*arguments)
        if missing and (splice.exact or not splice.appends):
            self._create(plan, splice)
        else:
            self._change(plan, splice)
        return None

    def _create(self, plan: Plan, splice: "_Splice") -> None:
        plan.facts.append(AttributeNotExists(self.path))
        if splice.appends:
            plan.set.append((self.path, self._literal(splice.tail)))
            plan.repeatable = False

    def _change(self, plan: Plan, splice: "_Splice") -> None:
        if splice.exact:
            plan.facts.append(Compare("=", Size(self.path), Value({"N": str(splice.length)})))
        else:
            touched = sorted({*splice.replaced, *splice.removed})
            plan.facts.extend(AttributeExists(self._element(index)) for index in touched)
        for index, element in splice.replaced.items():
            plan.set.append((self._element(index), self._element_literal(element)))
        plan.remove.extend(map(self._element, sorted(splice.removed)))
        if splice.replaced or splice.removed:
            for offset, element in enumerate(splice.tail):
                plan.set.append((self._element(_PAST_ANY_END + offset), self._element_literal(element)))
        elif splice.tail or (splice.appends and not splice.exact):
            base = IfNotExists(self.path, Value({"L": []}))
            plan.set.append((self.path, ListAppend(base, self._literal(splice.tail))))
        if splice.tail or splice.removed:
            plan.repeatable = False

    def _element(self, index: int) -> Path:
        return Path((*self.path.parts, index))

    def _element_literal(self, element: Any) -> Value:
        return Value(self._literal([element]).value["L"][0])


class _Splice:
    """Steps resolved against a list of `length` original elements (None: unknown, and no index lies past them).

    `exact` is set where the result is right for this length only.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.replaced: dict[int, Any] = {}
        self.removed: set[int] = set()
        self.tail: list[Any] = []
        self.appends = False
        self.exact = False

    def append(self, elements: list[Any]) -> None:
        self.appends = True
        self.tail.extend(elements)

    def replace(self, index: int, element: Any) -> None:
        original = self._original(index)
        if original is not None:
            self.replaced[original] = element
            return
        self.exact = self.appends = True
        offset = self._offset(index)
        if offset < len(self.tail):
            self.tail[offset] = element
        else:
            self.tail.append(element)

    def remove(self, index: int) -> None:
        original = self._original(index)
        if original is not None:
            self.removed.add(original)
            self.replaced.pop(original, None)
            return
        self.exact = True
        offset = self._offset(index)
        del self.tail[offset : offset + 1]

    def _original(self, index: int) -> int | None:
        """The original position of what now stands at `index`, or None where that is not an original element."""
        for removed in sorted(self.removed):
            if removed <= index:
                index += 1
        return index if self.length is None or index < self.length else None

    def _offset(self, index: int) -> int:
        assert self.length is not None  # noqa: S101 - only a known length leaves an index to the tail
        return index - (self.length - len(self.removed))


def plus(number: int | float | None, amount: int | float) -> int | float:
    """A sum as DynamoDB computes it, in decimal. None counts as 0."""
    if isinstance(number, float | Decimal) or isinstance(amount, float | Decimal):
        return float(_EXACT.add(Decimal(str(number or 0)), Decimal(str(amount))))
    return (number or 0) + amount


DRAFTS: dict[str, type[Draft]] = {
    "int": NumberDraft,
    "float": NumberDraft,
    "map": MapDraft,
    "set": SetDraft,
    "list": ListDraft,
}
"""The draft of each kind of field; any other kind has the plain one."""
