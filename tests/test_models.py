"""Models and fields by themselves, without any place."""

import copy
import pickle
from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

import pytest

import dynamix
from dynamix.expressions.nodes import BeginsWith, Path, Value
from dynamix.model.running import schema_of
from dynamix.updates import plan


class Everything(dynamix.Model):
    """A field of each type."""

    key = dynamix.CharField(hash_key=True)
    sort = dynamix.IntegerField(range_key=True)
    text = dynamix.CharField(required=True)
    real = dynamix.FloatField()
    moment = dynamix.DateTimeField()
    day = dynamix.DateField()
    clock = dynamix.TimeField()
    span = dynamix.TimeDeltaField()
    items = dynamix.ListField()
    mapping = dynamix.DictField()
    many = dynamix.SetField()


def refused(definition: dict[str, Any], **indexes: Any) -> str:
    """Why a model with these attributes, or these global indexes, is refused."""
    base = {} if definition else {"key": dynamix.CharField(hash_key=True), "items": dynamix.ListField()}
    attributes: dict[str, Any] = {"__module__": __name__, **base, **definition, "__secondary_indexes__": indexes}
    with pytest.raises((dynamix.ModelDefinitionError, dynamix.UnknownNameError)) as caught:
        type("Wrong", (dynamix.Model,), attributes)()
    return str(caught.value)


def test_a_definition_that_no_table_can_have_is_refused() -> None:
    """Each mistake in a model's definition has a message that names what is wrong."""
    hash_key = {"key": dynamix.CharField(hash_key=True)}
    both_keys = {**hash_key, "sort": dynamix.CharField(range_key=True)}
    assert "has projections but no index" in refused({**hash_key, "a": dynamix.CharField(projections=["key"])})
    assert "6 local indexes" in refused({**both_keys, **{f"f{n}": dynamix.CharField(indexed=True) for n in range(6)}})
    assert "need a table with a sort key" in refused({**hash_key, "a": dynamix.CharField(indexed=True)})
    assert "21 global indexes" in refused({}, **{f"index{n}": {"hash_key": "key"} for n in range(21)})
    assert "did you mean 'range_key'" in refused({}, wrong={"hash_key": "key", "range_kye": "key"})
    assert "has no hash_key" in refused({}, wrong={"range_key": "key"})
    assert "cannot be a key of the index" in refused({}, wrong={"hash_key": "items"})
    assert "did you mean 'key'" in refused({}, wrong={"hash_key": "kye"})
    assert "projects 21 attributes" in refused({}, wrong={"hash_key": "key", "projections": ["key"] * 21})
    assert "give a list of fields, 'ALL' or 'KEYS_ONLY'" in refused({}, wrong={"hash_key": "key", "projections": "key"})
    assert "give a list of fields" in refused({}, wrong={"hash_key": "key", "projections": {"key": 1}})
    assert "give fields" in refused({}, wrong={"hash_key": "key", "projections": [5]})
    assert "hash_key of the index 'wrong' of Wrong is []; give one field" in refused({}, wrong={"hash_key": []})
    assert "or a list of up to 4" in refused({}, wrong={"hash_key": "key", "range_key": list("abcde")})
    assert "has a field twice in its key" in refused({}, wrong={"hash_key": "key", "range_key": ("key",)})
    own = dynamix.GlobalIndex(hash_key="key")
    assert "two indexes with the name 'own'" in refused({**hash_key, "own": own}, own={"hash_key": "key"})
    assert "is the same index as Wrong.two" in refused({**hash_key, "one": own, "two": own})
    assert "need a table with a sort key" in refused({**hash_key, "own": dynamix.LocalIndex(range_key="key")})
    assert "cannot be called 'ix'" in refused({**hash_key, "ix": dynamix.GlobalIndex(hash_key="key")})
    assert "read_capacity of the index" in refused({}, wrong={"hash_key": "key", "read_capacity": "5"})
    assert "give a dict such as" in refused({}, wrong=["key"])
    assert "cannot be called 'in dex'" in refused({}, **{"in dex": {"hash_key": "key"}})
    assert "cannot be called 'ix'" in refused({}, ix={"hash_key": "key"})
    assert "give a list of fields" in refused({**both_keys, "a": dynamix.CharField(indexed=True, projections="key")})
    assert "Wrong.__table_name__ is 5" in refused({**hash_key, "__table_name__": 5})
    assert "Wrong.ReadCapacityUnits is '5'" in refused({**hash_key, "ReadCapacityUnits": "5"})
    assert "hides a method of Model" in refused({**hash_key, "query": dynamix.CharField()})
    assert "hides an argument of create()" in refused({**hash_key, "overwrite": dynamix.BooleanField()})
    assert "hides an argument of get()" in refused({"consistent": dynamix.CharField(hash_key=True)})


