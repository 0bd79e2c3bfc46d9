"""What actions are made from: fields, and the elements inside maps and lists (see `dynamix.fields.element`).

    Page.title.set("x")    Page.views.add(1)    Page.words["the"].remove()    Page.total.set(Page.price + Page.tax)

As with conditions, a value is checked and encoded at once, so that a wrong one is refused where it is written. Values
are bound to the kind of field by the type of `self`: a checker refuses `Page.title.add(1)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, overload

from dynamix.conditions import Conditions
from dynamix.errors import FieldValidationException, InvalidUpdateError, WrongTypeError
from dynamix.expressions.nodes import Path, Value
from dynamix.updates.actions import (
    Action,
    Add,
    Append,
    Computed,
    Delete,
    Prepend,
    Remove,
    Set,
    SetIfMissing,
    field_at,
)
from dynamix.updates.draft import Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.number import NumberDraft
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

V = TypeVar("V")
N = TypeVar("N", bound=float | Decimal | timedelta)
"""What can be added: the values of a field that is stored as a number."""

Members: TypeAlias = set[Any]
Elements: TypeAlias = list[Any]


class Changeable(Conditions[V]):
    """What has a document path whose value can be changed."""

    __slots__ = ()

    def set(self, value: V | Computed[V] | Changeable[V] | None) -> Action:
        """Set the value: one that is given, another field's, or what is computed of two (`Page.price + Page.tax`).

        A field set to None, or to an empty set, is removed (with `null=True` None is stored as NULL); an element set to
        None is stored as NULL.
        """
        self._check_change(Draft, "set")
        if isinstance(value, Computed | Changeable):
            return Set(self._path(), self._readable(value))
        form = self._form_to_set(value)
        return Remove(self._path()) if form is None else Set(self._path(), Value(form))

    def set_if_missing(self, value: V) -> Action:
        """Set the value where none is stored; a NULL counts as none."""
        self._check_change(Draft, "set_if_missing")
        form = self._form_to_set(value)
        if form is None or "NULL" in form:
            raise self._refusal(value, "set_if_missing sets a value; leave it out, or use remove()")
        return SetIfMissing(self._path(), Value(form))

    def remove(self) -> Action:
        """Remove the value. One that is not there is no error."""
        self._check_change(Draft, "remove")
        self._check_removal()
        return Remove(self._path())

    @overload
    def add(self: Changeable[Members], value: Iterable[Any]) -> Action: ...
    @overload
    def add(self: Changeable[N], value: N) -> Action: ...
    def add(self, value: Any) -> Action:
        """Add a number to a number (negative: subtract), or members to a set, atomically.

        A missing number counts as its default, or else as 0; a missing set is created.
        """
        if self._kind(SetDraft) and not self._kind(NumberDraft):
            self._check_change(SetDraft, "add")
            return Add(self._path(), self._members(value))
        self._check_change(NumberDraft, "add")
        return Add(self._path(), self._number(value))

    def delete(self: Changeable[Members], members: Iterable[Any]) -> Action:
        """Delete members from a set. Those that are not there are left at that; an emptied set is removed."""
        self._check_change(SetDraft, "delete")
        return Delete(self._path(), self._members(members))

    def append(self: Changeable[Elements], value: Any) -> Action:
        """Put a value behind the elements of a list, or all elements of a list. A missing list is created."""
        self._check_change(ListDraft, "append")
        return Append(self._path(), self._elements(value))

    def prepend(self: Changeable[Elements], value: Any) -> Action:
        """Put a value before the elements of a list, or all elements of a list. A missing list is created."""
        self._check_change(ListDraft, "prepend")
        return Prepend(self._path(), self._elements(value))

    def __add__(self: Changeable[N], other: N | Changeable[N]) -> Computed[N]:
        return Computed("+", self._operand_read(), self._operand_of(other))

    def __radd__(self: Changeable[N], other: N) -> Computed[N]:
        return Computed("+", self._operand_of(other), self._operand_read())

    def __sub__(self: Changeable[N], other: N | Changeable[N]) -> Computed[N]:
        return Computed("-", self._operand_read(), self._operand_of(other))

    def __rsub__(self: Changeable[N], other: N) -> Computed[N]:
        return Computed("-", self._operand_of(other), self._operand_read())

    if not TYPE_CHECKING:  # a type checker refuses the assignment of what it takes for a sum

        def __iadd__(self, other: object) -> NoReturn:
            """`Page.views += 1` would put a sum in the place of the field."""
            raise InvalidUpdateError(f"{self} is a field of the class, which += would replace; use {self}.add(...)")

        __isub__ = __iadd__

    def _kind(self, draft: type[Draft]) -> bool:
        """Whether changes that drafts of this class fold can be made."""
        raise NotImplementedError

    def _check_change(self, draft: type[Draft], verb: str) -> None:
        """Refuse what cannot be changed, and what is not of the kind that an action is for."""
        if not self._kind(draft):
            raise InvalidUpdateError(f"{self} is a {self._noun()}; {verb} is for {draft.noun}")

    def _check_removal(self) -> None:
        """Refuse to remove what must have a value."""

    def _noun(self) -> str:
        raise NotImplementedError

    def _refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        raise NotImplementedError

    def _form_to_set(self, value: Any) -> AttributeValue | None:
        """The stored form of a new value, checked in every way; None of what is not stored."""
        raise NotImplementedError

    def _form_of_part(self, value: Any) -> AttributeValue:
        """The stored form of what is added or appended."""
        raise NotImplementedError

    def _form_of_amount(self, amount: Any) -> AttributeValue:
        """The stored form of a number to add."""
        raise NotImplementedError

    def _members(self, members: Iterable[Any]) -> Value:
        if isinstance(members, str | bytes) or not isinstance(members, Iterable):
            raise self._refusal(members, "give a set of elements, not a single one", WrongTypeError)
        return Value(self._form_of_part(frozenset(members)))

    def _elements(self, value: Any) -> Value:
        return Value(self._form_of_part(list(value) if isinstance(value, list | tuple) else [value]))

    def _number(self, amount: Any) -> Value:
        form = self._form_of_amount(amount)
        if "N" not in form:
            raise self._refusal(amount, "it is not stored as a number, so nothing can be added to it")
        return Value(form)

    def _operand_read(self) -> Path:
        """The path as an operand that the service computes with."""
        if not self._kind(NumberDraft):
            raise InvalidUpdateError(f"{self} is a {self._noun()}, and the service computes with numbers only")
        return _no_key(self._path())

    def _operand_of(self, other: Any) -> Path | Value:
        if isinstance(other, Computed):
            raise InvalidUpdateError("an update computes one + or - of two operands; set one field at a time")
        if not isinstance(other, Changeable):
            return self._number(other)
        _check_alike(self._path(), other._path())
        return other._operand_read()

    def _readable(self, value: Computed[Any] | Changeable[Any]) -> Path | Computed[Any]:
        """What a new value is read from."""
        if isinstance(value, Changeable):
            _check_alike(self._path(), value._path())
            return _no_key(value._path())
        if not self._kind(NumberDraft):
            raise InvalidUpdateError(f"{self} is a {self._noun()}, and what the service computes is a number")
        for operand in value.operands:
            if isinstance(operand, Path):
                _check_alike(self._path(), operand)
        return value


def _no_key(path: Path) -> Path:
    """The same path. Refuses a part of the key, which whoever names an item knows."""
    if path.source.hash_key or path.source.range_key:
        raise InvalidUpdateError(f"{path.source} is part of the key, which the call knows; give its value itself")
    if path.source.was is not None:
        raise InvalidUpdateError(
            f"{path.source} may still be stored as {path.source.was!r}, and an update reads one attribute; load the "
            "item and change the instance"
        )
    return path


def _check_alike(path: Path, other: Path) -> None:
    """Refuse to bring together two fields that store values otherwise. Of free-form elements nothing is known."""
    field, source = _converter(path), _converter(other)
    if field is None or source is None:
        return
    if type(field) is not type(source) and not _stores_alike(field, source):
        raise InvalidUpdateError(
            f"{field} is a {type(field).__name__} and {source} a {type(source).__name__}; what one stores need not be "
            "what the other reads"
        )


def _converter(path: Path) -> Any:
    """The field that converts what stands at a path; None of what is free-form."""
    field = field_at(path)
    return None if field is None or field.free else field


def _stores_alike(field: Any, source: Any) -> bool:
    """Whether a field stores all numbers that another one stores, and in the same way."""
    known = False
    for probe in (1, 0.5):
        try:
            form = Decimal(source._literal(probe)["N"])
        except (FieldValidationException, KeyError):
            continue
        try:
            known = Decimal(field._literal(probe)["N"]) == form
        except (FieldValidationException, KeyError):
            return False
        if not known:
            return False
    return known
