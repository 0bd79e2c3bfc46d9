"""An exception raised by a signal, at whatever moment, leaves an engine that works, and nothing half done.

DYNAMIX_INTERRUPTS=2000 interrupts so often at random moments, and at every step where else each seventh is tried.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynamix.engine import Engine
from engine.database import Database, wire

INTERRUPTS = int(os.environ.get("DYNAMIX_INTERRUPTS", "100"))

STRIDE = "1" if INTERRUPTS > 1000 else "7"
PLACES = ["memory", "file"]


def run(program: str, *arguments: str) -> None:
    """Runs a program in a process of its own, as its signals and traces are no business of this one."""
    # coverage's own locks do not survive an exception at any moment
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]


EVERY_STEP = """
import sys
from engine.database import Database, index, wire
from dynamix.engine import Engine

class Stop(Exception):  # as Celery's time limit is: no BaseException
    pass

class Tracer:
    '''Raises Stop before the step of this number, counted in all frames of the engine.'''
    def __init__(self, number):
        self.left = number
    def __call__(self, frame, event, arg):
        if not frame.f_globals.get("__name__", "").startswith("dynamix"):
            return None
        frame.f_trace_opcodes = True
        if event in ("line", "opcode"):  # Python 3.13.0 forgets the opcodes where it is not asked for lines as well
            self.left -= 1
            if self.left < 0:
                raise Stop
        return self

engine = Engine(sys.argv[1] or None)
database = Database(engine)
stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")], StreamSpecification=stream)
ADD = {"UpdateExpression": "ADD n :one SET c = :c", "ExpressionAttributeValues": {":one": {"N": "1"}, ":c": {"S": "c"}}}
KEYS = [wire({"a": key}) for key in "xy"]
UPDATES = [{"Update": {"TableName": "tab", "Key": key, **ADD}} for key in KEYS]

def counts():
    items = [database.get(a=key["a"]["S"]) for key in KEYS]
    return [int(item["n"]["N"]) if item else 0 for item in items]

def table():
    return [database.call("Scan", TableName="tab", Select="COUNT", **of)["Count"] for of in ({}, {"IndexName": "gsi"})]

def both():
    database.call("TransactWriteItems", TransactItems=UPDATES)

def scan():
    return len(database.call("Scan", TableName="tab", Limit=2)["Items"])

both()
kept = []
for work, adds in ((both, 1), (scan, 0), (counts, 0)):
    number = 0
    while True:
        before = counts()
        tracer = Tracer(number)
        sys.settrace(tracer)
        try:
            work()
            ended = True
        except Stop as stop:
            ended = False
            kept = [*kept[-3:], stop]  # with all its frames
        finally:
            sys.settrace(None)
        after = counts()
        assert after[0] == after[1], (number, after)
        assert after[0] - before[0] in ((adds,) if ended else (0, adds)), (number, before, after)
        assert table() == [2, 2], number
        if ended:
            break
        number += int(sys.argv[2])
    assert number > 300, number
with engine._session().reading() as catalog:
    log = catalog.table("tab").log
    changes = [change.new[1] for change in log.between(catalog.execute, *log.bounds(catalog.execute))]
assert len(changes) == len(set(changes)) == sum(counts())
database.call("DeleteTable", TableName="tab")
engine.close()
"""


@pytest.mark.parametrize("place", PLACES)
def test_an_exception_may_come_at_every_step(place: str, tmp_path: Path) -> None:
    """A transaction, a scan and a read are cut off before each of their steps: all or nothing, and the next works."""
    run(EVERY_STEP, "" if place == "memory" else str(tmp_path / "file.db"), STRIDE)


SEARCH_AT_EVERY_STEP = (
    EVERY_STEP[: EVERY_STEP.index("engine = Engine")]
    + """
from engine.vector_tables import create, found, keys, vector, vectors

engine = Engine(sys.argv[1] or None)
database = Database(engine)
create(database, vectors("vix", 1, "EUCLIDEAN"))
for key, number in (("c", 9), ("b", 0)):
    database.put(a=key, e=vector(number))
kept = []
number = 0
while True:
    engine.restore(engine.snapshot())  # so that all rows are read again
    if number % 2:
        database.put(a="b", e=vector(7))
        assert len(found(database, [0])) == 2, number
        database.put(a="b", e=vector(0))  # and here the newer ones alone
    tracer = Tracer(number)
    sys.settrace(tracer)
    try:
        assert keys(found(database, [0])) == ["b", "c"], number
        ended = True
    except Stop as stop:
        ended = False
        kept = [*kept[-3:], stop]
    finally:
        sys.settrace(None)
    assert keys(found(database, [0])) == ["b", "c"], number
    database.put(a="d", e=vector(-1))
    assert keys(found(database, [0])) == ["b", "d", "c"], number
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "d"}))
    assert keys(found(database, [0])) == ["b", "c"], number
    if ended:
        break
    number += int(sys.argv[2])
assert number > 300, number
"""
)


@pytest.mark.parametrize("place", PLACES)
def test_an_exception_may_come_at_every_step_of_a_search(place: str, tmp_path: Path) -> None:
    """Whatever step of a search is cut off, the next one finds what there is, and what is written later."""
    stride = "1" if STRIDE == "1" else "29"
    run(SEARCH_AT_EVERY_STEP, "" if place == "memory" else str(tmp_path / "file.db"), stride)


AT_RANDOM = """
import random, signal, sys, threading
import dynamix
from dynamix import *

