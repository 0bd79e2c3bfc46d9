"""Changes of one field, queued one after another, that the draft of its kind cannot fold.

A chain is what its links make one after another of the stored value. A single link is planned as it is, most often as
one clause. Of several the new value is made here, and sent on the fact that what it was made from is still stored.
"""

from collections.abc import Callable
from typing import Any

from dynamix.errors import InvalidUpdateError
from dynamix.updates.actions import Action, Remove
from dynamix.updates.at_once import AtOnce
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue


class Chain(Draft):
    """Drafts of one field, each of which changes what the one before it leaves."""

    def __init__(self, field: Changed, base: Any = None, links: tuple[Draft, ...] = ()) -> None:
        super().__init__(field, base)
        self.links = links

    def assign(self, value: Any) -> None:
        super().assign(value)
        self.links = ()

    def take(self, kind: type[Draft], step: Callable[[Any], None]) -> None:
        """Make a change that a draft of the class `kind` folds."""
        if self.assigned:
            draft = self._draft()
            draft.assign(self.value)
            step(draft)
            self.value = draft.value
        elif self.links and isinstance(self.links[-1], kind):
            step(self.links[-1])
        else:
            self._refuse_computed()
            draft = self._draft()
            step(draft)
            self.links = (*self.links, draft)

    def act(self, action: Action, shows: Action | None) -> AtOnce:
        """Make a change that no other draft folds; `shows` is what an instance shows for it, as far as it knows."""
        link = AtOnce(self.field, self.base, (action,))
        if self.assigned and not link.computed:
            link.replay(self)
            return link
        if link.computed and not action.inside:
            self.assigned, self.links = False, ()
        elif link.computed and (self.links or self.assigned):
            raise self._refusal()
        else:
            self._refuse_computed()
        link.shows = shows
        self.links = (*self.links, link)
        return link

    def replay(self, draft: Draft) -> None:
        for link in self.links:
            if isinstance(link, AtOnce):
                link.show(draft)
                continue
            own = self._draft()
            own.assign(draft.value)
            link.replay(own)
            draft.assign(own.value)

    def shown_form(self, old: AttributeValue | None) -> AttributeValue | None:
        draft = self._draft()
        draft.assign(None if old is None or self.fills else self.field.decode(old))
        self.replay(draft)
        return None if draft.value is None or draft.value == frozenset() else self.field.to_wire(draft.value)

    def plan(self, plan: Plan, picture: Picture) -> None:
        if len(self.links) == 1:
            self.links[0].plan(plan, picture)
        else:
            self.plan_whole(plan, picture)

    @property
    def parts(self) -> int:
        return sum(link.parts for link in self.links)

    @property
    def fills(self) -> bool:
        first = self.links[0] if self.links else None
        return isinstance(first, AtOnce) and first.fills

    def plan_whole(self, plan: Plan, picture: Picture) -> None:
        plan.whole(self.path, picture, self.applied)

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        form, base = old, self.base
        for link in self.links:
            first = link.actions[0] if isinstance(link, AtOnce) else None
            if form is None and base is not None and base != frozenset() and not link.fills:
                form = self._form(base)
            made = link.applied(form)
            form = form if made is None and isinstance(link, MapDraft | ListDraft) else made
            if isinstance(first, Remove) and not first.inside:
                base = None
        return form

    def _draft(self) -> Draft:
        return self.field.draft(self.field)

    def _refuse_computed(self) -> None:
        if any(isinstance(link, AtOnce) and link.computed for link in self.links):
            raise self._refusal()

    def _refusal(self) -> InvalidUpdateError:
        return InvalidUpdateError(
            f"{self.field} is changed together with what the service reads or computes for it; commit between the two"
        )
