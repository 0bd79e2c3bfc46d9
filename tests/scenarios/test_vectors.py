"""Vector indexes on each place that has them, by raw requests and by models."""

import asyncio
import contextlib
import re
from array import array
from typing import Any

import numpy
import pytest
from hypothesis import given, strategies

import dynamix
from dynamix import (
    CharField,
    FieldNotLoadedError,
    IndexNotReadyError,
    IntegerField,
    Model,
    VectorField,
    VectorIndex,
    VectorIndexDiffers,
    VectorIndexMissing,
    VectorIndexSurplus,
)
from dynamix.engine import Engine
from dynamix.model.running import schema_of
from dynamix.operations.definition import define
from places import Place


def vector(*numbers: object) -> dict[str, Any]:
    return {"L": [{"N": str(number)} for number in numbers]}


def test_a_vector_is_searched(place: Place) -> None:
    """`request` makes a table with a vector index and finds what is near, and its twin does the same."""
    if place.name == "dynamodb-local":
        pytest.skip("DynamoDB Local has no vector indexes")
    name, request = place.prefix + "pictures", place.connection.request
    index = {"IndexName": "near", "VectorAttribute": {"AttributeName": "e"}, "Dimensions": 2}
    index |= {"Projection": {"ProjectionType": "ALL"}, "DistanceFunction": "EUCLIDEAN"}
    request(
        "CreateTable",
        {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "VectorIndexes": [index],
        },
    )
    for key, numbers in (("far", (9, 9)), ("near", (3, 4)), ("middle", (5, 12))):
        request("PutItem", {"TableName": name, "Item": {"k": {"S": key}, "e": vector(*numbers)}})
    wanted = {"TableName": name, "IndexName": "near", "SearchVector": vector(0, 0)["L"], "TopK": 2}
    expected = [
        {"Item": {"k": {"S": "near"}}, "Score": 5.0},
        {"Item": {"k": {"S": "far"}}, "Score": 12.727922439575195},
    ]
    assert request("SearchVectors", wanted) == {"SearchResults": expected}
    assert asyncio.run(place.connection.arequest("SearchVectors", wanted)) == {"SearchResults": expected}
    request("DeleteTable", {"TableName": name})


class Picture(Model):
    """A picture, found by what is near to it, among all of a tenant's or among all."""

    __table_name__ = "pictures"

    tenant = CharField(hash_key=True)
    number = IntegerField(range_key=True)
    kind = CharField()
    title = CharField()
    embedding = VectorField(dimensions=2, distance="euclidean")
    tone = VectorField(dimensions=3)

    near = VectorIndex(embedding, hash_key=tenant, filters=[kind], projections=["title"])
    any_near = VectorIndex(embedding, distance="dot_product", projections="ALL", name="any-near")
    by_tone = VectorIndex(tone)


class Later(Picture):
    """The same with one index fewer and one more."""

    by_tone = None
    by_kind = VectorIndex(Picture.tone, hash_key=None, filters=["kind"])


@pytest.fixture
def pictures(place: Place) -> Place:
    """A place that has vector indexes, with a table of pictures."""
    if place.name == "dynamodb-local":
        pytest.skip("DynamoDB Local has no vector indexes")
    dynamix.create_table(Picture)
    for number, (kind, vector) in enumerate([("a", (9, 9)), ("b", (3, 4)), ("a", (5, 12)), ("b", (0.1, 0.2))]):
        Picture.create(tenant="t", number=number, kind=kind, title=f"Title {number}", embedding=vector)
    Picture.create(tenant="other", number=9, kind="a", embedding=[0, 0])
    Picture.create(tenant="t", number=10, kind="a")  # without a vector
    return place


def found(pairs: list[tuple[Picture, float]]) -> list[int]:
    """The numbers of the pictures that a search found."""
    return [picture.number for picture, _ in pairs]


