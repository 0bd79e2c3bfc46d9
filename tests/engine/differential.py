"""Runs one program on the engine and on DynamoDB Local and compares the answers.

What has no defined order (scans, equal keys of an index, batches) is compared as a collection; a query or scan
with `Limit` is followed to its last page first. An answer that differs is looked up in `differences.toml`, the one
table of known differences. After a known difference in a write the two databases may hold other items, so the program
ends there.

As a program this file is the long run:

    PYTHONPATH=tests python tests/engine/differential.py HOST PORT [--sequences 50000] [--seed 1] [--statements]
"""

import argparse
import http.client
import json
import random
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from dynamix.engine import Engine
from dynamix.engine.requests.shape_table import OF_STREAMS
from engine import statement_programs
from engine.pools import USUAL_TYPE, Index, Table, table
from engine.programs import Generator, Request

Ask: TypeAlias = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]
READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems")
PAGES = 20
_WIDE = Context(prec=100)


@dataclass
class Answer:
    """What a place answered to one request: the pages of a search, else one answer."""

    status: int
    pages: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """In one line: "OK", or the error's code and message."""
        if self.status == 200:
            return "OK"
        body = self.pages[-1]
        message = body.get("message", body.get("Message", ""))
        return f"{body.get('__type', '').rpartition('#')[2]}: {message}"


@dataclass
class Difference:
    """A request that the two answered differently."""

    request: Request
    local: Answer
    engine: Answer
    what: str

    def __str__(self) -> str:
        return (
            f"{self.what}\n  request: {self.request[0]} {json.dumps(self.request[1])}\n  local:  {self.local.text}"
            f" {json.dumps(self.local.pages)}\n  engine: {self.engine.text} {json.dumps(self.engine.pages)}"
        )


class Local:
    """DynamoDB Local over one connection."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port)

    def __call__(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        service = "DynamoDBStreams" if operation in OF_STREAMS else "DynamoDB"
        headers = {
            "X-Amz-Target": f"{service}_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=x",
        }
        self._connection.request("POST", "/", json.dumps(request), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


def asking(engine: Engine) -> Ask:
    """The engine as a function of a request."""

    def ask(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, body = engine.handle(operation, json.dumps(request).encode())
        return status, json.loads(body)

    return ask


def answer(ask: Ask, operation: str, request: dict[str, Any]) -> Answer:
    """Asks, and follows a search to its end. Of a segmented scan it asks for all segments."""
    if operation not in ("Query", "Scan"):
        status, body = ask(operation, request)
        return Answer(status, [body])
    parts = [request]
    if request.get("Segment", 0) < request.get("TotalSegments", 0):
        parts = [{**request, "Segment": segment} for segment in range(request["TotalSegments"])]
    pages: list[dict[str, Any]] = []
    for part in parts:
        following: dict[str, Any] | None = {}
        while following is not None and len(pages) < PAGES:
            status, body = ask(operation, {**part, **following})
            pages.append(body)
            if status != 200:
                return Answer(status, pages)
            following = {"ExclusiveStartKey": body["LastEvaluatedKey"]} if "LastEvaluatedKey" in body else None
    return Answer(200, pages)


def canonical(answer: Answer, *, numbers: bool = False) -> Answer:
    """The answer with numbers in one form where asked."""
    return Answer(answer.status, _canonical(answer.pages, numbers=numbers))


def _canonical(value: Any, *, numbers: bool) -> Any:
    if isinstance(value, list):
        return [_canonical(element, numbers=numbers) for element in value]
    if not isinstance(value, dict):
        return value
    return {name: _canonical_member(name, inner, numbers=numbers) for name, inner in value.items()}


def _canonical_member(name: str, inner: Any, *, numbers: bool) -> Any:
    if numbers and name == "N" and isinstance(inner, str):
        return _plain(inner)
    if numbers and name == "NS" and isinstance(inner, list):
        return [_plain(number) for number in inner]
    return _canonical(inner, numbers=numbers)


def _plain(number: str) -> str:
    """One text for all ways to write a number; what is no number stays."""
    try:
        return str(Decimal(number).normalize(_WIDE) + 0)
    except InvalidOperation:
        return number


def unordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def compare(table: Table, request: Request, local: Answer, engine: Answer) -> str | None:
    """What differs, or None. The text of numbers matters only where nothing else differs."""
    what = _compare(table, request, canonical(local, numbers=True), canonical(engine, numbers=True))
    if what is None and _compare(table, request, canonical(local), canonical(engine)):
        return "only the text of numbers differs"
    return what


def _compare(table: Table, request: Request, local: Answer, engine: Answer) -> str | None:
    if local.text != engine.text:
        return "the errors differ"
    operation, body = request
    if local.text == "OK" and operation in ("Query", "Scan"):
        return _compare_search(table, body, local.pages, engine.pages)
    first, second = local.pages[0], engine.pages[0]
    names = {*first, *second} - {"__type", "message", "Message"}
    for name in sorted(names, key=lambda name: (name in ("ConsumedCapacity", "ItemCollectionMetrics"), name)):
        wanted, found = (_loosened(operation, name, side.get(name)) for side in (first, second))
        if wanted != found:
            empty = operation == "TransactGetItems" and name == "Responses" and _without_empty(wanted) == found
            return "only empty items differ" if empty else f"{name} differs"
    return None


def _loosened(operation: str, name: str, value: Any) -> Any:
    """A member of an answer without an order that it need not have."""
    if operation == "BatchGetItem" and name == "Responses" and value:
        return {table: unordered(items) for table, items in value.items()}
    if operation == "ExecuteStatement" and name == "Items" and value:
        return unordered([with_sorted_sets(item) for item in value])
    return value


def with_sorted_sets(value: Any) -> Any:
    """DynamoDB Local gives the sets that a statement reads in the order in which they were sent."""
    if isinstance(value, list):
        return [with_sorted_sets(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {
        name: sorted(inner) if name in ("SS", "NS", "BS") else with_sorted_sets(inner) for name, inner in value.items()
    }


def _without_empty(responses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The responses of a transaction without items of which nothing is shown."""
    return [{} if response == {"Item": {}} else response for response in responses]


