"""What lies inside a field: elements of maps and lists, and what a model inside another one has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamix.conditions import deeper
from dynamix.errors import FieldValidationException, InvalidUpdateError
from dynamix.expressions.nodes import Comparator, Path
from dynamix.fields.changeable import Changeable
from dynamix.updates.actions import shown_path
from dynamix.updates.draft import Draft
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue


class Element(Changeable[Any]):
    """An element inside a map or list: `ForumThread.key_value_data["a"]`, `ForumThread.user_reviews[0]`.

    `of` is the field that converts it, where the collection's elements are of one kind; None where they are free-form.
    Inside a model, `ForumThread.address.city` is the same as `ForumThread.address["city"]`.
    """

    __slots__ = ("_of", "_root", "_whole_path")
    _of: Any
    _root: tuple[Any, int]

    def __init__(self, path: Path, of: Any = None, inside: Any = None) -> None:
        """`inside` is the field of the collection, where that is itself part of another."""
        self._whole_path = path
        self._of = None
        self._root = (path.source if inside is None else inside, len(path.parts) - 1)  # what converts free-form parts
        if of is not None:
            part, inside = path.parts[-1], path.source if inside is None else inside
            named = of._part_names or inside is not path.source
            attribute = f"{inside.attribute}[{part!r}]" if named else inside.attribute
            self._of = of.placed(attribute, f"{inside}[{part!r}]")

    def __getitem__(self, part: str | int) -> Element:
        if self._of is None:
            deep = Element(deeper(self._whole_path, part))
            deep._root = self._root
            return deep
        inner: Element = self._of._element_at(self._whole_path, part)
        return inner

    if not TYPE_CHECKING:  # a type checker that saw this would let every name pass

        def __getattr__(self, name: str) -> Any:
            if self._of is None or name.startswith("_") or name not in self._of._part_names:
                raise AttributeError(f"{self} has no attribute {name!r}", name=name)
            return self[name]

    def __str__(self) -> str:
        return shown_path(self._whole_path) if self._of is None else str(self._of)

    def __repr__(self) -> str:
        return f"<Element {self}>"

    def _path(self) -> Path:
        return self._whole_path

    def _literal(self, value: Any) -> AttributeValue:
        form: AttributeValue = super()._part_literal(value) if self._of is None else self._of._literal(value)
        return form

    def _bound(self, operator: Comparator, value: Any) -> AttributeValue:
        form: AttributeValue = self._literal(value) if self._of is None else self._of._bound(operator, value)
        return form

    def _ordered(self, condition: str) -> None:
        if self._of is not None:
            self._of._ordered(condition)

    def _part_literal(self, value: Any) -> AttributeValue:
        form: AttributeValue = super()._part_literal(value) if self._of is None else self._of._part_literal(value)
        return form

    def _prefix_literal(self, prefix: Any) -> AttributeValue:
        form: AttributeValue = super()._prefix_literal(prefix) if self._of is None else self._of._prefix_literal(prefix)
        return form

    def _kind(self, draft: type[Draft]) -> bool:
        if self._of is None or self._of.free:
            return draft is not SetDraft
        kind: bool = self._of._kind(draft)
        return kind

    def _check_change(self, draft: type[Draft], verb: str) -> None:
        source = self._whole_path.source
        if source.read_only:
            raise source.unchangeable()
        if self._of is not None and self._of.read_only and verb != "set_if_missing":
            raise self._of.unchangeable()
        if draft is SetDraft:
            raise InvalidUpdateError(
                f"{self} lies inside {self._whole_path.source}, and members of a set are changed only where the set is "
                "an attribute of its own; set it whole"
            )
        super()._check_change(draft, verb)

    def _noun(self) -> str:
        return "part of a free-form value" if self._of is None else type(self._of).__name__

    def _refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        return (error or FieldValidationException)(
            f"{self} cannot hold {value!r}: {reason}",
            field=self._whole_path.source.attribute,
            value=value,
            reason=reason,
        )

    def _form_to_set(self, value: Any) -> AttributeValue | None:
        form: AttributeValue | None = self._form_of_part(value) if self._of is None else self._of.encode(value)
        return form

    def _form_of_amount(self, amount: Any) -> AttributeValue:
        form: AttributeValue = self._form_of_part(amount) if self._of is None else self._of._form_of_amount(amount)
        return form

    def _form_of_part(self, value: Any) -> AttributeValue:
        """The stored form of a part of the field's value, by the field itself, which may have its own ways."""
        if self._of is not None:
            return self._of._form_of_part(value)  # type: ignore[no-any-return]
        field, depth = self._root
        if field._part_names:
            raise InvalidUpdateError(
                f"{self} is stored in one way by one class of {field} and in another by another; set an instance whole"
            )
        parts = self._whole_path.parts[depth:]
        for part in reversed(parts):
            value = {part: value} if isinstance(part, str) else [value]
        form: AttributeValue = field._literal(value)
        for part in parts:
            form = form["M"][part] if isinstance(part, str) else form["L"][0]
        return form


class Part(Element):
    """What a field of a model holds inside another model: `ForumThread.address.city`. Without a value it is removed."""

    __slots__ = ()

    def __init__(self, path: Path, of: Any) -> None:
        self._whole_path = path
        self._of = of

    def _check_removal(self) -> None:
        if self._of.required:
            raise self._of._missing()

    def _form_to_set(self, value: Any) -> AttributeValue | None:
        form: AttributeValue | None = self._of._form_to_set(value)
        return form

    def _refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        return self._of.refusal(value, reason, error)  # type: ignore[no-any-return]
