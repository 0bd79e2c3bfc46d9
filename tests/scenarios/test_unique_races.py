"""Unique values among many writers: one wins, whatever order things happen in, and whatever is lost on the way."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_transaction_outcomes import Unlucky, cancelled, lost, not_made, unlucky

import dynamix
from dynamix import CharField, IntegerField, Model, NotUniqueError, OutcomeUnknownError
from places import Place

__all__ = ["unlucky"]
EXAMPLES = int(os.environ.get("DYNAMIX_UNIQUE", "0"))


class User(Model):
    """What has a unique address, and a number that is unique beside it."""

    __unique__ = (("number", "team"),)

    name = CharField(hash_key=True)
    email = CharField(unique=True)
    number = IntegerField()
    team = CharField(default="t")
    note = CharField()


def scanned(table: str) -> list[dict[str, Any]]:
    """All that is in a table."""
    items: list[dict[str, Any]] = dynamix.current.current().request("Scan", {"TableName": table})["Items"]
    return items


def check_guards(table: str = "User") -> None:
    """The guards are those of the values that are stored, no more and no less."""
    expected = {}
    for item in scanned(table):
        name = item["name"]["S"]
        if "email" in item:
            expected[f'["email","S","{item["email"]["S"]}"]'] = name
        if "number" in item and "team" in item:
            expected[f'["number","N","{item["number"]["N"]}","team","S","{item["team"]["S"]}"]'] = name
    found = {item["guard"]["S"]: item["owner"]["M"]["name"]["S"] for item in scanned(table + "_unique")}
    assert found == expected


CREATE = """
import sys
import dynamix
from dynamix import CharField, Model, NotUniqueError

class User(Model):
    name = CharField(hash_key=True)
    email = CharField(unique=True)

won = 0
with dynamix.Connection(embedded=sys.argv[1]) as connection, dynamix.use_connection(connection):
    dynamix.create_table(User)
    print("ready", flush=True)
    input()
    for number in range(20):
        try:
            User.create(name=f"{sys.argv[2]}-{number}", email=str(number))
            won += 1
        except NotUniqueError:
            pass
