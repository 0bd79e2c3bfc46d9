"""What goes wrong on purpose, in the process."""

from http.client import HTTPConnection

import pytest

import dynamix
from dynamix import CharField, Connection, DeadlineExceededError, Model, ValidationException, use_connection
from dynamix.engine import Broken, Engine
from dynamix.engine.http.server import Server
from engine.served import post


class Note(Model):
    name = CharField(hash_key=True)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def told(engine: Engine, count: int, operation: str = "ListTables") -> list[int]:
    return [engine.handle(operation, b"{}")[0] for _ in range(count)]


def test_requests_go_wrong_as_asked(engine: Engine) -> None:
    """By operation, from the nth on, so many times, or all; what is asked for anew replaces what was."""
    engine.fail_with(Broken("error", "ListTables", nth=2, times=2))
    assert told(engine, 1, "DescribeLimits") == [200]
    assert told(engine, 4) == [200, 500, 500, 200]
    engine.fail_with(Broken("throttle", times=None))
    assert told(engine, 3) == [400, 400, 400]
    engine.fail_with()
    assert told(engine, 1) == [200]


def test_the_mapper_meets_it(engine: Engine) -> None:
    """What is throttled is sent again, and a delay ends with the deadline."""
    with Connection(engine=engine) as connection, use_connection(connection):
        dynamix.create_table(Note)
        engine.fail_with(Broken("throttle", "PutItem", times=2))
        Note.create(name="x")
        engine.fail_with(Broken("delay", "GetItem", seconds=3000))
        with pytest.raises(DeadlineExceededError), dynamix.timeout(0.05):
            Note.get(name="x")
        engine.fail_with(Broken("delay", "GetItem", seconds=0.01))
        assert Note.get(name="x").name == "x"


def test_a_server_of_the_engine_meets_it(engine: Engine) -> None:
    """Whatever way a request takes through the server."""
    with Server(engine) as server:
        connection = HTTPConnection(*server.address)
        engine.fail_with(Broken("error", times=3))
        item = b'{"TableName": "tab", "Item": {"a": {"S": "x"}}}'
        answers = [post(connection, *asked)[0] for asked in (("Scan", b"{}"), ("PutItem", item), ("ListTables",))]
        assert answers == [500, 500, 500]
        assert post(connection, "ListTables")[0] == 200
        connection.close()


def test_what_cannot_go_wrong_is_refused(engine: Engine) -> None:
    """There is no connection to cut, and counts begin at 1."""
    with pytest.raises(ValidationException, match="only a server has connections to cut"):
        engine.fail_with(Broken("cut"))
    for wrong in (Broken("error", nth=0), Broken("error", times=0), Broken("delay", seconds=-1)):
        with pytest.raises(ValidationException, match="nth and times begin at 1"):
            engine.fail_with(wrong)
    assert told(engine, 1) == [200]
