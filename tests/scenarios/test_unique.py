"""Unique values: no two items of a table have one, whatever writes them, and a value that is given up is free."""

import asyncio
import copy
import itertools
import pickle
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from bank import transact

import dynamix
from dynamix import (
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
    InvalidUpdateError,
    ItemExistsError,
    ItemNotFoundError,
    ListField,
    Model,
    NotUniqueError,
    TransactionCanceledError,
    VersionConflict,
    VersionField,
)
from dynamix.fields import Field
from dynamix.wire import AttributeValue
from places import Place


class User(Model):
    """What has a unique address, and a number that is unique within its tenant."""

    __unique__ = (("tenant", "number"),)

    name = CharField(hash_key=True)
    email = CharField(unique=True)
    tenant = CharField()
    number = IntegerField()
    note = CharField()


class Versioned(Model):
    """The same with a version and hooks."""

    name = CharField(hash_key=True)
    email = CharField(unique=True)
    title = CharField()
    version = VersionField()
    calls = loads = 0

    def before_save(self) -> None:
        type(self).calls += 1
        self.email = self.email and self.email.lower()

    def after_load(self) -> None:
        type(self).loads += 1


@pytest.fixture
def engine() -> Iterator[Place]:
    """The embedded engine, for what does not differ from place to place."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(User)
        dynamix.create_table(Versioned)
        yield Place("engine", "", connection)


def guards(place: Place, model: type[Model] = User) -> dict[str, str]:
    """The guards of a model: the name of each one's owner by what it guards."""
    items = place.call("Scan", TableName=place.table_name(model) + "_unique", ConsistentRead=True)["Items"]
    return {item["guard"]["S"]: item["owner"]["M"]["name"]["S"] for item in items}


def create_numbered(number: int, tx: dynamix.Transaction) -> User:
    """One of many."""
    return tx.create(User, name=f"u{number}", email=str(number))


def refused(write: Callable[[], object], owner: str = "a") -> NotUniqueError:
    """The error of a write that would give an item what another one has."""
    with pytest.raises(NotUniqueError) as caught:
        write()
    assert caught.value.owner == {"name": owner}
    assert caught.value.applied == "no"
    return caught.value


def test_the_writes_of_one_item(place: Place) -> None:
    """Each keeps the guards as the item is: creating, saving, changing without loading, replacing, deleting."""
    dynamix.create_table(User)
    first = User.create(name="a", email="x", tenant="t", number=1)
    error = refused(lambda: User.create(name="b", email="x"))
    assert (error.field, error.value, error.item) == ("email", "x", None)
    assert str(error) == (
        "User with name='b' cannot have User.email='x', which is unique and taken by User with name='a'; "
        "nothing was stored"
    )
    error = refused(lambda: User(name="b", tenant="t", number=1).save())
    assert (error.field, error.value) == ("number, tenant", (1, "t"))
    second = User.create(name="b", email="y", tenant="u", number=1)
    assert guards(place) == {
        '["email","S","x"]': "a",
        '["email","S","y"]': "b",
        '["number","N","1","tenant","S","t"]': "a",
        '["number","N","1","tenant","S","u"]': "b",
    }
    second.email = "x"
    refused(second.commit_changes)
    refused(second.save)
    assert second.email == "x"
    second.email, second.note = "z", "n"
    second.save()
    refused(lambda: User.update_by_key(User.tenant.set("t"), name="b"))
    User.update_by_key(User.email.remove(), User.number.add(1), name="b")
    assert set(guards(place)) == {
        '["email","S","x"]',
        '["number","N","1","tenant","S","t"]',
        '["number","N","2","tenant","S","u"]',
    }
    refused(lambda: User.create(name="b", email="x"))
    User.create(name="b", email="w")
    assert guards(place) == {
        '["email","S","x"]': "a",
        '["email","S","w"]': "b",
        '["number","N","1","tenant","S","t"]': "a",
    }
    first.delete()
    assert guards(place) == {'["email","S","w"]': "b"}
    User.delete_by_key(name="b")
    User.delete_by_key(name="b")
    assert guards(place) == {}
    first.save()
    assert set(guards(place).values()) == {"a"}


