"""How the throughput of tables and indexes is paid for: what requests may ask, in the service's words.

Source: Amazon DynamoDB API Reference, CreateTable and UpdateTable: BillingMode, ProvisionedThroughput.
"""

from collections.abc import Sequence
from typing import Any

from dynamix.engine.faults import invalid
from dynamix.engine.tables import descriptions

_MOST_UNITS = 1_000_000_000_000
_INVALID = "One or more parameter values were invalid: "
_THROUGHPUT = "ProvisionedThroughput"


def check_billing(request: dict[str, Any], global_: Sequence[dict[str, Any]]) -> None:
    """Throughput is given if, and only if, it is paid for, and its limits where it is not."""
    throughput = request.get(_THROUGHPUT)
    mode = request.get("BillingMode", "PROVISIONED")
    check_limits(request, mode)
    for index in global_:
        check_limits(index, mode, index["IndexName"])
    if mode == "PAY_PER_REQUEST":
        if throughput is not None:
            raise invalid(
                f"{_INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                "PAY_PER_REQUEST"
            )
        for index in global_:
            if index.get(_THROUGHPUT) is not None:
                raise invalid(
                    f"{_INVALID}ProvisionedThroughput should not be specified for index: {index['IndexName']} when "
                    "BillingMode is PAY_PER_REQUEST"
                )
        return
    if throughput is None:
        raise invalid(
            f"{_INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    check_units(throughput)
    for index in global_:
        own = index.get(_THROUGHPUT)
        if own is None:
            raise invalid(f"{_INVALID}ProvisionedThroughput must be specified for index: {index['IndexName']}")
        check_units(own, index["IndexName"])


def check_limits(given: dict[str, Any], mode: str, index: str | None = None) -> None:
    """Refuse limits of on-demand throughput where nothing is paid on demand, and limits and warm throughput that
    nobody can have. -1 is no limit."""
    where = f" for index: {index}" if index else ""
    limits = given.get("OnDemandThroughput")
    if limits is not None:
        if mode != "PAY_PER_REQUEST":
            raise invalid(
                f"{_INVALID}Neither MaxReadRequestUnits nor MaxWriteRequestUnits can be specified when BillingMode is "
                f"PROVISIONED{where}"
            )
        if not limits:
            raise invalid(f"{_INVALID}MaxReadRequestUnits, MaxWriteRequestUnits, or both must be specified{where}")
    for member in ("OnDemandThroughput", "WarmThroughput"):
        for name, units in (given.get(member) or {}).items():
            if units < 1 and (member, units) != ("OnDemandThroughput", -1):
                raise invalid(f"{_INVALID}Given value {units} for {name} is out of bounds{where}")


def mode_of(description: dict[str, Any]) -> str:
    """How a table is paid for."""
    mode: str = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    return mode


def is_on_demand(definition: dict[str, Any]) -> bool:
    """Whether a table, by its description or by the request that makes it, is paid for by request."""
    return bool(definition.get("BillingMode", mode_of(definition)) == "PAY_PER_REQUEST")


def check_units(throughput: dict[str, int], index: str | None = None) -> None:
    """Refuse throughput that nobody can have."""
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[member] > _MOST_UNITS:
            where = f" for index {index}" if index else ""
            raise invalid(f"Given value {throughput[member]} for {member} is out of bounds{where}")


def check_throughput(request: dict[str, Any]) -> None:
    """Refuse throughput that is not given where it must be, or that nobody can have."""
    throughput = request.get("ProvisionedThroughput")
    if throughput is not None:
        check_units(throughput)
    elif request.get("BillingMode") == "PROVISIONED":
        raise invalid(
            "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is "
            "PROVISIONED"
        )


def update_billing(description: dict[str, Any], request: dict[str, Any], now: float) -> None:
    """Describe what a request changes of how a table is paid for. Raises Fault for what it cannot change."""
    current = mode_of(description)
    mode = request.get("BillingMode", current)
    check_limits(request, mode)
    throughput = request.get("ProvisionedThroughput")
    if throughput is not None and mode == "PAY_PER_REQUEST":
        raise invalid(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            "specified when BillingMode is PAY_PER_REQUEST"
        )
    if mode == "PROVISIONED" and current != mode:
        _check_indexes_paid(description, request)
        if "VectorIndexes" in description:
            raise invalid(f"{_INVALID}Vector indexes are only supported for PAY_PER_REQUEST tables")
    elif throughput is not None:
        check_different("table", description, throughput)
    descriptions.set_billing(description, request, now)


def _check_indexes_paid(description: dict[str, Any], request: dict[str, Any]) -> None:
    """A table that is to be paid by throughput needs one for each of its global indexes."""
    paid = {
        update["Update"]["IndexName"]
        for update in request.get("GlobalSecondaryIndexUpdates") or ()
        if "ProvisionedThroughput" in update.get("Update", {})
    }
    unpaid = [index["IndexName"] for index in description.get("GlobalSecondaryIndexes", ())]
    unpaid = [name for name in unpaid if name not in paid]
    if unpaid:
        raise invalid(
            "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: "
            f"{','.join(unpaid)}"
        )


def check_different(what: str, described: dict[str, Any], wanted: dict[str, int]) -> None:
    """Refuse a throughput that a table or an index has already."""
    units = [
        (member, described["ProvisionedThroughput"][member], wanted[member])
        for member in ("ReadCapacityUnits", "WriteCapacityUnits")
    ]
    if all(has == asked for _, has, asked in units):
        named = f"index {described['IndexName']}" if what == "index" else what
        compared = " ".join(
            f"Current {member} provisioned for the {what}: {has}. Requested {member}: {asked}."
            for member, has, asked in units
        )
        raise invalid(
            f"The provisioned throughput for the {named} will not change. The requested value equals the current "
            f"value. {compared} Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
            "higher limits."
        )


def billing_of(description: dict[str, Any]) -> dict[str, Any]:
    """The billing of a table, as a request would give it."""
    if mode_of(description) == "PAY_PER_REQUEST":
        return {"BillingMode": "PAY_PER_REQUEST"}
    return {"ProvisionedThroughput": description["ProvisionedThroughput"]}
