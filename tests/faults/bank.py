"""A bank under faults on the way: what all its customers were told, compared with what is stored in the end.

Unlike the writes of writes.py, which each have an item of their own, its rounds meet on the same few items:

    transfer        from account to account, noted, in one transaction; none may be overdrawn
    count, commit   a counter is raised and the round noted in its log, without loading and by an instance
    claim, release  a name is taken by whoever comes first, and given back by its owner
    modify, edit    a line is added to a page that has a version, by `modify` and by an edit in place

At the end money is where the noted transfers have brought it, each round that was told to be done is noted once, each
that was told not to be done nowhere, and no name had two owners. What `resolve` said of an unknown outcome is true.
"""

import asyncio
import contextvars
import multiprocessing
import random
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import dynamix
from dynamix import Connection, use_connection
from faults import run
from faults.run import Address

BALANCE = 100


class Account(dynamix.Model):
    """Where money is."""

    __table_name__ = "account"

    number = dynamix.CharField(hash_key=True)
    balance = dynamix.IntegerField(default=0)

    @classmethod
    def transfer(cls, ident: str, source: str, target: str, amount: int) -> None:
        """Moves money, and notes that."""
        with dynamix.transaction() as tx:
            cls._ask(tx, ident, source, target, amount)

    @classmethod
    async def atransfer(cls, ident: str, source: str, target: str, amount: int) -> None:
        """The same in a task."""
        async with dynamix.transaction() as tx:
            cls._ask(tx, ident, source, target, amount)

    @classmethod
    def _ask(cls, tx: dynamix.Transaction, ident: str, source: str, target: str, amount: int) -> None:
        tx.update(cls, cls.balance.add(-amount), condition=cls.balance >= amount, number=source)
        tx.update(cls, cls.balance.add(amount), number=target)
        tx.create(Transfer, ident=ident, source=source, target=target, amount=amount)


class Transfer(dynamix.Model):
    """That money was moved."""

    __table_name__ = "transfer"

    ident = dynamix.CharField(hash_key=True)
    source = dynamix.CharField()
    target = dynamix.CharField()
    amount = dynamix.IntegerField(default=0)


class Counter(dynamix.Model):
    """A number, and who raised it."""

    __table_name__ = "counter"

    name = dynamix.CharField(hash_key=True)
    value = dynamix.IntegerField(default=0)
    log = dynamix.ListField(default=[])


class Name(dynamix.Model):
    """A name that has one owner."""

    __table_name__ = "name"

    name = dynamix.CharField(hash_key=True)
    owner = dynamix.CharField()


class Page(dynamix.Model):
    """Lines, and how many there are."""

    __table_name__ = "page"

    key = dynamix.CharField(hash_key=True)
    lines = dynamix.ListField(default=[])
    count = dynamix.IntegerField(default=0)
    version = dynamix.VersionField()


MODELS = (Account, Transfer, Counter, Name, Page)

Step = tuple[Any, str, tuple[Any, ...], dict[str, Any]]
"""A method by its owner and name, and its arguments."""

Round = Generator[Step, Any, None]


@dataclass
class Outcome:
    """What whoever made a round was told of it, and when: seconds of a clock that all processes share."""

    ident: str
    kind: str
    item: str
    begun: float
    ended: float = 0.0
    applied: str = "yes"
    error: str = ""
    resolved: str = ""


@dataclass
class Stored:
    """What is stored in the end."""

    accounts: dict[str, int] = field(default_factory=dict)
    transfers: list[tuple[str, str, str, int]] = field(default_factory=list)  # ident, source, target, amount
    counters: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    pages: dict[str, tuple[int, list[str]]] = field(default_factory=dict)


@dataclass
class Report:
    """The outcome of a run."""

    faults: Tally[str] = field(default_factory=Tally)
    outcomes: Tally[tuple[str, str, str]] = field(default_factory=Tally)  # kind, told, resolved
    wrong: list[str] = field(default_factory=list)

    @property
    def unknown(self) -> Tally[str]:
        """How many outcomes were told to be unknown, by what `resolve` said of them."""
        told = Tally[str]()
        for (_, applied, resolved), times in self.outcomes.items():
            if applied == "maybe":
                told[resolved] += times
        return told

    def add(self, other: "Report") -> None:
        """Counts another run in."""
        self.faults += other.faults
        self.outcomes += other.outcomes
        self.wrong += other.wrong


