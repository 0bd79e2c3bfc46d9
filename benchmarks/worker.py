"""Runs one contestant in a process of its own. Called by run.py, in the contestant's own environment:

    worker.py rounds NAME URL           answer commands from standard input, one JSON object to a line
    worker.py start NAME URL IMPORT     import, connect, and get one item, once
    worker.py scan NAME URL             read a table of 100,000 items, once, for the peak of memory

A contestant is a module of `contestants` with these functions, all plain or all `async def`:

    connect(url)                        once, before anything else
    get() put() update() query(forum_id) batch_write() batch_get() transact() save_unchanged()
    doc_read()                          the document, each of its values read, by attribute
    doc_put() doc_update()              the document put whole; one key of its map set, by the key of the item alone
    doc_commit()                        the same of a loaded document, which then is as the answer says; returns it
    get_async()                         what `get` does, for an event loop
    connect_async(url)                  once, on the loop, where `get_async` needs it
    scan()                              the number of items read, none of them kept
    values(post)                        an object that get or query gave, as `sample.post` spells it
    doc_values(document)                what `doc_read` or `doc_commit` gave, as `sample.document` spells it

What a contestant cannot do it leaves out, and its results say so.

Processor time is the whole process's, user and system, threads of native code included.
"""

import importlib
import os
import sys
import time
from typing import Any

_SECONDS = 0.2
"""What one round of one kind of work lasts, unless a single call lasts longer."""

_WORK: dict[str, tuple[str, tuple[str, ...]]] = {
    "get": ("get", ()),
    "put": ("put", ()),
    "update": ("update", ()),
    "query_100": ("query", ("forum-100",)),
    "query_1000": ("query", ("forum-1000",)),
    "read_1000": ("query", ("forum-1000",)),
    "declared_1000": ("query_declared", ("forum-1000",)),
    "batch_write": ("batch_write", ()),
    "batch_get": ("batch_get", ()),
    "transact": ("transact", ()),
    "save_unchanged": ("save_unchanged", ()),
    "doc_read": ("doc_read", ()),
    "doc_put": ("doc_put", ()),
    "doc_commit": ("doc_commit", ()),
    "doc_update": ("doc_update", ()),
    "get_in_flight": ("get_async", ()),
}
"""Each kind of work: the contestant's function and its arguments. `read_1000` then reads each attribute by `values`,
`declared_1000` by `declared_values`."""

_VALUES = {"read_1000": "values", "declared_1000": "declared_values"}
"""What reads each attribute of an object, where that is part of the work."""


def is_async(contestant: Any) -> bool:
    return bool(contestant.get.__code__.co_flags & 0x80)  # inspect.CO_COROUTINE, without importing inspect


def leave() -> None:
    """End without closing sessions and loops, about which several libraries would complain."""
    os._exit(0)


def scan(name: str, url: str) -> None:
    import asyncio
    import json
    import resource

    import sample

    contestant = importlib.import_module(f"contestants.{name}")
    mebibytes = 2**20 if sys.platform == "darwin" else 2**10
    started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / mebibytes

    async def awaited() -> int:
        await contestant.connect(url)
        count: int = await contestant.scan()
        return count

    if is_async(contestant):
        count = asyncio.run(awaited())
    else:
        contestant.connect(url)
        count = contestant.scan()
    assert count == sample.SCAN_COUNT, f"{count} items instead of {sample.SCAN_COUNT}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / mebibytes
    print(json.dumps({"imported_mib": started, "peak_mib": peak}), flush=True)
    leave()


def start(name: str, url: str, statement: str) -> None:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    exec(statement, {})
    imported, imported_cpu = time.perf_counter(), time.process_time()
    contestant = importlib.import_module(f"contestants.{name}")

    async def awaited() -> None:
        await contestant.connect(url)
        await contestant.get()

    if is_async(contestant):
        import asyncio

        # Not asyncio.run: closing the loop would be counted as well.
        asyncio.new_event_loop().run_until_complete(awaited())
    else:
        contestant.connect(url)
        contestant.get()
    answered, answered_cpu = time.perf_counter(), time.process_time()
    # perf_counter is one clock for all processes on Linux and macOS, so that run.py can subtract its own reading.
    figures = {
        "import_wall": imported - begun,
        "import_cpu": imported_cpu - begun_cpu,
        "first_answer_wall": answered - begun,
        "first_answer_cpu": answered_cpu - begun_cpu,
        "cpu_since_process_start": answered_cpu,
        "answered_at": answered,
    }
    print(str(figures).replace("'", '"'), flush=True)
    leave()


