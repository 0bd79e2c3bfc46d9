"""Indexes that are declared as attributes, keys of indexes with several attributes, and sparse indexes."""

import contextlib
import random
from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import (
    CharField,
    DiscriminatorField,
    GlobalIndex,
    IndexKeyDiffers,
    IndexMissing,
    IntegerField,
    InvalidCursorError,
    InvalidQueryError,
    KeyField,
    LocalIndex,
    Model,
    UnknownNameError,
)
from places import Place


class Visit(Model):
    """One visit, found by tenant and region, by day and number."""

    __table_name__ = "visits"
    __secondary_indexes__: ClassVar = {"by_guest": {"hash_key": "guest"}}

    house = CharField(hash_key=True)
    number = IntegerField(range_key=True)
    tenant = CharField(name="t")
    region = CharField()
    day = CharField()
    seq = IntegerField()
    guest = CharField()
    open_since = CharField()

    by_place = GlobalIndex(hash_key=[tenant, region], range_key=[day, seq], projections=["guest"])
    open_ones = GlobalIndex(hash_key=house, range_key="open_since", name="open-ones", projections="ALL")
    by_day = LocalIndex(range_key=day, projections=[seq])


class Shop(Model):
    """The same indexes where the table has one partition key in each."""

    __table_name__ = "shops"

    house = CharField(hash_key=True)
    number = IntegerField(range_key=True)
    day = CharField()
    open_since = CharField()

    by_day = LocalIndex(range_key=day)
    open_ones = GlobalIndex(hash_key=house, range_key=open_since, projections="ALL")


PLACE = Visit.query().where(Visit.tenant == "t1", Visit.region == "eu")


@pytest.fixture
def wide(place: Place) -> Place:
    """A place that has keys of several attributes, with a table of visits."""
    if place.name == "dynamodb-local":
        pytest.skip("this DynamoDB Local is older than keys of several attributes")
    dynamix.create_table(Visit)
    return place


def numbers(visits: Any) -> list[int]:
    """The numbers of visits."""
    return [visit.number for visit in visits]


def fill() -> list[Visit]:
    """Visits of all kinds, in the order of the index's sort key."""
    visits = [
        Visit(house="h", number=n, tenant="t1", region="eu", day=f"2026-01-0{1 + n // 4}", seq=n % 4, guest="g")
        for n in range(12)
    ]
    others = [
        Visit(house="h", number=20, tenant="t1", region="us", day="2026-01-01", seq=1),
        Visit(house="h", number=21, tenant="t1", region="eu", day="2026-01-01"),  # not in the index
        Visit(house="h", number=22, tenant="t2", region="eu", day="2026-01-01", seq=1),
    ]
    mixed = [*visits, *others]
    random.Random(5).shuffle(mixed)
    Visit.batch_write(mixed)
    return visits


@pytest.mark.usefixtures("wide")
def test_a_key_of_several_attributes_is_queried() -> None:
    """All parts of the partition key by equality, those of the sort key from the first on, the last one by a range too;
    the index is found by itself, pages continue, and what is missing in the key is not in the index."""
    fill()
    index = PLACE.use_index(Visit.by_place)
    assert numbers(index) == numbers(PLACE) == list(range(12))
    assert numbers(index.order(asc=False)) == list(range(12))[::-1]
    assert numbers(index.where(Visit.day == "2026-01-02")) == [4, 5, 6, 7]
    assert numbers(index.where(Visit.day.between("2026-01-02", "2026-01-03"))) == list(range(4, 12))
    assert numbers(index.where(Visit.day == "2026-01-02", Visit.seq >= 2)) == [6, 7]
    assert numbers(index.where(Visit.seq >= 1, Visit.seq <= 2, Visit.day == "2026-01-02")) == [5, 6]
    assert numbers(index.filter(Visit.guest == "g").limit(5)) == list(range(5))
    assert numbers(visit for page in index.pages(5) for visit in page.items) == list(range(12))
    items, cursor = index.limit(5).get_items()
    assert numbers(index.start_key(str(cursor))) == list(range(5, 12))
    assert items[0].guest == "g"
    assert set(cursor.key) == {"house", "number", "t", "region", "day", "seq"} if cursor else False
    with pytest.raises(InvalidCursorError, match="another value of the partition key 'region'"):
        Visit.query().where(Visit.tenant == "t1", Visit.region == "us").start_key(cursor).get_items()
    assert numbers(index.use_index(Visit.seq)) == list(range(12))
    explained = index.where(Visit.day == "2026-01-02", Visit.seq > 1).explain()
    assert explained.key_condition == (
        "Visit.tenant = 't1' AND Visit.region = 'eu' AND Visit.day = '2026-01-02' AND Visit.seq > 1"
    )
    assert index.where(Visit.day == "2026-01-01").update(Visit.day.set("2026-01-09")) == 4
    assert numbers(index)[-4:] == [0, 1, 2, 3]


