"""The names in a model's body: which fields may have them, and which settings would be read by nothing."""

import abc
import copy
import dataclasses
import pickle
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar, final

import pytest

import dynamix
from dynamix import CharField, Model
from dynamix.model.names import METHODS, SETTINGS
from dynamix.model.running import schema_of

T = TypeVar("T")


def defined(bases: tuple[type, ...] = (Model,), **attributes: Any) -> type:
    """A model with a key and these attributes in its body."""
    return type("Made", bases, {"__module__": __name__, "key_": CharField(hash_key=True), **attributes})


def test_no_method_joins_the_reserved_names() -> None:
    """The names that no field can have are those of the first version, and all of them are methods still."""
    assert len(METHODS) == 37
    assert [name for name in METHODS if not callable(getattr(Model, name))] == []


@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_first_versions_methods_are_not_hidden(name: str) -> None:
    """A field of the name of one is refused at definition."""
    with pytest.raises(dynamix.ModelDefinitionError, match=f"Made.{name} hides a method of Model"):
        defined(**{name: CharField()})


@pytest.mark.parametrize("name", ["_dynamix_state", "_dynamix", "__class__", "__len__", "__table_name__"])
def test_private_names_are_not_for_fields(name: str) -> None:
    """Nor is a name of Python's kind, or one of the library's own."""
    with pytest.raises(dynamix.ModelDefinitionError, match=f"Made.{name} hides"):
        defined(**{name: CharField()})


@pytest.mark.parametrize(
    ("name", "value", "nearest"),
    [
        ("__tablename__", "x", "__table_name__"),
        ("__tablename__", classmethod(lambda cls: "x"), "__table_name__"),
        ("__TableName__", "x", "__table_name__"),
        ("__tabel_name__", "x", "__table_name__"),
        ("__table__", "x", "__table_name__"),
        ("__secondary_index__", {}, "__secondary_indexes__"),
        ("__secondary_indices__", {}, "__secondary_indexes__"),
        ("__indexes__", {}, "__secondary_indexes__"),
        ("__conection__", 5, "__connection__"),
        ("__connections__", [], "__connection__"),
        ("__abstract__", True, ""),
        ("__mapper_args__", {}, ""),
        ("ReadCapacityUnit", 5, "ReadCapacityUnits"),
        ("write_capacity_units", 5, "WriteCapacityUnits"),
    ],
)
def test_unknown_settings_are_refused(name: str, value: object, nearest: str) -> None:
    """What looks like a setting and is none is refused at definition, with the nearest or with all that there are."""
    with pytest.raises(dynamix.UnknownNameError, match="Made has no setting") as caught:
        defined(**{name: value})
    assert (f"did you mean {nearest!r}?" if nearest else SETTINGS[1]) in str(caught.value)


def test_meta_is_refused() -> None:
    """A `class Meta`, by which other mappers describe a table, is refused with what describes it here."""
    with pytest.raises(dynamix.UnknownNameError, match=r"Made\.Meta is not read; .*__table_name__"):
        defined(Meta=type("Meta", (), {"table_name": "x"}))
    model = defined(Meta=CharField())
    assert list(schema_of(model).fields) == ["key_", "Meta"]


def test_misspelt_settings_of_mixins_are_refused() -> None:
    """A class that is no model is held to it as far as a name can only be a misspelt setting."""
    for name in ("__tablename__", "__secondary_index__", "__connections__"):
        with pytest.raises(dynamix.UnknownNameError, match=name):
            defined((type("Mixin", (), {name: "x"}), Model))
    mixin = type(
        "Mixin", (), {"__abstract__": True, "__sizes__": 5, "Meta": type("Meta", (), {}), "__table_name__": "t1"}
    )
    assert schema_of(defined((mixin, Model))).table_name == "t1"


