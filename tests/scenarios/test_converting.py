"""Instances in other forms, and other forms as instances: nothing is sent, nothing is lost."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

import dynamix
from dynamix import CharField, DateTimeField, DictField, FloatField, IntegerField, ListField, Model, SetField
from places import Place

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Book(Model):
    isbn = CharField(hash_key=True)
    volume = IntegerField(range_key=True)
    title = CharField(name="t")
    price = FloatField()
    printed = DateTimeField()
    tags = SetField()
    reviews = ListField(default=list)
    extra = DictField()


ITEM: dict[str, Any] = {
    "isbn": {"S": "1"},
    "volume": {"N": "2"},
    "t": {"S": "Emma"},
    "price": {"N": "0.12345678901234567890"},
    "printed": {"S": "2024-03-01T12:30:15.250Z"},
    "tags": {"SS": ["a", "b"]},
    "reviews": {"L": [{"N": "1"}, {"B": base64.b64encode(b"\x00\xff").decode()}, {"NULL": True}]},
    "extra": {"M": {"in": {"BOOL": False}, "deep": {"NS": ["1", "2"]}}},
}


def python_item() -> dict[str, Any]:
    """The same item as boto3's resource has it."""
    binary = {**ITEM, "reviews": {"L": [{"N": "1"}, {"B": b"\x00\xff"}, {"NULL": True}]}}
    return {name: TypeDeserializer().deserialize(value) for name, value in binary.items()}


def test_an_item_in_json_form() -> None:
    """An item becomes the instance that a get would give, and the instance the same item, however it is spelled."""
    book = Book.from_item(ITEM)
    assert (book.title, book.price, book.tags) == ("Emma", 0.12345678901234568, {"a", "b"})
    assert book.printed == datetime(2024, 3, 1, 12, 30, 15, 250000, UTC)
    assert book.reviews == [1, b"\x00\xff", None]
    assert book.to_item() == ITEM
    assert json.loads(json.dumps(book.to_item())) == ITEM


def test_an_item_of_boto3s_client() -> None:
    """Its binary values are bytes."""
    assert Book.from_item({**ITEM, "extra": {"M": {"b": {"BS": [b"x"]}}}}).extra == {"b": {b"x"}}


def test_bytes_in_another_base64() -> None:
    """They are stored as bytes, so another text of them is none that anybody edited."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Book)
        Book.from_item({**ITEM, "extra": {"M": {"b": {"B": "AAE="}}}}).save(overwrite=True)
        book = Book.from_item({**ITEM, "extra": {"M": {"b": {"B": "AAF="}}}})
        assert book.extra == {"b": b"\x00\x01"}
        assert book.refresh().extra == {"b": b"\x00\x01"}


def test_python_values() -> None:
    """They are what boto3's resource has, Binary objects included; both directions."""
    book = Book.from_item(ITEM)
    assert book.to_dict() == python_item()
    assert Book.from_dict(python_item()) == Book.from_dict(book.to_dict()) == book
    serialized = {name: TypeSerializer().serialize(value) for name, value in book.to_dict().items()}
    assert Book.from_item(serialized) == book
    assert Book.from_dict({"isbn": "1", "volume": 2, "price": Decimal("0.1")}).price == 0.1


def test_an_instance_of_an_item_is_loaded(place: Place) -> None:
    """It is the stored item: what is changed is sent, and nothing else."""
    dynamix.create_table(Book)
    place.call("PutItem", TableName=place.table_name(Book), Item={**ITEM, "other": {"S": "kept"}})
    book = Book.from_item(ITEM)
    assert book.reviews is not None
    book.reviews.append("new")
    book.save()
    stored = place.stored_item(Book, isbn="1", volume=2)
    assert stored is not None
    assert (stored["other"], stored["reviews"]["L"][-1]) == ({"S": "kept"}, {"S": "new"})


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"isbn": "1"}, "isbn: '1' is not in DynamoDB's JSON form"),
        ({"isbn": {"X": "1"}}, "isbn: 'X' is no type of DynamoDB"),
        ({"isbn": {"S": 1}}, "isbn: 1 is not a str"),
        ({"isbn": {"S": "1"}, "volume": {"N": "x"}}, "volume: 'x' is not the text of a number"),
        ({"isbn": {"S": "1", "N": "1"}}, "is not in DynamoDB's JSON form"),
        ({"extra": {"M": {"a": {"L": [{"B": "?"}]}}}}, r"extra\.a\[0\]: '\?' is neither bytes nor base64"),
        ({"extra": {"NULL": False}}, "extra: NULL has the value True"),
        ({"tags": {"SS": []}}, r"tags: \[\] is not a list of a set's members"),
        (["isbn"], "an item is a dict with str keys"),
    ],
)
def test_what_is_no_item(item: Any, told: str) -> None:
    """It is refused, with the path of what is wrong."""
    with pytest.raises(dynamix.ValidationException, match=told):
        Book.from_item(item)


def test_values_that_no_item_has() -> None:
    """They are refused by name; a value that its field cannot read is one of the stored ones."""
    with pytest.raises(dynamix.ValidationException, match="title: DynamoDB has no type for a object"):
        Book.from_dict({"title": object()})
    with pytest.raises(dynamix.StoredValueError, match=r"Book\.title"):
        Book.from_dict({"isbn": "1", "volume": 1, "t": 5})
    with pytest.raises(dynamix.StoredValueError, match="came without 'volume'"):
        Book.from_dict({"isbn": "1"})


