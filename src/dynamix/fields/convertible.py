"""How the values of a field become stored forms and back, and what is refused on the way.

A field's class says in `form` how generated code reads and writes its stored form fast; `to_wire` and `from_wire` are
the plain way, with which the fast one must agree. A class derived from it that converts in its own way is left to these
two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Raw

from dynamix.codec.forms import PLAIN, Form, comparable
from dynamix.codec.generated import reading, writing
from dynamix.codec.state import NULL, as_wire
from dynamix.codec.values import Numbers, UnstorableError
from dynamix.codec.versions import unaligned
from dynamix.conditions import deeper
from dynamix.errors import (
    FieldValidationException,
    InvalidQueryError,
    MissingKeyError,
    ModelDefinitionError,
    RequiredFieldError,
    StoredValueError,
    WrongTypeError,
)
from dynamix.expressions.nodes import Path
from dynamix.fields.changeable import Changeable
from dynamix.fields.checks import check_answer, check_choice
from dynamix.fields.element import Element
from dynamix.fields.refusals import NO_TEXT, shown
from dynamix.interrupts import let_pass
from dynamix.updates.draft import Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

V = TypeVar("V")

_CONVERSIONS = frozenset({"to_wire", "from_wire", "encode", "decode"})
_CHECKS = frozenset({"check"})
_CONTENTS: dict[Any, type] = {
    "S": str, "N": str, "B": str, "BOOL": bool, "NULL": bool, "M": dict, "L": list, "SS": list, "NS": list, "BS": list
}  # fmt: skip
_TAKES = frozenset({"taken"})


class Convertible(Changeable[V], Generic[V]):
    """What has values of type V and stored forms of them. The options that it asks for are set by `Field`."""

    form: Form = PLAIN
    """How values are stored, as far as generated code has to know; PLAIN leaves all to `to_wire` and `from_wire`."""

    draft: ClassVar[type[Draft]] = Draft
    """How changes are folded."""

    key_type: str | None = None
    """The type of a key that this field can be ("S", "N" or "B"), or None where it cannot be one."""

    sorts: bool = True
    """Whether stored forms sort as the values do."""

    ordered: bool = True
    """Whether the values have an order at all."""

    whole: bool = False
    """Whether stored forms have no parts that `contains` or `begins_with` could look for. Numbers never have any."""

    native: ClassVar[type | None] = None
    """The type whose values an instance holds as they are given, where there is one and no transformer."""

    attribute: str = ""
    name: str = ""

    eager: bool = False
    """Whether a value whose form is lazy is read when the item is loaded all the same."""

    numbers: Numbers = float
    """What a number with a fraction reads as in a free-form place."""

    free: bool = False
    """Whether values are free-form, so that nothing is known of the elements inside them."""

    hash_key: bool
    range_key: bool
    transform: Callable[[Any], Any] | None
    choices: tuple[Any, ...] | None
    validator: Callable[[Any], object] | None
    null: bool

    def to_wire(self, value: V) -> AttributeValue:
        """The stored form. Raises ValueError (or whatever else) for a value that the field's type cannot hold."""
        raise NotImplementedError

    def from_wire(self, wire: AttributeValue) -> V:
        """The value of a stored form. Raises ValueError (or whatever else) for one that is not of this field's type."""
        raise NotImplementedError

    def part_to_wire(self, part: Any) -> AttributeValue:
        """The stored form of what `contains` and `begins_with` look for: by `to_wire`, as the values are stored."""
        return self.to_wire(part)

    def check(self, value: V) -> None:
        """Refuse, by ValueError, a value of the right type that the field's own options rule out."""

    def taken(self, value: Any) -> Any:
        """What an instance holds of a value that it is given: what its transformers make of it, and where a class has
        other spellings, what they mean. A value of a wrong type stays as it is, for `encode` to refuse."""
        if self.transform is None or value is None:
            return value
        try:
            return self.transform(value)
        except Exception as error:
            let_pass(error)
            return value

    @property
    def takes(self) -> bool:
        """Whether an instance may hold another value than it is given."""
        return self.transform is not None or self._has_own(_TAKES, "takes")

    @cached_property
    def as_given(self) -> type | None:
        """The type whose values an instance holds as they are given, None where it depends on the value."""
        return self.native if self.transform is None else None

    @property
    def respells(self) -> bool:
        """Whether a value that is edited in place may have parts that were stored in another spelling than the field's
        own."""
        return False

    @property
    def transforms_parts(self) -> bool:
        """Whether fields inside the values have transformers."""
        return False

    _part_names: frozenset[str] = frozenset()
    """The attributes of values that have fields of their own."""

    _needs: frozenset[str] = frozenset()
    """What a stored map has to have, by stored names."""

    def _parts_of(self, value: object) -> dict[str, Any]:
        """The fields of a value by attribute, where it has fields of its own; in place of a tag that its class does not
        declare, what that is."""
        return {}

    def _inside(self, part: str | int) -> Convertible[Any] | None:
        """The field that converts what is stored at a map key or list index inside the values; None of what is
        free-form."""
        return None

    def _element_at(self, path: Path, part: str | int) -> Element:
        """What is inside the value at `path`. Raises InvalidQueryError where nothing can be."""
        if not self.free:
            raise InvalidQueryError(f"{self} is a {type(self).__name__}, which has no element {part!r}")
        return Element(deeper(path, part), None, self)

    def encode(self, value: Any) -> AttributeValue:
        """The stored form of a value, checked in every way. Raises FieldValidationException."""
        if self.transform is not None and value is not None:
            value = self._transformed(value)
        if value is None:
            if self.null:
                return NULL
            raise self._missing()
        wire = self._converted(self.to_wire, value)
        if self._is_constrained:
            self._check(value)
        return wire

    def _check(self, value: Any) -> None:
        """Refuse a value of the right type that the options or the validator rule out."""
        try:
            self.check(value)
            check_choice(self.choices, value)
            if self.validator is not None:
                check_answer(self, self.validator(value))
        except (FieldValidationException, ModelDefinitionError):
            raise
        except Exception as error:  # checks of the user's own may raise whatever
            let_pass(error)
            raise self.refusal(value, _reason(error)) from error

    def _transformed(self, value: Any) -> Any:
        """What the transformers make of a value. Raises FieldValidationException where they fail."""
        assert self.transform is not None  # noqa: S101 - narrows the type; the caller has looked
        try:
            made = self.transform(value)
            again = made if made is None else self.transform(made)
        except Exception as error:
            let_pass(error)
            self._converted(self.to_wire, value)  # which says what is wrong with the type
            raise self.refusal(value, f"its transformers fail: {type(error).__name__}: {error}") from error
        if again != made:
            raise ModelDefinitionError(
                f"the transformers of {self} make {shown(made)} of {shown(value)}, and {shown(again)} of that; a value "
                "that went through them has to stay as it is"
            )
        return made

    def decode(self, wire: AttributeValue) -> V | None:
        """The value of a stored form; None for a stored NULL. Raises StoredValueError."""
        if "NULL" in wire:
            return None
        try:
            return self.from_wire(wire)
        except StoredValueError:  # of a part, which names itself
            raise
        except Exception as error:
            let_pass(error)
            reason = f" ({error})" if isinstance(error, UnstorableError) else ""
            raise StoredValueError(
                f"{self}: the stored value {shown(wire)} is not what a {type(self).__name__} holds{reason}; store "
                "another one, or declare a field that holds it",
                field=self.attribute,
                value=wire,
            ) from error

    def read(self, form: Any) -> V | None:
        """The value of a form that the state of an instance keeps; None for none, and for a stored NULL.

        Raises StoredValueError.
        """
        quick = self._quick
        if quick is not None and type(form) is Raw and form:
            try:
                return quick(form)
            except Exception as error:  # the plain way says what is wrong
                let_pass(error)
        try:
            wire = as_wire(form)
        except msgspec.DecodeError as error:
            raise StoredValueError(f"{self}: the answer is damaged: {error}", field=self.attribute) from error
        return None if wire is None else self.decode(wire)

    @cached_property
    def _quick(self) -> Callable[[Raw], V] | None:
        """What reads the JSON of a stored form, where generated code does. Raises whatever a wrong one makes it."""
        form, numbers = self.own_form, self.numbers
        if form.lazy and form.read:
            return reading(form)
        parse = form.parse
        return None if parse is None else lambda raw: parse(raw, numbers)

    def spells(self, value: Any, form: Any) -> bool | None:
        """Whether a value would be stored in the very JSON that the state of an instance keeps; None where there is
        none, or only the plain way says how the value would be stored."""
        spelling = self._spelling
        if spelling is None or type(form) is not Raw or not form:
            return None
        try:
            spelled = spelling(value)
        except Exception as error:  # of a value that cannot be stored
            let_pass(error)
            return None
        return None if spelled is None else spelled == form

    @cached_property
    def _spelling(self) -> Callable[[Any], Raw | None] | None:
        """What writes the JSON of a value, where generated code does."""
        form = self.own_form
        return writing(form) if form.lazy and form.when else None

    def respelled(self, form: Any, default: Any = None) -> AttributeValue | None:
        """How this field would store what a stored form reads as, or the default that shows for it; None where it would
        store nothing.

        Raises StoredValueError or FieldValidationException.
        """
        value = self.read(form)
        value = default if value is None else value
        try:
            return self._form(value)
        except Exception as error:
            let_pass(error)
            raise self.refusal(value, str(error)) from error

    def as_read(self, form: Any) -> AttributeValue | None:
        """How this field would store what a stored form reads as, element by element: without its transformers, which
        may put elements in another order, or leave some out. Where those of a part do, nothing tells which element is
        which. None where it would store nothing.

        Raises StoredValueError or FieldValidationException.
        """
        value = self.read(form)
        if value is None or value == frozenset():
            return None
        made = self._converted(self.to_wire, value)
        return unaligned(made) if self.transforms_parts and self.decode(made) != value else made

    def differs(self, value: object, expected: object) -> bool:
        """Whether a value would be stored otherwise than the expected one. Where that one cannot be stored, this is
        left to its encoding to say. A class that stores one value otherwise each time (it may encrypt) is asked whether
        the values are equal."""
        try:
            form = comparable(self._form(expected))
        except Exception as error:  # conversions of the user's own may raise whatever
            let_pass(error)
            return False
        try:
            if comparable(self._form(value)) == form:
                return False
        except Exception as error:
            let_pass(error)
            return True
        salted = comparable(self._form(expected)) != form
        return bool(value != expected) if salted else True

    def _form(self, value: Any) -> AttributeValue | None:
        """The stored form of a value, None of what is not stored."""
        if value is None:
            return NULL if self.null else None
        if value == frozenset():
            return None
        return self.to_wire(value if self.transform is None else self._transformed(value))

    def refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        """The error that says that this field cannot hold `value`."""
        return (error or FieldValidationException)(
            f"{self} cannot hold {shown(value)}: {reason}", field=self.attribute, value=value, reason=reason
        )

    def _has_own(self, names: frozenset[str], beside: str) -> bool:
        """Whether one of these methods is from a class below the one that has `beside`."""
        for base in type(self).__mro__:
            if beside in vars(base):
                break
            if not names.isdisjoint(vars(base)):
                return True
        return False

    @cached_property
    def own_form(self) -> Form:
        """The form in force: of a class that converts in its own way, nothing but whether it is read later."""
        lazy = self.form.lazy and not (self.hash_key or self.range_key)
        if self._has_own(_CONVERSIONS, "form") or lazy != self.form.lazy:
            return Form(lazy=lazy, empties=self.form.empties)
        return self.form if self.transform is None else self.form._replace(exact=False)

    @property
    def _lax(self) -> bool:
        """Whether generated code may write what `encode` refuses, so that every value has to go through that."""
        return self.constrained

    @property
    def constrained(self) -> bool:
        """Whether values need more than the check of their type."""
        checked = self.validator is not None or self.choices is not None or self.transform is not None
        return checked or self._has_own(_CHECKS, "constrained")

    @cached_property
    def _is_constrained(self) -> bool:
        return self.constrained

    def _missing(self) -> FieldValidationException:
        if self.hash_key or self.range_key:
            kind = "partition" if self.hash_key else "sort"
            return MissingKeyError(
                f"{self}, the {kind} key, has no value; give {self.attribute}=...",
                field=self.attribute,
                reason="a value is required",
            )
        return RequiredFieldError(
            f"{self} is required and has no value; give {self.attribute.rpartition('.')[2]}=...",
            field=self.attribute,
            reason="a value is required",
        )

    def _literal(self, value: Any) -> AttributeValue:
        if value is None:
            if self.null:
                return NULL
            raise self.refusal(
                value,
                "None is not stored; use exists() and not_exists(), or set_field(field, None) to remove",
                WrongTypeError,
            )
        return self._converted(self.to_wire, value if self.transform is None else self._transformed(value))

    def _form_of_amount(self, amount: Any) -> AttributeValue:
        """The stored form of a number to add, which no transformer is for: it is no value of the field."""
        return self._converted(self.to_wire, amount)

    def _part_literal(self, value: Any) -> AttributeValue:
        if self.whole or self.key_type == "N":
            raise InvalidQueryError(
                f"contains and begins_with look inside what is stored, and {self} is "
                f"{'a number' if self.key_type == 'N' else 'compared whole'}; use eq, is_in"
                f"{' or between' if self.sorts else ''}"
            )
        if self.transform is not None and isinstance(value, str):
            made = self.taken(value)  # letter by letter, such as str.lower; what is cut off may be inside a whole value
            value = made if isinstance(made, str) and len(made) == len(value) else value
        return self._converted(self.part_to_wire, value)

    def _prefix_literal(self, prefix: Any) -> AttributeValue:
        wire = self._part_literal(prefix)
        if issubclass(self.draft, ListDraft | MapDraft | SetDraft) or not wire.keys() & {"S", "B"}:
            raise self.refusal(prefix, "begins_with is for what is stored as a string or as binary", WrongTypeError)
        return wire

    def _converted(self, convert: Callable[[Any], AttributeValue], value: Any) -> AttributeValue:
        try:
            wire = convert(value)
        except FieldValidationException:
            raise
        except Exception as error:  # conversions of the user's own may raise whatever
            let_pass(error)
            of_type = isinstance(error, UnstorableError) and error.of_type
            raise self.refusal(value, _reason(error), WrongTypeError if of_type else None) from error
        if self.is_own:
            self._check_form(wire)
        return wire

    @cached_property
    def is_own(self) -> bool:
        """Whether its class, which converts values in its own way, is a user's."""
        return not type(self).to_wire.__module__.startswith("dynamix.")

    def _check_form(self, wire: Any) -> None:
        """Refuse what a class of the user's own made of a value, where that is no stored form."""
        tag, content = next(iter(wire.items()), ("", None)) if isinstance(wire, dict) else ("", None)
        if not isinstance(content, _CONTENTS.get(tag, ())) or len(wire) > 1:
            raise ModelDefinitionError(
                f"{self}: to_wire of {type(self).__name__} returned {shown(wire)}, which is no stored form such as "
                "{'S': 'text'}, {'N': '1.5'} or {'B': 'the base64 text of bytes'}"
            )
        if tag != self.key_type and (self.hash_key or self.range_key):
            raise ModelDefinitionError(
                f"{self}: to_wire of {type(self).__name__} returned {shown(wire)}, but key_type is {self.key_type!r}"
            )


def _reason(error: Exception) -> str:
    """What an error says of a value."""
    if isinstance(error, UnicodeEncodeError):
        return NO_TEXT
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
