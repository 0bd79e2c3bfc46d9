"""The names of a key's attributes.

A key is a dict of attributes and values; a `Key` knows its model besides. Where the stored form of a value is not the
one that its field would give, as other programs may spell it otherwise, the attribute's name in the dict carries that
form: it is a `StoredName`. Names survive what is done to keys, `Model.get(**key)`, copies and pickles among it, and a
dict of them equals a plain one.
"""

import copy
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from dynamix.codec.forms import comparable
from dynamix.errors import FieldValidationException
from dynamix.wire import AttributeValue

M_co = TypeVar("M_co", covariant=True)


class Spelled(Protocol):
    """What spells the values of a key: a field, or its slot."""

    @property
    def attribute(self) -> str: ...

    def respelled(self, form: Any, default: Any, /) -> AttributeValue | None: ...


class Key(dict[str, Any], Generic[M_co]):
    """A key that knows its model: `Model.key_of` and `get_primary_key_dict` make it. Else it is like any dict, and
    equal to one."""

    __slots__ = ("_model",)

    def __init__(self, model: type[M_co], values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._model = model

    @property
    def model(self) -> type[M_co]:
        """The model of whose item this is the key."""
        return self._model

    def __copy__(self) -> "Key[M_co]":
        return Key(self._model, self)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Key[M_co]":
        return Key(self._model, copy.deepcopy(dict(self), memo))

    def __reduce__(self) -> tuple[Any, ...]:
        """Of a model that cannot be found by its name, as one inside a function, a pickle holds the plain dict."""
        found: Any = sys.modules.get(self._model.__module__)
        for name in self._model.__qualname__.split("."):
            found = getattr(found, name, None)
        return (Key, (self._model, dict(self))) if found is self._model else (dict, (dict(self),))


class StoredName(str):
    """The name of a key's attribute, with the value that it was made for and its stored form.

    `exist` says whether there ever was one in this process: in most there is none, and looking for one takes time.
    """

    __slots__ = ("form", "value")
    exist: ClassVar[bool] = False
    form: AttributeValue
    value: object

    def __new__(cls, name: str, form: AttributeValue, value: object) -> "StoredName":
        StoredName.exist = True
        made = super().__new__(cls, name)
        made.form, made.value = form, value
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredName, (str(self), self.form, self.value)

    def says(self, value: object) -> bool:
        """Whether the form is that of `value`, rather than of another that took the place of the one it was made for.
        A value of a class without equality is known by itself."""
        return value is self.value or bool(value == self.value)


def name_for(part: Spelled, form: AttributeValue | None, value: object) -> str:
    """The name under which a key has the value of a stored form, or a value that has none yet."""
    if form is None or comparable(_own_form(part, form)) == comparable(form):
        return part.attribute
    return StoredName(part.attribute, form, value)


def _own_form(part: Spelled, form: AttributeValue) -> AttributeValue | None:
    """How the field itself would store what a stored form reads as; None where it cannot."""
    try:
        return part.respelled(form, None)
    except FieldValidationException:
        return None


def forms_given(names: Mapping[str, object]) -> dict[str, AttributeValue]:
    """The stored forms that a key carries, among names and values that a user gave."""
    return {str(name): name.form for name, value in names.items() if isinstance(name, StoredName) and name.says(value)}
