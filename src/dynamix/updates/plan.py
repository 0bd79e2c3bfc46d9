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

from typing import Any

from msgspec import Struct, field

from dynamix.codec.state import as_wire
from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    Compare,
    Condition,
    Path,
    SetOperand,
    Size,
    Update,
    Value,
)
from dynamix.wire import AttributeValue, Item


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


def holds(fact: Condition, item: Item) -> bool:
    """Whether a fact that a plan relied on is true of a stored item."""
    match fact:
        case AttributeExists(path):
            return _present(item, path)
        case AttributeNotExists(path):
            return not _present(item, path)
        case AttributeType(Path() as path, Value(tag)):
            return tag["S"] in item.get(str(path.parts[0]), {})
        case Compare("=", Path() as path, Value(wire)):
            return bool(item.get(str(path.parts[0])) == wire)
        case Compare("=", Size(Path() as path), Value(length)):
            return Picture.stored(item, str(path.parts[0])).length == int(length["N"])
    raise TypeError(f"{fact!r} is not a fact that plans rely on")


def _present(item: Item, path: Path) -> bool:
    wire = item.get(str(path.parts[0]))
    if wire is None or len(path.parts) == 1:
        return wire is not None
    return "L" in wire and int(path.parts[1]) < len(wire["L"])
