"""Items that mappers of other languages wrote: read, written back, and made anew, byte for byte."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pytest
import recorded

import dynamix
from dynamix import (
    AnyField,
    BinaryField,
    BooleanField,
    CharField,
    ComputedField,
    DateTimeField,
    DecimalField,
    DictField,
    DiscriminatorField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    KeyField,
    ListField,
    LiteralField,
    Model,
    ModelField,
    NestedModel,
    SetField,
    TTLField,
    UUIDField,
)
from dynamix.codec.values import decode

M = TypeVar("M", bound=Model)
ONE = UUID(int=1)
TWO = UUID(int=2)
NOON = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
MIDNIGHT = datetime(2024, 3, 2, tzinfo=UTC)


class Bloop(Model):
    """A model of bloop."""

    __table_name__ = "bloop"
    __secondary_indexes__: ClassVar = {"by_name": {"hash_key": "name", "range_key": "ts", "projections": "ALL"}}
    id = UUIDField(hash_key=True)
    at = DateTimeField(range_key=True, stored="bloop")
    name = CharField(name="n")
    ts = DateTimeField(stored="seconds")
    blob = BinaryField(stored="base64")
    bs = SetField(of=BinaryField(stored="base64"))
    tags = SetField(of=str)
    ns = SetField(of=int)
    us = SetField(of=UUID)
    i = IntegerField()
    num = DecimalField()
    flag = BooleanField()
    lst = ListField(of=DateTimeField(stored="bloop"))
    mp = DictField(numbers=Decimal)
    dm = DictField(numbers=Decimal)
    dl = ListField(numbers=Decimal)


class Dynamoose(Model):
    """A model of dynamoose."""

    __table_name__ = "dynamoose"
    __secondary_indexes__: ClassVar = {"gsi1": {"hash_key": "owner", "range_key": "at", "projections": "ALL"}}
    id = CharField(hash_key=True)
    at = DateTimeField(range_key=True, stored="milliseconds")
    owner = CharField()
    num = FloatField()
    flag = BooleanField()
    when = DateTimeField(stored="milliseconds")
    when_sec = DateTimeField(name="whenSec", stored="seconds")
    when_iso = DateTimeField(name="whenIso", stored="javascript")
    buf = BinaryField()
    tags = SetField(of=str)
    nums = SetField()
    list = ListField()
    dates = ListField(of=DateTimeField(stored="milliseconds"))
    map = DictField()
    free = DictField()
    nul = AnyField(null=True)
    text = CharField()
    created = DateTimeField(name="createdAt", stored="milliseconds")
    updated = DateTimeField(name="updatedAt", stored="milliseconds")


class Work(Model):
    """A service of ElectroDB, whose entities have a table in common."""

    __table_name__ = "electrodb"
    __secondary_indexes__: ClassVar = {"gsi1": {"hash_key": "gsi1pk", "range_key": "gsi1sk", "projections": "ALL"}}
    entity = DiscriminatorField(name="__edb_e__")
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    gsi1pk = CharField()
    gsi1sk = CharField()


class Map(NestedModel):
    """What is inside."""

    x = CharField()
    y = ListField(of=str)


class Task(Work):
    """An entity of it."""

    __discriminator__ = "task"
    pk = ComputedField(str, lambda org: f"$work#org_{org.lower()}", "org", hash_key=True)
    sk = ComputedField(str, lambda id: f"$task_1#id_{id.lower()}", "id", range_key=True)
    gsi1pk = ComputedField(str, lambda owner: f"$work#owner_{owner.lower()}", "owner")
    gsi1sk = ComputedField(str, lambda points, due: f"$task_1#points_{points}#due_{due}".lower(), "points", "due")
    revision = LiteralField("1", name="__edb_v__", default="1")
    org = CharField(required=True)
    id = CharField(required=True)
    due = CharField()
    points = IntegerField()
    owner = CharField()
    flag = BooleanField()
    tags = SetField(of=str)
    nums = SetField()
    list = ListField()
    map = ModelField(Map)
    any = AnyField(numbers=Decimal)
    kind = LiteralField("open", "done")
    hid = CharField(hidden=True)
    created = IntegerField(name="createdAt")
    updated = IntegerField(name="updatedAt")
    text = CharField()


class TextBinaryField(Field[bytes, bytes | None]):
    """Bytes as base64 text."""

    def to_wire(self, value: bytes) -> dict[str, Any]:
        return {"S": base64.b64encode(value).decode()}

    def from_wire(self, wire: dict[str, Any]) -> bytes:
        return base64.b64decode(wire["S"], validate=True)


class OneTable(Model):
    """A table of OneTable."""

    __secondary_indexes__: ClassVar = {"gsi1": {"hash_key": "gsi1pk", "range_key": "gsi1sk", "projections": "ALL"}}
    kind = DiscriminatorField(name="_type")
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    gsi1pk = CharField()
    gsi1sk = CharField()


class Object(NestedModel):
    """What is inside."""

    a = IntegerField()
    d = DateTimeField(stored="milliseconds")


class User(OneTable):
    """A model of it."""

    __table_name__ = "onetable"
    __discriminator__ = "User"
    pk = KeyField("user#{id}", hash_key=True)
    sk = KeyField("user#", range_key=True)
    gsi1pk = KeyField("email#{email}")
    gsi1sk = KeyField("user#{id}")
    id = CharField(required=True)
    email = CharField()
    num = FloatField()
    flag = BooleanField()
    when = DateTimeField(stored="milliseconds")
    expires = TTLField()
    iso_when = DateTimeField(name="isoWhen", stored="javascript")
    buf = TextBinaryField()
    tags = SetField(of=str)
    list = ListField()
    obj = ModelField(Object)
    nul = AnyField(null=True)
    text = CharField()
    created = DateTimeField(stored="milliseconds")
    updated = DateTimeField(stored="milliseconds")


class IsoObject(NestedModel):
    """The same, where dates are stored as text."""

    a = IntegerField()
    d = DateTimeField(stored="javascript")


class IsoUser(User):
    """The same, where dates are stored as text."""

    __table_name__ = "onetable_iso"
    obj = ModelField(IsoObject)
    when = DateTimeField(stored="javascript")
    created = DateTimeField(stored="javascript")
    updated = DateTimeField(stored="javascript")


class Toolbox(Model):
    """A table of dynamodb-toolbox."""

    __table_name__ = "toolbox"
    __secondary_indexes__: ClassVar = {"gsi1": {"hash_key": "owner", "projections": "ALL"}}
    entity = DiscriminatorField(name="_et")
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    owner = CharField()


class Part(NestedModel):
    """What is inside."""

    a = IntegerField()
    b = CharField()


class Pokemon(Toolbox):
    """An entity of it."""

    __discriminator__ = "POKEMON"
    created = DateTimeField(name="_ct", stored="javascript")
    modified = DateTimeField(name="_md", stored="javascript")
    num = FloatField()
    big = IntegerField()
    flag = BooleanField()
    bin = BinaryField()
    ss = SetField(of=str)
    ns = SetField()
    bs = SetField(of=bytes)
    l = ListField(of=str)  # noqa: E741 - as it is stored
    m = ModelField(Part)
    rec = DictField(of=float)
    free = AnyField()
    n = AnyField(null=True)
    text = CharField()
    renamed = CharField(name="rn")
    prefixed = CharField(name="pre")
    js = JSONField(stored="text")


MODELS: list[type[Model]] = [Bloop, Dynamoose, Task, User, IsoUser, Pokemon]


@pytest.mark.parametrize("model", MODELS)
def test_their_items_are_read_and_made(model: type[Model]) -> None:
    """Each is read whole, goes back as it was, and a new one of the same values is stored as the other stores it."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        items = recorded.fill(connection, model.__table_name__)
        assert [found for found in dynamix.compare_table(model) if type(found) is not dynamix.TimeToLiveDiffers] == []
        found = model.scan().all()
        assert len(found) == len(items)
        expected = [meaning(item) for item in items]
        for instance in found:
            assert instance.undeclared == {}
            instance.save(overwrite=True)
            assert meaning(recorded.stored(connection, model, instance)) in expected
            assert without_null(meaning(model(**values_of(instance)).to_item())) in map(without_null, expected)


