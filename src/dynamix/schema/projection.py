"""What reads bring: of the table, of an index, of some fields alone."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from dynamix.codec.evolving import MARK, READS
from dynamix.schema.index import AnyField, Index

if TYPE_CHECKING:
    from dynamix.expressions.renamed import OldName
    from dynamix.schema.kinds import Kinds
    from dynamix.schema.upgrades import Versions


class Projection(Struct, frozen=True, eq=False, dict=True):
    """What reads of a model's table and its indexes have to ask for, and what they bring."""

    table: Index
    kinds: "Kinds | None"
    versions: "Versions | None"
    renamed: tuple[AnyField, ...]

    def loaded_from(self, index: Index) -> frozenset[str] | None:
        """The attributes that a read of an index brings, or None for all."""
        if index.projection == "ALL":
            return None
        return self.keys_of_index(index).union(field.attribute for field in index.included)

    def keys_of_index(self, index: Index) -> frozenset[str]:
        """The attributes that every item in an index has: its keys and the table's."""
        return frozenset(field.attribute for field in (*self.table.keys, *index.keys))

    def telling(self, index: Index) -> tuple[AnyField, ...]:
        """The discriminator, where there is one and an index holds it."""
        if self.kinds is None:
            return ()
        held = self.loaded_from(index)
        return (self.kinds.field,) if held is None or self.kinds.field.attribute in held else ()

    def asked_for(self, fields: Sequence[AnyField], index: Index | None = None) -> tuple[str, ...]:
        """The stored names to ask for where some fields are read, of the table or of an index."""
        names = [field.name for field in fields]
        attributes = self.attributes(fields, index)
        if index is None or index.projection == "ALL":
            names += [field.was for field in fields if field.was is not None]
        for versions in self._versions_read:
            if MARK in attributes:
                names.append(versions.field.name)
            if READS in attributes:
                names += sorted(versions.reads)
        return tuple(dict.fromkeys(names))

    def attributes(self, fields: Sequence[AnyField], index: Index | None = None) -> frozenset[str]:
        """The attributes that a read of some fields brings, of the table or of an index."""
        attributes = frozenset(field.attribute for field in fields)
        if not self._versions_read:
            return attributes
        held = None if index is None else self.loaded_from(index)
        if held is None:
            return attributes | {MARK, READS}
        return attributes | {MARK} if MARK in held else attributes

    def sure_of(self, attributes: frozenset[str] | None) -> frozenset[str] | None:
        """Those of some attributes that are missing where a read which did not ask for old names does not bring them;
        None where all are."""
        if attributes is None or not self.renamed:
            return None
        return attributes.difference(field.attribute for field in self.renamed)

    @property
    def old_names(self) -> "dict[str, list[OldName]]":
        """The old stored names by the new ones; those of the models whose items a base reads are told by model."""
        if self.kinds is None or self.kinds.own is not None:
            return self._own_old_names
        olds = {name: list(found) for name, found in self._own_old_names.items()}
        for member in self.kinds.schemas():
            for field in member.renamed:
                if not any(field is own for own in self.renamed):
                    olds.setdefault(field.name, []).append((str(field.was), member.kinds.condition))
        return olds

    @cached_property
    def _own_old_names(self) -> "dict[str, list[OldName]]":
        return {field.name: [(str(field.was), None)] for field in self.renamed}

    @property
    def _versions_read(self) -> "tuple[Versions, ...]":
        """The versions of its items, or those of the models whose items a base reads."""
        if self.kinds is None or self.kinds.own is not None:
            return () if self.versions is None else (self.versions,)
        return tuple(member.versions for member in self.kinds.schemas() if member.versions is not None)
