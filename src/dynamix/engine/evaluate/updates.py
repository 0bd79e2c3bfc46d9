"""Updates, compiled: what makes a new item of the old one.

Every operand is read from the item as it was. The new item shares with the old one what it does not change: containers
on the way to a change are copied once. List elements keep their positions until all else is done; then elements set
past the end are appended in the order of their indexes, and removed ones go.

Source: DynamoDB Developer Guide, "Using update expressions".
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any, Literal, TypeAlias, assert_never

from dynamix.codec import numbers
from dynamix.engine.data.values import TOO_DEEP, depth_of, in_order, number_fault
from dynamix.engine.evaluate.paths import child, contents, reader
from dynamix.engine.evaluate.projections import compile_projection
from dynamix.engine.faults import invalid
from dynamix.expressions.nodes import (
    Arithmetic,
    IfNotExists,
    ListAppend,
    Path,
    Placeholder,
    SetOperand,
    Update,
    Value,
)
from dynamix.limits import ITEM_BYTES, NESTING_LEVELS
from dynamix.wire import AttributeValue, Item

Values: TypeAlias = Mapping[str, AttributeValue]
Term: TypeAlias = Callable[[Item, Values], AttributeValue]
Action: TypeAlias = Callable[["_Draft", Item, Values], None]

WRONG_OPERAND = "An operand in the update expression has an incorrect data type"
WRONG_PATH = "The document path provided in the update expression is invalid for update"
TOO_LARGE = "Item size to update has exceeded the maximum allowed size"
NO_ATTRIBUTE = "The provided expression refers to an attribute that does not exist in the item"


class CompiledUpdate:
    """An update without its values. `mismatch` is what a stored value of a wrong type is answered with."""

    __slots__ = ("actions", "assigned", "attributes", "creates", "deletions", "touched")

    def __init__(self, update: Update, mismatch: str = WRONG_OPERAND) -> None:
        self.assigned = (*update.set, *update.add, *update.delete)
        paths = (*(path for path, _ in self.assigned), *update.remove)
        self.attributes = frozenset(str(path.parts[0]) for path in paths)
        self.creates = bool(update.set or update.add)
        self.touched = compile_projection(paths)
        self.deletions = [_delete(path, _operand(operand, mismatch), mismatch) for path, operand in update.delete]
        self.actions: list[Action] = [
            *(_set(path, _operand(operand, mismatch)) for path, operand in update.set),
            *(_remove(path) for path in update.remove),
            *(_add(path, _operand(operand, mismatch), mismatch) for path, operand in update.add),
            *self.deletions,
        ]


class BoundUpdate:
    """An update with its values.

    `attributes` are the top-level attributes that it touches; `creates` says whether it makes an item where none is,
    which removing alone does not.
    """

    __slots__ = ("_update", "_values", "attributes", "creates")

    def __init__(self, update: CompiledUpdate, values: Values) -> None:
        self._update = update
        self._values = values
        self.attributes = update.attributes
        self.creates = update.creates

    def known_types(self) -> dict[str, str]:
        """The types of the values that whole attributes are given, where that does not depend on the item."""
        types = {}
        for path, operand in self._update.assigned:
            kind = _known_type(operand, self._values)
            if kind is not None and len(path.parts) == 1:
                types[str(path.parts[0])] = kind
        return types

    def apply(self, item: Item) -> Item:
        """The item after the update; the given one is left alone. Raises Fault where the update does not fit it."""
        draft = _Draft(item)
        for action in self._update.actions:
            action(draft, item, self._values)
        return draft.finish()

    def check_missing(self, key: Item) -> None:
        """Refuse an update that only removes, of an item that does not exist, where it does not fit even so.

        What REMOVE names is gone either way, but DELETE looks for its set.
        """
        draft = _Draft(key)
        for action in self._update.deletions:
            action(draft, key, self._values)

    def returned(self, old: Item | None, new: Item, mode: Literal["UPDATED_OLD", "UPDATED_NEW"]) -> Item:
        """The touched parts of the item, as they were or as they are."""
        return self._update.touched(new if mode == "UPDATED_NEW" else old or {})


class _Draft:
    """The new item while it is being made."""

    __slots__ = ("_appended", "_depths", "_owned", "_parts", "_removed", "_sets", "item")

    def __init__(self, item: Item) -> None:
        self.item = item.copy()
        self._owned: set[int] = set()  # ids of the containers that are copies already; the item keeps them alive
        self._appended: list[tuple[int, list[AttributeValue], AttributeValue]] = []
        self._removed: list[tuple[int, list[AttributeValue]]] = []
        self._parts = 0  # of the lists, maps and sets that were set
        self._depths: dict[int, int] = {}  # of values by their ids; the item or the request keeps them alive
        self._sets: dict[int, frozenset[str]] = {}

    def holder(self, path: Path) -> Any:
        """The map or list, copied, in which the last part of the path stands."""
        container: Any = self.item
        for part, following in pairwise(path.parts):
            value = child(container, part)
            inner = None if value is None else contents(value, following)
            if inner is None:
                raise invalid(WRONG_PATH)
            if id(inner) not in self._owned:
                inner = inner.copy()
                self._owned.add(id(inner))
                container[part] = {"L" if isinstance(following, int) else "M": inner}
            container = inner
        return container

    def put(self, path: Path, holder: Any, value: AttributeValue) -> None:
        """Set what stands at the path. An element past the end of its list waits until the others are set."""
        if "S" not in value and "N" not in value:
            self._check(value, NESTING_LEVELS + 1 - len(path.parts))
        last = path.parts[-1]
        if isinstance(last, int) and last >= len(holder):
            self._appended.append((last, holder, value))
        else:
            holder[last] = value

    def drop(self, path: Path, holder: Any) -> None:
        """Remove what stands at the path, if anything does. A list's element keeps its place until all else is done."""
        last = path.parts[-1]
        if not isinstance(last, int):
            holder.pop(last, None)
        elif last < len(holder):
            self._removed.append((last, holder))

    def elements(self, content: list[str]) -> frozenset[str]:
        """The elements of a set of the request, which many actions may take from theirs."""
        found = self._sets.get(id(content))
        if found is None:
            found = self._sets[id(content)] = frozenset(content)
        return found

    def _check(self, value: AttributeValue, levels: int) -> None:
        """Refuse what nests too deep, and what is too much already by the number of its parts.

        One value may be set in hundreds of places, so it is looked at once.
        """
        ((kind, content),) = value.items()
        if kind in ("L", "M") and depth_of(value, self._depths) > levels:
            raise invalid(TOO_DEEP)
        if kind not in ("B", "BOOL", "NULL"):
            self._parts += len(content)
            if self._parts > ITEM_BYTES:
                raise invalid(TOO_LARGE)

    def finish(self) -> Item:
        """The new item."""
        if self._appended:
            for _, elements, value in sorted(self._appended, key=itemgetter(0)):
                elements.append(value)
        if self._removed:
            for index, elements in sorted(self._removed, key=itemgetter(0), reverse=True):
                del elements[index]
        return self.item


