"""Actions on one attribute that are made at once: each starts from what is stored, none sees what another does.

That is what one update of the service does, so each action becomes one clause:

    set             SET p = v                                 add      ADD p v; SET p = if_not_exists(p, default) + v
    set_if_missing  SET p = if_not_exists(p, v)               append   SET p = list_append(if_not_exists(p, default), v)
    remove          REMOVE p                                  prepend  SET p = list_append(v, if_not_exists(p, default))

A change inside a map or list is made on the fact that this map or list is there. Where it is not, and where a NULL
stands for a missing value, the attribute gets one new value, made here of what is stored.
"""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeAlias

from dynamix.codec.numbers import EXACT, NumberError, check, plain
from dynamix.errors import InvalidUpdateError, StoredValueError
from dynamix.expressions.nodes import (
    Arithmetic,
    AttributeExists,
    AttributeType,
    IfNotExists,
    ListAppend,
    Not,
    Path,
    SetOperand,
    Value,
)
from dynamix.updates.actions import (
    Action,
    Add,
    Append,
    Computed,
    Delete,
    Prepend,
    Remove,
    Set,
    SetIfMissing,
    field_at,
    shown_path,
)
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.plan import Picture, Plan, part_of
from dynamix.wire import AttributeValue

_NULL = Value({"S": "NULL"})
_NUMBER = Value({"S": "N"})

Tree: TypeAlias = "Action | dict[str | int, Tree]"
"""The actions inside a value, by map key or index, or the one on the whole of it."""


class AtOnce(Draft):
    """Actions on one attribute, of which none speaks of a part of what another one changes.

    `shows` is what an instance shows of what the service reads or computes, as far as it knows.
    """

    shows: Action | None = None

    def __init__(self, field: Changed, base: Any, actions: Sequence[Action]) -> None:
        super().__init__(field, base)
        self.actions = actions
        self.computed = any([action.reads for action in actions])  # noqa: C419 - they are few

    def replay(self, draft: Draft) -> None:
        actions = self.actions
        if self.computed:
            actions = () if self.shows is None else (self.shows,)
        if not actions:
            if not self.parts:
                draft.assign(None)
            return
        value = draft.value
        old = None if value is None or value == frozenset() else self.field.to_wire(value)
        new = AtOnce(self.field, None, actions).applied(old)
        draft.assign(None if new is None else self.field.decode(new))

    def show(self, draft: Draft) -> None:
        """The same where the draft is what an instance shows, which need not be what is stored."""
        with suppress(StoredValueError):
            self.replay(draft)

    def plan(self, plan: Plan, picture: Picture) -> None:
        if not self._replaces and (picture.null or self._lacks_parent(picture)):
            self.plan_whole(plan, picture)
            return
        clause = _Clause(self, plan)
        for action in self.actions:
            clause.put(action)

    @property
    def depends(self) -> bool:
        """Whether the result depends on what is stored."""
        return self.computed or not self._replaces

    @property
    def _replaces(self) -> bool:
        return all([isinstance(action, Set | Remove) and not action.inside for action in self.actions])  # noqa: C419

    @property
    def parts(self) -> int:
        return sum(action.inside for action in self.actions)

    @property
    def fills(self) -> bool:
        return isinstance(self.actions[0], SetIfMissing) and not self.actions[0].inside

    def plan_whole(self, plan: Plan, picture: Picture) -> None:
        plan.whole(self.path, picture, self.applied)

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        tree: Tree = {}
        for action in self.actions:
            node, (_, *parts) = tree, action.path.parts
            if not parts:
                tree = action
                break
            for part in parts[:-1]:
                node = node.setdefault(part, {})  # type: ignore[union-attr]
            node[parts[-1]] = action  # type: ignore[index]
        if old is None and self.base is not None and self.base != frozenset() and not self.fills:
            old = self._form(self.base)
        return self._built(old, tree, self.path)

    def _lacks_parent(self, picture: Picture) -> bool:
        """Whether what is pictured has no room for a change inside it."""
        inside = [action for action in self.actions if action.inside]
        if picture.missing or not inside:
            return bool(inside)
        form = picture.wire()
        return form is not None and any(_lacks(form, action) for action in inside)

    def _built(self, old: AttributeValue | None, tree: Tree, path: Path) -> AttributeValue | None:
        """The new value of what stands at a path."""
        if isinstance(tree, Action):
            return _result(tree, old)
        names = [part for part in tree if isinstance(part, str)]
        if names and len(names) < len(tree):
            raise InvalidUpdateError(f"{shown_path(path)} cannot have both keys and indexes")
        if old is not None and "NULL" in old:
            return self._built(None, tree, path) or old
        if old is not None and ("M" if names else "L") not in old:
            raise _unfit(path, old, "a map" if names else "a list")
        new: AttributeValue = {} if old is None else old
        if names:
            keys = dict(new.get("M", {}))
            for name in names:
                value = self._built(keys.pop(name, None), tree[name], _below(path, name))
                if value is not None:
                    keys[name] = value
            if old is None:
                _check_new(path, keys)
            return {"M": keys} if keys or old is not None else None
        elements: list[AttributeValue | None] = list(new.get("L", ()))
        for index in sorted(tree, key=int):
            there = int(index) < len(elements)
            value = self._built(elements[int(index)] if there else None, tree[index], _below(path, index))
            if there:
                elements[int(index)] = value
            elif value is not None and not isinstance(tree[index], Action):
                raise _unread(_below(path, index), "there is no such element to change inside")
            elif value is not None:
                elements.append(value)
        kept = [element for element in elements if element is not None]
        return {"L": kept} if kept or old is not None else None


