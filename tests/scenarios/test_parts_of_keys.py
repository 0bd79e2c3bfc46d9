"""Keys made by templates, given by their parts: to whatever takes a key, and in the conditions of queries."""

import asyncio
import datetime
from typing import Any, ClassVar

import pytest
from shop import Customer, Order, Product, Shop, fill

import dynamix
from dynamix import CharField, DateTimeField, DecimalField, IntegerField, KeyField
from dynamix.query import Query
from places import Place

PARTS: dict[str, Any] = {"customer_id": "1", "number": 10}
COMPOSED = {"pk": "CUSTOMER#1", "sk": "ORDER#000010"}


def test_whatever_takes_a_key_takes_its_parts(place: Place) -> None:
    """Parts and the composed key reach the same item; a sort key without parts need not be given at all."""
    fill()
    order = Order.get_or_raise(**COMPOSED)
    assert order == Order.get(**PARTS) == Order.get_or_raise(**PARTS) == asyncio.run(Order.aget(**PARTS))
    assert Order.key_of(**PARTS) == Order.key_of(**COMPOSED) == COMPOSED
    assert Order.batch_get(PARTS, COMPOSED) == [order]
    assert dynamix.transact_get(Order.key_of(**PARTS)) == (order,)
    assert Order.exists(**PARTS)
    assert Customer.get(customer_id="1") == Customer.get(pk="CUSTOMER#1") == Customer.get(pk="CUSTOMER#1", sk="PROFILE")
    Order.update_by_key(Order.total.add(1), **PARTS)
    Order.modify(lambda one: one.add_to_field(Order.total, 1), **PARTS)
    with dynamix.transaction() as tx:
        tx.check(Order, Order.total == 12, **PARTS)
        tx.update(Order, Order.total.add(1), customer_id="1", number=11)
        tx.delete(Order, customer_id="1", number=1)
    assert order.refresh().total == 12
    assert [one.total for one in Order.query(customer_id="1")] == [12, 12]
    new = Order.update_by_key(Order.total.set(7), upsert=True, returns="new", customer_id="2", number=1)
    assert new == Order.get(customer_id="2", number=1)
    assert (new.customer_id, new.number, new.kind) == ("2", 1, "ORDER")
    assert Order.get_or_create({"total": 3}, customer_id="2", number=2)[0].sk == "ORDER#000002"
    with dynamix.batch() as b:
        b.delete(Order, customer_id="2", number=2)
    Order.delete_by_key(**PARTS)
    Order.batch_delete([{"customer_id": "2", "number": 1}])
    assert [one.number for one in Order.scan()] == [11]


def test_an_upsert_makes_no_item_whose_key_its_parts_do_not_make(place: Place) -> None:
    """A new item's parts are given as its key; a composed key that they do not make, and parts that are set beside it,
    are refused before anything is sent."""
    dynamix.create_table(Visit)
    key = {"pk": "SITE#a", "sk": "PAGE#1#USER#u"}
    with pytest.raises(dynamix.FieldValidationException, match=r"Visit\.pk cannot hold 'SITE#a'"):
        Visit.update_by_key(Visit.at.set(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)), upsert=True, **key)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"site make Visit\.pk, which is part of the key"):
        Visit.update_by_key(Visit.site.set("a"), upsert=True, **key)


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ({"customer_id": "1"}, dynamix.MissingKeyError, r"made of Order\.number"),
        ({}, dynamix.MissingKeyError, r"made of Order\.customer_id"),
        ({"customer_id": None, "number": 1}, dynamix.MissingKeyError, "customer_id"),
        ({"customer_id": "1", "number": "10"}, dynamix.WrongTypeError, r"Order\.number cannot hold '10'"),
        ({"customer_id": "1", "number": -1}, dynamix.FieldValidationException, "'06d'"),
        ({"customer_id": "1#2", "number": 1}, dynamix.FieldValidationException, "separator"),
        ({"customer_id": "1", "number": 1, "total": 1}, dynamix.UnknownNameError, "total is not part of the key"),
        ({**COMPOSED, "number": 10}, dynamix.UnknownNameError, "number is not part of the key"),
        ({"customer_id": "1", "nummer": 10}, dynamix.UnknownNameError, "did you mean 'number'"),
    ],
)
def test_parts_that_make_no_key(key: dict[str, Any], kind: type[Exception], words: str) -> None:
    """A part that is missing, wrong or none is named, before anything is sent."""
    for take in (Order.get, Order.key_of, Order.delete_by_key):
        with pytest.raises(kind, match=words):
            take(**key)


