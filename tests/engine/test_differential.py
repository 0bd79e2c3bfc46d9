"""The engine answers as DynamoDB Local does, but for the differences in the one table of them.

The suite tries the same programs in every run, since what one program in ten thousand shows, mostly an order of two
mistakes, is no news about the change at hand. DYNAMIX_DIFFERENTIAL=5000 tries so many new ones here; `differential.py`,
run as a program, tries 50,000.
"""

import json
import os
import random
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from engine import statement_programs
from engine.conformance import DEFINITION
from engine.differences import PAGE, page
from engine.differential import DIFFERENCES, Answer, Ask, Local, asking, clear, create, reduced, run
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


EXAMPLES_OF_DIFFERENCES = [
    pytest.param(example, id=f"{known['name']}-{number}")
    for known in DIFFERENCES
    for number, example in enumerate(known.get("examples", ()))
]


@pytest.mark.parametrize("example", EXAMPLES_OF_DIFFERENCES)
def test_an_example_shows_its_difference(example: dict[str, str], local: Local) -> None:
    """What no program tries is shown by a request to a table of its own; <9 x> in it stands for nine letters."""
    own = f"-{os.getpid()}-{uuid.uuid4()}"
    text = re.sub(
        r'(?<=")(Thread|Missing|Other\d*)(?=")|(?<=table/)Thread', lambda name: name[0] + own, example["request"]
    )
    text = re.sub(r"<(\d+) (.)>", lambda run: run[2] * int(run[1]), text)
    engine = Engine()
    for side, ask in (("local", local), ("engine", asking(engine))):
        status, body = ask("CreateTable", {**DEFINITION, "TableName": f"Thread{own}"})
        assert status == 200, body
        said = Answer(*_asked(ask, example["operation"], json.loads(text))).text
        for name in ask("ListTables", {})[1]["TableNames"]:
            if name.endswith(own):
                ask("DeleteTable", {"TableName": name})
        assert re.fullmatch(example[side], said, re.DOTALL), (side, said)
    engine.close()


def _asked(ask: Ask, operation: str, request: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    status, body = ask(operation, request)
    return status, [body]


def test_a_known_difference_says_where_it_is_known_from() -> None:
    """Each entry of the table has a name of its own, both sides in words, a source, and rules or examples."""
    assert len({known["name"] for known in DIFFERENCES}) == len(DIFFERENCES)
    for known in DIFFERENCES:
        assert known["local"]
        assert known["service"]
        assert known["source"]
        assert known.get("rules") or known.get("examples") or known["untested"]


def test_the_page_shows_the_table() -> None:
    """docs/engine-differences.md is made from the table; `python tests/engine/differences.py` makes it anew."""
    assert PAGE.read_text() == page()
