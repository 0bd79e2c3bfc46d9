"""What a table holds and is, to be compared with what is made of it."""

import json
from typing import Any

from engine.database import Database

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"


def held(database: Database, table: str, **more: Any) -> list[str]:
    """All items of a table or index, as text, in order."""
    page = database.call("Scan", TableName=table, **more)
    assert "LastEvaluatedKey" not in page
    return sorted(json.dumps(item, sort_keys=True) for item in page["Items"])


def described(database: Database, table: str) -> dict[str, Any]:
    found: dict[str, Any] = database.call("DescribeTable", TableName=table)["Table"]
    return found


def switch(database: Database, *, on: bool = True, days: int | None = None) -> dict[str, Any]:
    """Begin or end recovery to a point in time; returns what is told of it."""
    wanted: dict[str, Any] = {"PointInTimeRecoveryEnabled": on}
    if days is not None:
        wanted["RecoveryPeriodInDays"] = days
    answer = database.call("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=wanted)
    told: dict[str, Any] = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return told
