"""Models: a class is a table, an instance an item.

An instance's values live in its `__dict__`. Changes are queued (`set_field`, `add_to_field`, ...; assigning to an
attribute is `set_field`), shown at once, and sent together by `commit_changes()`. Every method that talks to DynamoDB
has an async twin of the same name with an `a` in front.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from dynamix.codec.names import Key, StoredName, forms_given
from dynamix.codec.state import STATE, State
from dynamix.connection import Connection
from dynamix.errors import ValidationException, nearest, unknown
from dynamix.fields.base import Field
from dynamix.model import computing
from dynamix.model.changing import Changing, assign
from dynamix.model.converting import Converting
from dynamix.model.names import check_names
from dynamix.model.reading import Reading
from dynamix.model.running import schema_of
from dynamix.model.writing import Writing
from dynamix.schema.index import IndexOptions


class Model(Reading, Writing, Changing, Converting):
    """The base of all models.

    A model gives `__table_name__` (default: the class's name), `ReadCapacityUnits` and `WriteCapacityUnits` (absent:
    on-demand billing), `DeletionProtectionEnabled` (absent: as the table has it), `__secondary_indexes__`, and
    `__connection__` to use another connection than the default. `__unique__` lists tuples of fields whose values
    together no two items have; `__unique_in_table__` keeps the guards of unique values in the model's own table.
    `__discriminator__` tells its items from those of other models in the same table (see DiscriminatorField).
    `__schema_version__` is the version of the schema, kept in the attribute `__schema_version_name__` of each item
    (default: "schema_version"); functions decorated with `upgrade` lead there from the older ones.
    """

    __table_name__: ClassVar[str]
    __secondary_indexes__: ClassVar[Mapping[str, IndexOptions]]
    __connection__: ClassVar[Connection | None] = None
    __unique__: ClassVar[Sequence[Sequence[str | Field[Any, Any]]]]
    __unique_in_table__: ClassVar[bool]
    __discriminator__: ClassVar[str]
    __schema_version__: ClassVar[int]
    __schema_version_name__: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_names(cls, Model)
        if "__discriminator__" in vars(cls):
            from dynamix.fields import discriminator  # which programs without shared tables never need

            discriminator.register(cls)

    def __init__(self, /, **values: Any) -> None:
        schema = schema_of(type(self))
        shown = vars(self)
        shown.update(schema.blank)
        shown.update(values)
        if len(shown) > len(schema.blank):
            for name in values:
                schema.field(name)
        for given in schema.taking:
            if given.attribute in values and type(values[given.attribute]) is not given.as_given:
                shown[given.attribute] = given.taken(values[given.attribute])
        state = shown[STATE] = State(new=schema.key.is_less_than(values))
        if StoredName.exist and StoredName in map(type, values):
            state.given = forms_given(values)
        for attribute, field in schema.defaults:
            if shown[attribute] is None:
                default = shown[attribute] = field.default_for(self)
                if not state.new and default is not None:
                    state.default(attribute, partial(copy.deepcopy, default))

    def validate(self) -> None:
        """Raise FieldValidationException if a value could not be stored."""
        schema = schema_of(type(self))
        schema.whole.item(schema.read_all(vars(self)))

    def is_valid(self) -> bool:
        """Whether all values could be stored."""
        with suppress(ValidationException):
            self.validate()
            return True
        return False

    def get_primary_key_dict(self) -> Key[Self]:
        """The key as `get` takes it: attributes and values.

        Where another program spelled a value otherwise than its field would, the dict remembers how: what takes a key
        (`get(**key)`, `exists`, `batch_get`, `delete_by_key`, `batch_delete`) reaches this very item.
        """
        return Key(type(self), schema_of(type(self)).key.names_of(vars(self)))

    @property
    def undeclared(self) -> Mapping[str, Any]:
        """What the item has beside the fields of the model: Python values by stored names, to read only.

        Whole writes of the instance give it back as it is stored. Whole numbers are int, others Decimal. Empty for a
        new instance. Raises FieldNotLoadedError where the instance was loaded in part. (A field of this name wins.)
        """
        return schema_of(type(self)).whole.undeclared(vars(self))

    def __repr__(self) -> str:
        values = schema_of(type(self)).shown(vars(self), hidden=False)
        shown = (f"{name}={value!r}" for name, value in values.items() if value is not None)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        schema = schema_of(type(self))
        return schema.shown(vars(self)) == schema.shown(vars(other))

    def __hash__(self) -> int:
        """By the key, since equal instances have equal ones. Raises MissingKeyError where it is not complete."""
        schema = schema_of(type(self))
        values = [vars(self).get(field.attribute) for field in schema.table.keys]
        if None in values:
            schema.key.of(vars(self))
        return hash((type(self), *values))

    if not TYPE_CHECKING:  # a type checker that saw these would let every name pass

        def __getattr__(self, name: str) -> Any:
            """Called for what is not there. Raises AttributeError, which suggests the nearest name."""
            if not hasattr(type(self), name):
                raise AttributeError(_absent(self, name), name=name)  # with `obj`, Python would suggest once more
            return object.__getattribute__(self, name)  # a field or property, with what it raises itself

        def __setattr__(self, name: str, value: Any) -> None:
            fields = schema_of(type(self)).fields
            field = fields.get(name)
            if field is None:
                if not name.startswith("_") and not hasattr(type(self), name):
                    raise unknown(name, f"{type(self).__name__} has no field", fields)
                super().__setattr__(name, value)
            elif (field.hash_key or field.range_key) and vars(self).get(name) is None:
                field.encode(value)
                value = field.taken(value)
                made = computing.renewed(schema_of(type(self)), vars(self), {name: value})
                vars(self)[name] = value
                computing.apply(vars(self), made)
            else:
                assign(self, field, value)

    def __getstate__(self) -> object:
        """What a copy or a pickle holds: everything read that was loaded, and queued changes of its own."""
        schema_of(type(self)).shown(vars(self))
        copied = super().__getstate__()
        state: State | None = vars(self).get(STATE)
        if state is None:
            return copied
        values, *slots = copied if isinstance(copied, tuple) else (copied,)
        twin = state.copy()
        values = {**values, STATE: twin}
        if twin.pending is not None:
            values.update(twin.pending.shows())
        return (values, *slots) if slots else values


def _absent(instance: Model, name: str) -> str:
    """What an AttributeError says. Python's own protocols look for private names, which need no suggestion."""
    near = nearest(name, filter(_is_public, dir(type(instance)))) if _is_public(name) else None
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{type(instance).__name__!r} object has no attribute {name!r}{hint}"


def _is_public(name: str) -> bool:
    return not name.startswith("_")
