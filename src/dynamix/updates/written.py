"""A plan as the text of a request, within the service's limits.

An update that names hundreds of map keys or elements can be longer than the service takes. Such an update is never
split: the lists and maps with most changes are replaced whole instead, on the fact that they are what was loaded.
Where nothing was loaded they are taken to be missing; the failed request brings along what is there.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from dynamix.conditions import check_size
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_update
from dynamix.expressions.walk import operators, update_operators
from dynamix.limits import EXPRESSION_BYTES, EXPRESSION_OPERATORS
from dynamix.updates.pending import Pending
from dynamix.updates.plan import Picture, Plan

N = TypeVar("N")

_SURELY_FEW = 4 * EXPRESSION_OPERATORS
"""A text of so many bytes has no operators too many; the shortest one is `NOT `."""


class Written(NamedTuple):
    """One commit as text. The update is empty where only its facts and conditions are looked at."""

    plan: Plan
    update: str
    condition: str
    placeholders: Placeholders


def write(
    pending: Pending, conditions: Sequence[Condition], pictured: Callable[[str], Picture] | None = None
) -> Written:
    """The update of all that is pending, if `conditions` are met; `pictured` as in `Pending.plan`.

    Raises InvalidUpdateError where no single request can say it, InvalidQueryError where the conditions are too large.
    """
    whole: list[str] = []
    while True:
        plan, placeholders = pending.plan(pictured, whole), Placeholders()
        update, condition = plan.update(), all_of((*conditions, *plan.facts))
        written = Written(
            plan, render_update(update, placeholders), render_condition(condition, placeholders), placeholders
        )
        if len(written.update) <= _SURELY_FEW and len(written.condition) <= _SURELY_FEW:
            return written
        updates_fit = _fits(written.update, update_operators, update)
        if updates_fit and _fits(written.condition, operators, condition):
            return written
        left = pending.in_parts()[len(whole) :]
        if not left:
            check_size(condition, written.condition)
            raise _too_long(pending.fields, written.update)
        whole.append(left[0])


def _fits(text: str, count: Callable[[N], int], node: N) -> bool:
    return len(text) <= EXPRESSION_BYTES and count(node) <= EXPRESSION_OPERATORS


def _too_long(fields: list[str], text: str) -> InvalidUpdateError:
    named = ", ".join(fields[:3])
    return InvalidUpdateError(
        f"the changes of {len(fields)} fields ({named}, ...) make an expression of {len(text)} bytes; a request takes "
        f"{EXPRESSION_BYTES} bytes and {EXPRESSION_OPERATORS} operators: commit some of them first"
    )
