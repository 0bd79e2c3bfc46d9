"""Any bytes for any operation have an answer: 200, or 400 with an error of the service. Nothing crashes or hangs.

DYNAMIX_FUZZ=100000 tries so many requests of each kind, and bounds what each may take of the processor.
"""

import json
import os
import random
import time
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from dynamix.engine.requests.shape_table import OPERATIONS
from engine.pools import Table, table
from engine.programs import Generator
from engine.shape_requests import request as shaped_request

TABLE = "fuzzed"
EXAMPLES = int(os.environ.get("DYNAMIX_FUZZ", "300"))
MOST_SECONDS = 2.0 if EXAMPLES > 1000 else float("inf")  # the suite times nothing
ERRORS = {
    "ConditionalCheckFailedException",
    "GlobalTableNotFoundException",
    "IdempotentParameterMismatchException",
    "LimitExceededException",
    "PolicyNotFoundException",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "SerializationException",
    "TransactionCanceledException",
    "UnknownOperationException",
    "ValidationException",
    "AccessDeniedException",
    "BackupNotFoundException",
    "ExportNotFoundException",
    "ImportNotFoundException",
    "PointInTimeRecoveryUnavailableException",
    "TableAlreadyExistsException",
    "TableNotFoundException",
}
targets = st.sampled_from([*OPERATIONS, "", "getItem", "DropTable", "\ud800"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
words = st.sampled_from(
    [
        "S",
        "N",
        "B",
        "SS",
        "M",
        "L",
        "NULL",
        "BOOL",
        "pk",
        "sk",
        "num",
        "list_",
        "map_",
        "fuzzed",
        "global0",
        "#a",
        ":a",
        "TableName",
        "Key",
        "Item",
        "Keys",
        "Put",
        "Update",
    ]
)
json_values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def fuzzed() -> tuple[Engine, Table]:
    engine = Engine()
    made = table(random.Random(3), TABLE)
    assert len(made.indexes) > 1
    assert engine.handle("CreateTable", msgspec.json.encode(made.definition()))[0] == 200
    return engine, made


def answered(engine: Engine, target: str, body: bytes) -> None:
    """The engine answers, and an error is one that the service knows."""
    begun = time.thread_time()
    status, answer = engine.handle(target, body)
    assert time.thread_time() - begun < MOST_SECONDS, (target, body)
    assert status in (200, 400), (target, body, answer)
    if status == 400:
        assert json.loads(answer)["__type"].rpartition("#")[2] in ERRORS
    elif answer:
        assert isinstance(json.loads(answer), dict)


@settings(max_examples=EXAMPLES)
@given(targets, st.binary(max_size=300))
def test_any_bytes(fuzzed: tuple[Engine, Table], target: str, body: bytes) -> None:
    """Bytes that are hardly ever JSON."""
    answered(fuzzed[0], target, body)


@settings(max_examples=EXAMPLES)
@given(targets, json_values)
def test_any_json(fuzzed: tuple[Engine, Table], target: str, body: object) -> None:
    """JSON that is hardly ever a request."""
    answered(fuzzed[0], target, json.dumps(body).encode())


def damaged(value: Any, rng: random.Random, spare: object) -> Any:
    """The value with one part, at any depth, replaced."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {**{key: inner for key, inner in value.items() if key != name}, str(spare): value[name]}
        return {**value, name: damaged(value[name], rng, spare)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        position = rng.randrange(len(value))
        return [*value[:position], damaged(value[position], rng, spare), *value[position + 1 :]]
    return spare


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), json_values)
def test_damaged_requests(fuzzed: tuple[Engine, Table], rng: random.Random, spare: object) -> None:
    """Requests that would be good but for one part."""
    engine, made = fuzzed
    operation, request = Generator(rng, made).request()
    answered(engine, operation, json.dumps(damaged(request, rng, spare)).encode())


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.randoms(use_true_random=False), min_size=1, max_size=5))
def test_requests_of_the_right_shape(rngs: list[random.Random]) -> None:
    """Requests of every operation, one after the other, that have their members but hardly ever sense."""
    engine = Engine()
    answered(engine, "CreateTable", msgspec.json.encode(table(random.Random(3), TABLE).definition()))
    for rng in rngs:
        operation, request = shaped_request(rng)
        answered(engine, operation, json.dumps(request).encode())
    engine.close()


TOKENS = [
    "SET",
    "REMOVE",
    "ADD",
    "DELETE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "0",
    "1",
    "99999999999999999999",
    "num",
    "list_",
    "map_",
    "#a",
    "#b",
    ":a",
    ":b",
    "size(",
    "attribute_exists(",
    "attribute_type(",
    "begins_with(",
    "contains(",
    "if_not_exists(",
    "list_append(",
    "status",
    "é",
    "'",
    '"',
    "#",
]
EXPRESSIONS = ["ConditionExpression", "UpdateExpression", "FilterExpression", "KeyConditionExpression"]
expressions = st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join) | st.text(max_size=30)


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(EXPRESSIONS), expressions, st.sampled_from([{}, {"S": "a"}, {"N": "1"}, {"L": []}]))
def test_any_expression(fuzzed: tuple[Engine, Table], member: str, text: str, value: object) -> None:
    """Sequences of tokens, and plain text, in the place of each expression."""
    engine, made = fuzzed
    operation = {"ConditionExpression": "DeleteItem", "UpdateExpression": "UpdateItem"}.get(member, "Query")
    request: dict[str, Any] = {"TableName": TABLE, member: text}
    if operation == "Query":
        request.setdefault("KeyConditionExpression", "pk = :a")
    else:
        request["Key"] = {name: {made.types[name]: "1"} for name in made.keys}
    for name, values in (("ExpressionAttributeNames", {"#a": "x"}), ("ExpressionAttributeValues", {":a": value})):
        if next(iter(values)) in text:
            request[name] = values
    answered(engine, operation, json.dumps(request).encode())


@pytest.mark.parametrize("opening", ["(", "NOT ", "size(", "if_not_exists(a, ", "a[0].", "#a."])
def test_a_deep_expression_is_refused(fuzzed: tuple[Engine, Table], opening: str) -> None:
    """Nesting is bounded, so a hostile expression costs little."""
    engine, made = fuzzed
    key = {name: {made.types[name]: "1"} for name in made.keys}
    for member, start in (("ConditionExpression", ""), ("UpdateExpression", "SET a = ")):
        text = start + opening * (4000 // len(opening))
        request = {"TableName": TABLE, "Key": key, member: text}
        status, _ = engine.handle("UpdateItem", json.dumps(request).encode())
        assert status == 400


def test_a_deep_item_is_refused(fuzzed: tuple[Engine, Table]) -> None:
    """So is a value nested far beyond the service's 32 levels."""
    engine, made = fuzzed
    key = {name: {made.types[name]: "1"} for name in made.keys}
    for depth in (40, 1_000, 100_000):
        value = '{"L":[' * depth + '{"S":"x"}' + "]}" * depth
        body = f'{{"TableName":"{TABLE}","Item":{{"deep":{value},{json.dumps(key)[1:]}}}'
        status, _ = engine.handle("PutItem", body.encode())
        assert status == 400
