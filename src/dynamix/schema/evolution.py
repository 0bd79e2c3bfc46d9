"""How items that were stored under an older schema become those of the model: by upgrades, and by fields that had
another name."""

from collections.abc import Mapping, Sequence

from dynamix.codec.evolving import Asked, Evolving
from dynamix.codec.state import Outdated
from dynamix.errors import ModelDefinitionError
from dynamix.fields.computed import ComputedField
from dynamix.fields.ttl import TTLField
from dynamix.schema.index import AnyField, Index
from dynamix.schema.upgrades import Versions
from dynamix.wire import Item


def check_renamed(model: type, fields: Mapping[str, AnyField], indexes: Sequence[Index]) -> None:
    """Refuse, by ModelDefinitionError, old names of fields that cannot have one."""
    names = [field.name for field in fields.values()]
    for field in fields.values():
        if field.was is None:
            continue
        if not isinstance(field.was, str) or not field.was:
            raise ModelDefinitionError(f"{field} has was={field.was!r}; give the old stored name, a str, not empty")
        names.append(field.was)
        reason = _unmovable(field, indexes)
        if reason is not None:
            raise ModelDefinitionError(f"{field} cannot have was={field.was!r}: {reason}")
    if len(set(names)) < len(names):
        raise ModelDefinitionError(f"two fields of {model.__name__} are, or were, stored under one name")


def _unmovable(field: AnyField, indexes: Sequence[Index]) -> str | None:
    """Why a field cannot have another name than before, None where it can."""
    if field.hash_key or field.range_key:
        return "it is part of the key, and a table keeps the names of its key; give name= the old name"
    for index in indexes:
        if any(field is key for key in index.keys):
            return (
                f"it is a key of the index {index.name!r}, in which items with the old attribute would be missing; "
                "save all items under the new name first, and declare the index then"
            )
    if field.unique:
        return "it is unique, and what guards its values goes by its name"
    if isinstance(field, TTLField):
        return "a table expires items by one attribute, so those with the old one would stay"
    if isinstance(field, ComputedField):
        return "it is computed anew whenever an item is stored; leave the old attribute alone"
    return None


def evolving(
    renamed: Sequence[AnyField], versions: Versions | None, keys: Sequence[AnyField], fixed: Sequence[AnyField]
) -> Evolving:
    """What the codec has to know of a model's versions and of fields that had another name.

    `keys` are those of the table and of its indexes, `fixed` what no upgrade changes. Upgrades come first.
    """
    names = [(str(field.was), field.name) for field in renamed]
    own = frozenset(field.name for field in fixed)

    def evolve(item: Item, asked: Asked) -> tuple[Item, Outdated]:
        new, outdated = (dict(item), Outdated()) if versions is None else versions.upgraded(item, asked, own)
        for old, name in names:
            if old in new:
                outdated[old], form = item.get(old), new.pop(old)
                if name not in new:
                    outdated[name], new[name] = item.get(name), form
        return new, outdated

    return Evolving(
        frozenset(old for old, _ in names),
        None if versions is None else (versions.field.name, versions.present),
        evolve,
        frozenset() if versions is None else versions.reads,
        frozenset(field.attribute for field in keys),
    )