@pytest.mark.usefixtures("pictures")
def test_a_model_is_searched() -> None:
    """The nearest come first, each with its score, of those that the conditions choose and in the fields asked for; the
    twin finds the same."""
    pairs = Picture.search(Picture.near, near=[0, 0], where=Picture.tenant == "t")
    assert found(pairs) == [3, 1, 0, 2]
    assert pairs[1][1] == 5.0
    assert (pairs[1][0].title, pairs[1][0].kind) == ("Title 1", "b")
    with pytest.raises(FieldNotLoadedError):
        _ = pairs[1][0].embedding
    both = [Picture.tenant == "t", Picture.kind == "a"]
    assert found(Picture.search("near", (0, 0), 1, where=both)) == [0]
    assert found(Picture.search(Picture.near, (0, 0), where=both[0] & both[1])) == [0, 2]
    assert asyncio.run(Picture.asearch("near", array("f", [0, 0]), where=both)) == Picture.search(
        "near", numpy.zeros(2, "float32"), where=both
    )
    dots = Picture.search(Picture.any_near, numpy.array([1, 1]), 2, fields=[Picture.embedding])
    assert [(picture.number, picture.embedding, score) for picture, score in dots] == [
        (0, (9.0, 9.0), 18.0),
        (2, (5.0, 12.0), 17.0),
    ]
    assert Picture.search(Picture.tone, near=[1, 0, 0]) == []
    assert [Picture.is_searchable(index) for index in ("near", Picture.any_near, Picture.tone)] == [True] * 3
    picture = Picture.get(tenant="t", number=3)
    assert picture is not None
    assert picture.embedding == (0.1, 0.2)
    picture.embedding = [3, 4.5]
    picture.commit_changes()
    picture.set_field(Picture.title, "moved")
    picture.commit_changes()
    with dynamix.capacity() as used:
        assert found(Picture.search("near", picture.embedding, 1, where=both[0])) == [3]
    assert (used.requests, used.untold) == (1, 0)
    picture.embedding = None
    picture.commit_changes()
    assert found(Picture.search("near", [0, 0], where=both[0])) == [1, 0, 2]


def test_tables_get_and_lose_vector_indexes(pictures: Place) -> None:
    """A table is compared with the model's vector indexes, and brought to them one at a time."""
    assert dynamix.compare_table(Picture) == []
    assert not Later.is_searchable(Later.by_kind)
    with pytest.raises(IndexNotReadyError, match=r"'by_kind' is not there.*update_table") as caught:
        Later.search(Later.by_kind, [1, 0, 0])
    assert caught.value.index == "by_kind"
    assert [type(each) for each in dynamix.update_table(Later)] == [VectorIndexMissing, VectorIndexSurplus]
    assert dynamix.compare_table(Later) == []
    assert Later.is_searchable(Later.by_kind)

    class Other(Picture):
        """With indexes of other kinds under the same names."""

        by_tone = None
        by_kind = VectorIndex(Picture.tone, filters=["kind", "title"], distance="euclidean", projections="ALL")

    differences = dynamix.compare_table(Other)
    assert [type(each) for each in differences] == [VectorIndexDiffers] * 3
    assert [each.what for each in differences if isinstance(each, VectorIndexDiffers)] == [
        "distance",
        "search schema",
        "projection",
    ]
    assert pictures.call("DescribeTable", TableName=pictures.table_name(Other))["Table"]["VectorIndexes"]


def test_an_index_that_is_being_filled_says_so() -> None:
    """Until an index is filled, a search raises an error that says to search later, and is_searchable() says no."""
    now = [1_000_000.0]
    with (
        contextlib.closing(Engine(clock=lambda: now[0], delay_statuses=10)) as engine,
        dynamix.Connection(engine=engine) as connection,
        dynamix.use_connection(connection),
    ):
        definition = define(schema_of(Picture).at(""))
        index = definition["VectorIndexes"].pop()
        connection.request("CreateTable", definition)
        now[0] += 11
        update = {"TableName": "pictures", "VectorIndexUpdates": [{"Create": index}]}
        connection.request("UpdateTable", update)
        for reason in ("is not there", "still being filled"):
            with pytest.raises(IndexNotReadyError, match=reason):
                Picture.search(Picture.tone, [1, 0, 0])
            assert not asyncio.run(Picture.ais_searchable(Picture.tone))
            now[0] += 11
        assert Picture.is_searchable(Picture.tone)


