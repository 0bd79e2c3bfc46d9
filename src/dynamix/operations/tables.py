"""Flows on tables: create, compare, drop, count. They wait by pausing between descriptions."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from dynamix.errors import (
    DynamixError,
    FieldValidationException,
    ModelDefinitionError,
    OutcomeUnknownError,
    TableInUseError,
    TableNotFoundError,
)
from dynamix.fields.base import NO_TEXT, shown
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import Index
from dynamix.schema.table import Schema, Table
from dynamix.wire import Call, Flow, Pause

M = TypeVar("M")
P = ParamSpec("P")
T = TypeVar("T")
Description = dict[str, Any]

_MOST_WAIT = 600.0  # seconds; the service takes a few for a table, minutes for many indexes


def create(policy: RetryPolicy, table: Table[Any], force: bool) -> Flow[list[str]]:
    """Create the model's table and wait until it is active. The result lists how an existing table differs from the
    model.

    An existing table is left alone, or with `force` dropped first.
    """
    definition = define(table)
    existing = yield from describe(policy, table)
    if existing is not None and existing["TableStatus"] == "DELETING":
        existing = yield from _wait(policy, table, gone=True)
    if existing is not None and force:
        yield from drop(policy, table, existing)
        existing = None
    if existing is None:
        yield from _create(policy, table, definition, force)
    active = yield from _wait(policy, table, gone=False)
    return differences(definition, active or {})


def _create(policy: RetryPolicy, table: Table[Any], definition: dict[str, Any], force: bool) -> Flow[None]:
    """Ask for the table. Where no answer comes, whether it exists tells what became of the request.

    Raises TableInUseError where somebody else made it first, and `force` wants a fresh one.
    """
    lost: OutcomeUnknownError | None = None
    for seconds in islice(_waits(), policy.attempts):
        try:
            yield from request(policy, _call("CreateTable", definition, "TableDescription"))
            return
        except TableInUseError:
            if force and lost is None:
                raise
            return
        except OutcomeUnknownError as error:
            lost = error
        if (yield from describe(policy, table)) is not None:
            return
        yield Pause(seconds)
    assert lost is not None  # noqa: S101 - the loop ends otherwise by return or raise
    raise lost


def drop(policy: RetryPolicy, table: Table[Any], before: Description) -> Flow[None]:
    """Delete the table that has this description, and wait until it is gone. One that is gone already is no error.

    Where no answer comes, the table tells what became of the request: it is gone, or going, or another than before.
    """
    failures = 0
    for seconds in _waits():
        try:
            yield from request(policy, _call("DeleteTable", {"TableName": table.name}, "TableDescription"))
            break
        except TableNotFoundError:
            return
        except TableInUseError:
            yield Pause(seconds)
        except OutcomeUnknownError:
            failures += 1
            now = yield from describe(policy, table)
            if now is None or now.get("TableId") != before.get("TableId"):
                return
            if now["TableStatus"] == "DELETING":
                break
            if failures == policy.attempts:
                raise
            yield Pause(seconds)
    yield from _wait(policy, table, gone=True)


def describe(policy: RetryPolicy, table: Table[Any]) -> Flow[Description | None]:
    """The service's description of the table, or None where it does not exist."""
    try:
        return (yield from request(policy, _call("DescribeTable", {"TableName": table.name}, "Table")))
    except TableNotFoundError:
        return None


def count(policy: RetryPolicy, table: Table[Any]) -> Flow[int]:
    """The number of items as the service's description has it, which it updates about every six hours."""
    description = yield from request(policy, _call("DescribeTable", {"TableName": table.name}, "Table"))
    return int(description.get("ItemCount", 0))


def explained(table: Table[Any], error: TableNotFoundError | UnicodeEncodeError) -> DynamixError:
    """What to raise in place of an error that does not say enough: which table does not exist and how to make it, or
    which text could not be written as JSON."""
    if isinstance(error, UnicodeEncodeError):
        return no_text(table, error)
    name = table.schema.model_name
    return TableNotFoundError(
        f"the table {table.name!r} of {name} does not exist; create it with dynamix.create_table({name})",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )


def no_text(table: Table[Any], error: UnicodeEncodeError) -> FieldValidationException:
    """The error for a text that cannot be written as JSON."""
    return FieldValidationException(
        f"a {table.schema.model_name} cannot hold {shown(error.object)}: {NO_TEXT}", field="", value=error.object
    )


def explaining(
    flow: Callable[Concatenate[RetryPolicy, Table[M], P], Flow[T]],
    policy: RetryPolicy,
    table: Table[M],
    *args: P.args,
    **kw: P.kwargs,
) -> Flow[T]:
    """A flow on a table whose errors say which table does not exist, and which text could not be written."""
    try:
        return (yield from flow(policy, table, *args, **kw))
    except (TableNotFoundError, UnicodeEncodeError) as error:
        raise explained(table, error) from error


def _wait(policy: RetryPolicy, table: Table[Any], *, gone: bool) -> Flow[Description | None]:
    """Wait until the table and its indexes are active, or until it is gone."""
    for seconds in _waits():
        description = yield from describe(policy, table)
        if gone:
            if description is None:
                return None
        elif description is not None and _active(description):
            return description
        yield Pause(seconds)
    state = "gone" if gone else "active"
    late = DynamixError(f"the table {table.name!r} is not {state} after {_MOST_WAIT:.0f} seconds; ask again later")
    late.applied = "maybe"
    raise late


