"""The vectors of an index in memory, in arrays of numpy.

The product of all vectors with the wanted one in 32-bit floats is fast, and a little wrong. How wrong it can be is
known: a sum of n products is off by at most about n units in the last place of the product of both lengths. So of each
row there is a lower and an upper bound of its distance; rows that could be among the nearest are computed anew in
64-bit floats, with bounds that are far narrower, and what then is left is ordered by its exact distances.

The products are those of `einsum`, which keeps to its thread: the libraries behind numpy's `@` divide them among
threads that wait for each other, which is many times slower on a machine that has other things to do.

Source: N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 3.1
"""

import math
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynamix.engine.vectors.distances import Found, Function, Wanted, distance, squares_of
from dynamix.engine.vectors.rows import MARK_BYTES, Row, piece_rows

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Parts: TypeAlias = tuple[Numbers, Numbers, Floats, Doubles]
Bounds: TypeAlias = tuple[Doubles, Doubles]
"""The lower and upper bounds of the distances of some rows."""

BLOCK_BYTES = 8 << 20
"""How large the floats of a block may be."""

_NARROW, _WIDE = 2.0**-24, 2.0**-53
"""The rounding errors of 32-bit and of 64-bit floats."""
_SPARE = 8
"""How many roundings there are beside those of a sum, at most."""
_LARGEST, _SMALLEST = 1e37, 1e-30
"""Beyond these products of lengths, sums in 32-bit floats overflow, or lose what the bounds rely on."""
_GATHERED = 4
"""A part of the rows smaller than one in so many is picked out before it is multiplied."""
_MORE_TIES = 1000


class Block:
    """Some rows of an index. It never changes: a change makes a new one, which shares what is the same.

    `live` says which of the rows are still there, None where all are.
    """

    __slots__ = ("_floats", "_largest", "_lengths", "_live", "_marks", "_numbers", "_smallest", "live")

    def __init__(
        self, numbers: Numbers, marks: Numbers, floats: Floats, lengths: Doubles, live: Flags | None = None
    ) -> None:
        self._numbers = numbers
        self._marks = marks
        self._floats = floats
        self._lengths = lengths
        self._live = live
        self._largest = float(lengths.max(initial=0.0))
        self._smallest = float(lengths.min(initial=math.inf, where=lengths > 0))
        self.live = len(numbers) if live is None else int(np.count_nonzero(live))

    @classmethod
    def of(cls, rows: Iterator[Row], most: int, dimensions: int, marks: int) -> "Block":
        """The block of the next rows, `most` of them or all that there are.

        They are copied by the piece, as they are read: all at once would keep other threads waiting.
        """
        numbers = np.empty(most, dtype=np.int64)
        all_marks = np.empty((most, marks), dtype=np.int64)
        floats = np.empty((most, dimensions), dtype=np.float32)
        lengths = np.empty(most, dtype=np.float64)
        end = 0
        while piece := list(islice(rows, min(piece_rows(dimensions), most - end))):
            count = len(piece)
            part = slice(end, end + count)
            numbers[part] = [row[0] for row in piece]
            all_marks[part] = np.frombuffer(b"".join([row[1] for row in piece]), dtype="<i8").reshape(count, marks)
            floats[part] = np.frombuffer(b"".join([row[2] for row in piece]), dtype="<f4").reshape(count, dimensions)
            lengths[part] = np.sqrt(np.einsum("ij,ij->i", floats[part], floats[part], dtype=np.float64))
            end = part.stop
        for array in (numbers, all_marks, floats, lengths):  # where they lie: nothing is copied
            array.resize((end, *array.shape[1:]), refcheck=False)
        return cls(numbers, all_marks, floats, lengths)

    @staticmethod
    def row_bytes(dimensions: int, marks: int) -> int:
        """How much memory a row takes."""
        return 4 * dimensions + MARK_BYTES * marks + 17

    @property
    def held(self) -> int:
        """For how many rows there is memory."""
        return len(self._numbers)

    def without(self, numbers: Collection[int]) -> "Block":
        """The block without the rows of these numbers."""
        return self._where(~self._among(numbers))

    def within(self, numbers: Collection[int]) -> "Block":
        """The block without the rows of other numbers than these."""
        return self._where(self._among(numbers))

    def joined(self, other: "Block") -> "Block":
        """The rows of two blocks."""
        numbers, marks, floats, lengths = self._parts()
        added = other._parts()
        return Block(
            np.concatenate((numbers, added[0])),
            np.concatenate((marks, added[1])),
            np.concatenate((floats, added[2])),
            np.concatenate((lengths, added[3])),
        )

    def offer(self, best: "_Best") -> None:
        """Offer the rows that may be among the best."""
        wanted = best.wanted
        rows = self._chosen(wanted.filters)
        if rows is not None and not len(rows):
            return
        low, high = self._bounds(best, rows, wide=self._is_extreme(best))
        near = np.flatnonzero(low <= best.bound)
        if len(near) > wanted.most:
            near = near[low[near] <= _least(high[near], wanted.most)]
        rows = near if rows is None else rows[near]
        if len(rows):
            low, high = self._bounds(best, rows, wide=True)
            best.take(low, high, self._numbers[rows], self._floats[rows])

    def _among(self, numbers: Collection[int]) -> Flags:
        return np.isin(self._numbers, np.fromiter(numbers, dtype=np.int64, count=len(numbers)))

    def _where(self, kept: Flags) -> "Block":
        live = kept if self._live is None else kept & self._live
        left = int(np.count_nonzero(live))
        if left == self.live:
            return self
        block = Block(self._numbers, self._marks, self._floats, self._lengths, live)
        return block if 2 * left >= len(live) else Block(*block._parts())

    def _parts(self) -> Parts:
        """The arrays, of the rows that are still there."""
        live = self._live
        if live is None:
            return self._numbers, self._marks, self._floats, self._lengths
        return self._numbers[live], self._marks[live], self._floats[live], self._lengths[live]

    def _chosen(self, filters: tuple[tuple[int, int], ...]) -> Numbers | None:
        """The places of the rows that are there and pass the filters; None for all."""
        chosen = self._live
        for place, mark in filters:
            passes = self._marks[:, place] == mark
            chosen = passes if chosen is None else chosen & passes
        return None if chosen is None else np.flatnonzero(chosen)

    def _is_extreme(self, best: "_Best") -> bool:
        return self._largest * best.length > _LARGEST or self._smallest * best.length < _SMALLEST

    def _bounds(self, best: "_Best", rows: Numbers | None, *, wide: bool) -> Bounds:
        """The bounds of the distances of some rows, computed in 64-bit floats where `wide` says so."""
        unit = _WIDE if wide else _NARROW
        error: Doubles | float = (self._floats.shape[1] + _SPARE) * unit
        lengths = self._lengths if rows is None else self._lengths[rows]
        if wide and best.wanted.function is Function.EUCLIDEAN:
            differences = self._picked(rows).astype(np.float64) - best.doubles
            squares = np.einsum("ij,ij->i", differences, differences)
            return squares * (1 - error), squares * (1 + error)
        products = self._products(best, rows, wide=wide)
        scales = lengths * best.length
        match best.wanted.function:
            case Function.DOT_PRODUCT:
                distances, error = -products, error * scales
            case Function.COSINE:
                distances = -np.divide(products, scales, out=np.zeros_like(products), where=scales > 0)
            case Function.EUCLIDEAN:
                squares = lengths * lengths + best.length * best.length
                distances = squares - 2 * products
                error = 2 * error * scales + (self._floats.shape[1] + _SPARE) * _WIDE * squares
        return distances - error, distances + error

    def _products(self, best: "_Best", rows: Numbers | None, *, wide: bool) -> Doubles:
        if wide:
            wide_products: Doubles = np.einsum("ij,j->i", self._picked(rows).astype(np.float64), best.doubles)
            return wide_products
        if rows is not None and len(rows) * _GATHERED < len(self._numbers):
            few: Floats = np.einsum("ij,j->i", self._floats[rows], best.floats)
            return few.astype(np.float64)
        all_: Floats = np.einsum("ij,j->i", self._floats, best.floats)
        products = all_.astype(np.float64)
        return products if rows is None else products[rows]

    def _picked(self, rows: Numbers | None) -> Floats:
        return self._floats if rows is None else self._floats[rows]


