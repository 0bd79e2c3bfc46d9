"""A vector index as the engine works with it, read from its description."""

from typing import Any

from msgspec import Struct

from dynamix.engine.data.keys import Attribute, KeySchema
from dynamix.engine.vectors.distances import Function
from dynamix.engine.vectors.rows import VectorRows
from dynamix.wire import Item


class VectorIndex(Struct, frozen=True):
    """One vector index. `schema` are the attributes of its search schema, `partition` is the one that must be there.

    `kept` are the attributes it holds of an item, None for all.
    """

    name: str
    attribute: str
    dimensions: int
    function: Function
    partition: str | None
    schema: tuple[Attribute, ...]
    rows: VectorRows
    kept: frozenset[str] | None

    def project(self, item: Item) -> Item:
        """What the index holds of an item beside its vector."""
        kept = self.kept
        return {
            name: value for name, value in item.items() if name != self.attribute and (kept is None or name in kept)
        }


def vector_index(entry: dict[str, Any], keys: KeySchema, types: dict[str, str], rows: int) -> VectorIndex:
    """The index that a table's description has as `entry`; `rows` is the number under which its rows are stored."""
    elements = entry.get("SearchSchema", ())
    schema = tuple((element["AttributeName"], types[element["AttributeName"]]) for element in elements)
    partition = next((each["AttributeName"] for each in elements if each["SearchSchemaElementType"] == "HASH"), None)
    attribute = entry["VectorAttribute"]["AttributeName"]
    projection = entry["Projection"]
    kept = None
    if projection["ProjectionType"] != "ALL":
        kept = keys.names.union((attribute, *(name for name, _ in schema), *projection.get("NonKeyAttributes", ())))
    function = Function(entry["DistanceFunction"])
    name, dimensions = entry["IndexName"], entry["Dimensions"]
    return VectorIndex(name, attribute, dimensions, function, partition, schema, VectorRows(rows), kept)