class Rounds:
    """Answers commands: verify that the contestant does its work, warm up one kind of work, measure a round of it."""

    def __init__(self, name: str, url: str) -> None:
        import asyncio

        import sample

        self.contestant = importlib.import_module(f"contestants.{name}")
        self.sample = sample
        self.port = int(url.rpartition(":")[2])
        self.is_async = is_async(self.contestant)
        self.gather = asyncio.gather
        self.run = asyncio.new_event_loop().run_until_complete
        self.calls: dict[str, int] = {}
        self.call(self.contestant.connect, url)
        if hasattr(self.contestant, "connect_async"):
            self.run(self.contestant.connect_async(url))

    def call(self, function: Any, *arguments: Any) -> Any:
        result = function(*arguments)
        return self.run(result) if self.is_async else result

    def verify(self) -> dict[str, Any]:
        """Every kind of work once, with a look at the objects that came back and at the bodies that went out."""
        if hasattr(self.contestant, "values"):
            self.verify_reads()
            self.verify_writes()
            self.verify_transaction()
            self.verify_documents()
        return {"gives": self.contestant.RESULT}

    def verify_reads(self) -> None:
        contestant, sample = self.contestant, self.sample
        assert contestant.values(self.call(contestant.get)) == sample.post(0)
        for forum in sample.FORUM_SIZES:
            assert [contestant.values(post) for post in self.call(contestant.query, forum)] == sample.posts(forum)
        if hasattr(contestant, "query_declared"):
            found = [contestant.declared_as_sent(post) for post in self.call(contestant.query_declared, sample.FORUM)]
            assert found == sample.posts()
        found = [contestant.values(post) for post in self.call(contestant.batch_get)]
        assert sorted(found, key=lambda post: post["thread_id"]) == sample.posts()
        if hasattr(contestant, "get_async"):
            assert contestant.values(self.run(contestant.get_async())) == sample.post(0)

    def verify_writes(self) -> None:
        contestant, sample = self.contestant, self.sample
        if hasattr(contestant, "put"):
            (request,) = self.sent(contestant.put, "PutItem")
            assert_sent(request["Item"], sample.post(0))
        if hasattr(contestant, "update"):
            (request,) = self.sent(contestant.update, "UpdateItem")
            assert request["UpdateExpression"]
            assert request["ConditionExpression"]
            assert {"S": sample.AUTHOR} in request["ExpressionAttributeValues"].values()
        if hasattr(contestant, "batch_write"):
            requests = self.sent(contestant.batch_write, "BatchWriteItem")
            writes = [write for request in requests for write in request["RequestItems"].popitem()[1]]
            sent = [write["PutRequest"]["Item"] for write in writes]
            sent.sort(key=lambda item: item["thread_id"]["S"])
            for item, values in zip(sent, sample.posts(), strict=True):
                assert_sent(item, values)

        if hasattr(contestant, "save_unchanged"):
            assert not self.sent(contestant.save_unchanged, "UpdateItem")

    def verify_transaction(self) -> None:
        sample = self.sample
        if not hasattr(self.contestant, "transact"):
            return
        (request,) = self.sent(self.contestant.transact, "TransactWriteItems")
        actions = dict(action.popitem() for action in request["TransactItems"])
        put, update, delete, check = (actions[kind] for kind in ("Put", "Update", "Delete", "ConditionCheck"))
        assert_sent(put["Item"], sample.post(0))
        keys = [sample.item_to_wire(key) for key in sample.transaction_keys()]
        assert [update["Key"], delete["Key"], check["Key"]] == keys[1:]
        assert update["UpdateExpression"]
        assert {"S": sample.AUTHOR} in check["ExpressionAttributeValues"].values()

    def verify_documents(self) -> None:
        contestant, sample = self.contestant, self.sample
        if not hasattr(contestant, "doc_read"):
            return
        doc_values = getattr(contestant, "doc_values", dict)
        assert doc_values(self.call(contestant.doc_read)) == sample.document()
        if hasattr(contestant, "doc_put"):
            (request,) = self.sent(contestant.doc_put, "PutItem")
            document = sample.document()
            assert {name: sample.from_wire(request["Item"][name]) for name in document} == document
        if hasattr(contestant, "doc_commit"):
            assert doc_values(self.call(contestant.doc_commit)) == sample.changed_document()
        for function in (getattr(contestant, name, None) for name in ("doc_commit", "doc_update")):
            if function is not None:
                (request,) = self.sent(function, "UpdateItem")
                values = [sample.from_wire(value) for value in request["ExpressionAttributeValues"].values()]
                maps = [value for value in values if isinstance(value, dict)]  # one library sends the whole map
                assert sample.CHANGED in values + [words.get(sample.CHANGED_WORD) for words in maps]

    def sent(self, function: Any, operation: str) -> list[dict[str, Any]]:
        """The bodies of the requests by which `function` asks for `operation`."""
        self.recorded(operation)
        self.call(function)
        return self.recorded(operation)

    def recorded(self, operation: str) -> list[dict[str, Any]]:
        import http.client
        import json

        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/", body=operation, headers={"X-Amz-Target": "Responder.Recorded"})
        bodies: list[dict[str, Any]] = json.loads(connection.getresponse().read())
        connection.close()
        return bodies

    def measure(self, work: str, calls: int) -> dict[str, float]:
        """Seconds of processor and of wall clock that one operation took, over `calls` of them."""
        if work == "get_in_flight":
            return self.timed_awaited(self.in_flight(calls), calls * self.sample.IN_FLIGHT)
        name, arguments = _WORK[work]
        function = getattr(self.contestant, name)
        if work in _VALUES:
            function = self.reading(function, getattr(self.contestant, _VALUES[work]))
        if self.is_async:
            return self.timed_awaited(repeated(function, arguments, calls), calls)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            function(*arguments)
        return {"cpu": (time.process_time() - cpu) / calls, "wall": (time.perf_counter() - wall) / calls}

    def reading(self, query: Any, values: Any) -> Any:
        """`query`, and then every attribute of every object."""

        async def awaited(forum_id: str) -> None:
            for post in await query(forum_id):
                values(post)

        def called(forum_id: str) -> None:
            for post in query(forum_id):
                values(post)

        return awaited if self.is_async else called

    def timed_awaited(self, awaitable: Any, calls: int) -> dict[str, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        self.run(awaitable)
        return {"cpu": (time.process_time() - cpu) / calls, "wall": (time.perf_counter() - wall) / calls}

    async def in_flight(self, calls: int) -> None:
        get = self.contestant.get_async
        await self.gather(*(repeated(get, (), calls) for _ in range(self.sample.IN_FLIGHT)))

    def warm_up(self, work: str) -> dict[str, Any]:
        """Opens connections, fills caches, and finds how many calls make a round; says whether there is such work."""
        if not hasattr(self.contestant, _VALUES.get(work, _WORK[work][0])):
            return {"missing": True}
        self.measure(work, 1)
        seconds = self.measure(work, 3)["wall"] * (self.sample.IN_FLIGHT if work == "get_in_flight" else 1)
        self.calls[work] = max(1, round(_SECONDS / seconds))
        return {"missing": False}

    def answer(self, command: str, work: str = "") -> dict[str, Any]:
        match command:
            case "verify":
                return self.verify()
            case "warm_up":
                return self.warm_up(work)
            case _:
                return self.measure(work, self.calls[work])


async def repeated(function: Any, arguments: tuple[str, ...], calls: int) -> None:
    for _ in range(calls):
        await function(*arguments)


def assert_sent(item: dict[str, Any], values: dict[str, Any]) -> None:
    """The item that went out holds what was meant. Libraries differ in their dates, and pydynox sends sets as lists."""
    import sample

    sent = {name: sample.from_wire(item[name]) for name in values}
    sent["tags"] = set(sent["tags"])
    assert sent.pop("created_at").startswith(values["created_at"].isoformat()[:26])
    assert sent == {name: value for name, value in values.items() if name != "created_at"}


def rounds(name: str, url: str) -> None:
    import json

    commands = Rounds(name, url)
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(commands.answer(**json.loads(line))), flush=True)
    leave()


if __name__ == "__main__":
    _mode, *_arguments = sys.argv[1:]
    {"rounds": rounds, "start": start, "scan": scan}[_mode](*_arguments)
