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

Where the attribute is missing, changes start from the field's default, if it has one: that is what an instance shows.
A stored NULL counts as missing. The service refuses a change inside a NULL, and says no more than that the request is
invalid; so the plan is made once more as if each changed attribute were NULL, with that as its fact.

ADD and DELETE on one set exist in no single expression; such a plan has a second update.
Source: DynamoDB Developer Guide, "Using update expressions in DynamoDB".
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from dynamix.codec.state import as_wire
from dynamix.errors import StoredValueError
from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    Compare,
    Condition,
    Not,
    Or,
    Path,
    SetOperand,
    Size,
    Value,
)
from dynamix.wire import AttributeValue, Item


class Plan(Struct):
    """One commit: the clauses of the first, and mostly only, update, the facts it relies on, and what must follow in a
    second update.

    `guards` are conditions under which the update may be made at all, each with the name of the field whose change by
    others it notices. `repeatable` says whether sending it twice has the effect of sending it once. `pictured` is what
    is known of attributes by their stored names, None where nothing is but what an instance shows.
    """

    set: list[tuple[Path, SetOperand]] = field(default_factory=list)
    remove: list[Path] = field(default_factory=list)
    add: list[tuple[Path, Value]] = field(default_factory=list)
    delete: list[tuple[Path, Value]] = field(default_factory=list)
    facts: list[Condition] = field(default_factory=list)
    guards: list[tuple[Condition, str]] = field(default_factory=list)
    then_delete: list[tuple[Path, Value]] = field(default_factory=list)
    repeatable: bool = True
    pictured: Callable[[str], "Picture"] | None = None

    def fact(self, fact: Condition) -> None:
        """Rely on a fact, once."""
        if fact not in self.facts:
            self.facts.append(fact)

    def value(self, path: Path, form: AttributeValue | None) -> None:
        """Set a whole value, or remove it."""
        if form is None:
            self.remove_whole(path)
        else:
            self.set.append((path, Value(form)))

    def remove_whole(self, path: Path) -> None:
        """Remove an attribute, once."""
        if path not in self.remove:
            self.remove.append(path)

    @property
    def is_sure(self) -> bool:
        """Whether it is made of what is stored, and not of a guess."""
        return self.pictured is not None and self.pictured is not all_null

    def ask(self, path: Path) -> None:
        """Rely on what is never true, so that the failed request brings the item along."""
        self.facts += [AttributeExists(path), AttributeNotExists(path)]

    def whole(
        self,
        path: Path,
        picture: "Picture",
        applied: Callable[[AttributeValue | None], AttributeValue | None],
    ) -> None:
        """Put a new value in the place of a whole one, which is what the picture says, or else missing.

        What cannot be made of that may well be made of what is stored; then the request is one that fails and brings it
        along.
        """
        old = picture.wire()
        if old is not None and "NULL" in old:
            old = None
        try:
            new = applied(old)
        except StoredValueError:
            if self.is_sure:
                raise
            self.ask(path)
            return
        fact = (picture if picture.missing else MISSING).fact(path)
        self.facts.append(fact if old is None else Compare("=", path, Value(old)))
        self.repeatable = False  # a repeat would find its own effect, and start from that
        if new is None and old is not None:
            self.remove.append(path)
        elif new is not None and new != old:
            self.set.append((path, Value(new)))

    @property
    def conditions(self) -> list[Condition]:
        """What must hold for the plan to be carried out."""
        return [*self.facts, *[guard for guard, _ in self.guards]]


class Picture(Struct, frozen=True):
    """What is believed to be stored for one attribute: whether it exists, its length if it is a list, its stored form.

    None means unknown; what is not known to be missing is taken to exist, with every element that is spoken of. With
    `null` a NULL is stored, which counts as missing. A form is one that the state keeps, or an AttributeValue.
    """

    exists: bool | None = None
    length: int | None = None
    form: Any = None
    null: bool = False

    @classmethod
    def of(cls, value: object, form: Any = None) -> "Picture":
        """The picture that a loaded value gives."""
        return cls(True, len(value) if isinstance(value, list) else None, form or None)

    @classmethod
    def stored(cls, item: Item, name: str) -> "Picture":
        """The picture that a stored item gives."""
        wire = item.get(name)
        if wire is None:
            return MISSING
        return NULL if "NULL" in wire else cls(True, len(wire["L"]) if "L" in wire else None, wire)

    @property
    def missing(self) -> bool:
        """Whether changes start from the default, if there is one."""
        return self.exists is False

    def wire(self) -> AttributeValue | None:
        """The stored form, None where it is not known or there is none."""
        wire: AttributeValue | None = as_wire(self.form)
        return wire

    def fact(self, path: Path) -> Condition:
        """The condition under which the attribute is missing, or is the NULL that it is believed to be."""
        return AttributeType(path, Value({"S": "NULL"})) if self.null else AttributeNotExists(path)


UNKNOWN = Picture()
MISSING = Picture(False)
NULL = Picture(False, null=True)


def all_null(name: str) -> Picture:
    """The guess that every attribute is NULL, where the service says no more than that an update is invalid."""
    return NULL


def holds(fact: Condition, item: Item) -> bool:
    """Whether a fact or a guard that a plan relied on is true of a stored item."""
    match fact:
        case AttributeExists(path):
            return found(item, path) is not None
        case AttributeNotExists(path):
            return found(item, path) is None
        case AttributeType(Path() as path, Value(tag)):
            return tag["S"] in (found(item, path) or {})
        case Not(inner):
            return not holds(inner, item)
        case Compare("=", Path() as path, Value(wire)):
            return alike(found(item, path), wire)
        case Compare("=", Size(Path() as path), Value(length)):
            return Picture.stored(item, str(path.parts[0])).length == int(length["N"])
        case Or(parts):
            return any(holds(part, item) for part in parts)
        case And(parts):
            return all(holds(part, item) for part in parts)
    raise TypeError(f"{fact!r} is not a fact that plans rely on")


def found(item: Item, path: Path) -> AttributeValue | None:
    """What an item has at a path."""
    value: AttributeValue | None = {"M": item}
    for part in path.parts:
        value = None if value is None else part_of(value, part)
    return value


def part_of(form: AttributeValue, part: str | int) -> AttributeValue | None:
    """What a map has at a key, or a list at an index; None where nothing is there."""
    value: AttributeValue | None
    if isinstance(part, int):
        elements = form.get("L", ())
        value = elements[part] if part < len(elements) else None
    else:
        value = form.get("M", {}).get(part)
    return value


def alike(one: AttributeValue | None, other: AttributeValue) -> bool:
    """Whether the service takes two forms for equal, which may spell numbers and order sets differently."""
    if one is None or one == other:
        return one is not None
    ((tag, was),), ((other_tag, now),) = one.items(), other.items()
    if tag != other_tag:
        return False
    match tag:
        case "N":
            return Decimal(was) == Decimal(now)
        case "NS":
            return set(map(Decimal, was)) == set(map(Decimal, now))
        case "SS" | "BS":
            return set(was) == set(now)
        case "M":
            return was.keys() == now.keys() and all(alike(was[key], now[key]) for key in was)
        case "L":
            return len(was) == len(now) and all(map(alike, was, now))
    return False