class _Clause:
    """Puts single actions of a draft into a plan."""

    def __init__(self, draft: AtOnce, plan: Plan) -> None:
        self.draft = draft
        self.plan = plan

    def put(self, action: Action) -> None:
        """Put one action into the plan, with the facts it relies on."""
        path, plan = action.path, self.plan
        if action.inside:
            plan.fact(AttributeExists(Path(path.parts[:-1], path.source)))
        if isinstance(path.parts[-1], int):  # an index past the end appends, and one removed is the next one's
            plan.repeatable = False
        match action:
            case Set(operand=operand):
                plan.repeatable &= not action.reads
                plan.set.append((path, self._operand(operand)))
            case SetIfMissing(value=value):
                plan.fact(Not(AttributeType(path, _NULL)))
                plan.set.append((path, IfNotExists(path, value)))
            case Remove():
                plan.remove.append(path)
            case Delete(value=value):
                plan.delete.append((path, value))
            case Add(value=value) if "N" not in value.value:
                plan.add.append((path, value))
            case Add(value=value):
                plan.repeatable = False
                base = self._base({"N": "0"}, path)
                if not action.inside and base.value["N"] == "0":
                    plan.add.append((path, value))
                else:
                    plan.set.append((path, Arithmetic("+", IfNotExists(path, base), value)))
            case Append(value=value) | Prepend(value=value):
                plan.repeatable = False
                old = IfNotExists(path, self._base({"L": []}, path))
                ends = (old, value) if isinstance(action, Append) else (value, old)
                plan.set.append((path, ListAppend(*ends)))

    def _base(self, nothing: AttributeValue, path: Path) -> Value:
        """What a change of the value at a path starts from where nothing is stored."""
        base = self.draft.base
        if len(path.parts) > 1:
            return Value(_default_inside(path) or nothing)
        return Value(nothing if base is None else self.draft._form(base))

    def _operand(self, operand: Any) -> SetOperand:
        if isinstance(operand, Computed):
            return Arithmetic(operand.operator, self._read(operand.left, _NUMBER), self._read(operand.right, _NUMBER))
        read: SetOperand = self._read(operand, None)
        return read

    def _read(self, operand: Any, kind: Value | None) -> Any:
        """An operand of which the service finds a value, of the right type if it computes with it."""
        if not isinstance(operand, Path):
            return operand
        field, default = operand.source, None
        if len(operand.parts) == 1 and field.default is not None:
            default = field.when_absent()
        pictured = self.plan.pictured
        picture = None if pictured is None or len(operand.parts) > 1 else pictured(field.name)
        if picture is not None and picture.missing:
            if default is None and self.plan.is_sure:
                raise _unread(operand, "it has no value that could be read")
            if default is None:
                self.plan.ask(operand)
                return operand
            self.plan.fact(picture.fact(operand))
            return Value(field.encode(default))
        if kind is None:
            self.plan.fact(Not(AttributeType(operand, _NULL)))
        if default is not None:
            return IfNotExists(operand, Value(field.encode(default)))
        self.plan.fact(AttributeExists(operand) if kind is None else AttributeType(operand, kind))
        return operand