REFUSED: dict[str, Any] = {
    r"needs Visit\.region\.eq.* as well, part of the partition key; Visit\.scan": Visit.query()
    .use_index(Visit.by_place)
    .where(Visit.tenant == "t1"),
    r"use_index\('by_place'\).*needs Visit\.tenant\.eq": Visit.query().where(Visit.region == "t1"),
    r"takes only eq": Visit.query().use_index(Visit.by_place).where(Visit.tenant == "t1", Visit.region > "a"),
    r"has more than one condition": PLACE.use_index(Visit.by_place).where(Visit.region == "us"),
    r"Visit\.seq is a part of the sort key behind Visit\.day": PLACE.use_index(Visit.by_place).where(Visit.seq == 1),
    r"Visit\.seq is a part .* only the last": PLACE.use_index(Visit.by_place).where(Visit.day > "2", Visit.seq == 1),
    r"cannot serve.*behind Visit\.day": PLACE.where(Visit.seq == 1),
    r"is a key of the index 'by_place'": PLACE.use_index(Visit.by_place).filter(Visit.seq == 1),
    r"not contains": PLACE.use_index(Visit.by_place).where(Visit.day.contains("2")),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_such_a_key_cannot_serve_is_refused(message: str) -> None:
    """The message names the part of the key; there is no connection, so nothing was sent."""
    with pytest.raises(InvalidQueryError, match=message):
        REFUSED[message].explain()


def test_tables_are_made_and_changed_with_such_keys(wide: Place) -> None:
    """The table has the keys in order; a missing index is made, and one with another order of the same attributes is
    told of as another key."""
    assert dynamix.compare_table(Visit) == []
    table = wide.call("DescribeTable", TableName=wide.table_name(Visit))["Table"]
    keys = {index["IndexName"]: index["KeySchema"] for index in table["GlobalSecondaryIndexes"]}
    assert [(part["AttributeName"], part["KeyType"]) for part in keys["by_place"]] == [
        ("t", "HASH"),
        ("region", "HASH"),
        ("day", "RANGE"),
        ("seq", "RANGE"),
    ]
    assert [index["IndexName"] for index in table["LocalSecondaryIndexes"]] == ["by_day"]
    expected = fill()

    class Turned(Visit):
        """With the parts in another order, and one index more."""

        by_place = GlobalIndex(hash_key=["region", "tenant"], range_key=["day", "seq"], projections=["guest"])
        by_seq = GlobalIndex(hash_key=["seq", "region", "tenant"], range_key=Visit.day, projections="ALL")

    differences = dynamix.compare_table(Turned)
    assert [type(each) for each in differences] == [IndexMissing, IndexKeyDiffers]
    assert "region (HASH), t (HASH), day (RANGE)" in str(differences[1])

    class More(Visit):
        """With one index more."""

        by_seq = GlobalIndex(hash_key=["seq", "region", "tenant"], range_key=Visit.day, projections="ALL")

    assert [type(each) for each in dynamix.update_table(More)] == [IndexMissing]
    found = More.query().where(More.seq == 1, More.tenant == "t1", More.region == "eu", More.day > "2026-01-01")
    assert numbers(found) == [visit.number for visit in expected if visit.seq == 1 and visit.number > 3]
    with contextlib.suppress(UnknownNameError):
        More.query().use_index(Turned.by_seq)
        raise AssertionError("the index of another model was taken")


@pytest.mark.usefixtures("place")
def test_declared_indexes_are_used() -> None:
    """What a model declares as an attribute is an index like any other: of that name or another, local or global, and
    `use_index` takes it; another model's is refused. A sparse index has the items that have its key, and no others."""
    dynamix.create_table(Shop)
    Shop.batch_write(
        [Shop(house="h", number=n, day=f"d{9 - n}", open_since="now" if n % 3 == 0 else None) for n in range(6)]
    )
    assert dynamix.compare_table(Shop) == []
    shops = Shop.query().where(Shop.house == "h")
    assert numbers(shops.use_index(Shop.by_day)) == numbers(shops.use_index("by_day")) == [5, 4, 3, 2, 1, 0]
    assert numbers(shops.use_index(Shop.by_day, asc=False).where(Shop.day > "d7")) == [0, 1]
    assert sorted(numbers(Shop.scan().use_index(Shop.open_ones))) == [0, 3]
    shop = Shop.get(house="h", number=3)
    assert shop is not None
    shop.open_since = None
    shop.commit_changes()
    assert numbers(shops.use_index(Shop.open_ones)) == [0]
    for other in (Visit.by_day, GlobalIndex(hash_key="house")):
        with pytest.raises(UnknownNameError, match="is not an index of Shop"):
            shops.use_index(other)


class Work(Model):
    """What jobs and notes share: indexes whose keys have several attributes, some of them computed."""

    __table_name__ = "work"
    __secondary_indexes__: ClassVar = {
        "by_state": {"hash_key": "state_key", "range_key": ["day", "sk"], "projections": "ALL"},
        "by_place": {"hash_key": ["place", "state_key"], "range_key": ["sk", "seq"], "projections": "ALL"},
        "by_day": {"hash_key": "place", "range_key": ["day", "state_key"]},
    }

    kind = DiscriminatorField()
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    state_key = CharField()
    place = CharField()
    day = CharField()
    seq = IntegerField()


class Job(Work):
    """One of its models."""

    __discriminator__ = "job"

    number = IntegerField(required=True)
    state = CharField()
    pk = KeyField("WORK", hash_key=True)
    sk = KeyField("JOB#{number:02d}", range_key=True)
    state_key = KeyField("STATE#{state}")


class Memo(Work):
    """Another one, in the same partitions."""

    __discriminator__ = "memo"

    number = IntegerField(required=True)
    state = CharField()
    pk = KeyField("WORK", hash_key=True)
    sk = KeyField("MEMO#{number:02d}", range_key=True)
    state_key = KeyField("STATE#{state}")


class Ticket(Model):
    """A model of its own, whose index has a part of the sort key that is the same in all items."""

    number = IntegerField(hash_key=True)
    state = CharField()
    state_key = KeyField("STATE#{state}")
    fixed = KeyField("TICKET")

    by_state = GlobalIndex(hash_key=[state_key], range_key=[fixed, number], projections="ALL")


@pytest.mark.usefixtures("wide")
def test_computed_parts_of_such_a_key_are_made_of_their_parts() -> None:
    """Each attribute of the key is conditioned by itself: what a query gives for the parts of a computed one stands for
    it, and the texts of a model narrow the attribute that has them. Nothing is lost, no other model's item found."""
    dynamix.create_table(Work)
    for model in (Job, Memo):
        for n in range(4):
            model.create(number=n, state="open" if n else "done", place="p", day=f"d{n // 2}", seq=n)
    state = Job.query(state="open").use_index("by_state")
    place = Job.query(state="open", place="p").use_index("by_place")
    day = Job.query(place="p").use_index("by_day")
    known, here = "Job.state_key = 'STATE#open'", "Work.place = 'p'"
    expected = [
        (state, [1, 2, 3], known),
        (state.where(Job.day >= "d1"), [2, 3], f"{known} AND Work.day >= 'd1'"),
        (state.where(Job.day == "d1"), [2, 3], f"{known} AND Work.day = 'd1' AND begins_with(Job.sk, 'JOB#')"),
        (state.where(Job.day == "d1", Job.number == 3), [3], f"{known} AND Work.day = 'd1' AND Job.sk = 'JOB#03'"),
        (place, [1, 2, 3], f"{here} AND {known} AND begins_with(Job.sk, 'JOB#')"),
        (place.where(Job.number == 2, Job.seq > 1), [2], f"{here} AND {known} AND Job.sk = 'JOB#02' AND Work.seq > 1"),
        (day.where(Job.day == "d0", Job.state == "open"), [1], f"{here} AND Work.day = 'd0' AND {known}"),
        (day, [0, 1, 2, 3], here),
    ]  # fmt: skip
    for query, found, condition in expected:
        jobs = query.all(requery_for_all_projections=True)
        assert ([type(job) for job in jobs], numbers(jobs)) == ([Job] * len(found), found)
        assert (query.count(), query.explain().key_condition) == (len(found), condition)
    assert day.where(Job.day == "d1").delete() == 2
    assert (Job.scan().count(), Memo.scan().count()) == (2, 4)
    dynamix.create_table(Ticket)
    Ticket.batch_write([{"number": n, "state": "open"} for n in range(3)])
    assert numbers(Ticket.query(state="open").where(Ticket.number >= 1)) == [1, 2]
