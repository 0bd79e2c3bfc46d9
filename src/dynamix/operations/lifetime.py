"""Flows on a table's time to live: which attribute says when an item expires."""

from typing import Any

import msgspec

from dynamix.differences import TimeToLiveDiffers
from dynamix.errors import InvalidRequestError, OutcomeUnknownError
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.table import Table
from dynamix.wire import Call, Flow


def differs(policy: RetryPolicy, table: Table[Any]) -> Flow[list[TimeToLiveDiffers]]:
    """How the table's time to live differs from the model's; nobody is asked for a model without one."""
    field = table.schema.expiry
    if field is None:
        return []
    live = yield from _attribute(policy, table)
    return [] if live == field.name else [TimeToLiveDiffers(live, field.name)]


def enable(policy: RetryPolicy, table: Table[Any]) -> Flow[None]:
    """Have the table heed the model's field, where it does not yet. Another program may be first."""
    field = table.schema.expiry
    if field is None or not (yield from differs(policy, table)):
        return
    specification = {"AttributeName": field.name, "Enabled": True}
    body = {"TableName": table.name, "TimeToLiveSpecification": specification}
    try:
        yield from request(policy, Call("UpdateTimeToLive", msgspec.json.encode(body), _decode))
    except (InvalidRequestError, OutcomeUnknownError):
        if (yield from differs(policy, table)):
            raise


def _attribute(policy: RetryPolicy, table: Table[Any]) -> Flow[str | None]:
    """The stored name of the attribute that the table heeds, or is about to."""
    body = msgspec.json.encode({"TableName": table.name})
    answer = yield from request(policy, Call("DescribeTimeToLive", body, _decode))
    described = answer.get("TimeToLiveDescription", {})
    enabled = described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return described.get("AttributeName") if enabled else None


_decode = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
