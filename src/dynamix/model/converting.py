"""The verbs that turn instances into other forms, and other forms into instances. Nothing is sent."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from dynamix.codec.values import UnstorableError, decode
from dynamix.errors import ValidationException
from dynamix.fields.base import Field
from dynamix.late import later
from dynamix.model.changing import assign
from dynamix.model.running import schema_of
from dynamix.schema.table import Schema
from dynamix.wire import Item

if TYPE_CHECKING:
    from dynamix.codec import dynamodb_json
    from dynamix.model import plain, records
else:
    later(
        globals(),
        dynamodb_json="dynamix.codec.dynamodb_json",
        plain="dynamix.model.plain",
        records="dynamix.model.records",
    )

M = TypeVar("M")
Fields = Iterable[Field[Any, Any] | str]
"""Fields, or the names of their attributes."""


class Converting:
    """What becomes of instances outside of the table, and instances of what comes from there."""

    def to_son(self, *, include: Fields | None = None, exclude: Fields = ()) -> dict[str, Any]:
        """The values as what `json.dumps` takes: of all fields that are not hidden, or of those that are included, less
        those excluded.

        Sets are sorted lists, times ISO 8601 text, timedeltas seconds, bytes base64, and numbers that neither int nor
        float holds exactly are text. What a field class of your own makes, and JSON does not know, is as it is stored.
        """
        schema = schema_of(type(self))
        values = schema.shown(schema.read_all(vars(self)))
        chosen = _chosen(schema, include, exclude)
        return {name: _printed(schema.fields[name], value) for name, value in values.items() if name in chosen}

    def to_item(self) -> Item:
        """The whole item in DynamoDB's JSON form, by stored names, as it would be put: `{"title": {"S": "Emma"}}`.

        Binary values are base64 text. Raises FieldValidationException, and InvalidUpdateError where the instance was
        loaded in part.
        """
        schema = schema_of(type(self))
        item = schema.item_of(schema.read_all(vars(self)))
        return msgspec.json.decode(msgspec.json.encode(item), type=Item)

    @classmethod
    def from_item(cls, item: Mapping[str, Any], /) -> Self:
        """The instance of an item in DynamoDB's JSON form, as if it had been loaded.

        Binary values may be base64 text, or bytes as boto3's client has them. Raises ValidationException for what is
        not in that form, and StoredValueError for a value that its field cannot read.
        """
        return _from_item(cls, dynamodb_json.checked_item, item)

    def to_dict(self) -> dict[str, Any]:
        """The whole item in Python values by stored names, as boto3's resource has it: numbers are Decimal, binary is
        bytes. Raises what `to_item` raises."""
        schema = schema_of(type(self))
        return dynamodb_json.python_values(schema.item_of(schema.read_all(vars(self))))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], /) -> Self:
        """The instance of an item in such values, as if it had been loaded. Raises what `from_item` raises."""
        return _from_item(cls, dynamodb_json.from_python, values)

    def replace(self, /, **values: Any) -> Self:
        """A copy with other values, which nothing connects with this instance.

        With the same key it is the same item, and the values are changes that `save()` sends. With another key it is a
        new item. Raises UnknownNameError or FieldValidationException.
        """
        model = type(self)
        schema = schema_of(model)
        keys = schema.key_parts
        shown = vars(self)
        if any(name in keys and schema.field(name) and value != shown.get(name) for name, value in values.items()):
            given = {**schema.read_all(vars(copy.deepcopy(self))), **values}
            made = {field.attribute: field.computed(schema.fields, given) for field in schema.computed}
            given = {**given, **made, **values}
            schema.item_of(given)  # refuses what was loaded in part
            return model(**{name: given[name] for name in schema.fields if given.get(name) is not None})
        twin = copy.deepcopy(self)
        for name, value in values.items():
            field = schema.field(name)
            if name not in keys:
                assign(twin, field, value)
        return twin

    @classmethod
    def from_stream_record(cls, record: Mapping[str, Any], /) -> records.StreamRecord[Self]:
        """A record of the table's stream, from GetRecords or from an event, with its old and new instance.

        Raises ValidationException for what is no such record, and StoredValueError for a value that its field cannot
        read.
        """
        return records.record_of(cls, record)

    @classmethod
    def from_lambda_event(cls, event: Mapping[str, Any], /) -> list[records.StreamRecord[Self]]:
        """The records of an event that AWS Lambda was called with for the table's stream, in their order. Raises what
        `from_stream_record` raises."""
        return records.records_of(cls, event)


def _chosen(schema: Schema[Any], include: Fields | None, exclude: Fields) -> set[str]:
    """The attributes of the fields that are named. Raises UnknownNameError for one that the model does not have."""
    left_out = {_attribute(schema, field) for field in exclude}
    if include is None:
        return {name for name, field in schema.fields.items() if not field.hidden} - left_out
    return {_attribute(schema, field) for field in include} - left_out


def _attribute(schema: Schema[Any], field: Field[Any, Any] | str) -> str:
    return schema.field(field.attribute if isinstance(field, Field) else field).attribute


def _from_item(model: type[M], read: Any, given: Mapping[str, Any]) -> M:
    schema = schema_of(model)
    try:
        item: Item = read(given)
    except UnstorableError as error:
        raise ValidationException(f"{model.__name__}: {error}") from error
    return records.loaded(model, schema.codec.reader("").instance(item))


def _printed(field: Any, value: Any) -> Any:
    """The JSON form of a value, or of its stored form where JSON knows none."""
    if value is None:
        return None
    if field._part_names:
        parts = field._parts_of(value).items()
        return {
            name: _printed(part, getattr(value, name)) if isinstance(part, Field) else part
            for name, part in parts
            if not (isinstance(part, Field) and part.hidden)
        }
    of = field._inside(0)
    if of is not None and isinstance(value, dict):
        return {key: _printed(of, element) for key, element in value.items()}
    if of is not None and isinstance(value, list):
        return [_printed(of, element) for element in value]
    try:
        return plain.plain(value)
    except plain.UnprintableError:
        return plain.plain(decode(field._literal(value)))
    except RecursionError as error:
        raise field.refusal(value, "it is nested too deep to be printed") from error