# The rounds


def transfer(ident: str, item: str, chance: random.Random) -> Round:
    """Moves money to the account."""
    source = chance.choice([number for number in ITEMS["transfer"] if number != item])
    yield Account, "transfer", (ident, source, item, chance.randrange(1, BALANCE)), {}


def count(ident: str, item: str, chance: random.Random) -> Round:
    """Raises a counter without loading it."""
    yield Counter, "update_by_key", (Counter.value.add(1), Counter.log.append(ident)), {"name": item}


def commit(ident: str, item: str, chance: random.Random) -> Round:
    """Raises a counter by an instance."""
    counter = yield Counter, "get_or_raise", (), {"name": item, "consistent": True}
    counter.add_to_field(Counter.value, 1).append_to_listfield(Counter.log, ident)
    yield counter, "commit_changes", (), {}


def claim(ident: str, item: str, chance: random.Random) -> Round:
    """Takes a name that nobody has."""
    yield Name, "create", (), {"name": item, "owner": ident, "overwrite": False}


def release(ident: str, item: str, chance: random.Random) -> Round:
    """Gives it back."""
    yield Name, "delete_by_key", (), {"name": item, "condition": Name.owner == ident}


def modify(ident: str, item: str, chance: random.Random) -> Round:
    """Adds a line to a page, again where others were first."""

    def add(page: Page) -> None:
        page.append_to_listfield(Page.lines, ident).add_to_field(Page.count, 1)

    yield Page, "modify", (add,), {"key": item}


def edit(ident: str, item: str, chance: random.Random) -> Round:
    """Adds one in place, if nobody else was first."""
    page = yield Page, "get_or_raise", (), {"key": item, "consistent": True}
    page.lines.append(ident)
    page.count = page.count + 1
    yield page, "save", (), {}


ROUNDS: dict[str, Callable[[str, str, random.Random], Round]] = {
    function.__name__: function for function in (transfer, count, commit, claim, modify, edit)
}
ITEMS: dict[str, list[str]] = {
    "transfer": [f"account-{number}" for number in range(6)],
    "count": [f"counter-{number}" for number in range(4)],
    "commit": [f"counter-{number}" for number in range(4)],
    "claim": [f"name-{number}" for number in range(40)],
    "modify": [f"page-{number}" for number in range(6)],
    "edit": [f"page-{number}" for number in range(6)],
}
UNIQUE: dict[str, Any] = {
    "transfer": Transfer.ident,
    "count": Counter.log,
    "commit": Counter.log,
    "claim": Name.owner,
    "modify": Page.lines,
}
"""What a round sets to a value of its own, or adds such a value to. Of an edit its version alone has to tell."""

Plan = Sequence[tuple[str, str]]
"""The idents and kinds of rounds."""


def after(outcome: Outcome, chance: random.Random) -> bool:
    """Whether a round is followed by the release of what it claimed."""
    return outcome.kind == "claim" and outcome.applied == "yes" and chance.random() < 0.8


def failed(outcome: Outcome, error: dynamix.DynamixError) -> None:
    """Notes what an error says."""
    outcome.applied, outcome.error = error.applied, f"{type(error).__name__}: {error}"


def play(ident: str, kind: str, item: str, chance: random.Random) -> Outcome:
    """One round in a thread."""
    outcome = Outcome(ident, kind, item, time.monotonic())
    steps = (ROUNDS | {"release": release})[kind](ident, item, chance)
    try:
        owner, verb, arguments, named = steps.send(None)
        while True:
            owner, verb, arguments, named = steps.send(getattr(owner, verb)(*arguments, **named))
    except StopIteration:
        pass
    except dynamix.DynamixError as error:
        failed(outcome, error)
        if error.applied == "maybe":
            try:
                outcome.resolved = error.resolve(unique=UNIQUE.get(kind))
            except dynamix.DynamixError as unread:
                outcome.resolved = type(unread).__name__
    outcome.ended = time.monotonic()
    return outcome


async def aplay(ident: str, kind: str, item: str, chance: random.Random) -> Outcome:
    """One round in a task."""
    outcome = Outcome(ident, kind, item, time.monotonic())
    steps = (ROUNDS | {"release": release})[kind](ident, item, chance)
    try:
        owner, verb, arguments, named = steps.send(None)
        while True:
            owner, verb, arguments, named = steps.send(await getattr(owner, f"a{verb}")(*arguments, **named))
    except StopIteration:
        pass
    except dynamix.DynamixError as error:
        failed(outcome, error)
        if error.applied == "maybe":
            try:
                outcome.resolved = await error.aresolve(unique=UNIQUE.get(kind))
            except dynamix.DynamixError as unread:
                outcome.resolved = type(unread).__name__
    outcome.ended = time.monotonic()
    return outcome


