"""What tells the models apart whose items stand in one table."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Unpack

from dynamix.errors import InvalidUpdateError, ModelDefinitionError, RequiredFieldError, unknown
from dynamix.fields.base import Field
from dynamix.fields.char import CharField
from dynamix.limits import SORT_KEY_BYTES
from dynamix.updates.draft import Draft

SETTING = "__discriminator__"
"""The name of a model's own value."""


class Stored(TypedDict, total=False):
    """The options of a discriminator: its stored name, whether it is shown, and what becomes of unknown values."""

    name: str
    hidden: bool
    unknown: Literal["raise", "base"]


class DiscriminatorField(CharField[str]):
    """Says of which model an item is: each model that derives from the one with this field gives its own value as
    `__discriminator__`, and its items get it by themselves.

    An item whose value no model has is a StoredValueError where items of several models are read; with `unknown="base"`
    it is an instance of the model that declares this field.
    """

    is_discriminator = True

    def __init__(self, **options: Unpack[Stored]) -> None:
        for option in options:
            if option not in Stored.__annotations__:
                raise unknown(option, f"{type(self).__name__} has no option", Stored.__annotations__)
        given: dict[str, Any] = dict(options)
        self.unknown = given.pop("unknown", "raise")
        if self.unknown not in ("raise", "base"):
            raise ModelDefinitionError(f"a {type(self).__name__} takes unknown='raise' or 'base', not {self.unknown!r}")
        self.members: dict[str, type[Any]] = {}
        self.version = 0  # rises with each member
        super().__init__(required=True, read_only=True, **given)

    @property
    def has_default(self) -> bool:
        return True

    def default_for(self, instance: object) -> str | None:
        return value_of(type(instance))

    def _check_change(self, draft: type[Draft], verb: str) -> None:
        raise self.unchangeable()

    def unchangeable(self) -> InvalidUpdateError:
        return InvalidUpdateError(f"{self} says of which model an item is, and stays; make an item of the other model")

    def json_schema(self) -> dict[str, Any]:
        known = {"enum": list(self.members)} if self.members else {}
        return {**super().json_schema(), **known, "readOnly": True}

    def refused(self, model: type[Any], value: object) -> Exception:
        """Why an item of a model cannot have this value."""
        own = value_of(model)
        if own is None:
            members = ", ".join(sorted(member.__name__ for member in self.members.values())) or "models derived from it"
            return RequiredFieldError(
                f"{model.__name__} is a base, which has no items of its own; make an item of {members}, or give it a "
                f"{SETTING}",
                field=self.attribute,
                reason="a value is required",
            )
        return self.refusal(value, f"an item of {model.__name__} has {own!r}; leave it out")


def value_of(model: type[Any]) -> str | None:
    """The discriminator of a model's items, None for a base of several models."""
    value: str | None = getattr(model, SETTING, None)
    return value


def discriminator_of(model: type[Any]) -> DiscriminatorField | None:
    """The discriminator that a model has, itself or from its bases."""
    for base in model.__mro__:
        for value in list(vars(base).values()):  # another thread may be describing the model
            if isinstance(value, DiscriminatorField):
                return value
    return None


def register(model: type[Any]) -> None:
    """Note the value that a model has of its own. Raises ModelDefinitionError where it cannot have it."""
    value, field = vars(model)[SETTING], discriminator_of(model)
    if isinstance(value, Field) or not isinstance(value, str) or not 0 < len(value.encode()) <= SORT_KEY_BYTES:
        raise ModelDefinitionError(f"{model.__name__}.{SETTING} is {value!r}; give a str, not empty")
    if field is None:
        raise ModelDefinitionError(
            f"{model.__name__} has a {SETTING}, but neither it nor a base of it has a DiscriminatorField that stores it"
        )
    above = [base for base in model.__mro__[1:] if SETTING in vars(base)]
    if above:
        raise ModelDefinitionError(
            f"{model.__name__} derives from {above[0].__name__}, which has items of its own; derive both from a base "
            f"without {SETTING}"
        )
    other = field.members.get(value)
    if other is not None and _name(other) != _name(model):
        raise ModelDefinitionError(f"{other.__name__} and {model.__name__} have the same {SETTING}, {value!r}")
    field.members[value] = model
    field.version += 1


def _name(model: type[Any]) -> tuple[str, str]:
    """By what a class is the same that is made again, as class decorators and reloaded modules do."""
    return model.__module__, model.__qualname__