def test_all_that_a_query_finds(place: Place) -> None:
    """What a scan deletes or changes frees and takes values as single writes do."""
    dynamix.create_table(User)
    for name in "abc":
        User.create(name=name, email=f"{name}@x", note="old" if name < "c" else "new")
    assert User.scan().filter(User.note == "old").delete() == 2
    assert [value for value in guards(place).values() if value] == ["c"]
    User.create(name="b", email="a@x")
    with pytest.raises(dynamix.PartlyAppliedError, match="0 matching items"):
        User.scan().filter(User.name == "b").update(User.email.set("c@x"))
    assert User.scan().filter(User.name == "b").update(User.email.set("b@x")) == 1
    assert sorted(guards(place).values()) == ["b", "c"]


def test_transactions_swap_and_hand_over(place: Place) -> None:
    """Within one, items give to each other what they have, and who deletes makes room for who creates."""
    dynamix.create_table(User)
    first, second = User.create(name="a", email="x"), User.create(name="b", email="y")
    first.email, second.email = second.email, first.email
    with dynamix.transaction() as tx:
        tx.save(first)
        tx.save(second)
    assert guards(place) == {'["email","S","x"]': "b", '["email","S","y"]': "a"}
    with dynamix.transaction() as tx:
        tx.create(User, name="c", email="x")
        tx.delete(User, name="b")
        tx.update(User, User.email.set("z"), name="a")
        tx.put(User, name="d", email="y")
        tx.check(User, User.note.not_exists(), name="e")
        tx.check(User, User.email == "y", name="a")
    assert guards(place) == {'["email","S","x"]': "c", '["email","S","y"]': "d", '["email","S","z"]': "a"}
    with pytest.raises(TransactionCanceledError, match=r"create: User with name='f' cannot have User\.email='z'") as it:
        transact(lambda tx: tx.create(User, name="e", email="e"), lambda tx: tx.create(User, name="f", email="z"))
    assert [reason.code for reason in it.value.reasons] == [None, "ConditionalCheckFailed"]
    error = it.value.reasons[1].error
    assert isinstance(error, NotUniqueError)
    assert (error.field, error.value, error.owner) == ("email", "z", {"name": "a"})
    assert set(guards(place).values()) == {"a", "c", "d"}


def test_what_others_changed_meanwhile(place: Place) -> None:
    """A write that was planned for other values is planned anew for those that are stored, by verbs and in blocks."""
    dynamix.create_table(User)
    User.create(name="a", email="x")
    mine, yours = User.get_or_raise(name="a", consistent=True), User.get_or_raise(name="a", consistent=True)
    mine.email = "y"
    mine.save()
    yours.email = "z"
    yours.save()
    assert guards(place) == {'["email","S","z"]': "a"}
    mine.email = "w"
    with dynamix.transaction() as tx:
        tx.save(mine)
    assert guards(place) == {'["email","S","w"]': "a"}
    with pytest.raises(dynamix.ItemTooLargeError, match="User with name='a' would have more than the 409600 bytes"):
        User.update_by_key(User.email.set("y"), User.note.set("n" * 409_590), name="a")
    yours.delete()
    assert guards(place) == {}
    assert User.get(name="a", consistent=True) is None


def test_asyncio(engine: Place) -> None:
    """The twins keep the guards as well."""

    async def main() -> None:
        first = await User.acreate(name="a", email="x")
        with pytest.raises(NotUniqueError):
            await User.acreate(name="b", email="x")
        first.email = "y"
        await first.asave()
        first.email = "z"
        await first.acommit_changes()
        await User.aupdate_by_key(User.email.set("w"), name="a")
        async with dynamix.transaction() as tx:
            tx.update(User, User.email.set("v"), name="a")
            tx.update(User, User.email.set("u"), upsert=True, name="b")
        assert guards(engine) == {'["email","S","v"]': "a", '["email","S","u"]': "b"}
        await first.adelete()
        await User.adelete_by_key(name="b")
        assert guards(engine) == {}

    asyncio.run(main())


