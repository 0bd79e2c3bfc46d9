"""A statement and the same wish by expressions give the same answer, and cost the same."""

import json
import random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.database import Database
from engine.statement_programs import Drawn, table

CODES = {"DuplicateItemException": "ConditionalCheckFailedException"}


def answered(database: Database, operation: str, request: dict[str, Any]) -> tuple[Any, Any]:
    """What an operation answers, as items and units; of a refusal its code."""
    status, body = database.engine.handle(
        operation, json.dumps({**request, "ReturnConsumedCapacity": "INDEXES"}).encode()
    )
    answer = json.loads(body)
    if status != 200:
        code = answer["__type"].rpartition("#")[2]
        return CODES.get(code, code), None
    items = answer.get("Items", [answer["Attributes"]] if "Attributes" in answer else [])
    return items, answer["ConsumedCapacity"]


@settings(max_examples=60, phases=[Phase.generate])
@given(st.integers(0, 2**32))
def test_statements_do_what_expressions_do(seed: int) -> None:
    """The same programs, in statements and in expressions, on two databases: equal answers, costs, and items after."""
    rng = random.Random(seed)
    by_statements, by_expressions = Database(), Database()
    for database in (by_statements, by_expressions):
        database.call("CreateTable", **table("tab").definition())
    for _ in range(8):
        item = Drawn(rng, "tab").item()
        for database in (by_statements, by_expressions):
            database.call("PutItem", TableName="tab", Item=item)
    for _ in range(10):
        asked = Drawn(rng, "tab").asked()
        request: dict[str, Any] = {"Statement": asked.statement}
        if asked.parameters:
            request["Parameters"] = asked.parameters
        ours = answered(by_statements, "ExecuteStatement", request)
        assert ours == answered(by_expressions, asked.operation, asked.request), (seed, asked)
        assert by_statements.call("Scan", TableName="tab") == by_expressions.call("Scan", TableName="tab"), (
            seed,
            asked,
        )
