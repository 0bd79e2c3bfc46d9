"""PartiQL through the mapper: typed rows, pages, batches, transactions; nothing scans or fails silently."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

import dynamix
from dynamix import CharField, DateTimeField, IntegerField, Model, Statement, TTLField
from dynamix.engine import Engine
from dynamix.engine.http.server import Server
from places import Place


class Song(Model):
    artist = CharField(hash_key=True)
    title = CharField(range_key=True, name="t")
    plays = IntegerField(default=0)
    released = DateTimeField(indexed=True, projections=["ends"])
    album = CharField()
    ends = TTLField(hide_expired=True)


MOMENT = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def name(place: Place) -> str:
    """The table's name, with songs in it."""
    dynamix.create_table(Song)
    for number in range(5):
        Song.create(artist="Bach", title=f"{number}", plays=number, released=MOMENT)
    Song.create(artist="Bach", title="9", ends=1)
    Song.create(artist="Byrd", title="a", album="x")
    return place.table_name(Song)


def test_a_select_gives_instances(name: str) -> None:
    """With a model, of its type and in pages; an expired item is absent; without one, dicts of Python values."""
    text = f'SELECT * FROM "{name}" WHERE artist = ? AND plays >= ?'
    rows = dynamix.partiql(text, ["Bach", 2], model=Song)
    assert rows == Song.query().where(Song.artist == "Bach", Song.plays >= 2).get_items()[0]
    assert (len(rows), rows.cursor) == (3, None)
    dicts = dynamix.partiql(f"SELECT t, plays FROM \"{name}\" WHERE artist = 'Byrd'", scan=True)
    assert dicts == [{"t": "a", "plays": 0}]
    moments = dynamix.partiql(
        f'SELECT * FROM "{name}" WHERE artist = ? AND released = ?', ["Bach", (Song.released, MOMENT)], model=Song
    )
    assert len(moments) == 5
    assert [song.title for song in asyncio.run(dynamix.apartiql(text, ["Bach", 4], model=Song))] == ["4"]


def test_pages(name: str) -> None:
    """A limit is the most rows that are returned, and the cursor goes on behind them."""
    text, found, cursor = f'SELECT * FROM "{name}" WHERE artist = ?', [], None
    while True:
        rows = dynamix.partiql(text, ["Bach"], model=Song, limit=2, cursor=cursor)
        assert len(rows) <= 2
        found += rows
        cursor = rows.cursor
        if cursor is None:
            break
    assert [song.title for song in found] == list("01234")
    with pytest.raises(dynamix.InvalidCursorError, match="only to the one that gave it"):
        dynamix.partiql(text, ["Bach"], model=Song, limit=2, cursor="xyz")


def test_selected_attributes(name: str) -> None:
    """An instance knows what was not selected, and what an index does not hold."""
    (song, *_) = dynamix.partiql(f"SELECT artist, t, plays FROM \"{name}\" WHERE artist = 'Bach'", model=Song)
    assert song.plays == 0
    with pytest.raises(dynamix.FieldNotLoadedError, match="album"):
        _ = song.album


def test_a_local_index(name: str, place: Place) -> None:
    """Its rows lack what it does not hold, and its key chooses."""
    (index,) = place.call("DescribeTable", TableName=name)["Table"]["LocalSecondaryIndexes"]
    text = f'SELECT * FROM "{name}"."{index["IndexName"]}" WHERE artist = ?'
    rows = dynamix.partiql(text, ["Bach"], model=Song)
    assert len(rows) == 5
    with pytest.raises(dynamix.FieldNotLoadedError, match="album"):
        _ = rows[0].album


