"""The nearest vectors: found exactly, and alike by both libraries."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynamix.engine.vectors import arrays, lists
from dynamix.engine.vectors.distances import Found, Function, Wanted, score
from dynamix.engine.vectors.floats import packed, rounded, shown, unpacked
from dynamix.engine.vectors.rows import Row, mark, mark_number

LIBRARIES = [arrays, lists]
PLAIN = st.floats(-10, 10, width=32)
ANY = st.floats(allow_nan=False, allow_infinity=False, width=32)
NEAR = st.sampled_from([1.0, 1.0 + 2**-23, 1.0 - 2**-24, -1.0, 0.0])


@st.composite
def drawn_searches(draw: st.DrawFn) -> tuple[list[list[float]], Wanted]:
    """Vectors, and what is wanted of them."""
    dimensions = draw(st.integers(1, 9))
    numbers = st.lists(draw(st.sampled_from([PLAIN, ANY, NEAR])), min_size=dimensions, max_size=dimensions)
    vectors = draw(st.lists(numbers, max_size=40))
    return vectors, Wanted(draw(st.sampled_from(Function)), draw(numbers), draw(st.integers(1, 12)))


def row(number: int, vector: list[float], *values: Any) -> Row:
    """A row as the index stores it."""
    floats = packed({"L": [{"N": repr(each)} for each in vector]}, len(vector))
    assert floats is not None
    return number, b"".join(map(mark, values)), floats


def exact(wanted: Wanted, vector: list[float]) -> tuple[Any, ...]:
    """What orders a vector, computed in fractions: no rounding at all."""
    a, b = [Fraction(each) for each in wanted.vector], [Fraction(each) for each in vector]
    product = sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
    if wanted.function is Function.EUCLIDEAN:
        return (sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0)),)
    if wanted.function is Function.DOT_PRODUCT:
        return (-product,)
    squares = sum((x * x for x in a), Fraction(0)) * sum((x * x for x in b), Fraction(0))
    return (Fraction(0),) if not squares else (-product * abs(product) / squares,)


def nearest(library: ModuleType, rows: list[Row], wanted: Wanted, size: int = 7) -> list[Found]:
    """What a library finds in blocks of so many rows."""
    dimensions = len(wanted.vector)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    blocks = [library.Block.of(iter(part), len(part), dimensions, len(rows[0][1]) // 8) for part in parts]
    found: list[Found] = library.nearest(blocks, wanted)
    return found


@settings(max_examples=300)
@example(([[0.0, -1.0], [2.0**106, 0.0]], Wanted(Function.COSINE, [2700190.0, -2700191.0], 1)))
@example(([[2.0**127, 1.0], [2.0**127, -1.0]], Wanted(Function.DOT_PRODUCT, [2.0**127, 2.0**-140], 1)))
@given(drawn_searches())
def test_the_order_is_exact(search: tuple[list[list[float]], Wanted]) -> None:
    """Both libraries find the same rows with the same distances, and no row that is left out is nearer."""
    vectors, wanted = search
    rows = [row(number, vector) for number, vector in enumerate(vectors)]
    found = nearest(arrays, rows, wanted)
    assert found == nearest(lists, rows, wanted)
    assert len(found) == min(wanted.most, len(vectors))
    order = [exact(wanted, vectors[each.row]) for each in found]
    best = sorted(exact(wanted, vector) for vector in vectors)[: len(found)]
    for (ours,), (brute,) in zip(order, best, strict=True):
        assert abs(ours - brute) <= abs(brute) * Fraction(1, 2**50)


@pytest.mark.parametrize("library", LIBRARIES)
def test_many_alike_are_told_apart(library: ModuleType) -> None:
    """Among thousands of vectors that 32-bit sums cannot tell apart, the nearest come first."""
    dimensions = 64
    rows = []
    for number in range(3000):
        vector = [1000.0 + (place % 7) for place in range(dimensions)]
        vector[number % dimensions] += (number % 601) * 2.0**-10
        rows.append(row(number, vector))
    wanted = Wanted(Function.EUCLIDEAN, [1000.0 + (place % 7) for place in range(dimensions)], 12)
    found = nearest(library, rows, wanted, size=512)
    assert [each.row % 601 for each in found] == [0] * 5 + [1] * 5 + [2] * 2
    assert [score(wanted.function, each.distance) for each in found[:6]] == [0.0] * 5 + [2.0**-10]


@pytest.mark.parametrize("library", LIBRARIES)
def test_blocks_lose_and_join_rows(library: ModuleType) -> None:
    """A block without some rows, within others or joined with another finds what is left, and itself stays the same."""
    rows = [row(number, [float(number)], {"S": "even" if number % 2 == 0 else "odd"}) for number in range(10)]
    block = library.Block.of(iter(rows), len(rows), 1, 1)
    wanted = Wanted(Function.EUCLIDEAN, [0.0], 10)
    even = wanted._replace(filters=((0, mark_number({"S": "even"})),))

    def numbers(block: Any, wanted: Wanted = wanted) -> list[int]:
        return [each.row for each in library.nearest([block], wanted)]

    fewer = block.without([0, 3, 77])
    assert (numbers(fewer), fewer.live) == ([1, 2, 4, 5, 6, 7, 8, 9], 8)
    few = fewer.within([0, 2, 9])
    assert (numbers(few), few.live, few.held) == ([2, 9], 2, 2)
    assert numbers(fewer, even) == [2, 4, 6, 8]
    joined = few.joined(library.Block.of(iter(rows[:1]), 1, 1, 1))
    assert numbers(joined) == [0, 2, 9]
    assert numbers(joined, even) == [0, 2]
    assert (numbers(block), block.without([99]) is block) == (list(range(10)), True)
    assert numbers(fewer.within([])) == []


@given(ANY)
def test_floats_are_shown_by_the_shortest_decimal(number: float) -> None:
    """The text of a 32-bit float stands for it, has a point, and is as short as numpy's."""
    import numpy as np

    floats = row(0, [number])[2]
    text = shown(floats)["L"][0]["N"]
    assert rounded(float(text)) == number
    assert "." in text
    assert "e" not in text
    assert text == np.format_float_positional(np.float32(number + 0.0), unique=True, trim="0")


