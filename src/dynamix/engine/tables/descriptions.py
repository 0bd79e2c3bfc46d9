"""The descriptions of tables: what CreateTable makes of its request, and what the service tells of a table.

A stored description has no statuses and no counts; `told` adds them. Changes of a table are finished when the next
request is answered, so only the answers to them show the statuses between, unless statuses are delayed.
"""

import uuid
from typing import Any

from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.phases import SETTLED, Phase
from dynamix.engine.tables.table import Table

_ON_DEMAND_WARM = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}


def new_description(request: dict[str, Any], arn: str, now: float) -> dict[str, Any]:
    """The description of a table that is being made."""
    name = request["TableName"]
    description: dict[str, Any] = {
        "AttributeDefinitions": request["AttributeDefinitions"],
        "TableName": name,
        "KeySchema": request["KeySchema"],
        "CreationDateTime": round(now, 3),
        "TableArn": arn,
        "TableId": str(uuid.uuid4()),
        "DeletionProtectionEnabled": bool(request.get("DeletionProtectionEnabled")),
    }
    set_billing(description, request, now)
    for index in request.get("LocalSecondaryIndexes") or ():
        described = {member: index[member] for member in ("IndexName", "KeySchema", "Projection")}
        described["IndexArn"] = f"{arn}/index/{index['IndexName']}"
        description.setdefault("LocalSecondaryIndexes", []).append(described)
    for index in request.get("GlobalSecondaryIndexes") or ():
        description.setdefault("GlobalSecondaryIndexes", []).append(new_global(description, index))
    for index in request.get("VectorIndexes") or ():
        description.setdefault("VectorIndexes", []).append(new_vectors(description, index))
    set_settings(description, request)
    return description


def new_global(description: dict[str, Any], index: dict[str, Any]) -> dict[str, Any]:
    """The description of a global index that is being made."""
    name = index["IndexName"]
    described = {member: index[member] for member in ("IndexName", "KeySchema", "Projection")}
    described["IndexArn"] = f"{description['TableArn']}/index/{name}"
    described["ProvisionedThroughput"] = _throughput(index.get("ProvisionedThroughput"))
    set_limits(described, index)
    return described


def new_vectors(description: dict[str, Any], index: dict[str, Any]) -> dict[str, Any]:
    """The description of a vector index that is being made."""
    return {**index, "IndexArn": f"{description['TableArn']}/index/{index['IndexName']}"}


def set_billing(description: dict[str, Any], request: dict[str, Any], now: float) -> None:
    """Describe how the table's throughput is paid for."""
    mode = request.get("BillingMode")
    if mode == "PAY_PER_REQUEST":
        description["BillingModeSummary"] = {"BillingMode": mode, "LastUpdateToPayPerRequestDateTime": round(now, 3)}
        description["ProvisionedThroughput"] = _throughput(None)
        for index in description.get("GlobalSecondaryIndexes", ()):
            index["ProvisionedThroughput"] = _throughput(None)
    elif mode is not None and "BillingModeSummary" in description:
        description["BillingModeSummary"]["BillingMode"] = mode
    if request.get("ProvisionedThroughput") is not None:
        set_throughput(description, request["ProvisionedThroughput"], now)


def set_throughput(described: dict[str, Any], given: dict[str, int], now: float) -> None:
    """Describe the throughput of a table or global index, and when that was changed."""
    described["ProvisionedThroughput"] = _throughput(given, described.get("ProvisionedThroughput"), now)


def set_limits(described: dict[str, Any], request: dict[str, Any]) -> None:
    """Describe the on-demand limits and the warm throughput of a table or global index; -1 removes a limit."""
    limits = request.get("OnDemandThroughput")
    if limits is not None:
        merged = {**described.get("OnDemandThroughput", {}), **limits}
        described["OnDemandThroughput"] = merged
        if all(units == -1 for units in merged.values()):
            del described["OnDemandThroughput"]
    if request.get("WarmThroughput") is not None:
        described["WarmThroughput"] = {**described.get("WarmThroughput", {}), **request["WarmThroughput"]}


