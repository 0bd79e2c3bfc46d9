"""The same posts as dynamix's contestant has, in a model that says what its collections hold."""

import sample

from dynamix import (
    AnyField,
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
    ListField,
    Model,
    ModelField,
    NestedModel,
    SetField,
)


class Source(NestedModel):
    edited = BooleanField(required=True)
    client = CharField(required=True)


class Meta(NestedModel):
    language = CharField(required=True)
    revision = IntegerField(required=True)
    source = ModelField(Source, required=True)


class Declared(Model):
    """The same items, with what their collections hold."""

    __table_name__ = sample.TABLE

    forum_id = CharField(hash_key=True)
    thread_id = CharField(range_key=True)
    author = CharField()
    title = CharField()
    body = CharField()
    views = IntegerField()
    likes = IntegerField()
    score = FloatField()
    pinned = BooleanField()
    created_at = DateTimeField()
    tags = SetField(of=str, lazy=False)
    reviews = ListField(of=AnyField(), lazy=False)
    meta = ModelField(Meta, required=True, lazy=False)
