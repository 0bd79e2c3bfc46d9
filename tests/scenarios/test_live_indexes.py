"""Indexes of which the model says more than the table's index holds: nothing is taken for absent that was not read."""

import asyncio
import json
from typing import Any, ClassVar

import pytest
from scripted import serving

import dynamix
from dynamix import Connection, Model, use_connection
from dynamix.engine import Engine
from places import Place

KEYS = {"pk": {"S": "p"}, "sk": {"N": "1"}}
ITEM = {
    **KEYS,
    "u": {"S": "me"},
    "rank": {"N": "3"},
    "title": {"S": "t"},
    "tags": {"SS": ["a"]},
    "extra": {"S": "e"},
}
ALL: dict[str, Any] = {"ProjectionType": "ALL"}
KEYS_ONLY: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
TITLE: dict[str, Any] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]}
SOME: dict[str, Any] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title", "tags", "extra"]}


class Row(Model):
    """A model that says that its indexes hold much."""

    __table_name__ = "row"
    __secondary_indexes__: ClassVar = {
        "everything": {"hash_key": "user", "projections": "ALL"},
        "some": {"hash_key": "user", "projections": ["title", "tags", "other"]},
        "keys": {"hash_key": "user"},
    }
    pk = dynamix.CharField(hash_key=True)
    sk = dynamix.IntegerField(range_key=True)
    user = dynamix.CharField(name="u")
    rank = dynamix.IntegerField(indexed=True, projections="ALL")
    title = dynamix.CharField(default="none")
    tags = dynamix.SetField()
    other = dynamix.CharField(default="none")


INDEXES = ["everything", "some", Row.rank]


def key(*names: str) -> list[dict[str, str]]:
    """A key schema."""
    return [{"AttributeName": name, "KeyType": role} for name, role in zip(names, ("HASH", "RANGE"), strict=False)]


def definition(live: dict[str, Any]) -> dict[str, Any]:
    """The table with the indexes' real projection."""
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("pk", "S"), ("sk", "N"), ("u", "S"), ("rank", "N"))
        ],
        "KeySchema": key("pk", "sk"),
        "LocalSecondaryIndexes": [
            {
                "IndexName": "row_ix_rank",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "rank", "KeyType": "RANGE"},
                ],
                "Projection": live,
            }
        ],
        "GlobalSecondaryIndexes": [
            {"IndexName": name, "KeySchema": key("u"), "Projection": live} for name in ("everything", "some", "keys")
        ],
    }


def make(place: Place, live: dict[str, Any], item: dict[str, Any] = ITEM) -> None:
    """The table, with one item."""
    place.call("CreateTable", TableName=place.table_name(Row), **definition(live))
    place.call("PutItem", TableName=place.table_name(Row), Item=item)


def query(index: Any, *fields: Any) -> Any:
    """A query that finds the item in an index."""
    condition = Row.pk == "p" if index is Row.rank else Row.user == "me"
    return Row.query(*fields).use_index(index).where(condition)


def lacks(row: Row, name: str) -> bool:
    """Whether an instance was loaded without a field."""
    try:
        getattr(row, name)
    except dynamix.FieldNotLoadedError:
        return True
    return False


@pytest.mark.parametrize("index", INDEXES, ids=str)
@pytest.mark.parametrize(
    ("live", "lacking"),
    [(KEYS_ONLY, {"title", "tags", "other"}), (TITLE, {"tags", "other"}), (SOME, {"other"}), (ALL, set())],
    ids=["keys", "title", "some", "all"],
)
def test_what_the_tables_index_does_not_hold_is_not_loaded(
    place: Place, index: Any, live: dict[str, Any], lacking: set[str]
) -> None:
    """It raises when it is read, in queries, scans and iterations, and a whole-item write of it is refused."""
    make(place, live)
    for row in (
        query(index).first(),
        query(index).get_items()[0][0],
        *Row.scan().use_index(index),
        asyncio.run(query(index).afirst()),
    ):
        assert {name for name in ("title", "tags", "other") if lacks(row, name)} == lacking
        assert row.get_primary_key_dict() == {"pk": "p", "sk": 1}
        assert row.title == "t" if "title" not in lacking else True
        if lacking:
            with pytest.raises(dynamix.InvalidUpdateError, match="was loaded without"):
                Row.batch_write([row])
    row.set_field(Row.other, "changed").commit_changes()
    assert place.stored_item(Row, pk="p", sk=1) == {**ITEM, "other": {"S": "changed"}}


@pytest.mark.parametrize("index", INDEXES, ids=str)
def test_what_the_tables_index_holds_may_be_absent(place: Place, index: Any) -> None:
    """What the index would hold and the item does not have reads as its default or None, as from the table."""
    make(place, ALL, {name: ITEM[name] for name in ("pk", "sk", "u", "rank")})
    row = query(index).first()
    assert (row.title, row.tags, row.other) == ("none", None, "none")
    assert not lacks(row, "rank") or index == "some"


