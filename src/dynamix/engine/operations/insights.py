"""DescribeContributorInsights, UpdateContributorInsights, ListContributorInsights.

Whether what is accessed most of a table or an index is to be looked at is kept and told. Nothing is looked at: there is
no CloudWatch here, to which the service tells what it finds.
"""

from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.record import Insights
from dynamix.engine.tables.table import Table, fresh_record

_ALL_MODE = "ACCESSED_AND_THROTTLED_KEYS"
_RULES = {_ALL_MODE: "CT", "THROTTLED_KEYS": "T"}
"""By mode, the last letters of the rules: C for the keys that are accessed most, T for those that are throttled."""
_MOST_RULE_CHARACTERS = 128
_MOST_LISTED = 100


def describe_contributor_insights(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Whether a table or an index is looked at, and by which rules."""
    with storage.reading() as catalog:
        table = catalog.named(request["TableName"])
        index = _checked_index(table, request)
    insights = table.record.insights.get(index)
    if insights is None:
        return {**_named(table, index), "ContributorInsightsStatus": "DISABLED"}
    told = {**_told(table, index, insights), "LastUpdateDateTime": round(insights.since, 3)}
    if insights.enabled:
        told["ContributorInsightsRuleList"] = _rules(table, index, insights)
    return told


def update_contributor_insights(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Begin or end to look at a table or an index. It is done at once; only this answer calls it ENABLING."""
    enable = request["ContributorInsightsAction"] == "ENABLE"
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        index = _checked_index(table, request)
        old = table.record.insights.get(index)
        mode = request.get("ContributorInsightsMode", old.mode if old else _ALL_MODE)
        record = fresh_record(table)
        record.insights[index] = new = Insights(enable, mode, catalog.now())
        catalog.save(table, record)
    return {**_told(table, index, new), "ContributorInsightsStatus": "ENABLING" if enable else "DISABLING"}


def list_contributor_insights(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The tables and indexes for which that was ever said, of one table or of all."""
    most = request.get("MaxResults", _MOST_LISTED)
    if most < 1:
        raise invalid(f"MaxResults {most} is out of bounds: it is to be from 1 to {_MOST_LISTED}")
    with storage.reading() as catalog:
        if "TableName" in request:
            tables = [catalog.named(request["TableName"])]
        else:
            tables = [catalog.named(name) for name in catalog.names("", -1)]
    summaries = [
        _told(table, index, insights) for table in tables for index, insights in sorted(table.record.insights.items())
    ]
    first = _first(summaries, request.get("NextToken"))
    answer: dict[str, Any] = {"ContributorInsightsSummaries": summaries[first : first + most]}
    if first + most < len(summaries):
        answer["NextToken"] = _place(summaries[first + most - 1])
    return answer


def _checked_index(table: Table, request: dict[str, Any]) -> str:
    """The name of the global index that is asked for, empty for the table itself. Raises Fault."""
    name: str = request.get("IndexName", "")
    if name and not any(index.name == name and index.is_global for index in table.indexes):
        raise Fault("ResourceNotFoundException", f"Requested resource not found: Index: {name} not found")
    return name


def _named(table: Table, index: str) -> dict[str, Any]:
    return {"TableName": table.name, "IndexName": index} if index else {"TableName": table.name}


def _told(table: Table, index: str, insights: Insights) -> dict[str, Any]:
    status = "ENABLED" if insights.enabled else "DISABLED"
    return {**_named(table, index), "ContributorInsightsStatus": status, "ContributorInsightsMode": insights.mode}


def _rules(table: Table, index: str, insights: Insights) -> list[str]:
    """The names that the service gives its rules, for the partition key and where there is one for the sort key."""
    keys = table.index(index).keys if index else table.keys
    letters = ("P", "S") if keys.sort else ("P",)
    made = f"-{insights.since * 1000:.0f}"
    rules = []
    for kind in (letter + "K" + last for last in _RULES[insights.mode] for letter in letters):
        name = f"DynamoDBContributorInsights-{kind}-{table.name}{'-' + index if index else ''}"
        rules.append(name[: _MOST_RULE_CHARACTERS - len(made)] + made)
    return rules


def _place(summary: dict[str, Any]) -> str:
    """A summary as a token: neither name can have the character between."""
    return f"{summary['TableName']}/{summary.get('IndexName', '')}"


def _first(summaries: list[dict[str, Any]], token: str | None) -> int:
    """How many summaries come before those that follow a token."""
    if token is None:
        return 0
    table, slash, index = token.partition("/")
    if not slash:
        raise invalid("NextToken is not one that was given")
    return sum((each["TableName"], each.get("IndexName", "")) <= (table, index) for each in summaries)
