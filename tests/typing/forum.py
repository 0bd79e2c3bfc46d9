"""The forum of the README, as the typing files use it. Its fields show each way of ruling None out."""

from enum import Enum
from typing import Literal, Self
from uuid import UUID

import dynamix
import dynamix.query
import dynamix.scan

State = Literal["draft", "live"]


class Colour(Enum):
    """Strings with names."""

    RED = "r"


class Part(dynamix.Model):
    """One field of each class that holds exact values."""

    digest = dynamix.BinaryField(hash_key=True)
    price = dynamix.DecimalField(range_key=True, places=2)
    cost = dynamix.DecimalField(default=None)
    rate = dynamix.DecimalField(required=True)
    seal = dynamix.BinaryField(max_length=4)
    id = dynamix.UUIDField(required=True)
    other_id = dynamix.UUIDField()
    colour = dynamix.EnumField(Colour, default=Colour.RED)
    shade = dynamix.EnumField(Colour, by="name", unknown=Colour.RED)
    state: dynamix.LiteralField[State, State] = dynamix.LiteralField("draft", "live", required=True)
    old_state: dynamix.LiteralField[State, State | None] = dynamix.LiteralField("draft", "live", default=None)
    level = dynamix.LiteralField(1, 2)
    document = dynamix.JSONField(stored="text")
    details = dynamix.JSONField(required=True)
    anything = dynamix.AnyField()
    title = dynamix.CharField(default=None)


class Cipher:
    """What encrypts nothing."""

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        """The same."""
        return data

    def decrypt(self, data: bytes, context: bytes) -> bytes:
        """The same."""
        return data


class Letter(dynamix.Model):
    """Fields around others."""

    id = dynamix.CharField(hash_key=True, read_only=True)
    text = dynamix.CompressedField(str, algorithm="zstd", required=True)
    data = dynamix.CompressedField(dynamix.DictField())
    secret = dynamix.EncryptedField(dynamix.CharField(max_length=9), Cipher(), default=None)
    salary = dynamix.EncryptedField(dynamix.DecimalField(), Cipher(), required=True, hidden=False)


class Person(dynamix.Model):
    """Computed fields."""

    pk = dynamix.KeyField("PERSON#{first}", hash_key=True)
    by_last = dynamix.KeyField("LAST#{last}")
    first = dynamix.CharField(required=True)
    last = dynamix.CharField()
    initials = dynamix.ComputedField(str, lambda first, last: f"{first[0]}{last[0]}", "first", "last")
    length = dynamix.ComputedField(dynamix.IntegerField(), len, "first", required=True)


class Cart(dynamix.Model):
    """Collections of one kind of element."""

    id = dynamix.CharField(hash_key=True)
    counts = dynamix.ListField(of=int)
    colours = dynamix.ListField(of=Colour, required=True)
    prices = dynamix.DictField(of=dynamix.DecimalField(places=2), default={})
    notes = dynamix.DictField(of=str, default=None)
    ids = dynamix.SetField(of=UUID, default=set)
    matrix = dynamix.ListField(of=dynamix.ListField(of=float), required=True)


class Sheet(dynamix.Model):
    """An item with a version."""

    name = dynamix.CharField(hash_key=True)
    title = dynamix.CharField(required=True)
    version = dynamix.VersionField(name="v")


class ForumThread(dynamix.Model):
    """One thread of a forum."""

    __table_name__ = "forum_thread"

    ReadCapacityUnits = 2
    WriteCapacityUnits = 2

    __secondary_indexes__ = {  # noqa: RUF012 - as users write it
        "user_threads_index": {
            "hash_key": "user_id",
            "range_key": "updated_at",
            "read_capacity": 2,
            "write_capacity": 2,
            "projections": ["title"],
        },
        "by_state": {"hash_key": "state", "projections": "ALL"},
    }

    forum_id = dynamix.CharField(hash_key=True)
    thread_id = dynamix.CharField(range_key=True)
    user_id = dynamix.CharField(name="user")
    title = dynamix.CharField(max_length=200)
    author = dynamix.CharField(required=True)
    state = dynamix.CharField(default="open")
    updated_at = dynamix.IntegerField(default=lambda: 0, indexed=True)
    votes = dynamix.IntegerField()
    score = dynamix.FloatField()
    closed = dynamix.BooleanField(default=False)
    created = dynamix.DateTimeField(auto_now_add=True)
    by_author = dynamix.GlobalIndex(hash_key=[author, "state"], range_key=created, projections=[title, "votes"])
    by_votes = dynamix.LocalIndex(range_key=votes, projections="ALL")
    due = dynamix.DateField()
    opens = dynamix.TimeField()
    took = dynamix.TimeDeltaField()
    tags = dynamix.SetField()
    user_reviews = dynamix.ListField(default=[])
    key_value_data = dynamix.DictField()


class Shop(dynamix.Model):
    """A table that two models share."""

    kind = dynamix.DiscriminatorField()
    pk = dynamix.CharField(hash_key=True)
    sk = dynamix.CharField(range_key=True)


class Customer(Shop):
    """One of them."""

    __discriminator__ = "CUSTOMER"
    customer_id = dynamix.CharField(required=True)


class Order(Shop):
    """The other one."""

    __discriminator__ = "ORDER"
    total = dynamix.IntegerField(default=0)

    @classmethod
    @dynamix.access_pattern
    def of_customer(cls, customer_id: str, *, above: int = 0) -> dynamix.query.Query[Self]:
        """An access pattern."""
        return cls.query(customer_id=customer_id).where(cls.total > above)

    @classmethod
    @dynamix.access_pattern(least=5)
    def large(cls, least: int) -> dynamix.scan.Scan[Self]:
        """Another one."""
        return cls.scan().where(cls.total >= least)


class Picture(dynamix.Model):
    """A picture that is searched by nearness."""

    id = dynamix.CharField(hash_key=True)
    kind = dynamix.CharField()
    embedding = dynamix.VectorField(dimensions=3, distance="cosine")
    tone = dynamix.VectorField(dimensions=3, required=True)
    near = dynamix.VectorIndex(embedding, filters=[kind, "id"], projections="ALL")
