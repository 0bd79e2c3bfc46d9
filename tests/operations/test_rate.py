"""How fast a scan reads that may consume only so many units a second."""

from typing import Any

import pytest
from msgspec.structs import replace
from script import Script

import dynamix
from dynamix.model.running import schema_of
from dynamix.operations import search
from dynamix.operations.budget import Budget
from dynamix.operations.indexes import LiveIndexes
from dynamix.operations.retry import RetryPolicy
from dynamix.selection import Bounds, Search, Selection


class Event(dynamix.Model):
    """An item of a table that is scanned."""

    name = dynamix.CharField(hash_key=True)


@pytest.mark.parametrize("segments", [None, 4])
def test_requests_wait_until_what_was_consumed_is_paid_off(segments: int | None) -> None:
    """Over all segments a request waits for what those before it consumed, in short waits, and the first for none."""

    def answer(target: str, body: dict[str, Any]) -> dict[str, Any]:
        number = int(body.get("ExclusiveStartKey", {"name": {"S": "0"}})["name"]["S"]) + 1
        told: dict[str, Any] = {"Items": [], "Count": 0, "ScannedCount": 9}
        told["ConsumedCapacity"] = {"TableName": "Event", "CapacityUnits": 5.0}
        return told if number == 3 else told | {"LastEvaluatedKey": {"name": {"S": str(number)}}}

    script = Script(always=answer)
    schema = schema_of(Event)
    bounds = Bounds(rate=10)
    budget = Budget(bounds, lambda: sum(script.pauses))
    asked = replace(Search(schema, False, schema.table, bounds=bounds), segments=segments)
    flow = search.every(RetryPolicy(), schema.at(""), LiveIndexes(), asked, Selection((), ()), budget)
    assert script.run(flow) == []
    requests = 3 * (segments or 1)
    assert len(script.requests) == requests
    assert sum(script.pauses) == pytest.approx((requests - 1) * 5 / 10)
    assert max(script.pauses) <= 0.2
    assert all(body["ReturnConsumedCapacity"] == "INDEXES" for _, body in script.requests)
