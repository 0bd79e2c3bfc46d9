"""Which items of a shared table are those of a model.

They are told by their discriminator. A key whose texts begin otherwise than those of all other models tells as well:
where the keys of a read or a write all lie within such texts, it needs no condition on the discriminator.

Models of a family may be declared at any time, so what depends on them is looked up anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dynamix.errors import ModelDefinitionError, StoredValueError
from dynamix.expressions.nodes import AttributeNotExists, BeginsWith, Compare, Condition, In, Or, Path, Value
from dynamix.fields.base import Field
from dynamix.fields.discriminator import DiscriminatorField, discriminator_of, value_of
from dynamix.fields.key import KeyField
from dynamix.schema.index import AnyField, Index
from dynamix.wire import Item

MEMBERS = "_dynamix_members"
"""What a class has that stands for some models of a family."""


class Texts(NamedTuple):
    """How the texts of a model's key begin, or with `whole`, what they are."""

    start: str
    whole: bool = False

    def apart(self, other: "Texts") -> bool:
        """Whether no text is of both."""
        if self.whole and other.whole:
            return self.start != other.start
        if self.whole or other.whole:
            (whole, start) = (self.start, other.start) if self.whole else (other.start, self.start)
            return not whole.startswith(start)
        return not (self.start.startswith(other.start) or other.start.startswith(self.start))

    def holds(self, text: str) -> bool:
        """Whether a text may be one of these."""
        return text == self.start if self.whole else text.startswith(self.start)

    def on(self, path: Path) -> Condition:
        """The condition that a key is one of these."""
        value = Value({"S": self.start})
        return Compare("=", path, value) if self.whole else BeginsWith(path, value)


_ANY = Texts("")


def standing_for(models: tuple[type[Any], ...]) -> type[Any]:
    """A class that nobody declares, and that stands for some models of a family."""
    field = discriminator_of(models[0])
    assert field is not None  # noqa: S101 - the caller has looked
    name = " | ".join(model.__name__ for model in models)
    return type(name, (field.owner,), {MEMBERS: models, "__module__": field.owner.__module__})