def _active(description: Description) -> bool:
    indexes = description.get("GlobalSecondaryIndexes", ())
    return description["TableStatus"] == "ACTIVE" and all(i.get("IndexStatus", "ACTIVE") == "ACTIVE" for i in indexes)


def _waits() -> Iterator[float]:
    """The seconds to wait between two looks: short at first, for places that are quick."""
    seconds, waited = 0.02, 0.0
    while waited < _MOST_WAIT:
        yield seconds
        waited += seconds
        seconds = min(seconds * 1.5, 5.0)


def _call(target: str, body: dict[str, Any], member: str) -> Call[Description]:
    """A request whose answer has a table's description as this member."""

    def described(answer: bytes) -> Description:
        description = _decode(answer).get(member)
        if description is None or not {"TableName", "TableStatus"} <= description.keys():
            raise msgspec.DecodeError(f"it has no {member} with a name and a status")
        return description

    return Call(target, msgspec.json.encode(body), described, repeatable=target == "DescribeTable")


_decode = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode


def define(table: Table[Any]) -> dict[str, Any]:
    """The CreateTable request of a model. Raises ModelDefinitionError."""
    schema = table.schema
    indexes = list(schema.indexes.values())
    keys = {field.name: field.key_type for index in (schema.table, *indexes) for field in index.keys}
    definition: dict[str, Any] = {
        "TableName": table.name,
        "KeySchema": _key_schema(schema.table),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
        **_billing(schema),
    }
    local = [_index(schema, index) for index in indexes if index.local]
    if local:
        definition["LocalSecondaryIndexes"] = local
    other = [{**_index(schema, index), **_index_capacity(schema, index)} for index in indexes if not index.local]
    if other:
        definition["GlobalSecondaryIndexes"] = other
    return definition


def _key_schema(index: Index) -> list[dict[str, str]]:
    return [
        {"AttributeName": field.name, "KeyType": role}
        for field, role in zip(index.keys, ("HASH", "RANGE"), strict=False)
    ]


def _billing(schema: Schema[Any]) -> dict[str, Any]:
    read, write = schema.read_capacity, schema.write_capacity
    if read is None and write is None:
        return {"BillingMode": "PAY_PER_REQUEST"}
    if read is None or write is None:
        raise ModelDefinitionError(
            f"{schema.model_name} gives only one of ReadCapacityUnits and WriteCapacityUnits; give both, or none for "
            "on-demand billing"
        )
    return {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write},
    }


def _index_capacity(schema: Schema[Any], index: Index) -> dict[str, Any]:
    """The capacity of a global index: its own, else the table's; on demand with the table."""
    if schema.read_capacity is None:
        return {}
    read = schema.read_capacity if index.read_capacity is None else index.read_capacity
    write = schema.write_capacity if index.write_capacity is None else index.write_capacity
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def _index(schema: Schema[Any], index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.projection == "INCLUDE":
        keys = {field.name for field in (*schema.table.keys, *index.keys)}
        names = [field.name for field in index.included if field.name not in keys]
        projection = (
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": names} if names else {"ProjectionType": "KEYS_ONLY"}
        )
    return {"IndexName": index.name, "KeySchema": _key_schema(index), "Projection": projection}


def differences(definition: Description, live: Description) -> list[str]:
    """How a live table's keys and indexes differ from a definition, one sentence each."""
    found = []
    if definition["KeySchema"] != live["KeySchema"]:
        found.append(f"its key is {_shown(live['KeySchema'])}, the model's {_shown(definition['KeySchema'])}")
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in live["AttributeDefinitions"]}
    for entry in definition["AttributeDefinitions"]:
        name, kind = entry["AttributeName"], entry["AttributeType"]
        if types.get(name, kind) != kind:
            found.append(f"its key attribute {name!r} has the type {types[name]}, the model's {kind}")
    for group in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        found += _index_differences(definition.get(group, ()), live.get(group) or ())
    return found


def _index_differences(wanted: Any, live: Any) -> list[str]:
    ours = {index["IndexName"]: index for index in wanted}
    theirs = {index["IndexName"]: index for index in live}
    found = [f"it lacks the index {name!r}" for name in ours.keys() - theirs.keys()]
    found += [f"it has the index {name!r}, the model not" for name in theirs.keys() - ours.keys()]
    for name in ours.keys() & theirs.keys():
        if ours[name]["KeySchema"] != theirs[name]["KeySchema"]:
            found.append(f"the index {name!r} has other keys")
        if _projection(ours[name]) != _projection(theirs[name]):
            found.append(f"the index {name!r} has another projection")
    return sorted(found)


def _projection(index: Description) -> tuple[str, frozenset[str]]:
    projection = index["Projection"]
    return projection["ProjectionType"], frozenset(projection.get("NonKeyAttributes") or ())


def _shown(key_schema: list[dict[str, str]]) -> str:
    return ", ".join(f"{entry['AttributeName']} ({entry['KeyType']})" for entry in key_schema)