# Who makes them


def by_threads(connection: Connection, plan: Plan, seed: int, workers: int) -> list[Outcome]:
    """Makes the rounds in threads."""
    outcomes: list[Outcome] = []
    waiting, lock = iter(plan), threading.Lock()
    strange: list[BaseException] = []

    def work(worker: int) -> None:
        chance = random.Random(f"{seed}-{worker}")
        try:
            with use_connection(connection):
                while True:
                    with lock:
                        ident, kind = next(waiting, ("", ""))
                    if not ident:
                        return
                    outcomes.append(play(ident, kind, chance.choice(ITEMS[kind]), chance))
                    if after(outcomes[-1], chance):
                        outcomes.append(play(ident, "release", outcomes[-1].item, chance))
        except BaseException as error:
            strange.append(error)

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work, n)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if strange:
        raise strange[0]
    return outcomes


def by_tasks(connection: Connection, plan: Plan, seed: int, workers: int) -> list[Outcome]:
    """Makes the rounds in tasks of one event loop."""
    outcomes: list[Outcome] = []
    waiting = iter(plan)

    async def work(worker: int) -> None:
        chance = random.Random(f"{seed}-{worker}")
        for ident, kind in waiting:
            outcome = await aplay(ident, kind, chance.choice(ITEMS[kind]), chance)
            outcomes.append(outcome)
            if after(outcome, chance):
                outcomes.append(await aplay(ident, "release", outcome.item, chance))

    async def main() -> None:
        with use_connection(connection):
            async with asyncio.TaskGroup() as tasks:
                for number in range(workers):
                    job: Coroutine[Any, Any, None] = work(number)
                    tasks.create_task(job)
        await connection.aclose()

    asyncio.run(main())
    return outcomes


def in_one_process(
    proxy: Address, prefix: str, plan: Plan, seed: int, mode: str, way: str, workers: int = run.WORKERS
) -> list[Outcome]:
    """Makes the rounds in this process."""
    connect = run.connect_boto if way == "boto3" else run.connect
    with connect(proxy, prefix, mode) as connection:
        return (by_tasks if way == "tasks" else by_threads)(connection, plan, seed, workers)


def in_processes(proxy: Address, prefix: str, plan: Plan, seed: int, mode: str) -> list[Outcome]:
    """Makes the rounds in three processes, one of them with tasks, with as many workers together as one has."""
    ways = ("threads", "tasks", "threads")
    workers = run.WORKERS // len(ways)
    with ProcessPoolExecutor(len(ways), multiprocessing.get_context("spawn")) as processes:
        running = [
            processes.submit(in_one_process, proxy, prefix, plan[n :: len(ways)], seed * 10 + n, mode, way, workers)
            for n, way in enumerate(ways)
        ]
        return [outcome for process in running for outcome in process.result()]


def open_bank() -> None:
    """Tables, accounts, counters and pages."""
    for model in MODELS:
        dynamix.create_table(model)
    for number in ITEMS["transfer"]:
        Account.create(number=number, balance=BALANCE)
    for name in ITEMS["count"]:
        Counter.create(name=name)
    for key in ITEMS["modify"]:
        Page.create(key=key)


def look() -> Stored:
    """What is stored."""
    return Stored(
        {account.number: account.balance for account in Account.scan().consistent()},
        [(t.ident, t.source or "", t.target or "", t.amount) for t in Transfer.scan().consistent()],
        {counter.name: (counter.value, list(counter.log)) for counter in Counter.scan().consistent()},
        {name.name: name.owner or "" for name in Name.scan().consistent()},
        {page.key: (page.count, list(page.lines)) for page in Page.scan().consistent()},
    )


