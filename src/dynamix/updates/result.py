"""What an update makes of one attribute, for who has to know it beforehand."""

from decimal import Decimal
from typing import Any

from dynamix.codec.numbers import EXACT, NumberError, check, plain
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Arithmetic, IfNotExists, Path, Value
from dynamix.fields.base import Field
from dynamix.updates.plan import Plan
from dynamix.wire import AttributeValue

AnyField = Field[Any, Any]


def result(plan: Plan, field: AnyField, old: AttributeValue | None) -> AttributeValue | None:
    """The stored form that an update makes of an attribute of which `old` was stored; None stands for none.

    Raises InvalidUpdateError where only the service knows it, FieldValidationException where no number can hold it.
    """
    path = Path((field.name,))
    if any(removed == path for removed in plan.remove):
        return None
    for changed, amount in plan.add:
        if changed == path:
            return _computed(field, Arithmetic("+", IfNotExists(path, Value({"N": "0"})), amount), old)
    for changed, operand in plan.set:
        if changed == path:
            return _computed(field, operand, old)
    return old


def _computed(field: AnyField, operand: object, old: AttributeValue | None) -> AttributeValue | None:
    """The value of an operand that speaks of no other attribute than the one it is for; None where the service finds
    none to compute with, and so refuses the update."""
    match operand:
        case Value(form):
            return form
        case Path((name,)) if name == field.name:
            return old
        case IfNotExists(Path((name,)), fallback) if name == field.name:
            return _computed(field, fallback, None) if old is None else old
        case Arithmetic(operator, left, right):
            number = old if old is not None and "N" in old else None  # a NULL counts as none
            one, other = _computed(field, left, number), _computed(field, right, number)
            if one is None or other is None:
                return None
            amount = Decimal(other["N"])
            return _sum(field, Decimal(one["N"]), amount if operator == "+" else EXACT.minus(amount))
    raise InvalidUpdateError(
        f"{field} is unique, and a new value that only the service knows cannot be guarded; read the item, and set the "
        "value itself"
    )


def _sum(field: AnyField, number: Decimal, amount: Decimal) -> AttributeValue:
    try:
        return {"N": plain(check(EXACT.add(number, amount)))}
    except NumberError as error:
        raise field.refusal(amount, f"together with what is there, {error}") from error
