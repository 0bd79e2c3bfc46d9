"""Vector indexes on each place that has them, by raw requests."""

import asyncio
from typing import Any

import pytest

from places import Place


def vector(*numbers: object) -> dict[str, Any]:
    return {"L": [{"N": str(number)} for number in numbers]}


def test_a_vector_is_searched(place: Place) -> None:
    """`request` makes a table with a vector index and finds what is near, and its twin does the same."""
    if place.name == "dynamodb-local":
        pytest.skip("DynamoDB Local has no vector indexes")
    name, request = place.prefix + "pictures", place.connection.request
    index = {"IndexName": "near", "VectorAttribute": {"AttributeName": "e"}, "Dimensions": 2}
    index |= {"Projection": {"ProjectionType": "ALL"}, "DistanceFunction": "EUCLIDEAN"}
    request(
        "CreateTable",
        {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "VectorIndexes": [index],
        },
    )
    for key, numbers in (("far", (9, 9)), ("near", (3, 4)), ("middle", (5, 12))):
        request("PutItem", {"TableName": name, "Item": {"k": {"S": key}, "e": vector(*numbers)}})
    wanted = {"TableName": name, "IndexName": "near", "SearchVector": vector(0, 0)["L"], "TopK": 2}
    expected = [
        {"Item": {"k": {"S": "near"}}, "Score": 5.0},
        {"Item": {"k": {"S": "far"}}, "Score": 12.727922439575195},
    ]
    assert request("SearchVectors", wanted) == {"SearchResults": expected}
    assert asyncio.run(place.connection.arequest("SearchVectors", wanted)) == {"SearchResults": expected}
    request("DeleteTable", {"TableName": name})
