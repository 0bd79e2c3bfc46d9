"""Several models in one table: what each reads, what a base of them reads, and what no write may touch."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from shop import Customer, Mark, Note, Order, Plain, Product, Shop, fill

import dynamix
from dynamix import CharField, DiscriminatorField, IntegerField, KeyField
from places import Place

PARTITION = "CUSTOMER#1"
UNKNOWN = {"pk": {"S": PARTITION}, "sk": {"S": "X"}, "kind": {"S": "INVOICE"}}


def names(found: Any) -> list[str]:
    """The classes of instances."""
    return [type(one).__name__ for one in found]


def test_a_model_reads_its_own_items_alone(place: Place) -> None:
    """A query reads what lies under the model's own sort keys, and filters where the keys do not tell; so do scans,
    counts, and indexes."""
    fill()
    mine = Order.query().where(Order.pk == PARTITION)
    assert [order.number for order in mine] == [1, 10, 11]
    assert mine.explain().key_condition == "Order.pk = 'CUSTOMER#1' AND begins_with(Order.sk, 'ORDER#')"
    assert mine.explain().filter is None
    assert mine.count() == 3
    assert [order.number for order in mine.where(Order.sk >= "ORDER#000010")] == [10, 11]
    assert Customer.query().where(Customer.pk == PARTITION).one().name == "Ann"
    assert Customer.query().where(Customer.pk == PARTITION, Customer.sk >= "A").count() == 1
    assert Order.scan().count() == 3
    assert {product.sku for product in Product.scan()} == {"tea"}
    index = Order.query().where(Order.state_key == "STATE#open").use_index("by_state")
    assert sorted(order.sk for order in index) == ["ORDER#000001", "ORDER#000011"]
    assert index.count() == 2
    assert Order.query().use_index("by_kind").count() == 3
    with pytest.raises(dynamix.InvalidQueryError, match="'ORDER' in all items of Order, not 'PRODUCT'"):
        Order.query().where(Order.kind == "PRODUCT").count()


def test_a_base_reads_all_models_each_as_itself(place: Place) -> None:
    """A base's query, scan, get, batch_get and transact_get give instances of each item's own model, in order, with
    cursors."""
    fill()
    found = Shop.query().where(Shop.pk == PARTITION)
    assert names(found) == ["Order", "Order", "Order", "Customer"]
    first, cursor = found.limit(3).get_items()
    assert (names(first), names(found.start_key(str(cursor)).all())) == (["Order"] * 3, ["Customer"])
    assert names(found.filter(Order.total > 5)) == ["Order", "Order"]
    assert sorted(names(Shop.scan())) == ["Customer", "Customer", "Order", "Order", "Order", "Product"]
    key = {"pk": PARTITION, "sk": "PROFILE"}
    assert isinstance(Shop.get(**key), Customer)
    assert isinstance(asyncio.run(Shop.aget(**key)), Customer)
    assert isinstance(Shop.get(Shop.kind, **key), Customer)
    assert names(Shop.batch_get(key, {"pk": PARTITION, "sk": "ORDER#000001"})) == ["Customer", "Order"]
    assert names(dynamix.transact_get(Shop.key_of(**key), Order.key_of(pk=PARTITION, sk="ORDER#000010"))) == [
        "Customer",
        "Order",
    ]
    order = Shop.get(pk=PARTITION, sk="ORDER#000010")
    assert isinstance(order, Order)
    order.change(Order.total.add(1)).save()
    assert Order.get_or_raise(pk=PARTITION, sk="ORDER#000010").total == 11


def test_an_item_of_another_model_is_missing(place: Place) -> None:
    """Where keys do not tell models apart, an item of another one is none to get, exists, batch_get and transact_get,
    however little of it could be read."""
    dynamix.create_table(Plain)
    key = {"pk": "a", "sk": "1"}
    Mark.create(**key, value="x")
    Note.create(pk="a", sk="2", value=2)
    assert Note.get(**key) is None
    assert Note.get(Note.value, **key) is None
    assert not Note.exists(**key)
    assert Mark.exists(**key)
    with pytest.raises(dynamix.ItemNotFoundError):
        Note.get_or_raise(**key)
    assert names(Note.batch_get(key, {"pk": "a", "sk": "2"})) == ["Note"]
    assert dynamix.transact_get(Note.key_of(**key)) == (None,)
    as_three = [Note.key_of(**key), Mark.key_of(**key), Plain.key_of(**key)]
    assert names(dynamix.transact_get(*as_three)) == ["NoneType", "Mark", "Mark"]
    assert names(dynamix.transact_get(*reversed(as_three))) == ["Mark", "Mark", "NoneType"]
    assert [note.value for note in Note.query().where(Note.pk == "a")] == [2]
    assert names(Plain.query().where(Plain.pk == "a")) == ["Mark", "Note"]
    assert names(Plain.query(Plain.sk).where(Plain.pk == "a")) == ["Mark", "Note"]
    assert (Note.scan().count(), Plain.scan().count()) == (1, 2)


WRITES: list[tuple[Callable[..., object], type[dynamix.DynamixError]]] = [
    (lambda key: Note.create(**key), dynamix.ItemExistsError),
    (lambda key: Note.create(overwrite=False, **key), dynamix.ItemExistsError),
    (lambda key: Note(value=1, **key).save(), dynamix.ItemExistsError),
    (lambda key: Note(value=1, **key).save(overwrite=True), dynamix.ItemExistsError),
    (lambda key: Note(**key).add_to_field(Note.value, 1).commit_changes(), dynamix.ItemNotFoundError),
    (lambda key: Note.update_by_key(Note.value.add(1), **key), dynamix.ItemNotFoundError),
    (lambda key: Note.update_by_key(Note.value.add(1), upsert=True, **key), dynamix.ItemNotFoundError),
    (lambda key: Note.delete_by_key(**key), dynamix.ConditionalCheckFailedError),
    (lambda key: Note.delete_by_key(returns="old", **key), dynamix.ConditionalCheckFailedError),
    (lambda key: Note(**key).delete(), dynamix.ConditionalCheckFailedError),
    (lambda key: Note.batch_write([{**key, "value": 1}]), dynamix.InvalidUpdateError),
    (lambda key: Note.batch_delete([key]), dynamix.InvalidUpdateError),
]


def test_no_write_touches_another_models_item(place: Place) -> None:
    """A write of one model onto another's item is refused with an error that names that model; the item stays."""
    dynamix.create_table(Plain)
    key = {"pk": "a", "sk": "1"}
    Mark.create(**key, value="x")
    for attempt, kind in WRITES:
        with pytest.raises(kind, match=r"Mark|another model's item"):
            attempt(key)
    assert Mark.get_or_raise(**key).value == "x"
    Note.batch_write([{"pk": "b", "sk": "1", "value": 1}], unchecked=True)
    assert Note.update_by_key(Note.value.add(1), upsert=True, returns="new", pk="c", sk="1") == Note.get(pk="c", sk="1")