def test_zeros_have_no_direction() -> None:
    """By angle a vector of zeros is at the distance of a right angle from every other one, and from itself."""
    rows = [row(1, [0.0, 0.0]), row(2, [1.0, 0.0]), row(3, [-1.0, 0.0])]
    for library in LIBRARIES:
        found = nearest(library, rows, Wanted(Function.COSINE, [2.0, 0.0], 3))
        assert [(each.row, score(Function.COSINE, each.distance)) for each in found] == [(2, 0.0), (1, 1.0), (3, 2.0)]
        found = nearest(library, rows, Wanted(Function.COSINE, [0.0, 0.0], 3))
        assert [score(Function.COSINE, each.distance) for each in found] == [1.0, 1.0, 1.0]


def test_floats_beyond_all_others_are_no_vector() -> None:
    """A number that rounds to no 32-bit float makes no vector; one that is too small for any becomes zero."""
    assert packed({"L": [{"N": "3.5e38"}]}, 1) is None
    assert packed({"L": [{"N": "1"}, {"S": "1"}]}, 2) is None
    floats = packed({"L": [{"N": "-1e-60"}]}, 1)
    assert floats is not None
    assert unpacked(floats).tolist() == [0.0]
    assert shown(floats) == {"L": [{"N": "0.0"}]}
    assert math.copysign(1, float(shown(floats)["L"][0]["N"])) == 1


def test_rows_are_let_go_by_the_piece() -> None:
    """A block copies its rows as it reads them: the work on all of them at once would keep other threads waiting."""
    rows = [row(number, [float(number)]) for number in range(2000)]
    references = sys.getrefcount(rows[0])

    def read() -> Iterator[Row]:
        for number in range(2000):
            if number == 1000:
                held = sys.getrefcount(rows[0]) - references
                assert not held
            yield rows[number]

    block = arrays.Block.of(read(), 5000, 1, 0)
    assert (block.live, block.held) == (2000, 2000)


def test_native_libraries_are_read_before_they_are_loaded() -> None:
    """With other threads numpy's files are read first: loading them from the disk would keep all threads waiting."""
    subprocess.run([sys.executable, "-c", FIRST_USE], check=True, env={**os.environ, "PYTHONPATH": SOURCES})


SOURCES = os.pathsep.join(sys.path)
FIRST_USE = """
import sys, threading
opened, loaded = set(), []
def note(event, arguments):
    if event == "open":
        opened.add(arguments[0])
    elif event == "import" and arguments[1]:
        loaded.append((arguments[1], arguments[1] in opened))
sys.addaudithook(note)
threading.Thread(target=threading.Event().wait, daemon=True).start()
from dynamix.engine.storage.vectors import library
assert library().__name__.endswith("arrays")
natives = [read for file, read in loaded if "numpy" in file and file.endswith(".so")]
assert natives and all(natives), loaded
"""
