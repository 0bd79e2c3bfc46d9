"""Changes of a number."""

from decimal import Context, Decimal
from typing import Any

from dynamix.expressions.nodes import Arithmetic, IfNotExists
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.plan import Picture, Plan

_EXACT = Context(prec=200)


class NumberDraft(Draft):
    """Changes of a number: a sum to add."""

    noun = "a number"

    def __init__(self, field: Changed, base: Any = None) -> None:
        super().__init__(field, base)
        self.amount: int | float = 0

    def add(self, amount: int | float) -> None:
        """Add to the number; a missing one counts as its default, or else as 0."""
        if self.assigned:
            self.value = plus(self.value, amount)
            return
        total = plus(self.amount, amount)
        self.field._literal(total)
        self.amount = total

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.assigned:
            return super().plan(plan, picture)
        plan.repeatable = False
        if picture.null:
            plan.facts.append(picture.fact(self.path))
            plan.set.append((self.path, self._literal(plus(self.base, self.amount))))
        elif self.base:
            base = IfNotExists(self.path, self._literal(self.base))
            plan.set.append((self.path, Arithmetic("+", base, self._literal(self.amount))))
        else:
            plan.add.append((self.path, self._literal(self.amount)))
        return None


def plus(number: int | float | None, amount: int | float) -> int | float:
    """A sum as DynamoDB computes it, in decimal. None counts as 0."""
    if isinstance(number, float | Decimal) or isinstance(amount, float | Decimal):
        return float(_EXACT.add(Decimal(str(number or 0)), Decimal(str(amount))))
    return (number or 0) + amount
