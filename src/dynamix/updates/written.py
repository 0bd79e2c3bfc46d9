"""A plan as the texts of a request, within the service's limits.

An update that names hundreds of map keys or elements can be longer than the service takes. Such an update is never
split: the lists and maps with most changes are replaced whole instead, on the fact that they are what was loaded.
Where nothing was loaded they are taken to be missing; the failed request brings along what is there.
"""

from collections.abc import Callable, Sequence

from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition, all_of
from dynamix.expressions.texts import Texts, check_condition, condition_fits, too_large, update_fits, written
from dynamix.expressions.walk import operators
from dynamix.updates.changes import Changes
from dynamix.updates.pending import Pending
from dynamix.updates.plan import Picture, Plan


def write(
    pending: Pending | Changes,
    conditions: Sequence[Condition],
    pictured: Callable[[str], Picture] | None = None,
    *,
    at_once: bool = False,
) -> tuple[Plan, Texts]:
    """The update of all that is pending, if `conditions` are met; `pictured` as in `Pending.plan`. It has no text where
    only its facts and conditions are looked at. With `at_once` nothing is left for a second update: a set with members
    to add and members to delete is replaced whole as well.

    Raises InvalidUpdateError where no single request can say it, InvalidQueryError where the conditions are too large.
    """
    whole: list[str] = []
    while True:
        plan = pending.plan(pictured, whole)
        if at_once and plan.then_delete:
            whole += [path.source.attribute for path, _ in plan.then_delete]
            continue
        required = (*conditions, *plan.conditions)
        condition = all_of(required) if required else None
        texts = written(plan, condition)
        if update_fits(plan, texts.update) and (condition is None or condition_fits(condition, texts.condition)):
            return plan, texts
        left = [attribute for attribute in pending.in_parts() if attribute not in whole]
        if not left:
            fits = condition is None or condition_fits(condition, texts.condition)
            if not fits and _are_most(pending.unchanged, conditions):
                raise _too_many(pending.unchanged)
            if conditions:
                given = all_of(conditions)
                check_condition(given, written(None, given).condition)
            raise too_large(pending.fields, max(texts.update, texts.condition, key=len))
        whole.append(left[0])


def _are_most(unchanged: Sequence[str], conditions: Sequence[Condition]) -> bool:
    """Whether it is rather what must be unchanged than the caller's conditions that makes a condition large."""
    return bool(unchanged) and 2 * len(unchanged) > operators(all_of(conditions))


def _too_many(fields: Sequence[str]) -> InvalidUpdateError:
    """The error for more fields than one condition can compare with what was loaded."""
    return InvalidUpdateError(
        f"{len(fields)} fields are to be stored as they were loaded ({', '.join(fields[:3])}, ...), and one request "
        "cannot compare so many: change fewer of them at once, or guard the item by a field that each writer changes, "
        "such as a version"
    )