class Kinds:
    """The models whose items a model reads: itself, or where it is a base, those that derive from it."""

    def __init__(self, model: type[Any], field: DiscriminatorField, schema_of: Callable[[type[Any]], Any]) -> None:
        self.model = model
        self.field = field
        self.own = value_of(model)
        self.schema_of = schema_of
        self._known: dict[Index, tuple[int, bool]] = {}
        self._models: tuple[int, dict[str, type[Any]]] = (-1, {})

    @property
    def models(self) -> dict[str, type[Any]]:
        """The models by their discriminators."""
        version, models = self._models
        if version != self.field.version:
            version = self.field.version
            models = self._found()
            self._models = version, models
        return models

    def _found(self) -> dict[str, type[Any]]:
        if self.own is not None:
            return {self.own: self.model}
        chosen: tuple[type[Any], ...] | None = vars(self.model).get(MEMBERS)
        family = list(self.field.members.items())  # another thread may add one
        if chosen is not None:
            return {value: model for value, model in family if model in chosen}
        return {value: model for value, model in family if issubclass(model, self.model)}

    @property
    def is_whole(self) -> bool:
        """Whether items of whatever model are this one's: it declares the discriminator and is a base."""
        return self.own is None and self.model is self.field.owner

    def owns(self, field: AnyField) -> bool:
        """Whether a field is one of these models'."""
        return any(getattr(model, field.attribute, None) is field for model in self.models.values())

    def schemas(self) -> Iterator[Any]:
        """The schemas of these models."""
        return map(self.schema_of, self.models.values())

    @property
    def path(self) -> Path:
        """The path of the discriminator."""
        return self.field._path()

    @property
    def condition(self) -> Condition:
        """The condition that an item is one of these."""
        values = tuple(Value({"S": value}) for value in self.models)
        return Compare("=", self.path, values[0]) if len(values) == 1 else In(self.path, values)

    def replaceable(self, key: AnyField) -> Condition:
        """The condition that there is no item with a key, whose partition key is `key`, or one of these."""
        return Or((AttributeNotExists(Path((key.name,))), self.condition))

    def texts(self, key: AnyField) -> Texts:
        """How the texts of this model's own key begin."""
        return _texts(self.model, key)

    def sure(self, index: Index, *, within: bool = True) -> bool:
        """Whether the keys of an index, or of the table, tell that an item is one of this model, where they are all
        `within` its texts."""
        if self.own is None:
            return self.is_whole
        if not within or not self.texts(index.keys[-1]).start:
            return False
        version, known = self._known.get(index, (-1, False))
        if version != self.field.version:
            version = self.field.version
            known = all(any(self._apart(key, other) for key in index.keys) for other in self._others())
            self._known[index] = version, known
        return known

    def fits(self, key: Mapping[str, Any], fields: Iterable[AnyField]) -> bool:
        """Whether a key's texts are this model's."""
        return all(_may_be(self.model, field, key) for field in fields)

    def telling(self, keys: Iterable[AnyField]) -> AnyField | None:
        """The key by whose texts alone items are told from those of all other models, if there is one."""
        others = list(self._others())
        for key in keys:
            if self.texts(key).start and all(self._apart(key, other) for other in others):
                return key
        return None

    def _apart(self, key: AnyField, other: type[Any]) -> bool:
        if not _has(other, key):
            return True
        return self.texts(key).apart(_texts(other, key))

    def _others(self) -> Iterator[type[Any]]:
        """The other models of the family."""
        own = self.models
        return (model for value, model in list(self.field.members.items()) if value not in own)

    def model_of(self, item: Mapping[str, Any], keys: Iterable[AnyField] = ()) -> type[Any] | None:
        """The model of an item, by its discriminator, or where it has none, by its keys; None for a model that is none
        of these. Raises StoredValueError for an unknown one."""
        form = item.get(self.field.name)
        if form is None:
            return self._by_keys(item, keys)
        value = form.get("S") if isinstance(form, Mapping) else None
        found = self.models.get(value) if isinstance(value, str) else None
        if found is not None:
            return found
        if not self.is_whole:
            return None
        if self.field.unknown == "base":
            return self.model
        known = ", ".join(sorted(map(repr, self.field.members))) or "there is none"
        raise self._unread(item, f"{form!r} is the discriminator of no model: {known}", form)

    def foreign(self, item: Mapping[str, Any], keys: Iterable[AnyField]) -> str | None:
        """What an item is that is none of these, in words; None for one of these, and for one that nobody can tell of a
        whole family's."""
        if self.is_whole:
            return None
        form = item.get(self.field.name)
        try:
            if self.model_of(item, keys) is not None:
                return None
        except StoredValueError:
            pass
        value = form.get("S") if isinstance(form, Mapping) else None
        other = self.field.members.get(str(value))
        return f"of {other.__name__}" if other is not None else f"with {self.field.attribute}={value!r}"

    def _by_keys(self, item: Mapping[str, Any], keys: Iterable[AnyField]) -> type[Any] | None:
        """The model of an item without a discriminator, by its keys."""
        family = list(self.field.members.values())
        held = [key for key in keys if key.name in item]
        for model in family:
            kinds = self.schema_of(model).kinds
            if kinds is None or not held or not all(_may_be(model, key, item) for key in held):
                continue
            if any(kinds.texts(key).start for key in held) and all(
                any(kinds._apart(key, other) for key in held) for other in family if other is not model
            ):
                return model if model in self.models.values() else None
        if self.is_whole and self.field.unknown == "base":
            return self.model
        raise self._unread(item, "it has no discriminator, and its key does not tell of which model it is", None)

    def _unread(self, item: Mapping[str, Any], reason: str, form: object) -> StoredValueError:
        return StoredValueError(
            f"{self.field}: an item of the table of {self.model.__name__} is of an unknown model: {reason}; declare "
            "the model, or give the DiscriminatorField unknown='base'",
            field=self.field.attribute,
            value=form,
        )

    def check_index(self, index: Index, table: Index) -> None:
        """Refuse an index whose items nobody could tell apart. Raises ModelDefinitionError."""
        held = index.projection == "ALL" or any(field is self.field for field in (*index.included, *index.keys))
        if held or self.own is None:
            return
        keys = (*table.keys, *index.keys)
        if not all(any(self._apart(key, other) for key in keys) for other in self._others()):
            raise ModelDefinitionError(
                f"the index {index.name!r} does not hold {self.field}, and its keys do not tell items of "
                f"{self.model.__name__} from those of other models; add {self.field.attribute!r} to its projections"
            )

    def check_keys(self, table: Index) -> None:
        """Refuse keys that are not those of the family's base. Raises ModelDefinitionError."""
        root = self.field.owner
        for key in table.keys:
            base = getattr(root, key.attribute, None)
            role = "hash_key" if key.hash_key else "range_key"
            if (
                not isinstance(base, Field)
                or not getattr(base, role)
                or (base.name, base.key_type)
                != (
                    key.name,
                    key.key_type,
                )
            ):
                raise ModelDefinitionError(
                    f"{key} is a key of the table that {root.__name__} shares, and has to have the attribute, stored "
                    f"name and type of a key of {root.__name__}"
                )


def _texts(model: type[Any], key: AnyField) -> Texts:
    """How the texts of a model's key begin, whose class has a field of the same attribute."""
    field = getattr(model, key.attribute, None)
    if isinstance(field, KeyField):
        return Texts(field.start, not field.parts)
    if isinstance(field, DiscriminatorField):
        own = value_of(model)
        return _ANY if own is None else Texts(own, True)
    return _ANY


def _has(model: type[Any], key: AnyField) -> bool:
    """Whether items of a model may have an attribute of a key's stored name."""
    fields = (getattr(model, name, None) for name in dir(model))
    return any(isinstance(field, Field) and field.name == key.name for field in fields)


def _may_be(model: type[Any], key: AnyField, item: Mapping[str, Any]) -> bool:
    form = item[key.name]
    return _texts(model, key).holds(str(form.get("S", "")) if isinstance(form, Mapping) else "")


class Sorting(NamedTuple):
    """What the codec asks of the models whose items stand in one table."""

    kinds: Kinds
    table: Index

    @property
    def attribute(self) -> str:
        return self.kinds.field.attribute

    @property
    def name(self) -> str:
        return self.kinds.field.name

    @property
    def own(self) -> str | None:
        return self.kinds.own

    def codec(self, item: Item) -> Any:
        """The codec of an item's model, None for that of none of these. Raises StoredValueError."""
        model = self.kinds.model_of(item, self.table.keys)
        return None if model is None else self.kinds.schema_of(model).codec

    def strange(self, item: Item) -> StoredValueError:
        """The error for an item that has to be one of these."""
        found = self.kinds.foreign(item, self.table.keys)
        return StoredValueError(
            f"the item is one {found}, not of {self.kinds.model.__name__}",
            field=self.attribute,
            value=item.get(self.name),
        )
