"""A field may have any name that the first version did not use itself, and every verb works on such a model."""

import asyncio
import copy
import pickle
from typing import Any

import pytest

import dynamix
from dynamix import Model
from dynamix.model.names import METHODS
from places import Place

LATER = sorted(name for name in dir(Model) if not name.startswith("_") and name not in METHODS)
"""Public names that Model was given after the first version."""

NAMES = [
    "cls", "self", "key", "keys", "batch", "save", "condition", "conditions", "timeout", "refresh",
    "attempts", "unchecked", "function", "before_save", "before_delete", "after_load", "hide_expired", "changed",
    "transaction", "modify", "change", "key_of", "update_by_key", "add_modify_conditions", "upsert", "at",
    "on_error", "model", "schema", "table", "table_name", "connection", "fields", "field", "item", "items",
    "values", "value", "name", "attribute", "state", "pending", "stored", "instance", "draft", "flow", "returns",
    "policy", "run", "arun", "limit", "version", "hash_key", "Meta", "_loaded", "_changes", "_schema", "defaults",
    "_state", "consistent", "item_or_dict", "items_or_dicts", "requery", "ReadCapacityUnits",
    "WriteCapacityUnits", "mro", "lambda_", "kwargs", "args", "format", "type", "id", "def",
    *LATER,
]  # fmt: skip


def model_with(name: str, **options: Any) -> type[Model]:
    """A model with a key and a list field beside one, not a key, of this name."""
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__table_name__": "named",
        "number": dynamix.IntegerField(hash_key=True),
        name: dynamix.CharField(**options),
        "listing": dynamix.ListField(),
    }
    return type("Named", (Model,), attributes)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", NAMES)
def test_a_field_of_any_name_goes_through_every_verb(name: str) -> None:
    """The field wins over whatever dynamix calls by that name, now or later: it is stored, read, changed and found."""
    model = model_with(name)
    field: Any = getattr(model, name)
    dynamix.create_table(model)
    created = model.create(number=1, **{name: "x"})
    assert getattr(created, name) == "x"
    assert model(number=1, **{name: "x"}) == created == model.get(number=1)
    assert created.to_son() == {"number": 1, name: "x", "listing": None}
    assert created.is_valid()
    created.validate()
    assert f"{name}='x'" in repr(created)
    assert copy.deepcopy(created) == created
    (two,) = model.batch_write([{"number": 2, name: "y"}])
    assert model.batch_get({"number": 2}, {"number": 1}) == [two, created]
    assert model.scan(field).where(field == "y").get_items()[0][0].get_primary_key_dict() == {"number": 2}
    assert model.query().where(model.number == 1, field.exists()).first() == created  # type: ignore[attr-defined]
    setattr(created, name, "changed")
    created.discard_changes()
    created.set_field(field, "z").append_to_listfield(model.listing, 1)  # type: ignore[attr-defined]
    created.set_modify_conditions(field == "x").commit_changes()
    assert created == model.get(number=1)
    assert model.exists(number=1)
    created.delete()
    model.batch_delete([two])
    assert model.scan().count() == 0


async def twins(model: type[Model], name: str) -> None:
    """Every async verb, on an item whose key has this name."""
    created = await model.acreate(**{name: "x"})
    assert await model.aget(**{name: "x"}) == created
    assert await model.aexists(**{name: "x"})
    assert await model.abatch_get({name: "x"}) == [created]
    assert await model.abatch_write([{name: "x"}]) == [created]
    await created.set_field(model.other, "a").acommit_changes()  # type: ignore[attr-defined]
    await created.adelete()
    await model.adelete_by_key(**{name: "x"})
    await model.abatch_delete([{name: "x"}])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "consistent"])
def test_a_key_of_any_name_goes_through_every_verb(name: str) -> None:
    """The same of a partition key, which the verbs take by its name."""
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__table_name__": "named",
        name: dynamix.CharField(hash_key=True),
        "other": dynamix.CharField(),
    }
    model = type("Named", (Model,), attributes)
    dynamix.create_table(model)
    created = model.create(**{name: "x"}, overwrite=False)
    with pytest.raises(dynamix.ItemExistsError, match=f"{name}='x'"):
        model.create(**{name: "x"}, overwrite=False)
    assert created.get_primary_key_dict() == {name: "x"}
    assert model.get(**{name: "x"}, consistent=True) == created
    assert model.exists(**{name: "x"})
    assert model.batch_get({name: "x"}, created) == [created]
    created.set_field(model.other, "a").commit_changes()  # type: ignore[attr-defined]
    assert model.query().where(getattr(model, name) == "x").get_items()[0] == [created]
    assert model(**{name: "x"}).set_field(model.other, "b").commit_changes().other == "b"  # type: ignore[attr-defined]
    model.delete_by_key(**{name: "x"})
    model.batch_delete([{name: "x"}])
    assert not model.exists(**{name: "x"})
    asyncio.run(twins(model, name))


class Capacity(Model):
    """A model whose fields have the names of settings, and of what pickle asks for."""

    ReadCapacityUnits = dynamix.IntegerField(hash_key=True)
    WriteCapacityUnits = dynamix.IntegerField(default=7)


def test_a_field_may_have_the_name_of_a_setting(place: Place) -> None:
    """A field is no setting: the table is billed on demand, and the item goes through pickle."""
    dynamix.create_table(Capacity)
    made = Capacity.create(ReadCapacityUnits=5)
    assert pickle.loads(pickle.dumps(made)) == Capacity.get(ReadCapacityUnits=5)
    table = place.call("DescribeTable", TableName=place.table_name(Capacity))["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