def _set(path: Path, operand: Term) -> Action:
    def act(draft: _Draft, item: Item, values: Values) -> None:
        holder = draft.holder(path)
        draft.put(path, holder, operand(item, values))

    return act


def _remove(path: Path) -> Action:
    return lambda draft, item, values: draft.drop(path, draft.holder(path))


def _add(path: Path, operand: Term, mismatch: str) -> Action:
    read = reader(path)

    def act(draft: _Draft, item: Item, values: Values) -> None:
        holder = draft.holder(path)
        old = read(item)
        value = operand(item, values)
        if old is not None:
            value = _joined(old, value, mismatch)
        draft.put(path, holder, value)

    return act


def _joined(old: AttributeValue, value: AttributeValue, mismatch: str) -> AttributeValue:
    """The sum of two numbers, or the union of two sets of one type."""
    [(kind, content)] = value.items()
    if kind not in old:
        raise invalid(mismatch)
    if kind == "N":
        return {"N": _sum(old["N"], content)}
    held = set(old[kind])
    return {kind: in_order(kind, old[kind] + [element for element in content if element not in held])}


def _delete(path: Path, operand: Term, mismatch: str) -> Action:
    read = reader(path)

    def act(draft: _Draft, item: Item, values: Values) -> None:
        holder = draft.holder(path)
        old = read(item)
        if old is None:
            return
        [(kind, content)] = operand(item, values).items()
        if kind not in old:
            raise invalid(mismatch)
        taken = draft.elements(content)
        remaining = [element for element in old[kind] if element not in taken]
        if remaining:
            draft.put(path, holder, {kind: remaining})
        else:
            draft.drop(path, holder)

    return act


