"""The vectors of an index in memory, in plain Python: exact, small in memory, and slow where there are many."""

import heapq
from array import array
from collections.abc import Collection, Iterable, Iterator
from itertools import compress, islice

from dynamix.engine.vectors.distances import Found, Wanted, distance, squares_of
from dynamix.engine.vectors.floats import unpacked
from dynamix.engine.vectors.rows import MARK_BYTES, Row

BLOCK_BYTES = 1 << 16
"""How large the floats of a block may be: the work on one keeps others waiting."""

_OVERHEAD_BYTES = 256
"""Of a row's objects."""


class Block:
    """Some rows of an index. It never changes: a change makes a new one."""

    __slots__ = ("_floats", "_marks", "_numbers", "_squares")

    def __init__(
        self,
        numbers: list[int],
        marks: "list[array[int]]",
        floats: "list[array[float]]",
        squares: list[float],
    ) -> None:
        self._numbers = numbers
        self._marks = marks
        self._floats = floats
        self._squares = squares

    @classmethod
    def of(cls, rows: Iterator[Row], most: int, dimensions: int, marks: int) -> "Block":
        """The block of the next rows, `most` of them or all that there are."""
        taken = list(islice(rows, most))
        floats = [unpacked(row[2]) for row in taken]
        return cls([row[0] for row in taken], [_marks(row[1]) for row in taken], floats, list(map(squares_of, floats)))

    @staticmethod
    def row_bytes(dimensions: int, marks: int) -> int:
        """About how much memory a row takes."""
        return 4 * dimensions + MARK_BYTES * marks + _OVERHEAD_BYTES

    @property
    def live(self) -> int:
        """How many rows there are."""
        return len(self._numbers)

    @property
    def held(self) -> int:
        """For how many rows there is memory."""
        return len(self._numbers)

    def without(self, numbers: Collection[int]) -> "Block":
        """The block without the rows of these numbers."""
        gone = set(numbers)
        return self._where([number not in gone for number in self._numbers])

    def within(self, numbers: Collection[int]) -> "Block":
        """The block without the rows of other numbers than these."""
        kept = set(numbers)
        return self._where([number in kept for number in self._numbers])

    def joined(self, other: "Block") -> "Block":
        """The rows of two blocks."""
        return Block(
            self._numbers + other._numbers,
            self._marks + other._marks,
            self._floats + other._floats,
            self._squares + other._squares,
        )

    def found(self, wanted: Wanted, squares: float) -> Iterator[Found]:
        """The rows that the filters let pass."""
        for number, marks, floats, own in zip(self._numbers, self._marks, self._floats, self._squares, strict=True):
            if all(marks[place] == mark for place, mark in wanted.filters):
                yield Found(distance(wanted, squares, floats, own), number)

    def _where(self, kept: list[bool]) -> "Block":
        if all(kept):
            return self
        parts = (self._numbers, self._marks, self._floats, self._squares)
        return Block(*(list(compress(part, kept)) for part in parts))  # type: ignore[arg-type]


def nearest(blocks: Iterable[Block], wanted: Wanted) -> list[Found]:
    """The nearest rows of all blocks, the nearest first."""
    squares = wanted.squares
    return heapq.nsmallest(wanted.most, (found for block in blocks for found in block.found(wanted, squares)))


def _marks(marks: bytes) -> "array[int]":
    parts = (marks[at : at + MARK_BYTES] for at in range(0, len(marks), MARK_BYTES))
    return array("q", [int.from_bytes(part, "little", signed=True) for part in parts])