def test_an_index_that_holds_less_than_its_model_says(name: str, place: Place) -> None:
    """What the table's own index does not hold counts as not loaded, as in a query."""
    (index,) = place.call("DescribeTable", TableName=name)["Table"]["LocalSecondaryIndexes"]

    class Claiming(dynamix.Model):
        __table_name__ = "Song"

        artist = CharField(hash_key=True)
        title = CharField(name="t", range_key=True)
        released = DateTimeField(indexed=True, projections="ALL", index_name=index["IndexName"])
        album = CharField()

    rows = dynamix.partiql(f'SELECT * FROM "{name}"."{index["IndexName"]}" WHERE artist = ?', ["Bach"], model=Claiming)
    assert len(rows) == 5
    with pytest.raises(dynamix.FieldNotLoadedError, match="album"):
        _ = rows[0].album


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "WHERE plays = 1",
        "WHERE artist > 'A'",
        "WHERE artist = 'Bach' OR plays = 1",
        "WHERE (artist = 'Bach' OR plays = 1)",
        "WHERE NOT artist = 'Bach'",
        "WHERE artist = t",
        "WHERE t = 'artist'",
    ],
)
def test_no_silent_scan(name: str, condition: str) -> None:
    """What may read the whole table is refused, and works where it is asked for."""
    text = f'SELECT * FROM "{name}" {condition}'
    with pytest.raises(dynamix.InvalidQueryError, match="whole table"):
        dynamix.partiql(text, model=Song)
    with pytest.raises(dynamix.InvalidQueryError, match="give model="):
        dynamix.partiql(text)
    if "= t" not in condition:  # which the service does not compare
        assert isinstance(dynamix.partiql(text, model=Song, scan=True), list)


@pytest.mark.parametrize(
    "condition", ["artist = 'O''Hara'", '"artist"=?', "plays = 1 AND artist IN [?, 'b']", "t > 'x' and artist = ?"]
)
def test_a_key_is_seen(name: str, condition: str) -> None:
    """However the key is written."""
    text = f'SELECT * FROM "{name}" WHERE {condition}'
    assert dynamix.partiql(text, ["Cage"] * text.count("?"), model=Song) == []


@pytest.mark.parametrize(
    ("text", "parameters", "told"),
    [
        ("SELECT * FROM x WHERE a = ?", [], "1 question marks, and 0 parameters"),
        ("SELECT * FROM x WHERE a = '?'", [1], "0 question marks, and 1 parameters"),
        ("SELECT * FROM other WHERE artist = ?", ["a"], "reads the table 'other'; that of Song is"),
        ("SELECT artist FROM {} WHERE artist = ?", ["a"], "does not select 't'"),
        ("SELECT artist, t, a.b FROM {} WHERE artist = ?", ["a"], r"selects a \. b"),
        ("UPDATE {} SET plays=1 WHERE artist='a' AND t='b' RETURNING MODIFIED NEW *", [], "leave out model="),
        ("SELECT * FROM {} WHERE artist = ?", [object()], "parameter 1: DynamoDB has no type"),
        ("SELECT * FROM {} WHERE artist = ?", [(Song.artist, 5)], "Song.artist cannot hold 5"),
        ("SELECT * FROM {}.nope WHERE artist = ?", ["a"], "nope"),
    ],
)
def test_what_is_refused(name: str, text: str, parameters: list[Any], told: str) -> None:
    """Before anything is sent, with the reason."""
    with pytest.raises(dynamix.ValidationException, match=told):
        dynamix.partiql(text.format(f'"{name}"'), parameters, model=Song)
    with pytest.raises(dynamix.WrongTypeError, match="parameters are a list"):
        dynamix.partiql("SELECT 1", "x")
    with pytest.raises(dynamix.InvalidQueryError, match="limit=0"):
        dynamix.partiql("SELECT * FROM x", scan=True, limit=0)


def test_consistent_reads() -> None:
    """A connection's `consistent_reads` holds for statements where it can; a transaction takes none."""
    asked: list[str] = []
    engine = Engine()

    class Noting:
        def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
            asked.append(body.decode())
            return engine.handle(target, body)

    with (
        Server(Noting(), port=0) as server,
        dynamix.Connection(is_local_endpoint=server.address, consistent_reads=True) as connection,
        dynamix.use_connection(connection),
    ):
        dynamix.create_table(Song)
        asked.clear()
        dynamix.partiql("SELECT * FROM Song WHERE artist = 'a'", model=Song)
        dynamix.partiql("SELECT * FROM Song.Song_ix_released WHERE artist = 'a'", model=Song)
        dynamix.partiql("SELECT * FROM Song WHERE artist = 'a'", model=Song, consistent=False)
        dynamix.partiql("DELETE FROM Song WHERE artist = 'a' AND t = 'b'")
        statements = [body for body in asked if "Statement" in body]  # beside the one look at the index
        assert ['"ConsistentRead":true' in body for body in statements] == [True, True, False, False]
        read = Statement("SELECT * FROM Song WHERE artist = 'a' AND t = 'b'", (), Song)
        assert dynamix.partiql_transaction(read) == [None]
        assert "ConsistentRead" not in asked[-1]
        with pytest.raises(dynamix.InvalidQueryError, match="leave out consistent="):
            dynamix.partiql_transaction(Statement(read.text, (), Song, consistent=True))
    engine.close()


