"""What the streams of the engine and of DynamoDB Local tell of the same random writes.

The records of an item are compared in their order. Those of different items have no order that both places share, but
for those of one transaction. A program after which the two hold different items, as far as that is known, is not
compared, nor is one in which DynamoDB Local made an item that was only to lose attributes.

As a program this file is the long run:

    PYTHONPATH=tests python tests/engine/stream_programs.py HOST PORT [--sequences 20000] [--seed 1]
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any, TypeAlias

from dynamix.engine import Engine
from engine.differential import Answer, Ask, Local, answer, asking, canonical, clear, run, unordered, with_sorted_sets
from engine.pools import Table, table
from engine.programs import Generator, Request

Records: TypeAlias = list[dict[str, Any]]
VIEWS = ("NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
_TOLD = ("Keys", "NewImage", "OldImage", "SizeBytes", "StreamViewType")


class Follower:
    """Reads the only stream of a table, from its beginning."""

    def __init__(self, ask: Ask, table: str) -> None:
        self._ask = ask
        arn = self._answer("ListStreams", {"TableName": table})["Streams"][0]["StreamArn"]
        (shard,) = self._answer("DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
        self._start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        self._place = ""

    def records(self) -> Records:
        """What has been told since the last time."""
        told: Records = []
        while True:
            # in DynamoDB Local the start of an empty shard may be before the first record that there can be
            place = self._place or self._answer("GetShardIterator", self._start)["ShardIterator"]
            page = self._answer("GetRecords", {"ShardIterator": place})
            if not page["Records"]:
                return told
            self._place = page["NextShardIterator"]
            told += page["Records"]

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        status, body = self._ask(operation, request)
        assert status == 200, (operation, request, body)
        return body


def streamed(rng: random.Random, name: str) -> tuple[Table, dict[str, Any]]:
    """A table, and its definition with a stream of any view."""
    drawn = table(rng, name)
    stream = {"StreamEnabled": True, "StreamViewType": rng.choice(VIEWS)}
    return drawn, {**drawn.definition(), "StreamSpecification": stream}


def create(definition: dict[str, Any], *asks: Ask) -> None:
    """Creates a table everywhere, and waits until it is ready."""
    for ask in asks:
        status, body = ask("CreateTable", definition)
        assert status == 200, (definition, body)
        while ask("DescribeTable", {"TableName": definition["TableName"]})[1]["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.01)


def writes(rng: random.Random, table: Table, length: int) -> list[Request]:
    """A program of writes."""
    generator = Generator(rng, table)
    kinds = (
        generator.put_item,
        generator.update_item,
        generator.update_item,
        generator.delete_item,
        generator.batch_write_item,
        generator.transact_write_items,
    )
    return [generator.put_item(plain=True), *(rng.choice(kinds)() for _ in range(length - 1))]


def difference(
    table: Table, program: list[Request], local: tuple[Ask, Follower], engine: tuple[Ask, Follower]
) -> tuple[str | None, bool]:
    """What the streams tell differently of a program that both answer alike, and whether they do answer alike."""
    unlike, excused = run(table, program, local[0], engine[0])
    sides = [by_item(follower.records()) for _, follower in (local, engine)]
    if unlike is not None or "ghosts" in excused or held(table, local[0]) != held(table, engine[0]):
        return None, False
    for item in sorted({*sides[0], *sides[1]}):
        wanted, found = (side.get(item, []) for side in sides)
        if wanted != found:
            return f"records of {item}\n  local:  {json.dumps(wanted)}\n  engine: {json.dumps(found)}", True
    return None, True


def clear_both(table: Table, *sides: tuple[Ask, Follower]) -> None:
    """Deletes all items, and leaves what is told of that behind."""
    for ask, follower in sides:
        clear(table, ask)
        follower.records()


def held(table: Table, ask: Ask) -> list[Any]:
    """The items of a table, in one order."""
    return unordered(alike(answer(ask, "Scan", {"TableName": table.name}).pages[0]["Items"]))


def alike(value: Any) -> Any:
    """A value in the one form of all that are equal to it."""
    return with_sorted_sets(canonical(Answer(200, [value]), numbers=True).pages[0])


def by_item(records: Records) -> dict[str, Records]:
    """The records of each item, as far as two places must tell the same."""
    items: dict[str, Records] = {}
    for record in records:
        told = {name: record["dynamodb"][name] for name in _TOLD if name in record["dynamodb"]}
        shown = alike(told)
        key = json.dumps(shown["Keys"], sort_keys=True)
        items.setdefault(key, []).append({"eventName": record["eventName"], **shown})
    return items


def main() -> int:
    """The long run: programs of eight writes, on tables of a hundred programs each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--sequences", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=20, help="end after so many differences")
    options = parser.parse_args()
    local, engine = Local(options.host, options.port), asking(Engine())
    counts: Counter[str] = Counter()
    for number in range(options.sequences):
        rng = random.Random(f"{options.seed}/{number}")
        if number % 100 == 0:
            current, definition = streamed(rng, f"streams-{options.seed}-{number}-{time.time_ns()}")
            create(definition, local, engine)
            sides = [(ask, Follower(ask, current.name)) for ask in (local, engine)]
            print(f"{number} programs, {dict(counts)}", flush=True)
        program = writes(rng, current, 8)
        found, compared = difference(current, program, *sides)
        counts["compared" if compared else "not compared"] += 1
        if found:
            counts["different"] += 1
            print(f"-- program {number}: {program}\n on {definition}\n{found}", flush=True)
            if counts["different"] == options.stop_after:
                break
        if not compared:
            clear_both(current, *sides)
        if number % 100 == 99:
            for ask, _ in sides:
                ask("DeleteTable", {"TableName": current.name})
    print(f"{number + 1} programs, {dict(counts)}")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
