"""Under faults on the way, what a program is told of its writes is what is stored.

These are short runs; run.py is the long one.
"""

import pytest

import places
from faults import run
from faults.proxy import FAULTS
from faults.run import Report, Told, judge

SERVERS = ("engine_http", "dynamodb_local")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("driver", run.DRIVERS)
def test_what_is_told_is_stored(server: str, driver: str, request: pytest.FixtureRequest) -> None:
    """Nothing that was told to be done is lost or doubled, and every error is right about what was applied."""
    address = request.getfixturevalue(server)
    report = run.run(address, places.fresh_prefix(), driver, 150, seed=1)
    assert report.wrong == []
    assert sum(report.outcomes.values()) == 150
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
