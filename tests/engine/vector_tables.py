"""Tables with vector indexes, for tests of the engine."""

from collections.abc import Sequence
from typing import Any

from engine.database import Database, keys_of, value


def vectors(name: str, dimensions: int = 3, function: str = "COSINE", *included: str, **more: Any) -> dict[str, Any]:
    """The definition of a vector index on `e`; `hash` and `filters` name the attributes of its search schema."""
    schema = [{"AttributeName": more["hash"], "SearchSchemaElementType": "HASH"}] if "hash" in more else []
    schema += [
        {"AttributeName": each, "SearchSchemaElementType": "INLINE_FILTER"} for each in more.get("filters", "").split()
    ]
    projection = {"ProjectionType": more.get("projection", "INCLUDE" if included else "ALL")}
    if included:
        projection["NonKeyAttributes"] = list(included)  # type: ignore[assignment]
    described = {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": more.get("attribute", "e")},
        "Projection": projection,
        "Dimensions": dimensions,
        "DistanceFunction": function,
    }
    return described | ({"SearchSchema": schema} if schema else {})


def create(database: Database, *indexes: dict[str, Any], keys: str = "a:S", others: str = "", **more: Any) -> Any:
    """Make a table with vector indexes; `others` are attributes of search schemas, such as "t:S n:N"."""
    definitions, schema = keys_of(keys)
    return database.call(
        "CreateTable",
        TableName="tab",
        AttributeDefinitions=definitions + keys_of(others)[0],
        KeySchema=schema,
        BillingMode="PAY_PER_REQUEST",
        VectorIndexes=list(indexes),
        **more,
    )


def vector(*numbers: object) -> dict[str, Any]:
    """A list of numbers in DynamoDB's JSON."""
    return {"L": [{"N": str(number)} for number in numbers]}


def found(database: Database, numbers: Sequence[object], name: str = "vix", most: int = 10, **request: Any) -> Any:
    """The results of a search."""
    return search(database, numbers, name, most, **request)["SearchResults"]


def search(database: Database, numbers: Sequence[object], name: str = "vix", most: int = 10, **request: Any) -> Any:
    """The answer to a search; other keywords of lower case are values of the condition `name = :name`."""
    return database.call("SearchVectors", **search_request(numbers, name, most, **request))


def search_request(numbers: Sequence[object], name: str = "vix", most: int = 10, **request: Any) -> dict[str, Any]:
    """The request of a search."""
    tests = {each: request.pop(each) for each in list(request) if each[0].islower()}
    if tests:
        request["SearchConditionExpression"] = " AND ".join(f"{each} = :{each}" for each in tests)
        request["ExpressionAttributeValues"] = {f":{each}": value(given) for each, given in tests.items()}
    wanted = vector(*numbers)["L"]
    return {"TableName": "tab", "IndexName": name, "SearchVector": wanted, "TopK": most, **request}


def keys(results: list[dict[str, Any]]) -> list[str]:
    """The keys of results, in their order."""
    return [result["Item"]["a"]["S"] for result in results]