def test_a_mixin_cannot_hide_a_method_either() -> None:
    """A field that comes from a class that is no model is held to the same rules."""

    class Mixin:
        scan = dynamix.CharField()

    with pytest.raises(dynamix.ModelDefinitionError, match="hides a method of Model"):
        type("Wrong", (Mixin, dynamix.Model), {"key": dynamix.CharField(hash_key=True)})


def test_a_field_that_no_model_can_have_is_refused() -> None:
    """A stored name that cannot be one, and a key that every update would have to change, are refused at once."""
    for name in ("", 5):
        with pytest.raises(dynamix.ModelDefinitionError, match="not empty"):
            dynamix.CharField(name=name)  # type: ignore[call-overload]
    with pytest.raises(dynamix.ModelDefinitionError, match="auto_now_add"):
        dynamix.DateTimeField(range_key=True, auto_now=True)


def test_a_field_is_one_models_under_one_name() -> None:
    """A field object used under a second name is refused, where it would be read and stored as the other."""
    shared = dynamix.CharField()

    class First(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        one = shared

    class Second(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        other = shared

    assert Second(key="k", other="x").to_son() == {"key": "k", "other": "x"}
    with pytest.raises(dynamix.ModelDefinitionError, match=r"First\.one .* Second\.other"):
        First(key="k")


def test_mixins_give_fields() -> None:
    """Fields of a class that is no model are a model's as well, and a child's own field stands in for its parent's."""

    class Titled:
        title = dynamix.CharField(default="Untitled")

    class Base(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        state = dynamix.CharField()

    class Child(Titled, Base):
        state = dynamix.CharField(name="s", default="open")

    child = Child(key="k")
    assert child.to_son() == {"key": "k", "state": "open", "title": "Untitled"}
    assert schema_of(Child).whole.item(vars(child)) == {
        "key": {"S": "k"},
        "s": {"S": "open"},
        "title": {"S": "Untitled"},
    }
    with pytest.raises(dynamix.UnknownNameError):
        child.set_field(Base.state, "shut")


def test_indexes_may_name_fields_in_each_way() -> None:
    """An index names a field by its attribute, its stored name, or as the field itself."""
    user = dynamix.CharField(name="u")

    class Note(dynamix.Model):
        __secondary_indexes__: ClassVar = {
            "one": {"hash_key": "author"},
            "two": {"hash_key": "u"},
            "three": {"hash_key": user},
        }
        key = dynamix.CharField(hash_key=True)
        author = user

    assert {index.hash_key for index in schema_of(Note).indexes.values()} == {Note.author}


def test_a_local_index_may_have_another_name() -> None:
    """`index_name` says it, where the field has an index; and no two indexes have one name."""

    class Note(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        sort = dynamix.CharField(range_key=True)
        at = dynamix.IntegerField(indexed=True, index_name="lsi1", projections="ALL")
        revision = dynamix.VersionField(indexed=True, index_name="lsi2")

    assert list(schema_of(Note).indexes) == ["lsi1", "lsi2"]
    with dynamix.use_connection(dynamix.Connection(embedded=True)) as connection, connection:
        dynamix.create_table(Note)
        Note.create(key="k", sort="s", at=3)
        (found,) = Note.query().use_index(Note.at).where(Note.key == "k", Note.at > 2)
        assert found.at == 3
        assert Note.query().use_index("lsi1").where(Note.key == "k", Note.at > 3).all() == []
        described = connection.request("DescribeTable", {"TableName": "Note"})["Table"]
        assert [index["IndexName"] for index in described["LocalSecondaryIndexes"]] == ["lsi1", "lsi2"]
    wrong = {
        "no index": {"at": dynamix.IntegerField(index_name="lsi1")},
        "cannot be called 3": {"at": dynamix.IntegerField(indexed=True, index_name=3)},  # type: ignore[call-overload]
        "Wrong has two indexes with the name 'lsi1'": {
            "at": dynamix.IntegerField(indexed=True, index_name="lsi1"),
            "__secondary_indexes__": {"lsi1": {"hash_key": "sort"}},
        },
    }
    for message, body in wrong.items():
        keys = {"key": dynamix.CharField(hash_key=True), "sort": dynamix.CharField(range_key=True)}
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            schema_of(type("Wrong", (dynamix.Model,), {**keys, **body}))


def test_projections_in_words() -> None:
    """ "ALL" and "KEYS_ONLY" are understood, of local and of global indexes; no projections are the keys only."""
    local, world = {}, {}
    for projections in ("ALL", "KEYS_ONLY", (), None, ["text"], {"text"}):

        class Note(dynamix.Model):
            __secondary_indexes__: ClassVar = {"world": {"hash_key": "text", "projections": projections}}
            key = dynamix.CharField(hash_key=True)
            sort = dynamix.CharField(range_key=True)
            text = dynamix.CharField(indexed=True, projections=projections)  # type: ignore[arg-type]

        indexes = schema_of(Note).indexes
        local[str(projections)] = indexes["Note_ix_text"].projection
        world[str(projections)] = indexes["world"].projection
    assert (
        local
        == world
        == {
            "ALL": "ALL",
            "KEYS_ONLY": "KEYS_ONLY",
            "()": "KEYS_ONLY",
            "None": "KEYS_ONLY",
            "['text']": "INCLUDE",
            "{'text'}": "INCLUDE",
        }
    )


def test_secondary_indexes_are_a_dict() -> None:
    """Anything else is refused with what it has to be."""
    with pytest.raises(dynamix.ModelDefinitionError, match="give a dict of the indexes by name"):
        type("Wrong", (dynamix.Model,), {"key": dynamix.CharField(hash_key=True), "__secondary_indexes__": ["x"]})()


def test_a_field_can_be_taken_away_by_a_child() -> None:
    """A child that sets an inherited field's name to something else has no such field."""

    class Base(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

    class Child(Base):
        text = None

    assert list(schema_of(Child).fields) == ["key"]
    with pytest.raises(dynamix.UnknownNameError):
        Child(key="k", text="x")


def test_a_field_may_be_in_several_models() -> None:
    """Each of them finds, changes and compares it as its own; a model that has it not is refused."""
    common = dynamix.CharField(default="c")
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        for name in ("first", "second"):
            body = {"__table_name__": name, "key": dynamix.CharField(hash_key=True), "text": common}
            model: Any = type("Sharing", (dynamix.Model,), body)
            dynamix.create_table(model)
            one = model.create(key="k", text="x")
            model.update_by_key(model.text.set("y"), key="k", condition=model.text.same_as(one))
            assert model.scan().where(model.text == "y").count() == 1
    with pytest.raises(dynamix.WrongTypeError, match="same_as takes an instance that has"):
        common.same_as(Everything(key="k"))


T = TypeVar("T")


class Event(dynamix.Model, Generic[T]):
    """A generic base."""

    key = dynamix.CharField(hash_key=True)
    data: dynamix.ListField[list[T]] = dynamix.ListField(default=[])


class NumberEvent(Event[int]):
    """One of its kinds."""


class AnyEvent(Event[T]):
    """One that is generic itself."""


def test_models_may_be_generic() -> None:
    """A child of a generic model, and one that is given its parameters where it is used, are models as any other."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(NumberEvent)
        assert NumberEvent.create(key="k", data=[1]) == NumberEvent.get(key="k")
        dynamix.create_table(AnyEvent)
        event = AnyEvent[int](key="k", data=[1]).save()
        assert event == AnyEvent[int].get(key="k") == copy.deepcopy(event) == pickle.loads(pickle.dumps(event))
        assert event.to_son() == {"key": "k", "data": [1]}


def test_a_base_need_not_be_a_table() -> None:
    """One may lack a key, or be abstract: it gives fields, methods and hooks to the models that are made of it."""

    class Base(dynamix.Model, ABC):
        made = dynamix.IntegerField(default=1)

        @abstractmethod
        def before_save(self) -> None:
            self.made = self.made + 1

    class Stamped:
        made = dynamix.IntegerField(default=5)
        note = dynamix.CharField(default="n")

    class Page(Stamped, Base):
        key = dynamix.CharField(hash_key=True)
        note = None  # type: ignore[assignment]

        def before_save(self) -> None:
            super().before_save()

    class Child(Page):
        note = dynamix.IntegerField(default=0)  # type: ignore[assignment]

    with pytest.raises(dynamix.ModelDefinitionError, match="has 0 fields with hash_key=True"):
        Base.scan().all()
    with pytest.raises(TypeError, match="abstract"):
        Base()  # type: ignore[abstract]
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Page)
        assert Page.create(key="k").to_son() == {"made": 6, "key": "k"}
        assert Page(key="k").note is None
    assert Child(key="k").to_son() == {"made": 5, "key": "k", "note": 0}


def test_what_is_taken_away_is_in_no_index() -> None:
    """A child that has no such field any more says which index still names it."""

    class Page(dynamix.Model):
        __secondary_indexes__: ClassVar = {"by_text": {"hash_key": "text"}}
        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

    class Child(Page):
        text = None  # type: ignore[assignment]

    class Other(Page):
        __secondary_indexes__: ClassVar = {}
        text = None  # type: ignore[assignment]

    with pytest.raises(dynamix.UnknownNameError, match="an index of Child names a field that does not exist"):
        Child(key="k")
    assert Other(key="k").to_item() == {"key": {"S": "k"}}


def test_fields_are_pickled_and_shown_by_name() -> None:
    """A field survives pickling as itself, and says whose it is."""
    assert pickle.loads(pickle.dumps(Everything.text)) is Everything.text
    assert copy.deepcopy(Everything.text) is Everything.text
    assert repr(Everything.text) == "<CharField Everything.text>"
    assert str(dynamix.CharField()) == "CharField"


def test_instances_survive_pickling_and_copying() -> None:
    """An instance is pickled and copied with its values."""
    instance = Everything(key="k", sort=1, text="t", items=[1, {"a": {2}}])
    assert pickle.loads(pickle.dumps(instance)) == instance
    twin = copy.deepcopy(instance)
    assert twin == instance
    assert twin.items is not instance.items


def test_to_son_of_every_type() -> None:
    """to_son turns what JSON lacks into text, numbers and lists."""
    instance = Everything(
        key="k",
        sort=1,
        text="t",
        real=0.5,
        moment=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        day=date(2026, 1, 2),
        clock=time(3, 4),
        span=timedelta(minutes=2),
        items=[Decimal("0.1234567890123456789"), b"\xff", None, True],
        mapping={"a": {"c", "b"}},
        many={2, 1},
    )
    assert instance.to_son() == {
        "key": "k",
        "sort": 1,
        "text": "t",
        "real": 0.5,
        "moment": "2026-01-02T03:04:00+00:00",
        "day": "2026-01-02",
        "clock": "03:04:00",
        "span": 120,
        "items": ["0.1234567890123456789", "/w==", None, True],
        "mapping": {"a": ["b", "c"]},
        "many": [1, 2],
    }
    instance = Everything(key="k", sort=1, items=[(b"x", {1}), bytearray(b"y")], mapping={"a": (memoryview(b"z"),)})
    assert instance.to_son()["items"] == [["eA==", [1]], "eQ=="]
    assert instance.to_son()["mapping"] == {"a": ["eg=="]}


def test_a_key_is_set_once() -> None:
    """A missing key may be given later; one that is there cannot be changed, only a new item made."""
    instance = Everything(text="t", sort=1)
    instance.key = "k"
    assert instance.get_primary_key_dict() == {"key": "k", "sort": 1}
    with pytest.raises(dynamix.InvalidUpdateError, match="create an item with the new key"):
        instance.key = "other"
    with pytest.raises(dynamix.FieldValidationException):
        Everything(text="t").key = 5  # type: ignore[assignment]


def test_a_required_field_cannot_be_removed() -> None:
    """Setting a required field to None is refused."""
    with pytest.raises(dynamix.FieldValidationException, match=r"Everything\.text"):
        Everything(key="k", sort=1, text="t").set_field(Everything.text, None)


def test_private_attributes_are_free() -> None:
    """A name with a leading underscore is the program's own, and not stored."""
    instance = Everything(key="k", sort=1, text="t")
    instance._cache = 5  # type: ignore[attr-defined]
    assert instance._cache == 5  # type: ignore[attr-defined]
    assert "_cache" not in instance.to_son()


@pytest.mark.parametrize(
    "misuse",
    [
        lambda it: it.set_modify_conditions("text = 'x'"),
        lambda it: it.set_field("text", "x"),
        lambda it: it.add_to_setfield(Everything.many, "abc"),
        lambda it: Everything.query().where("text = 'x'"),  # type: ignore[arg-type]
        lambda it: Everything.query().use_index(5),  # type: ignore[arg-type]
        lambda it: Everything.batch_get("k"),  # type: ignore[arg-type]
        lambda it: Everything.batch_write(["k"]),  # type: ignore[list-item]
        lambda it: Everything.items[-1],
        lambda it: Everything.items["a"][True],  # type: ignore[index]
        lambda it: Everything.mapping["a"].eq(object()),
        lambda it: Everything.text.size() == "3",
        lambda it: it.add_to_setfield(Everything.many, 5),
        lambda it: it.update_to_dict_field(Everything.mapping, "abc"),
        lambda it: it.update_to_dict_field(Everything.mapping, 5),
        lambda it: it.remove_from_dict_field(Everything.mapping, 5),
        lambda it: Everything.text.is_in("abc"),
        lambda it: Everything.query().start_key(5),  # type: ignore[arg-type]
        lambda it: Everything.query("text").where(Everything.key == "k").count(),  # type: ignore[arg-type]
        lambda it: (Everything.text == "a") & None,  # type: ignore[operator]
        lambda it: (Everything.text == "a") | True,  # type: ignore[operator]
    ],
)
def test_misuse_is_a_type_error_or_a_value_error(misuse: Any) -> None:
    """What is given in place of a field, a condition, a key or an index is refused with a sentence."""
    with pytest.raises((dynamix.ValidationException, TypeError), match=r"not|neither|has no|unsupported|give"):
        misuse(Everything(key="k", sort=1, text="t"))


def test_float_amounts_add_up_in_decimal() -> None:
    """Queued float amounts add up in decimal, as DynamoDB adds them."""
    instance = Everything(key="k", sort=1, text="t", real=0.1)
    instance.add_to_field(Everything.real, 0.2)
    assert instance.real == 0.3
    instance.set_field(Everything.real, Decimal("0.5"))
    instance.add_to_field(Everything.real, Decimal("0.25"))  # type: ignore[arg-type]
    instance.add_to_field(Everything.real, 1)
    assert instance.real == 1.75


def test_a_validator_may_raise_its_own_refusal() -> None:
    """A FieldValidationException of a validator is passed on as it is."""
    own = dynamix.FieldValidationException("my words", field="text")

    def refuse(value: str) -> None:
        raise own

    class Note(dynamix.Model):
        key = dynamix.CharField(hash_key=True, validator=refuse)

    with pytest.raises(dynamix.FieldValidationException) as caught:
        Note(key="k").validate()
    assert caught.value is own


def test_only_facts_of_plans_are_checked() -> None:
    """A condition that no plan relies on is not taken for a fact."""
    with pytest.raises(TypeError, match="not a fact"):
        plan.holds(BeginsWith(Path(("a",)), Value({"S": "x"})), {})