def test_a_key_in_another_models_form_is_not_taken_for_one_of_its_own(place: Place) -> None:
    """Where templates tell models apart, a composed key of another model reaches no item either; nor does a query with
    such a partition or sort key."""
    fill()
    key = {"pk": PARTITION, "sk": "PROFILE"}
    attempts: list[Callable[[], object]] = [
        lambda: Order.delete_by_key(**key),
        lambda: Order.update_by_key(Order.total.set(1), **key),
        lambda: Order.batch_delete([key]),
        lambda: _in_a_batch(key),
        lambda: _in_a_transaction(key),
    ]
    for attempt in attempts:
        with pytest.raises(dynamix.DynamixError, match=r"one of Customer|perhaps another model's"):
            attempt()
    assert Order.get(**key) is None
    assert Customer.get_or_raise(**key).name == "Ann"
    assert Product.query().where(Product.pk == PARTITION).count() == 0
    assert Order.query().where(Order.pk == PARTITION, Order.sk == "PROFILE").count() == 0


def _in_a_batch(key: dict[str, Any]) -> None:
    with dynamix.batch() as b:
        b.delete(Order, **key)


def _in_a_transaction(key: dict[str, Any]) -> None:
    with dynamix.transaction() as tx:
        tx.delete(Order, **key)