class Counted(Model):
    key = CharField(hash_key=True)
    number = IntegerField(default=0)

class Stop(BaseException):
    pass

def stop(*_):
    global left
    if left:
        left -= 1
        told["main"][1] += 1
        raise Stop

left = 0  # so often is still to be stopped
signal.signal(signal.SIGALRM, stop)
chance = random.Random(5)
connection = Connection(embedded=sys.argv[1] or True)
with use_connection(connection):
    dynamix.create_table(Counted)
ended = threading.Event()
told = {"main": [0, 0], "other": [0, 0]}  # acknowledged, and cut off

def add(key):
    with use_connection(connection):
        counter = Counted.get(key=key) or Counted.create(key=key)
        counter.add_to_field(Counted.number, 1)
        counter.commit_changes()
    told[key][0] += 1

def add_until_stopped():  # from Python 3.12 on, what comes between two rounds passes by the `except` around a loop
    while left:
        add("main")

def others():
    while not ended.is_set():
        add("other")

add("main"), add("other")
other = threading.Thread(target=others, daemon=True)  # which nobody waits for where the test fails
other.start()
for _ in range(int(sys.argv[2])):
    left, every = chance.choice([(1, 0), (1, 0), (3, 1e-5)])
    try:  # an exception may also come while one is handled
        try:
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 2e-3), every)
                    add_until_stopped()
                except Stop:
                    pass
            except Stop:
                pass
        except Stop:
            pass
    except Stop:
        pass
    left = 0
    signal.setitimer(signal.ITIMER_REAL, 0)
    with use_connection(connection):
        assert told["main"][0] <= Counted.get(key="main").number <= sum(told["main"])
assert other.is_alive()  # no request of it has failed
ended.set()
other.join()
with use_connection(connection):
    assert Counted.get(key="other").number == told["other"][0]
connection.close()
"""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals here")
def test_signals_may_come_at_any_moment(place: str, tmp_path: Path) -> None:
    """Signals that raise, also several at once, lose nothing that was acknowledged, and other threads go on."""
    run(AT_RANDOM, "" if place == "memory" else str(tmp_path / "file.db"), str(INTERRUPTS))


ENTERED_AGAIN = """
import json, signal, sys, threading
from engine.database import Database, wire
from dynamix.engine import Engine

engine = Engine(sys.argv[1] or None)
database = Database(engine)
database.create("a:S")

def body(key):
    return json.dumps({"TableName": "tab", "Key": wire({"a": key}), "UpdateExpression": "ADD n :one",
                       "ExpressionAttributeValues": {":one": wire({"n": 1})["n"]}}).encode()

answers = []
inside = False

def again(*_):
    global inside
    if not inside and len(answers) < 400:
        inside = True
        answers.append(engine.handle("UpdateItem", body("handler")))
        inside = False

class Dropped:
    def __del__(self):
        again()

signal.signal(signal.SIGALRM, again)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 3e-4)
adds = 0
while len(answers) < 400:
    dropped = Dropped()
    dropped.itself = dropped  # the collector of garbage finds it, in the middle of whatever
    assert engine.handle("UpdateItem", body("main"))[0] == 200
    adds += 1
signal.setitimer(signal.ITIMER_REAL, 0)
stored = [told for status, told in answers if status == 200]
for status, told in answers:
    assert status == 200 or (status == 507 and b"a signal handler or a finalizer cannot" in told), told
assert database.get(a="main")["n"] == {"N": str(adds)}
assert database.get(a="handler")["n"] == {"N": str(len(stored))}
"""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals here")
def test_a_thread_may_enter_again(place: str, tmp_path: Path) -> None:
    """A signal handler or finalizer that writes does so, or is told that it cannot; the work around it is right."""
    run(ENTERED_AGAIN, "" if place == "memory" else str(tmp_path / "file.db"))


def test_entering_again_is_refused_at_once(tmp_path: Path) -> None:
    """A write in the middle of a write of the same thread is told so, as a final error; a read of a file works."""
    for path in (None, str(tmp_path / "file.db")):
        database = Database(Engine(path))
        database.create("a:S")
        with database.engine._session().writing():
            assert (
                "in this thread already" in database.error("PutItem", TableName="tab", Item=wire({"a": "x"}))["message"]
            )
            if path:
                assert database.get(a="x") is None
        database.put(a="x")
        database.engine.close()


def test_a_session_that_is_dropped_holds_nothing(tmp_path: Path) -> None:
    """Where even the way out of a request was cut off, the next one undoes what is left of it."""
    for path in (None, str(tmp_path / "file.db")):
        database = Database(Engine(path))
        database.create("a:S")
        session = database.engine._session()
        catalog = session.writing().__enter__()
        catalog.add("half", catalog.table("tab").record)
        del session, catalog
        assert database.call("ListTables")["TableNames"] == ["tab"]
        database.put(a="x")
        database.engine.close()


def test_what_a_session_used_may_be_kept(tmp_path: Path) -> None:
    """A session that is ended half-way undoes what it did, also where somebody keeps the connection that it used."""
    for path in (None, str(tmp_path / "file.db")):
        database = Database(Engine(path))
        database.create("a:S")
        session = database.engine._session()
        catalog = session.writing().__enter__()
        catalog.add("half", catalog.table("tab").record)
        rows = catalog.execute("SELECT name FROM tables")
        session.abandon()
        database.put(a="x")
        assert database.call("ListTables")["TableNames"] == ["tab"]
        del rows
        database.engine.close()
