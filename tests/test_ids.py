"""Generated ids have their form, sort as they were made, and are never made twice."""

import os
import re
import threading
import time
import uuid
from collections.abc import Callable

import pytest

import dynamix
from dynamix import CharField, Model, ids

FORMS = {
    ids.uuid4: re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ids.uuid7: re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ids.ulid: re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}"),
}
RISING = [ids.uuid7, ids.ulid]
Make = Callable[[], str]


def milliseconds(made: str) -> int:
    """The time that an id begins with."""
    if "-" in made:
        return uuid.UUID(made).int >> 80
    number = 0
    for letter in made:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    return number >> 80


@pytest.mark.parametrize("make", FORMS)
def test_an_id_has_its_form(make: Make) -> None:
    """Each is text of the form that its standard says, and no two are the same."""
    made = [make() for _ in range(2000)]
    assert all(FORMS[make].fullmatch(one) for one in made)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("make", RISING)
def test_ids_sort_as_they_were_made(make: Make) -> None:
    """Within a millisecond as well; they begin with the time at which they were made."""
    before = time.time_ns() // 1_000_000
    made = [make() for _ in range(5000)]
    assert made == sorted(made)
    assert before <= milliseconds(make()) <= time.time_ns() // 1_000_000 + 1


@pytest.mark.parametrize("make", RISING)
def test_a_clock_that_is_set_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids go on rising, from the latest time that was seen."""
    made = [make()]
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)
    made += [make() for _ in range(100)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("make", RISING)
def test_threads_make_no_id_twice(make: Make) -> None:
    """Threads that make ids at once make different ones, each its own in rising order."""
    made: list[list[str]] = [[] for _ in range(4)]

    def work(mine: list[str]) -> None:
        mine += [make() for _ in range(500)]

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("make", FORMS)
def test_a_child_makes_ids_of_its_own(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parent and child of a fork make different ids, though both go on in the same millisecond; a lock that another
    thread of the parent holds stops neither."""
    frozen = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: frozen)
    first = make()
    reading, writing = os.pipe()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with ids._for_uuid7._lock, ids._for_ulid._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(make() for _ in range(100)).encode())
        os._exit(0)
    done.set()
    holder.join()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read().split()
    os.waitpid(child, 0)
    ours = [make() for _ in range(100)]
    assert len({first, *ours, *theirs}) == 201
    if make in RISING:
        assert theirs == sorted(theirs)
        assert first < theirs[0]


def test_ids_as_defaults() -> None:
    """A new instance gets an id of its own, shown from the start; any callable does as well."""

    class Note(Model):
        id = CharField(hash_key=True, default=ids.uuid7)
        other = CharField(default=ids.ulid)
        own = CharField(default=lambda: "x")

    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Note)
        notes = [Note.create() for _ in range(3)]
        assert len({note.id for note in notes} | {note.other for note in notes}) == 6
        assert [Note.get(id=note.id) for note in notes] == notes
        assert notes[0].own == "x"