def values_of(instance: Model) -> dict[str, Any]:
    """What makes the same instance anew."""
    fields = {name: value for base in reversed(type(instance).__mro__) for name, value in vars(base).items()}
    given = {
        name for name, field in fields.items() if isinstance(field, Field) and not isinstance(field, ComputedField)
    }
    return {name: getattr(instance, name) for name in given if getattr(instance, name) is not None}


def meaning(item: dict[str, Any]) -> dict[str, Any]:
    """An item as values that are equal where the service takes them for equal."""
    return {name: decode(wire, Decimal) for name, wire in item.items()}


def without_null(values: dict[str, Any]) -> dict[str, Any]:
    """The same less what is NULL, which is not always stored."""
    return {name: value for name, value in values.items() if value is not None}


def test_bloop() -> None:
    """Its times, its UUIDs, its bytes and all numbers have their values; what is empty is missing."""
    full, empty = (find(Bloop, id=str(id)) for id in (ONE, TWO))
    assert (full.at, empty.at, full.ts) == (NOON, MIDNIGHT, MIDNIGHT)
    assert (full.blob, full.bs, empty.blob, empty.name) == (b"\x00\xff", {b"\x00"}, None, None)
    assert full.num == Decimal("12345678901234567890.123456789")
    assert (full.lst, full.us) == ([NOON, MIDNIGHT], {TWO})


