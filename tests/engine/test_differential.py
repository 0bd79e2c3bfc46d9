"""The engine answers as DynamoDB Local does, but for the differences in the one table of them.

The suite tries the same programs in every run, since what one program in ten thousand shows, mostly an order of two
mistakes, is no news about the change at hand. DYNAMIX_DIFFERENTIAL=5000 tries so many new ones here; `differential.py`,
run as a program, tries 50,000.
"""

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from engine import statement_programs
from engine.differences import PAGE, page
from engine.differential import DIFFERENCES, Ask, Local, asking, clear, create, reduced, run
from engine.pools import Table, table
from engine.programs import Generator

ASKED_FOR = os.environ.get("DYNAMIX_DIFFERENTIAL")
EXAMPLES = int(ASKED_FOR or "150")
TABLES = 8


@pytest.fixture(scope="module")
def engine() -> Iterator[Ask]:
    engine = Engine()
    yield asking(engine)
    engine.close()


@pytest.fixture
def local(dynamodb_local: tuple[str, int]) -> Iterator[Local]:
    local = Local(*dynamodb_local)
    yield local
    local.close()


@pytest.fixture
def tables(local: Local, engine: Ask) -> Iterator[list[Table]]:
    made = [table(random.Random(number), f"differential-{os.getpid()}-{number}") for number in range(TABLES)]
    for each in made:
        create(each, local, engine)
    yield made
    for each in made:
        for ask in (local, engine):
            ask("DeleteTable", {"TableName": each.name})


def test_programs_have_the_same_answers(tables: list[Table], local: Local, engine: Ask) -> None:
    """Random programs differ only where it is known. A failure is shown with the shortest program that has it."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=ASKED_FOR is None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(st.sampled_from(range(TABLES)), st.randoms(use_true_random=False))
    def try_program(number: int, rng: random.Random) -> None:
        each = tables[number]
        program = Generator(rng, each).program(6)
        for ask in (local, engine):
            clear(each, ask)
        difference, _ = run(each, program, local, engine)
        if difference:
            shortest = reduced(each, program, local, engine)
            raise AssertionError(f"{difference}\n  program: {shortest}\n  table: {each.definition()}")

    try_program()


def test_statements_have_the_same_answers(local: Local, engine: Ask) -> None:
    """Random programs of PartiQL differ only where it is known."""
    each = statement_programs.table(f"statements-{os.getpid()}")
    create(each, local, engine)
    for number in range(EXAMPLES):
        program = statement_programs.program(random.Random(number), each.name, 8)
        for ask in (local, engine):
            clear(each, ask)
        difference, _ = run(each, program, local, engine)
        assert difference is None, f"{difference}\n  program: {program}"
    for ask in (local, engine):
        ask("DeleteTable", {"TableName": each.name})


def test_a_known_difference_says_where_it_is_known_from() -> None:
    """Each entry of the table has a name of its own, both sides in words, a source, and rules."""
    assert len({known["name"] for known in DIFFERENCES}) == len(DIFFERENCES)
    for known in DIFFERENCES:
        assert known["local"]
        assert known["service"]
        assert known["source"]
        assert known["rules"]


def test_the_page_shows_the_table() -> None:
    """docs/engine-differences.md is made from the table; `python tests/engine/differences.py` makes it anew."""
    assert PAGE.read_text() == page()