def _lacks(form: AttributeValue, action: Action) -> bool:
    """Whether a parent is missing in a stored form, or NULL, or a NULL stands for the value that an action starts from.
    Of a parent of a wrong type the service says what is wrong."""
    (_, *parents, last), inner = action.path.parts, form
    for part in parents:
        below = part_of(inner, part)
        if below is None or "NULL" in below:
            return True
        inner = below
    if isinstance(action, Set | Remove):
        return False
    value = part_of(inner, last)
    return value is not None and "NULL" in value


def _result(action: Action, old: AttributeValue | None) -> AttributeValue | None:
    """What one action makes of a stored form."""
    if old is not None and "NULL" in old:
        old = None
    if old is None and action.inside and isinstance(action, Add | Append | Prepend):
        old = _default_inside(action.path)
    match action:
        case Set(operand=Value(form)):
            return form
        case Remove():
            return None
        case SetIfMissing(value=value) | Set(operand=IfNotExists(_, Value() as value)):
            return value.value if old is None else old
        case Add(value=Value(form)) if old is None:
            return form
        case Add(value=Value({"N": amount})):
            return {"N": total(action, _content(action, old, "N"), amount)}
        case Add(value=Value(form)) | Delete(value=Value(form)):
            return _members(action, old, form)
        case Append(value=Value(form)):
            return {"L": [*(_content(action, old, "L") if old else ()), *form["L"]]}
        case Prepend(value=Value(form)):
            return {"L": [*form["L"], *(_content(action, old, "L") if old else ())]}
    raise _unread(action.path, "what the service reads or computes is set only inside a map or list that is stored")


def total(action: Action, number: str, amount: str) -> str:
    """The sum of two stored numbers. Raises FieldValidationException where no number can hold it."""
    try:
        return plain(check(EXACT.add(Decimal(number), Decimal(amount))))
    except NumberError as error:
        field = action.path.source
        raise field.refusal(amount, f"together with what is there, {error}") from error


def _default_inside(path: Path) -> AttributeValue | None:
    """The stored form of the default of what is inside a model, None where there is none."""
    field = field_at(path)
    default = None if field is None or field.default is None else field.when_absent()
    return None if field is None or default is None else field.encode(default)


def _check_new(path: Path, keys: dict[str, AttributeValue]) -> None:
    """Refuse to make a model of which a part is set, and nothing else is there, where it would lack another part."""
    field = field_at(path)
    lacking = () if field is None else field._needs - keys.keys()
    if lacking:
        raise _unread(
            path,
            f"it is not stored, and a new one would lack {', '.join(sorted(lacking))}, which it needs; set it whole",
        )


def _members(action: Action, old: AttributeValue | None, form: AttributeValue) -> AttributeValue | None:
    field = action.path.source
    if old is None:
        return None
    members = field.decode(old)
    change = field.from_wire(form)
    members = members | change if isinstance(action, Add) else members - change
    left: AttributeValue | None = field.to_wire(members) if members else None
    return left


def _content(action: Action, old: AttributeValue | None, kind: str) -> Any:
    if old is None or kind not in old:
        raise _unfit(action.path, old or {}, "a number" if kind == "N" else "a list")
    return old[kind]


def _unfit(path: Path, form: AttributeValue, wanted: str) -> StoredValueError:
    return _unread(path, f"it is stored as {next(iter(form))}, which is not {wanted}", form)


def _unread(path: Path, problem: str, form: AttributeValue | None = None) -> StoredValueError:
    return StoredValueError(
        f"{shown_path(path)}: {problem}; nothing was stored", field=path.source.attribute, value=form
    )


def _below(path: Path, part: str | int) -> Path:
    return Path((*path.parts, part), path.source)