@pytest.mark.parametrize(
    ("near", "says"),
    [
        ([1, 2, 3], "it has 3 dimensions, and the field 2"),
        ([1, float("nan")], "nan is nothing"),
        ([1, 1e39], "1e+39 is nothing"),
        ("12", "a vector: a list, tuple or array of numbers, not str"),
        ([1, "2"], "it takes numbers, not str"),
        ([True, 1], "it takes numbers, not bool"),
        (numpy.zeros((1, 2)), "one dimension, not of 2"),
        (numpy.array(["a", "b"]), "an array of numbers"),
    ],
)
def test_what_is_no_vector_is_refused(near: Any, says: str) -> None:
    """The error names the field and the value, in a search as in a write; nothing is sent."""
    with pytest.raises(dynamix.FieldValidationException, match=re.escape(says)):
        Picture.search(Picture.near, near, where=Picture.tenant == "t")
    with pytest.raises(dynamix.FieldValidationException, match=re.escape(says)):
        Picture(tenant="t", number=1, embedding=near).validate()


REFUSED: dict[str, Any] = {
    r"needs Picture\.tenant\.eq": lambda: Picture.search(Picture.near, [1, 2]),
    "takes eq on its hash_key": lambda: Picture.search(Picture.near, [1, 2], where=Picture.tenant > "t"),
    "look through what it finds": lambda: Picture.search(Picture.any_near, [1, 2], where=Picture.title == "x"),
    r"Picture\.embedding has 2 vector indexes; give the index by its name: 'near'": lambda: Picture.search(
        Picture.embedding, [1, 2]
    ),
    "names no vector index": lambda: Picture.search("title", [1, 2]),
    "is not an index of Picture": lambda: Picture.search(Later.by_kind, [1, 2, 3]),
    "does not hold Picture.tone": lambda: Picture.search(
        Picture.near, [1, 2], where=Picture.tenant == "t", fields=Picture.tone
    ),
    "top= of 1 to 100": lambda: Picture.search(Picture.any_near, [1, 2], 101),
    r"Picture\.search\(\) reads": lambda: Picture.query().use_index(Picture.near),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_searched_is_refused(message: str) -> None:
    """The message says what would work; there is no connection, so nothing was sent."""
    with pytest.raises(dynamix.ValidationException, match=message):
        REFUSED[message]()


def test_an_index_in_which_items_would_be_lost_is_refused() -> None:
    """An item that lacks the hash_key would be written and never found, so the field has to be required; other
    mistakes in a declaration are told as well."""
    for body, message in (
        ({"near": VectorIndex(Picture.embedding, hash_key="title")}, "give the field required=True"),
        ({"near": VectorIndex(Picture.title)}, "which is no VectorField"),  # type: ignore[arg-type]
        ({"near": VectorIndex(Picture.embedding, filters=["kind", "kind"])}, "has a field twice"),
        ({"near": VectorIndex(Picture.embedding, filters=["tone"])}, "cannot be a key"),
        ({f"near{n}": VectorIndex(Picture.embedding) for n in range(4)}, "at most 5"),
        ({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}, "billed on demand"),
    ):
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            type("Wrong", (Picture,), body)(tenant="t", number=1).validate()
    for options in ({"dimensions": 0}, {"dimensions": 2, "distance": "near"}):
        with pytest.raises(dynamix.ModelDefinitionError):
            VectorField(**options)  # type: ignore[call-overload]


SINGLES = strategies.floats(allow_nan=False, allow_infinity=False, width=32)


@given(strategies.lists(SINGLES, min_size=2, max_size=2))
def test_32_bit_floats_keep_their_value(numbers: list[float]) -> None:
    """What is taken of an array of 32-bit floats stands for the same ones, and is as short as it can be."""
    given = array("f", numbers)
    taken = Picture.embedding.floats(given)
    assert array("f", taken) == given
    assert taken == Picture.embedding.floats(numpy.array(numbers, "float32"))
    assert Picture.embedding.floats(array("f", [0.1])) == (0.1,)
