"""dyntastic and dynamix on one table, each reading and changing what the other wrote."""

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import dyntastic
import pytest
from pydantic import BaseModel, Field

import dynamix
from dynamix import (
    BinaryField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    EnumField,
    IntegerField,
    ListField,
    ModelField,
    SetField,
    TimeDeltaField,
    TimeField,
    UUIDField,
)

NOON = dt.datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2024, 3, 2, tzinfo=dt.UTC)
EAST = NOON.astimezone(dt.timezone(dt.timedelta(hours=2)))


class Color(enum.Enum):
    """Stored by value."""

    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """A model inside theirs."""

    a: int
    when: Annotated[dt.datetime, DateTimeField(stored="pydantic")]
    price: Decimal


class Their(dyntastic.Dyntastic):
    """Their model."""

    __table_name__ = "dyntastic-things"
    __hash_key__ = "id"
    __range_key__ = "at"
    id: uuid.UUID
    at: dt.datetime
    name: str | None = None
    price: Decimal | None = None
    n: int | None = None
    color: Color | None = None
    inner: Inner | None = None
    inners: list[Inner] = Field(default_factory=list)
    flags: set[str] | None = None
    nums: set[int] | None = None
    blob: bytes | None = None
    d: dt.date | None = None
    t: dt.time | None = None
    td: dt.timedelta | None = None
    loc: dt.datetime | None = None
    naive: dt.datetime | None = None


class Thing(dynamix.Model):
    """The same, declared for dynamix."""

    __table_name__ = "dyntastic-things"
    __secondary_indexes__: ClassVar = {"by_name": {"hash_key": "name", "range_key": "at", "projections": "ALL"}}
    id = UUIDField(hash_key=True)
    at = DateTimeField(range_key=True, stored="pydantic", unsorted=True)
    name = CharField()
    price = DecimalField()
    n = IntegerField()
    color = EnumField(Color)
    inner = ModelField(Inner)
    inners = ListField(of=Inner, default=[])
    flags = SetField(of=str)
    nums = SetField(of=int)
    blob = BinaryField()
    d = DateField()
    t = TimeField(stored="iso")
    td = TimeDeltaField(stored="iso")
    loc = DateTimeField(stored="pydantic")
    naive = DateTimeField(stored="pydantic")


@pytest.fixture
def address(engine_http: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """Where both look for the table."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("DYNTASTIC_REGION", "eu-west-1")
    monkeypatch.setenv("DYNTASTIC_HOST", "http://{}:{}".format(*engine_http))
    return engine_http


def test_both_on_one_table(address: tuple[str, int]) -> None:
    """What one stores the other reads, as the same values, and changes."""
    Their.create_table(dyntastic.Index("name", "at", index_name="by_name"))
    with dynamix.Connection(is_local_endpoint=address) as connection, dynamix.use_connection(connection):
        assert [type(found) for found in dynamix.compare_table(Thing)] == [dynamix.BillingDiffers]
        inner = Inner(a=1, when=MIDNIGHT, price=Decimal("0.1"))
        values: dict[str, Any] = {
            "name": "ann",
            "price": Decimal("12.3"),
            "n": 3,
            "color": Color.RED,
            "flags": {"p", "q"},
            "nums": {1, 2},
            "blob": b"abc",
            "d": dt.date(2024, 2, 29),
            "t": dt.time(12, 30),
            "td": dt.timedelta(days=1, seconds=5),
            "loc": EAST,
        }
        naive = dt.datetime(2024, 1, 1)
        one, two = uuid.UUID(int=1), uuid.UUID(int=2)
        Their(id=one, at=NOON, inner=inner, inners=[inner], naive=naive, **values).save()

        thing = Thing.get_or_raise(id=one, at=NOON)
        assert {name: getattr(thing, name) for name in values} == values
        assert (thing.loc, thing.naive) == (EAST, naive.replace(tzinfo=dt.UTC))
        assert thing.loc is not None
        assert thing.loc.utcoffset() == dt.timedelta(hours=2)
        assert (thing.inner, thing.inners) == (inner, [inner])
        before = thing.to_item()
        thing.save(overwrite=True)
        assert Thing.get_or_raise(id=one, at=NOON).to_item() == before
        thing.inner.a = 2
        thing.color, thing.d = Color.BLUE, dt.date(2025, 1, 1)
        thing.save()
        their = Their.get(one, NOON)
        assert (their.inner, their.color, their.d) == (inner.model_copy(update={"a": 2}), Color.BLUE, thing.d)
        assert their.naive == naive

        Thing.create(id=two, at=MIDNIGHT, inner=inner, **values)
        their = Their.get(two, MIDNIGHT)
        assert their.inner == inner
        assert {name: getattr(their, name) for name in values} == values
        their.save()
        found = connection.request("Scan", {"TableName": "dyntastic-things"})["Items"]
        made = {item["id"]["S"]: {name: item[name] for name in values} for item in found}
        del before["color"], before["d"]
        for name in before.keys() & values.keys():
            assert made[str(two)][name] == made[str(one)][name] == before[name]
        assert [str(thing.id) for thing in Thing.query().where(Thing.name == "ann")] == [str(one), str(two)]