def test_what_writes_return(engine: Place) -> None:
    """The instance as it is after a change, or as it was before; a committed one shows what is stored."""
    User.create(name="a", email="x", number=1, note="n")
    new = User.update_by_key(User.email.set("y"), User.number.add(1), returns="new", name="a")
    assert (new.email, new.number, new.note) == ("y", 2, "n")
    old = User.update_by_key(User.email.set("z"), User.number.add(1), returns="old", name="a")
    assert old is not None
    assert (old.email, old.number, old.note) == ("y", 2, "n")
    mine = User.get_or_raise(name="a")
    User.update_by_key(User.note.set("m"), User.number.set(User.number + 2), name="a")
    mine.email = "w"
    mine.add_to_field(User.number, 5)
    assert mine.save() is mine
    assert (mine.email, mine.number, mine.note) == ("w", 10, "m")
    deleted = User.delete_by_key(returns="old", name="a")
    assert deleted == mine
    assert User.delete_by_key(returns="old", name="a") is None
    made = User.update_by_key(User.email.set("v"), upsert=True, returns="old", name="b")
    assert made is None
    assert guards(engine) == {'["email","S","v"]': "b"}


def test_conditions_and_errors_are_those_of_other_writes(engine: Place) -> None:
    """What is not met, exists or is gone is told as without unique values, and then nothing was stored."""
    first = User.create(name="a", email="x", number=1)
    with pytest.raises(ItemExistsError, match="exists already") as exists:
        User.create(name="a", email="y", overwrite=False)
    assert exists.value.item == first
    unmet = "does not meet the condition User.number = 2; nothing was stored"
    for write in (
        lambda: User.create(name="a", email="y", condition=User.number == 2),
        lambda: User.update_by_key(User.email.set("y"), condition=User.number == 2, name="a"),
        lambda: User.delete_by_key(condition=User.number == 2, name="a"),
        lambda: first.delete(condition=User.number == 2),
    ):
        with pytest.raises(dynamix.ConditionalCheckFailedError, match=unmet) as caught:
            write()
        assert caught.value.item == first
        assert type(caught.value) is dynamix.ConditionalCheckFailedError
    with pytest.raises(ItemNotFoundError):
        User.update_by_key(User.email.set("y"), name="b")
    found, made = User.get_or_create({"email": "q"}, name="a")
    assert (found, made) == (first, False)
    refused(lambda: User.get_or_create({"email": "x"}, name="b"))
    assert guards(engine) == {'["email","S","x"]': "a"}
    stale = copy.deepcopy(first)
    User.update_by_key(User.email.set("y"), name="a")
    stale.email = "z"
    with pytest.raises(
        dynamix.ConditionalCheckFailedError, match=r"changed by others since it was loaded: User\.email"
    ):
        stale.save(if_unchanged=True)
    changed = User.modify(lambda user: setattr(user, "email", "m"), name="a")
    assert (changed.email, guards(engine)) == ("m", {'["email","S","m"]': "a"})


def test_versions_and_hooks(engine: Place) -> None:
    """A version is checked and raised, `before_save` is called once, and what it makes of a value is guarded."""
    first = Versioned.create(name="a", email="X")
    stale = Versioned.get_or_raise(name="a")
    first.email = "Y"
    first.save()
    assert (first.email, first.version) == ("y", (stale.version or 0) + 1)
    stale.email = "z"
    for write in (stale.save, stale.commit_changes, stale.delete):
        with pytest.raises(VersionConflict):
            write()
    assert guards(engine, Versioned) == {'["email","S","y"]': "a"}
    Versioned.calls = 0
    with pytest.raises(ItemExistsError):
        Versioned.create(name="a", email="q")
    refused(lambda: Versioned.create(name="b", email="Y"))
    Versioned.loads = 0
    Versioned.update_by_key(Versioned.email.set("w"), name="a", returns="new")
    assert (Versioned.calls, Versioned.loads) == (2, 1)
    first.refresh().delete()
    assert guards(engine, Versioned) == {}


def test_partly_loaded_instances(engine: Place) -> None:
    """What an instance was not loaded with, or was made of a key alone, is read before its guards change."""
    User.create(name="a", email="x", tenant="t", number=1)
    partly = User.get(User.note, name="a")
    assert partly is not None
    partly.number = 2
    partly.save()
    assert set(guards(engine)) == {'["email","S","x"]', '["number","N","2","tenant","S","t"]'}
    bare = User(name="a")
    bare.email = "y"
    bare.commit_changes()
    assert set(guards(engine)) == {'["email","S","y"]', '["number","N","2","tenant","S","t"]'}
    User(name="a").delete()
    assert guards(engine) == {}


