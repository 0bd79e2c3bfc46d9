"""Records of a table's stream, with the instances that they tell of."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar, cast

from msgspec import Struct

from dynamix.codec.dynamodb_json import checked_item
from dynamix.codec.names import Key
from dynamix.codec.values import UnstorableError
from dynamix.errors import StoredValueError, ValidationException
from dynamix.model.running import schema_of
from dynamix.schema.table import Schema
from dynamix.wire import Item

M = TypeVar("M")

Event = Literal["INSERT", "MODIFY", "REMOVE"]


class StreamRecord(Struct, Generic[M], frozen=True, eq=False):
    """One change of an item, as DynamoDB Streams and AWS Lambda tell it.

    `old` and `new` are the instances before and after it, None where there was none or where the stream's view type
    leaves it out. `expired` says that the service removed the item since its time to live was over. `raw` is the record
    itself.
    """

    event: Event
    key: Key[M]
    old: M | None
    new: M | None
    sequence_number: str
    expired: bool
    raw: Mapping[str, Any]


def record_of(model: type[M], record: Mapping[str, Any]) -> StreamRecord[M]:
    """The record of a stream of the model's table. Raises ValidationException or StoredValueError."""
    schema = schema_of(model)
    try:
        told = record["dynamodb"]
        event = record["eventName"]
        sequence_number = told["SequenceNumber"]
        key, old, new = (
            None if told.get(name) is None else checked_item(told[name]) for name in ("Keys", "OldImage", "NewImage")
        )
    except (KeyError, TypeError, AttributeError, UnstorableError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ValidationException(
            f"this is no record of a stream: {reason}; give an element of `Records`, as GetRecords has them"
        ) from error
    if event not in ("INSERT", "MODIFY", "REMOVE") or key is None:
        raise ValidationException(f"a record of {event!r} with the key {key!r} is none of a stream")
    names = {field.name: field.attribute for field in schema.table.keys}
    if key.keys() != names.keys():
        raise ValidationException(
            f"the record is of a table with the key {', '.join(key)}; that of {model.__name__} is {', '.join(names)}"
        )
    reader = schema.codec.reader(_table(record))
    own = _model_of(schema, new or old, key)
    return StreamRecord(
        event=cast(Event, event),
        key=Key(own, schema.key.from_stored({names[name]: value for name, value in key.items()})),
        old=None if old is None else loaded(model, reader.instance(old)),
        new=None if new is None else loaded(model, reader.instance(new)),
        sequence_number=sequence_number,
        expired=(record.get("userIdentity") or {}).get("principalId") == "dynamodb.amazonaws.com",
        raw=record,
    )


def records_of(model: type[M], event: Mapping[str, Any]) -> list[StreamRecord[M]]:
    """The records of an event that AWS Lambda was called with, but for those of guards of unique values and of other
    models' items. Raises what `record_of` raises."""
    records: object = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, Iterable):
        raise ValidationException("an event of a stream has a list of `Records`")
    return [
        record_of(model, record)
        for record in records
        if not (_is_of_guard(model, record) or _is_foreign(model, record))
    ]


def _is_of_guard(model: type[Any], record: object) -> bool:
    """Whether a record tells of a guard that stands in the model's own table."""
    match record:
        case {"dynamodb": {"Keys": Mapping() as key}}:
            return schema_of(model).is_guard(key)
    return False


def _is_foreign(model: type[Any], record: object) -> bool:
    """Whether a record tells of an item of another model in the same table. Raises StoredValueError where it does not
    tell of which it is."""
    schema = schema_of(model)
    match record:
        case {"dynamodb": Mapping() as told} if schema.kinds is not None and not schema.kinds.is_whole:
            item = next((told[name] for name in ("NewImage", "OldImage", "Keys") if told.get(name)), None)
            return isinstance(item, Mapping) and schema.kinds.model_of(item, schema.table.keys) is None
    return False


def _model_of(schema: Schema[M], image: Item | None, key: Item) -> type[Any]:
    """The model of an item of which a record tells."""
    if schema.kinds is None:
        return schema.model
    try:
        return schema.kinds.model_of(image or key, schema.table.keys) or schema.model
    except StoredValueError:
        if image is not None:
            raise
        return schema.model


def loaded(model: type[M], instance: M) -> M:
    """The instance, after the model's own `after_load`."""
    after_load = schema_of(model).hooks.after_load
    if after_load is not None:
        after_load(instance)
    return instance


def _table(record: Mapping[str, Any]) -> str:
    """The table of which a record tells, by the ARN of its stream, which AWS Lambda adds; empty where there is none."""
    parts = str(record.get("eventSourceARN", "")).split("/")
    return parts[1] if len(parts) > 1 else ""