def test_transactions_touch_no_other_models_item(place: Place) -> None:
    """Each action of a transaction is refused on another model's item, and the reason names that model."""
    dynamix.create_table(Plain)
    key = {"pk": "a", "sk": "1"}
    Mark.create(**key, value="x")
    acts: list[Callable[[dynamix.Transaction], object]] = [
        lambda tx: tx.put(Note, value=1, **key),
        lambda tx: tx.create(Note, value=1, **key),
        lambda tx: tx.update(Note, Note.value.set(1), **key),
        lambda tx: tx.update(Note, Note.value.set(1), upsert=True, **key),
        lambda tx: tx.delete(Note, **key),
        lambda tx: tx.check(Note, Note.value.not_exists() | Note.value.exists(), **key),
    ]
    for act in acts:
        with (
            pytest.raises(dynamix.TransactionCanceledError, match="of Mark; nothing was stored"),
            dynamix.transaction() as tx,
        ):
            act(tx)
    assert Mark.get_or_raise(**key).value == "x"


def test_an_unknown_discriminator_is_an_error_or_the_base(place: Place) -> None:
    """A base that reads an item of no known model says which table, key and value; with unknown="base" it is an
    instance of the base. Other models pass it by."""
    fill()
    place.call("PutItem", TableName=place.table_name(Shop), Item=UNKNOWN)
    with pytest.raises(dynamix.StoredValueError, match=r"Shop.kind: .*'INVOICE'.* no model: .*'CUSTOMER'") as caught:
        Shop.query().where(Shop.pk == PARTITION).all()
    assert caught.value.table == place.table_name(Shop)
    assert caught.value.key == {"pk": PARTITION, "sk": "X"}
    assert len(Shop.query(on_error="skip").where(Shop.pk == PARTITION).all()) == 4
    with pytest.raises(dynamix.StoredValueError):
        Shop.get(pk=PARTITION, sk="X")
    assert Order.get(pk=PARTITION, sk="X") is None

    class Lenient(dynamix.Model):
        __table_name__ = "shop"
        kind = DiscriminatorField(unknown="base")
        pk = CharField(hash_key=True)
        sk = CharField(range_key=True)

    found = Lenient.get_or_raise(pk=PARTITION, sk="X")
    assert (type(found), found.kind) == (Lenient, "INVOICE")
    with pytest.raises(dynamix.FieldValidationException, match="Lenient is a base"):
        found.save(overwrite=True)


