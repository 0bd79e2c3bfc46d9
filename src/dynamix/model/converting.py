"""The verbs that turn instances into other forms, and other forms into instances. Nothing is sent."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from dynamix.codec.state import state_of
from dynamix.codec.values import UnstorableError
from dynamix.errors import ValidationException
from dynamix.late import later
from dynamix.model.changing import assign
from dynamix.model.running import schema_of
from dynamix.wire import Item

if TYPE_CHECKING:
    from dynamix.codec import dynamodb_json
    from dynamix.fields import objects
    from dynamix.fields.objects import Mode
    from dynamix.model import records, sons
    from dynamix.model.sons import Fields
else:
    later(
        globals(),
        dynamodb_json="dynamix.codec.dynamodb_json",
        objects="dynamix.fields.objects",
        records="dynamix.model.records",
        sons="dynamix.model.sons",
    )

M = TypeVar("M")


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
        fields = sons.chosen(schema, include, exclude)
        return {name: sons.printed(field, values[name]) for name, field in fields.items() if name in values}

    @classmethod
    def from_son(cls, son: Mapping[str, Any], /) -> Self:
        """A new instance of what `to_son` shows, or a client sent: `from_son(note.to_son())` equals `note`.

        What is not there, or null, is not given, so it gets its default. Each value is read by its field and checked;
        a value that JSON does not have, such as a datetime, is taken as it is. Raises FieldValidationException, whose
        `errors` tell of all that is wrong, and UnknownNameError. What is required is asked for when it is stored.
        """
        return cls(**sons.read_all(schema_of(cls), son))

    @classmethod
    def json_schema(
        cls, *, mode: Mode = "validation", include: Fields | None = None, exclude: Fields = ()
    ) -> dict[str, Any]:
        """The JSON schema (draft 2020-12) of what `from_son` takes and a new item needs, or with `mode="serialization"`
        of what `to_son` gives: of all fields, or of those that are included, less those excluded.

        Raises UnknownNameError for a field that the model does not have, ValidationException for another mode.
        """
        schema = schema_of(cls)
        return objects.object_schema(cls, sons.chosen(schema, include, exclude, hidden=mode == "validation"), mode)

    def to_item(self) -> Item:
        """The whole item in DynamoDB's JSON form, by stored names, as it would be put: `{"title": {"S": "Emma"}}`.

        Binary values are base64 text. Raises FieldValidationException, and InvalidUpdateError where the instance was
        loaded in part.
        """
        schema = schema_of(type(self))
        item = schema.whole.item(schema.read_all(vars(self)))
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
        return dynamodb_json.python_values(schema.whole.item(schema.read_all(vars(self))))

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
        keys = schema.key.parts
        shown = vars(self)
        if any(name in keys and schema.field(name) and value != shown.get(name) for name, value in values.items()):
            given = {**schema.read_all(vars(copy.deepcopy(self))), **values}
            made = {field.attribute: field.computed(schema.fields, given) for field in schema.computed}
            given = {**given, **made, **values}
            schema.whole.item(given)  # refuses what was loaded in part
            if schema.version is not None and schema.version.attribute not in values:
                del given[schema.version.attribute]  # a new item starts at one of its own
            new = model(**{name: given[name] for name in schema.fields if given.get(name) is not None})
            state_of(vars(new)).others = state_of(shown).others
            return new
        twin = copy.deepcopy(self)
        for name, value in values.items():
            field = schema.field(name)
            if name not in keys:
                assign(twin, field, value)
        return twin

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """What pydantic asks a class that is a field, a body or a response."""
        from dynamix.model import pydantic  # which is asked for by pydantic alone

        return pydantic.of_model(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        """What pydantic asks for its JSON schema."""
        schema, mode = schema_of(cls), handler.mode
        return objects.object_schema(cls, sons.chosen(schema, None, (), hidden=mode == "validation"), mode)

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


def _from_item(model: type[M], read: Any, given: Mapping[str, Any]) -> M:
    schema = schema_of(model)
    try:
        item: Item = read(given)
    except UnstorableError as error:
        raise ValidationException(f"{model.__name__}: {error}") from error
    return records.loaded(model, schema.codec.reader("").instance(item))
