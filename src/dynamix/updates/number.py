"""Changes of a number."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

from dynamix.codec.numbers import EXACT, NumberError, check, plain
from dynamix.expressions.nodes import Arithmetic, IfNotExists, Value
from dynamix.updates.draft import Draft
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue

_EXACT_INTEGERS = 10**38


class NumberDraft(Draft):
    """Changes of a number: a sum to add.

    What is added are the stored forms, as DynamoDB does it, in decimal; a field of any class whose stored form is a
    number can be added to. The sum shown is what the field reads from the sum.
    """

    noun = "a number"

    amount: int | Decimal = 0
    """What is added."""

    def add(self, amount: Any) -> None:
        """Add to the number; a missing one counts as its default, or else as 0."""
        if self.assigned and type(amount) is type(self.value) is int and self.field.own_form.exact:
            total = self.value + amount
            if -_EXACT_INTEGERS < total < _EXACT_INTEGERS and -_EXACT_INTEGERS < amount < _EXACT_INTEGERS:
                self.value = total
                return
        try:
            self._add(self._number(amount, self.field._form_of_amount))
        except NumberError as error:
            raise self._refusal(amount, error) from error

    def add_stored(self, amount: AttributeValue) -> None:
        """The same of a stored form."""
        try:
            self._add(Decimal(amount["N"]))
        except NumberError as error:
            raise self._refusal(amount["N"], error) from error

    def _refusal(self, amount: object, error: NumberError) -> Exception:
        return self.field.refusal(amount, f"together with what was added before, {error}")

    def _add(self, number: int | Decimal) -> None:
        if self.assigned:
            self.value = self.field.from_wire(_wire(EXACT.add(self._number(self.value), number)))
        elif type(number) is type(self.amount) is int and -_EXACT_INTEGERS < self.amount + number < _EXACT_INTEGERS:
            self.amount += number
        else:
            self.amount = check(EXACT.add(self.amount, number))

    def replay(self, draft: Self) -> None:
        draft._add(self.amount)

    def plan(self, plan: Plan, picture: Picture) -> None:
        plan.repeatable = False
        base = 0 if self.base is None else self._number(self.base)
        amount = Value(_wire(self.amount))
        if picture.null:
            plan.facts.append(picture.fact(self.path))
            plan.set.append((self.path, Value(_wire(EXACT.add(base, self.amount)))))
        elif base:
            plan.set.append((self.path, Arithmetic("+", IfNotExists(self.path, Value(_wire(base))), amount)))
        else:
            plan.add.append((self.path, amount))

    def applied(self, old: AttributeValue | None) -> AttributeValue:
        return _wire(EXACT.add(Decimal(0 if old is None else self._content(old, "N")), self.amount))

    def _number(self, value: Any, form_of: Callable[[Any], AttributeValue] | None = None) -> int | Decimal:
        """The number that is stored for a value, or that `form_of` makes of it."""
        if value is None:
            return 0
        if type(value) is int and self.field.own_form.exact and -_EXACT_INTEGERS < value < _EXACT_INTEGERS:
            return value
        form = self._form(value) if form_of is None else form_of(value)
        if "N" not in form:
            raise self.field.refusal(value, "it is not stored as a number, so nothing can be added to it")
        return Decimal(form["N"])


def _wire(number: int | Decimal) -> AttributeValue:
    return {"N": str(number) if isinstance(number, int) else plain(number)}
