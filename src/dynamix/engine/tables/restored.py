"""The definition of a table that is made from another one: that of its source, with what a request has otherwise."""

from typing import Any

from dynamix.engine.faults import invalid
from dynamix.engine.tables import billing, definitions

_INVALID = "One or more parameter values were invalid: "
_OVERRIDES = {
    "LocalSecondaryIndexes": "LocalSecondaryIndexOverride",
    "GlobalSecondaryIndexes": "GlobalSecondaryIndexOverride",
    "VectorIndexes": "VectorIndexOverride",
}
_TOLD_ONLY = frozenset({"IndexArn", "ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"})
_UNITS = ("ReadCapacityUnits", "WriteCapacityUnits")


def definition(source: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The definition, as CreateTable takes it, of a table made from one with the description `source`.

    Raises Fault for what no table can have, and for an index that the source has not.
    """
    mode = request.get("BillingModeOverride", billing.mode_of(source))
    defined: dict[str, Any] = {
        "TableName": request["TargetTableName"],
        "KeySchema": source["KeySchema"],
        "BillingMode": mode,
    }
    for member, override in _OVERRIDES.items():
        indexes = _chosen(source.get(member, []), request[override], override) if override in request else None
        if indexes is None:
            indexes = [_index(index, source, mode) for index in source.get(member, ())]
        if indexes:
            defined[member] = indexes
    _pay(defined, source, request, mode)
    if "TableClassSummary" in source:
        defined["TableClass"] = source["TableClassSummary"]["TableClass"]
    encryption = request.get("SSESpecificationOverride") or _encryption(source)
    if encryption is not None:
        defined["SSESpecification"] = encryption
    definitions.define(defined, definitions.attribute_types(source["AttributeDefinitions"]))
    definitions.check_table(defined)
    return defined


def _chosen(existing: list[dict[str, Any]], wanted: list[dict[str, Any]], override: str) -> list[dict[str, Any]]:
    """The indexes that a request wants, each of which must be one of the source."""
    by_name = {index["IndexName"]: index for index in existing}
    for index in wanted:
        name = index["IndexName"]
        if "WarmThroughput" in index:
            raise invalid(f"{_INVALID}WarmThroughput is not supported in {override}. IndexName: {name}")
        if name not in by_name or _compared(index) != _compared(by_name[name]):
            raise invalid(
                f"{_INVALID}{override} must match an index of the source table: its name, key schema and projection. "
                f"IndexName: {name}"
            )
    return wanted


def _compared(index: dict[str, Any]) -> dict[str, Any]:
    """What an index must have in common with that of the source."""
    compared = {member: value for member, value in index.items() if member not in _TOLD_ONLY}
    projection = compared["Projection"]
    if "NonKeyAttributes" in projection:
        compared["Projection"] = {**projection, "NonKeyAttributes": sorted(projection["NonKeyAttributes"])}
    return compared


def _index(index: dict[str, Any], source: dict[str, Any], mode: str) -> dict[str, Any]:
    """An index of the source as CreateTable takes it, paid for as in the source where that can be."""
    taken = {member: value for member, value in index.items() if member not in _TOLD_ONLY}
    if mode == billing.mode_of(source):
        if mode == "PROVISIONED" and "ProvisionedThroughput" in index:
            taken["ProvisionedThroughput"] = _throughput(index)
        if "OnDemandThroughput" in index:
            taken["OnDemandThroughput"] = index["OnDemandThroughput"]
    return taken


def _pay(defined: dict[str, Any], source: dict[str, Any], request: dict[str, Any], mode: str) -> None:
    """Pay as the request says, or as the source does."""
    kept = mode == billing.mode_of(source)
    if "ProvisionedThroughputOverride" in request:
        defined["ProvisionedThroughput"] = request["ProvisionedThroughputOverride"]
    elif kept and mode == "PROVISIONED":
        defined["ProvisionedThroughput"] = _throughput(source)
    if "OnDemandThroughputOverride" in request:
        defined["OnDemandThroughput"] = request["OnDemandThroughputOverride"]
    elif kept and "OnDemandThroughput" in source:
        defined["OnDemandThroughput"] = source["OnDemandThroughput"]


def _throughput(described: dict[str, Any]) -> dict[str, int]:
    return {member: described["ProvisionedThroughput"][member] for member in _UNITS}


def _encryption(source: dict[str, Any]) -> dict[str, Any] | None:
    described = source.get("SSEDescription")
    if described is None:
        return None
    return {"Enabled": True, "SSEType": described["SSEType"], "KMSMasterKeyId": described["KMSMasterKeyArn"]}
