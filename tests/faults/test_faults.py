"""Under faults on the way, what a program is told of its writes is what is stored.

These are short runs; run.py is the long one.
"""

from dataclasses import replace

import pytest

import places
from faults import bank, run
from faults.bank import Outcome, Stored
from faults.proxy import FAULTS
from faults.run import Report, Told, judge


@pytest.mark.parametrize(
    ("server", "driver", "mode"),
    [
        ("engine_http", "threads", "token"),
        ("engine_http", "tasks", "safe"),
        ("engine_http", "processes", "safe"),
        ("engine_http", "boto3", "never"),
        ("dynamodb_local", "threads", "safe"),
        ("dynamodb_local", "tasks", "never"),
        ("dynamodb_local", "processes", "token"),
        ("dynamodb_local", "boto3", "safe"),
    ],
)
def test_what_is_told_is_stored(server: str, driver: str, mode: str, request: pytest.FixtureRequest) -> None:
    """Nothing that was told to be done is lost or doubled, and every error is right about what was applied."""
    address = request.getfixturevalue(server)
    report = run.run(address, places.fresh_prefix(), driver, 150, seed=1, mode=mode)
    assert report.wrong == []
    assert sum(report.outcomes.values()) == 150
    assert sum(report.faults[name] for name in FAULTS) > 30


@pytest.mark.parametrize(
    ("server", "driver", "mode"),
    [
        ("engine_http", "tasks", "safe"),
        ("engine_http", "processes", "never"),
        ("dynamodb_local", "threads", "token"),
    ],
)
def test_a_bank_is_whole(server: str, driver: str, mode: str, request: pytest.FixtureRequest) -> None:
    """Where many meet on the same items, money stays, nothing is made by half, twice or told wrongly, and what an
    unknown outcome is resolved to is true."""
    report = bank.drive(request.getfixturevalue(server), places.fresh_prefix(), driver, mode, 100, seed=2)
    assert report.wrong == []
    assert sum(report.faults[name] for name in FAULTS) > 30


@pytest.mark.parametrize(
    ("kind", "told", "applied", "found"),
    [
        ("add", "yes", [1], ""),
        ("add", "yes", [0], "lost"),
        ("add", "yes", [2], "doubled"),
        ("add", "maybe", [0], ""),
        ("add", "maybe", [1], ""),
        ("add", "maybe", [2], "doubled"),
        ("add", "no", [0], ""),
        ("add", "no", [1], "told_wrongly"),
        ("batch_delete", "yes", [1, 0], "lost"),
        ("batch_delete", "no", [1, 0], "told_wrongly"),
        ("add to and delete from a set", "maybe", [run.HALF], ""),
        ("add to and delete from a set", "yes", [run.HALF], "lost"),
        ("add to and delete from a set", "partly", [run.HALF], ""),
        ("add to and delete from a set", "partly", [0], "told_wrongly"),
    ],
)
def test_what_is_told_is_judged(kind: str, told: str, applied: list[int], found: str) -> None:
    """A run finds whatever was told wrongly."""
    report = Report()
    judge(Told("k", kind, told), {str(n): times for n, times in enumerate(applied)}, report)
    assert [name for name in ("lost", "doubled", "told_wrongly") if getattr(report, name)] == ([found] if found else [])


@pytest.mark.parametrize(
    ("parts", "holds"),
    [
        ({"stored": ["0"], "not_stored": ["1"], "unknown": ["2"]}, True),
        ({"stored": ["0", "2"], "not_stored": ["1"], "unknown": []}, True),
        ({"stored": ["0", "1"], "not_stored": [], "unknown": ["2"]}, False),
        ({"stored": [], "not_stored": ["0", "1"], "unknown": ["2"]}, False),
        ({"stored": ["0"], "not_stored": ["1"], "unknown": []}, False),
    ],
)
def test_the_parts_of_a_batch_are_judged(parts: dict[str, list[str]], holds: bool) -> None:
    """An error of a batch has to be right about each of its parts, and to name them all."""
    report = Report()
    judge(Told("k", "batch_write", "partly", "", parts), {"0": 1, "1": 0, "2": 1}, report)
    assert (report.told_wrongly == []) is holds


