"""Under faults on the way, unique values stay unique, and what a program is told of its writes is what is stored.

Each thread writes items of its own, whose values all of them want. Of an item whose last write may have been made, the
thread takes leave, since that may still be made later.
"""

import os
import random
import threading
from collections import Counter
from contextvars import copy_context

import pytest

import dynamix
import places
from dynamix import CharField, Connection, DynamixError, IntegerField, Model, use_connection
from faults.run import connect, hurting

WRITES = int(os.environ.get("DYNAMIX_NAMES", "8"))
"""How many writes each thread makes; where it is said, also on DynamoDB Local."""

SERVERS = ["engine_http", "dynamodb_local"] if "DYNAMIX_NAMES" in os.environ else ["engine_http"]

THREADS, MAILS = 8, "vwxyz"
State = tuple[str | None, int | None] | None
"""What is stored of an item: its address, and how often it was changed. None where there is none."""


class Person(Model):
    """What has a unique address."""

    key = CharField(hash_key=True)
    mail = CharField(unique=True)
    count = IntegerField()


class Writer:
    """One thread, with the connections through the proxy and past it."""

    def __init__(self, number: int, hurt: Connection, direct: Connection) -> None:
        self.chance = random.Random(number)
        self.number = number
        self.hurt, self.direct = hurt, direct
        self.ends: dict[str, tuple[State, ...]] = {}
        self.wrong: list[object] = []
        self.told: Counter[str] = Counter()
        self.key = ""

    def run(self) -> None:
        """Makes the writes, and compares after each."""
        before: State = None
        for turn in range(WRITES):
            if not self.key:
                self.key, before = f"{self.number}-{turn}", None
            verb, mail = self.chance.choice(["create", "update", "save", "delete"]), self.chance.choice(MAILS)
            after: State = {"create": (mail, 0), "delete": None}.get(verb, before and (mail, (before[1] or 0) + 1))
            told, why = "yes", ""
            with use_connection(self.direct):
                person = Person.get(key=self.key, consistent=True)
            try:
                with use_connection(self.hurt):
                    self.write(verb, mail, person)
            except DynamixError as error:
                told, why = error.applied, repr(error)
            self.told[told] += 1
            if told == "maybe":
                self.ends[self.key], self.key = (before, after), ""
                continue
            before = after if told == "yes" else before
            self.ends[self.key] = (before,)
            if self.stored(self.key) != before:
                self.wrong.append((self.key, verb, told, why, before, self.stored(self.key)))

    def write(self, verb: str, mail: str, person: Person | None) -> None:
        """One write."""
        if verb == "create":
            Person.create(key=self.key, mail=mail, count=0)
        elif verb == "delete":
            Person.delete_by_key(key=self.key)
        elif verb == "update" or person is None:
            Person.update_by_key(Person.mail.set(mail), Person.count.add(1), key=self.key)
        else:
            person.mail = mail
            person.add_to_field(Person.count, 1).save()

    def stored(self, key: str) -> State:
        """What is stored of an item now."""
        with use_connection(self.direct):
            person = Person.get(key=key, consistent=True)
        return None if person is None else (person.mail, person.count)


@pytest.mark.parametrize("server", SERVERS)
def test_unique_values_stay_unique(server: str, request: pytest.FixtureRequest) -> None:
    """Nothing told is wrong, and the guards are those of the values that are stored in the end."""
    address, prefix, faults = request.getfixturevalue(server), places.fresh_prefix(), Counter[str]()
    with Connection(is_local_endpoint=address, table_prefix=prefix) as direct, use_connection(direct):
        dynamix.create_table(Person)
        with hurting(address, 1, 0.35, faults) as proxy, connect(proxy, prefix) as hurt:
            writers = [Writer(number, hurt, direct) for number in range(THREADS)]
            threads = [threading.Thread(target=copy_context().run, args=(writer.run,)) for writer in writers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [wrong for writer in writers for wrong in writer.wrong] == []
        assert sum(sum(writer.told.values()) for writer in writers) == THREADS * WRITES
        assert sum(faults.values()) > THREADS
        ends = {key: states for writer in writers for key, states in writer.ends.items()}
        people = {person.key: (person.mail, person.count) for person in Person.scan().consistent()}
        assert {key: people.get(key) for key in ends if people.get(key) not in ends[key]} == {}
        guards = direct.request("Scan", {"TableName": f"{prefix}Person_unique", "ConsistentRead": True})["Items"]
        assert {guard["guard"]["S"]: guard["owner"]["M"]["key"]["S"] for guard in guards} == {
            f'["mail","S","{mail}"]': key for key, (mail, _) in people.items()
        }
