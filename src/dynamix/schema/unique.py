"""Which values of a model are unique, and what the guards are that keep them so.

A guard is an item of its own. Its key stands for a unique value, it records the key of the item that has the value, its
*owner*, and it expires when that item does. Guards stand in a companion table, or in the model's own one: there their
keys begin with a text that no key of the model may begin with.

The key of a guard is a JSON list of stored names, types and values, so no two values have one key. Two values are the
same where they read as the same: numbers by value, times by the instant, texts as they are stored.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from dynamix.codec.forms import comparable
from dynamix.errors import FieldValidationException, ModelDefinitionError, StoredValueError, unknown
from dynamix.fields.base import Field
from dynamix.fields.boolean import BooleanField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.refusals import shown
from dynamix.fields.ttl import TTLField
from dynamix.limits import PARTITION_KEY_BYTES
from dynamix.schema.index import AnyField, Index
from dynamix.wire import AttributeValue, Item

COMPANION = "_unique"
"""How the name of a companion table ends, after that of the model's table."""

WITHIN = "dynamix.unique"
"""How the keys of guards in the model's own table begin; their sort key is this text alone."""

KEY, OWNER, EXPIRES = "guard", "owner", "expires"
"""The attributes of a guard in a companion table."""

OWNER_WITHIN = "dynamix.owner"
"""The attribute of guards in the model's own table by which they are told from its items."""


class Unique(Struct, frozen=True, eq=False):
    """Fields, by stored name, whose values together no two items of the table have."""

    fields: tuple[AnyField, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.fields))

    def text(self, item: Item) -> str | None:
        """What stands for the values that an item has; None where one of them is missing.

        Raises FieldValidationException for a field that stores a value otherwise each time.
        """
        parts: list[object] = []
        for field in self.fields:
            form = item.get(field.name)
            if form is None or "NULL" in form:
                return None
            parts.append(field.name)
            parts += next(iter(_of_value(field, form).items()))
        return msgspec.json.encode(parts).decode()

    def values(self, item: Item) -> tuple[object, ...]:
        """The values that an item has, all of them there."""
        return tuple(field.decode(item[field.name]) for field in self.fields)

    def shown(self, item: Item) -> str:
        """The same with the names of the fields, as people read them."""
        return ", ".join(f"{field}={shown(field.decode(item[field.name]))}" for field in self.fields)


class Guards(Struct, frozen=True, eq=False):
    """The guards of a model: what they guard, and by which names their attributes are stored.

    `expiry` is the model's TTLField. Guards within the model's own table have the names of its key.
    """

    uniques: tuple[Unique, ...]
    expiry: AnyField | None = None
    within: bool = False
    key_name: str = KEY
    range_name: str | None = None
    owner_name: str = OWNER
    expires_name: str = EXPIRES

    def touched(self, changed: Collection[str]) -> tuple[Unique, ...]:
        """Those whose guards may change with fields of these full names ("User.email"). With the expiry all of them do,
        since they expire with the item."""
        if str(self.expiry) in changed:
            return self.uniques
        return tuple(unique for unique in self.uniques if any(str(field) in changed for field in unique.fields))

    def holds(self, text: str) -> bool:
        """Whether a guard can have what stands for a unique value as its key, which is none too long."""
        return len(self.key(text)[self.key_name]["S"].encode()) <= PARTITION_KEY_BYTES

    def check(self, unique: Unique, text: str, item: Item) -> None:
        """Raise FieldValidationException for the values of an item that no guard can have in its key."""
        if not self.holds(text):
            values = dict(zip(unique.fields, unique.values(item), strict=True))
            longest = max(values, key=lambda field: len(str(values[field])))
            raise FieldValidationException(
                f"{longest} cannot be kept unique with {shown(values[longest])}: the key of its guard would have more "
                f"than {PARTITION_KEY_BYTES} bytes; store a shorter value",
                field=longest.attribute,
                value=values[longest],
            )

    def key(self, text: str) -> Item:
        """The key of a guard, with what stands for its value."""
        key = {self.key_name: {"S": WITHIN + text if self.within else text}}
        return key if self.range_name is None else {**key, self.range_name: {"S": WITHIN}}

    def owner(self, key: Item) -> AttributeValue:
        """What a guard records of the item with this key."""
        return {"M": {name: comparable(form) for name, form in key.items()}}

    def item(self, key: Item, owner: AttributeValue, expires: AttributeValue | None) -> Item:
        """The whole guard."""
        guard = {**key, self.owner_name: owner}
        return guard if expires is None or "NULL" in expires else {**guard, self.expires_name: expires}


