"""Many threads may use everything for the first time at once."""

import os
import subprocess
import sys

import pytest

ROUNDS = int(os.environ.get("DYNAMIX_FIRST_USE", "5"))

ENGINE = """
OPERATIONS = ["PutItem", "GetItem", "UpdateItem", "Query", "BatchWriteItem", "TransactWriteItems"]
BODY = b'{"TableName": "raced", "Item": {"k": {"S": "a"}, "l": {"L": [{"M": {"x": {"S": "x"}}}]}}, '
BODY += b'"Key": {"k": {"S": "a"}}, "RequestItems": {}, "TransactItems": []}'
from dynamix.engine import Engine
engine = Engine()
def first(number):
    status, body = engine.handle(OPERATIONS[number % len(OPERATIONS)], BODY)
    assert status == 400, body
"""

MAPPER = """
import dynamix
from dynamix import *
class Raced(Model):
    forum = CharField(hash_key=True)
    number = IntegerField(range_key=True)
    score = FloatField(indexed=True)
    flag = BooleanField()
    made = DateTimeField()
    texts = ListField()
    maps = DictField()
    tags = SetField()
    group = CharField()
    __secondary_indexes__ = {"by-group": {"hash_key": "group", "range_key": "number"}}
connection = Connection(embedded=True)
def first(number):
    with use_connection(connection):
        dynamix.create_table(Raced)
        Raced.create(forum="a", number=number, score=1.5, flag=True, texts=["x"], maps={"a": 1}, group="g")
        found = Raced.get(forum="a", number=number)
        assert (found.score, found.flag, found.texts, found.maps) == (1.5, True, ["x"], {"a": 1}), found
        found.append_to_listfield(Raced.texts, "y")
        found.commit_changes()
        indexed = Raced.query().use_index("by-group").where(Raced.group == "g", Raced.number == number)
        assert len(list(indexed)) == 1
        assert Raced.batch_get({"forum": "a", "number": number})[0].texts == ["x", "y"]
"""

TOGETHER = """
import sys, threading
sys.setswitchinterval(1e-4)
together = threading.Barrier(16)
errors = []
def begin(number):
    together.wait()
    try:
        first(number)
    except BaseException as error:
        errors.append(repr(error))
threads = [threading.Thread(target=begin, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit("; ".join(sorted(set(errors))) or 0)
"""


@pytest.mark.parametrize("program", [ENGINE, MAPPER], ids=["engine", "mapper"])
def test_many_threads_may_begin_at_once(program: str) -> None:
    """What is made at the first use is made so that no thread meets it half made."""
    for _ in range(ROUNDS):
        ended = subprocess.run([sys.executable, "-c", program + TOGETHER], capture_output=True, text=True)
        assert ended.returncode == 0, (ended.returncode, ended.stderr[-2000:])