def whole(**other: object) -> Stored:
    """What is stored where nothing is wrong, but for what is given."""
    right = Stored({"a": 90, "b": 110}, [("1", "a", "b", 10)], {"c": (1, ["2"])}, {"n": "3"}, {"p": (1, ["4"])})
    return replace(right, **other)  # type: ignore[arg-type]


def outcome(ident: str, kind: str, applied: str, resolved: str = "", **other: object) -> Outcome:
    """What was told of a round on the only item of its kind."""
    item = {"count": "c", "modify": "p", "claim": "n", "release": "n"}.get(kind, "b")
    return Outcome(ident, kind, item, 1.0, 2.0, applied, resolved=resolved, **other)  # type: ignore[arg-type]


TRUE = [outcome("1", "transfer", "yes"), outcome("2", "count", "maybe", "applied"), outcome("4", "modify", "yes")]
OWNER = outcome("3", "claim", "yes")


@pytest.mark.parametrize(
    ("told", "stored", "wrong"),
    [
        ([*TRUE, OWNER], whole(), []),
        ([*TRUE, OWNER, outcome("5", "count", "no"), outcome("6", "edit", "maybe", "not applied")], whole(), []),
        ([*TRUE, OWNER], whole(accounts={"a": 91, "b": 110}), ["a has 91, and by the transfers it is 90"]),
        ([OWNER], whole(accounts={"a": -5, "b": 205}, transfers=[("1", "a", "b", 105)]), ["a is overdrawn: -5"]),
        ([*TRUE, OWNER], whole(counters={"c": (2, ["2"])}), ["c counts 2 and has 1"]),
        ([*TRUE, OWNER], whole(counters={"c": (2, ["2", "2"])}), ["made 2 times: "]),
        ([*TRUE, OWNER], whole(pages={"p": (0, [])}), ["made 0 times: "]),
        ([*TRUE, OWNER, outcome("5", "count", "yes")], whole(), ["made 0 times: "]),
        ([OWNER, outcome("4", "edit", "no")], whole(), ["made 1 times: "]),
        ([OWNER, outcome("4", "edit", "maybe", "not applied")], whole(), ["made 1 times: "]),
        ([OWNER, outcome("5", "edit", "maybe", "applied")], whole(), ["made 0 times: "]),
        (TRUE, whole(), ["n is owned by '3', who was told: None"]),
        ([outcome("3", "claim", "no")], whole(), ["n is owned by '3', who was told: "]),
        ([outcome("3", "claim", "maybe", "not applied")], whole(), ["said not to be applied, and is: "]),
        ([OWNER, outcome("5", "claim", "maybe", "applied")], whole(), ["said to be applied, and is not: "]),
        ([OWNER, outcome("3", "release", "yes")], whole(), ["n is owned by '3', who has given it back: "]),
        ([OWNER], whole(names={}), ["n is not owned by '3', who has it: "]),
        ([OWNER, outcome("3", "release", "no", error="ConditionalCheckFailedError: x")], whole(),
         ["n could not be given back: "]),
        ([OWNER, replace(OWNER, ident="0"), outcome("0", "release", "yes")], whole(), []),
        ([OWNER, replace(OWNER, ident="0"), replace(outcome("0", "release", "yes"), begun=9.0)], whole(),
         ["n was owned by '0' and by '3' at once"]),
    ],
)  # fmt: skip
def test_a_bank_is_judged(told: list[Outcome], stored: Stored, wrong: list[str]) -> None:
    """A run finds what is missing, what is there twice, what is stored by half, and whatever was told wrongly."""
    found = bank.judge(told, stored)
    assert [one.startswith(said) for one, said in zip(found, wrong, strict=True)] == [True] * len(wrong), found
