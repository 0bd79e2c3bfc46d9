"""Which connection is in force, and what one may be told. All on engines in memory; nothing leaves the process."""

import asyncio
import contextvars
import dis
import gc
import itertools
import math
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import dynamix
from dynamix import Connection, current, use_connection
from dynamix.context import in_force
from dynamix.engine import Engine
from dynamix.transport.options import local_address


class Note(dynamix.Model):
    """A small item."""

    name = dynamix.CharField(hash_key=True)


def engine(*names: str) -> Connection:
    """An engine that holds these notes."""
    there = Connection(embedded=True)
    with use_connection(there):
        dynamix.create_table(Note)
        Note.batch_write([{"name": name} for name in names])
    return there


def names() -> list[str]:
    """The notes of the connection in force."""
    return sorted(note.name for note in Note.scan())


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_default", None)
    monkeypatch.setattr(current, "_of_environment", None)


def test_the_innermost_is_in_force() -> None:
    """A model's own connection comes first, then the inner block's, then the outer one's, and last the default."""
    with engine("a") as a, engine("b") as b, engine("c") as c, engine("d") as d:

        class Own(Note):
            __table_name__ = "Note"
            __connection__ = d

        current._default = a
        assert names() == ["a"]
        with use_connection(b):
            assert names() == ["b"]
            with use_connection(c):
                assert names() == ["c"]
                assert [note.name for note in Own.scan()] == ["d"]
            assert names() == ["b"]
        assert names() == ["a"]


def outcome(work: Callable[[], list[str]]) -> list[str] | str:
    """What a thread sees, or the words of its refusal."""
    try:
        return work()
    except dynamix.NotConfiguredError as error:
        return str(error)


def test_a_block_is_not_for_older_threads() -> None:
    """A thread that was there before a block goes on with the default, and does not see the block."""
    begin, ended = threading.Event(), threading.Event()
    seen: list[list[str] | str] = []

    def work() -> None:
        begin.wait()
        seen.append(outcome(names))
        ended.set()

    with engine("default") as default, engine("mine") as mine:
        current._default = default
        thread = threading.Thread(target=work)
        thread.start()
        with use_connection(mine):
            begin.set()
            ended.wait()
            assert names() == ["mine"]
        thread.join()
        assert seen == [["default"]]


@pytest.mark.parametrize("default", ["set", "from the environment"])
def test_a_thread_of_a_block_does_not_reach_what_the_block_replaces(default: str) -> None:
    """A thread that is started in a block of the main thread is refused the default, in the block and after it."""
    after = threading.Event()

    def late() -> list[str] | str:
        after.wait()
        return outcome(names)

    seen: list[list[str] | str] = []
    with engine("default") as there, engine("mine") as mine, ThreadPoolExecutor() as threads:
        current._default = there if default == "set" else None
        with use_connection(mine):
            thread = threading.Thread(target=lambda: seen.append(outcome(names)), name="worker")
            thread.start()
            thread.join()
            seen.append(threads.submit(outcome, names).result())
            waiting = threads.submit(late)
            assert names() == ["mine"]
        after.set()
        seen.append(waiting.result())
        for said in seen:
            assert "was started in a use_connection block of the main thread" in said
        assert "'worker'" in seen[0]
        if default == "set":
            assert names() == ["default"]


def test_a_thread_of_a_block_may_have_another_connection() -> None:
    """A context that is handed on, a block of its own, a model's connection and a later default all serve a thread."""
    with engine("default") as default, engine("mine") as mine, engine("later") as later:

        class Own(Note):
            __table_name__ = "Note"
            __connection__ = default

        def own_block() -> list[str]:
            with use_connection(later):
                return names()

        async def main() -> list[str]:
            return await asyncio.to_thread(names)

        current._default = default
        with use_connection(mine), ThreadPoolExecutor(1) as threads:
            assert threads.submit(contextvars.copy_context().run, names).result() == ["mine"]
            assert threads.submit(own_block).result() == ["later"]
            assert threads.submit(lambda: [note.name for note in Own.scan()]).result() == ["default"]
            assert asyncio.run(main()) == ["mine"]
            current._default = later
            assert threads.submit(names).result() == ["later"]


def test_a_context_that_was_handed_on_is_a_choice() -> None:
    """A thread that was started in a block may have the default later, where it is handed a context without a block."""
    with engine("default") as default, engine("mine") as mine, ThreadPoolExecutor(1) as threads:
        current._default = default
        with use_connection(mine):
            assert "was started in" in threads.submit(outcome, names).result()
        assert threads.submit(contextvars.copy_context().run, names).result() == ["default"]


