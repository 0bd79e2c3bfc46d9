"""A TTLField says when an item expires, however that is given, and the table heeds it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import dynamix
from dynamix import CharField, FieldValidationException, Model, ModelDefinitionError, StoredValueError, TTLField
from dynamix.differences import TimeToLiveDiffers
from places import Place


class Session(Model):
    """What lasts for some time."""

    key = CharField(hash_key=True)
    user = CharField()
    expires = TTLField(name="ttl")


class Lasting(Model):
    """An item that expires a day after it was made."""

    key = CharField(hash_key=True)
    text = CharField()
    expires = TTLField(default=timedelta(days=1))
    seen = CharField(default="no")


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
GIVEN: list[Any] = [
    NOON,
    datetime(2030, 1, 1, 12),
    datetime(2030, 1, 1, 14, 0, 0, 999999, tzinfo=timezone(timedelta(hours=2))),
    1893499200,
]


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_a_time_however_it_is_given(place: Place, given: Any) -> None:
    """An instance shows an aware datetime of whole seconds, and whole seconds are stored, by each way of writing."""
    dynamix.create_table(Session)
    made = Session.create(key="k", expires=given)
    assert (made.expires, made.expires and made.expires.tzinfo) == (NOON, UTC)
    assert place.stored_item(Session, key="k") == {"key": {"S": "k"}, "ttl": {"N": "1893499200"}}
    assert Session.get(key="k", consistent=True) == made
    made.expires = None
    made.save()
    for change in (
        lambda: setattr(made, "expires", given),
        lambda: made.set_field(Session.expires, given),
    ):
        change()
        assert made.expires == NOON
        made.save()
        assert Session.get(key="k", consistent=True) == made
    assert Session.scan().where(Session.expires == given, Session.expires <= given).count() == 1
    (batch,) = Session.batch_write([{"key": "b", "expires": given}])
    assert batch.expires == NOON


def test_from_now(place: Place) -> None:
    """A timedelta counts from the moment at which it is given; so does a default, from when the instance is made."""
    dynamix.create_table(Lasting)
    before = datetime.now(UTC).replace(microsecond=0)
    given = Lasting.create(key="k", expires=timedelta(hours=2))
    default = Lasting.create(key="d")
    after = datetime.now(UTC)
    assert given.expires is not None
    assert default.expires is not None
    assert before <= given.expires - timedelta(hours=2) <= after
    assert before <= default.expires - timedelta(days=1) <= after
    assert Lasting.get(key="d", consistent=True) == default


def test_what_never_expires(place: Place) -> None:
    """An item without the attribute, or with NULL, shows None and never a default; a fraction of a second is cut off,
    and kept where nobody touches it."""
    dynamix.create_table(Lasting)
    forms: list[tuple[dict[str, Any], Any]] = [
        ({}, None),
        ({"expires": {"NULL": True}}, None),
        ({"expires": {"N": "1893499200.75"}}, NOON),
    ]
    for stored, shown in forms:
        place.call("PutItem", TableName=place.table_name(Lasting), Item={"key": {"S": "k"}, **stored})
        found = Lasting.get_or_raise(key="k", consistent=True)
        assert found.expires == shown
        found.text = "x"
        found.save(overwrite=True)
        item = place.stored_item(Lasting, key="k")
        assert item is not None
        assert item.get("expires") == stored.get("expires")


def test_what_is_no_expiry(place: Place) -> None:
    """What is no time is refused, naming the field, before anything is sent; what is stored as such is named too."""
    dynamix.create_table(Session)
    made = Session.create(key="k")
    for value in ("soon", True, 1.5, 10**15, -(10**15), timedelta.max):
        with pytest.raises(FieldValidationException, match=r"Session\.expires cannot hold"):
            Session.create(key="k", expires=value)
        with pytest.raises(FieldValidationException, match=r"Session\.expires cannot hold"):
            made.expires = value
    for stored in ({"S": "soon"}, {"N": "1e20"}):
        place.call("PutItem", TableName=place.table_name(Session), Item={"key": {"S": "k"}, "ttl": stored})
        with pytest.raises(StoredValueError, match=r"Session\.expires"):
            Session.get(key="k", consistent=True)


def ttl(place: Place, model: type[Model]) -> dict[str, Any]:
    described: dict[str, Any] = place.call("DescribeTimeToLive", TableName=place.table_name(model))
    return described["TimeToLiveDescription"]  # type: ignore[no-any-return]


def test_create_table_enables_it(place: Place) -> None:
    """The table that is made heeds the field's stored name; one of a model without such a field heeds none."""
    dynamix.create_table(Session)
    assert ttl(place, Session) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert dynamix.compare_table(Session) == []
    dynamix.create_table(Session)
    dynamix.create_table(Session, force=True)
    assert ttl(place, Session)["TimeToLiveStatus"] == "ENABLED"


def table_of(place: Place, model: type[Model], attribute: str | None) -> None:
    """Makes the model's table as another program does."""
    name = place.table_name(model)
    place.call(
        "CreateTable",
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
    )
    if attribute:
        specification = {"AttributeName": attribute, "Enabled": True}
        place.call("UpdateTimeToLive", TableName=name, TimeToLiveSpecification=specification)


def test_a_table_that_does_not_heed_it(place: Place) -> None:
    """`create_table` leaves it alone and warns, `compare_table` tells, and `update_table` enables it."""
    table_of(place, Session, None)
    with pytest.warns(UserWarning, match="its time to live is off, the model's by 'ttl'"):
        dynamix.create_table(Session)
    assert ttl(place, Session)["TimeToLiveStatus"] == "DISABLED"
    assert dynamix.compare_table(Session) == [TimeToLiveDiffers(None, "ttl")]
    assert dynamix.update_table(Session) == [TimeToLiveDiffers(None, "ttl")]
    assert ttl(place, Session) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert dynamix.update_table(Session) == []


def test_a_table_that_heeds_another_attribute(place: Place) -> None:
    """That is told, and nothing is changed."""
    table_of(place, Session, "until")
    assert dynamix.compare_table(Session) == [TimeToLiveDiffers("until", "ttl")]
    with pytest.raises(dynamix.TableDiffersError, match="its time to live is by 'until'"):
        dynamix.update_table(Session)
    assert ttl(place, Session)["AttributeName"] == "until"


def test_what_a_model_may_say_of_its_expiry() -> None:
    """It has one such field, which is no key of the table."""

    class Two(Model):
        key = CharField(hash_key=True)
        a = TTLField()
        b = TTLField()

    with pytest.raises(ModelDefinitionError, match=r"Two\.a and Two\.b both say"):
        Two(key="k")
    with pytest.raises(ModelDefinitionError, match="cannot be part of the key"):
        TTLField(range_key=True)  # type: ignore[call-overload]
