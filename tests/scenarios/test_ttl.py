"""A TTLField says when an item expires, however that is given, and the table heeds it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import dynamix
from dynamix import (
    CharField,
    ConditionalCheckFailedError,
    FieldValidationException,
    IntegerField,
    Model,
    ModelDefinitionError,
    StoredValueError,
    TransactionCanceledError,
    TTLField,
)
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


class Counted(Model):
    """A counter that begins anew when it has expired."""

    key = CharField(hash_key=True)
    count = IntegerField()
    note = CharField()
    expires = TTLField(hide_expired=True)


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


def test_one_that_was_loaded_is_stored_and_compared(place: Place) -> None:
    """A loaded instance is stored whole, also in a batch, and its expiry taken as a condition, as it is stored."""
    dynamix.create_table(Session)
    Session.create(key="k", user="a", expires=NOON)

    def loaded() -> Session:
        return Session.get_or_raise(key="k")

    assert loaded().to_item() == place.stored_item(Session, key="k")
    Session.batch_write([loaded().save(overwrite=True), Session(key="b")])
    changed = loaded().set_field(Session.expires, NOON + timedelta(days=1)).save(if_unchanged=True)
    changed.set_modify_conditions(Session.expires.unchanged())
    loaded().set_field(Session.expires, None).save()
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        changed.set_field(Session.user, "b").commit_changes()
    assert place.stored_item(Session, key="k") == {"key": {"S": "k"}, "user": {"S": "a"}}


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


class Unheeding(Model):
    """The table of the next one, but nobody removes what has expired."""

    __table_name__ = "hiding"
    __secondary_indexes__ = {"by_user": {"hash_key": "user", "projections": ["expires"]}}  # noqa: RUF012

    key = CharField(hash_key=True)
    number = IntegerField(range_key=True)
    user = CharField()
    title = CharField(indexed=True, projections="ALL")
    expires: Any = IntegerField(name="ttl")


class Hiding(Unheeding):
    """What is gone as soon as it has expired."""

    expires: Any = TTLField(name="ttl", hide_expired=True)


PAST = timedelta(hours=-1)
LATER = timedelta(hours=1)


def items() -> dict[str, Hiding]:
    """An item that has expired and is there still, one that will, and one that never does."""
    dynamix.create_table(Unheeding)
    kept = Hiding.batch_write(
        [
            {"key": "k", "number": 1, "user": "u", "title": "old", "expires": PAST},
            {"key": "k", "number": 2, "user": "u", "title": "new", "expires": LATER},
            {"key": "k", "number": 3, "user": "u", "title": "lasting"},
        ]
    )
    return dict(zip(("old", "new", "lasting"), kept, strict=True))


def old() -> dict[str, Any]:
    return {"key": "k", "number": 1}


def numbers(found: Iterable[Hiding]) -> list[int]:
    return sorted(item.number for item in found)


def test_what_has_expired_is_not_read(place: Place) -> None:
    """By no way of reading, of the table or an index, blocking or in asyncio, while the item is stored still."""
    items()
    assert place.stored_item(Hiding, **old()) is not None
    whole = Hiding.query().where(Hiding.key == "k")
    by_user = Hiding.query().where(Hiding.user == "u").use_index("by_user")
    by_title = whole.use_index(Hiding.title)
    assert Hiding.get(**old()) is None
    assert Hiding.get(Hiding.user, **old()) is None
    part = Hiding.get(Hiding.user, key="k", number=2)
    assert part is not None
    assert part.user == "u"
    assert [Hiding.exists(key="k", number=n, consistent=True) for n in (1, 2, 3, 4)] == [False, True, True, False]
    with pytest.raises(dynamix.ItemNotFoundError):
        Hiding.get_or_raise(**old())
    assert numbers(Hiding.batch_get(*[{"key": "k", "number": n} for n in (1, 2, 3)])) == [2, 3]
    for search in (whole, by_user, by_title, Hiding.scan(), Hiding.scan(Hiding.user), whole.limit(3)):
        assert numbers(search.get_items()[0]) == numbers(search) == [2, 3]
        assert search.count() == 2
    assert numbers(by_user.get_items(requery_for_all_projections=True)[0]) == [2, 3]
    assert Hiding.query().where(Hiding.key == "k", Hiding.number == 1).first() is None

    async def read() -> None:
        assert await Hiding.aget(**old()) is None
        assert not await Hiding.aexists(**old())
        assert numbers(await Hiding.abatch_get(old(), {"key": "k", "number": 2})) == [2]
        assert [item.number async for item in whole] == [2, 3]
        assert await Hiding.scan().acount() == 2

    asyncio.run(read())


@pytest.mark.usefixtures("place")
def test_conditions_take_what_has_expired_for_absent() -> None:
    """A condition is met by it if it is met by no item, in checks, deletes and puts, alone and in transactions."""
    items()

    def check(condition: dynamix.Condition, number: int) -> None:
        with dynamix.transaction() as tx:
            tx.check(Hiding, condition, key="k", number=number)

    def delete(condition: dynamix.Condition, number: int) -> None:
        with dynamix.transaction() as tx:
            tx.delete(Hiding, condition=condition, key="k", number=number)

    refused = (dynamix.ConditionalCheckFailedError, TransactionCanceledError)
    for condition in (Hiding.title.exists(), Hiding.user == "u", ~(Hiding.user != "u"), ~Hiding.title.not_exists()):
        check(condition, 2)
        for write in (
            check,
            delete,
            lambda condition, number: Hiding.delete_by_key(condition=condition, key="k", number=number),
            lambda condition, number: Hiding.create(condition=condition, key="k", number=number),
        ):
            with pytest.raises(refused, match="as there is no such item"):
                write(condition, 1)
    for condition in (Hiding.title.not_exists(), Hiding.user != "u", ~(Hiding.user == "u")):
        check(condition, 1)
        with pytest.raises(refused):
            check(condition, 2)
    Hiding.create(**old(), condition=Hiding.title.not_exists() & (Hiding.user != "u"))
    assert Hiding.exists(**old())


@pytest.mark.usefixtures("place")
def test_what_has_expired_makes_room() -> None:
    """Whoever creates takes its place; what has not expired is left alone."""
    found = items()
    assert Hiding.create(**old(), overwrite=False).title is None
    with pytest.raises(dynamix.ItemExistsError):
        Hiding.create(**old(), overwrite=False)
    for number in (2, 3):
        with pytest.raises(dynamix.ItemExistsError):
            Hiding(key="k", number=number).save()
        with pytest.raises(dynamix.ItemExistsError):
            Hiding.create(key="k", number=number, overwrite=False, condition=Hiding.title.exists())
    Hiding.batch_write([found["old"]])
    assert Hiding(**old(), title="saved").save().title == "saved"
    Hiding.batch_write([found["old"]])
    made, created = Hiding.get_or_create({"title": "got"}, **old())
    assert (made.title, created) == ("got", True)


def test_an_upsert_begins_what_has_expired_anew(place: Place) -> None:
    """It does not go on with the values of an item that is not there any more; in a transaction it is refused."""
    dynamix.create_table(Counted)
    Counted.create(key="a", count=5, note="old", expires=datetime.now(UTC) - timedelta(days=1))
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with (
        pytest.raises(TransactionCanceledError, match="has expired and is not removed yet"),
        dynamix.transaction() as tx,
    ):
        tx.update(Counted, Counted.count.add(1), key="a", upsert=True)
    actions = (Counted.count.add(1), Counted.expires.set(later))
    begun = Counted.update_by_key(*actions, key="a", upsert=True, returns="new")
    assert begun == Counted.get(key="a", consistent=True) == Counted(key="a", count=1, expires=later)
    gone_on = Counted.update_by_key(Counted.count.add(1), key="a", upsert=True, returns="new")
    assert gone_on is not None
    assert gone_on.count == 2
    with pytest.raises(ConditionalCheckFailedError):
        Counted.update_by_key(Counted.count.add(1), key="b", upsert=True, condition=Counted.note == "old")


@pytest.mark.usefixtures("place")
def test_what_has_expired_cannot_be_changed() -> None:
    """A change of it is one of an item that does not exist, and does not bring it back; a delete is none."""
    found = items()
    changes: list[Callable[[], object]] = [
        lambda: found["old"].set_field(Hiding.title, "x").save(),
        lambda: found["old"].commit_changes(condition=Hiding.title == "old"),
        lambda: Hiding(**old()).set_field(Hiding.expires, LATER).commit_changes(),
        lambda: found["old"].refresh(discard=True),
        lambda: Hiding.update_by_key(Hiding.title.set("x"), **old()),
        lambda: Hiding.modify(lambda item: item.set_field(Hiding.title, "x"), **old()),
    ]
    for change in changes:
        with pytest.raises(dynamix.ItemNotFoundError):
            change()
    with pytest.raises(dynamix.TransactionCanceledError, match="number=1 does not exist"), dynamix.transaction() as tx:
        tx.update(Hiding, Hiding.title.set("x"), **old())
    found["new"].set_field(Hiding.title, "x").save()
    found["lasting"].set_field(Hiding.title, "y").save()
    assert Hiding.delete_by_key(**old(), returns="old") is None
    found["old"].delete()


def test_what_is_no_time_expires_never(place: Place) -> None:
    """A NULL is no time, so the item is there; an instance shows what it was given though it has expired since."""
    items()
    stored = {"key": {"S": "k"}, "number": {"N": "1"}, "ttl": {"NULL": True}}
    place.call("PutItem", TableName=place.table_name(Hiding), Item=stored)
    found = Hiding.get_or_raise(**old(), consistent=True)
    assert Hiding.scan().count() == 3
    found.set_field(Hiding.expires, PAST).save()
    assert found.expires is not None
    assert Hiding.scan().count() == 2


def test_an_index_that_cannot_hide() -> None:
    """An index that lacks the field, or that has it as a key, is refused at definition."""

    class Lacking(Model):
        key = CharField(hash_key=True)
        number = IntegerField(range_key=True)
        title = CharField(indexed=True)
        expires = TTLField(hide_expired=True)

    class Keyed(Model):
        key = CharField(hash_key=True)
        number = IntegerField(range_key=True)
        expires = TTLField(hide_expired=True, indexed=True)

    with pytest.raises(ModelDefinitionError, match="the index 'Lacking_ix_title' does not hold it"):
        Lacking(key="k")
    with pytest.raises(ModelDefinitionError, match="cannot be one of the index 'Keyed_ix_expires'"):
        Keyed(key="k")
