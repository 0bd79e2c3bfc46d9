"""How far two vectors are from each other, exactly.

A distance is a number that is the smaller the nearer two vectors are, so that all three functions are searched alike.
Products of 32-bit floats are exact as Python's floats, and `fsum` rounds their sum once; so the order of results does
not depend on the order of additions, or on which library looked for them first.
"""

import math
from collections.abc import Sequence
from enum import Enum
from operator import mul, sub
from typing import NamedTuple

from dynamix.engine.vectors.floats import rounded


class Function(Enum):
    """The distance functions, by the service's names."""

    COSINE = "COSINE"
    DOT_PRODUCT = "DOT_PRODUCT"
    EUCLIDEAN = "EUCLIDEAN"


class Wanted(NamedTuple):
    """What is looked for: the vectors that are nearest to `vector`, which has 32-bit floats, `most` of them at most.

    `filters` are pairs: the place of an attribute in the search schema, and the mark that it must have.
    """

    function: Function
    vector: Sequence[float]
    most: int
    filters: tuple[tuple[int, int], ...] = ()

    @property
    def squares(self) -> float:
        """The square of the vector's length."""
        return squares_of(self.vector)


class Found(NamedTuple):
    """A vector that was found: its distance, and the number of its row."""

    distance: float
    row: int


def squares_of(vector: Sequence[float]) -> float:
    """The square of a vector's length."""
    return math.fsum(map(mul, vector, vector))


def distance(wanted: Wanted, squares: float, vector: Sequence[float], own_squares: float) -> float:
    """How far a vector is from the wanted one; the squares of both lengths are known.

    By angle a vector of zeros is as far from all others as one at a right angle.
    """
    if wanted.function is Function.EUCLIDEAN:
        differences = list(map(sub, wanted.vector, vector))
        return squares_of(differences)
    product = math.fsum(map(mul, wanted.vector, vector))
    if wanted.function is Function.DOT_PRODUCT:
        return -product
    lengths = math.sqrt(squares * own_squares)
    return -product / lengths if lengths else 0.0


def score(function: Function, distance: float) -> float:
    """What the service tells of a distance, in 32-bit floats."""
    if function is Function.EUCLIDEAN:
        return rounded(math.sqrt(distance))
    if function is Function.DOT_PRODUCT:
        return rounded(-distance)
    return min(max(rounded(1.0 + rounded(distance)), 0.0), 2.0)
