"""Changes of a list."""

from collections.abc import Sequence
from typing import Any, Self

from dynamix.expressions.nodes import (
    AttributeExists,
    Compare,
    IfNotExists,
    ListAppend,
    Path,
    Size,
    Value,
)
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue

_PAST_ANY_END = 1_000_000  # more elements than an item of 400 KB can have


class ListDraft(Draft):
    """Changes of a list, kept in order and resolved against its length when the plan is made."""

    noun = "a list"
    unseen = frozenset({"L"})

    def __init__(self, field: Changed, base: Any = None) -> None:
        super().__init__(field, base)
        self.steps: list[tuple[str, tuple[Any, ...]]] = []

    def append(self, elements: list[Any]) -> None:
        """Append elements; a missing list is created."""
        self._step("append", elements)

    def replace(self, index: int, element: Any) -> None:
        """Replace an element; past the end, DynamoDB appends."""
        self._step("replace", index, element)

    def remove(self, index: int) -> None:
        """Remove an element; past the end, nothing happens."""
        self._step("remove", index)

    def _step(self, verb: str, *arguments: Any) -> None:
        if not self.assigned:
            self.steps.append((verb, arguments))
            return
        splice = _Splice(len(self.value or ()))
        getattr(splice, verb)(*arguments)
        if self.value is not None or splice.appends:
            self.value = splice.applied(self.value or ())

    def assign(self, value: Any) -> None:
        super().assign(value)
        self.steps.clear()

    def replay(self, draft: Self) -> None:
        for verb, arguments in self.steps:
            getattr(draft, verb)(*arguments)

    def plan(self, plan: Plan, picture: Picture) -> None:
        splice = self._splice(len(self.base or ()) if picture.missing else picture.length)
        if picture.null or (picture.missing and not splice.only_appends):
            self.plan_whole(plan, picture)
        else:
            self._change(plan, splice)

    @property
    def parts(self) -> int:
        return len(self.steps)

    def plan_whole(self, plan: Plan, picture: Picture) -> None:
        super().plan_whole(plan, picture)
        splice = self._splice(len(self.base or ()) if picture.form is None else picture.length)
        if splice.tail or splice.removed:
            plan.repeatable = False

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        elements = [] if old is None else self._content(old, "L")
        splice = self._splice(len(elements))
        if not (splice.appends or splice.replaced or splice.removed):
            return None
        splice.tail = self._parts(splice.tail, "L")
        splice.replaced = {index: self._parts([element], "L")[0] for index, element in splice.replaced.items()}
        return {"L": splice.applied(elements)}

    def _splice(self, length: int | None) -> "_Splice":
        splice = _Splice(length)
        for verb, arguments in self.steps:
            getattr(splice, verb)(*arguments)
        return splice

    def _change(self, plan: Plan, splice: "_Splice") -> None:
        touched = {*splice.replaced, *splice.removed}
        if splice.exact:
            plan.facts.append(Compare("=", Size(self.path), Value({"N": str(splice.length)})))
        elif touched:  # the last one is there only if all before it are
            plan.facts.append(AttributeExists(self._element(max(touched))))
        for index, element in splice.replaced.items():
            plan.set.append((self._element(index), self._element_literal(element)))
        plan.remove.extend(map(self._element, sorted(splice.removed)))
        if splice.replaced or splice.removed:
            for offset, element in enumerate(splice.tail):
                plan.set.append((self._element(_PAST_ANY_END + offset), self._element_literal(element)))
        elif splice.tail or (splice.appends and not splice.exact):
            base = IfNotExists(self.path, self._literal(self.base or []))
            plan.set.append((self.path, ListAppend(base, self._literal(splice.tail))))
        if splice.tail or splice.removed:
            plan.repeatable = False

    def _element(self, index: int) -> Path:
        return Path((*self.path.parts, index))

    def _element_literal(self, element: Any) -> Value:
        return Value(self._parts([element], "L")[0])


class _Splice:
    """Steps resolved against a list of `length` original elements (None: unknown, and no index lies past them).

    `exact` is set where the result is right for this length only.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.replaced: dict[int, Any] = {}
        self.removed: set[int] = set()
        self.tail: list[Any] = []
        self.appends = False
        self.exact = False

    def append(self, elements: list[Any]) -> None:
        self.appends = True
        self.tail.extend(elements)

    def replace(self, index: int, element: Any) -> None:
        original = self._original(index)
        if original is not None:
            self.replaced[original] = element
            return
        self.exact = self.appends = True
        offset = self._offset(index)
        if offset < len(self.tail):
            self.tail[offset] = element
        else:
            self.tail.append(element)

    def remove(self, index: int) -> None:
        original = self._original(index)
        if original is not None:
            self.removed.add(original)
            self.replaced.pop(original, None)
            return
        self.exact = True
        offset = self._offset(index)
        del self.tail[offset : offset + 1]

    @property
    def only_appends(self) -> bool:
        """Whether it makes of any list that list and the tail."""
        return self.appends and not (self.exact or self.replaced or self.removed)

    def applied(self, elements: Sequence[Any]) -> list[Any]:
        """The elements after the steps."""
        kept = [self.replaced.get(i, old) for i, old in enumerate(elements) if i not in self.removed]
        return kept + self.tail

    def _original(self, index: int) -> int | None:
        """The original position of what now stands at `index`, or None where that is not an original element."""
        for removed in sorted(self.removed):
            if removed <= index:
                index += 1
        return index if self.length is None or index < self.length else None

    def _offset(self, index: int) -> int:
        assert self.length is not None  # noqa: S101 - only a known length leaves an index to the tail
        return index - (self.length - len(self.removed))