def test_blocks_of_threads_and_tasks_refuse_nobody() -> None:
    """Blocks such as a server opens for each request leave the default to all others."""
    opened, seen = threading.Event(), threading.Event()

    def work() -> list[str]:
        with use_connection(mine):
            opened.set()
            seen.wait()
            return names()

    async def main() -> list[str]:
        with use_connection(mine):
            return await asyncio.get_running_loop().run_in_executor(None, names)

    with engine("default") as default, engine("mine") as mine, ThreadPoolExecutor() as threads:
        current._default = default
        working = threads.submit(work)
        opened.wait()
        assert threads.submit(names).result() == ["default"]
        seen.set()
        assert working.result() == ["mine"]
        assert asyncio.run(main()) == ["default"]


def test_the_default_can_be_set_for_a_block() -> None:
    """As a context manager, what set_connection gives serves all threads, is closed, and leaves what was before."""
    with engine("before") as before, ThreadPoolExecutor() as threads:
        current._default = before
        with dynamix.set_connection(embedded=True) as inner:
            dynamix.create_table(Note)
            Note.create(name="inner")
            assert threads.submit(names).result() == ["inner"]
            with dynamix.set_connection(engine=Engine(), table_prefix="x-"):
                dynamix.create_table(Note)
                assert threads.submit(names).result() == []
            assert threads.submit(names).result() == ["inner"]
        assert threads.submit(names).result() == ["before"]
        with use_connection(inner), pytest.raises(dynamix.ConnectionException, match="was closed"):
            names()


def test_a_default_set_for_an_asynchronous_block() -> None:
    """`async with` does the same."""

    async def main() -> None:
        async with dynamix.set_connection(embedded=True) as inner:
            assert current.current() is inner
        assert current.current() is before

    with engine() as before:
        current._default = before
        asyncio.run(main())


def test_defaults_that_nobody_leaves_are_not_kept() -> None:
    """Setting the default again and again keeps the last two at most."""
    kept = [weakref.ref(dynamix.set_connection(embedded=True)) for _ in range(5)]
    gc.collect()
    assert [one() is None for one in kept] == [True, True, True, False, False]
    with dynamix.set_connection(embedded=True):
        assert current.current() is not kept[4]()
    assert current.current() is kept[4]()


def test_a_block_is_for_its_own_task() -> None:
    """Tasks do not see each other's blocks, however they interleave."""

    async def seen_in(place: Connection, rounds: int) -> set[str]:
        found = set()
        with use_connection(place):
            for _ in range(rounds):
                await asyncio.sleep(0)
                found |= {note.name async for note in Note.scan()}
        return found

    async def both() -> list[set[str]]:
        return list(await asyncio.gather(seen_in(a, 5), seen_in(b, 5)))

    with engine("a") as a, engine("b") as b:
        assert asyncio.run(both()) == [{"a"}, {"b"}]


def test_a_block_may_end_in_another_context() -> None:
    """A fixture or a dependency may be entered in one context and left in another: in neither is the block in force
    then, and nothing is raised."""

    def fixture() -> Iterator[None]:
        with use_connection(one), dynamix.timeout(30):
            yield

    one = Connection(embedded=True)
    before = current.current()
    for copied in (False, True):
        suspended = fixture()
        entered = contextvars.copy_context()
        entered.run(next, suspended)
        left = entered.copy() if copied else contextvars.copy_context()
        assert left.run(current.current) is (one if copied else before)
        assert left.run(next, suspended, "ended") == "ended"
        assert left.run(current.current) is before
        assert left.run(in_force).deadline == math.inf


def test_blocks_may_end_in_any_order() -> None:
    """Blocks of generators that end before others do, which began later, do not come back with their end."""
    one, two, three = (Connection(embedded=True) for _ in range(3))

    def suspended(connection: Connection) -> Iterator[None]:
        with use_connection(connection):
            yield

    before = current.current()
    for order in itertools.permutations(range(3)):
        blocks = [suspended(connection) for connection in (one, two, three)]
        left = [one, two, three]
        for block in blocks:
            next(block)
        for number in order:
            blocks[number].close()
            left.remove((one, two, three)[number])
            assert current.current() is [before, *left][-1]
        assert current.current() is before


def test_a_task_that_outlives_its_block_keeps_the_connection() -> None:
    """A task started in a block goes on with the block's connection, also after blocks of its own."""
    one, two = Connection(embedded=True), Connection(embedded=True)

    async def work(ended: asyncio.Event) -> None:
        await ended.wait()
        with use_connection(two):
            assert current.current() is two
        assert current.current() is one

    async def main() -> None:
        ended = asyncio.Event()
        with use_connection(one):
            task = asyncio.create_task(work(ended))
            await asyncio.sleep(0)
        ended.set()
        await task

    asyncio.run(main())


