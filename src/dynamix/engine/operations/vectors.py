"""SearchVectors: the items whose vectors are nearest to a given one.

All vectors of the index that meet the condition are compared, so that nothing nearer is missed. How the service counts
what a search takes is not published; here it is the bytes of the 32-bit floats that the index has.
"""

from itertools import count
from typing import Any

import msgspec

from dynamix.engine.actions.capacity import vector_bytes
from dynamix.engine.data.rows import Execute, decode_item, encode_item
from dynamix.engine.data.values import check_value
from dynamix.engine.evaluate.searches import filters_of
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.storage.database import Storage
from dynamix.engine.storage.vectors import Behind, Shape, library
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.vector_index import VectorIndex
from dynamix.engine.vectors.distances import Wanted
from dynamix.engine.vectors.floats import FLOAT_BYTES, packed, shown, unpacked
from dynamix.limits import BATCH_BYTES, VECTOR_RESULTS
from dynamix.wire import AttributeValue

_ATTEMPTS = 3
"""After how many a search lets nobody go between any more: others might change the index again and again."""

_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def search_vectors(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The items of a vector index that are nearest to a vector, the nearest first."""
    check_parameters("SearchVectors", request)
    expressions = read("SearchVectors", request)
    most = request["TopK"]
    if not 1 <= most <= VECTOR_RESULTS:
        raise invalid(
            f"Provided TopK value '{most}' is out of valid range. The value must be between 1 and {VECTOR_RESULTS} "
            "inclusive"
        )
    vector = _vector(request["SearchVector"])
    library()  # the first time that takes long: nobody is to wait for it
    for attempt in count():
        with storage.reading() as catalog:
            if catalog.give_way is not None:
                catalog.give_way()
            if attempt == _ATTEMPTS:
                catalog.give_way = None
            table = catalog.table(request["TableName"])
            index = table.vector_index(request["IndexName"])
            if table.phase is not None:
                table.phase.check_readable(index.name, "Cannot search backfilling vector index")
            wanted = _wanted(index, vector, most, expressions)
            try:
                return _answer(storage, catalog, request, _Search(table, index, wanted, expressions))
            except Behind:  # then another transaction sees what others have seen
                continue
    raise AssertionError  # there is no end to counting


class _Search(msgspec.Struct, frozen=True):
    """A search, ready to be done."""

    table: Table
    index: VectorIndex
    wanted: Wanted
    expressions: Expressions


def _vector(given: list[AttributeValue]) -> bytes:
    """The search vector as 32-bit floats."""
    try:
        floats = packed({"L": [check_value(element) for element in given]}, len(given))
    except Fault as fault:
        raise _no_vector() from fault
    if floats is None:
        raise _no_vector()
    return floats


def _no_vector() -> Fault:
    return invalid(
        "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number "
        "attribute"
    )


def _wanted(index: VectorIndex, vector: bytes, count: int, expressions: Expressions) -> Wanted:
    """What the index is asked for; refuses what it cannot answer."""
    dimensions = len(vector) // FLOAT_BYTES
    if dimensions != index.dimensions:
        raise invalid(
            f"Input search vector dimension {dimensions} does not match vector index dimension {index.dimensions}"
        )
    filters = filters_of(index, expressions.search_tests)
    if index.kept is not None:
        lacking = sorted(expressions.projection_attributes - index.kept)
        if lacking:
            raise invalid(
                f"One or more parameter values were invalid: Vector index {index.name} does not project "
                f"[{', '.join(lacking)}]"
            )
    return Wanted(index.function, unpacked(vector).tolist(), count, filters)


def _answer(storage: Storage, catalog: Catalog, request: dict[str, Any], search: _Search) -> dict[str, Any]:
    index = search.index
    shape = Shape(index.dimensions, len(index.schema))
    nearest = storage.vectors.nearest(catalog, index.rows, shape, search.wanted)
    results: list[dict[str, Any]] = []
    left = BATCH_BYTES
    for score, key in nearest:
        item = encode_item(_shown(catalog.once, search, key))
        left -= len(item)
        if left < 0:
            break
        results.append({"Item": msgspec.Raw(item), "Score": score})
    answer: dict[str, Any] = {"SearchResults": results}
    if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
        searched = index.rows.state(catalog.once).items * FLOAT_BYTES * index.dimensions
        answer["ConsumedCapacity"] = {"VectorSearchRequestBytes": vector_bytes(searched)}
    return answer


def _shown(execute: Execute, search: _Search, key: bytes) -> dict[str, Any]:
    """What the answer shows of an item: what the index holds of it, the vector only where it is asked for."""
    table, index, expressions = search.table, search.index, search.expressions
    row = table.store.get(execute, key)
    assert row is not None  # noqa: S101 - an index has no row without its item
    if expressions.projection is None:
        return index.project(_decode_raw(row[1]))  # type: ignore[arg-type]
    asked = expressions.projection_attributes
    wanted = {name: value for name, value in _decode_raw(row[1]).items() if name in asked}
    item = decode_item(encode_item(wanted))
    if index.attribute in item:
        floats = packed(item[index.attribute], index.dimensions)
        assert floats is not None  # noqa: S101 - nor one without a vector
        item[index.attribute] = shown(floats)
    return expressions.projection(item)
