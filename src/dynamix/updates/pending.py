"""The changes queued on an instance, shown there at once, and sent together by `commit_changes()`.

Every field that has changes has an `Entry` of two drafts (`dynamix.updates.draft`), through which each change goes:
`draft` becomes the update, `shown` starts from the value that the instance had and becomes the one it shows.

Several threads may change one instance. A lock of its own makes each step whole, so that a change is either queued or
refused, never lost; a commit holds it only to begin and to end, not while it waits for the service.
"""

import copy
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import methodcaller
from threading import RLock
from typing import Any, Self, TypeVar
from weakref import ref

import msgspec

from dynamix.codec.state import LACKING, STATE, State, once, state_of
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.updates.actions import Action, Set
from dynamix.updates.chain import Chain
from dynamix.updates.draft import Draft
from dynamix.updates.entry import Entry, Fields, keep_defaults
from dynamix.updates.image import look_alike, value_of
from dynamix.updates.plan import UNKNOWN, Picture, Plan
from dynamix.updates.queued import shows, step_of, with_known
from dynamix.updates.renamed import plan_renamed
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

D = TypeVar("D", bound=Draft)


_NO_EDITS: Mapping[str, Draft] = {}
_NO_FORMS: Mapping[str, AttributeValue | None] = {}


class Sender:
    """Who sends what is pending on instances, for as long as it is there."""

    __slots__ = ("__weakref__",)


