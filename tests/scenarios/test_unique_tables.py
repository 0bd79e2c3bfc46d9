"""The guards of unique values stand in a table beside the model's, or in its own, where nobody sees them; they expire
with their items."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import CharField, GuardTableDiffers, IntegerField, Model, NotUniqueError, TTLField
from dynamix.differences import BillingDiffers
from dynamix.model.running import schema_of
from places import Place

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
PAST = SOON - timedelta(days=2)


class Login(Model):
    """What expires, and hides then."""

    name = CharField(hash_key=True)
    token = CharField(unique=True)
    expires = TTLField(name="ttl", hide_expired=True)


class Paid(Model):
    """A table with a throughput, and a stored name of its own."""

    __table_name__ = "paid"
    ReadCapacityUnits = 3
    WriteCapacityUnits = 2

    name = CharField(hash_key=True)
    token = CharField(unique=True)


class Plain(Model):
    """The same table as it was before."""

    __table_name__ = "paid"

    name = CharField(hash_key=True)
    token = CharField()


class Member(Model):
    """What has its guards in its own table."""

    __unique_in_table__ = True
    __unique__ = (("club", "number"),)
    __secondary_indexes__: ClassVar = {
        "by_number": {"hash_key": "number"},
        "turned": {"hash_key": "name", "range_key": "club", "projections": "ALL"},
    }

    club = CharField(hash_key=True, name="pk")
    name = CharField(range_key=True, name="sk")
    email = CharField(unique=True)
    number = IntegerField()
    expires = TTLField(name="ttl")


def stored(place: Place, name: str) -> list[dict[str, Any]]:
    """All that is in a table."""
    items: list[dict[str, Any]] = place.call("Scan", TableName=name, ConsistentRead=True)["Items"]
    return items


def own_guards(place: Place, name: str) -> list[dict[str, Any]]:
    """The guards in a model's own table, by their keys."""
    guards = [item for item in stored(place, name) if "dynamix.owner" in item]
    return sorted(guards, key=lambda item: str(item["pk"]))


def test_a_companion_table_comes_and_goes_with_the_models(place: Place) -> None:
    """It has the model's settings, and its time to live; a missing one is told, and made."""
    dynamix.create_table(Plain)
    Plain.create(name="a", token="x")
    companion = place.prefix + "paid_unique"
    assert [one for one in dynamix.compare_table(Paid) if isinstance(one, GuardTableDiffers)] == [
        GuardTableDiffers(companion, None)
    ]
    with pytest.raises(
        dynamix.TableNotFoundError, match=rf"'{companion}' of Paid does not exist; .*create_table\(Paid\)"
    ):
        Paid.create(name="b", token="x")
    found = dynamix.update_table(Paid)
    assert [str(one) for one in found] == [
        "its billing mode is PAY_PER_REQUEST, the model's PROVISIONED",
        f"the table '{companion}' of the guards of its unique values is missing",
    ]
    assert dynamix.compare_table(Paid) == []
    description = place.call("DescribeTable", TableName=companion)["Table"]
    assert description["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    place.call("UpdateTable", TableName=companion, BillingMode="PAY_PER_REQUEST")
    difference = GuardTableDiffers(companion, BillingDiffers("PAY_PER_REQUEST", "PROVISIONED"))
    assert dynamix.compare_table(Paid) == [difference]
    assert str(difference).startswith(
        f"of the table '{companion}' of the guards of its unique values: its billing mode"
    )
    with pytest.warns(UserWarning, match="of the guards of its unique values: its billing mode"):
        dynamix.create_table(Paid)
    assert dynamix.update_table(Paid) == [difference]
    assert dynamix.compare_table(Paid) == []
    for item in Paid.scan():  # those from before get their guards
        item.save(overwrite=True)
    with pytest.raises(NotUniqueError):
        Paid.create(name="b", token="x")
    Paid.delete_table()
    with pytest.raises(dynamix.TableNotFoundError):
        place.call("DescribeTable", TableName=companion)


def test_guards_expire_with_their_items(place: Place) -> None:
    """A guard has the expiry of its item, whatever changes that; what has expired and is hidden can be taken."""
    dynamix.create_table(Login)
    table = place.table_name(Login) + "_unique"
    assert dynamix.compare_table(Login) == []
    described = place.call("DescribeTimeToLive", TableName=table)["TimeToLiveDescription"]
    assert described["AttributeName"] == "expires"

    def expiry() -> Any:
        (guard,) = stored(place, table)
        return guard.get("expires")

    login = Login.create(name="a", token="x", expires=SOON)
    assert expiry() == {"N": str(int(SOON.timestamp()))}
    login.expires = None
    login.save()
    assert expiry() is None
    Login.update_by_key(Login.expires.set(SOON), name="a")
    assert expiry() == {"N": str(int(SOON.timestamp()))}
    with pytest.raises(NotUniqueError):
        Login.create(name="b", token="x")
    Login.update_by_key(Login.expires.set(PAST), name="a")
    login = Login.create(name="b", token="x")
    assert expiry() is None
    Login(name="a").delete()
    assert expiry() is None
    with pytest.raises(NotUniqueError) as caught:
        Login.create(name="a", token="x")
    assert caught.value.owner == {"name": "b"}
    with pytest.raises(dynamix.ItemNotFoundError):
        Login.update_by_key(Login.token.set("y"), name="a")
    Login.create(name="c", token="y", expires=PAST)
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="does not meet the condition"):
        Login.create(name="c", token="z", overwrite=False, condition=Login.token == "z")
    assert Login.create(name="c", token="z", overwrite=False).expires is None