def test_an_item_without_a_discriminator_is_told_by_its_key(place: Place) -> None:
    """What another program stored without one is read by a template that only one model has, and refused elsewhere."""
    fill()
    item = {"pk": {"S": "CUSTOMER#3"}, "sk": {"S": "PROFILE"}, "customer_id": {"S": "3"}}
    place.call("PutItem", TableName=place.table_name(Shop), Item=item)
    assert names(Shop.query().where(Shop.pk == "CUSTOMER#3")) == ["Customer"]
    customer = Customer.query().where(Customer.pk == "CUSTOMER#3").one()
    customer.save(overwrite=True)
    stored = place.stored_item(Customer, pk="CUSTOMER#3", sk="PROFILE")
    assert stored == {**item, "kind": {"S": "CUSTOMER"}}
    dynamix.create_table(Plain)
    place.call("PutItem", TableName=place.table_name(Plain), Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
    with pytest.raises(dynamix.StoredValueError, match="no discriminator"):
        Note.get(pk="a", sk="1")
    with pytest.raises(dynamix.ItemExistsError):
        Note.create(pk="a", sk="1")


def test_a_base_writes_nothing_by_key_or_in_batches(place: Place) -> None:
    """What needs the model of an item is refused on a base before anything is sent; a partition can be deleted."""
    fill()
    key = {"pk": PARTITION, "sk": "PROFILE"}
    for attempt in (
        lambda: Shop.delete_by_key(**key),
        lambda: Shop.update_by_key(Shop.state_key.set("x"), **key),
        lambda: Shop.modify(lambda one: one, **key),
        lambda: Shop.batch_write([Customer(customer_id="3")]),
        lambda: Shop.batch_delete([key]),
    ):
        with pytest.raises(dynamix.InvalidUpdateError, match="Shop is a base"):
            attempt()
    with pytest.raises(dynamix.RequiredFieldError, match="Shop is a base"):
        Shop.create(pk="a", sk="b")
    with pytest.raises(dynamix.FieldValidationException, match="an item of Order has 'ORDER'"):
        Order.create(customer_id="1", number=1, kind="CUSTOMER")
    with pytest.raises(dynamix.FieldValidationException, match="an item of Order has 'ORDER'"):
        Order(customer_id="1", number=1).kind = "CUSTOMER"
    for change in (Order.kind.set, Order.kind.set_if_missing):
        with pytest.raises(dynamix.InvalidUpdateError, match="says of which model"):
            change("ORDER")
    with dynamix.batch() as b:
        b.put(Order(customer_id="2", number=1))
    assert Shop.query().where(Shop.pk == PARTITION).delete() == 4
    assert Shop.scan().count() == 3


def test_hooks_and_expiry_are_those_of_each_model(place: Place) -> None:
    """What a base reads goes through the after_load of each item's own model, and is hidden as that model says."""
    loaded: list[str] = []

    class Base(dynamix.Model):
        __table_name__ = "hooked"
        kind = DiscriminatorField()
        pk = CharField(hash_key=True)
        sk = CharField(range_key=True)

    class Token(Base):
        __discriminator__ = "token"
        expires = dynamix.TTLField(hide_expired=True)

        def after_load(self) -> None:
            loaded.append(self.sk)

    class Grant(Base):
        __discriminator__ = "grant"

    dynamix.create_table(Base)
    Token.create(pk="a", sk="old", expires=1)
    Token.create(pk="a", sk="new", expires=4102444800)
    Grant.create(pk="a", sk="grant")
    assert names(Base.query().where(Base.pk == "a")) == ["Grant", "Token"]
    assert loaded == ["new"]
    assert Base.query().where(Base.pk == "a").count() == 2
    assert Base.get(pk="a", sk="old") is None
    assert Base.get(Base.kind, pk="a", sk="old") is None
    assert [Base.exists(pk="a", sk=sk, consistent=True) for sk in ("old", "new", "grant")] == [False, True, True]
    with dynamix.transaction() as tx:
        tx.check(Base, Base.kind.exists(), pk="a", sk="new")
        tx.check(Base, Base.kind.not_exists(), pk="a", sk="old")
    assert names(Base.batch_get(*({"pk": "a", "sk": sk} for sk in ("old", "new", "grant")))) == ["Token", "Grant"]


def test_records_of_a_stream_are_those_of_the_model() -> None:
    """A base has the records of all models, each with its own instances; a model those of its own items."""

    def record(item: dict[str, Any]) -> dict[str, Any]:
        keys = {name: item[name] for name in ("pk", "sk")}
        return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": keys, "NewImage": item}}

    items = [Customer(customer_id="1").to_item(), Order(customer_id="1", number=1).to_item()]
    event = {"Records": [record(item) for item in items]}
    assert [type(told.new) for told in Shop.from_lambda_event(event)] == [Customer, Order]
    assert [told.key.model for told in Shop.from_lambda_event(event)] == [Customer, Order]
    assert [type(told.new) for told in Order.from_lambda_event(event)] == [Order]
    assert isinstance(Shop.from_item(items[1]), Order)
    with pytest.raises(dynamix.StoredValueError, match="one of Customer, not of Order"):
        Order.from_item(items[0])


def model(base: type = dynamix.Model, **body: Any) -> type[Any]:
    """A model class of these names and values."""
    return type("Sample", (base,), {"__qualname__": "Sample", **body})


BASE: dict[str, Any] = {"pk": CharField(hash_key=True), "sk": CharField(range_key=True)}


def test_definitions_that_cannot_be() -> None:
    """Discriminators without a field, twice, or below another one, keys that are not the base's, and indexes that do
    not tell models apart are refused."""

    class Base(dynamix.Model):
        __secondary_indexes__: ClassVar = {"by_x": {"hash_key": "x"}}
        kind = DiscriminatorField()
        pk = CharField(hash_key=True)
        x = CharField()

    class First(Base):
        __discriminator__ = "a"

    refused: list[tuple[str, Callable[[], Any]]] = [
        ("no base of it has|neither it nor", lambda: model(__discriminator__="a", pk=CharField(hash_key=True))),
        ("give a str", lambda: model(Base, __discriminator__="")),
        ("have the same", lambda: model(Base, __discriminator__="a")),
        ("derives from First", lambda: model(First, __discriminator__="b")),
        ("takes unknown=", lambda: DiscriminatorField(unknown="skip")),  # type: ignore[typeddict-item]
    ]
    for message, attempt in refused:
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            attempt()
    with pytest.raises(dynamix.UnknownNameError):
        DiscriminatorField(default="a")  # type: ignore[call-arg]
    with pytest.raises(dynamix.UnknownNameError, match="__discriminator__"):
        model(__discriminators__="a")
    second = model(Base, __discriminator__="second")
    with pytest.raises(dynamix.ModelDefinitionError, match=r"'by_x' does not hold Base\.kind"):
        second.query()

    class Other(dynamix.Model):
        kind = DiscriminatorField()
        pk = CharField(hash_key=True)

    moved = model(Other, __discriminator__="a", pk=IntegerField(hash_key=True))
    with pytest.raises(dynamix.ModelDefinitionError, match="has to have the attribute"):
        moved.query()
    told = model(Other, __discriminator__="b", pk=KeyField("B#{n}", hash_key=True), n=IntegerField())
    assert told.query() is not None


class Depot(dynamix.Model):
    """A base without indexes of its own."""

    __table_name__ = "depot"

    kind = DiscriminatorField()
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)


