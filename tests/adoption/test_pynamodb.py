"""PynamoDB and dynamix on one table, each reading and changing what the other wrote."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pynamodb import attributes as theirs
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model as TheirModel

import dynamix
from dynamix import (
    BinaryField,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    IntegerField,
    JSONField,
    ListField,
    SetField,
    TTLField,
    VersionField,
)

NOON = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
LATER = datetime(2034, 1, 1, tzinfo=UTC)


class Base(dynamix.Model):
    """What PynamoDB's base below declares."""

    __table_name__ = "pynamodb-accounts"
    __secondary_indexes__: ClassVar = {"by_owner": {"hash_key": "owner", "range_key": "created", "projections": "ALL"}}
    kind = dynamix.DiscriminatorField(name="cls")
    id = CharField(hash_key=True)
    created = DateTimeField(range_key=True, stored="pynamodb")
    owner = CharField()
    number = DecimalField(indexed=True, index_name="by_number", projections="ALL")


class Address(dynamix.NestedModel):
    """What is inside."""

    street = CharField()
    since = DateTimeField(stored="pynamodb")


class Account(Base):
    """What its model declares."""

    __discriminator__ = "Account"
    conf = JSONField(stored="text")
    expires = TTLField(name="ttl")
    version = VersionField()
    address = dynamix.ModelField(Address)
    history = ListField(of=Address)
    tags = SetField(of=str)
    blob = BinaryField(stored="base64")
    blobs = SetField(of=BinaryField(stored="base64"))
    active = BooleanField()
    count = IntegerField()


def their_models(address: tuple[str, int]) -> Any:
    """Theirs, on the server at this address."""

    class Address(theirs.MapAttribute):  # type: ignore[type-arg]
        street = theirs.UnicodeAttribute(null=True)
        since = theirs.UTCDateTimeAttribute(null=True)

    class ByOwner(GlobalSecondaryIndex):  # type: ignore[type-arg]
        class Meta:
            index_name = "by_owner"
            projection = AllProjection()

        owner = theirs.UnicodeAttribute(hash_key=True)
        created = theirs.UTCDateTimeAttribute(range_key=True)

    class ByNumber(LocalSecondaryIndex):  # type: ignore[type-arg]
        class Meta:
            index_name = "by_number"
            projection = AllProjection()

        id = theirs.UnicodeAttribute(hash_key=True)
        number = theirs.NumberAttribute(range_key=True)

    class Base(TheirModel):
        class Meta:
            table_name = "pynamodb-accounts"
            host = f"http://{address[0]}:{address[1]}"
            region = "eu-west-1"
            aws_access_key_id = aws_secret_access_key = "x"
            billing_mode = "PAY_PER_REQUEST"

        id = theirs.UnicodeAttribute(hash_key=True)
        created = theirs.UTCDateTimeAttribute(range_key=True)
        cls = theirs.DiscriminatorAttribute()
        by_owner = ByOwner()
        by_number = ByNumber()

    class Account(Base, discriminator="Account"):
        owner = theirs.UnicodeAttribute(null=True)
        number = theirs.NumberAttribute(null=True)
        conf = theirs.JSONAttribute(null=True)
        ttl = theirs.TTLAttribute(null=True)
        version = theirs.VersionAttribute()
        address = Address(null=True)
        history: Any = theirs.ListAttribute(of=Address, null=True)
        tags = theirs.UnicodeSetAttribute(null=True)
        blob = theirs.BinaryAttribute(null=True, legacy_encoding=True)
        blobs = theirs.BinarySetAttribute(null=True, legacy_encoding=True)
        active = theirs.BooleanAttribute(null=True)
        count = theirs.NumberAttribute(null=True)

    class Other(Base, discriminator="Other"):
        pass

    return Base, Account, Other, Address


def test_both_on_one_table(engine_http: tuple[str, int]) -> None:
    """What one stores the other reads, as the same values, and changes; versions are heeded by both."""
    base, their_account, other, their_address = their_models(engine_http)
    base.create_table(wait=True)
    with dynamix.Connection(is_local_endpoint=engine_http) as connection, dynamix.use_connection(connection):
        assert [found for found in dynamix.compare_table(Account) if type(found) is not dynamix.TimeToLiveDiffers] == []
        written = their_account(
            "a1",
            NOON,
            owner="ann",
            number=1.5,
            conf={"k": [1, 2.5, None], "é": "x"},
            ttl=LATER,
            address=their_address(street="Elm 1", since=NOON),
            history=[their_address(street="Old 2")],
            tags={"x", "y"},
            blob=b"\x00\xff",
            blobs={b"\x01"},
            active=True,
            count=3,
        )
        written.save()
        other("a1", LATER).save()

        account = Account.query().where(Account.id == "a1", Account.created == NOON).one()
        assert account is not None
        assert (account.created, account.expires, account.kind, account.version) == (NOON, LATER, "Account", 1)
        assert (account.conf, account.blob, account.blobs) == ({"k": [1, 2.5, None], "é": "x"}, b"\x00\xff", {b"\x01"})
        assert (account.address, account.history) == (Address(street="Elm 1", since=NOON), [Address(street="Old 2")])
        before = account.to_item()
        account.conf, account.count = {"new": True}, 4
        account.address.street = "Oak 2"
        account.save()
        assert account.to_item() == {
            **before,
            "conf": {"S": '{"new":true}'},
            "count": {"N": "4"},
            "version": {"N": "2"},
            "address": {"M": {**before["address"]["M"], "street": {"S": "Oak 2"}}},
        }
        with pytest.raises(PutError):  # it has the version of before
            written.save()
        written.refresh()
        assert (written.conf, written.count, written.version, written.address.street) == ({"new": True}, 4, 2, "Oak 2")
        written.count = 5
        written.save()
        account.count = 6
        with pytest.raises(dynamix.VersionConflict):
            account.save()

        Account.create(id="a2", created=LATER, owner="ann", conf=[], blob=b"x", expires=LATER, number=7, history=[])
        (read,) = their_account.query("a2")
        assert (read.created, read.conf, read.blob, read.ttl, read.number) == (LATER, [], b"x", LATER, 7)
        read.count = 1
        read.save()
        assert [found.id for found in their_account.by_owner.query("ann")] == ["a1", "a2"]
        assert [found.id for found in Account.query().where(Account.owner == "ann")] == ["a1", "a2"]
        assert Account.query().use_index(Account.number).where(Account.id == "a2", Account.number > 6).one() is not None
        assert (Account.scan().count(), Account.get(id="a1", created=LATER)) == (2, None)
        with pytest.raises(dynamix.ItemExistsError):
            Account.create(id="a1", created=LATER, overwrite=True)
        with pytest.raises(dynamix.StoredValueError, match=r"Base\.kind"):
            Base.scan().all()