def test_what_is_sent(engine: Place) -> None:
    """A read where nobody loaded what is given up, one transaction, and a read of what is shown; what concerns no
    unique value is sent as it is without them."""
    asked: list[str] = []
    connection = dynamix.Connection(embedded=True, on_request=lambda request: asked.append(request.operation))

    def sent(write: Callable[[], object], *refusals: type[Exception]) -> str:
        asked.clear()
        if refusals:
            with pytest.raises(refusals):
                write()
        else:
            write()
        return " ".join(asked)

    with connection, dynamix.use_connection(connection):
        dynamix.create_table(User)
        first = User(name="a", email="x", number=1)
        transact, transact_and_read = "TransactWriteItems", "TransactWriteItems GetItem"
        assert sent(first.save) == transact
        assert sent(lambda: User.create(name="a", email="x")) == f"{transact} {transact}"
        assert sent(lambda: User.create(name="a", email="y", overwrite=False), ItemExistsError) == transact
        assert sent(lambda: User.create(name="b", email="x"), NotUniqueError) == transact
        first = User.get_or_raise(name="a")
        first.note = "n"
        assert sent(first.save) == "UpdateItem"
        assert sent(first.save) == ""
        first.email = "y"
        assert sent(first.save) == transact_and_read
        first.email = "z"
        assert sent(first.commit_changes) == transact_and_read
        first.add_to_field(User.number, 1)
        unmet = dynamix.ConditionalCheckFailedError
        assert sent(lambda: first.save(condition=User.note == "m"), unmet) == transact
        assert sent(lambda: first.delete(condition=User.note == "m"), unmet) == transact
        assert sent(lambda: User.update_by_key(User.note.set("m"), name="a")) == "UpdateItem"
        assert sent(lambda: User.update_by_key(User.email.set("w"), name="a")) == f"GetItem {transact}"
        assert sent(lambda: User.update_by_key(User.email.set("v"), returns="new", name="a")) == (
            f"GetItem {transact_and_read}"
        )
        first.refresh(discard=True)
        assert sent(first.delete) == transact
        assert sent(lambda: User.delete_by_key(name="a")) == f"GetItem {transact}"


def test_what_no_guard_can_follow_is_refused(engine: Place) -> None:
    """Batches, values that only the service knows, two items with one value, and too many actions: before anything is
    sent."""
    user = User(name="a", email="x")
    refusals: list[Callable[[], object]] = [
        lambda: User.batch_write([user]),
        lambda: User.batch_delete([user]),
        lambda: User.batch_delete(keys=[{"name": "a"}]),
    ]
    for write in refusals:
        with pytest.raises(InvalidUpdateError, match=r"cannot keep User\.email unique; store each by create\(\)"):
            write()
    for way in (lambda b: b.put(user), lambda b: b.delete(User, name="a")):
        with pytest.raises(InvalidUpdateError, match=r"cannot keep User\.email unique"), dynamix.batch() as batch:
            way(batch)
    with pytest.raises(InvalidUpdateError, match=r"User\.email is unique, and a new value that only the service knows"):
        User.update_by_key(User.email.set(User.note), name="a")
    with pytest.raises(InvalidUpdateError, match=r"name='a' and User with name='b' would both have User\.email='x'"):
        transact(lambda tx: tx.create(user), lambda tx: tx.create(User, name="b", email="x"))
    with pytest.raises(
        InvalidUpdateError, match="this one has 102, 51 of them guards of unique values; User with name="
    ):
        transact(*(partial(create_numbered, number) for number in range(51)))
    with pytest.raises(InvalidUpdateError, match="under a token of your own nothing is"):
        transact(lambda tx: tx.delete(User, name="a"), token="mine")
    User.create(name="t", email="t")
    with pytest.raises(dynamix.TransactionCanceledError, match="name='t' is stored otherwise than this was planned"):
        transact(lambda tx: tx.put(User, name="t", email="other"), token=uuid.uuid4().hex)
    User.delete_by_key(name="t")
    with pytest.raises(dynamix.FieldValidationException, match=r"User\.email cannot be kept unique with 'x+") as it:
        User.create(name="a", email="x" * 2033)
    assert (it.value.field, it.value.value) == ("email", "x" * 2033)
    assert guards(engine) == {}
    assert User.scan().count() == 0
    User.create(name="a", email="x" * 2032)