print(won)
"""


def test_of_two_processes_one_wins(tmp_path: Path) -> None:
    """Each address is created once, by one of two processes that use one file at the same time."""
    file = str(tmp_path / "users.db")
    with dynamix.Connection(embedded=file) as connection, dynamix.use_connection(connection):
        dynamix.create_table(User)
        command = [sys.executable, "-c", CREATE, file]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running = [subprocess.Popen([*command, name], **pipes) for name in "ab"]
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("\n")
            process.stdin.flush()
        won = [int(process.communicate(timeout=60)[0]) for process in running]
        assert sum(won) == 20
        assert sorted(item["email"]["S"] for item in scanned("User")) == sorted(map(str, range(20)))
        check_guards()


def test_of_several_threads_one_wins(place: Place) -> None:
    """Of writers that take one address at once one has it then, and the others are told; so are those who swap."""
    dynamix.create_table(User)

    def take(number: int) -> bool:
        with dynamix.use_connection(place.connection):
            for _ in range(50):
                try:
                    User.create(name=f"u{number}", email="x", number=number)
                except NotUniqueError:
                    return False
                except dynamix.TransactionConflictError:  # so says the service where too many come at once
                    continue
                return True
        raise AssertionError("no end of conflicts")

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]
    check_guards(place.table_name(User))


def test_a_lost_answer(unlucky: Unlucky) -> None:
    """A write whose answer is lost is sent again, and finds what it did; one that is refused then is not known."""
    dynamix.create_table(User)
    unlucky.steps = [lost, not_made]
    first = User.create(name="a", email="x")
    assert len(set(unlucky.bodies)) == 1
    unlucky.steps = [lost]
    first.add_to_field(User.number, 1)
    first.save()
    assert first.number == 1
    unlucky.steps = [lost]
    User.update_by_key(User.number.add(1), name="a")
    assert first.refresh().number == 2

    def taken(make: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        guard = {"guard": {"S": '["email","S","y"]'}, "owner": {"M": {"name": {"S": "c"}}}}
        for table, item in {"User_unique": guard, "User": {"name": {"S": "c"}, "email": {"S": "y"}}}.items():
            unlucky.engine.handle("PutItem", json.dumps({"TableName": table, "Item": item}).encode())
        return not_made(make)

    unlucky.steps = [taken]
    with pytest.raises(OutcomeUnknownError, match="TransactWriteItems may or may not have been applied") as caught:
        User.create(name="b", email="y")
    assert caught.value.applied == "maybe"
    unlucky.steps = [lost]
    first.delete()
    check_guards()


def test_what_cancels_for_the_moment(unlucky: Unlucky) -> None:
    """A conflict about a guard is one of the write, unless something lasts beside it."""
    dynamix.create_table(User)
    unlucky.steps = [cancelled("None", "TransactionConflict")]
    User.create(name="a", email="x", number=1)
    unlucky.steps = [cancelled("None", "TransactionConflict", "ThrottlingError")] * 4
    with pytest.raises(
        dynamix.TransactionConflictError, match="User with name='b' is being changed by another request"
    ):
        User.create(name="b", email="y", number=2)
    unlucky.steps = [cancelled("None", "TransactionConflict", "ConditionalCheckFailed")]
    with pytest.raises(
        NotUniqueError, match=r"User\.number=2, User\.team='t', which is unique and taken by another item"
    ):
        User.create(name="b", email="y", number=2)
    check_guards()


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_what_was_there_before_is_told_exactly(unlucky: Unlucky, verb: str) -> None:
    """Also of what another program changed, or made, between the read and the write."""
    dynamix.create_table(User)
    handle = unlucky.handle
    puts: Iterator[dict[str, Any]] = iter([{}, {"note": {"S": "u"}}, {"email": {"S": "x"}, "note": {"S": "v"}}])

    def changing(target: str, body: bytes) -> tuple[int, bytes]:
        answer = handle(target, body)
        assert target != "GetItem" or json.loads(body)["ConsistentRead"]
        put = next(puts, None) if target in ("GetItem", "TransactWriteItems") else None
        if put is not None:
            handle("PutItem", json.dumps({"TableName": "User", "Item": {"name": {"S": "a"}, **put}}).encode())
        return answer

    unlucky.handle = changing  # type: ignore[method-assign]
    if verb == "update":
        old = User.update_by_key(User.email.set("y"), upsert=True, returns="old", name="a")
    else:
        old = User.delete_by_key(returns="old", name="a")
    assert old is not None
    assert (old.email, old.note) == ("x", "v")
    check_guards()


def test_an_item_that_is_gone_after_the_write(unlucky: Unlucky) -> None:
    """What was changed shows as far as it is known; what was to be returned is said to be gone."""
    dynamix.create_table(User)
    first = User.create(name="a", email="x", number=1)
    first.email = "y"
    first.add_to_field(User.number, 1)
    handle, asked = unlucky.handle, []

    def gone(target: str, body: bytes) -> tuple[int, bytes]:
        asked.append(target)
        after = asked[-2:] == ["TransactWriteItems", "GetItem"]
        return (200, b"{}") if after else handle(target, body)

    unlucky.handle = gone  # type: ignore[method-assign]
    assert (first.save().email, first.number) == ("y", 2)
    with pytest.raises(dynamix.ItemNotFoundError, match="name='a' was changed, and is gone since") as caught:
        User.update_by_key(User.email.set("z"), returns="new", name="a")
    assert caught.value.applied == "yes"


def test_a_read_that_fails_after_the_write(unlucky: Unlucky) -> None:
    """The error says that all was stored, and the instance shows as much as is known."""
    dynamix.create_table(User)
    first = User.create(name="a", email="x", number=1)
    first.email = "y"
    first.add_to_field(User.number, 1)
    handle = unlucky.handle
    unlucky.handle = lambda target, body: (  # type: ignore[method-assign]
        (400, json.dumps({"__type": "AccessDeniedException"}).encode()) if target == "GetItem" else handle(target, body)
    )
    with pytest.raises(dynamix.AccessDeniedError) as caught:
        first.save()
    assert caught.value.applied == "yes"
    assert first.email == "y"
    with pytest.raises(dynamix.AccessDeniedError) as caught:
        User.update_by_key(User.email.set("z"), name="a")
    assert caught.value.applied == "no"
    unlucky.handle = handle  # type: ignore[method-assign]
    first.save()
    assert first.refresh().number == 2
    check_guards()


names, emails, numbers = st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.sampled_from([1, 2, None])
verbs = st.sampled_from(
    [
        "create",
        "create absent",
        "save",
        "overwrite",
        "commit",
        "update",
        "upsert",
        "add",
        "delete",
        "delete by key",
        "swap",
    ]
)
steps = st.tuples(verbs, names, emails, numbers, st.booleans())


def done(step: tuple[str, str, str | None, int | None, bool], held: dict[str, User]) -> None:
    """One step, by the instance that was held of a name before or by one that is loaded now."""
    verb, name, email, number, fresh = step
    user = User.get(name=name) if fresh or name not in held else held[name]
    if user is None:
        user = User(name=name, email=email, number=number)
    held[name] = user
    actions = (User.email.set(email), User.number.set(number))
    match verb:
        case "create":
            held[name] = User.create(name=name, email=email, number=number)
        case "create absent":
            held[name] = User.create(name=name, email=email, number=number, overwrite=False)
        case "save" | "overwrite" | "commit":
            user.email, user.number = email, number
            if verb == "commit":
                user.commit_changes()
            else:
                user.save(overwrite=verb == "overwrite")
        case "update":
            User.update_by_key(*actions, name=name)
        case "upsert":
            User.update_by_key(*actions, upsert=True, name=name)
        case "add":
            User.update_by_key(User.number.add(1), name=name)
        case "delete":
            user.delete()
        case "delete by key":
            User.delete_by_key(name=name)
        case "swap":
            other = User.get(name="a") or User(name="a", email="x")
            user.email, other.email = other.email, user.email
            with dynamix.transaction() as tx:
                tx.save(user)
                tx.update(User, User.email.set(other.email), upsert=True, name="a")


def obeyed(program: list[tuple[str, str, str | None, int | None, bool]]) -> None:
    """After each step the guards are those of the items; of what was refused nothing was stored."""
    held: dict[str, User] = {}
    for step in program:
        before = sorted(scanned("User"), key=str)
        try:
            done(step, held)
        except (dynamix.ConditionalCheckFailedError, dynamix.TransactionCanceledError, dynamix.InvalidUpdateError):
            assert sorted(scanned("User"), key=str) == before
            if step[1] in held:
                with contextlib.suppress(dynamix.DynamixError):
                    held[step[1]].discard_changes()
        check_guards()


@settings(max_examples=EXAMPLES or 15, suppress_health_check=[HealthCheck.too_slow])
@given(program=st.lists(steps, min_size=4, max_size=12))
def test_guards_equal_the_values_of_the_items(program: list[Any]) -> None:
    """Whatever writes of several instances come after each other, and which of them are refused."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(User)
        obeyed(program)
