"""The actions of one call, made at once on an item that nobody loaded.

Actions on one path are folded where one clause says the same. What no single update can say is refused here, with the
field's name: two changes of one value, and a change that reads what another one changes, since the service would read
the old value.

A `Changes` plans as `Pending` does, so that both are sent in the same way.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from dynamix.errors import InvalidUpdateError, RequiredFieldError, UnknownNameError, WrongTypeError
from dynamix.expressions.nodes import Condition, IfNotExists, Path, Value
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.fields.version import VersionField
from dynamix.schema.key import check_key
from dynamix.schema.table import Schema
from dynamix.updates.actions import Action, Add, Append, Delete, Prepend, Remove, Set, SetIfMissing, shown_path
from dynamix.updates.at_once import AtOnce, total
from dynamix.updates.draft import Draft
from dynamix.updates.plan import UNKNOWN, Picture, Plan
from dynamix.updates.renamed import plan_renamed
from dynamix.updates.set import SetDraft
from dynamix.updates.version import raise_of

AnyField = Field[Any, Any]


class Changes:
    """What one call changes, by attribute."""

    def __init__(self, actions: Mapping[str, Sequence[Action]], version: VersionField | None = None) -> None:
        self._actions = actions
        self._version = version
        self._drafts: list[Draft] = [_draft(found) for found in actions.values()]
        if version is not None:
            self._drafts.append(raise_of(version))

    @classmethod
    def of(cls, schema: Schema[Any], actions: Sequence[Action], now: datetime) -> Self:
        """The changes that actions make, with the times of fields that hold that of the last write.

        Raises InvalidUpdateError where no single update makes them all.
        """
        if not actions:
            raise InvalidUpdateError(
                f"an update of {schema.model_name} without actions changes nothing; give some, such as "
                f"{schema.model_name}.<field>.set(value)"
            )
        by_attribute: dict[str, list[Action]] = {}
        for action in actions:
            check_action(schema, action)
            _fold(by_attribute.setdefault(action.path.source.attribute, []), action)
        by_attribute |= _computed(schema, by_attribute)
        for field in schema.times.renewed:
            if field.attribute not in by_attribute:
                by_attribute[field.attribute] = [field.set(field.stamp(now))]
        made = [action for found in by_attribute.values() for action in found]
        for action in made:
            for path in action.reads:
                _refuse_changed(action, path, made)
        return cls(by_attribute, schema.version)

    @property
    def fields(self) -> list[str]:
        """The names of the fields that are changed."""
        return [str(draft.field) for draft in self._drafts]

    @property
    def unchanged(self) -> list[str]:
        """No field has to be as it was loaded: nothing was."""
        return []

    @property
    def depends(self) -> bool:
        """Whether a change depends on what is stored."""
        return any(draft.depends for draft in self._drafts)

    def plan(self, pictured: Callable[[str], Picture] | None = None, whole: Container[str] = ()) -> Plan:
        """The update, from what is known of attributes by their stored names."""
        plan = Plan(pictured=pictured)
        for draft in self._drafts:
            if draft.field.was is None or not plan_renamed(draft, plan, pictured):
                draft.plan(plan, UNKNOWN if pictured is None else pictured(draft.field.name))
        return plan

    def in_parts(self) -> list[str]:
        """No value is replaced whole because its changes are long: nobody has seen it."""
        return []

    def refuse_second(self, plan: Plan) -> None:
        """All fits in one update."""

    def given(self) -> dict[str, Any]:
        """The values that are set whole, by attribute."""
        return {
            attribute: action.path.source.decode(action.operand.value)
            for attribute, (action, *_) in self._actions.items()
            if isinstance(action, Set) and not action.inside and isinstance(action.operand, Value)
        }

    def with_defaults(self, schema: Schema[Any], new: Mapping[str, Any]) -> Self:
        """The same for an item that may not exist: what it lacks gets the value that a new instance has.

        `new` are the values of one. Raises InvalidUpdateError where the update would do for no new item, and
        RequiredFieldError where it would lack a required attribute.
        """
        actions: dict[str, Sequence[Action]] = dict(self._actions)
        for found in self._actions.values():
            for action in found:
                _refuse_new(action)
        for attribute, field in schema.fields.items():
            if field.hash_key or field.range_key:
                continue
            changed = any(not isinstance(action, Remove | Delete) for action in self._actions.get(attribute, ()))
            value = new.get(attribute)
            if attribute in actions and (changed or not field.required):
                continue
            if value is None or value == frozenset():
                if field.required:
                    raise RequiredFieldError(
                        f"{field} is required, and a new item would lack it; add {field}.set(...) or "
                        f"{field}.set_if_missing(...)",
                        field=attribute,
                    )
                continue
            if field.draft is SetDraft:
                raise InvalidUpdateError(
                    f"{field} has a default for new items, and a set that was emptied looks like one that was never "
                    f"stored; add {field}.set_if_missing(...) or {field}.add(...) to say what an upsert does"
                )
            path = field._path()
            actions[attribute] = [Set(path, IfNotExists(path, Value(schema.encoder(field)(value))))]
        if schema.versions is not None:
            path = schema.versions.field._path()
            actions[schema.versions.field.attribute] = [Set(path, Value(schema.codec.mark[str(path.parts[0])]))]
        return type(self)(actions, self._version)


def _computed(schema: Schema[Any], by_attribute: Mapping[str, Sequence[Action]]) -> dict[str, list[Action]]:
    """What is set of each field that is computed from a part which actions change, by attribute.

    Raises InvalidUpdateError where that is not known of the actions alone.
    """
    made: dict[str, list[Action]] = {}
    for field in schema.computed:
        if field.attribute in by_attribute:
            raise field.unsettable()
        if not by_attribute.keys() & set(field.parts):
            continue
        if field.hash_key or field.range_key:
            raise InvalidUpdateError(
                f"{', '.join(field.parts)} make {field}, which is part of the key, and no update can change a key; "
                "give them in place of it where the key is given, or create an item with the new key and delete this "
                "one"
            )
        values = {part: _value_set(field, part, by_attribute.get(part, ())) for part in field.parts}
        value = field.computed(schema.fields, values)
        path = field._path()
        if value is None and field.required:
            field.encode(None)
        made[field.attribute] = [Remove(path) if value is None else Set(path, Value(schema.encoder(field)(value)))]
    return made


def _value_set(field: ComputedField[Any, Any], part: str, actions: Sequence[Action]) -> Any:
    match actions:
        case [Set(operand=Value(form)) as action] if not action.inside:
            return action.path.source.decode(form)
        case [Remove() as action] if not action.inside:
            return None
    raise InvalidUpdateError(
        f"{field} is computed from {', '.join(field.parts)}, and {part} is not set by this update; set all of them, or "
        "load the item and change the instance"
    )


def check_action(schema: Schema[Any], action: object) -> None:
    """Refuse what is no action on this model, and values that an index could not hold.

    Raises WrongTypeError, UnknownNameError or FieldValidationException.
    """
    if not isinstance(action, Action):
        advice = "conditions are given as condition=" if isinstance(action, Condition) else "they are made by fields"
        raise WrongTypeError(
            f"{action!r} is not an action such as {schema.model_name}.<field>.set(value); {advice}",
            field="",
            value=action,
        )
    for path in (action.path, *action.reads):
        if path.source is None or not schema.owns(path.source):
            raise UnknownNameError(f"{path.source or path.parts[0]} is not a field of {schema.model_name}")
    if action.path.source is schema.version:
        raise InvalidUpdateError(f"{action.path.source} is the version, which every write raises by itself")
    limit = schema.key_limits.get(action.path.source.attribute)
    if limit is None:
        return
    match action:
        case Set(operand=Value(form)) | SetIfMissing(value=Value(form)):
            check_key(action.path.source, limit, action.path.source.decode(form), form)


def _draft(actions: Sequence[Action]) -> AtOnce:
    field = actions[0].path.source
    base = None
    if field.draft is not Draft and field.default is not None:
        base = field.when_absent()
    return AtOnce(field, base, actions)


def _fold(found: list[Action], action: Action) -> None:
    """Add an action to those on the same attribute; one clause of both where there is one."""
    for position, other in enumerate(found):
        if not _overlap(other.path, action.path):
            continue
        folded = _folded(other, action) if other.path == action.path else None
        if folded is None:
            raise InvalidUpdateError(
                f"{other} and {action} change the same value, and one update cannot do both; make it one action or "
                "two updates"
            )
        found[position] = folded
        return
    found.append(action)


def _folded(first: Action, second: Action) -> Action | None:
    """One action that does what two on the same path do, or None."""
    match first, second:
        case Add(path, Value({"N": amount})), Add(value=Value({"N": more})):
            return Add(path, Value({"N": total(second, amount, more)}))
        case (Add(path, Value(form)), Add(value=Value(more))) | (Delete(path, Value(form)), Delete(value=Value(more))):
            field = path.source
            kind = Add if isinstance(first, Add) else Delete
            return kind(path, Value(field._literal(field.from_wire(form) | field.from_wire(more))))
        case Append(path, Value(form)), Append(value=Value(more)):
            return Append(path, Value({"L": [*form["L"], *more["L"]]}))
        case Prepend(path, Value(form)), Prepend(value=Value(more)):
            return Prepend(path, Value({"L": [*more["L"], *form["L"]]}))
    return None


def _overlap(path: Path, other: Path) -> bool:
    """Whether one is the other, or lies inside it."""
    return all(a == b for a, b in zip(path.parts, other.parts, strict=False))


def _refuse_changed(action: Action, read: Path, made: Iterable[Action]) -> None:
    for other in made:
        if other is not action and _overlap(other.path, read):
            raise InvalidUpdateError(
                f"{action} reads {shown_path(read)}, which {other} changes in the same update; it would read the old "
                "value: make two updates, or give the value itself"
            )


def _refuse_new(action: Action) -> None:
    """Refuse an action that works on no item that is only made by it."""
    if action.inside:
        raise InvalidUpdateError(
            f"{action} changes a part of {action.path.source}, and a new item has nothing to change inside; set "
            f"{action.path.source} whole, or update without upsert=True"
        )
    for path in action.reads:
        if len(path.parts) > 1 or path.source.default is None:
            raise InvalidUpdateError(
                f"{action} reads {shown_path(path)}, which a new item has not; give the field a default=, or update "
                "without upsert=True"
            )
