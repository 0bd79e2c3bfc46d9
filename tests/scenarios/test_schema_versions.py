"""Models with versions: what is stored in an older one is brought up when it is read, and stored so by a save."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import upgrade
from places import Place


class User(dynamix.Model):
    """The third version: names were split, then prices became cents."""

    __table_name__ = "users"
    __schema_version__ = 3
    __secondary_indexes__: ClassVar = {
        "wide": {"hash_key": "group", "projections": "ALL"},
        "some": {"hash_key": "group", "projections": ["first"]},
        "keys": {"hash_key": "group"},
    }
    key = dynamix.CharField(hash_key=True)
    group = dynamix.CharField(default="g")
    first = dynamix.CharField(default="?")
    last = dynamix.CharField()
    cents = dynamix.IntegerField(was="pence")
    tags = dynamix.ListField()
    note = dynamix.CharField()

    @upgrade(1, reads=["name"])
    @staticmethod
    def split_name(stored: dict[str, Any]) -> None:
        """From version 1."""
        first, _, last = stored.pop("name", "").partition(" ")
        stored |= {"first": first, "last": last}

    @upgrade(2)
    @classmethod
    def count_cents(cls, stored: dict[str, Any]) -> None:
        """From version 2."""
        if "price" in stored:
            stored["pence"] = int(stored.pop("price") * cls.rate())
        stored.setdefault("tags", []).append("upgraded")

    @classmethod
    def rate(cls) -> int:
        """What a unit is worth."""
        return 100


ONE: dict[str, Any] = {
    "key": {"S": "k"},
    "group": {"S": "g"},
    "name": {"S": "Ada Byron"},
    "price": {"N": "1.25"},
    "blob": {"B": "AP8="},
}
TWO: dict[str, Any] = {
    "key": {"S": "k"},
    "group": {"S": "g"},
    "schema_version": {"N": "2"},
    "first": {"S": "Ada"},
    "last": {"S": "Byron"},
    "price": {"N": "1.25"},
    "blob": {"B": "AP8="},
}
THREE: dict[str, Any] = {
    "key": {"S": "k"},
    "group": {"S": "g"},
    "schema_version": {"N": "3"},
    "first": {"S": "Ada"},
    "last": {"S": "Byron"},
    "cents": {"N": "125"},
    "tags": {"L": [{"S": "upgraded"}]},
    "blob": {"B": "AP8="},
}


@pytest.fixture
def table(place: Place) -> Place:
    """The place, with a table of users."""
    dynamix.create_table(User)
    return place


def put(place: Place, *items: dict[str, Any]) -> None:
    """Store items as other programs would."""
    for item in items:
        place.call("PutItem", TableName=place.table_name(User), Item=item)


def test_older_versions_are_brought_up(table: Place) -> None:
    """One upgrade after another, in every way of reading; a save stores what the item has become, once."""
    for item in (ONE, TWO, THREE):
        put(table, item)
        ways = [User.get_or_raise(key="k"), *User.scan(), *User.batch_get({"key": "k"}), User.from_item(item)]
        for user in (*ways, *User.query().use_index("wide").where(User.group == "g")):
            assert (user.first, user.last, user.cents, user.tags) == ("Ada", "Byron", 125, ["upgraded"])
            assert user.undeclared == {"blob": b"\x00\xff"}
            assert table.stored_item(User, key="k") == item
        ways[0].save().save()
        assert table.stored_item(User, key="k") == THREE
    put(table, ONE, {**THREE, "key": {"S": "other"}})
    assert {user.cents for user in User.scan()} == {125}
    assert User.count_cents.__doc__ == "From version 2."
    stored: dict[str, Any] = {"price": Decimal(2)}
    User.count_cents(stored)
    assert stored == {"pence": 200, "tags": ["upgraded"]}


@pytest.mark.parametrize("item", [ONE, TWO], ids=["1", "2"])
def test_every_write_stores_the_present_version(table: Place, item: dict[str, Any]) -> None:
    """With further changes in the same update; whole, in transactions and batches; of new items too."""
    put(table, item)
    user = User.get_or_raise(key="k")
    user.last = "Lovelace"
    user.tags.append("more")
    user.change(User.cents.add(5)).save()
    changed = {
        **THREE,
        "last": {"S": "Lovelace"},
        "tags": {"L": [{"S": "upgraded"}, {"S": "more"}]},
        "cents": {"N": "130"},
    }
    assert table.stored_item(User, key="k") == changed
    assert (user.cents, user.undeclared, User.get_or_raise(key="k")) == (130, {"blob": b"\x00\xff"}, user)
    put(table, item)
    user = User.get_or_raise(key="k")
    user.note = "n"
    user.commit_changes()
    assert table.stored_item(User, key="k") == {**THREE, "note": {"S": "n"}}
    put(table, item)
    User.get_or_raise(key="k").save(overwrite=True)
    assert table.stored_item(User, key="k") == THREE
    put(table, item)
    User.batch_write([User.get_or_raise(key="k")])
    assert table.stored_item(User, key="k") == THREE
    put(table, item)
    with dynamix.transaction() as transaction:
        transaction.save(User.get_or_raise(key="k"))
    assert table.stored_item(User, key="k") == THREE
    User.create(key="k", first="New")
    assert table.stored_item(User, key="k") == {
        "key": {"S": "k"},
        "group": {"S": "g"},
        "first": {"S": "New"},
        "schema_version": {"N": "3"},
    }


def test_a_save_of_what_others_changed_is_a_conflict(table: Place) -> None:
    """It was upgraded by others, or changed by an older program: nothing is lost."""
    put(table, ONE)
    user = User.get_or_raise(key="k")
    put(table, {**ONE, "price": {"N": "2"}})
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="price"):
        user.save()
    put(table, {**THREE, "last": {"S": "Lovelace"}})
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="schema_version"):
        user.save()
    assert user.refresh(discard=True).last == "Lovelace"


def test_a_newer_version_is_refused(table: Place) -> None:
    """So are what is no version, and one from which no upgrade leads here; `on_error` is told of each."""
    put(table, THREE, {**THREE, "key": {"S": "new"}, "schema_version": {"N": "4"}})
    with pytest.raises(dynamix.StoredValueError, match=r"stored in version 4, and this program knows 3.*key='new'"):
        User.get(key="new")
    with pytest.raises(dynamix.StoredValueError, match="version 4"):
        User.scan().all()
    errors: list[dynamix.StoredValueError] = []
    assert [user.key for user in User.scan(on_error=errors.append)] == ["k"]
    assert [error.key for error in errors] == [{"key": "new"}]
    for wrong, message in (({"S": "x"}, "not a whole number"), ({"N": "0"}, "no upgrade leads")):
        with pytest.raises(dynamix.StoredValueError, match=message):
            User.from_item({**THREE, "schema_version": wrong})
    with pytest.raises(dynamix.StoredValueError, match="upgrade from version 2, raised AttributeError"):
        User.from_item({**TWO, "tags": {"S": "no list"}})


def test_a_part_has_what_its_upgrades_need(table: Place) -> None:
    """What they say that they read is asked for too; what is missing all the same is told by its name."""
    put(table, ONE)
    with pytest.raises(dynamix.StoredValueError, match="needs 'price'; name it in reads="):
        User.get(User.first, key="k")
    put(table, TWO)
    with pytest.raises(dynamix.StoredValueError, match="needs 'price'"):
        User.scan(User.last).all()

    class Small(dynamix.Model):
        __table_name__ = "users"
        __schema_version__ = 2
        key = dynamix.CharField(hash_key=True)
        first = dynamix.CharField()
        last = dynamix.CharField()

        @upgrade(1, reads=["name"])
        @staticmethod
        def split_name(stored: dict[str, Any]) -> None:
            stored["first"], _, stored["last"] = stored.pop("name").partition(" ")
            stored["split"] = True

    put(table, ONE)
    for small in (Small.get(Small.first, key="k"), *Small.scan(Small.first)):
        assert small is not None
        assert small.first == "Ada"
        with pytest.raises(dynamix.FieldNotLoadedError):
            small.last  # noqa: B018
    small.save()
    assert (small.last, small.undeclared["split"]) == ("Byron", True)
    assert table.stored_item(Small, key="k") == {
        **{name: ONE[name] for name in ("key", "group", "price", "blob")},
        "first": {"S": "Ada"},
        "last": {"S": "Byron"},
        "split": {"BOOL": True},
        "schema_version": {"N": "2"},
    }


class Renewed(dynamix.Model):
    """What reads an upgrade needs, whatever is asked for."""

    __table_name__ = "users"
    __schema_version__ = 2
    key = dynamix.CharField(hash_key=True)
    count = dynamix.IntegerField()
    note = dynamix.CharField()

    @upgrade(1, reads=["n"])
    @staticmethod
    def name_count(stored: dict[str, Any]) -> None:
        """From version 1."""
        stored["count"] = stored.pop("n")


def test_a_change_of_what_was_not_loaded_of_an_older_item(table: Place) -> None:
    """Is refused where an upgrade makes the value anew; a whole value is stored with the rest of the upgrade."""
    old = {"key": {"S": "k"}, "n": {"N": "1"}}
    put(table, old)
    (record,) = Renewed.scan(Renewed.note).consistent()
    record.add_to_field(Renewed.count, 1)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Renewed\.count is stored as an older schema has it"):
        record.save()
    assert table.stored_item(Renewed, key="k") == old
    record.set_field(Renewed.count, 7).save()
    assert table.stored_item(Renewed, key="k") == {"key": {"S": "k"}, "count": {"N": "7"}, "schema_version": {"N": "2"}}


class Shelf(dynamix.Model):
    """What models share."""

    __table_name__ = "shelf"

    kind = dynamix.DiscriminatorField()
    key = dynamix.CharField(hash_key=True)


class Tome(Shelf):
    """One that has versions."""

    __discriminator__ = "tome"
    __schema_version__ = 2

    name = dynamix.CharField()

    @upgrade(1, reads=["title"])
    @staticmethod
    def named(item: dict[str, Any]) -> None:
        """It had a title."""
        item["name"] = item.pop("title", None)


def test_a_part_that_a_base_reads_has_it_as_well(place: Place) -> None:
    """A base, and a Table of models, ask for the version and for what the upgrades of each model read."""
    dynamix.create_table(Shelf)
    item = {"key": {"S": "k"}, "kind": {"S": "tome"}, "title": {"S": "Emma"}}
    place.call("PutItem", TableName=place.table_name(Shelf), Item=item)
    found = [
        *Shelf.query(Tome.name).where(Shelf.key == "k"),
        *dynamix.Table(Tome).scan(Tome.name),
        Shelf.get(Tome.name, key="k"),
    ]
    assert [one.name for one in found if isinstance(one, Tome)] == ["Emma"] * 3


def test_nothing_of_a_part_passes_for_the_whole() -> None:
    """Whatever way an upgrade looks at attributes that were not asked for, it is refused; of a whole item it is not."""
    looks: dict[str, Callable[[dict[str, Any]], object]] = {
        "'x'": lambda stored: stored["x"],
        "'y'": lambda stored: stored.get("y"),
        "'z'": lambda stored: "z" in stored,
        "'d'": lambda stored: stored.__delitem__("d"),
        "'s'": lambda stored: stored.setdefault("s", 1),
        "'p'": lambda stored: stored.pop("p", None),
    }
    whole: list[Callable[[dict[str, Any]], object]] = [
        *(list, len, bool, dict, reversed, lambda stored: {**stored}, lambda stored: stored | {}),
        *(lambda stored: {} | stored, lambda stored: stored.items(), lambda stored: stored.values()),
        *(lambda stored: stored.keys(), lambda stored: stored == {}, lambda stored: stored.copy()),
        *(lambda stored: stored.clear(), lambda stored: stored.popitem()),
    ]
    now: list[Callable[[dict[str, Any]], object]] = []

    class Looked(dynamix.Model):
        __schema_version__ = 2
        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

        @upgrade(1)
        @staticmethod
        def look(stored: dict[str, Any]) -> None:
            stored["text"] += "!"
            now[-1](stored)

    item = {"key": {"S": "k"}, "text": {"S": "t"}, **{name: {"S": name} for name in "xyzdsp"}}
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Looked)
        connection.request("PutItem", {"TableName": "Looked", "Item": item})
        for needed, look in [*looks.items(), *(("all attributes", look) for look in whole)]:
            now.append(look)
            with pytest.raises(dynamix.StoredValueError, match=f"needs {needed}"):
                Looked.get(Looked.text, key="k")
        for look in looks.values():
            now.append(look)
            assert Looked.get_or_raise(key="k").text == "t!"


def test_indexes_of_some_attributes(table: Place) -> None:
    """They hold the version; the keys of others are taken as they are, and what one lacks is told."""
    put(table, THREE)
    described = table.call("DescribeTable", TableName=table.table_name(User))["Table"]["GlobalSecondaryIndexes"]
    held = {index["IndexName"]: sorted(index["Projection"].get("NonKeyAttributes", ())) for index in described}
    assert held == {"wide": [], "some": ["first", "schema_version"], "keys": []}
    for index in ("some", "keys", "wide"):
        query = User.query().use_index(index).where(User.group == "g")
        assert [user.key for user in query] == ["k"]
        assert query.all(requery_for_all_projections=True)[0].cents == 125
    (user,) = User.query(User.first).use_index("some").where(User.group == "g")
    assert user.first == "Ada"
    put(table, ONE)
    assert [user.key for user in User.query().use_index("keys").where(User.group == "g")] == ["k"]
    with pytest.raises(dynamix.StoredValueError, match="needs 'name'"):
        User.query().use_index("some").where(User.group == "g").all()
    query = User.query().use_index("some").where(User.group == "g")
    assert query.all(requery_for_all_projections=True)[0].cents == 125


def test_an_index_that_was_there_before(place: Place) -> None:
    """It lacks the version, so what it gives is told to be of an unknown one, unless all is read from the table."""

    class Before(dynamix.Model):
        __table_name__ = "users"
        __secondary_indexes__: ClassVar = {"some": {"hash_key": "group", "projections": ["first"]}}
        key = dynamix.CharField(hash_key=True)
        group = dynamix.CharField()
        first = dynamix.CharField()

    class After(Before):
        __schema_version__ = 2

        @upgrade(1)
        @staticmethod
        def shout(stored: dict[str, Any]) -> None:
            stored["first"] = stored["first"].upper()

    dynamix.create_table(Before)
    assert [type(found) for found in dynamix.compare_table(After)] == [dynamix.IndexProjectionDiffers]
    Before.create(key="k", group="g", first="ada")
    query = After.query().use_index("some").where(After.group == "g")
    with pytest.raises(dynamix.StoredValueError, match="nobody knows of which version"):
        query.all()
    with pytest.raises(dynamix.InvalidQueryError, match="but that of the table does not"):
        After.query(After.first).use_index("some").where(After.group == "g").all()
    (user,) = query.all(requery_for_all_projections=True)
    assert user.first == "ADA"


def test_statements_select_the_version(table: Place) -> None:
    """What selects some attributes selects it too, or is told to; a whole item has it."""
    put(table, THREE)
    name = table.table_name(User)
    text = f'SELECT {{}} FROM "{name}" WHERE "key" = \'k\''
    (user,) = dynamix.partiql(text.format('"key", "first", schema_version'), model=User)
    assert user.first == "Ada"
    (user,) = dynamix.partiql(text.format("*"), model=User)
    assert user.cents == 125
    (user,) = dynamix.partiql(text.format('"key", cents, schema_version'), model=User)
    assert user.cents == 125
    with pytest.raises(dynamix.StoredValueError, match="a statement to select it"):
        list(dynamix.partiql(text.format('"key", "first"'), model=User))


def test_changes_without_loading_are_of_the_present_version(table: Place) -> None:
    """An item of another version is left alone; an upsert makes one of the present version."""
    put(table, TWO)
    for change in (
        lambda: User.update_by_key(User.note.set("n"), key="k"),
        lambda: User.update_by_key(User.note.set("n"), key="k", upsert=True),
        lambda: User(key="k").change(User.note.set("n")).commit_changes(),
    ):
        with pytest.raises(dynamix.ConditionalCheckFailedError, match="schema_version"):
            change()
    assert table.stored_item(User, key="k") == TWO
    put(table, THREE)
    User.update_by_key(User.note.set("n"), key="k", condition=User.last == "Byron")
    User.update_by_key(User.note.set("n"), key="k", upsert=True)
    User.update_by_key(User.note.set("n"), key="new", upsert=True)
    new = table.stored_item(User, key="new")
    assert new is not None
    assert (new["schema_version"], new["note"]) == ({"N": "3"}, {"S": "n"})
    with pytest.raises(dynamix.InvalidUpdateError, match="older versions"):
        User.scan().update(User.note.set("n"))


def test_what_is_no_version() -> None:
    """Versions, upgrades and names that cannot be meant are refused where the model is used."""

    def step(stored: dict[str, Any]) -> None:
        stored.clear()

    first, second, again = (upgrade(number)(staticmethod(step)) for number in (1, 2, 1))
    wrong = {
        "an int of 1 or more": {"__schema_version__": 0},
        "no __schema_version__": {"up": first},
        "one from each version": {"__schema_version__": 4, "up": first, "more": second},
        "two upgrades from one version": {"__schema_version__": 2, "up": first, "more": again},
        "no field's": {"__schema_version__": 2, "up": first, "text": dynamix.CharField(name="schema_version")},
    }
    for message, body in wrong.items():
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            type("Wrong", (dynamix.Model,), {"key": dynamix.CharField(hash_key=True), **body})(key="k")

    class Unique(dynamix.Model):
        __schema_version__ = 2
        key = dynamix.CharField(hash_key=True)
        email = dynamix.CharField(unique=True)

        @upgrade(1)
        @staticmethod
        def lower(stored: dict[str, Any]) -> None:
            stored["email"] = stored["email"].lower()

    with pytest.raises(dynamix.StoredValueError, match="unique stays"):
        Unique.from_item({"key": {"S": "k"}, "email": {"S": "A@X"}})
    with pytest.raises(dynamix.ModelDefinitionError, match="is for a @staticmethod"):
        upgrade(1)(step)
    with pytest.raises(dynamix.ModelDefinitionError, match="an int of 1 or more"):
        upgrade(0)

    class Named(dynamix.Model):
        __schema_version__ = 2
        __schema_version_name__ = "v"
        key = dynamix.CharField(hash_key=True)

        @upgrade(1)
        @staticmethod
        def rekey(stored: dict[str, Any]) -> None:
            stored["key"] = "other"

    class Child(Named):
        @upgrade(1)
        @staticmethod
        def rekey(stored: dict[str, Any]) -> None:
            stored["more"] = {1, 2}

    assert Named(key="k").to_item() == {"key": {"S": "k"}, "v": {"N": "2"}}
    with pytest.raises(dynamix.StoredValueError, match="part of the key or unique stays"):
        Named.from_item({"key": {"S": "k"}})
    assert Child.from_item({"key": {"S": "k"}}).undeclared == {"more": {1, 2}}
