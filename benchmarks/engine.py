"""Times the embedded engine, through a model and by itself; prints what each call takes as JSON. Called by run.py."""

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
_REQUESTS = {
    "GetItem": {"Key": _KEY},
    "PutItem": {"Item": sample.item_to_wire(POST)},
    "UpdateItem": {
        "Key": _KEY,
        "UpdateExpression": "SET #0 = #0 + :0",
        "ExpressionAttributeNames": {"#0": "views"},
        "ExpressionAttributeValues": {":0": {"N": "1"}},
    },
}


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


def through_the_model() -> dict[str, float]:
    dynamix.set_connection(embedded=True)
    dynamix.create_table(Post)
    Post.batch_write(posts())
    found = get()
    assert found == first()
    assert query(sample.FORUM) == posts()
    return {
        "get": timed(get),
        "create": timed(lambda: Post.create(**POST)),
        "commit_changes with a condition": timed(update),
        "query of 1,000": timed(lambda: query(sample.FORUM)),
    }


def alone(path: Path | None = None) -> dict[str, float]:
    engine = Engine(path)
    place = "a file" if path else "memory"
    try:
        for target, body in {"CreateTable": _TABLE, "PutItem": _REQUESTS["PutItem"]}.items():
            status, answer = engine.handle(target, request(body))
            assert status == 200, answer
        _, answer = engine.handle("GetItem", request(_REQUESTS["GetItem"]))
        assert json.loads(answer)["Item"] == sample.item_to_wire(POST)
        return {
            f"{target}, bytes to bytes, in {place}": timed(partial(engine.handle, target, request(body)))
            for target, body in _REQUESTS.items()
        }
    finally:
        engine.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        figures = {**through_the_model(), **alone(), **alone(Path(directory) / "bench.db")}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
