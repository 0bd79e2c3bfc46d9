"""Changes of a field that had another name, of which nobody knows under which of the two its value is stored.

set, removed   the new attribute is set or removed, and the old one is removed
else           made under the new name, on the fact that the value is not under the old one; where it is, the
               failed request brings it along, and what the change makes of it is stored under the new name
"""

from collections.abc import Callable

from dynamix.expressions.nodes import AttributeExists, AttributeNotExists, Compare, Or, Path, Value
from dynamix.updates.actions import Remove, Set
from dynamix.updates.at_once import AtOnce
from dynamix.updates.draft import Draft
from dynamix.updates.plan import Picture, Plan, all_null


def plan_renamed(draft: Draft, plan: Plan, pictured: Callable[[str], Picture] | None) -> bool:
    """Put what becomes of the old attribute into a plan; and where the value is there, all of the change.

    Returns whether nothing is left to plan.
    """
    was = draft.field.was
    if was is None or draft.is_seen:
        return False
    old = Path((was,), draft.path.source)
    if _is_whole(draft):
        plan.remove_whole(old)
        return False
    form = None if pictured is None or pictured is all_null else pictured(was).wire()
    if pictured is None or form is None or not pictured(draft.field.name).missing:
        plan.fact(Or((AttributeExists(draft.path), AttributeNotExists(old))))
        return False
    plan.facts += [Compare("=", old, Value(form)), AttributeNotExists(draft.path)]
    plan.remove_whole(old)
    new = draft.applied(None if "NULL" in form else form)
    if new is not None:
        plan.set.append((draft.path, Value(new)))
    plan.repeatable = False
    return True


def _is_whole(draft: Draft) -> bool:
    """Whether a change takes the place of whatever is there."""
    if not isinstance(draft, AtOnce):
        return draft.assigned
    return all(
        not action.inside
        and (isinstance(action, Remove) or (isinstance(action, Set) and isinstance(action.operand, Value)))
        for action in draft.actions
    )