def _operand(operand: SetOperand, mismatch: str) -> Term:
    """The function that gives an operand's value. It raises Fault where there is none, or none of the right type."""
    match operand:
        case Path():
            return _stored(operand)
        case Placeholder(name):
            return lambda item, values: values[name]
        case Value(value):
            return lambda item, values: value
        case IfNotExists(path, fallback):
            return _fallback(path, _operand(fallback, mismatch))
        case ListAppend(first, second):
            return _list_append(_operand(first, mismatch), _operand(second, mismatch), mismatch)
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, _operand(left, mismatch), _operand(right, mismatch), mismatch)
    assert_never(operand)


def _known_type(operand: SetOperand, values: Values) -> str | None:
    """The type of an operand's value, None where the item decides; `if_not_exists` counts as its fallback."""
    match operand:
        case Placeholder(name):
            return next(iter(values[name]))
        case Value(value):
            return next(iter(value))
        case IfNotExists(_, fallback):
            return _known_type(fallback, values)
        case ListAppend():
            return "L"
        case Arithmetic():
            return "N"
        case Path():
            return None
    assert_never(operand)


def _stored(path: Path) -> Term:
    read = reader(path)

    def give(item: Item, values: Values) -> AttributeValue:
        value = read(item)
        if value is None:
            raise invalid(NO_ATTRIBUTE)
        return value

    return give


def _fallback(path: Path, fallback: Term) -> Term:
    """The service evaluates the fallback even where the path exists, and refuses one that does not."""
    read = reader(path)

    def give(item: Item, values: Values) -> AttributeValue:
        instead = fallback(item, values)
        value = read(item)
        return instead if value is None else value

    return give


def _list_append(first: Term, second: Term, mismatch: str) -> Term:
    def give(item: Item, values: Values) -> AttributeValue:
        start = _typed("L", first(item, values), mismatch)
        end = _typed("L", second(item, values), mismatch)
        if len(start) + len(end) > ITEM_BYTES:
            raise invalid(TOO_LARGE)
        return {"L": start + end}

    return give


def _arithmetic(operator: str, left: Term, right: Term, mismatch: str) -> Term:
    def give(item: Item, values: Values) -> AttributeValue:
        a = _typed("N", left(item, values), mismatch)
        b = _typed("N", right(item, values), mismatch)
        return {"N": _sum(a, b) if operator == "+" else _sum(a, _negative(b))}

    return give


def _typed(kind: str, value: AttributeValue, mismatch: str) -> Any:
    if kind not in value:
        raise invalid(mismatch)
    return value[kind]


def _negative(text: str) -> str:
    return text[1:] if text[0] == "-" else f"-{text}"


def _sum(a: str, b: str) -> str:
    """The exact sum of two numbers; raises Fault where the service cannot hold it."""
    if "." not in a and "." not in b:
        return _held(int(a) + int(b))
    return _held(numbers.EXACT.add(Decimal(a), Decimal(b)))


def _held(number: int | Decimal) -> str:
    try:
        return numbers.to_text(number)
    except numbers.NumberError as error:
        raise number_fault(error, str(number)) from error