def _compare_search(table: Table, request: dict[str, Any], local: list[Any], engine: list[Any]) -> str | None:
    """What differs between the pages of a search."""
    index = next((index for index in table.indexes if index.name == request.get("IndexName")), None)
    query = "KeyConditions" in request or "KeyConditionExpression" in request
    reached = "" if query or index is None else _reached(table, index, request)
    if "ExclusiveStartKey" in request and (not query or index):
        return None  # what lies behind a key that was made up is not defined: hashes, ties
    ordered = query and index is None
    found, wanted = ([item for page in side for item in page.get("Items", [])] for side in (engine, local))
    if query and index and len(index.keys) > 1 and _column(index.keys[1], found) != _column(index.keys[1], wanted):
        return "the order of Items differs"
    if (found if ordered else unordered(found)) != (wanted if ordered else unordered(wanted)):
        return f"Items differs{reached}"
    if sum(_column("Count", engine)) != sum(_column("Count", local)):
        return f"Count differs{reached}"
    if "Segment" in request:
        return None if sum(_column("ScannedCount", engine)) == sum(_column("ScannedCount", local)) else "ScannedCount"
    if abs(len(engine) - len(local)) == 1 and (engine if len(engine) > len(local) else local)[-1]["ScannedCount"] == 0:
        return "only an empty last page differs"
    names = ["ScannedCount"]
    if ordered or len(local) == 1:
        names.append("ConsumedCapacity")
    if ordered:
        names.append("LastEvaluatedKey")
    return next((f"{name} differs" for name in names if _column(name, engine) != _column(name, local)), None)


def _reached(table: Table, index: Index, request: dict[str, Any]) -> str:
    """Words for a filter that names what its index does not hold."""
    if index.projection["ProjectionType"] == "ALL":
        return ""
    names = request.get("ExpressionAttributeNames", {})
    words = [names.get(word, word) for word in re.findall(r"#?\w+", request.get("FilterExpression", ""))]
    held = {*table.keys, *index.keys, *index.projection.get("NonKeyAttributes", [])}
    beyond = ({*words, *request.get("ScanFilter", ())} & {*USUAL_TYPE, *table.types}) - held
    return ", where the filter names what the index lacks" if beyond else ""


def _column(name: str, rows: list[dict[str, Any]]) -> list[Any]:
    return [row.get(name) for row in rows]


DIFFERENCES = tomllib.loads((Path(__file__).parent / "differences.toml").read_text())["difference"]


def excuse(difference: Difference) -> str | None:
    """The name of the known difference that this one is, or None."""
    operation, body = difference.request
    for known in DIFFERENCES:
        for rule in known.get("rules", ()):
            if (
                operation in rule.get("operations", operation)
                and re.search(rule.get("request", ""), json.dumps(body))
                and re.search(rule.get("what", ""), difference.what)
                and re.fullmatch(rule.get("local", ".*"), difference.local.text, re.DOTALL)
                and re.fullmatch(rule.get("engine", ".*"), difference.engine.text, re.DOTALL)
            ):
                return str(known["name"])
    return None


