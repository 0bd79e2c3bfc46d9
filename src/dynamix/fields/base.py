"""What all fields share: their options, their place in the model, and the checks of their values.

A field is a non-data descriptor. On the class the name is the Field, from which conditions are made; an instance keeps
its values in its `__dict__`, so reading one is a plain look-up. `Field.__get__` is reached only for a value that is not
there: one that was loaded and not read yet (see `dynamix.codec.compiled`), or one that was not loaded.

A field's class says in `form` how generated code reads and writes its stored form fast; `to_wire` and `from_wire` are
the plain way, with which the fast one must agree. A class derived from it that converts in its own way is left to these
two.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, overload

import msgspec
from msgspec import Raw

from dynamix.codec.forms import PLAIN, Form, comparable
from dynamix.codec.names import name_for
from dynamix.codec.state import LACKING, NULL, STATE, State, as_wire, state_of, stored_of
from dynamix.codec.values import Numbers, UnstorableError
from dynamix.errors import (
    FieldNotLoadedError,
    FieldValidationException,
    InvalidQueryError,
    InvalidUpdateError,
    MissingKeyError,
    ModelDefinitionError,
    RequiredFieldError,
    StoredValueError,
    WrongTypeError,
    unknown,
)
from dynamix.expressions.nodes import Compare, Condition, Path, Unchanged, Value
from dynamix.fields.changeable import Changeable
from dynamix.fields.refusals import shown
from dynamix.interrupts import let_pass
from dynamix.updates.draft import Draft
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")

_CONVERSIONS = frozenset({"to_wire", "from_wire", "encode", "decode"})
_CHECKS = frozenset({"check"})


class Field(Changeable[V], Generic[V, T]):
    """A typed attribute of a model. V is the type of its values, T what an instance shows: V, or V | None."""

    form: Form = PLAIN
    """How values are stored, as far as generated code has to know; PLAIN leaves all to `to_wire` and `from_wire`."""

    draft: ClassVar[type[Draft]] = Draft
    """How changes are folded."""

    key_type: ClassVar[str | None] = None
    """The type of a key that this field can be ("S" or "N"), or None where it cannot be one."""

    sorts: ClassVar[bool] = True
    """Whether stored forms sort as the values do."""

    numbers: Numbers = float
    """What a number with a fraction reads as in a free-form place."""

    attribute: str = ""
    name: str = ""

    def __init__(
        self,
        *,
        name: str | None = None,
        hash_key: bool = False,
        range_key: bool = False,
        indexed: bool = False,
        projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"] = (),
        default: Any = None,
        default_using_instance: Callable[[Any], Any] | None = None,
        required: bool = False,
        validator: Callable[[Any], object] | None = None,
        null: bool = False,
        unique: bool = False,
        **others: object,
    ) -> None:
        self._owner: type | None = None
        for option in others:
            raise unknown(option, f"{type(self).__name__} has no option", self._options())
        if name is not None and (not isinstance(name, str) or not name):
            raise ModelDefinitionError(f"a {self} cannot be stored under the name {name!r}; give a str, not empty")
        self._stored_name = name
        self.hash_key = hash_key
        self.range_key = range_key
        self.indexed = indexed
        self.projections = projections
        self.default = default
        self.default_using_instance = default_using_instance
        self.required = required or hash_key or range_key
        self.validator = validator
        self.null = null
        self.unique = unique
        if null and (self.required or indexed):
            raise ModelDefinitionError(
                f"a {self} that is required, a key or indexed is never NULL; leave out null=True"
            )
        if self.key_type is None and (hash_key or range_key or indexed):
            raise ModelDefinitionError(f"a {self} cannot be a key: it is not stored as a string or a number")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.form.struct is not None:
            msgspec.json.Decoder(cls.form.struct)  # prepares it before several threads use it at once

    @classmethod
    def _options(cls) -> set[str]:
        """The names of the options of this kind of field."""
        makers = (vars(base).get("__init__") for base in cls.__mro__)
        return {name for maker in makers for name in getattr(maker, "__kwdefaults__", None) or ()}

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute
        self.name = self._stored_name if self._stored_name is not None else attribute
        self._owner = owner
        vars(self).pop("_whole", None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return f"{self._owner.__name__}.{self.attribute}" if self._owner is not None else type(self).__name__

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, self.attribute)

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> Self | T:
        if instance is None:
            return self
        try:
            value: T = self.value_in(vars(instance))
        except StoredValueError as error:
            error.key, error.table = _key_of(instance), state_of(vars(instance)).table
            raise
        if value is LACKING:
            raise FieldNotLoadedError(
                f"{self} was not loaded: the index or the projection does not hold it, a transaction changed it, or "
                "the stored item lacks this required field; refresh() the instance, get the item, or query with "
                "requery_for_all_projections=True"
            )
        return value

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T) -> None: ...

    def unchanged(self) -> Condition:
        """Stored as it was loaded, whatever was queued since; missing, if it was missing.

        For the conditions of changes and deletes. Where the field was not loaded they raise InvalidUpdateError.
        """
        return Unchanged(self._path())

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
        """What an instance holds of a value that it is given: where a class has other spellings, what they mean."""
        return value

    def encode(self, value: Any) -> AttributeValue:
        """The stored form of a value, checked in every way. Raises FieldValidationException."""
        if value is None:
            if self.null:
                return NULL
            raise self._missing()
        wire = self._literal(value)
        try:
            self.check(value)
        except ValueError as error:
            raise self.refusal(value, str(error)) from error
        if self.validator is not None:
            self._validate(value)
        return wire

    def decode(self, wire: AttributeValue) -> V | None:
        """The value of a stored form; None for a stored NULL. Raises StoredValueError."""
        if "NULL" in wire:
            return None
        try:
            return self.from_wire(wire)
        except Exception as error:
            let_pass(error)
            raise StoredValueError(
                f"{self}: the stored value {shown(wire)} is not what a {type(self).__name__} holds; store another one, "
                "or declare a field that holds it",
                field=self.attribute,
                value=wire,
            ) from error

    def value_in(self, values: dict[str, Any]) -> Any:
        """The value in an instance's `__dict__`, which is read now where it was left unread; LACKING where it was not
        loaded.

        Raises StoredValueError. Threads that read at once get the same value.
        """
        value = values.get(self.attribute, LACKING)
        if value is not LACKING:
            return value
        state: State | None = values.get(STATE)
        stored = None if state is None else state.stored
        form = LACKING if stored is None else stored.get(self.attribute, LACKING)
        if state is None or form is LACKING:
            return LACKING
        value = self.read(form)
        if value is None and self.default is not None:
            value = copy.deepcopy(state.default(self.attribute, self._storable_default))
        if value is None and self.required:
            return LACKING
        shown = values.setdefault(self.attribute, value)
        if values.get(STATE) is not state:  # another thread committed meanwhile
            if values.get(self.attribute) is value:
                values.pop(self.attribute, None)
            return self.value_in(values)
        return shown

    def read(self, form: Any) -> V | None:
        """The value of a form that the state of an instance keeps; None for none, and for a stored NULL.

        Raises StoredValueError.
        """
        parse = self.own_form.parse
        if parse is not None and type(form) is Raw and form:
            try:
                return parse(form, self.numbers)  # type: ignore[no-any-return]
            except Exception as error:  # the plain way says what is wrong
                let_pass(error)
        try:
            wire = as_wire(form)
        except msgspec.DecodeError as error:
            raise StoredValueError(f"{self}: the answer is damaged: {error}", field=self.attribute) from error
        return None if wire is None else self.decode(wire)

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
        return None if value == frozenset() else self.to_wire(value)

    def _storable_default(self) -> Any:
        """A default for what is not stored. Raises FieldValidationException where no item could hold it."""
        default = self.when_absent()
        try:
            self._form(default)
        except Exception as error:
            let_pass(error)
            raise self.refusal(default, str(error)) from error
        return default

    def same_as(self, instance: object) -> Condition:
        """Equal to what the instance has of this field, in the very form in which it is stored.

        An instance that another program stored may spell its value otherwise than this field would, by which `eq`
        compares. Raises WrongTypeError for what is no instance of the model, and for one that has no value.
        """
        if not isinstance(instance, self._owner or type(self)):
            raise WrongTypeError(
                f"same_as takes an instance that has {self}, not {shown(instance)}", field=self.attribute
            )
        form = self.form_in(vars(instance))
        return Compare("=", self._operand(), Value(form or self._literal(getattr(instance, self.attribute))))

    def form_in(self, values: dict[str, Any]) -> AttributeValue | None:
        """The stored form of an instance's value, where the state keeps it and nobody touched the value."""
        state: State | None = values.get(STATE)
        if state is None or self.attribute not in state.forms:
            return None
        if state.pending is not None and state.pending.changes(self.attribute):
            return None
        form: AttributeValue | None = as_wire(state.forms[self.attribute])
        expected = self.read(form)
        if expected is None:
            expected = (state.defaults or {}).get(self.attribute)
        if self.attribute in values and self.differs(values[self.attribute], expected):
            return None
        return form

    def refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        """The error that says that this field cannot hold `value`."""
        return (error or FieldValidationException)(
            f"{self} cannot hold {shown(value)}: {reason}", field=self.attribute, value=value
        )

    @property
    def has_default(self) -> bool:
        """Whether a new instance may get a value that was not given."""
        return self.default is not None or self.default_using_instance is not None

    def default_for(self, instance: object) -> Any:
        """A fresh default for a new instance, or None."""
        if self.default_using_instance is not None:
            return self.default_using_instance(instance)
        return self.fresh_default()

    def fresh_default(self) -> Any:
        """The default's own copy, or None."""
        return self.default() if callable(self.default) else copy.deepcopy(self.default)

    def when_absent(self) -> Any:
        """What shows where a stored item has no such attribute, or None."""
        return self.fresh_default()

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
        return self.form

    @property
    def constrained(self) -> bool:
        """Whether values need more than the check of their type."""
        return self.validator is not None or self._has_own(_CHECKS, "constrained")

    def _missing(self) -> FieldValidationException:
        if self.hash_key or self.range_key:
            kind = "partition" if self.hash_key else "sort"
            return MissingKeyError(
                f"{self}, the {kind} key, has no value; give {self.attribute}=...", field=self.attribute
            )
        return RequiredFieldError(
            f"{self} is required and has no value; give {self.attribute}=...", field=self.attribute
        )

    def _validate(self, value: V) -> None:
        assert self.validator is not None  # noqa: S101 - narrows the type; the caller has looked
        try:
            accepted = self.validator(value)
        except FieldValidationException:
            raise
        except ValueError as error:
            raise self.refusal(value, str(error)) from error
        if accepted is False:
            raise self.refusal(value, "its validator refuses it")
        if accepted is not None and accepted is not True:
            raise ModelDefinitionError(
                f"the validator of {self} answered {shown(accepted)}; it has to return True or False, or raise "
                "ValueError and return None: put bool(...) around the answer, or for a regular expression give pattern="
            )

    def _path(self) -> Path:
        return self._whole

    @cached_property
    def _whole(self) -> Path:
        """The path of the whole value."""
        return Path((self.name,), self)

    def _literal(self, value: Any) -> AttributeValue:
        if value is None:
            if self.null:
                return NULL
            raise self.refusal(
                value,
                "None is not stored; use exists() and not_exists(), or set_field(field, None) to remove",
                WrongTypeError,
            )
        try:
            return self.to_wire(value)
        except FieldValidationException:
            raise
        except Exception as error:  # conversions of the user's own may raise whatever
            raise self._unconverted(value, error) from error

    def _part_literal(self, value: Any) -> AttributeValue:
        try:
            return self.part_to_wire(value)
        except FieldValidationException:
            raise
        except Exception as error:
            raise self._unconverted(value, error) from error

    def _prefix_literal(self, prefix: str) -> AttributeValue:
        if self.key_type == "N":  # which no text begins; a query says what to do instead
            return {"S": prefix}
        wire = self._part_literal(prefix)
        if "S" not in wire:
            raise self.refusal(prefix, "begins_with is for what is stored as a string", WrongTypeError)
        return wire

    def _unconverted(self, value: Any, error: Exception) -> Exception:
        """The error for what a conversion of `value` raised."""
        let_pass(error)
        of_type = isinstance(error, UnstorableError) and error.of_type
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        return self.refusal(value, reason, WrongTypeError if of_type else None)

    def _kind(self, draft: type[Draft]) -> bool:
        return issubclass(self.draft, draft)

    def _noun(self) -> str:
        return type(self).__name__

    def _refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        return self.refusal(value, reason, error)

    def _check_change(self, draft: type[Draft], verb: str) -> None:
        if self.hash_key or self.range_key:
            raise InvalidUpdateError(
                f"{self} is part of the key, which no update can change; create an item with the new key and "
                "delete this one"
            )
        super()._check_change(draft, verb)

    def _check_removal(self) -> None:
        if self.required:
            raise self._missing()

    def _form_to_set(self, value: Any) -> AttributeValue | None:
        if value is None or value == frozenset():
            self._check_removal()
            return NULL if value is None and self.null else None
        return self.encode(value)

    def _form_of_part(self, value: Any) -> AttributeValue:
        return self._literal(value)

    def _ordered(self, condition: str) -> None:
        if not self.sorts:
            raise InvalidQueryError(
                f"{self} cannot be compared by {condition}: its stored texts do not sort as its values do"
            )


def _key_of(instance: object) -> dict[str, Any]:
    """The key of an instance, as `get` takes it."""
    fields = (field for base in type(instance).__mro__ for field in vars(base).values() if isinstance(field, Field))
    keys = sorted((field for field in fields if field.hash_key or field.range_key), key=lambda field: field.range_key)
    values = vars(instance)
    forms = stored_of(values)
    key = {}
    for field in keys:
        value = values.get(field.attribute)
        key[name_for(field, as_wire(forms.get(field.attribute)), value)] = value
    return key
