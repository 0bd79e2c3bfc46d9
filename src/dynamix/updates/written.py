"""A plan as the texts of a request, within the service's limits.

An update that names hundreds of map keys or elements can be longer than the service takes. Such an update is never
split: the lists and maps with most changes are replaced whole instead, on the fact that they are what was loaded.
Where nothing was loaded they are taken to be missing; the failed request brings along what is there.
"""

from collections.abc import Callable, Sequence

from dynamix.expressions.nodes import Condition, all_of
from dynamix.expressions.texts import Texts, check_condition, condition_fits, too_large, update_fits, written
from dynamix.updates.pending import Pending
from dynamix.updates.plan import Picture, Plan


def write(
    pending: Pending, conditions: Sequence[Condition], pictured: Callable[[str], Picture] | None = None
) -> tuple[Plan, Texts]:
    """The update of all that is pending, if `conditions` are met; `pictured` as in `Pending.plan`. It has no text where
    only its facts and conditions are looked at.

    Raises InvalidUpdateError where no single request can say it, InvalidQueryError where the conditions are too large.
    """
    whole: list[str] = []
    while True:
        plan = pending.plan(pictured, whole)
        update, condition = plan.update(), all_of((*conditions, *plan.conditions))
        texts = written(update, condition)
        if update_fits(update, texts.update) and condition_fits(condition, texts.condition):
            return plan, texts
        left = pending.in_parts()[len(whole) :]
        if not left:
            check_condition(condition, texts.condition)
            raise too_large(pending.fields, texts.update)
        whole.append(left[0])