class _Best:
    """The rows that may be among the nearest, of all blocks that were looked at."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.doubles: Doubles = np.array(wanted.vector, dtype=np.float64)
        self.floats: Floats = self.doubles.astype(np.float32)
        self.length = math.sqrt(wanted.squares)
        self.bound = math.inf
        self._low: Doubles = np.empty(0)
        self._high: Doubles = np.empty(0)
        self._numbers: Numbers = np.empty(0, dtype=np.int64)
        self._vectors: Floats = np.empty((0, len(wanted.vector)), dtype=np.float32)

    def take(self, low: Doubles, high: Doubles, numbers: Numbers, vectors: Floats) -> None:
        """Take rows in, and let go those that are among the nearest no more."""
        low, high = np.concatenate((self._low, low)), np.concatenate((self._high, high))
        self.bound = _least(high, self.wanted.most)
        kept = np.flatnonzero(low <= self.bound)
        most = 4 * self.wanted.most + _MORE_TIES
        if len(kept) > most:  # that many are as good as alike
            kept = kept[np.argpartition(low[kept], most)[:most]]
        self._low, self._high = low[kept], high[kept]
        self._numbers = np.concatenate((self._numbers, numbers))[kept]
        self._vectors = np.concatenate((self._vectors, vectors))[kept]

    def nearest(self) -> list[Found]:
        """The nearest, by their exact distances."""
        wanted, squares = self.wanted, self.wanted.squares
        found = []
        for number, vector in zip(self._numbers.tolist(), self._vectors.tolist(), strict=True):
            own = squares_of(vector) if wanted.function is Function.COSINE else 0.0
            found.append(Found(distance(wanted, squares, vector, own), number))
        return sorted(found)[: wanted.most]


def nearest(blocks: Iterable[Block], wanted: Wanted) -> list[Found]:
    """The nearest rows of all blocks, the nearest first."""
    best = _Best(wanted)
    for block in blocks:
        block.offer(best)
    return best.nearest()


def _least(values: Doubles, count: int) -> float:
    """The value that so many values are not above; without end where there are not so many."""
    if len(values) < count:
        return math.inf
    return float(np.partition(values, count - 1)[count - 1])