def test_guards_in_the_models_own_table(place: Place) -> None:
    """No scan, count, query or read of an index has them; there is no other table, and their keys are refused."""
    dynamix.create_table(Member)
    first = Member.create(club="c", name="a", email="x", number=1, expires=SOON)
    with pytest.raises(NotUniqueError, match=r"Member with club='c', name='a'; nothing was stored"):
        Member.create(club="d", name="a", email="x")
    with pytest.raises(NotUniqueError, match=r"Member\.number=1, Member\.club='c'"):
        Member.create(club="c", name="b", number=1)
    Member.create(club="d", name="a", email="y", number=1)
    table = place.table_name(Member)
    guards = own_guards(place, table)
    assert [(item["pk"]["S"], item["sk"]["S"], item.get("ttl")) for item in guards] == [
        ('dynamix.unique["email","S","x"]', "dynamix.unique", {"N": str(int(SOON.timestamp()))}),
        ('dynamix.unique["email","S","y"]', "dynamix.unique", None),
        ('dynamix.unique["number","N","1","pk","S","c"]', "dynamix.unique", {"N": str(int(SOON.timestamp()))}),
        ('dynamix.unique["number","N","1","pk","S","d"]', "dynamix.unique", None),
    ]
    assert place.call("ListTables", ExclusiveStartTableName=table)["TableNames"][:1] != [table + "_unique"]
    reserved, within = guards[0]["pk"]["S"], "dynamix.unique"
    assert {member.club for member in Member.scan().consistent()} == {"c", "d"}
    assert Member.scan().count() == 2
    assert len(Member.scan().limit(6).get_items()[0]) == 2
    assert Member.query().where(Member.club == reserved).count() == 0
    assert Member.query().where(Member.name == within).use_index("turned").get_items() == ([], None)
    assert {member.club for member in Member.scan().use_index("turned")} == {"c", "d"}
    assert Member.scan().use_index("by_number").count() == 2
    assert len(dynamix.partiql(f'SELECT * FROM "{table}"', model=Member, scan=True)) == 2
    refused = "keys that begin with 'dynamix.unique' are those of guards"
    key: dict[str, Any] = {"club": reserved, "name": within}
    reads_and_writes: list[Callable[[], object]] = [
        lambda: Member.get(**key),
        lambda: Member.batch_get(key),
        lambda: Member.create(**key),
        lambda: Member.delete_by_key(**key),
        lambda: Member.update_by_key(Member.number.set(5), **key),
    ]
    for each in reads_and_writes:
        with pytest.raises(dynamix.FieldValidationException, match=refused):
            each()
    first.email = "z"
    first.expires = None
    first.save()
    Member.delete_by_key(club="d", name="a")
    assert [(item["pk"]["S"], item.get("ttl")) for item in own_guards(place, table)] == [
        ('dynamix.unique["email","S","z"]', None),
        ('dynamix.unique["number","N","1","pk","S","c"]', None),
    ]


def test_a_stream_with_guards() -> None:
    """What a function is called with has no record of them; one alone is refused by its key."""
    told = [
        {"pk": {"S": 'dynamix.unique["email","S","x"]'}, "sk": {"S": "dynamix.unique"}},
        {"pk": {"S": "c"}, "sk": {"S": "a"}},
    ]
    records = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": key, "NewImage": key}} for key in told
    ]
    (record,) = Member.from_lambda_event({"Records": records})
    assert record.new == Member(club="c", name="a")
    with pytest.raises(dynamix.FieldValidationException, match="are those of guards"):
        Member.from_stream_record(records[0])
    with pytest.raises(dynamix.ValidationException, match="this is no record of a stream"):
        Member.from_lambda_event({"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": {"pk": 1}}}]})


def test_tables_that_cannot_hold_guards() -> None:
    """Are refused at definition: keys that are no strings, and indexes that would not tell guards from items."""

    def made(**body: Any) -> None:
        body = {"key": CharField(hash_key=True), "email": CharField(unique=True), **body}
        dynamix.create_table(type("Made", (Model,), {"__module__": __name__, "__unique_in_table__": True, **body}))

    ranged = {"n": CharField(range_key=True)}
    for body, problem in [
        ({"n": IntegerField(range_key=True)}, r"Made cannot have guards in its own table, where Made\.n is no string"),
        ({**ranged, "__secondary_indexes__": {"by_n": {"hash_key": "n"}}}, "the index 'by_n' would hold guards"),
        ({**ranged, "at": TTLField(indexed=True)}, "the index 'Made_ix_at' would hold guards"),
        ({"other": CharField(name="dynamix.owner")}, "the stored name 'dynamix.owner' is that of guards"),
    ]:
        with pytest.raises(dynamix.ModelDefinitionError, match=problem):
            made(**body)


def test_a_companion_needs_a_name_that_a_table_can_have() -> None:
    """The model's name may leave it no room."""
    body = {"__module__": __name__, "key": CharField(hash_key=True), "email": CharField(unique=True)}
    model = type("Made", (Model,), {**body, "__table_name__": "t" * 250})
    with pytest.raises(dynamix.ModelDefinitionError, match=r"cannot be called 't*_unique'"):
        schema_of(model).at("")
