"""The indexes of a model by what callers give for them."""

from typing import Any

from dynamix.errors import UnknownNameError
from dynamix.schema.declared import Declared, VectorIndex
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.table import Schema


def index_declared(schema: Schema[Any], declared: Declared) -> Index:
    """The index that an attribute of the model declares. Raises UnknownNameError."""
    if schema.declared.get(declared.attribute) is not declared:
        raise UnknownNameError(f"{declared} is not an index of {schema.model_name}")
    return schema.index(declared.name)


def holds(schema: Schema[Any], index: Vectors, field: AnyField) -> bool:
    """Whether a vector index holds a field."""
    own = (index.field, *schema.table.keys, *index.keys, *index.included)
    return index.projection == "ALL" or any(field is held for held in own)


def vectors_of(schema: Schema[Any], given: object) -> Vectors:
    """The vector index that is given as the model declares it, by its name, or by its field where no other index
    has that one. Raises UnknownNameError."""
    if isinstance(given, VectorIndex):
        if schema.declared.get(given.attribute) is not given:
            raise UnknownNameError(f"{given} is not an index of {schema.model_name}")
        return schema.vectors[given.name]
    by_name = isinstance(given, str)
    found = [index for index in schema.vectors.values() if (index.name == given if by_name else index.field is given)]
    if len(found) == 1:
        return found[0]
    what = repr(given) if by_name else given
    if found:
        names = " or ".join(repr(index.name) for index in found)
        raise UnknownNameError(f"{what} has {len(found)} vector indexes; give the index by its name: {names}")
    names = ", ".join(map(repr, schema.vectors)) or "there is none"
    raise UnknownNameError(f"{what} names no vector index of {schema.model_name}: {names}")


def index_on(schema: Schema[Any], field: AnyField) -> Index:
    """The index that sorts by a field: its local index, or the only global one; where none does, the only one whose
    partition key it is. Raises UnknownNameError."""
    found = [index for index in schema.indexes.values() if any(key is field for key in index.range_keys)]
    local = [index for index in found if index.local]
    if not found:
        own = (index for index in schema.indexes.values() if not index.local)
        found = [index for index in own if any(key is field for key in index.hash_keys)]
    if len(local) == 1 or len(found) == 1:
        return (local or found)[0]
    if not schema.owns(field):
        raise UnknownNameError(f"{field} is not a field of {schema.model_name}")
    names = ", ".join(map(repr, [index.name for index in found] or schema.indexes)) or "there is none"
    number = len(found) or "no"
    raise UnknownNameError(f"{field} is a key of {number} indexes; give the index by its name: {names}")
