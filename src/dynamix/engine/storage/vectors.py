"""The vectors of a database's indexes in memory, as far as they are kept there.

What is kept of an index is that of one version. A search compares this with the version that its transaction sees, and
reads the rows that changed since, whoever changed them. Rows that were removed cannot be read: a few are looked past,
and when there are more of them, the numbers of all rows are compared.

Nothing that is kept ever changes; a newer version is made of the older one and takes its place in one step. So a search
needs no lock, and an exception at any moment leaves what there was. Only reading all rows of an index is done by one
thread at a time, since it takes long and much memory.

Where others wait for the connection, both reading all rows and comparing many vectors give way to them. What they
changed meanwhile is then read, as after any other change; a search that they have made untrue begins again.
"""

import contextlib
import importlib.util
import math
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from threading import get_ident
from time import monotonic
from typing import Any, NamedTuple

import msgspec

from dynamix import forks
from dynamix.engine.storage.turns import TooLateError, Turn
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.vectors.distances import Wanted, score
from dynamix.engine.vectors.rows import Row, State, VectorRows, piece_rows

MOST_BYTES = 1 << 30
"""How much memory the vectors of a database may take."""

_LONG_SECONDS = 0.01
_READ_AHEAD_BYTES = 1 << 18
_is_native = re.compile(r"\.(?:so|pyd|dll|dylib)(?:\.|$)").search
_LOOKED_PAST = 100
"""How many removed rows may be kept."""


class Behind(Exception):  # noqa: N818 - a signal, not an error
    """What is kept is newer than what the transaction sees: the work must be begun again, in a new transaction."""


class Shape(NamedTuple):
    """What the rows of an index have: so many floats, and so many marks."""

    dimensions: int
    marks: int


class _Kept(NamedTuple):
    """The rows of an index at one version, in blocks."""

    epoch: int
    version: int
    blocks: tuple[Any, ...]

    @property
    def live(self) -> int:
        return sum(block.live for block in self.blocks)

    @property
    def held(self) -> int:
        return sum(block.held for block in self.blocks)


class _Reader(msgspec.Struct, eq=False):
    """A thread that reads all rows of an index. It waits as long as another reads: whoever has a deadline looks from
    outside."""

    thread: int
    deadline: float = math.inf