def set_settings(description: dict[str, Any], request: dict[str, Any]) -> None:
    """Describe the settings that a request gives: class, encryption, limits, protection."""
    if "TableClass" in request:
        description["TableClassSummary"] = {"TableClass": request["TableClass"]}
    if "DeletionProtectionEnabled" in request:
        description["DeletionProtectionEnabled"] = request["DeletionProtectionEnabled"]
    sse = request.get("SSESpecification")
    if sse is not None:
        description.pop("SSEDescription", None)
        if sse.get("Enabled"):
            key = sse.get("KMSMasterKeyId", "arn:aws:kms:us-east-1:000000000000:key/dynamodb")
            described = {"Status": "ENABLED", "SSEType": sse.get("SSEType", "KMS"), "KMSMasterKeyArn": key}
            description["SSEDescription"] = described
    set_limits(description, request)


def told(catalog: Catalog, table: Table, phase: Phase = SETTLED) -> dict[str, Any]:
    """The description of a table as the service tells it."""
    description = dict(table.record.description)
    items, size = table.store.totals(catalog.execute)
    entries, packing = _told_vectors(catalog, table, phase)
    size -= packing
    if entries:
        description["VectorIndexes"] = entries
    description |= {"TableStatus": phase.status, "ItemCount": items, "TableSizeBytes": size}
    on_demand = "BillingModeSummary" in description and (
        description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    )
    description["WarmThroughput"] = _warm(description, on_demand=on_demand)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        entries = []
        for entry in description.get(member, ()):
            items, size = table.index(entry["IndexName"]).store.totals(catalog.execute)
            described = {**entry, "ItemCount": items, "IndexSizeBytes": size}
            if member == "GlobalSecondaryIndexes":
                described |= _status(phase, entry["IndexName"])
                described["WarmThroughput"] = _warm(entry, on_demand=on_demand)
            entries.append(described)
        if entries:
            description[member] = entries
    if phase.gone is not None:
        member, entry = phase.gone
        description[member] = [*description.get(member, ()), entry]
    return description


def _status(phase: Phase, index: str) -> dict[str, Any]:
    """The status of an index. One that is made with its table is never filled."""
    status = phase.indexes.get(index, "ACTIVE")
    if status == "CREATING" and phase.status != "CREATING":
        return {"IndexStatus": status, "Backfilling": phase.backfilling}
    return {"IndexStatus": status}


def _told_vectors(catalog: Catalog, table: Table, phase: Phase) -> tuple[list[dict[str, Any]], int]:
    """The descriptions of the vector indexes, and by how much the table is smaller as its vectors are floats."""
    entries = []
    packing: dict[str, int] = {}
    for index, entry in zip(table.vectors, table.record.description.get("VectorIndexes", ()), strict=True):
        state = index.rows.state(catalog.execute)
        packing[index.attribute] = state.packing
        described = {**entry, "ItemCount": state.items, "IndexSizeBytes": state.bytes}
        entries.append(described | _status(phase, index.name))
    return entries, sum(packing.values())


def _throughput(
    given: dict[str, int] | None, old: dict[str, Any] | None = None, now: float | None = None
) -> dict[str, Any]:
    """The description of a throughput; of a changed one it tells when it rose and fell."""
    given = given or {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    described: dict[str, Any] = {"NumberOfDecreasesToday": 0, **given}
    if old is None or now is None:
        return described
    for member in ("LastIncreaseDateTime", "LastDecreaseDateTime"):
        if member in old:
            described[member] = old[member]
    described["NumberOfDecreasesToday"] = old["NumberOfDecreasesToday"]
    if any(given[member] > old[member] for member in given):
        described["LastIncreaseDateTime"] = round(now, 3)
    if any(given[member] < old[member] for member in given):
        described["LastDecreaseDateTime"] = round(now, 3)
        described["NumberOfDecreasesToday"] += 1
    return described


def _warm(described: dict[str, Any], *, on_demand: bool) -> dict[str, Any]:
    throughput = described["ProvisionedThroughput"]
    least = (
        _ON_DEMAND_WARM
        if on_demand
        else {
            "ReadUnitsPerSecond": throughput["ReadCapacityUnits"],
            "WriteUnitsPerSecond": throughput["WriteCapacityUnits"],
        }
    )
    return {**least, **described.get("WarmThroughput", {}), "Status": "ACTIVE"}
