"""Times the embedded engine, through a model and by itself; prints what each call takes as JSON. Called by run.py.

The item is that of the other benchmarks, of 13 attributes with lists and maps in them, and one of ten attributes
without.
"""

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import sample
from contestants.dynamix_model import POST, Post, first, get, posts, query, update

import dynamix
from dynamix import BooleanField, CharField, DateTimeField, FloatField, IntegerField, Model, SetField
from dynamix.engine import Engine

_ROUNDS = 15
_SECONDS = 0.1
"""What one round lasts, unless a single call lasts longer."""

_KEY = sample.item_to_wire({"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)})
_TABLE = {
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in _KEY],
    "KeySchema": [
        {"AttributeName": "forum_id", "KeyType": "HASH"},
        {"AttributeName": "thread_id", "KeyType": "RANGE"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
_UPDATE = {
    "Key": _KEY,
    "UpdateExpression": "SET #0 = #0 + :0",
    "ExpressionAttributeNames": {"#0": "views"},
    "ExpressionAttributeValues": {":0": {"N": "1"}},
}
_QUERY = {
    "KeyConditionExpression": "#0 = :0",
    "ExpressionAttributeNames": {"#0": "forum_id"},
    "ExpressionAttributeValues": {":0": {"S": sample.FORUM}},
}


class Short(Model):
    """A post of ten attributes."""

    __table_name__ = "short_post"

    forum_id = CharField(hash_key=True)
    thread_id = CharField(range_key=True)
    author = CharField()
    title = CharField()
    body = CharField()
    views = IntegerField()
    score = FloatField()
    pinned = BooleanField()
    created_at = DateTimeField()
    tags = SetField()


SHORT = {name: value for name, value in POST.items() if name not in ("likes", "reviews", "meta")}


def request(body: dict[str, Any]) -> bytes:
    return json.dumps({"TableName": sample.TABLE, **body}, separators=(",", ":")).encode()


def timed(call: Callable[[], object]) -> float:
    """The median of what one call takes, in seconds by the clock on the wall."""
    begun = time.perf_counter()
    call()
    calls = max(1, round(_SECONDS / (time.perf_counter() - begun)))
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - begun) / calls)
    return median(rounds)


def get_short() -> Short | None:
    return Short.get(forum_id=sample.FORUM, thread_id=sample.thread_id(0))


def through_the_model() -> dict[str, float]:
    dynamix.set_connection(embedded=True)
    dynamix.create_table(Post)
    dynamix.create_table(Short)
    Post.batch_write(posts())
    Short.create(**SHORT)
    found, found_short = get(), get_short()
    assert found == first()
    assert found_short == Short(**SHORT)
    assert query(sample.FORUM) == posts()
    return {
        "get of 10 attributes": timed(get_short),
        "create of 10 attributes": timed(lambda: Short.create(**SHORT)),
        "get": timed(get),
        "create": timed(lambda: Post.create(**POST)),
        "commit_changes with a condition": timed(update),
        "query of 1,000": timed(lambda: query(sample.FORUM)),
    }


def opened(path: Path | None, items: list[dict[str, Any]]) -> Engine:
    """An engine with a table that holds the items."""
    engine = Engine(path)
    puts = [("PutItem", {"Item": sample.item_to_wire(item)}) for item in items]
    for target, body in [("CreateTable", _TABLE), *puts]:
        status, answer = engine.handle(target, request(body))
        assert status == 200, answer
    return engine


def alone(values: dict[str, Any], path: Path | None = None) -> dict[str, float]:
    place = "a file" if path else "memory"
    requests = {
        "GetItem": {"Key": _KEY},
        "PutItem": {"Item": sample.item_to_wire(values)},
        "UpdateItem": _UPDATE,
    }
    engine = opened(path, [values])
    try:
        _, answer = engine.handle("GetItem", request(requests["GetItem"]))
        assert json.loads(answer)["Item"] == sample.item_to_wire(values)
        return {
            f"{target} of {len(values)} attributes, bytes to bytes, in {place}": timed(
                partial(engine.handle, target, request(body))
            )
            for target, body in requests.items()
        }
    finally:
        engine.close()


def query_alone() -> dict[str, float]:
    engine = opened(None, sample.posts())
    try:
        _, answer = engine.handle("Query", request(_QUERY))
        assert json.loads(answer)["Count"] == len(posts())
        return {"Query of 1,000, bytes to bytes, in memory": timed(partial(engine.handle, "Query", request(_QUERY)))}
    finally:
        engine.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        figures = {**through_the_model(), **query_alone()}
        for values in (SHORT, POST):
            figures |= alone(values)
            figures |= alone(values, Path(directory) / f"{len(values)}.db")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
