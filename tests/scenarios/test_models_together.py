"""Several models of one table, read together: by a Table of them, and grouped by model."""

import asyncio
import pickle

import pytest
from shop import Customer, Mark, Order, Product, Shop, fill

import dynamix
from dynamix import Table
from places import Place

BOTH = Table(Customer, Order)


def test_a_table_reads_some_models_and_passes_others_by(place: Place) -> None:
    """Its query, scan, get, batch_get and transact_get give items of its models alone, also where the item is of an
    unknown one; a part that all of them have chooses the partition."""
    fill()
    place.call(
        "PutItem",
        TableName=place.table_name(Shop),
        Item={"pk": {"S": "CUSTOMER#1"}, "sk": {"S": "X"}, "kind": {"S": "INVOICE"}},
    )
    found = BOTH.query(customer_id="1")
    assert [type(one).__name__ for one in found] == ["Order", "Order", "Order", "Customer"]
    assert found.count() == 4
    assert BOTH.scan().count() == 5
    told: list[dynamix.ReadProgress] = []
    assert {type(one) for one in BOTH.scan(segments=3, rate=10000, progress=told.append)} == {Customer, Order}
    assert told[-1].segments == 3
    parts = pickle.loads(pickle.dumps(BOTH.scan().split(2)))
    assert sorted(type(one).__name__ for part in parts for one in part) == ["Customer"] * 2 + ["Order"] * 3
    assert Table(Order, Product).query(state="open").count() == 3
    tea = {"pk": "PRODUCT#tea", "sk": "PRODUCT"}
    ann = {"pk": "CUSTOMER#1", "sk": "PROFILE"}
    assert BOTH.get(**tea) is None
    assert BOTH.get(**ann) == asyncio.run(BOTH.aget(**ann)) == Customer.get(customer_id="1")
    assert BOTH.batch_get(tea, ann) == asyncio.run(BOTH.abatch_get(tea, ann)) == [Customer.get(customer_id="1")]
    assert dynamix.transact_get(BOTH.key_of(**ann), BOTH.key_of(**tea)) == (Customer.get(customer_id="1"), None)
    assert repr(BOTH) == "Table(Customer, Order)"


def test_matches_are_grouped_by_model(place: Place) -> None:
    """A customer comes with its orders by one query; what is not there, there more often, or not read is told."""
    fill()
    for found in (BOTH.query(customer_id="1").grouped(), asyncio.run(BOTH.query(customer_id="1").agrouped())):
        assert found.one(Customer).name == "Ann"
        assert [order.number for order in found[Order]] == [1, 10, 11]
        assert found.first(Order) == found[Order][0]
        assert (len(found), repr(found)) == (4, "<Groups of 3 Order, 1 Customer>")
        assert len(found[Shop]) == len(list(found))
        with pytest.raises(dynamix.MultipleItemsError):
            found.one(Order)
        with pytest.raises(dynamix.WrongTypeError, match=r"of Customer, Order, not of .*Product"):
            found[Product]
    nothing = BOTH.query(customer_id="9").grouped()
    assert nothing.first(Order) is None
    with pytest.raises(dynamix.ItemNotFoundError):
        nothing.one(Customer)
    assert [order.number for order in Order.query(customer_id="1").limit(2).grouped()[Order]] == [1, 10]


def test_what_a_table_cannot_be_made_of() -> None:
    """Models of other tables, bases, models that share none, and what is no model are refused."""

    class Alone(dynamix.Model):
        key = dynamix.CharField(hash_key=True)

    for models in ((Customer, Mark), (Shop,), (Alone,), ()):
        with pytest.raises(dynamix.ModelDefinitionError):
            Table(*models)
    with pytest.raises(dynamix.WrongTypeError):
        Table(3)  # type: ignore[arg-type]