def test_a_change_that_the_service_refuses(engine: Place) -> None:
    """Is told as it is without unique values."""
    item = {"name": {"S": "a"}, "email": {"S": "x"}, "number": {"S": "none"}}
    engine.call("PutItem", TableName=engine.table_name(User), Item=item)
    with pytest.raises(
        dynamix.InvalidRequestError, match=r"User with name='a' was refused \(ValidationError\)"
    ) as caught:
        User.update_by_key(User.number.add(1), name="a")
    assert caught.value.applied == "no"


def test_errors_travel(engine: Place) -> None:
    """A NotUniqueError can be copied and pickled with what it says."""
    User.create(name="a", email="x")
    error = refused(lambda: User.create(name="b", email="x"))
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (twin.field, twin.value, twin.owner, str(twin)) == ("email", "x", {"name": "a"}, str(error))
    assert error.owner is not None
    assert User.get(**error.owner) == User.get(name="a")
    assert isinstance(error, dynamix.ConditionalCheckFailedError)


class Mixed(Model):
    """Values that may be spelled in several ways."""

    name = CharField(hash_key=True)
    size = FloatField(unique=True)
    at = DateTimeField(unique=True)
    title = CharField(unique=True)


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "same", "other"),
    [
        ("size", 1.5, Decimal("1.5"), 1.25),
        ("at", NOON, NOON.astimezone(timezone(timedelta(hours=2))), NOON + timedelta(microseconds=1)),
        ("at", NOON, NOON.replace(tzinfo=None), NOON - timedelta(hours=1)),
        ("title", '","', '","', '"'),
    ],
    ids=str,
)
def test_what_counts_as_the_same_value(engine: Place, field: str, value: Any, same: Any, other: Any) -> None:
    """What reads as equal: numbers by value, times by the instant, texts to the letter."""
    dynamix.create_table(Mixed)
    Mixed.create(name="a", **{field: value})
    assert refused(lambda: Mixed.create(name="b", **{field: same})).field == field
    Mixed.create(name="b", **{field: other})


def test_values_as_another_program_spelled_them(engine: Place) -> None:
    """The guard of a value is found however it is spelled, and the value may be another program's own kind."""
    dynamix.create_table(Mixed)
    table, owner = engine.table_name(Mixed), {"M": {"name": {"S": "a"}}}
    item = {"name": {"S": "a"}, "size": {"N": "1.50"}, "at": {"S": "2030-01-01T14:00+02:00"}, "title": {"N": "1"}}
    engine.call("PutItem", TableName=table, Item=item)
    guard = {"guard": {"S": '["at","S","2030-01-01T12:00:00+00:00"]'}, "owner": owner}
    engine.call("PutItem", TableName=table + "_unique", Item=guard)
    refused(lambda: Mixed.create(name="b", at=NOON))
    for write in (
        lambda: Mixed.update_by_key(Mixed.size.set(2.5), returns="new", name="a"),
        lambda: Mixed(name="a").set_field(Mixed.size, 3.5).commit_changes(),
        lambda: Mixed.delete_by_key(returns="old", name="a"),
    ):
        with pytest.raises(dynamix.StoredValueError, match=r"Mixed\.title: the stored value") as caught:
            write()
        assert caught.value.applied == "yes"
    engine.call("PutItem", TableName=table, Item={"name": {"S": "c"}, "title": {"S": "too long" * 300}})
    Mixed.update_by_key(Mixed.title.remove(), name="c")
    assert guards(engine, Mixed) == {}


class Code(CharField[Any]):
    """A text without spaces around it."""

    def to_wire(self, value: str) -> AttributeValue:
        return super().to_wire(value.strip())


class Sealed(CharField[Any]):
    """A text that is stored otherwise each time."""

    count = itertools.count()

    def to_wire(self, value: str) -> AttributeValue:
        return {"S": f"{next(self.count)} {value}"}

    def from_wire(self, wire: AttributeValue) -> str:
        return str(wire["S"]).partition(" ")[2]


class Money(Field[Decimal, Any]):
    """A number with its digits."""

    key_type = "N"

    def to_wire(self, value: Decimal) -> AttributeValue:
        return {"N": str(value)}

    def from_wire(self, wire: AttributeValue) -> Decimal:
        return Decimal(wire["N"])


class Parts(ListField[Any]):
    """A list that is stored as one text."""

    key_type = "S"

    def to_wire(self, value: list[Any]) -> AttributeValue:
        return {"S": "/".join(value)}

    def from_wire(self, wire: AttributeValue) -> list[Any]:
        return str(wire["S"]).split("/")