def shown(query: Query[Any]) -> tuple[str | None, str | None, str | None]:
    """What a query asks for."""
    told = query.explain()
    return told.index, told.key_condition, told.filter


def test_parts_known_from_the_left_choose_by_key(place: Place) -> None:
    """Equal parts make the partition and the beginning of the sort key, up to its separator; then a range of the next
    part; what the key does not say stays a filter."""
    fill()
    mine = Order.query(customer_id="1")
    pk = "Order.pk = 'CUSTOMER#1'"
    assert shown(mine) == (None, f"{pk} AND begins_with(Order.sk, 'ORDER#')", None)
    assert shown(mine.where(Order.number == 1)) == (None, f"{pk} AND Order.sk = 'ORDER#000001'", None)
    assert shown(mine.where(Order.number <= 10))[2] is None
    assert shown(mine.where(Order.total > 1))[2] == "Order.total > 1"
    numbers = [
        (Order.number == 1, [1]),
        (Order.number >= 10, [10, 11]),
        (Order.number > 10, [11]),
        (Order.number <= 10, [1, 10]),
        (Order.number < 10, [1]),
        (Order.number.between(2, 10), [10]),
        (Order.number >= -1, [1, 10, 11]),
        (Order.number > 11, []),
        (Order.number.is_in([1, 11]), [1, 11]),
    ]
    for condition, expected in numbers:
        assert [order.number for order in mine.where(condition)] == expected, condition
    assert [order.number for order in mine.where(Order.number > 1, Order.number < 11)] == [10]
    assert Customer.query(customer_id="1").one().name == "Ann"
    by_state = Order.query(state="open")
    assert shown(by_state)[0] == "by_state"
    assert sorted(order.sk for order in by_state.where(Order.day == datetime.date(2026, 11, 1))) == [
        "ORDER#000001",
        "ORDER#000011",
    ]
    assert by_state.where(Order.day > datetime.date(2026, 11, 1)).count() == 0
    assert by_state.where(Order.day >= datetime.date(2026, 11, 1)).count() == 2


class Visit(dynamix.Model):
    """Keys of parts that have separators, words, no format and a coarse one; without a discriminator."""

    __secondary_indexes__: ClassVar = {
        "by_hour": {"hash_key": "site", "range_key": "hour", "projections": "ALL"},
        "by_price": {"hash_key": "site", "range_key": "priced", "projections": "ALL"},
    }

    site = CharField(required=True)
    page = CharField(required=True)
    user = CharField(required=True)
    at = DateTimeField(required=True, utc=True)
    price = DecimalField(required=True, places=2)
    pk = KeyField("SITE#{site}", hash_key=True)
    sk = KeyField("PAGE#{page}#USER#{user}", range_key=True)
    hour = KeyField("{at:%Y%m%dT%H}")
    priced = KeyField("{price:08.2f}#{user}")


def test_texts_of_parts_find_neither_more_nor_less(place: Place) -> None:
    """ORDER#1 does not find ORDER#10; a coarse format keeps its filter; a last part without a format has ranges."""
    dynamix.create_table(Visit)
    start = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)
    for number, page in enumerate(["1", "10", "1!", "1"]):
        at = start + datetime.timedelta(minutes=20 * number)
        Visit.create(site="a", page=page, user=f"u{number}", at=at, price=number)
    site = Visit.query(site="a")
    assert [visit.user for visit in site.where(Visit.page == "1")] == ["u0", "u3"]
    assert [visit.user for visit in site.where(Visit.page == "1", Visit.user > "u0")] == ["u3"]
    assert [visit.user for visit in site.where(Visit.page == "1", Visit.user < "u3")] == ["u0"]
    assert site.where(Visit.page == "1", Visit.user >= "u3").count() == 1
    assert {visit.user for visit in site.where(Visit.page > "1")} == {"u1", "u2"}
    hours = Visit.query().use_index("by_hour").where(Visit.site == "a")
    for minutes in (0, 20, 30, 60):
        moment = start + datetime.timedelta(minutes=minutes)
        later = [n for n in range(4) if 20 * n > minutes]
        assert sorted(int(visit.user[1:]) for visit in hours.where(Visit.at > moment)) == later
        assert hours.where(Visit.at <= moment).count() == 4 - len(later)
        assert hours.where(Visit.at < moment).count() == sum(20 * n < minutes for n in range(4))
        assert hours.where(Visit.at == moment).count() == (minutes % 20 == 0)
    prices = Visit.query().use_index("by_price").where(Visit.site == "a")
    for low in range(4):
        assert [int(visit.price) for visit in prices.where(Visit.price > low)] == list(range(low + 1, 4))
        assert [int(visit.price) for visit in prices.where(Visit.price < low)] == list(range(low))
        assert [int(visit.price) for visit in prices.where(Visit.price <= low)] == list(range(low + 1))
    assert shown(prices.where(Visit.price < 2))[2] is None


