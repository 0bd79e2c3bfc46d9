"""A table and its indexes, made ready for work from the record. Tables are frozen."""

from typing import Any

from msgspec import Struct

from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.data.keys import Attribute, KeySchema
from dynamix.engine.data.rows import Execute, Store
from dynamix.engine.faults import Fault
from dynamix.engine.tables.phases import Phase
from dynamix.engine.tables.record import Record, decode_record, encode_record
from dynamix.engine.tables.vector_index import VectorIndex, vector_index
from dynamix.wire import Item

PIECE_ROWS = 32
_PIECE_FLOATS = 4 * 1024


class Index(Struct, frozen=True):
    """One secondary index. `kept` are the attributes it holds of an item, None for all."""

    name: str
    is_global: bool
    keys: KeySchema
    store: Store
    kept: frozenset[str] | None

    def project(self, item: Item) -> Item:
        """What the index holds of an item."""
        kept = self.kept
        return item if kept is None else {name: value for name, value in item.items() if name in kept}

    def holds_alike(self, old: Item, new: Item) -> bool:
        """Whether the index holds the same of two versions of an item."""
        kept = self.kept
        return old == new if kept is None else all(old.get(name) == new.get(name) for name in kept)


class Table(Struct, frozen=True):
    """One table, ready for work."""

    id: int
    name: str
    record: Record
    keys: KeySchema
    store: Store
    indexes: tuple[Index, ...]
    expiry_store: Store | None
    index_keys: tuple[tuple[str, str, str], ...]
    """Of each index, global ones first: key attribute, type, index name; what written items are checked against."""
    index_attributes: frozenset[str]
    """The attributes that an index, also one of vectors, asks something of."""
    vectors: tuple[VectorIndex, ...]
    log: ChangeLog | None
    is_indexed: bool
    """Whether indexes, vectors or expiry times follow from the items."""
    is_followed: bool
    """Whether anything beside the table itself is written when an item changes: they, or the log."""
    phase: Phase | None = None
    """What comes and goes in its description now; then it is read anew for each transaction."""

    @property
    def piece_rows(self) -> int:
        """How many items are stored or indexed at a time where others wait: long vectors take longer."""
        floats = sum(index.dimensions for index in self.vectors)
        return max(_PIECE_FLOATS // floats, 1) if floats > _PIECE_FLOATS // PIECE_ROWS else PIECE_ROWS

    def index(self, name: str) -> Index:
        """The index of this name; raises Fault where there is none."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise _no_index(name)

    def vector_index(self, name: str) -> VectorIndex:
        """The vector index of this name; raises Fault where there is none."""
        for index in self.vectors:
            if index.name == name:
                return index
        raise _no_index(name)

    def discard(self, execute: Execute, *, keep_items: bool = False) -> None:
        """Take the rows of the table, and of all that follows from them, out of use."""
        if not keep_items:
            self.store.discard(execute)
        for index in self.indexes:
            index.store.discard(execute)
        for vectors in self.vectors:
            vectors.rows.discard(execute)
        if self.expiry_store is not None:
            self.expiry_store.discard(execute)

    def check_readable(self, name: str | None, operation: str) -> None:
        """Refuse to read a vector index as others are read."""
        if any(index.name == name for index in self.vectors):
            raise Fault("ValidationException", f"{operation} operation not supported on this index type")
        if self.phase is not None:
            self.phase.check_readable(name, "Cannot read from backfilling global secondary index")

    def check_scalars(self, entered: frozenset[str]) -> None:
        """Refuse expressions that look into key attributes, which hold neither maps nor lists."""
        if not entered:
            return
        for name, _ in self.keys.attributes:
            if name in entered:
                raise _no_scalar(f"Key: {name}")
        for name, _, _ in self.index_keys:
            if name in entered:
                raise _no_scalar(f"IndexKey: {name}")


def _no_index(name: str) -> Fault:
    return Fault("ValidationException", f"The table does not have the specified index: {name}")


def _no_scalar(what: str) -> Fault:
    return Fault(
        "ValidationException",
        f"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {what}",
    )


def fresh_record(table: Table) -> Record:
    """A copy of the table's record, to be changed."""
    return decode_record(encode_record(table.record))


def key_schema(description: list[dict[str, str]], types: dict[str, str]) -> KeySchema:
    """The key schema that a `KeySchema` list of the service describes."""
    partition: list[Attribute] = []
    sort: list[Attribute] = []
    for element in description:
        name = element["AttributeName"]
        (partition if element["KeyType"] == "HASH" else sort).append((name, types[name]))
    return KeySchema(tuple(partition), tuple(sort))


def compile_table(id_: int, name: str, record: Record, phase: Phase | None = None) -> Table:
    """The table of a record, made ready for work."""
    description = record.description
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in description["AttributeDefinitions"]}
    keys = key_schema(description["KeySchema"], types)
    indexes = [
        _compile_index(entry, keys, types, record, is_global=member == "GlobalSecondaryIndexes")
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        for entry in description.get(member, ())
    ]
    index_keys = tuple(
        (attribute, type_, index.name)
        for index in sorted(indexes, key=lambda index: not index.is_global)
        for attribute, type_ in index.keys.attributes
        if attribute not in keys.names
    )
    expiry_store = Store(record.expiry.store) if record.expiry else None
    vectors = tuple(
        vector_index(entry, keys, types, record.index_stores[entry["IndexName"]])
        for entry in description.get("VectorIndexes", ())
    )
    index_attributes = frozenset(attribute for attribute, _, _ in index_keys).union(
        *({index.attribute, *(name for name, _ in index.schema)} for index in vectors)
    )
    is_indexed = bool(indexes) or bool(vectors) or expiry_store is not None
    log = ChangeLog(record.log.id, record.log.kept) if record.log else None
    return Table(
        id_,
        name,
        record,
        keys,
        Store(record.store),
        tuple(indexes),
        expiry_store,
        index_keys,
        index_attributes,
        vectors,
        log,
        is_indexed,
        is_indexed or log is not None,
        phase,
    )


def _compile_index(
    entry: dict[str, Any], keys: KeySchema, types: dict[str, str], record: Record, *, is_global: bool
) -> Index:
    own = key_schema(entry["KeySchema"], types)
    projection = entry["Projection"]
    kept = None
    if projection["ProjectionType"] != "ALL":
        kept = keys.names | own.names | frozenset(projection.get("NonKeyAttributes", ()))
    name = entry["IndexName"]
    return Index(name, is_global, own, Store(record.index_stores[name]), kept)
