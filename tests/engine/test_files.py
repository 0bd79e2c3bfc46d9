"""A database in a file: removed, replaced, not writable, damaged, read by many."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dynamix
from dynamix import CharField, Connection, Model, StorageError, use_connection
from dynamix.engine import Engine
from dynamix.engine.storage import opening
from dynamix.engine.storage.layout import connect
from engine.database import Database, wire


class Kept(Model):
    """An item."""

    key = CharField(hash_key=True)


def until_refused(database: Database) -> str:
    """Writes until that is refused; the message. What lies at the path is not looked at anew within a millisecond."""
    for _ in range(100_000):
        status, body = database.engine.handle("PutItem", b'{"TableName": "tab", "Item": {"a": {"S": "x"}}}')
        if status != 200:
            return str(json.loads(body)["message"])
    raise AssertionError("it was not refused")


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    """Where the file was removed or replaced, nobody would find what is written: that is refused, and so is reading."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    database.create("a:S")
    path.unlink()
    assert f"{str(path)!r} was removed or replaced" in until_refused(database)
    assert not path.exists()
    other = Database(Engine(path))
    other.create("a:S")
    assert "was removed or replaced" in until_refused(database)
    assert "was removed" in database.error("GetItem", TableName="tab", Key=wire({"a": "x"}))["message"]
    assert other.call("Scan", TableName="tab")["Count"] == 0
    other.engine.close()
    database.engine.close()


def test_the_directory_may_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is that of the moment when the engine was made, also for connections that come later."""
    monkeypatch.chdir(tmp_path)
    database = Database(Engine("file.db"))
    database.create("a:S")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    threads = [threading.Thread(target=database.put, kwargs={"a": str(number)}) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.call("Scan", TableName="tab")["Count"] == 8
    database.engine.close()
    assert os.listdir(tmp_path / "other") == []


READ_ONLY = """
import os, sys
import dynamix
from dynamix import *
from dynamix.engine import Engine
from dynamix.engine.storage import opening
from dynamix.engine.storage.layout import connect
from engine.database import Database, wire

class Tab(Model):
    a = CharField(hash_key=True)
    __table_name__ = "tab"

with Connection(embedded=True) as connection, use_connection(connection):
    dynamix.create_table(Tab)
    assert Tab.get(a="x") is None  # all is imported, as another user may not be able to

folder, kind = sys.argv[1:]
path = os.path.join(folder, "file.db")
writer = Database(Engine(path))
writer.create("a:S")
writer.put(a="x")
if kind != "in use":
    writer.engine.close()
os.chmod(path, 0o444)
if kind != "file":
    os.chmod(folder, 0o555)
if os.getuid() == 0:
    os.setuid(65534)
reader = Database(Engine(path))
assert reader.get(a="x") == wire({"a": "x"})
assert reader.call("Scan", TableName="tab")["Count"] == 1
error = reader.error("PutItem", TableName="tab", Item=wire({"a": "y"}))
assert "there is no permission to write" in error["message"], error
assert reader.get(a="y") is None
with Connection(embedded=path) as connection, use_connection(connection):
    assert Tab.get(a="x").a == "x"
    try:
        Tab.create(a="y")
    except StorageError as error:
        assert "there is no permission to write" in str(error)
    else:
        raise AssertionError