def guards_of(model: type, fields: Mapping[str, AnyField], table: Index, indexes: Sequence[Index]) -> Guards | None:
    """The guards that a model needs, None for none. Raises ModelDefinitionError or UnknownNameError."""
    alone = [Unique((field,)) for field in fields.values() if field.unique]
    together = [_together(model, fields, names) for names in _declared(model)]
    uniques = list({str(unique): unique for unique in (*alone, *together)}.values())
    for unique in uniques:
        _check(unique, table)
    within = getattr(model, "__unique_in_table__", False)
    if not isinstance(within, bool):
        raise ModelDefinitionError(f"{model.__name__}.__unique_in_table__ is {within!r}; give True or False")
    if not uniques:
        return None
    expiry = next((field for field in fields.values() if isinstance(field, TTLField)), None)
    if not within:
        return Guards(tuple(uniques), expiry)
    _check_within(model, fields, table, indexes)
    range_name = None if table.range_key is None else table.range_key.name
    expires = EXPIRES if expiry is None else expiry.name
    return Guards(tuple(uniques), expiry, True, table.hash_key.name, range_name, OWNER_WITHIN, expires)


def _declared(model: type) -> Sequence[object]:
    declared = getattr(model, "__unique__", ())
    if not isinstance(declared, list | tuple):
        raise ModelDefinitionError(
            f"{model.__name__}.__unique__ is {declared!r}; give a list of tuples of fields whose values together are "
            "unique"
        )
    return declared


def _together(model: type, fields: Mapping[str, AnyField], names: object) -> Unique:
    """The fields of one entry of `__unique__`, which are given by their names or themselves."""
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str | Field) for name in names):
        raise ModelDefinitionError(
            f"{model.__name__}.__unique__ has {names!r}; give tuples of fields whose values together are unique, such "
            'as ("tenant", "email"), and a single field unique=True'
        )
    found = {}
    for name in names:
        attribute = name.attribute if isinstance(name, Field) else name
        if attribute not in fields:
            raise unknown(attribute, f"{model.__name__}.__unique__ names a field that does not exist:", fields)
        found[fields[attribute].name] = fields[attribute]
    return Unique(tuple(found[name] for name in sorted(found)))


def _check(unique: Unique, table: Index) -> None:
    """Refuse what cannot be kept unique."""
    for field in unique.fields:
        if field.key_type is None and not isinstance(field, BooleanField):
            raise ModelDefinitionError(
                f"{field} cannot be unique: a {type(field).__name__} is not stored as one string or number"
            )
        if isinstance(field, TTLField) or (isinstance(field, DateTimeField) and field.auto_now):
            raise ModelDefinitionError(f"{field} cannot be unique: it says when, which writes change by themselves")
    if all(any(field is key for key in table.keys) for field in unique.fields):
        raise ModelDefinitionError(
            f"{unique} cannot be unique apart from the item: no two items of a table have one key, and what a part of "
            "it is unique in is its table; leave out unique=True, or store the value in a field outside the key as well"
        )


def _check_within(model: type, fields: Mapping[str, AnyField], table: Index, indexes: Sequence[Index]) -> None:
    """Refuse guards in a table that cannot hold them, or whose indexes would not tell them from items."""
    for key in table.keys:
        if key.key_type != "S":
            raise ModelDefinitionError(
                f"{model.__name__} cannot have guards in its own table, where {key} is no string; leave out "
                "__unique_in_table__"
            )
    if any(field.name == OWNER_WITHIN for field in fields.values()):
        raise ModelDefinitionError(f"the stored name {OWNER_WITHIN!r} is that of guards in {model.__name__}'s table")
    for index in indexes:
        holds = all(isinstance(key, TTLField) or any(key is own for own in table.keys) for key in index.keys)
        if holds and index.projection != "ALL":
            raise ModelDefinitionError(
                f"the index {index.name!r} would hold guards of {model.__name__} without what tells them from items; "
                'give it projections="ALL", or leave out __unique_in_table__'
            )


def _of_value(field: AnyField, form: AttributeValue) -> AttributeValue:
    """The form that all spellings of a value have in common."""
    if not field.own_form.exact:
        try:
            value = field.decode(form)
        except StoredValueError:  # another program's; it is like no value of the field's
            return form
        form = field.to_wire(value)
        if isinstance(value, datetime):
            moment = value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
            form = {"S": moment.isoformat()}
        elif comparable(form) != comparable(field.to_wire(value)):
            raise FieldValidationException(
                f"{field} cannot be kept unique: it stores one value otherwise each time",
                field=field.attribute,
                value=value,
            )
    return comparable(form) or form
