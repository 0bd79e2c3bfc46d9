"""How a live table differs from a definition, and the UpdateTable requests that make it the same.

One request makes one kind of change, since the service takes no more at once. Protection comes first and billing
second; then indexes are added, and only then removed, so that programs that know the old ones keep them as long as may
be. Where the table has no room for a new index, or knows its key by another type, a removal comes before.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynamix.differences import (
    BillingDiffers,
    BillingMode,
    DeletionProtectionDiffers,
    IndexKeyDiffers,
    IndexMissing,
    IndexProjectionDiffers,
    IndexSurplus,
    Key,
    KeyDiffers,
    KeyTypeDiffers,
    TableDifference,
    Throughput,
    ThroughputDiffers,
    VectorIndexDiffers,
    VectorIndexMissing,
    VectorIndexSurplus,
)
from dynamix.limits import GLOBAL_INDEXES, VECTOR_INDEXES

Description = dict[str, Any]
Indexes = Mapping[str, Description]


def differences(definition: Description, live: Description) -> list[TableDifference]:
    """How a live table differs from a definition: in keys, indexes, and the settings that the definition gives."""
    found: list[TableDifference] = []
    if _key(definition) != _key(live):
        found.append(KeyDiffers(_key(live), _key(definition)))
    found += _key_types(definition, live)
    found += _indexes(_local(definition), _local(live), local=True)
    found += _indexes(_global(definition), _global(live), local=False)
    found += _vector_indexes(_vectors(definition), _vectors(live))
    found += _settings(definition, live)
    return found


def update(definition: Description, live: Description, found: Sequence[TableDifference]) -> Description:
    """The UpdateTable request that makes the next of the changes by which differences go, all of them updatable."""
    change = min((_change(definition, live, difference) for difference in found), key=lambda change: change[0])[1]
    return {"TableName": definition["TableName"], **change}


def _change(definition: Description, live: Description, difference: TableDifference) -> tuple[int, Description]:
    """When a difference has its turn, and the request by which it goes."""
    match difference:
        case DeletionProtectionDiffers(model=protected):
            return 0, {"DeletionProtectionEnabled": protected}
        case BillingDiffers(model=mode):
            return 1, _billing(definition, live, mode)
        case ThroughputDiffers(index=None):
            return 2, {"ProvisionedThroughput": definition["ProvisionedThroughput"]}
        case ThroughputDiffers(index=name):
            throughput = _global(definition)[str(name)]["ProvisionedThroughput"]
            return 2, {
                "GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": name, "ProvisionedThroughput": throughput}}]
            }
        case IndexMissing(index=name):
            index, types = _global(definition)[name], _types(definition)
            keys = {attribute: types[attribute] for attribute, _ in _key(index)}
            known = _types(live)
            fits = len(_global(live)) < GLOBAL_INDEXES and all(known.get(key, keys[key]) == keys[key] for key in keys)
            return 3 if fits else 5, {
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": keys[key]} for key in keys],
                "GlobalSecondaryIndexUpdates": [{"Create": index}],
            }
        case IndexSurplus(index=name):
            return 4, {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
        case VectorIndexMissing(index=name):
            index, types, known = _vectors(definition)[name], _types(definition), _types(live)
            keys = {element["AttributeName"]: types[element["AttributeName"]] for element in _searched(index)}
            fits = len(_vectors(live)) < VECTOR_INDEXES and all(known.get(key, keys[key]) == keys[key] for key in keys)
            change: Description = {"VectorIndexUpdates": [{"Create": index}]}
            if keys:
                change["AttributeDefinitions"] = [{"AttributeName": key, "AttributeType": keys[key]} for key in keys]
            return 3 if fits else 5, change
        case VectorIndexSurplus(index=name):
            return 4, {"VectorIndexUpdates": [{"Delete": {"IndexName": name}}]}
    raise AssertionError(difference)


def _billing(definition: Description, live: Description, mode: BillingMode) -> Description:
    """The change to another billing mode. Paid by throughput, every index that the table has needs its own."""
    if mode == "PAY_PER_REQUEST":
        return {"BillingMode": mode}
    own, wanted = definition["ProvisionedThroughput"], _global(definition)
    units = {name: wanted.get(name, definition)["ProvisionedThroughput"] for name in _global(live)}
    updates = [{"Update": {"IndexName": name, "ProvisionedThroughput": units[name]}} for name in units]
    change = {"BillingMode": mode, "ProvisionedThroughput": own}
    return {**change, "GlobalSecondaryIndexUpdates": updates} if updates else change


def _key_types(definition: Description, live: Description) -> Iterator[TableDifference]:
    """Other types of attributes that are keys of both. An index that only one of them has brings its own."""
    ours, theirs = _types(definition), _types(live)
    indexes = {**_local(live), **_global(live)}
    both = [live, *(index for name, index in indexes.items() if name in {**_local(definition), **_global(definition)})]
    for attribute in dict.fromkeys(attribute for described in both for attribute, _ in _key(described)):
        table = theirs.get(attribute)  # an index that is being removed may be told of after its attributes
        model = ours.get(attribute)
        if table is not None and model is not None and table != model:
            yield KeyTypeDiffers(attribute, table, model)


def _indexes(wanted: Indexes, live: Indexes, *, local: bool) -> Iterator[TableDifference]:
    for name in sorted(wanted.keys() - live.keys()):
        yield IndexMissing(name, local)
    for name in sorted(live.keys() - wanted.keys()):
        yield IndexSurplus(name, local)
    for name in sorted(live.keys() & wanted.keys()):
        table, model = live[name], wanted[name]
        if _key(table) != _key(model):
            yield IndexKeyDiffers(name, _key(table), _key(model))
        if _projection(table) != _projection(model):
            yield IndexProjectionDiffers(name, _projection(table), _projection(model))


def _vector_indexes(wanted: Indexes, live: Indexes) -> Iterator[TableDifference]:
    for name in sorted(wanted.keys() - live.keys()):
        yield VectorIndexMissing(name)
    for name in sorted(live.keys() - wanted.keys()):
        yield VectorIndexSurplus(name)
    for name in sorted(live.keys() & wanted.keys()):
        table, model = live[name], wanted[name]
        for what, parts in (
            ("attribute", [index["VectorAttribute"] for index in (table, model)]),
            ("dimensions", [index["Dimensions"] for index in (table, model)]),
            ("distance", [index["DistanceFunction"] for index in (table, model)]),
            ("search schema", [sorted(map(sorted, map(dict.items, _searched(index)))) for index in (table, model)]),
            ("projection", [_projection(index) for index in (table, model)]),
        ):
            if parts[0] != parts[1]:
                yield VectorIndexDiffers(name, what)


def _settings(definition: Description, live: Description) -> Iterator[TableDifference]:
    table, model = _mode(live.get("BillingModeSummary") or {}), _mode(definition)
    if table != model:
        yield BillingDiffers(table, model)
    elif model == "PROVISIONED":
        yield from _throughput(None, live, definition)
        for name, index in _global(definition).items():
            if name in _global(live):
                yield from _throughput(name, _global(live)[name], index)
    protected = bool(live.get("DeletionProtectionEnabled"))
    if definition.get("DeletionProtectionEnabled", protected) != protected:
        yield DeletionProtectionDiffers(protected, not protected)


def _throughput(index: str | None, live: Description, wanted: Description) -> Iterator[TableDifference]:
    table, model = _units(live), _units(wanted)
    if table != model:
        yield ThroughputDiffers(index, table, model)


def _local(described: Description) -> Indexes:
    return {index["IndexName"]: index for index in described.get("LocalSecondaryIndexes") or ()}


def _global(described: Description) -> Indexes:
    return {index["IndexName"]: index for index in described.get("GlobalSecondaryIndexes") or ()}


def _vectors(described: Description) -> Indexes:
    return {index["IndexName"]: index for index in described.get("VectorIndexes") or ()}


def _searched(index: Description) -> list[dict[str, str]]:
    """The attributes of which a search gives values."""
    return index.get("SearchSchema") or []


def _key(described: Description) -> Key:
    return tuple((entry["AttributeName"], entry["KeyType"]) for entry in described["KeySchema"])


def _types(described: Description) -> dict[str, str]:
    return {entry["AttributeName"]: entry["AttributeType"] for entry in described["AttributeDefinitions"]}


def _projection(index: Description) -> str | frozenset[str]:
    projection = index["Projection"]
    kind: str = projection["ProjectionType"]
    return frozenset(projection.get("NonKeyAttributes") or ()) if kind == "INCLUDE" else kind


def _mode(billing: Description) -> BillingMode:
    """The service describes no billing mode of a table that never had another one than the first."""
    mode: BillingMode = billing.get("BillingMode", "PROVISIONED")
    return mode


def _units(described: Description) -> Throughput:
    throughput = described.get("ProvisionedThroughput") or {}
    return throughput.get("ReadCapacityUnits", 0), throughput.get("WriteCapacityUnits", 0)
