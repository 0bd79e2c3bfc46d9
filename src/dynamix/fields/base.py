"""What all fields share: their options, their place in the model and in its instances.

A field is a non-data descriptor. On the class the name is the Field, from which conditions are made; an instance keeps
its values in its `__dict__`, so reading one is a plain look-up. `Field.__get__` is reached only for a value that is not
there: one that was loaded and not read yet (see `dynamix.codec.compiled`), or one that was not loaded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

import msgspec

from dynamix.codec.names import name_for
from dynamix.codec.state import LACKING, NULL, STATE, State, as_wire, state_of, stored_of
from dynamix.errors import (
    FieldNotLoadedError,
    FieldValidationException,
    InvalidQueryError,
    InvalidUpdateError,
    ModelDefinitionError,
    StoredValueError,
    WrongTypeError,
    unknown,
)
from dynamix.expressions.nodes import Compare, Condition, Path, Unchanged, Value
from dynamix.fields.checks import Transform, function_of, options_of, transformer
from dynamix.fields.printable import Printable
from dynamix.fields.refusals import shown
from dynamix.interrupts import let_pass
from dynamix.updates.draft import Draft
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")


class Field(Printable[V], Generic[V, T]):
    """A typed attribute of a model. V is the type of its values, T what an instance shows: V, or V | None."""

    is_discriminator = False
    """Whether it tells the models apart that share a table."""

    def __init__(
        self,
        *,
        name: str | None = None,
        hash_key: bool = False,
        range_key: bool = False,
        indexed: bool = False,
        projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"] = (),
        index_name: str | None = None,
        was: str | None = None,
        default: Any = None,
        default_using_instance: Callable[[Any], Any] | None = None,
        required: bool = False,
        validator: Callable[[Any], object] | None = None,
        choices: Collection[Any] | None = None,
        transform: Transform | None = None,
        null: bool = False,
        unsorted: bool = False,
        hidden: bool = False,
        read_only: bool = False,
        unique: bool = False,
        description: str | None = None,
        **others: object,
    ) -> None:
        self._owner: type | None = None
        self._place = ""
        for option in others:
            raise unknown(option, f"{type(self).__name__} has no option", self._options())
        if name is not None and (not isinstance(name, str) or not name):
            raise ModelDefinitionError(f"a {self} cannot be stored under the name {name!r}; give a str, not empty")
        self._stored_name = name
        self.hash_key = hash_key
        self.range_key = range_key
        self.indexed = indexed
        self.projections = projections
        self.index_name = index_name
        self.was = was
        self.default = default
        self.default_using_instance = function_of("default_using_instance", default_using_instance)
        self.required = required or hash_key or range_key
        self.validator = function_of("validator", validator)
        self.choices = options_of(choices)
        self.transform = transformer(transform)
        self.null = null
        self.unsorted = unsorted
        self.hidden = hidden
        self.read_only = read_only
        self.unique = unique
        self._description = description
        if null and (self.required or indexed):
            raise ModelDefinitionError(
                f"a {self} that is required, a key or indexed is never NULL; leave out null=True"
            )
        if self.key_type is None and (hash_key or range_key or indexed):
            raise ModelDefinitionError(f"a {self} cannot be a key: it is not stored as a string, a number or binary")

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

    @property
    def owner(self) -> type[Any]:
        """The class that declares the field."""
        assert self._owner is not None  # noqa: S101 - a class was made with it
        return self._owner

    def place(self, attribute: str, shown_as: str) -> None:
        """Stand for what is inside an attribute, under this name in errors."""
        self.attribute, self._place = attribute, shown_as

    def placed(self, attribute: str, shown_as: str) -> Self:
        """Another field that is like this one but stands there."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        vars(twin).pop("_whole", None)
        twin.place(attribute, shown_as)
        return twin

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        if self._place:
            return self._place
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
        if state.pending is None:
            shown = values.setdefault(self.attribute, value)
        if state.pending is not None:  # perhaps another thread made it just now
            shown = state.pending.show(values, state, self.attribute, value)
        elif values.get(STATE) is not state:
            shown = LACKING
        if shown is LACKING:  # another thread stored the instance meanwhile
            if values.get(self.attribute) is value:
                values.pop(self.attribute, None)
            return self.value_in(values)
        return shown

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
        if getattr(type(instance), self.attribute, None) is not self:  # several models may have it
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

    @property
    def has_default(self) -> bool:
        """Whether a new instance may get a value that was not given."""
        return self.default is not None or self.default_using_instance is not None

    def default_for(self, instance: object) -> Any:
        """A fresh default for a new instance, or None."""
        if self.default_using_instance is not None:
            return self.taken(self.default_using_instance(instance))
        return self.fresh_default()

    def fresh_default(self) -> Any:
        """The default's own copy, or None."""
        return self.taken(self.default() if callable(self.default) else copy.deepcopy(self.default))

    def when_absent(self) -> Any:
        """What shows where a stored item has no such attribute, or None."""
        return self.fresh_default()

    def _path(self) -> Path:
        return self._whole

    def _operand(self) -> Path:
        return self._whole

    @cached_property
    def _whole(self) -> Path:
        """The path of the whole value."""
        return Path((self.name,), self)

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
        if self.read_only and verb != "set_if_missing":
            raise self.unchangeable()
        super()._check_change(draft, verb)

    def unchangeable(self) -> InvalidUpdateError:
        """The error for a change of what is read-only."""
        return InvalidUpdateError(f"{self} is read-only: its value is given when the item is made, and stays")

    def _check_removal(self) -> None:
        if self.required:
            raise self._missing()

    def _form_to_set(self, value: Any) -> AttributeValue | None:
        value = self.taken(value)
        if value is None or value == frozenset():
            self._check_removal()
            return NULL if value is None and self.null else None
        return self.encode(value)

    def _form_of_part(self, value: Any) -> AttributeValue:
        return self._literal(value)

    def _ordered(self, condition: str) -> None:
        if not self.sorts:
            raise InvalidQueryError(
                f"{self} cannot be compared by {condition}: what is stored does not sort as its values do"
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