def test_what_is_nested_without_end() -> None:
    """It is refused in words, whichever form it comes in."""
    item: dict[str, Any] = {"S": "x"}
    value: Any = "x"
    for _ in range(3000):
        item, value = {"L": [{"M": {"a": item}}]}, [{"a": value}]
    with pytest.raises(dynamix.ValidationException, match="at most 32 levels"):
        Book.from_item({"isbn": {"S": "1"}, "volume": {"N": "1"}, "extra": {"M": {"a": item}}})
    with pytest.raises(dynamix.ValidationException, match="at most 32 levels"):
        Book.from_dict({"isbn": "1", "volume": 1, "extra": {"a": value}})
    with pytest.raises(dynamix.FieldValidationException, match=r"Book\.extra .* nested too deep"):
        Book(isbn="1", volume=1, extra={"a": value}).to_son()
    deepest: Any = "x"
    for _ in range(30):
        deepest = {"a": deepest}
    book = Book.from_dict({"isbn": "1", "volume": 1, "extra": deepest})
    assert Book.from_item(book.to_item()).extra == book.extra == deepest


def test_chosen_fields_as_son() -> None:
    """to_son gives what is included, less what is excluded, by field or name."""
    book = Book.from_item(ITEM)
    assert book.to_son(include=[Book.isbn, "title"]) == {"isbn": "1", "title": "Emma"}
    assert set(book.to_son(exclude=[Book.reviews, "extra"])) == set(book.to_son()) - {"reviews", "extra"}
    assert book.to_son(include=[Book.isbn, Book.title], exclude=["title"]) == {"isbn": "1"}
    with pytest.raises(dynamix.UnknownNameError, match="'titel'"):
        book.to_son(exclude=["titel"])


def test_a_copy_with_other_values(place: Place) -> None:
    """With the same key it is the same item with changes, with another key a new item; the original stays as it is."""
    dynamix.create_table(Book)
    book = Book.create(isbn="1", volume=1, title="Emma", reviews=["good"])
    other = book.replace(title="Emma II")
    other.reviews.append("better")
    other.save()
    assert (book.title, book.reviews) == ("Emma", ["good"])
    assert Book.get(isbn="1", volume=1) == other
    moved = other.replace(volume=2)
    assert Book.get(isbn="1", volume=2) is None
    moved.save()
    assert Book.get(isbn="1", volume=2) == moved
    assert (moved.title, moved.reviews) == ("Emma II", ["good", "better"])
    with pytest.raises(dynamix.UnknownNameError, match="'titel'"):
        book.replace(titel="x")
    with pytest.raises(dynamix.FieldValidationException, match="title"):
        book.replace(title=5)
    part = Book.get(Book.title, isbn="1", volume=1)
    assert part is not None
    with pytest.raises(dynamix.InvalidUpdateError, match="loaded without"):
        part.replace(volume=3)


def test_hashes_go_by_key() -> None:
    """Instances are members of sets where their keys are complete; equal ones are one."""
    first, same, other = Book.from_item(ITEM), Book.from_item(ITEM), Book(isbn="1", volume=3)
    assert {first, same, other} == {first, other}
    with pytest.raises(dynamix.MissingKeyError, match="volume"):
        hash(Book(isbn="1"))


def test_records_of_a_stream() -> None:
    """A record gives the instances before and after a change, and the item's key."""
    place = dynamix.Connection(embedded=True)
    with dynamix.use_connection(place):
        dynamix.create_table(Book)
        place.request("UpdateTable", {"TableName": "Book", "StreamSpecification": STREAM})
        book = Book.create(isbn="1", volume=1, title="Emma", reviews=[b"\x00"])
        book.set_field(Book.title, "Emma II").commit_changes()
        book.delete()
        (stream,) = place.request("ListStreams", {})["Streams"]
        arn = stream["StreamArn"]
        (shard,) = place.request("DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
        start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        raw = place.request("GetRecords", place.request("GetShardIterator", start))["Records"]
    event = {"Records": [{**record, "eventSourceARN": arn} for record in raw]}
    records = Book.from_lambda_event(event)
    assert [record.event for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    titles = [(record.old and record.old.title, record.new and record.new.title) for record in records]
    assert titles == [(None, "Emma"), ("Emma", "Emma II"), ("Emma II", None)]
    assert all(record.key == book.get_primary_key_dict() and not record.expired for record in records)
    assert records[0].new is not None
    assert records[0].new.reviews == [b"\x00"]
    assert records[0].raw["eventSourceARN"] == arn
    expired = Book.from_stream_record({**raw[2], "userIdentity": {"principalId": "dynamodb.amazonaws.com"}})
    assert expired.expired
    keys_only = {**raw[1], "dynamodb": {"Keys": raw[1]["dynamodb"]["Keys"], "SequenceNumber": "7"}}
    told = Book.from_stream_record(keys_only)
    assert (told.old, told.new, told.sequence_number) == (None, None, "7")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({}, "this is no record of a stream: it has no 'dynamodb';"),
        ({"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}}, "with the key None is none of a stream"),
        ({"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": {"id": {"S": "1"}}}}, "with the key id;"),
        ({"eventName": "aws:sqs", "dynamodb": {"SequenceNumber": "1", "Keys": {}}}, "'aws:sqs'"),
        (5, "this is no record of a stream"),
    ],
)
def test_what_is_no_record(record: Any, told: str) -> None:
    """Whatever else comes is refused, a record of another table too."""
    with pytest.raises(dynamix.ValidationException, match=told):
        Book.from_stream_record(record)
    with pytest.raises(dynamix.ValidationException, match="list of `Records`"):
        Book.from_lambda_event({"detail": {}})
