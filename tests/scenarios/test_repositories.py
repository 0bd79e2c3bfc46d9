"""Repositories store instances of classes that are no models: of dataclasses, attrs, msgspec and pydantic."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, NewType
from uuid import UUID

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

import dynamix
from dynamix import (
    CharField,
    ComputedField,
    ConditionalCheckFailedError,
    DateTimeField,
    DecimalField,
    FieldValidationException,
    InvalidUpdateError,
    ItemExistsError,
    ItemNotFoundError,
    KeyField,
    ModelDefinitionError,
    StoredValueError,
    VersionConflict,
    VersionField,
    repository,
)
from places import Place

Number = NewType("Number", int)


class Colour(Enum):
    RED = "red"


@dataclass
class Shop:
    street: str
    floors: list[int | None] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    note: str | None = "none"


@dataclass
class Tree:
    id: str
    inside: list[Tree]


@pydantic.dataclasses.dataclass
class OfBoth:
    id: str
    number: int = pydantic.Field(default=1, ge=0)


@dataclass
class OfDataclass:
    id: str
    number: Number
    price: Decimal
    share: float
    done: bool
    data: bytes
    at: datetime
    day: date
    clock: time
    span: timedelta
    token: UUID
    colour: Colour
    state: Literal["open", "sent"]
    tags: set[str]
    frozen: frozenset[int]
    pair: tuple[str, ...]
    deep: list[tuple[frozenset[int], ...]]
    days: list[date]
    prices: dict[str, Decimal]
    place: Shop
    places: list[Shop]
    anything: Any
    gone: str | None
    level: Literal[1, 2, None] = 2
    count: int = 3
    kept: list[str] | None = field(default_factory=lambda: ["x"])
    known: ClassVar[int] = 0


@attrs.define
class OfAttrs:
    id: str
    number: int
    _hidden: str
    kept: list[str] | None = attrs.field(factory=lambda: ["x"])
    count: int = 3
    tags: set[str] = attrs.field(factory=lambda: {"other"})
    length: int = attrs.field(init=False, default=0)


class OfStruct(msgspec.Struct):
    id: str
    number: int
    hidden: str = msgspec.field(name="h")
    kept: list[str] | None = msgspec.field(default_factory=lambda: ["x"])
    count: int = 3
    tags: set[str] = msgspec.field(default_factory=lambda: {"other"})


class OfPydantic(pydantic.BaseModel):
    id: str
    number: Annotated[int, pydantic.Field(ge=0)]
    hidden: str = pydantic.Field(alias="h")
    kept: list[str] | None = pydantic.Field(default_factory=lambda: ["x"])
    count: int = 3
    tags: set[str] = {"other"}


WHOLE = OfDataclass(
    id="1",
    number=Number(2),
    price=Decimal("1.50"),
    share=0.1,
    done=False,
    data=b"\x00",
    at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    day=date(2026, 3, 1),
    clock=time(1, 2, 3),
    span=timedelta(seconds=5),
    token=UUID(int=1),
    colour=Colour.RED,
    state="sent",
    tags=set(),
    frozen=frozenset({1}),
    pair=("a", "b"),
    deep=[(frozenset({1}),)],
    days=[date(2026, 1, 1)],
    prices={"tea": Decimal("2.5")},
    place=Shop("here", [1, None], {"a"}, None),
    places=[Shop("there")],
    anything={"a": [1, {"b"}]},
    gone=None,
    level=None,
    kept=None,
)
STORED = [
    (OfDataclass, WHOLE),
    (OfBoth, OfBoth("1", 2)),
    (OfAttrs, OfAttrs("1", 2, hidden="h", kept=None, tags=set())),
    (OfStruct, OfStruct("1", 2, "h", kept=None, tags=set())),
    (OfPydantic, OfPydantic(id="1", number=2, h="h", kept=None, tags=set())),
]


@pytest.mark.parametrize(("kind", "instance"), STORED)
def test_an_instance_comes_back_as_it_was(kind: type[Any], instance: Any) -> None:
    """What is stored reads back equal, and of the class: None where a default would show, and empty sets, too."""
    with dynamix.Connection(embedded=True) as connection:
        things = repository(kind, table_name="things", hash_key="id", range_key="number", connection=connection)
        dynamix.create_table(things.model)
        assert things.create(instance) == instance
        assert things.get(id="1", number=2) == instance
        assert things.scan().all() == [instance]
        back = things.put(things.get_or_raise(id="1", number=2))
        assert type(back) is kind
        assert back == instance
        with pytest.raises(dynamix.WrongTypeError, match="this repository stores"):
            things.put(object())


@dataclass(frozen=True)
class Order:
    customer: str
    number: int
    total: Annotated[Decimal, DecimalField(places=2, minimum=0)]
    lines: dict[str, int] = field(default_factory=dict)
    status: Literal["open", "sent"] = "open"
    version: Annotated[int | None, VersionField()] = None
    changed: Annotated[datetime | None, DateTimeField(auto_now=True)] = None


def orders_here() -> dynamix.Repository[Order]:
    """A repository of orders, with its table."""
    orders = repository(
        Order,
        table_name="orders",
        hash_key="customer",
        range_key="number",
        secondary_indexes={
            "by_status": {"hash_key": "status", "projections": ["total"]},
            "by_total": {"hash_key": "status", "range_key": "total", "projections": "ALL"},
        },
    )
    dynamix.create_table(orders.model)
    return orders


def test_the_verbs(place: Place) -> None:
    """They do what those of models do, with instances of the class, also in what errors tell."""
    orders = orders_here()
    first = orders.create(Order("ada", 1, Decimal("12.5"), {"tea": 2}))
    assert (str(first.total), first.status, type(first.version)) == ("12.50", "open", int)
    assert first.changed is not None
    assert orders.get(customer="ada", number=1) == first
    with pytest.raises(ItemExistsError) as exists:
        orders.create(dataclasses.replace(first, version=None))
    assert exists.value.item == first
    second = orders.save(dataclasses.replace(first, lines={"tea": 2, "milk": 1}, total=Decimal(14)), loaded=first)
    assert (second.lines, str(second.total), second.version) == ({"tea": 2, "milk": 1}, "14.00", first.version + 1)
    with pytest.raises(VersionConflict) as conflict:
        orders.save(dataclasses.replace(first, status="sent"), loaded=first)
    assert conflict.value.item == second
    assert orders.update_by_key(orders["total"].add(1), customer="ada", number=1) is None
    third = orders.update_by_key(orders["lines"].set({}), customer="ada", number=1, returns="new")
    assert (third.total, third.lines) == (15, {})
    assert orders.put(second).total == 14
    with pytest.raises(VersionConflict):
        orders.delete(second)
    assert orders.delete_by_key(customer="ada", number=1, returns="old") is not None
    assert not orders.exists(customer="ada", number=1)
    with pytest.raises(ItemNotFoundError):
        orders.get_or_raise(customer="ada", number=1)


def test_queries_and_batches(place: Place) -> None:
    """Queries, scans and batches take and give instances of the class, in order, page by page, whole."""
    orders = orders_here()
    made = orders.batch_write(Order("ada", number, Decimal(number)) for number in range(5))
    assert orders.batch_get({"customer": "ada", "number": 3}, {"customer": "ada", "number": 9}) == [made[3]]
    query = orders.query().where(orders["customer"] == "ada")
    assert query.order(asc=False).limit(2).all() == [made[4], made[3]]
    assert query.filter(orders["total"] > 3).one() == made[4]
    assert [page.items for page in query.pages(3)] == [made[:3], made[3:]]
    assert list(query) == made
    _, cursor = query.limit(2).get_items()
    assert query.start_key(str(cursor)).first() == made[2]
    assert orders.query().where(orders["status"] == "open").use_index("by_total").all() == made
    indexed = orders.query().where(orders["status"] == "open").use_index("by_status")
    assert sorted(indexed.all(requery_for_all_projections=True), key=lambda order: order.number) == made
    with pytest.raises(dynamix.FieldNotLoadedError, match=r"Order\.lines was not loaded"):
        indexed.first()
    with pytest.raises(dynamix.MultipleItemsError) as several:
        query.one()
    assert several.value.items == tuple(made[:2])
    grouped = query.grouped()
    assert (grouped[Order], grouped.first(Order), len(grouped)) == (made, made[0], 5)
    with pytest.raises(dynamix.WrongTypeError, match="items of Order, not of"):
        grouped[Member]
    orders.batch_delete([{"customer": "ada", "number": number} for number in range(4)])
    assert orders.scan().all() == orders.scan(segments=2, rate=10000).all() == [made[4]]
    with pytest.raises(TypeError, match="a scan of a repository, which has a model of its own in each process"):
        pickle.dumps(orders.scan().split(2))
    with dynamix.transaction() as tx:
        tx.create(orders.to_model(Order("bob", 1, Decimal(1))))
    (stored,) = dynamix.transact_get(orders.model.key_of(customer="bob", number=1))
    assert orders.from_model(stored).total == 1


def test_the_twins(place: Place) -> None:
    """They do the same."""
    orders = orders_here()

    async def main() -> list[Order]:
        first = await orders.acreate(Order("ada", 1, Decimal(1)))
        await orders.aput(first)
        found = await orders.aget_or_raise(customer="ada", number=1)
        second = await orders.asave(dataclasses.replace(found, status="sent"), loaded=found)
        third = await orders.aupdate_by_key(orders["total"].add(1), customer="ada", number=1, returns="new")
        assert (third.total, third.status) == (2, second.status)
        return [order async for order in orders.query().where(orders["customer"] == "ada")]

    assert [(order.total, order.status) for order in asyncio.run(main())] == [(2, "sent")]


@dataclass
class Basket:
    id: str
    lines: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    count: int | None = 5


def test_a_save_sends_what_differs(place: Place) -> None:
    """What others wrote elsewhere stays, inside a map too; of one object nothing can differ, nor can the key."""
    baskets = repository(Basket, table_name="baskets", hash_key="id")
    dynamix.create_table(baskets.model)
    before = baskets.create(Basket("1", ["tea"], {"a": 1, "b": 1}))
    after = copy.deepcopy(before)
    baskets.update_by_key(baskets["extra"].set({"a": 1, "b": 2}), baskets["count"].set(6), id="1")
    after.extra["a"] = 9
    after.lines.append("milk")
    assert baskets.save(after, loaded=before).extra["a"] == 9
    assert baskets.get(id="1") == Basket("1", ["tea", "milk"], {"a": 9, "b": 2}, 6)
    other = baskets.create(Basket("3"))
    baskets.update_by_key(baskets["lines"].append("tea"), id="3")
    assert baskets.save(dataclasses.replace(other, lines=["milk"]), loaded=other).lines == ["tea", "milk"]
    with pytest.raises(ConditionalCheckFailedError):
        baskets.save(dataclasses.replace(before, count=7), loaded=before, if_unchanged=True)
    with pytest.raises(InvalidUpdateError, match="one object"):
        baskets.save(after, loaded=after)
    with pytest.raises(InvalidUpdateError, match=r"Basket\.id differs"):
        baskets.save(Basket("2"), loaded=before)
    assert baskets.save(dataclasses.replace(before, count=None), loaded=before).count is None
    assert place.stored_item(baskets.model, id="1")["count"] == {"NULL": True}  # type: ignore[index]
    with pytest.raises(FieldValidationException, match=r"Basket\.id"):
        baskets.create(Basket(""))


@dataclass(frozen=True)
class Member:
    team: str
    number: int
    first: str
    pk: Annotated[str, KeyField("TEAM#{team}")] = ""
    sk: Annotated[str, KeyField("MEMBER#{number:04d}")] = ""
    label: Annotated[str | None, ComputedField(str, lambda first, number: f"{first} {number}", "first", "number")] = (
        None
    )


def test_what_is_computed_is_not_given() -> None:
    """Keys and values that are computed follow from the others, whatever an instance has of them."""
    with dynamix.Connection(embedded=True) as connection:
        members = repository(Member, table_name="members", hash_key="pk", range_key="sk", connection=connection)
        dynamix.create_table(members.model)
        ada = members.create(Member("a", 7, "Ada", label="?"))
        assert (ada.pk, ada.sk, ada.label) == ("TEAM#a", "MEMBER#0007", "Ada 7")
        assert members.get(pk="TEAM#a", sk="MEMBER#0007") == ada
        assert members.save(dataclasses.replace(ada, first="Eve"), loaded=ada).label == "Eve 7"
        with pytest.raises(InvalidUpdateError, match=r"Member\.sk, which is part of the key"):
            members.save(dataclasses.replace(ada, number=8), loaded=ada)


def test_what_other_programs_stored(place: Place) -> None:
    """What is missing shows the class's default; without one, and where the class refuses a value, the error names the
    key, and on_error= goes on without the item."""

    class Rated(pydantic.BaseModel):
        id: str
        stars: int = pydantic.Field(le=5)
        note: str | None = "none"

    ratings = repository(Rated, table_name="ratings", hash_key="id")
    dynamix.create_table(ratings.model)
    for id_, rest in (("a", {"stars": {"N": "5"}}), ("b", {"stars": {"N": "6"}}), ("c", {})):
        place.call("PutItem", TableName=place.table_name(ratings.model), Item={"id": {"S": id_}, **rest})
    good = Rated(id="a", stars=5, note="none")
    assert ratings.get(id="a") == good
    with pytest.raises(StoredValueError, match=r"Rated refuses what is stored: stars: .*item id='b'") as refused:
        ratings.get(id="b")
    assert (refused.value.key, refused.value.field) == ({"id": "b"}, "stars")
    with pytest.raises(StoredValueError, match=r"Rated\.stars has no default"):
        ratings.get(id="c")
    assert ratings.scan(on_error="skip").first() == good
    assert ratings.scan(on_error="skip").limit(3).all() == [good]
    errors: list[StoredValueError] = []
    assert ratings.scan(on_error=errors.append).all() == [good]
    assert len(errors) == 2


def test_what_cannot_be_stored() -> None:
    """It is refused when the repository is made, by the name of the attribute, with what would do."""

    def refusal(kind: type[Any], **options: Any) -> str:
        with pytest.raises(ModelDefinitionError) as refused:
            repository(kind, **{"table_name": "things", "hash_key": "id", **options})
        return str(refused.value)

    def of(annotation: Any, default: Any = dataclasses.MISSING) -> type[Any]:
        extra = () if default is dataclasses.MISSING else (field(default=default),)
        return dataclasses.make_dataclass("Thing", [("id", str), ("value", annotation, *extra)])

    assert "Thing.value: <class 'complex'> is no kind of values" in refusal(of(complex))
    assert "is of several types" in refusal(of(int | str))
    assert "is no kind of values" in refusal(of(dict[int, str]))
    assert "is no kind of values" in refusal(of(tuple[int, str]))
    assert "LiteralField" in refusal(of(Literal["a", 1]))
    assert "a default is the class's own" in refusal(of(Annotated[str, CharField(default="x")]))
    assert "name what is not there" in refusal(of("Nowhere"))
    assert "Thing.value cannot be the hash_key: it can be None" in refusal(of(str | None), hash_key="value")
    assert "cannot be the range_key: it is not stored as" in refusal(of(list[str]), range_key="value")
    assert "no class that can be stored" in refusal(str)
    assert "Tree.inside: Tree holds itself" in refusal(Tree)
    assert "hides a method of Model" in refusal(dataclasses.make_dataclass("Thing", [("id", str), ("query", str)]))
    with pytest.raises(dynamix.UnknownNameError, match="did you mean 'id'"):
        repository(of(str), table_name="things", hash_key="idd")

    class Open(pydantic.BaseModel, extra="allow"):
        id: str

    assert "extra='allow'" in refusal(Open)

    @dataclass
    class Asking:
        id: str
        secret: dataclasses.InitVar[str]

    assert "asks for secret" in refusal(Asking)

    @dataclass
    class Optional:
        id: str
        tags: set[str] | None = None

    things = repository(Optional, table_name="things", hash_key="id")
    with pytest.raises(FieldValidationException, match="an empty set is not stored"):
        things.create(Optional("1", set()))