def test_dynamoose() -> None:
    """Dates are numbers of milliseconds, in lists too; or seconds, or text."""
    full = find(Dynamoose, id="d1")
    assert (full.at, full.when, full.when_sec, full.when_iso) == (NOON, NOON, MIDNIGHT, NOON)
    assert full.dates == [NOON, MIDNIGHT]
    assert (full.nul, full.buf, full.nums) == (None, b"\x00\xff", {1, 2.5})


def test_electrodb() -> None:
    """Keys are composed anew where a part changes, and other entities are told by their marks."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        first, _ = recorded.fill(connection, "electrodb")
        other = {**first, "sk": {"S": "$member_1#id_m"}, "__edb_e__": {"S": "member"}}
        connection.request("PutItem", {"TableName": "electrodb", "Item": other})
        query = Task.query().where(Task.pk == "$work#org_acme")
        assert [task.id for task in query] == [task.id for task in Task.scan()] == ["T1", "T2"]
        assert Task.query(org="Acme", id="T1").one() is not None
        with pytest.raises(dynamix.StoredValueError, match="entity"):
            Work.scan().all()
        task = Task.get_or_raise(pk="$work#org_acme", sk="$task_1#id_t1")
        task.points, task.owner = 7, "Bob"
        task.save()
        now = recorded.stored(connection, Task, task)
        assert (now["gsi1pk"], now["gsi1sk"]) == ({"S": "$work#owner_bob"}, {"S": "$task_1#points_7#due_2024-03-01"})


@pytest.mark.parametrize("model", [User, IsoUser])
def test_onetable(model: type[User]) -> None:
    """Dates are milliseconds or text, by its option `isoDates`; keys are templates; bytes are base64 text."""
    user = find(model, pk="user#u1")
    assert (user.when, user.expires, user.iso_when) == (NOON, MIDNIGHT, NOON)
    assert (user.buf, user.kind, user.nul) == (b"\x00\xff", "User", None)
    assert (user.obj.a, user.obj.d) == (1, NOON)


def test_toolbox() -> None:
    """Its marks are fields, JSON text is read, and long numbers are exact."""
    found = find(Pokemon, pk="p1")
    assert (found.entity, found.js, found.big) == ("POKEMON", {"a": [1, None]}, 123456789012345678901234567890)
    assert found.created == datetime(2026, 11, 25, 20, 46, 48, 592000, tzinfo=UTC)


def find(model: type[M], **key: str) -> M:
    """The instance of the recorded item whose key begins so."""
    ((name, value),) = key.items()
    _, items = recorded.load(model.__table_name__)
    return next(model.from_item(item) for item in items if item[name]["S"] == value)