def test_what_python_knows_may_stand_in_a_model() -> None:
    """Methods and names of Python, typing, dataclasses and pickle are no settings."""

    class Sized(Protocol):
        def __len__(self) -> int: ...

    class Base(abc.ABC):
        __slots__ = ("_extra",)

        @abc.abstractmethod
        def describe(self) -> str: ...

    @final
    class Full(Base, Model, Generic[T]):
        """A doc."""

        __slots__ = ("_more",)
        __hash__ = None  # type: ignore[assignment]
        __test__ = False
        __match_args__ = ("name",)
        __table_name__ = "full"
        __iter__: ClassVar = None
        name = CharField(hash_key=True)
        limit_: ClassVar[int] = 5

        def __str__(self) -> str:
            return "full"

        def __len__(self) -> int:
            return 1

        def __rich_repr__(self) -> Any:
            yield "name", self.name

        def __json__(self) -> str:
            return self.name

        def __class_getitem__(cls, item: Any) -> Any:
            return super().__class_getitem__(item)  # type: ignore[misc]

        def __reduce__(self) -> Any:
            return Full, (), {"name": self.name}

        def __setstate__(self, state: dict[str, Any]) -> None:
            vars(self).update(state)

        __repr__ = __str__

        @cached_property
        def upper(self) -> str:
            return self.name.upper()

        def describe(self) -> str:
            return self.upper

    full: Any = Full(name="n")
    assert (str(full), repr(full), len(full), full.describe()) == ("full", "full", 1, "N")
    assert copy.copy(full).name == "n"

    class Child(Model):
        __annotations__ = {"name": str}
        __module__ = "elsewhere"
        __qualname__ = "Child"
        name = CharField(hash_key=True)

    assert schema_of(Child).table_name == "Child"


def test_a_class_decorator_may_make_the_class_anew() -> None:
    """A class made of another's attributes is a model of its own, also where that one was used before."""
    first = defined(text=CharField())
    first(key_="k")
    second: Any = type(first)("Second", first.__bases__, dict(vars(first)))
    assert schema_of(second).model is second
    assert type(second.query()._search.schema.model(key_="k")) is second

    @dataclasses.dataclass(init=False, repr=False, eq=False)
    class Decorated(Model):
        name = CharField(hash_key=True)

    class Heir(Decorated):
        more = CharField()

    assert Heir(name="n", more="m").to_son() == {"name": "n", "more": "m"}
    assert Decorated(name="n") == Decorated(name="n")


class Note(Model):
    """A model with what reads its own attributes."""

    name = CharField(hash_key=True)
    title = CharField()
    listing = dynamix.ListField()

    @property
    def broken(self) -> str:
        return self.titel  # type: ignore[attr-defined,no-any-return]

    @property
    def heading(self) -> str:
        return f"<{self.title}>"


def test_a_misspelt_attribute_suggests_the_nearest() -> None:
    """Reading what an instance does not have is an AttributeError with the nearest field or method."""
    note: Any = Note(name="n", title="t")
    for wrong, right in (("titel", "title"), ("comit_changes", "commit_changes"), ("headings", "heading")):
        with pytest.raises(AttributeError, match=f"'Note' object has no attribute '{wrong}'; did you mean '{right}'"):
            getattr(note, wrong)
    with pytest.raises(AttributeError, match=r"has no attribute 'quite_something_else'$"):
        _ = note.quite_something_else
    assert not hasattr(note, "titel")
    assert getattr(note, "titel", 5) == 5
    assert not hasattr(note, "_repr_html_")


def test_other_attribute_errors_pass() -> None:
    """A field that was not loaded, and a property whose own code fails, say what they say."""
    note: Any = Note(name="n")
    with pytest.raises(AttributeError, match="no attribute 'titel'; did you mean 'title'"):
        _ = note.broken
    del vars(note)["title"]
    with pytest.raises(dynamix.FieldNotLoadedError, match=r"Note\.title"):
        _ = note.title
    with pytest.raises(dynamix.FieldNotLoadedError, match=r"Note\.title"):
        _ = note.heading
    assert not hasattr(note, "title")
    assert note.name == "n"


def test_instances_without_values_can_be_looked_at() -> None:
    """copy, pickle and a bare __new__ meet no trouble in asking for what is not there."""
    empty: Any = Note.__new__(Note)
    assert not hasattr(empty, "__deepcopy__")
    assert not hasattr(empty, "anything")
    note = Note(name="n", listing=[1])
    assert pickle.loads(pickle.dumps(note)) == copy.deepcopy(note) == copy.copy(note) == note