class Pending:
    """What waits on an instance for `commit_changes()`. `values` is always the instance's own `__dict__`.

    Between `begin` and `end` it is being sent: what was queued meanwhile would be taken for sent, and what is sent
    twice is added twice, so both are refused. It ends as well when its sender is gone, for an interrupt may keep `end`
    from being called.
    """

    __slots__ = ("_conditions", "_edits", "_entries", "_forms", "_guards", "_lock", "_sender")

    def __init__(self) -> None:
        self._lock = RLock()
        self._entries: dict[str, Entry] = {}
        self._conditions: tuple[Condition, ...] = ()
        self._sender: ref[object] | None = None
        self._edits: Mapping[str, Draft] = _NO_EDITS
        self._guards: Sequence[tuple[Condition, str]] = ()
        self._forms: Mapping[str, AttributeValue | None] = _NO_FORMS  # of the whole values that are being sent

    def __getstate__(self) -> object:
        return self._entries, self._conditions

    def __setstate__(self, state: Any) -> None:
        self.__init__()  # type: ignore[misc]
        self._entries, self._conditions = state

    def __bool__(self) -> bool:
        return bool(self._entries)

    def begin(
        self,
        sender: object,
        edits: Mapping[str, Draft] | None = None,
        guards: Sequence[tuple[Condition, str]] = (),
    ) -> None:
        """It is being sent by `sender`, with edits in place by attribute, and guards as in a Plan. Raises
        InvalidUpdateError where another does so."""
        with self._lock:
            self._refuse_under_way()
            self._sender, self._edits, self._guards, self._forms = ref(sender), edits or _NO_EDITS, guards, _NO_FORMS

    def expect(self, edits: Mapping[str, Draft], guards: Sequence[tuple[Condition, str]]) -> None:
        """What is being sent goes on, with these edits and guards."""
        with self._lock:
            self._edits, self._guards = edits, guards

    def end(self, sender: object) -> None:
        """It is no more sent by `sender`, which may not have begun: an interrupt can fall anywhere."""
        if self._sender is not None and self._sender() is sender:
            self._sender, self._edits, self._guards, self._forms = None, _NO_EDITS, (), _NO_FORMS

    def _refuse_under_way(self) -> None:
        if self._sender is not None and self._sender() is not None:
            raise InvalidUpdateError(
                "a commit or delete of this instance, or a batch or transaction that has it, is under way; wait for "
                "its end, or get another instance"
            )

    def copy(self) -> Self:
        """The same changes, for an instance of their own."""
        twin = type(self)()
        with self._lock:
            twin._entries, twin._conditions = copy.deepcopy((self._entries, self._conditions))
        return twin

    def shows(self) -> dict[str, Any]:
        """What the instance shows of the fields that have changes, by attribute."""
        shown: dict[str, Any] = {}
        for entry in self._entries.values():
            entry.show(shown)
        return shown

    def changes(self, attribute: str) -> bool:
        """Whether a change of this attribute is queued."""
        return attribute in self._entries

    def sends(self, attribute: str) -> bool:
        """Whether a change of this attribute is being sent, be it an edit in place."""
        return attribute in self._entries or attribute in self._edits

    def draft(self, attribute: str) -> Draft | None:
        """What is queued of an attribute, None for nothing."""
        entry = self._entries.get(attribute)
        return None if entry is None else entry.draft

    def was_edited(self, values: dict[str, Any], field: Field[Any, Any]) -> bool:
        """Whether a list, map, set or value of the user's own was edited in place: it is another than was loaded and
        then changed."""
        if self.is_as_loaded(values, field):
            return False
        expected = self.unedited(values, field)
        if expected is LACKING:
            return False
        value = values[field.attribute]
        return not look_alike(value, expected) and field.differs(value, expected)

    def is_as_loaded(self, values: dict[str, Any], field: Field[Any, Any]) -> bool | None:
        """Whether a value would be stored in the very JSON that was loaded; None where nothing tells, or it has
        changes."""
        attribute, state = field.attribute, state_of(values)
        if attribute in self._entries or attribute not in values or state.stored is None:
            return None
        return field.spells(values[attribute], state.stored.get(attribute))

    def unedited(self, values: dict[str, Any], field: Field[Any, Any]) -> Any:
        """What the instance would show of a field if nothing were edited in place; LACKING where nothing can be.

        An edit of what was set whole, or of an element that was queued, is sent, and therefore no such edit; nor is
        one in an instance that can only be stored whole.
        """
        if field.own_form.frozen or field.attribute not in values:
            return LACKING
        state: State | None = values.get(STATE)
        entry = self._entries.get(field.attribute)
        if state is None or state.new or (entry and entry.draft.assigned):
            return LACKING
        expected = None
        if state.stored is None and (field.hash_key or field.range_key):
            return LACKING  # what it was made of
        if state.stored is not None:
            if field.attribute not in state.stored:
                return LACKING
            form = state.stored[field.attribute]
            known = entry.image if entry is not None and form else None
            expected = field.read(form) if known is None else value_of(known)
        if expected is None and state.defaults is not None and not (entry and entry.draft.fills):
            expected = state.defaults.get(field.attribute)
        if entry is not None:
            draft = type(entry.draft)(field)
            draft.assign(expected)
            entry.draft.replay(draft)
            expected = draft.value
        return expected

    def refuse_edits(self, values: dict[str, Any], fields: Iterable[Field[Any, Any]]) -> None:
        """Raise InvalidUpdateError where a value was edited in place, which is no change that a commit would send."""
        there = [field for field in fields if field.attribute in values]
        if there:
            with self._lock:
                for field in there:
                    self._refuse_edit(values, field)

    def _refuse_edit(self, values: dict[str, Any], field: Field[Any, Any]) -> None:
        if self.was_edited(values, field):
            raise InvalidUpdateError(
                f"{field} was edited in place, which no queued change sends; store the edit by save(), or queue what "
                f"is to be stored by set_field({field}, value) or the methods for lists, maps and sets, or drop the "
                "edit by discard_changes()"
            )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold for the changes to be stored."""
        return self._conditions

    def guard(self, conditions: tuple[Condition, ...], *, add: bool) -> None:
        """Set what must hold, or add to it."""
        with self._lock:
            self._refuse_under_way()
            self._conditions = self._conditions + conditions if add else conditions

    def change(self, values: dict[str, Any], field: Field[Any, Any], kind: type[D], step: Callable[[D], None]) -> None:
        """Queue one change, `step`, of a field whose drafts are of the class `kind`, and show it.

        A step that the draft refuses changes nothing.
        """
        with self._lock:
            self._refuse_under_way()
            entry = self._entries.get(field.attribute)
            if entry is None:
                if kind is not Draft and not field.own_form.frozen:  # a whole value takes the place of what is there
                    self._refuse_edit(values, field)
                entry = (kind.unseen and Entry.of_unread(values, field)) or Entry.of(values, field)
            self._step(values, entry, kind, step)

    def act(self, values: dict[str, Any], actions: Sequence[Action]) -> None:
        """Queue actions, one after another, and show them. Where one is refused, none is queued."""
        with self._lock:
            self._refuse_under_way()
            entries = copy.deepcopy(self._entries) if len(actions) > 1 else self._entries
            try:
                for action in actions:
                    self._act(values, action)
            except BaseException:
                changed, self._entries = self._entries, entries
                for attribute, entry in changed.items():
                    if attribute not in entries:
                        _show(values, attribute, entry.before)
                    elif entries[attribute].unread:
                        values.pop(attribute, None)
                values.update(self.shows())
                raise

    def _act(self, values: dict[str, Any], action: Action) -> None:
        if isinstance(action, Set):
            action = with_known(action, partial(self._assigned, action))
        field: Field[Any, Any] = action.path.source
        step = step_of(action)
        if step is not None:
            self.change(values, field, *step)
            return
        entry = self._entries.get(field.attribute)
        fresh = entry is None
        if entry is not None and entry.unread:
            field.value_in(values)
            entry = self._entries[field.attribute]
        if entry is None:
            self._refuse_edit(values, field)
            entry = Entry.of(values, field)
        draft, shown = entry.draft, entry.shown
        known = shows(action, values) if isinstance(action, Set) and shown is not None else None
        links = draft.links if isinstance(draft, Chain) else () if fresh else (draft,)
        chain = Chain(field, draft.base, links)
        if draft.assigned:
            chain.assign(draft.value)
        link = chain.act(action, known)
        if shown is not None and chain.assigned:
            shown.assign(chain.value)
        elif shown is not None:
            if fresh and link.fills and entry.picture.missing:
                shown.assign(None)  # a default that shows is not stored
            link.show(shown)
        elif not chain.assigned:
            values.pop(field.attribute, None)  # what was set before, in whose place comes what only the service knows
        self._entries[field.attribute] = entry = msgspec.structs.replace(entry, draft=chain)
        entry.show(values)

    def _assigned(self, action: Action, attribute: str) -> Any:
        """The value to which an attribute is set, LACKING where nothing is queued of it."""
        entry = self._entries.get(attribute)
        if entry is None:
            return LACKING
        if not entry.draft.assigned:
            raise InvalidUpdateError(
                f"{action} reads {entry.draft.field}, which has queued changes whose result only the service knows; "
                "commit them first"
            )
        return entry.draft.value

    def _step(self, values: dict[str, Any], entry: Entry, kind: type[D], step: Callable[[D], None]) -> None:
        draft = entry.draft
        if isinstance(draft, kind):
            step(draft)
        elif isinstance(draft, Chain):
            draft.take(kind, step)
        if entry.unread and draft.assigned:
            entry = entry.set_whole()
        shown = entry.shown
        if shown is not None and draft.assigned:
            shown.assign(draft.value)  # the very value, so that what is edited in it is sent
        elif isinstance(shown, kind):
            step(shown)
        self._entries[draft.field.attribute] = entry
        entry.show(values)

    def plan(self, pictured: Callable[[str], Picture] | None = None, whole: Container[str] = ()) -> Plan:
        """The update that has the effect of all changes.

        `pictured` is what is known of attributes by their stored names, in place of what the instance shows. Of the
        attributes in `whole` the value is replaced instead of its parts.
        """
        plan = Plan(guards=list(self._guards), repeatable=not self._guards, pictured=pictured)
        for attribute, draft, known in self.sent():
            picture = known if pictured is None else pictured(draft.field.name)
            if draft.field.was is not None and plan_renamed(draft, plan, pictured):
                continue
            if draft.assigned:  # a plan made anew sends what the first one did, though the value be edited meanwhile
                if attribute not in self._forms:
                    self._forms = {**self._forms, attribute: draft.form()}
                plan.value(draft.path, self._forms[attribute])
            elif attribute in whole:
                draft.plan_whole(plan, picture)
            else:
                draft.plan(plan, picture)
        return plan

    def sent(self) -> Iterator[tuple[str, Draft, Picture]]:
        """What is sent of each attribute, with what is known of it. Edits take the place of what is queued, from which
        they were made."""
        for attribute, entry in self._entries.items():
            if attribute not in self._edits:
                yield attribute, entry.draft, entry.picture
        for attribute, draft in self._edits.items():
            yield attribute, draft, UNKNOWN

    def in_parts(self) -> list[str]:
        """The attributes whose parts are changed, those first of which most are; their values can be replaced whole."""
        parts = {attribute: draft.parts for attribute, draft, _ in self.sent() if not draft.assigned}
        return sorted((attribute for attribute in parts if parts[attribute]), key=lambda name: -parts[name])

    @property
    def fields(self) -> list[str]:
        """The names of the fields that are changed."""
        return [str(draft.field) for _, draft, _ in self.sent()]

    @property
    def unchanged(self) -> list[str]:
        """The names of the fields that have to be stored as they were loaded."""
        return [name for _, name in self._guards]

    @property
    def depends(self) -> bool:
        """Whether a change depends on what is stored."""
        return any(draft.depends for _, draft, _ in self.sent())

    def before(self, values: dict[str, Any], attribute: str) -> Any:
        """What the instance showed of an attribute before any change; LACKING where it was not loaded."""
        entry = self._entries.get(attribute)
        return values.get(attribute, LACKING) if entry is None else entry.before

    def refuse_second(self, plan: Plan) -> None:
        """Raise InvalidUpdateError where the changes do not fit in one request."""
        if plan.then_delete:
            names = ", ".join(str(path.source) for path, _ in plan.then_delete)
            raise InvalidUpdateError(
                f"{names} has elements to add and elements to delete, which no single request can do; commit between "
                "the two, or without atomic=True"
            )

    def show(self, values: dict[str, Any], state: State, attribute: str, value: Any) -> Any:
        """Show a value that was read of a state, with the changes that were queued before, unless another thread has
        shown it; LACKING where the state is another by now, since a commit was made meanwhile."""
        with self._lock:
            if values.get(STATE) is not state:
                return LACKING
            entry = self._entries.get(attribute)
            if entry is not None and entry.unread:
                field: Any = entry.draft.field
                loaded = field.read(entry.unread) if attribute in values else value  # else another may have edited it
                self._entries[attribute] = entry = entry.read(values.get(attribute, value), loaded)
                entry.show(values)
            return values.setdefault(attribute, value)

    def read_all(self, values: dict[str, Any], fields: Fields) -> None:
        """Read what has changes and was left unread."""
        with self._lock:
            for attribute, entry in list(self._entries.items()):
                if entry.unread:
                    fields[attribute].value_in(values)

    def settle(self, values: dict[str, Any], fields: Fields, stored: dict[str, Any]) -> None:
        """The changes were stored: forget them, and show what is stored now."""
        with self._lock:
            self.clear()
            state: State = stored[STATE]
            state.pending = self
            kept = state_of(values).defaults
            if kept:
                keep_defaults(kept, state, stored, fields)
            values.update(stored)
            if len(values) > len(stored):
                for name in fields:
                    if name not in stored:
                        values.pop(name, None)

    def settle_untold(self, values: dict[str, Any], shown: dict[str, Any], gone: Iterable[str]) -> None:
        """The changes were stored, and the service did not say what is stored now: forget them, and show what is known
        of it; `gone` are the attributes that are to be read anew, or of which nothing is known."""
        with self._lock:
            self.clear()
            shown[STATE].pending = self
            values.update(shown)
            for attribute in gone:
                values.pop(attribute, None)

    def reloaded(self, values: dict[str, Any], stored: dict[str, Any], fields: Fields) -> None:
        """The item was loaded again: forget all changes, and show what is stored now."""
        with self._lock:
            self._refuse_under_way()
            self.settle(values, fields, stored)

    def settle_first(self, values: dict[str, Any], fields: Fields, stored: dict[str, Any]) -> None:
        """The same of the first of two updates: what the second is for stays queued."""
        with self._lock:
            drafts = [draft for _, draft, _ in self.sent()]
            self.settle(values, fields, stored)
            for draft in drafts:
                if isinstance(draft, SetDraft) and not draft.assigned and draft.added and draft.deleted:
                    entry = Entry.of(values, fields[draft.field.attribute])
                    self._step(values, entry, SetDraft, methodcaller("delete", draft.deleted))

    def deleted(self, values: dict[str, Any]) -> None:
        """The item was deleted: what the instance shows can be stored whole only, and its conditions are spent."""
        with self._lock:
            self._conditions = ()
            state_of(values).new = True

    def discard(self, values: dict[str, Any], fields: Iterable[Field[Any, Any]]) -> None:
        """Forget all changes and conditions, and show what was shown before; `fields` are those that can be edited in
        place."""
        with self._lock:
            self._refuse_under_way()
            for attribute, entry in self._entries.items():
                _show(values, attribute, entry.before)
            self.clear()
            for field in fields:
                if self.was_edited(values, field):
                    state = state_of(values)
                    if state.stored is None:
                        values[field.attribute] = copy.deepcopy((state.defaults or {}).get(field.attribute))
                    else:
                        values.pop(field.attribute, None)  # to be read again

    def clear(self) -> None:
        """Forget all changes and conditions; what is shown stays."""
        if self._entries:
            self._entries = {}
        self._edits, self._guards, self._forms, self._conditions = _NO_EDITS, (), _NO_FORMS, ()


def _show(values: dict[str, Any], attribute: str, value: object) -> None:
    """Show a value again, or that none was loaded."""
    if value is LACKING:
        values.pop(attribute, None)
    else:
        values[attribute] = value


def pending_of(values: dict[str, Any]) -> Pending:
    """What is pending on the instance with this `__dict__`, made where nothing is: once, whatever threads ask."""
    state = state_of(values)
    pending: Pending | None = state.pending
    if pending is None:
        made = Pending()
        with once:
            if state.pending is None:
                state.pending = made
            pending = state.pending
    return pending
