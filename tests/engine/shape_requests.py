"""Random requests drawn from the shapes of the service's model: right in form, strange in content."""

import random
from typing import Any

from dynamix.engine.requests.shape_table import (
    OPERATIONS,
    SHAPES,
    Blob,
    Boolean,
    Enum,
    Integer,
    List,
    Long,
    Map,
    Structure,
    Timestamp,
)

TABLES = ["fuzzed", "other"]
WORDS = [
    *TABLES,
    *("pk", "sk", "num", "global0", "local0", "#a", ":v", "SET a = :v", "a = :v", "pk = :v", "a[0].b", "", "a", "a b"),
    *("x" * 300, "x" * 1030, "\u0000", "\ud800", "é😀", "arn:", "arn:aws:dynamodb:us-east-1:000000000000:table/"),
    "arn:aws:dynamodb:us-east-1:000000000000:table/fuzzed",
    *("1", "-0", "1e400", "1E-131", "NaN", "9" * 50, " 1", "1_000", "١", "YQ==", "YQ=", "true", "ALL", "HASH"),
]
NUMBERS = [0, 1, -1, 2, 25, 100, 10**12, 10**12 + 1, 2**31, 2**63, -(2**63), 10**30, 1.5, 1e300, True]
MISFITS = [None, True, 0, 1.5, "", [], {}, [None], {"": None}, [[]], {"S": "a"}]
KINDS = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"]
DEPTH = 6


def request(rng: random.Random) -> tuple[str, Any]:
    """An operation and a request for it, both drawn."""
    operation = rng.choice(list(OPERATIONS))
    return operation, _drawn(OPERATIONS[operation], rng, 0)


def _drawn(name: str, rng: random.Random, depth: int) -> Any:
    if rng.random() < 0.03:
        return rng.choice(MISFITS)
    if name == "AttributeValue":
        return _attribute_value(rng, depth)
    match SHAPES[name]:
        case Enum() as enum:
            return rng.choice(enum.values)
        case Boolean():
            return rng.choice([True, False])
        case Blob():
            return rng.choice(["YQ==", "x"])
        case Integer() | Long():
            return rng.choice(NUMBERS)
        case Timestamp():
            return rng.choice([*NUMBERS, -1e308])
        case List(of):
            return [_drawn(of, rng, depth + 1) for _ in range(rng.choice([0, 1, 1, 2]))]
        case Map(keys, of):
            return {_text(keys, rng): _drawn(of, rng, depth + 1) for _ in range(rng.choice([0, 1, 1, 2]))}
        case Structure() as structure:
            return {
                member.name: _drawn(member.shape, rng, depth + 1)
                for member in structure.members
                if rng.random() < (0.97 if member.required else 0.35)
            }
        case _:
            return _text(name, rng)


def _text(name: str, rng: random.Random) -> str:
    return rng.choice(TABLES if name in ("TableArn", "TableName") and rng.random() < 0.8 else WORDS)


def _attribute_value(rng: random.Random, depth: int) -> dict[str, Any]:
    kind = rng.choice(KINDS if depth < DEPTH else KINDS[:3])
    content: Any = rng.choice(WORDS)
    if kind in ("NULL", "BOOL"):
        content = rng.random() < 0.8
    elif kind in ("SS", "NS", "BS"):
        content = [rng.choice(WORDS) for _ in range(rng.randrange(3))]
    elif kind == "L":
        content = [_attribute_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    elif kind == "M":
        content = {rng.choice(WORDS): _attribute_value(rng, depth + 1) for _ in range(rng.randrange(3))}
    return {kind: content}