class Owned(Model):
    """Fields of the user's own."""

    name = CharField(hash_key=True)
    code = Code(unique=True)
    sealed = Sealed(unique=True)
    price = Money(unique=True)
    place = Parts(unique=True)
    __unique__ = (["code"], (code, "code"))


def test_fields_of_ones_own(engine: Place) -> None:
    """Are the same where they are stored as the same; what is stored otherwise each time cannot be unique."""
    dynamix.create_table(Owned)
    Owned.create(name="a", code=" x", price=Decimal("1.50"), place=["b", "c"])
    refused(lambda: Owned.create(name="b", place=["b", "c"]))
    refused(lambda: Owned.create(name="b", code="x "))
    refused(lambda: Owned.create(name="b", price=Decimal("1.5")))
    with pytest.raises(
        dynamix.FieldValidationException, match=r"Owned\.sealed cannot be kept unique: it stores one value"
    ):
        Owned.create(name="b", sealed="s")
    assert guards(engine, Owned) == {'["code","S","x"]': "a", '["price","N","1.5"]': "a", '["place","S","b/c"]': "a"}


def test_a_guard_is_its_owners(engine: Place) -> None:
    """What records another owner is neither removed nor replaced, and what has no guard gets one where it is stored
    whole."""
    first = User.create(name="a", email="x")
    table = engine.table_name(User) + "_unique"
    guard = {"guard": {"S": '["email","S","x"]'}, "owner": {"M": {"name": {"S": "other"}}}}
    engine.call("PutItem", TableName=table, Item=guard)
    first.email = "y"
    first.save()
    assert guards(engine) == {'["email","S","x"]': "other", '["email","S","y"]': "a"}
    engine.call("DeleteItem", TableName=table, Key={"guard": {"S": '["email","S","y"]'}})
    first.save(overwrite=True)
    assert guards(engine)['["email","S","y"]'] == "a"
    engine.call("DeleteItem", TableName=table, Key={"guard": {"S": '["email","S","y"]'}})
    first.delete()
    assert guards(engine) == {'["email","S","x"]': "other"}


def test_a_guard_of_another_that_is_given_up(engine: Place) -> None:
    """Is no reason why a transaction failed, where there is another one; under a token of the caller's it may be."""
    first, taken = User.create(name="a", email="x"), User.create(name="b", email="y")
    guard = {"guard": {"S": '["email","S","x"]'}, "owner": {"M": {"name": {"S": "other"}}}}
    engine.call("PutItem", TableName=engine.table_name(User) + "_unique", Item=guard)
    with pytest.raises(TransactionCanceledError, match="by create: User with name='c'") as caught:
        transact(lambda tx: tx.delete(first), lambda tx: tx.create(User, name="c", email="y"))
    assert [type(reason.error) for reason in caught.value.reasons] == [type(None), NotUniqueError]
    with pytest.raises(TransactionCanceledError, match=r"by delete: .* gives up User\.email, .* name='other'; nothing"):
        transact(lambda tx: tx.delete(first), token="given")
    first.email = "y"
    with pytest.raises(NotUniqueError, match="taken by User with name='b'"):
        first.save()
    assert taken == User.get(name="b")


def test_fields_that_cannot_be_unique() -> None:
    """Are refused at definition, by name."""

    def made(**body: Any) -> None:
        key = CharField(hash_key=True)
        dynamix.create_table(type("Made", (Model,), {"__module__": __name__, "key_": key, **body}))

    for body, problem in [
        ({"tags": ListField(unique=True)}, r"Made\.tags cannot be unique: a ListField"),
        ({"at": DateTimeField(unique=True, auto_now=True)}, r"Made\.at cannot be unique"),
        ({"__unique__": [("key_",)]}, r"Made\.key_ cannot be unique apart from the item"),
        ({"__unique__": ["key_"]}, r"Made\.__unique__ has 'key_'; give tuples"),
        ({"__unique__": "key_"}, r"Made\.__unique__ is 'key_'; give a list"),
        ({"__unique_in_table__": 1}, r"Made\.__unique_in_table__ is 1; give True or False"),
    ]:
        with pytest.raises(dynamix.ModelDefinitionError, match=problem):
            made(**body)
    with pytest.raises(dynamix.UnknownNameError, match="did you mean 'email'"):
        made(email=CharField(), __unique__=[("emial",)])
