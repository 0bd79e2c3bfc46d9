"""Actions that are queued on an instance, one after another: which draft folds each, and what they compute.

What a queued action reads is what stands there after the changes queued before it. The service reads what is stored; so
of a value that was set whole before the value itself is taken, and of any other change nothing can be read before it is
committed.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from dynamix.codec.numbers import EXACT, NumberError, check, plain
from dynamix.codec.state import LACKING
from dynamix.errors import FieldNotLoadedError, InvalidUpdateError
from dynamix.expressions.nodes import Path, Value
from dynamix.fields.base import Field
from dynamix.updates.actions import Action, Add, Append, Computed, Delete, Remove, Set, shown_path
from dynamix.updates.draft import Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.number import NumberDraft
from dynamix.updates.plan import found
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

Step = tuple[type[Draft], Callable[[Any], None]]
"""The class of drafts that fold a change, and how."""


def step_of(action: Action) -> Step | None:
    """How a draft of the field's kind makes a change, or None where none does."""
    field = action.path.source
    match action:
        case Set(Path((_,)), Value(form)):
            value = field.decode(form)
            return Draft, lambda draft: draft.assign(value)
        case Remove(Path((_,))) if not field.null:
            return Draft, lambda draft: draft.assign(None)
        case Add(Path((_,)), Value({"N": _} as form)):
            return NumberDraft, lambda draft: draft.add_stored(form)
        case Add(Path((_,)), Value(form)):
            members = field.from_wire(form)
            return SetDraft, lambda draft: draft.add(members)
        case Delete(Path((_,)), Value(form)):
            members = field.from_wire(form)
            return SetDraft, lambda draft: draft.delete(members)
        case Append(Path((_,)), Value(form)):
            elements = field.decode(form)
            return ListDraft, lambda draft: draft.append(elements)
        case Set(Path((_, str() as key)), Value(form)) if field.draft is MapDraft:
            keys = field.decode({"M": {key: form}})
            return MapDraft, lambda draft: draft.update(keys)
        case Remove(Path((_, str() as key))) if field.draft is MapDraft:
            return MapDraft, lambda draft: draft.discard([key])
        case Set(Path((_, int() as index)), Value(form)) if field.draft is ListDraft:
            (element,) = field.decode({"L": [form]})
            return ListDraft, lambda draft: draft.replace(index, element)
        case Remove(Path((_, int() as index))) if field.draft is ListDraft:
            return ListDraft, lambda draft: draft.remove(index)
    return None


def with_known(action: Set, assigned: Callable[[str], Any]) -> Set:
    """The same with the values of what was set whole before; `assigned` tells the value that was, or LACKING.

    Raises InvalidUpdateError where one has been removed.
    """
    match action.operand:
        case Path() as path:
            return Set(action.path, _known(action, path, assigned))
        case Computed(operator, left, right):
            left, right = (_known(action, operand, assigned) for operand in (left, right))
            computed = Computed[object](operator, left, right)
            if isinstance(left, Value) and isinstance(right, Value):
                return Set(action.path, Value(_result(action, computed, left.value, right.value)))
            return Set(action.path, computed)
    return action


def shows(action: Set, values: dict[str, Any]) -> Set | None:
    """The same with the value that an instance shows for it, None where it shows nothing of which that is made.

    Raises FieldNotLoadedError.
    """
    match action.operand:
        case Path() as path:
            form = _shown(action, path, values)
            return None if form is None else Set(action.path, Value(form))
        case Computed(left=left, right=right) as computed:
            first, second = (_shown(action, operand, values) for operand in (left, right))
            if first is None or second is None or "N" not in first or "N" not in second:
                return None
            return Set(action.path, Value(_result(action, computed, first, second)))
    return action


def _known(action: Action, operand: Path | Value, assigned: Callable[[str], Any]) -> Path | Value:
    if not isinstance(operand, Path):
        return operand
    field: Field[Any, Any] = operand.source
    value = assigned(field.attribute)
    if value is LACKING:
        return operand
    form = None if value is None else found({field.name: field.encode(value)}, operand)
    if form is None:
        raise InvalidUpdateError(
            f"{action} reads {shown_path(operand)}, which has no value after the changes before it"
        )
    return Value(form)


def _shown(action: Action, operand: Path | Value, values: dict[str, Any]) -> AttributeValue | None:
    if isinstance(operand, Value):
        return operand.value
    field: Field[Any, Any] = operand.source
    value = field.value_in(values)
    if value is LACKING:
        raise FieldNotLoadedError(
            f"{action} reads {field}, which was not loaded, so that nothing could be shown; get the item first, or use "
            "update_by_key"
        )
    return None if value is None or value == frozenset() else found({field.name: field.to_wire(value)}, operand)


def _result(
    action: Action, computed: Computed[object], first: AttributeValue, second: AttributeValue
) -> AttributeValue:
    left, right = Decimal(first["N"]), Decimal(second["N"])
    number = EXACT.add(left, right) if computed.operator == "+" else EXACT.subtract(left, right)
    try:
        return {"N": plain(check(number))}
    except NumberError as error:
        raise action.path.source.refusal(number, str(error)) from error
