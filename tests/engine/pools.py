"""The tables of random programs, and the values that come in them.

Values come from small pools, so that keys meet and conditions are often near the border. Attribute names say which type
is usual in them.
"""

import base64
import random
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

AttributeValue: TypeAlias = dict[str, Any]


def binary(data: bytes) -> str:
    return base64.b64encode(data).decode()


KEYS: dict[str, list[str]] = {
    "S": ["a", "b", "ab", "é"],
    "N": ["1", "2", "10", "-1.5"],
    "B": [binary(b"a"), binary(b"\x00"), binary(b"ab")],
}
SCALARS: dict[str, list[Any]] = {
    "S": ["", "a", "b", "ab", "abc", "é", "😀", "10", "x" * 50],
    "N": [
        "0",
        "1",
        "2",
        "-1",
        "1.5",
        "10",
        "1e2",
        "-0",
        "0.10",
        "12345678901234567890123456789012345678",
        "1E-130",
        "9E125",
    ],
    "B": [binary(b""), binary(b"a"), binary(b"ab"), binary(b"\xff\x00")],
    "BOOL": [True, False],
    "NULL": [True],
}
MALFORMED: list[AttributeValue] = [
    {"N": "x"},
    {"N": ""},
    {"N": "1e126"},
    {"N": "1e-131"},
    {"N": "123456789012345678901234567890123456789"},
    {"SS": []},
    {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]},
    {"NS": ["1", "x"]},
    {"NULL": False},
    {"S": "a", "N": "1"},
    {},
]
USUAL_TYPE = {
    "str": "S",
    "num": "N",
    "bin": "B",
    "flag": "BOOL",
    "nil_": "NULL",
    "strs": "SS",
    "nums": "NS",
    "bins": "BS",
    "list_": "L",
    "map_": "M",
    "any_": "?",
}
OPERATORS = ["EQ", "NE", "IN", "LE", "LT", "GE", "GT", "BETWEEN", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"]
OPERATORS += ["NULL", "NOT_NULL"]
TYPES = [*SCALARS, "SS", "NS", "BS", "L", "M"]


@dataclass
class Index:
    """A secondary index."""

    name: str
    keys: list[str]
    local: bool
    projection: dict[str, Any]


@dataclass
class Table:
    """A table as programs need to know it."""

    name: str
    keys: list[str]
    types: dict[str, str]
    indexes: list[Index] = field(default_factory=list)

    def definition(self) -> dict[str, Any]:
        """The CreateTable request."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in self.types.items()],
            "KeySchema": _key_schema(self.keys),
        }
        for index in self.indexes:
            member = "LocalSecondaryIndexes" if index.local else "GlobalSecondaryIndexes"
            request.setdefault(member, []).append(
                {"IndexName": index.name, "KeySchema": _key_schema(index.keys), "Projection": index.projection}
            )
        return request


def _key_schema(keys: list[str]) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(keys, ("HASH", "RANGE"), strict=False)]


def table(rng: random.Random, name: str) -> Table:
    """A table with up to two local and two global indexes."""
    result = Table(name, ["pk"] if rng.random() < 0.3 else ["pk", "sk"], {})
    for number in range(rng.choice([0, 1, 2]) if len(result.keys) == 2 else 0):
        keys = ["pk", rng.choice(["ia", "ib", "num"])]
        result.indexes.append(Index(f"local{number}", keys, True, _projection(rng)))
    for number in range(rng.choice([0, 1, 2])):
        keys = rng.sample(["ia", "ib", "num", *result.keys], rng.choice([1, 2, 2]))
        result.indexes.append(Index(f"global{number}", keys, False, _projection(rng)))
    for key in dict.fromkeys([*result.keys, *(key for index in result.indexes for key in index.keys)]):
        result.types[key] = USUAL_TYPE.get(key) or rng.choice("SSSNNB")
    return result


def _projection(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["ALL", "ALL", "KEYS_ONLY", "INCLUDE"])
    return {
        "ProjectionType": kind,
        **({"NonKeyAttributes": rng.sample(list(USUAL_TYPE), 2)} if kind == "INCLUDE" else {}),
    }


def order(value: AttributeValue) -> tuple[str, Any]:
    """What puts values of one type, string, number or binary, into DynamoDB's order."""
    kind, content = next(iter(value.items()), ("", ""))
    if kind == "N":
        try:
            return kind, Decimal(content)
        except InvalidOperation:
            return "", str(content).encode()
    return kind, base64.b64decode(content) if kind == "B" else str(content).encode()
