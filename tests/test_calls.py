"""What a program pays for without asking for it: modules that an import loads, calls of our own between a verb and its
transport. Both are the same on every machine."""

import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import dynamix
from dynamix import CharField, Connection, IntegerField, Model, SetField

TRANSPORT = "/dynamix/transport/"
GENERATED = "<dynamix "


class Counted(Model):
    """A model of two keys and fields of three kinds."""

    forum = CharField(hash_key=True)
    thread = CharField(range_key=True)
    title = CharField()
    views = IntegerField(default=0)
    tags = SetField()


def own_calls(work: Callable[[], object]) -> list[str]:
    """The functions of dynamix that some work calls in this thread, without what a transport calls."""
    calls: list[str] = []
    ignored = 0

    def watch(frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal ignored
        name = frame.f_code.co_filename
        if event == "call" and (ignored or TRANSPORT in name):
            ignored += 1
        elif event == "call" and ("/dynamix/" in name or name.startswith(GENERATED)):
            calls.append(f"{name.rpartition('/dynamix/')[2]} {frame.f_code.co_name}")
        elif event == "return" and ignored:
            ignored -= 1

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_a_get_makes_few_calls() -> None:
    """From the verb to the instance, a GetItem takes at most 25 calls beside the transport's."""
    with dynamix.use_connection(Connection(embedded=True)):
        dynamix.create_table(Counted)
        stored = Counted.create(forum="science", thread="physics", title="t", tags={"a"})
        assert Counted.get(forum="science", thread="physics") == stored  # what is made at the first use is made
        calls = own_calls(lambda: Counted.get(forum="science", thread="physics"))
    assert any(call.startswith("<dynamix read") for call in calls)
    assert "operations/items.py get" in calls
    assert len(calls) <= 25, calls


def test_an_import_loads_nothing_slow() -> None:
    """Modules that take long to load are left to what needs them: a function's first call starts a cold program. What
    msgspec loads, on older versions of Python more, is not counted."""
    slow = {"ast", "asyncio", "botocore", "concurrent.futures", "dataclasses", "difflib", "inspect", "logging", "numpy"}
    slow |= {"queue", "random", "socket", "ssl", "urllib.parse"}
    slow |= {"dynamix.batches", "dynamix.engine", "dynamix.ids", "dynamix.tables", "dynamix.transactions"}
    slow |= {"json", "string", "dynamix.operations.batch", "dynamix.operations.doubts", "dynamix.operations.update"}
    slow |= {"dynamix.model.batching", "dynamix.query", "dynamix.selection", "dynamix.updates.pending"}
    slow |= {"dynamix.fields.decimal", "dynamix.fields.encrypted", "dynamix.seal"}
    assert loaded("import dynamix; dynamix.Model, dynamix.CharField, dynamix.set_connection") & slow == set()


def test_a_server_starts_without_the_mapper() -> None:
    """The command loads the engine, and nothing of what only programs with models use."""
    mapper = {"dynamix.model", "dynamix.fields", "dynamix.connection", "dynamix.operations", "dynamix.updates"}
    assert loaded("import dynamix.cli") & mapper == set()


def loaded(program: str) -> set[str]:
    """The modules that a program loads, beside those of msgspec."""
    program = f"import sys, msgspec; before = {{*sys.modules}}; {program}; print(*{{*sys.modules}} - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