def drive(
    server: Address, prefix: str, driver: str, mode: str, rounds: int, *, seed: int, rate: float = 0.35
) -> Report:
    """Makes so many rounds by one driver and in one mode of `repeat_writes`, and compares."""
    report, chance = Report(), random.Random(seed)
    plan = [(f"{number}", chance.choice(list(ROUNDS))) for number in range(rounds)]
    with Connection(is_local_endpoint=server, table_prefix=prefix) as direct:
        with use_connection(direct):
            open_bank()
        with run.hurting(server, seed, rate, report.faults) as proxy:
            if driver == "processes":
                outcomes = in_processes(proxy, prefix, plan, seed, mode)
            else:
                outcomes = in_one_process(proxy, prefix, plan, seed, mode, driver)
        assert sorted(o.ident for o in outcomes if o.kind != "release") == sorted(ident for ident, _ in plan)
        with use_connection(direct):
            stored = look()
    report.outcomes.update((outcome.kind, outcome.applied, outcome.resolved) for outcome in outcomes)
    report.wrong += judge(outcomes, stored)
    return report


# Whether it is true


def judge(outcomes: Iterable[Outcome], stored: Stored) -> list[str]:
    """Everything of what was told, and of what is stored, that cannot be."""
    told = list(outcomes)
    return [*_money(stored), *_noted(told, stored), *_owners(told, stored)]


def _money(stored: Stored) -> list[str]:
    """Accounts that are not what the transfers made of them, and what was stored by half."""
    wrong = [f"{number} is overdrawn: {balance}" for number, balance in stored.accounts.items() if balance < 0]
    expected = dict.fromkeys(stored.accounts, BALANCE)
    for _, source, target, amount in stored.transfers:
        expected[source] -= amount
        expected[target] += amount
    for number, balance in stored.accounts.items():
        if balance != expected[number]:
            wrong.append(f"{number} has {balance}, and by the transfers it is {expected[number]}")
    for name, (number, log) in {**stored.counters, **stored.pages}.items():
        if number != len(log):
            wrong.append(f"{name} counts {number} and has {len(log)}")
    return wrong


def _noted(told: list[Outcome], stored: Stored) -> list[str]:
    """Rounds that were made otherwise than was told."""
    logs = [*stored.counters.values(), *stored.pages.values()]
    times = Tally([ident for _, log in logs for ident in log] + [ident for ident, *_ in stored.transfers])
    owners = set(stored.names.values())
    wrong = []
    for outcome in told:
        if outcome.kind == "claim":
            if outcome.resolved == "applied" and outcome.ident not in owners:
                wrong.append(f"said to be applied, and is not: {outcome}")
            if outcome.resolved == "not applied" and outcome.ident in owners:
                wrong.append(f"said not to be applied, and is: {outcome}")
        elif outcome.kind != "release":
            allowed = {"yes": {1}, "no": {0}}.get(outcome.applied, {0, 1})
            allowed &= {"applied": {1}, "not applied": {0}}.get(outcome.resolved, {0, 1})
            if times[outcome.ident] not in allowed:
                wrong.append(f"made {times[outcome.ident]} times: {outcome}")
    return wrong


def _owners(told: list[Outcome], stored: Stored) -> list[str]:
    """Names that two had at once, or that somebody has who was told otherwise, or lacks."""
    wrong = []
    claims = {outcome.ident: outcome for outcome in told if outcome.kind == "claim"}
    releases = {outcome.ident: outcome for outcome in told if outcome.kind == "release"}
    for name, owner in stored.names.items():
        mine = claims.get(owner)
        if mine is None or mine.item != name or mine.applied not in ("yes", "maybe"):
            wrong.append(f"{name} is owned by {owner!r}, who was told: {mine}")
        if owner in releases and releases[owner].applied == "yes":
            wrong.append(f"{name} is owned by {owner!r}, who has given it back: {releases[owner]}")
    held: dict[str, list[tuple[float, float, str]]] = {}
    for ident, mine in claims.items():
        if mine.applied != "yes":
            continue
        given_back = releases.get(ident)
        if (given_back is None or given_back.applied == "no") and stored.names.get(mine.item) != ident:
            wrong.append(f"{mine.item} is not owned by {ident!r}, who has it: {mine}, {given_back}")
        if given_back is not None and "ConditionalCheckFailed" in given_back.error:
            wrong.append(f"{mine.item} could not be given back: {given_back}")
        until = float("inf") if given_back is None else given_back.begun
        held.setdefault(mine.item, []).append((mine.ended, until, ident))
    for name, spans in held.items():
        spans.sort()
        for (_, until, ident), (since, _, other) in pairwise(spans):
            if since < until:
                wrong.append(f"{name} was owned by {ident!r} and by {other!r} at once")
    return wrong
