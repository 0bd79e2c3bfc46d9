"""DescribeLimits and DescribeEndpoints: what concerns no table."""

from typing import Any

from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.home import REGION


def describe_limits(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The throughput quotas that a new account has."""
    return {
        "AccountMaxReadCapacityUnits": 80000,
        "AccountMaxWriteCapacityUnits": 80000,
        "TableMaxReadCapacityUnits": 40000,
        "TableMaxWriteCapacityUnits": 40000,
    }


def describe_endpoints(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The endpoint of the region that the engine says to be."""
    return {"Endpoints": [{"Address": f"dynamodb.{REGION}.amazonaws.com", "CachePeriodInMinutes": 1440}]}
