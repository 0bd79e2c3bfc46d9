"""What a signal's handler raises comes out, whatever step of the mapper it cuts off: nothing takes it for a failure."""

import dis
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from types import FrameType
from typing import Any

import pytest

import dynamix
from dynamix import Connection, use_connection
from dynamix.transport.credentials import BotocoreCredentials

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there are no such signals here")


class SoftTimeLimitError(Exception):
    """What task queues raise from a signal's handler: not a BaseException only."""


class Handler:
    """Raises an exception of a class when the signal comes."""

    def __init__(self, kind: type[Exception]) -> None:
        self.kind = kind

    def method(self, number: int, frame: FrameType | None) -> None:
        """As a method."""
        raise self.kind("of a signal")

    def anything(self, *given: Any) -> None:
        """With whatever arguments, by way of another function."""
        self.method(*given)

    def once(self, number: int, frame: FrameType | None) -> None:
        """One that is not the handler any more when it raises."""
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        raise self.kind("of a signal")


@pytest.fixture(params=["method", "anything", "once"])
def handler(request: pytest.FixtureRequest) -> Iterator[None]:
    """A handler of SIGUSR1 that raises SoftTimeLimitError."""
    before = signal.signal(signal.SIGUSR1, getattr(Handler(SoftTimeLimitError), request.param))
    yield
    signal.signal(signal.SIGUSR1, before)


def interrupt() -> None:
    """Has the handler called here and now."""
    signal.raise_signal(signal.SIGUSR1)


class Moody(dynamix.CharField):
    """A field of a program's own, amid whose conversions the signal may come."""

    at = ""

    def to_wire(self, value: Any) -> dict[str, Any]:
        if type(self).at == "to_wire":
            interrupt()
        return {"S": f"x{value}"}

    def from_wire(self, wire: dict[str, Any]) -> str:
        if type(self).at == "from_wire":
            interrupt()
        return str(wire["S"][1:])


def positive(value: int) -> bool:
    """A validator amid which the signal may come."""
    if Moody.at == "validator":
        interrupt()
    return value > 0


class Thing(dynamix.Model):
    """Something of everything."""

    name = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)
    mood = Moody()
    count = dynamix.IntegerField(default=1, validator=positive)
    price = dynamix.FloatField()
    made_at = dynamix.DateTimeField()
    words = dynamix.ListField()
    notes = dynamix.DictField()
    marks = dynamix.SetField()
    nothing = dynamix.CharField(null=True)


def values(number: int) -> dict[str, Any]:
    """Those of one thing."""
    return {
        "name": "a",
        "number": number,
        "mood": "good",
        "count": 2,
        "price": 1.5,
        "made_at": datetime(2020, 1, 1),
        "words": [1, "x"],
        "notes": {"a": {"b": 1}},
        "marks": {"q"},
        "nothing": None,
    }


def get_all_of_one() -> None:
    """Reads a thing, what is left unread until somebody asks included."""
    thing = Thing.get(name="a", number=1)
    assert (thing.words, thing.notes, thing.marks, thing.mood) is not None


def change() -> None:
    """Changes a thing in many ways."""
    thing = Thing.get(name="a", number=1)
    thing.add_to_field(Thing.price, 1)
    thing.set_field(Thing.count, 5)
    thing.set_field(Thing.mood, "bad")
    thing.append_to_listfield(Thing.words, 3)
    thing.commit_changes()


READS: dict[str, Callable[[], Any]] = {
    "get": get_all_of_one,
    "query": lambda: list(Thing.query().where(Thing.name == "a").where(Thing.count > 0)),
    "scan": lambda: [thing.mood for thing in Thing.scan()],
    "batch_get": lambda: [thing.mood for thing in Thing.batch_get({"name": "a", "number": 1})],
}
WRITES: dict[str, Callable[[], Any]] = {
    "create": lambda: Thing.create(**values(1)),
    "batch_write": lambda: Thing.batch_write([values(2), values(3)]),
    "change": change,
}


@pytest.fixture
def things() -> Iterator[None]:
    """Some things on an engine."""
    Moody.at = ""
    with Connection(embedded=True) as connection, use_connection(connection):
        dynamix.create_table(Thing)
        Thing.batch_write([values(1), values(2)])
        yield
        Moody.at = ""