def test_writes(name: str) -> None:
    """They do what they say; one that meets an item, or fails its condition, has the mapper's errors."""
    assert dynamix.partiql(f"INSERT INTO \"{name}\" VALUE {{'artist': ?, 't': ?}}", ["Cage", "4'33"]) == []
    with pytest.raises(dynamix.ItemExistsError):
        dynamix.partiql(f"INSERT INTO \"{name}\" VALUE {{'artist': 'Cage', 't': ?}}", ["4'33"])
    text = f'UPDATE "{name}" SET plays = ? WHERE artist = ? AND t = ? AND plays = ? RETURNING ALL NEW *'
    (song,) = dynamix.partiql(text, [7, "Bach", "1", 1], model=Song)
    assert song == Song.get(artist="Bach", title="1")
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        dynamix.partiql(text, [8, "Bach", "1", 1], model=Song)
    assert caught.value.item == song
    with pytest.raises(dynamix.TableNotFoundError):
        dynamix.partiql('SELECT * FROM "nowhere" WHERE a = 1', scan=True)


def test_a_batch(name: str) -> None:
    """Any number of statements, reads and writes; what fails is raised, with what did not."""
    read = f'SELECT * FROM "{name}" WHERE artist = ? AND t = ?'
    statements = [Statement(read, ["Bach", str(number)], Song) for number in range(30)]
    statements.insert(3, Statement(f"INSERT INTO \"{name}\" VALUE {{'artist': 'Cage', 't': 'new'}}", (), Song))
    rows = dynamix.partiql_batch(*statements)
    assert [row and row.title for row in rows][:7] == ["0", "1", "2", None, "3", "4", None]
    assert Song.exists(artist="Cage", title="new")
    with pytest.raises(dynamix.StatementsFailedError, match="1 of 31 statements failed") as caught:
        asyncio.run(dynamix.apartiql_batch(*statements))
    assert list(caught.value.errors) == [3]
    assert isinstance(caught.value.errors[3], dynamix.ItemExistsError)
    assert [row and row.title for row in caught.value.results] == [row and row.title for row in rows]
    assert caught.value.applied == "no"
    with pytest.raises(dynamix.WrongTypeError, match="give Statement"):
        dynamix.partiql_batch("SELECT 1")  # type: ignore[arg-type]


def test_a_transaction(name: str, place: Place) -> None:
    """All or nothing, with the reason of each statement."""
    insert = f"INSERT INTO \"{name}\" VALUE {{'artist': ?, 't': 'x'}}"
    update = f'UPDATE "{name}" SET plays = 1 WHERE artist = ? AND t = ? AND plays = ?'
    assert dynamix.partiql_transaction(Statement(insert, ["A"]), Statement(update, ["Bach", "3", 3])) == [None, None]
    with pytest.raises(dynamix.TransactionCanceledError) as caught:
        dynamix.partiql_transaction(Statement(insert, ["B"]), Statement(update, ["Bach", "3", 3], Song))
    assert [reason.code for reason in caught.value.reasons] == [None, "ConditionalCheckFailed"]
    if "local" not in place.name:  # which tells no item here
        assert caught.value.reasons[1].item == Song.get(artist="Bach", title="3")
    assert not Song.exists(artist="B", title="x")
    read = Statement(f'SELECT * FROM "{name}" WHERE artist = ? AND t = ?', ["Bach", "3"], Song)
    (found,) = asyncio.run(dynamix.apartiql_transaction(read))
    assert found == Song.get(artist="Bach", title="3")
    assert dynamix.partiql_transaction() == dynamix.partiql_batch() == []