def run(table: Table, program: list[Request], local: Ask, engine: Ask) -> tuple[Difference | None, Counter[str]]:
    """Runs a program on both: the first difference that is not known, and how often each known one was met."""
    excused: Counter[str] = Counter()
    for operation, body in program:
        answers = answer(local, operation, body), answer(engine, operation, body)
        what = compare(table, (operation, body), *answers)
        if what:
            difference = Difference((operation, body), *answers, what)
            name = excuse(difference)
            if name is None:
                return difference, excused
            excused[name] += 1
            if operation not in READS and answers[0].status != answers[1].status:
                break  # the one has stored something, the other has not
        for key in removals(operation, body):
            if lay_ghost(table, key, local, engine):
                excused["ghosts"] += 1
    return None, excused


def removals(operation: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The keys of the updates in a request that only remove."""
    updates = (
        [body] if operation == "UpdateItem" else [a["Update"] for a in body.get("TransactItems", []) if "Update" in a]
    )
    return [update["Key"] for update in updates if _only_removes(update)]


def _only_removes(update: dict[str, Any]) -> bool:
    if "UpdateExpression" in update:
        return not re.search(r"\b(SET|ADD)\b", update["UpdateExpression"])
    actions = [part.get("Action", "PUT") for part in update.get("AttributeUpdates", {}).values()]
    return set(actions) == {"DELETE"}


def lay_ghost(table: Table, key: dict[str, Any], local: Ask, engine: Ask) -> bool:
    """Deletes an item that DynamoDB Local made although it was only to remove attributes, if it did."""
    request = {"TableName": table.name, "Key": key}
    made = local("GetItem", request)[1].get("Item") == key and "Item" not in engine("GetItem", request)[1]
    if made:
        local("DeleteItem", request)
    return made


def clear(table: Table, ask: Ask) -> None:
    """Deletes all items of a table."""
    while True:
        _, page = ask("Scan", {"TableName": table.name, "ConsistentRead": True})
        for item in page["Items"]:
            ask("DeleteItem", {"TableName": table.name, "Key": {name: item[name] for name in table.keys}})
        if "LastEvaluatedKey" not in page:
            return


def create(table: Table, *asks: Ask) -> None:
    """Creates a table everywhere, and waits until it is ready."""
    for ask in asks:
        status, body = ask("CreateTable", table.definition())
        if status != 200:
            raise AssertionError(f"the table was refused: {body}; {table.definition()}")
        while ask("DescribeTable", {"TableName": table.name})[1]["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.01)


def reduced(table: Table, program: list[Request], local: Ask, engine: Ask) -> list[Request]:
    """The program without the requests that its difference does not need."""
    position = len(program) - 1
    while position >= 0:
        shorter = program[:position] + program[position + 1 :]
        for ask in (local, engine):
            clear(table, ask)
        if run(table, shorter, local, engine)[0] is not None:
            program = shorter
        position -= 1
    return program


def main() -> int:
    """The long run: programs of eight requests, or of eight statements, on tables of a hundred programs each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--sequences", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--statements", action="store_true", help="execute PartiQL instead")
    parser.add_argument("--stop-after", type=int, default=20, help="end after so many unknown differences")
    options = parser.parse_args()
    local, engine = Local(options.host, options.port), asking(Engine())
    excused: Counter[str] = Counter()
    unknown = requests = 0
    start = time.monotonic()
    for number in range(options.sequences):
        rng = random.Random(f"{options.seed}/{number}")
        if number % 100 == 0:
            name = f"differential-{options.seed}-{number}-{time.time_ns()}"
            current = statement_programs.table(name) if options.statements else table(rng, name)
            create(current, local, engine)
            print(
                f"{number} programs, {time.monotonic() - start:.0f} s, unknown {unknown}, {dict(excused)}", flush=True
            )
        if options.statements:
            program = statement_programs.program(rng, current.name, 8)
        else:
            program = Generator(rng, current).program(8)
        difference, met = run(current, program, local, engine)
        requests += len(program)
        excused += met
        if difference:
            unknown += 1
            print(f"-- program {number} on {current.definition()}\n{difference}", flush=True)
            if unknown == options.stop_after:
                break
        for ask in (local, engine):
            clear(current, ask)
        if number % 100 == 99:
            for ask in (local, engine):
                ask("DeleteTable", {"TableName": current.name})
    print(f"{number + 1} programs, {requests} requests, {unknown} unknown differences, known: {dict(excused)}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