@pytest.mark.usefixtures("handler", "things")
@pytest.mark.parametrize(
    ("work", "at"),
    [(work, "from_wire") for work in READS.values()]
    + [(work, at) for work in WRITES.values() for at in ("to_wire", "validator")],
)
def test_a_conversion_is_interrupted(work: Callable[[], Any], at: str) -> None:
    """What a handler raises amid a conversion or a validator is not taken for a value that is wrong."""
    Moody.at = at
    with pytest.raises(SoftTimeLimitError):
        work()


class Twice(Moody):
    """One amid whose second conversion the signal comes."""

    calls = 0

    def to_wire(self, value: Any) -> dict[str, Any]:
        type(self).calls += 1
        if type(self).calls == 2:
            interrupt()
        return {"S": value}


class Odd(dynamix.Model):
    """What may hold a text that is none."""

    name = dynamix.CharField(hash_key=True)
    twice = Twice()
    words = dynamix.ListField()


@pytest.mark.usefixtures("handler")
def test_looking_for_what_is_no_text_is_interrupted() -> None:
    """What a handler raises while the field of a text that is none is looked for is not taken for a wrong value."""
    Twice.calls = 0
    with Connection(embedded=True) as connection, use_connection(connection):
        dynamix.create_table(Odd)
        with pytest.raises(SoftTimeLimitError):
            Odd.create(name="a", twice="x", words=["\ud800"])


@pytest.mark.usefixtures("handler")
def test_looking_for_credentials_is_interrupted() -> None:
    """What a handler raises amid a look-up of credentials is none of the many ways in which that can fail."""
    with pytest.raises(SoftTimeLimitError):
        BotocoreCredentials(interrupt).get()


class Tracer:
    """Has the signal come in the step of this number, of those in which Python looks for signals: when a function
    begins or goes on, and after calls."""

    def __init__(self, number: int, within: tuple[str, ...] = ("dynamix",)) -> None:
        self.left = number
        self._within = within  # how the names of modules begin whose steps count
        self._steps: dict[int, str] = {}  # of frames, which are not to be kept

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        module = frame.f_globals.get("__name__", "")
        if not (module.startswith(self._within) or frame.f_code.co_filename.startswith("<dynamix")):
            return None
        if module.startswith("dynamix.engine"):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            before = self._steps.get(id(frame), "")
            self._steps[id(frame)] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if before.startswith(("RESUME", "CALL")):
                self.left -= 1
                if self.left == -1:
                    interrupt()
        return self


def interrupted(work: Callable[[], Any], every: int, *within: str) -> Iterator[None]:
    """Begins some work again and again, cuts it off at a later step each time, and stops after that; `within` are the
    modules whose steps count."""
    before, former = signal.signal(signal.SIGUSR1, Handler(SoftTimeLimitError).method), sys.gettrace()
    number = 0
    try:
        while True:
            tracer, came_out = Tracer(number, within or ("dynamix",)), False
            sys.settrace(tracer)
            try:
                work()
            except SoftTimeLimitError:
                came_out = True
            finally:
                sys.settrace(former)
            assert came_out == (tracer.left < 0), number
            if not came_out:
                break
            yield
            number += every
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert number > 20


@pytest.mark.parametrize("work", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
@pytest.mark.usefixtures("things")
def test_every_step_is_interrupted(work: Callable[[], Any]) -> None:
    """Whatever step of the mapper is cut off, the exception comes out, and the next operation works."""
    for _ in interrupted(work, every=7):
        pass


def in_a_transaction(thing: Thing) -> None:
    with dynamix.transaction() as tx:
        tx.save(thing)


def in_a_batch(thing: Thing) -> None:
    with Thing.batch() as b:
        b.put(thing)


@pytest.mark.parametrize(
    "write", [Thing.save, Thing.delete, in_a_transaction, in_a_batch], ids=lambda each: each.__name__
)
@pytest.mark.usefixtures("things")
def test_an_instance_goes_on_after_every_interrupt(write: Callable[[Thing], Any]) -> None:
    """Whatever step of a write is cut off, its instance can be written by whichever way afterwards."""
    thing = Thing.create(name="a", number=1)
    within = ("dynamix.updates.pending", "dynamix.transactions")
    for _ in interrupted(lambda: write(thing.set_field(Thing.count, 2)), 1, *within):
        thing.save(overwrite=True).set_field(Thing.count, 1)
        in_a_transaction(thing)