def test_an_interrupted_block_is_not_in_force() -> None:
    """Whatever step of entering or leaving a block an exception of a signal's handler cuts off, it comes out, and what
    was in force before is in force again."""

    class StopError(Exception):
        pass

    class Tracer:
        """Raises in the step of this number, of those in which Python looks for signals: when a function begins or
        goes on, and after calls."""

        def __init__(self, number: int) -> None:
            self.left = number
            self.step: dict[int, str] = {}  # of frames, which are not to be kept

        def __call__(self, frame: Any, event: str, _: Any) -> Any:
            if frame.f_globals.get("__name__") not in ("dynamix.context", "dynamix.current", "contextlib"):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                before = self.step.get(id(frame), "")
                self.step[id(frame)] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
                if before.startswith(("RESUME", "CALL")):
                    self.left -= 1
                    if self.left == -1:
                        raise StopError
            return self

    def run() -> None:
        one = Connection(embedded=True)
        before = current.current()
        for number in itertools.count():
            sys.settrace(Tracer(number))
            try:
                with use_connection(one):
                    pass
                ended = True
            except StopError:
                ended = False
            finally:
                sys.settrace(None)
            assert current.current() is before, number
            if ended:
                break
        assert number > 30

    former = sys.gettrace()
    try:
        run()
    finally:
        sys.settrace(former)


def test_set_connection_sets_the_default() -> None:
    """set_connection returns the connection that it sets for the process."""
    with dynamix.set_connection(embedded=True, table_prefix="x-") as there:
        assert current.current() is there
        assert there.table_prefix == "x-"


def test_a_prefix_parts_tables(tmp_path: Path) -> None:
    """Two prefixes in one place are two tables."""
    for prefix in ("a-", "b-"):
        with Connection(embedded=tmp_path / "notes.db", table_prefix=prefix) as there, use_connection(there):
            dynamix.create_table(Note)
            Note.create(name=prefix)
            assert names() == [prefix]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"region": "eu-west-1"}, "did you mean 'region_name'.*embedded.*profile_name"),
        ({"is_local_endpoint": ("localhost",)}, "is_local_endpoint"),
        ({"is_local_endpoint": ("localhost", "http")}, "is_local_endpoint"),
        ({"is_local_endpoint": ("localhost", 99999)}, "is_local_endpoint"),
        ({"embedded": 5}, "embedded"),
        ({"embedded": True, "is_local_endpoint": True}, "contradict each other"),
        ({"embedded": True, "region_name": "eu-west-1"}, "would have no effect"),
        ({"aws_access_key_id": "x"}, "aws_secret_access_key"),
        ({"aws_access_key_id": "x", "aws_secret_access_key": "y", "profile_name": "z"}, "contradict each other"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"read_timeout": "5"}, "read_timeout"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_connections": 1.5}, "max_connections"),
        ({"table_prefix": 5}, "table_prefix"),
        ({"region_name": ""}, "region_name"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], said: str) -> None:
    """An unknown, mistyped, useless or contradictory option is refused when the connection is made."""
    with pytest.raises(dynamix.ValidationException, match=said):
        dynamix.set_connection(**options)
    assert current._default is None


def test_a_local_endpoint() -> None:
    """True is DynamoDB Local's own address; a port may be a number or its text."""
    assert local_address(True) == ("127.0.0.1", 8000)
    assert local_address(("localhost", "8001")) == local_address(("localhost", 8001)) == ("localhost", 8001)


def test_nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing is configured the first operation says so and names the ways."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(dynamix.ConnectionException) as no_region:
        Note.get(name="x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with pytest.raises(dynamix.ConnectionException) as no_keys, Connection() as there, use_connection(there):
        Note.get(name="x")
    for caught in (no_region, no_keys):
        for way in ("profile", "is_local_endpoint", "embedded="):
            assert way in str(caught.value)


def test_secrets_are_not_shown() -> None:
    """repr shows the options, but no keys."""
    there = Connection(region_name="eu-west-1", aws_access_key_id="AKIA", aws_secret_access_key="hush")
    assert "region_name='eu-west-1'" in repr(there)
    assert "hush" not in repr(there)
    there.close()


def test_a_closed_connection_says_so() -> None:
    """After close no operation is run, and the error says why."""
    there = engine("a")
    there.close()
    with use_connection(there), pytest.raises(dynamix.ConnectionException, match="was closed"):
        names()