class Kept:
    """What is kept of the indexes of one database, `most_bytes` at most; an index that is larger is read anew by each
    search, part by part."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._indexes: dict[int, tuple[Shape, _Kept]] = {}  # never changed, but replaced; the last one used comes last
        self._turn = Turn()
        forks.register(self)

    def nearest(self, catalog: Catalog, rows: VectorRows, shape: Shape, wanted: Wanted) -> list[tuple[float, bytes]]:
        """The scores and the keys of the nearest items, as the running transaction sees them.

        Raises Behind where that is older than what is kept, or where others changed the index while it gave way.
        """
        state = rows.state(catalog.once)
        gone = 0
        blocks: Iterable[Any]
        if state.items * library().Block.row_bytes(*shape) > self._most_bytes:
            blocks = _read(_all(catalog, rows, shape), shape)
        else:
            kept = self._of(catalog, rows, shape, state)
            state = rows.state(catalog.once)
            blocks, gone = kept.blocks, kept.live - state.items
        found = library().nearest(_in_turns(catalog, blocks), wanted._replace(most=wanted.most + gone))
        if rows.state(catalog.once) != state:
            raise Behind
        keys = ((score(wanted.function, each.distance), rows.key(catalog.once, each.row)) for each in found)
        return list(islice(((told, key) for told, key in keys if key is not None), wanted.most))

    def forget(self, rows: VectorRows) -> None:
        """Let go what is kept of an index that is removed."""
        self._indexes = {id_: held for id_, held in self._indexes.items() if id_ != rows.id}

    def _of(self, catalog: Catalog, rows: VectorRows, shape: Shape, state: State) -> _Kept:
        """The rows of an index as the transaction sees them, with few that are gone."""
        execute = catalog.execute
        kept = self._usable(rows, state)
        if kept is None:
            reader = _Reader(get_ident())
            self._take_turn(reader, catalog)
            try:
                state = rows.state(catalog.once)
                kept = self._usable(rows, state)
                if kept is None:
                    kept = _Kept(state.epoch, state.version, tuple(_read(_all(catalog, rows, shape), shape)))
                    state = rows.state(catalog.once)
            finally:
                self._turn.leave(reader)
        if kept.version == state.version:
            return self._keep(rows, shape, kept)
        newer = sorted(rows.newer(execute, kept.version))
        numbers = [number for number, _, _ in newer]
        current = [block.without(numbers) for block in kept.blocks] if numbers else list(kept.blocks)
        current += _read(iter(newer), shape)
        if sum(block.live for block in current) - state.items > _LOOKED_PAST:
            present = list(rows.numbers(execute))
            current = [block.within(present) for block in current]
        return self._keep(rows, shape, _Kept(state.epoch, state.version, tuple(_joined(current, shape))))

    def _take_turn(self, reader: _Reader, catalog: Catalog) -> None:
        """Wait for the one who reads now, who may wait for the connection."""
        if catalog.give_way is not None:
            reader.deadline = 0.0
        while True:
            try:
                self._turn.take(reader)
            except TooLateError:
                assert catalog.give_way is not None  # noqa: S101 - else there is no deadline
                catalog.give_way()
            else:
                return

    def _usable(self, rows: VectorRows, state: State) -> _Kept | None:
        """What is kept of the index, if it can be brought up to what the transaction sees."""
        _, kept = self._indexes.get(rows.id, (None, None))
        if kept is None or kept.epoch != state.epoch:
            return None
        if kept.version > state.version:
            raise Behind
        return kept

    def _keep(self, rows: VectorRows, shape: Shape, kept: _Kept) -> _Kept:
        """Keep this, and let go those that were not used for longest where there is not room for all."""
        row_bytes = library().Block.row_bytes
        indexes = {id_: held for id_, held in self._indexes.items() if id_ != rows.id} | {rows.id: (shape, kept)}
        used = sum(held.held * row_bytes(*of) for of, held in indexes.values())
        for id_ in list(indexes)[:-1]:
            if used <= self._most_bytes:
                break
            of, held = indexes.pop(id_)
            used -= held.held * row_bytes(*of)
        self._indexes = indexes
        return kept

    def _after_fork(self) -> None:
        """The thread that had the turn is not in the child."""
        self._turn = Turn()


@cache
def library() -> Any:
    """What keeps vectors and finds the nearest: arrays of numpy where it is installed, else plain Python."""
    if threading.active_count() > 1:
        _read_ahead("numpy")
    try:
        from dynamix.engine.vectors import arrays
    except ImportError:
        from dynamix.engine.vectors import lists

        return lists
    return arrays


def _read_ahead(package: str) -> None:
    """Read the native libraries of a package that is not loaded yet, while other threads go on.

    When a library is loaded, Python lets no thread go on, which takes long where it has to come from the disk first.
    """
    spec = None if package in sys.modules else importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return
    folder = os.path.dirname(spec.origin)
    part = bytearray(_READ_AHEAD_BYTES)
    for parent, _, names in chain(os.walk(folder), os.walk(f"{folder}.libs")):
        for name in names:
            if _is_native(name):
                with contextlib.suppress(OSError), open(os.path.join(parent, name), "rb", buffering=0) as file:
                    while file.readinto(part):
                        pass


def _all(catalog: Catalog, rows: VectorRows, shape: Shape) -> Iterator[Row]:
    """All rows of an index, in pieces where others wait, who may change what has been read and what has not."""
    if catalog.give_way is None:
        yield from rows.all(catalog.execute)
        return
    last = -1
    while piece := rows.some(catalog.execute, last, piece_rows(shape.dimensions)):
        yield from piece
        last = piece[-1][0]
        catalog.give_way()


def _in_turns(catalog: Catalog, blocks: Iterable[Any]) -> Iterator[Any]:
    """The blocks, where others may work between two if the work on them takes long."""
    begun = monotonic()
    for block in blocks:
        yield block
        if catalog.give_way is not None and monotonic() - begun > _LONG_SECONDS:
            catalog.give_way()
            begun = monotonic()


def _capacity(shape: Shape) -> int:
    """How many rows a block has at most."""
    return max(int(library().BLOCK_BYTES) // (4 * shape.dimensions), 1)


def _read(rows: Iterator[Row], shape: Shape) -> Iterator[Any]:
    """Rows as blocks, made one after the other."""
    make = library().Block.of
    while (block := make(rows, _capacity(shape), *shape)).held:
        yield block


def _joined(blocks: list[Any], shape: Shape) -> list[Any]:
    """The blocks that have rows, with small ones joined: a row is copied seldom, and there are few blocks."""
    joined: list[Any] = []
    for block in blocks:
        if block.live:
            joined.append(block)
        while len(joined) > 1 and _fit(joined[-2], joined[-1], shape):
            last = joined.pop()
            joined[-1] = joined[-1].joined(last)
    return joined


def _fit(first: Any, second: Any, shape: Shape) -> bool:
    return bool(first.live <= 2 * second.live and first.live + second.live <= _capacity(shape))