class Crate(Depot):
    """A model with an index, an expiry and a unique value."""

    __discriminator__ = "crate"
    __secondary_indexes__: ClassVar = {"by_owner": {"hash_key": "owner", "projections": ["kind", "label"]}}

    owner = CharField()
    label = CharField(unique=True)
    weight = IntegerField(indexed=True, projections=["kind"])
    expires = dynamix.TTLField()


class Pallet(Depot):
    """Another one, which needs more of the same index."""

    __discriminator__ = "pallet"
    __secondary_indexes__: ClassVar = {
        "by_owner": {"hash_key": "owner", "projections": ["kind", "height"]},
        "by_height": {"hash_key": "height", "projections": "ALL"},
    }

    owner = CharField()
    height = IntegerField()


def test_one_table_has_the_indexes_of_all_models(place: Place) -> None:
    """Whichever model create_table is given, the table has all keys, indexes, guards and the expiry; comparing and
    updating take it as a whole, and deleting it is for the base to say."""
    for declared in (Pallet, Crate, Depot):
        dynamix.create_table(declared)
        assert dynamix.compare_table(declared) == dynamix.update_table(declared) == []
    described = place.call("DescribeTable", TableName=place.table_name(Depot))["Table"]
    projections = {index["IndexName"]: index["Projection"] for index in described["GlobalSecondaryIndexes"]}
    assert set(projections) == {"by_owner", "by_height"}
    assert set(projections["by_owner"]["NonKeyAttributes"]) == {"kind", "label", "height"}
    assert len(described["LocalSecondaryIndexes"]) == 1
    told = place.call("DescribeTimeToLive", TableName=place.table_name(Depot))["TimeToLiveDescription"]
    assert told["AttributeName"] == "expires"
    Crate.create(pk="a", sk="1", owner="x", label="one", weight=3)
    Pallet.create(pk="a", sk="2", owner="x", height=5)
    with pytest.raises(dynamix.NotUniqueError):
        Crate.create(pk="a", sk="3", label="one")
    assert [crate.label for crate in Crate.query().where(Crate.owner == "x")] == ["one"]
    assert [pallet.height for pallet in Pallet.query().use_index("by_owner").where(Pallet.owner == "x")] == [5]
    assert names(Depot.query().where(Depot.pk == "a")) == ["Crate", "Pallet"]
    for attempt in (Crate.delete_table, lambda: dynamix.create_table(Pallet, force=True)):
        with pytest.raises(dynamix.InvalidUpdateError, match="Depot"):
            attempt()
    Depot.delete_table()
    with pytest.raises(dynamix.TableNotFoundError):
        dynamix.compare_table(Crate)