class Reading(dynamix.Model):
    """Keys that many values of a part have in common: a coarse format, and a function."""

    __secondary_indexes__: ClassVar = {"by_level": {"hash_key": "level", "range_key": "half", "projections": "ALL"}}

    at = DateTimeField(required=True, utc=True)
    value = IntegerField(required=True)
    day = KeyField("DAY#{at:%Y-%m-%d}", hash_key=True)
    time = KeyField("{at:%Y%m%dT%H%M}", range_key=True)
    level = dynamix.ComputedField(int, lambda value: value // 10, "value")
    half = dynamix.ComputedField(int, lambda value: value // 5, "value")


def test_a_key_that_many_values_have_filters_besides(place: Place) -> None:
    """Where other values of a part make the same key, the condition on the part stays a filter."""
    dynamix.create_table(Reading)
    start = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)
    for number in range(3):
        Reading.create(at=start + datetime.timedelta(minutes=number, seconds=number), value=number)
    assert [one.value for one in Reading.query(at=start + datetime.timedelta(seconds=61))] == [1]
    assert Reading.query(at=start + datetime.timedelta(seconds=60)).count() == 0
    assert [one.value for one in Reading.query().use_index("by_level").where(Reading.value == 2)] == [2]
    assert Reading.get(at=start + datetime.timedelta(seconds=59)).value == 0


def test_parts_that_several_models_share(place: Place) -> None:
    """A base's query takes parts of which all its models make the same partition key, and no others."""
    fill()

    class Base(dynamix.Model):
        __table_name__ = "shop"
        kind = dynamix.DiscriminatorField()
        pk = CharField(hash_key=True)
        sk = CharField(range_key=True)

    class Head(Base):
        __discriminator__ = "CUSTOMER"
        customer_id = CharField()
        pk = KeyField("CUSTOMER#{customer_id}", hash_key=True)
        sk = KeyField("PROFILE", range_key=True)

    class Line(Base):
        __discriminator__ = "ORDER"
        customer_id = CharField()
        number = IntegerField()
        pk = KeyField("CUSTOMER#{customer_id}", hash_key=True)
        sk = KeyField("ORDER#{number:06d}", range_key=True)

    assert [type(one) for one in Base.query(customer_id="1")] == [Line, Line, Line, Head]
    with pytest.raises(dynamix.InvalidQueryError, match="no partition key that all of Customer, Order, Product"):
        Shop.query(customer_id="1")
    assert [type(one) for one in Shop.query(pk="PRODUCT#tea")] == [Product]


class Chunk(dynamix.Model):
    """A sort key made of bytes, which stand there as base64."""

    pk = KeyField("FILE#{file}", hash_key=True)
    sk = KeyField("CHUNK#{digest}", range_key=True)
    file = CharField()
    digest = dynamix.BinaryField()


def test_a_range_of_bytes_is_left_to_the_filter(place: Place) -> None:
    """Base64 does not sort as its bytes do, so a range of these finds all that are in it."""
    dynamix.create_table(Chunk)
    digests = [bytes([number]) for number in range(0, 256, 40)]
    Chunk.batch_write([{"file": "f", "digest": digest} for digest in digests])
    found = Chunk.query(file="f").where(Chunk.digest.between(digests[1], digests[-2]))
    assert sorted(one.digest for one in found) == digests[1:-1]
    assert Chunk.query(file="f").where(Chunk.digest == digests[2]).explain().filter is None
