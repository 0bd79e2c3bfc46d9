"""Fields that are computed from others, and keys made of others: in step with their parts, or refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import ComputedField, KeyField
from places import Place


class Order(dynamix.Model):
    """An order of a user, in a table of several kinds of items."""

    __secondary_indexes__: ClassVar = {
        "by_state": {"hash_key": "state_key", "range_key": "rank", "projections": "ALL"},
        "names": {"hash_key": "state_key", "projections": ["first"]},
    }

    pk = KeyField("USER#{user_id}", hash_key=True)
    sk = KeyField("ORDER#{number:06d}#{day:%Y-%m-%d}", range_key=True)
    user_id = dynamix.CharField(required=True)
    number = dynamix.IntegerField()
    day = dynamix.DateField()
    state = dynamix.CharField(default="open")
    state_key = KeyField("STATE#{state}")
    total = dynamix.DecimalField(places=2)
    rank = KeyField("{state}#{total:010.2f}")
    first = dynamix.CharField()
    last = dynamix.CharField()
    name = ComputedField(str, lambda first, last: f"{first} {last}", "first", "last")
    year = ComputedField(int, lambda day: day.year, "day")


DAY = date(2026, 3, 1)
VALUES: dict[str, Any] = {
    "user_id": "u1", "number": 7, "day": DAY, "total": Decimal("12.50"), "first": "Ada", "last": "Byron"
}  # fmt: skip
KEY = {"pk": "USER#u1", "sk": "ORDER#000007#2026-03-01"}


@pytest.fixture
def order(place: Place) -> Order:
    """An order that is stored and loaded."""
    dynamix.create_table(Order)
    Order.create(**VALUES)
    found = Order.get(**KEY)
    assert found is not None
    return found


def test_a_new_item_has_what_its_parts_make(place: Place, order: Order) -> None:
    """Keys and computed fields are made of their parts, and stored, read and found like others."""
    item = place.stored_item(Order, **KEY) or {}
    assert item["state_key"] == {"S": "STATE#open"}
    assert (item["rank"], item["name"], item["year"]) == ({"S": "open#0000012.50"}, {"S": "Ada Byron"}, {"N": "2026"})
    assert Order(**VALUES) == order
    for condition in (Order.name == "Ada Byron", Order.name.begins_with("Ada"), Order.year > 2025):
        assert list(Order.scan().where(condition)) == [order]
    query = Order.query().use_index("by_state").where(Order.state_key == "STATE#open", Order.rank.begins_with("open#"))
    assert list(query) == [order]
    new = Order(user_id="u1", number=8)
    new.day, new.first = DAY, "Eve"
    assert (new.pk, new.sk, new.year, new.name) == ("USER#u1", "ORDER#000008#2026-03-01", 2026, None)
    new.save()
    Order.batch_write([{**VALUES, "number": 9}, order])
    assert [one.number for one in Order.query().where(Order.pk == "USER#u1")] == [7, 8, 9]


def test_what_is_computed_follows_its_parts(place: Place, order: Order) -> None:
    """Whoever sets a part sets what is computed from it in the same update, by whatever way."""
    order.state = "paid"
    assert (order.state_key, order.rank) == ("STATE#paid", "paid#0000012.50")
    order.commit_changes()
    order.set_field(Order.last, "Lovelace").save()
    order.change(Order.first.set("A."), Order.last.remove()).commit_changes()
    assert (order.name, Order.get(**KEY)) == (None, order)
    with dynamix.transaction() as tx:
        order.first, order.last = "Ada", "King"
        tx.save(order)
    assert (place.stored_item(Order, **KEY) or {})["name"] == {"S": "Ada King"}
    Order.update_by_key(Order.first.set("B"), Order.last.set("C"), **KEY)
    Order.update_by_key(Order.state.set("sent"), Order.total.set(Decimal(1)), **KEY)
    order.refresh()
    assert (order.name, order.state_key, order.rank) == ("B C", "STATE#sent", "sent#0000001.00")
    handle = Order(**KEY)
    handle.change(Order.first.set("D"), Order.last.set("E")).commit_changes()
    assert handle.name == "D E"
    order.refresh()
    order.state = "lost"
    order.discard_changes()
    assert (order.state, order.state_key) == ("sent", "STATE#sent")


def test_others_do_not_bring_it_out_of_step(order: Order) -> None:
    """An update that is computed from a part which others changed meanwhile is a conflict that names the part."""
    other = Order.get(**KEY)
    assert other is not None
    other.first = "Eve"
    other.commit_changes()
    order.last = "King"
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        order.commit_changes()
    assert caught.value.changed == ("Order.first",)
    with pytest.raises(dynamix.TransactionCanceledError), dynamix.transaction() as tx:
        tx.save(order)
    order.refresh(discard=True)
    order.last = "King"
    order.save()
    assert order.name == "Eve King"


class Member(dynamix.Model):
    """Somebody with a unique address, and a name that is computed."""

    number = dynamix.IntegerField(hash_key=True)
    email = dynamix.CharField(unique=True)
    first = dynamix.CharField()
    last = dynamix.CharField()
    name = ComputedField(str, lambda first, last: f"{first} {last}", "first", "last")


def test_nor_do_they_beside_a_unique_value(place: Place) -> None:
    """A commit of a unique value, which is a transaction, looks at the other parts as well."""
    dynamix.create_table(Member)
    mine = Member.create(number=1, email="a@example.org", first="Ada", last="Byron")
    Member.get_or_raise(number=1).set_field(Member.last, "King").save()
    mine.first, mine.email = "Eve", "e@example.org"
    for attempt in (mine.save, mine.commit_changes):
        with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
            attempt()
        assert caught.value.changed == ("Member.last",)
    mine.refresh(discard=True)
    mine.first, mine.email = "Eve", "e@example.org"
    assert mine.save() == Member.get(number=1)
    assert mine.name == "Eve King"


def test_what_cannot_be_computed_is_refused(order: Order) -> None:
    """A part that is not loaded, a value of which nothing is known, and keys of stored items are refused, unsent."""
    (partial,) = Order.query().use_index("names").where(Order.state_key == "STATE#open")
    for attempt, message in (
        (lambda: setattr(partial, "first", "x"), "Order.name .*last was not loaded"),
        (lambda: setattr(Order(**KEY), "first", "x"), "Order.name .*last was not loaded"),
        (lambda: order.add_to_field(Order.total, Decimal(1)), "Order.rank is computed from Order.total"),
        (lambda: order.change(Order.total.add(Decimal(1))), "Order.rank is computed from Order.total"),
        (lambda: order.change(Order.first.set(Order.last)), "Order.name is computed from Order.first"),
        (lambda: Order.update_by_key(Order.total.add(Decimal(1)), **KEY), "Order.rank is computed"),
        (lambda: Order.update_by_key(Order.first.set("x"), **KEY), "Order.name .*last is not set by this update"),
        (lambda: Order.update_by_key(Order.name.set("x"), **KEY), "Order.name is computed from first, last"),
        (lambda: setattr(order, "name", "x"), "set these instead"),
        (lambda: order.change(Order.year.set(1)), "set these instead"),
        (lambda: setattr(order, "user_id", "u2"), "Order.pk, which is part of the key"),
    ):
        with pytest.raises(dynamix.InvalidUpdateError, match=message):
            attempt()
    assert order == Order.get(**KEY)
    order.save()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"user_id": "u#1"}, "'#' would be taken for a separator"),
        ({"user_id": ""}, "user_id is empty"),
        ({"number": 1_000_000}, "does not fit into the format '06d'"),
        ({"number": -1}, "negative"),
        ({"state": "o#"}, "separator"),
        ({"total": Decimal(10**9)}, "does not fit"),
    ],
)
def test_what_no_template_can_hold_is_refused(values: dict[str, Any], reason: str) -> None:
    """A separator inside a part, and a number that its format would cut, are refused, given or set."""
    with pytest.raises(dynamix.FieldValidationException, match=reason):
        Order(**{**VALUES, **values})
    ((name, value),) = values.items()
    order = Order(**VALUES)
    with pytest.raises(dynamix.FieldValidationException, match=reason):
        setattr(order, name, value)
    assert order == Order(**VALUES)


def test_a_copy_with_other_values_is_in_step(order: Order) -> None:
    """replace() with another part of the key is a new item; with another part of the rest, the same item changed."""
    other = order.replace(number=8, last="King")
    assert (other.sk, other.name) == ("ORDER#000008#2026-03-01", "Ada King")
    other.save()
    changed = order.replace(last="King")
    assert (changed.name, changed.save().sk) == ("Ada King", KEY["sk"])
    assert [one.name for one in Order.query().where(Order.pk == "USER#u1")] == ["Ada King", "Ada King"]


def test_a_value_out_of_step_is_not_stored_whole() -> None:
    """What was given for a computed field, or stored by another program, has to be what the parts make."""
    for given, reason in (
        ({**VALUES, "pk": "USER#u2"}, r"Order\.pk .*its parts make 'USER#u1'"),
        ({**VALUES, "name": "x"}, r"Order\.name .*its parts make 'Ada Byron'"),
        ({**VALUES, "first": None, "name": "x"}, r"Order\.name .*first has no value"),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=reason):
            Order(**given).validate()


def _model(**fields: Any) -> Callable[[], object]:
    """The use of a model with these fields."""

    def use() -> object:
        kind = type("Made", (dynamix.Model,), {"__module__": __name__, "count": dynamix.IntegerField(), **fields})
        return kind(count=1).validate()

    return use


KEYED = {"key": dynamix.CharField(hash_key=True)}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: KeyField(""),
        _model(**KEYED, sort=KeyField("N#count", range_key=True)),
        lambda: KeyField("{a}{b}"),
        lambda: KeyField("{a.b}"),
        lambda: KeyField("{a!r}"),
        lambda: KeyField("{a"),
        lambda: KeyField("{a}", default="x"),  # type: ignore[call-overload]
        lambda: ComputedField(str, "x", "first"),  # type: ignore[call-overload]
        lambda: ComputedField(str, str),
        _model(key=KeyField("{other}", hash_key=True)),
        _model(**KEYED, sort=KeyField("{count}", range_key=True)),
        _model(**KEYED, text=KeyField("{count:5d}")),
        _model(**KEYED, day=dynamix.DateField(), text=KeyField("{day:%d.%m.%Y}")),
        _model(**KEYED, day=dynamix.DateField(), text=KeyField("{day:08d}")),
        _model(**KEYED, day=dynamix.DateTimeField(), text=KeyField("{day:%Q}")),
        _model(**KEYED, at=dynamix.TimeField(), text=KeyField("{at:%Y}")),
        _model(**KEYED, at=dynamix.TTLField(), text=KeyField("{at:010d}")),
        _model(**KEYED, ratio=dynamix.FloatField(), text=KeyField("{ratio:08}")),
        _model(**KEYED, price=dynamix.DecimalField(), text=KeyField("{price:08d}")),
        _model(**KEYED, name=dynamix.CharField(), text=KeyField("{name:08}")),
        _model(**KEYED, text=KeyField("{count:%Y}")),
        _model(**KEYED, items=dynamix.ListField(), text=ComputedField(int, len, "items")),
        _model(**KEYED, at=dynamix.DateTimeField(auto_now=True), year=ComputedField(int, lambda at: at.year, "at")),
    ],
)
def test_definitions_that_cannot_be(attempt: Callable[[], object]) -> None:
    """A template that cannot be taken apart, formats that do not sort or are for other values, and parts that are none
    are refused."""
    with pytest.raises(dynamix.ModelDefinitionError):
        attempt()


class Reading(dynamix.Model):
    """A key computed from values that may be given otherwise than they are read."""

    key = ComputedField(str, lambda at, price: f"{at.hour}:{price}", "at", "price", hash_key=True)
    at = dynamix.DateTimeField()
    price = dynamix.DecimalField()
    name = ComputedField(dynamix.CharField(transform=str.lower), lambda price: f"PRICE {price}", "price")


def test_what_is_computed_is_that_of_what_is_read(place: Place) -> None:
    """A time of another zone and a Decimal with zeros at its end make the key that they make once they are read."""
    dynamix.create_table(Reading)
    given: dict[str, Any] = {"at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5))), "price": Decimal("1.50")}
    made = Reading.create(**given)
    found = Reading.get_or_raise(**given)
    assert found == made == Reading.get(at=found.at, price=found.price)
    assert (made.key, made.name, found.name) == ("19:1.5", "price 1.5", "price 1.5")
    found.save(overwrite=True)
    Reading.batch_write([found])
    assert Reading.scan().count() == 1


class Slot(dynamix.Model):
    """A key of values in formats, between braces."""

    key = KeyField("{{{name}}}", hash_key=True)
    sort = KeyField("{day:%Y%m%d}-{clock:%H%M}-{rank:02d}", range_key=True)
    name = dynamix.CharField()
    day = dynamix.DateField()
    clock = dynamix.TimeField()
    rank = dynamix.EnumField(IntEnum("Rank", {"LOW": 1, "HIGH": 10}))


def test_formats_of_all_kinds_sort(place: Place) -> None:
    """Years before 1000, times of day and members of an IntEnum sort in a key; a brace written twice stands for one."""
    dynamix.create_table(Slot)
    first, *others = [
        Slot(name="a", day=day, clock=clock, rank=rank)
        for day in (date(999, 12, 31), date(2026, 1, 1))
        for clock in (time(9), time(10, 5, 7))
        for rank in Slot.rank.kind
    ]
    assert (first.key, first.sort) == ("{a}", "09991231-0900-01")
    Slot.batch_write([*reversed(others), first])
    assert list(Slot.query(name="a")) == [first, *others]
    assert list(Slot.query(name="a").where(Slot.day < date(1000, 1, 1))) == [first, *others[:3]]


def test_a_function_that_fails_names_the_field() -> None:
    """What the function of a computed field raises comes with the field's name, and a time goes into a key in UTC."""

    class Odd(dynamix.Model):
        """Parts of several classes."""

        key = KeyField("{at:%Y%m%dT%H}-{flag}", hash_key=True)
        at = dynamix.DateTimeField()
        flag = dynamix.CharField()
        ratio = ComputedField(float, lambda count: 1 / count, "count")
        count = dynamix.IntegerField()

    assert Odd(at=datetime(2026, 1, 1, 5, tzinfo=UTC), flag="x", count=2).key == "20260101T05-x"
    with pytest.raises(dynamix.FieldValidationException, match=r"Odd\.ratio cannot be computed from 0: ZeroDivision"):
        Odd(count=0)