def test_models_that_contradict_each_other_make_no_table() -> None:
    """Models of one table that say differently what its indexes or settings are, are refused by name."""

    def refused(message: str, first: dict[str, Any], second: dict[str, Any]) -> None:
        base = model(kind=DiscriminatorField(), **BASE)
        for value, body in (("a", first), ("b", second)):
            model(base, **{"__discriminator__": value, "__qualname__": value, "x": CharField(), **body})
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            dynamix.create_table(base)

    index = {"hash_key": "x", "projections": "ALL"}
    refused(
        "different keys for the index 'by_x': Sample.x and Sample.x, Sample.pk",
        {"__secondary_indexes__": {"by_x": index}},
        {"__secondary_indexes__": {"by_x": {**index, "range_key": "pk"}}},
    )
    refused(
        "say differently of ReadCapacityUnits: 1 and 2",
        {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
    )
    refused(
        "of different types",
        {"__secondary_indexes__": {"by_x": index}},
        {"__secondary_indexes__": {"by_y": {**index, "hash_key": "y"}}, "y": IntegerField(name="x")} | {"x": None},
    )


def test_statements_give_items_of_the_model_alone(place: Place) -> None:
    """A PartiQL statement with a model gives its own items, with a base those of all models; what tells them apart has
    to be selected."""
    fill()
    table = place.table_name(Shop)
    text = f'SELECT * FROM "{table}" WHERE pk = ?'
    assert names(dynamix.partiql(text, [PARTITION], model=Order)) == ["Order"] * 3
    assert names(dynamix.partiql(text, [PARTITION], model=Shop)) == ["Order"] * 3 + ["Customer"]
    with pytest.raises(dynamix.InvalidQueryError, match="does not select 'kind'"):
        dynamix.partiql(f'SELECT pk, sk FROM "{table}" WHERE pk = ?', [PARTITION], model=Shop)


def test_what_a_base_found_is_not_changed_in_the_lump(place: Place) -> None:
    """A query of several models neither changes items nor deletes what has unique values; an item with another key is
    made of one as ever."""
    fill()
    with pytest.raises(dynamix.InvalidUpdateError, match="what a change of them means"):
        Shop.query(pk=PARTITION).update(Shop.state_key.set("x"))
    with pytest.raises(dynamix.InvalidUpdateError, match="items of Crate have unique values"):
        Depot.query(pk="a").delete()
    copied = Order.get_or_raise(customer_id="1", number=10).replace(customer_id="2").save()
    assert copied == Order.get(customer_id="2", number=10)
    assert (copied.pk, copied.kind, copied.total) == ("CUSTOMER#2", "ORDER", 10)


def test_a_class_without_a_value_of_its_own_sees_the_same_items(place: Place) -> None:
    """A class that derives from a model reads and writes that model's items, as its own instances."""

    class Detailed(Order):
        @property
        def label(self) -> str:
            return f"{self.number}: {self.total}"

    fill()
    assert [order.label for order in Detailed.query(customer_id="1")] == ["1: 1", "10: 10", "11: 11"]
    assert Detailed.query(customer_id="1").explain().filter is None
    Detailed.create(customer_id="2", number=5)
    assert type(Order.get(customer_id="2", number=5)) is Order


def test_keys_tell_models_apart_in_an_index_without_the_discriminator(place: Place) -> None:
    """Where an index holds keys alone, templates say of which model an item is: to a base, and to a model's query, scan
    and count; a query that they do not bound is filtered by the table's key."""

    class Base(dynamix.Model):
        __table_name__ = "lean"
        __secondary_indexes__: ClassVar = {"by_day": {"hash_key": "day", "range_key": "label"}}
        kind = DiscriminatorField()
        pk = CharField(hash_key=True)
        sk = CharField(range_key=True)
        day = CharField()
        label = CharField()

    class Task(Base):
        __discriminator__ = "task"
        number = IntegerField()
        pk = KeyField("ALL", hash_key=True)
        sk = KeyField("TASK#{number:03d}", range_key=True)

    class Event(Base):
        __discriminator__ = "event"
        number = IntegerField()
        pk = KeyField("ALL", hash_key=True)
        sk = KeyField("EVENT#{number:03d}", range_key=True)

    dynamix.create_table(Base)
    for number in (1, 2):
        Task.create(number=number, day="mo", label=f"a{number}")
        Event.create(number=number, day="mo", label=f"b{number}")
    assert names(Base.query().use_index("by_day").where(Base.day == "mo")) == ["Task", "Task", "Event", "Event"]
    mine = Task.query().use_index("by_day").where(Task.day == "mo")
    assert mine.explain().filter == "begins_with(Task.sk, 'TASK#')"
    assert [task.sk for task in mine.where(Task.label > "a1")] == ["TASK#002"]
    assert (mine.count(), Task.scan().use_index("by_day").count()) == (2, 2)
    assert [task.number for task in mine.all(requery_for_all_projections=True)] == [1, 2]