if kind == "directory":
    try:
        Engine(os.path.join(folder, "new.db"))
    except ConnectError as error:
        assert f"there is no permission to write in {folder!r}" in str(error), error
    else:
        raise AssertionError
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions here")
@pytest.mark.parametrize("kind", ["file", "directory", "in use"])
def test_what_may_not_be_written_can_be_read(kind: str) -> None:
    """A file, or its directory, that may not be written is read; a write is refused with a word on permissions."""
    with tempfile.TemporaryDirectory() as folder:  # not below what only its owner may enter, as another user reads here
        os.chmod(folder, 0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", READ_ONLY, folder, kind]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        os.chmod(folder, 0o755)
        assert ended.returncode == 0, ended.stderr[-2000:]


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """A path that is a directory, or lies in none, is refused with what to do."""
    with pytest.raises(dynamix.ConnectError, match="it is a directory; name a file in it"):
        Engine(tmp_path)
    with pytest.raises(dynamix.ConnectError, match=r"there is no directory .*; make it first"):
        Engine(tmp_path / "none" / "file.db")


def test_a_damaged_file_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage has words of its own, and the client does not ask again, as that is no help."""
    path = tmp_path / "file.db"
    with Connection(embedded=path) as connection, use_connection(connection):
        dynamix.create_table(Kept)
        Kept.batch_write([Kept(key=f"{number:0500}") for number in range(500)])
    content = bytearray(path.read_bytes())
    content[8 * 8192 :] = b"\xa5" * (len(content) - 8 * 8192)
    path.write_bytes(content)
    with Connection(embedded=path) as connection, use_connection(connection):
        asked = []
        transport = connection._open()
        send = transport.send
        monkeypatch.setattr(transport, "send", lambda *request: asked.append(request) or send(*request))
        with pytest.raises(StorageError, match="the database file is damaged") as caught:
            list(Kept.scan())
        assert len(asked) == 1
        assert (caught.value.status, caught.value.code) == (507, "StorageException")


def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    """While one thread writes to a file, another reads what was there before."""
    database = Database(Engine(tmp_path / "file.db"))
    database.create("a:S")
    database.put(a="x", b=1)
    with ThreadPoolExecutor(1) as pool, database.engine._session().writing():
        assert pool.submit(database.get, a="x").result(60) == wire({"a": "x", "b": 1})
    database.engine.close()


def test_readers_that_overlap_do_not_let_the_log_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write-ahead log stays bounded though at each moment somebody reads."""
    monkeypatch.setattr("dynamix.engine.storage.file._READERS_SECONDS", 60.0)  # readers are slow on a busy machine
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    database.create("a:S")
    ended = threading.Event()
    turns = [threading.Semaphore(0), threading.Semaphore(0)]

    def read(number: int) -> None:
        if number == 1:
            turns[1].acquire()
        while not ended.is_set():
            with database.engine._session().reading() as catalog:
                assert catalog.find("tab") is not None
                turns[1 - number].release()
                turns[number].acquire()  # the other has begun before this one ends
        turns[1 - number].release()

    readers = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for reader in readers:
        reader.start()
    longest = 0
    for number in range(300):
        database.put(a=str(number % 10), b="x" * 300_000)
        longest = max(longest, (tmp_path / "file.db-wal").stat().st_size)
    ended.set()
    for reader in readers:
        reader.join()
    database.engine.close()
    assert longest < 60_000_000  # of the 90 MB that were written


def test_what_cannot_be_opened_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is none of ours, damaged, or that no directory holds: the first operation says so at once."""
    opened: list[str] = []
    monkeypatch.setattr(opening, "connect", lambda *given: (opened.append(given[0]), connect(*given))[1])
    text = tmp_path / "text.db"
    text.write_text("no database at all, but long enough to be taken for one" * 20)
    damaged = tmp_path / "damaged.db"
    Engine(damaged).close()
    damaged.write_bytes(damaged.read_bytes()[:4096] + bytes(9000))
    opened.clear()
    for path, words in (
        (text, "no database, or is damaged"),
        (damaged, "is damaged"),
        (tmp_path / "none" / "file.db", "make it first"),
        (tmp_path, "it is a directory"),
    ):
        connection = Connection(embedded=path)
        with use_connection(connection), pytest.raises(dynamix.DatabaseFileError, match=words) as caught:
            Kept.create(key="x")
        assert isinstance(caught.value, dynamix.ConnectError)
        assert isinstance(caught.value, StorageError)
        assert (caught.value.applied, caught.value.sent, len(opened)) == ("no", False, 1)
        opened.clear()


def test_a_file_that_cannot_be_opened_again(tmp_path: Path) -> None:
    """Where a further connection to a file cannot be opened, the answer is one that no client repeats."""
    database = Database(Engine(tmp_path / "file.db"))
    database.create("a:S")
    with database.engine._session().replacing() as catalog:
        catalog.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with database.engine._session().reading():
        with (tmp_path / "file.db").open("r+b") as file:
            file.write(b"no database any more")
        status, body = database.engine.handle("ListTables", b"{}")
    assert (status, json.loads(body)["__type"]) == (507, "dynamix#StorageException")
    assert "is damaged" in json.loads(body)["message"]
    database.engine.close()