@pytest.mark.parametrize("live", [KEYS_ONLY, TITLE, ALL], ids=["keys", "title", "all"])
@pytest.mark.parametrize("index", [*INDEXES, "keys"], ids=str)
def test_the_second_round_completes_what_was_not_loaded(place: Place, index: Any, live: dict[str, Any]) -> None:
    """requery_for_all_projections gives whole items, also where the model says that the index has all."""
    make(place, live)
    (found,), _ = query(index).get_items(requery_for_all_projections=True)
    assert found == Row.get(pk="p", sk=1)
    assert (found.title, found.tags, found.other) == ("t", {"a"}, "none")


@pytest.mark.parametrize("index", INDEXES, ids=str)
def test_filters_and_choices_of_what_is_not_there_are_refused(place: Place, index: Any) -> None:
    """A filter by what the table's index does not hold would quietly find nothing: it is refused, and so is a choice of
    such a field, but of a local index, where the service reads it from the table."""
    make(place, TITLE)
    assert query(index).where(Row.title == "t").count() == 1
    for read in (lambda q: q.get_items(), lambda q: q.count(), lambda q: q.limit(1).get_items(), list):
        with pytest.raises(dynamix.InvalidQueryError, match=r"holds Row\.tags, but that of the table does not"):
            read(query(index).where(Row.tags.contains("a")))
    if index is Row.rank:
        assert query(index, Row.tags).first().tags == {"a"}
    else:
        with pytest.raises(dynamix.InvalidQueryError, match=r"holds Row\.tags"):
            query(index, Row.tags).get_items()


def test_a_table_made_anew_is_looked_at_anew(place: Place) -> None:
    """create_table forgets what the connection knew of the table's indexes."""
    make(place, KEYS_ONLY)
    assert lacks(query("some").first(), "title")
    dynamix.create_table(Row, force=True)
    Row.create(pk="p", sk=1, user="me")
    assert query("some").first().title == "none"
    assert not lacks(query("everything").first(), "other")


class Describing:
    """An engine that answers DescribeTable as it is told, with errors or with JSON, and counts such requests."""

    def __init__(self, *codes: str | None) -> None:
        self.engine = Engine()
        self.count = 0
        self._codes = list(codes)

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Called by the server."""
        if target != "DescribeTable":
            return self.engine.handle(target, body)
        self.count += 1
        code = self._codes.pop(0) if len(self._codes) > 1 else self._codes[0] if self._codes else None
        if code is None:
            return self.engine.handle(target, body)
        if code.startswith("{"):
            return 200, code.encode()
        return 400, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}).encode()

    def make(self, live: dict[str, Any], item: dict[str, Any] = ITEM) -> None:
        """The table, with one item."""
        for target, body in (("CreateTable", definition(live)), ("PutItem", {"Item": item})):
            status, _ = self.engine.handle(target, json.dumps({"TableName": "row", **body}).encode())
            assert status == 200

    def release(self) -> None:
        """Nothing waits."""


def test_the_description_is_asked_for_once() -> None:
    """One DescribeTable serves all reads of a table's indexes over a connection; the table itself, and an index of
    which no more than the keys is said, need none."""
    server = Describing()
    with serving(server) as connection:  # type: ignore[arg-type]
        server.make(ALL)
        Row.query().where(Row.pk == "p").get_items()
        query("keys").get_items()
        Row.scan().use_index("keys").count()
        query("everything").count()
        assert server.count == 0
        for index in (*INDEXES, "keys"):
            for _ in range(2):
                query(index).first()
                list(Row.scan().use_index(index))
        assert server.count == 1
        with Connection(is_local_endpoint=connection._options["is_local_endpoint"]) as other, use_connection(other):
            query("some").first()
        assert server.count == 2


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "UnknownOperationException",
        "{}",
        '{"Table": {"TableName": "row", "GlobalSecondaryIndexes": [{"IndexName": "some"}]}}',
    ],
)
@pytest.mark.parametrize("index", INDEXES, ids=str)
def test_without_a_description_what_is_missing_is_not_loaded(index: Any, code: str) -> None:
    """Where the table may not be described, what an answer has is loaded and what it lacks is not, even if stored
    nowhere; the second round still completes it. It is asked for once; an answer that is none is repeated, as any."""
    server = Describing(code)
    with serving(server):  # type: ignore[arg-type]
        server.make(TITLE)
        (row,), _ = query(index).get_items()
        assert (row.title, row.sk) == ("t", 1)
        assert lacks(row, "tags")
        assert lacks(row, "other")
        with pytest.raises(dynamix.InvalidUpdateError, match="was loaded without"):
            Row.batch_write([row])
        (row,), _ = query(index).get_items(requery_for_all_projections=True)
        assert (row.title, row.tags, row.other) == ("t", {"a"}, "none")
        assert query(index).where(Row.title == "t").count() == 1
        assert server.count == (4 if code.startswith("{") else 1)


def test_a_throttled_description_is_asked_for_again() -> None:
    """A passing failure is no answer: the read goes on without, and the next one asks again."""
    server = Describing("ThrottlingException", "ThrottlingException", None)
    with serving(server, max_attempts=2, throttle_delay=0.001):  # type: ignore[arg-type]
        server.make(SOME)
        assert lacks(query("some").first(), "other")
        assert server.count == 2
        assert (query("some").first().title, server.count) == ("t", 3)
