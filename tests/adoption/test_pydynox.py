"""pydynox and dynamix on one table, each reading and changing what the other wrote."""

import enum
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pydynox
import pytest
from pydynox import attributes as theirs

import dynamix
from dynamix import (
    BinaryField,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    DictField,
    EnumField,
    FloatField,
    JSONField,
    ListField,
    TTLField,
    VersionField,
)

NOON = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
EAST = NOON.astimezone(timezone(timedelta(hours=2)))
LATER = datetime(2034, 1, 1, tzinfo=UTC)


class State(enum.Enum):
    """Stored by value."""

    ON = "on"
    OFF = "off"


class Their(pydynox.Model):
    """Their model."""

    model_config = pydynox.ModelConfig(table="pydynox-things")
    pk = theirs.StringAttribute(partition_key=True)
    sk = theirs.StringAttribute(sort_key=True)
    n = theirs.NumberAttribute()
    b = theirs.BooleanAttribute()
    bin = theirs.BinaryAttribute()
    l = theirs.ListAttribute()  # noqa: E741 - as it is stored
    m = theirs.MapAttribute()
    j = theirs.JSONAttribute()
    e = theirs.EnumAttribute(State)
    d = theirs.DatetimeAttribute()
    ss = theirs.StringSetAttribute()
    dec = theirs.DecimalAttribute()
    ttl = theirs.TTLAttribute()
    v = theirs.VersionAttribute()


class Thing(dynamix.Model):
    """The same, declared for dynamix."""

    __table_name__ = "pydynox-things"
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    n = FloatField()
    b = BooleanField()
    bin = BinaryField()
    l = ListField()  # noqa: E741 - as it is stored
    m = DictField()
    j = JSONField(stored="text")
    e = EnumField(State)
    d = DateTimeField(stored="pydynox")
    ss = ListField(of=str)
    dec = DecimalField()
    ttl = TTLField()
    v = VersionField()


VALUES: dict[str, Any] = {
    "n": 1.5,
    "b": True,
    "bin": b"\x00\xff",
    "l": ["a", 1, None, [], {"k": [[]]}],
    "m": {"a": 1, "b": {"c": "d"}},
    "j": {"q": [1, None]},
    "e": State.ON,
    "d": EAST,
    "dec": Decimal("12.3"),
    "ttl": LATER,
}


def test_both_on_one_table(engine_http: tuple[str, int]) -> None:
    """What one stores the other reads, as the same values, and changes; versions are heeded by both."""
    client = pydynox.DynamoDBClient(
        region="eu-west-1", access_key="x", secret_key="x", endpoint_url="http://{}:{}".format(*engine_http)
    )
    pydynox.set_default_client(client)
    try:
        with dynamix.Connection(is_local_endpoint=engine_http) as connection, dynamix.use_connection(connection):
            use_both()
    finally:
        pydynox.clear_default_client()


def use_both() -> None:
    """The rule, on a table that dynamix makes."""
    dynamix.create_table(Thing)
    their = Their(pk="p1", sk="s", ss={"a", "b"}, **VALUES)
    their.sync_save()

    thing = Thing.get_or_raise(pk="p1", sk="s")
    assert {name: getattr(thing, name) for name in VALUES} == VALUES
    assert (set(thing.ss), thing.v) == ({"a", "b"}, 1)
    assert thing.d is not None
    assert thing.d.utcoffset() == timedelta(hours=2)
    thing.e, thing.ss, thing.d = State.OFF, ["c"], NOON
    thing.save()
    with pytest.raises(pydynox.exceptions.ConditionalCheckFailedException):  # it has the version of before
        their.sync_save()
    read = Their.sync_get(pk="p1", sk="s")
    assert (read.e, read.ss, read.d, read.v) == (State.OFF, {"c"}, NOON, 2)
    read.n = 2
    read.sync_save()
    thing.n = 3
    with pytest.raises(dynamix.VersionConflict):
        thing.save()

    Thing.create(pk="p2", sk="s", ss=["x"], **VALUES)
    read = Their.sync_get(pk="p2", sk="s")
    assert {name: getattr(read, name) for name in VALUES} == VALUES
    assert read.ss == {"x"}
    read.n = 4
    read.sync_save()
    assert Thing.get_or_raise(pk="p2", sk="s").n == 4
