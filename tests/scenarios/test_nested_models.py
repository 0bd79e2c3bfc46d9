"""Models inside models: values, paths, queued changes, edits in place, other forms, and what is refused."""

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from nested import STORED, Address, Bank, Card, Geo, Level, Line, Part, Point, Shape, User, values
from pydantic import TypeAdapter, ValidationError

import dynamix
from places import Place


@pytest.fixture
def user(place: Place) -> User:
    """A user who is stored, and was loaded."""
    dynamix.create_table(User)
    User.create(id="u", **values())
    return User.get_or_raise(id="u")


def stored(place: Place) -> dict[str, Any]:
    """What is stored of the user."""
    return place.stored_item(User, id="u") or {}


def test_models_read_back_as_they_were(place: Place, user: User) -> None:
    """Instances of each kind of class read back equal and of their class, are stored as maps, and found by paths."""
    item = stored(place)
    assert {name: form for name, form in item.items() if name != "lines"} == STORED
    given = values()
    for name, value in given.items():
        read = getattr(user, name)
        assert read == (value if name != "address" else value.replace(city="Ulm"))
        assert type(read) is type(value)
    assert user == User(id="u", **given)
    for condition in (
        User.address.city == " Ulm",
        User.address["name"] == "home",
        User.address.code.begins_with("89"),
        User.address["geo"]["lat"] > 48,
        User.address.geo.lat.between(48, 49),
        User.address.tags.not_exists(),
        User.line.level == Level.HIGH,
        User.line.part.sku == "a",
        User.line["days"].size() == 1,
        User.point.words["a"].contains("b"),
        User.shape.corners[0].count == 2,
        User.pays.kind == "bank",
        User.pays["country"] == "DE",
        User.lines[1].part["sku"] == "b",
        User.homes["first"].city.is_in(["Bonn"]),
        User.ways[0].number == "1",
        User.point == Point(1, None, {"a": ["b", None]}),
    ):
        assert list(User.scan().where(condition)) == [user]


def test_queued_changes_of_parts(place: Place, user: User) -> None:
    """A change of a path is one clause of the update; the instance shows what is then stored, defaults included."""
    user.change(
        User.address.city.set(" Rom "),
        User.address["geo"].lng.set(12.5),
        User.address.code.set(None),
        User.line.part.count.add(3),
        User.lines[0].part.set(Part("z")),
        User.homes["first"].visits.add(1),
        User.homes["second"].set(Address(city="Köln")),
        User.ways[1].country.set("IT"),
    )
    user.set_field(User.address["name"], "villa").add_to_field(User.point["x"], 4)
    user.append_to_listfield(User.lines, Line(Part("new")))
    user.commit_changes()
    assert (user.address.city, user.address.geo.lng, user.address.code, user.address.name) == (
        "Rom",
        12.5,
        None,
        "villa",
    )
    assert (user.line.part.count, user.homes["first"].visits, user.point.x) == (5, 6, 5)
    assert User.get(id="u") == user
    assert "postal.code" not in stored(place)["address"]["M"]
    place.call(
        "PutItem", TableName=place.table_name(User), Item={"id": {"S": "u"}, "address": {"M": {"city": {"S": "x"}}}}
    )
    found = User.get_or_raise(id="u")
    found.change(User.address.visits.add(1), User.address.notes.append("n")).commit_changes()
    assert (found.address.visits, found.address.notes) == (6, ["n"])
    assert User.get(id="u") == found
    User.update_by_key(User.address.visits.add(1), User.point.set(Point(1, 2)), id="u")
    assert (User.get_or_raise(id="u").address.visits, User.get_or_raise(id="u").point) == (7, Point(1, 2))


def test_changes_inside_what_is_free_form(user: User) -> None:
    """What lies inside the free-form values of a model is changed by its path, alone and on an instance."""
    user.line.extra, user.address.notes = {"a": {"b": 1}}, ["x"]
    user.homes["first"].notes = [1]
    user.save()
    actions = (
        User.line.extra["a"]["b"].add(4),
        User.line.extra["new"].set([1]),
        User.address.notes[0].set("y"),
        User.homes["first"].notes[0].set({"k": 2}),
    )
    user.change(*actions).commit_changes()
    assert (user.line.extra, user.address.notes) == ({"a": {"b": 5}, "new": [1]}, ["y"])
    User.update_by_key(*actions, id="u")
    found = User.get_or_raise(id="u")
    assert (found.line.extra["a"], found.homes["first"].notes) == ({"b": 9}, [{"k": 2}])
    with pytest.raises(dynamix.FieldValidationException, match=r"User\.line\.extra cannot hold .*no type for a object"):
        User.line.extra["a"].set(object())


@pytest.mark.usefixtures("user")
def test_a_part_of_what_is_missing() -> None:
    """A change inside a model that is not stored makes one, or changes nothing where that would lack what it needs."""
    User.create(id="v")
    loaded = User.get_or_raise(id="v")
    for change in (
        lambda: User.update_by_key(User.address["name"].set("n"), id="v"),
        lambda: User.update_by_key(User.pays.number.set("1"), id="v"),
        lambda: loaded.change(User.address["name"].set("n")).commit_changes(),
    ):
        with pytest.raises(dynamix.StoredValueError, match=r"not stored, and a new one would lack (city|kind)"):
            change()
    User.update_by_key(User.address.city.set("n"), id="v")
    assert User.get_or_raise(id="v").address == Address(city="n")


def test_edits_in_place_send_the_smallest_update(place: Place, user: User) -> None:
    """save() sends each part that was edited by its path, and leaves the rest to others."""
    other = User.get_or_raise(id="u")
    user.address.city = "Rom"
    user.address.geo.lat = 1.5
    user.address.tags.add("new")
    user.address.notes.append("n")
    user.line.part.count = 9
    user.line.days.clear()
    user.line.length = 0
    user.point.words["c"] = []
    user.shape.size = 3
    user.pays.number = "6"
    user.lines[1].part.sku = "bb"
    user.homes["first"].code = "1"
    with pytest.raises(dynamix.InvalidUpdateError, match="edited in place"):
        user.commit_changes()
    with dynamix.dry_run() as requests:
        copy.deepcopy(user).save()
    (request,) = requests
    expression = request.body["UpdateExpression"]
    for placeholder, name in request.body["ExpressionAttributeNames"].items():
        expression = expression.replace(placeholder, name)
    assert "address.city=" in expression
    assert "address.geo.lat=" in expression
    assert "line.part.count=" in expression
    assert "lines[1].part.sku=" in expression
    assert "address.name" not in expression
    other.address.name = "cabin"
    other.homes["first"].name = "n"
    other.save()
    user.save()
    found = User.get_or_raise(id="u")
    assert found == user
    assert (found.address.city, found.address.name, found.homes["first"].name) == ("Rom", "cabin", "n")
    user.save()
    assert stored(place)["address"]["M"]["tags"] == {"SS": ["new"]}


def test_what_a_class_does_not_declare_stays(place: Place, user: User) -> None:
    """Parts that other programs store, or spell otherwise, survive edits of those beside them, also inside lists."""
    item = {**STORED, "lines": {"L": [{"M": {"part": STORED["line"]["M"]["part"], "own": {"S": "1"}}}] * 3}}
    item["address"] = {"M": {**STORED["address"]["M"], "own": {"N": "1"}, "since": {"S": "2026-01-02T00:00:00Z"}}}
    place.call("PutItem", TableName=place.table_name(User), Item=item)
    user.refresh()
    assert user.address.since == datetime(2026, 1, 2, tzinfo=UTC)
    assert len(user.lines) == 3
    user.save()
    assert stored(place) == item
    user.address.city = "Rom"
    user.lines[1].part.count = 7
    user.save()
    now = stored(place)
    assert now["address"]["M"] == {**item["address"]["M"], "city": {"S": "Rom"}}
    assert [form["M"]["own"] for form in now["lines"]["L"]] == [{"S": "1"}] * 3
    del user.lines[0]
    user.save()
    assert [form["M"].get("own") for form in stored(place)["lines"]["L"]] == [{"S": "1"}] * 2
    assert User.get(id="u") == user
    user.set_field(User.count, 1).commit_changes()
    user.address.city = "Wien"
    user.change(User.lines[0].part.count.set(8))
    User.batch_write([user])
    now = stored(place)
    assert (now["address"]["M"]["own"], now["address"]["M"]["city"]) == ({"N": "1"}, {"S": "Wien"})
    assert now["address"]["M"]["since"] == {"S": "2026-01-02T00:00:00Z"}
    assert [form["M"].get("own") for form in now["lines"]["L"]] == [{"S": "1"}] * 2
    user.address.city = "Bern"
    user.save()
    assert stored(place)["address"]["M"] == {**now["address"]["M"], "city": {"S": "Bern"}}
    user.address = Address(city="Rom")
    User.batch_write([user])
    assert "own" not in stored(place)["address"]["M"]


def test_more_edits_than_one_expression_holds(place: Place, user: User) -> None:
    """Edits that replace a whole value, and those that a transaction stores, keep what a class does not declare."""
    homes = {f"home {n}": {"M": {"city": {"S": "x"}, "own": {"N": str(n)}}} for n in range(350)}
    item = {
        "id": {"S": "u"},
        "homes": {"M": homes},
        "lines": {"L": [{"M": {**STORED["line"]["M"], "own": {"S": "1"}}}] * 2},
    }
    place.call("PutItem", TableName=place.table_name(User), Item=item)
    user = User.get_or_raise(id="u")
    for home in user.homes.values():
        home.city = "Rom"
    user.lines[1].part.count = 9
    user.save()
    now = stored(place)
    assert now["homes"]["M"] == {name: {"M": {**form["M"], "city": {"S": "Rom"}}} for name, form in homes.items()}
    assert [form["M"]["own"] for form in now["lines"]["L"]] == [{"S": "1"}] * 2
    with dynamix.transaction() as tx:
        user.lines.pop(0)
        tx.save(user)
    assert user.lines[0].part.count == 9
    user.count = 1
    user.save(overwrite=True)
    assert [form["M"]["own"] for form in stored(place)["lines"]["L"]] == [{"S": "1"}]
    assert stored(place)["homes"] == now["homes"]


def test_a_stored_model_that_does_not_fit_is_named(place: Place, user: User) -> None:
    """A stored map that its class does not hold is an error that names table, key, and the field by its path."""
    table = place.table_name(User)
    for name, form, field, message in (
        ("address", {"M": {"city": {"N": "1"}}}, "address.city", r"User\.address\.city: the stored value"),
        ("address", {"M": {}}, "address.city", "no value for it"),
        ("address", {"S": "x"}, "address", "not what a ModelField holds"),
        ("address", {"M": {"city": {"S": "x"}, "geo": {"M": {"lat": {"S": "y"}}}}}, "address.geo.lat", "stored value"),
        ("line", {"M": {"part": {"M": {"sku": {"S": "x"}}}, "level": {"S": "m"}}}, "line.level", "none of <Level.LOW"),
        (
            "line",
            {"M": {"part": {"M": {"sku": {"S": "x"}, "count": {"N": "0"}}}, "level": {"S": "h"}}},
            "line",
            "Line refuses the stored value .*a high level has parts",
        ),
        ("shape", {"M": {"kind": {"S": "round"}, "size": {"N": "0"}}}, "shape", "Shape refuses"),
        ("pays", {"M": {"kind": {"S": "cash"}}}, "pays.kind", "tag is 'cash', and the classes .* are 'card', 'bank'"),
        ("pays", {"M": {"number": {"S": "1"}}}, "pays.kind", "no such tag"),
        ("lines", {"L": [{"M": {"part": {"M": {}}}}]}, "lines", r"element 0: .*part\.sku"),
    ):
        place.call("PutItem", TableName=table, Item={"id": {"S": "w"}, name: form})
        with pytest.raises(dynamix.StoredValueError, match=f"(?s){message}") as caught:
            getattr(User.get(id="w"), name)
        assert (caught.value.field, caught.value.key, caught.value.table) == (field, {"id": "w"}, table)
    assert user.pays == Bank("5")


def test_models_in_other_forms(user: User) -> None:
    """Copies, pickles, JSON and DynamoDB's forms of an item have its models; replace gives it others."""
    again = User(id="u", **values())
    assert copy.deepcopy(user) == pickle.loads(pickle.dumps(user)) == again
    assert copy.deepcopy(user).address is not user.address
    assert hash(user) == hash(again)
    assert User.from_item(user.to_item()) == User.from_dict(user.to_dict()) == user
    son = user.to_son()
    assert (son["pays"], son["ways"][0]) == (
        {"kind": "bank", "number": "5", "country": "DE"},
        {"kind": "card", "number": "1"},
    )
    assert son["line"]["price"] == "1.50"
    assert son["line"]["level"] == "h"
    assert "secret" not in son["homes"]["first"]
    assert json.loads(json.dumps(son)) == son
    back = User.from_son(son)
    back.homes["first"].secret = user.homes["first"].secret  # which is hidden
    back.line.extra = user.line.extra  # bytes inside what is free-form, which are text in JSON
    assert back == user
    for mode in ("validation", "serialization"):
        Draft202012Validator(User.json_schema(mode=mode)).validate(son)
    assert TypeAdapter(User).validate_python(son).ways == user.ways
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(User).validate_python(
            {
                "id": "u",
                "address": {"city": 5, "town": "x"},
                "pays": {"kind": "bank"},
                "ways": [{"kind": "card", "number": "1"}, {"kind": "card", "number": 2}],
                "homes": {"at [home].": {"city": 5, "town": "x"}},
            }
        )
    assert {error["loc"] for error in refused.value.errors()} == {
        ("ways", 1, "number"),
        ("homes", "at [home].", "city"),
        ("homes", "at [home].", "town"),
        ("address", "city"),
        ("address", "town"),
        ("pays", "number"),
    }
    moved = user.replace(address=Address(city="Rom"))
    assert (moved.address.city, user.address.city) == ("Rom", "Ulm")
    assert moved.save() == User.get(id="u")
    assert repr(user.homes["first"]) == "Address(city='Bonn', visits=5, tags=set(), notes=[])"


def test_another_class_takes_the_place(place: Place, user: User) -> None:
    """A field of several classes holds an instance of another one as soon as it is set, or edited into a list."""
    user.pays = Card(number="7")
    user.ways[0] = Bank("8")
    user.save()
    assert User.get(id="u") == user
    assert stored(place)["pays"] == {"M": {"kind": {"S": "card"}, "number": {"S": "7"}}}
    assert user.ways == [Bank("8"), Bank("2", "FR")]


def test_a_default_is_an_instance_of_its_own(place: Place) -> None:
    """A default that is an instance, or a class, shows as one that belongs to each instance alone."""

    class Shop(dynamix.Model):
        id = dynamix.CharField(hash_key=True)
        geo = dynamix.ModelField(Geo, default=Geo(lat=1.0, lng=2.0))
        shape = dynamix.ModelField(Shape, default=lambda: Shape(kind="round"))

    dynamix.create_table(Shop)
    place.call("PutItem", TableName=place.table_name(Shop), Item={"id": {"S": "s"}})
    one, other = Shop.get_or_raise(id="s"), Shop.get_or_raise(id="s")
    one.geo.lat = 5.0
    assert (other.geo.lat, Shop(id="t").geo.lat, other.shape.kind) == (1.0, 1.0, "round")
    one.save()
    assert Shop.get_or_raise(id="s").geo == Geo(lat=5.0, lng=2.0)


def test_what_is_read_when_the_item_is_loaded(place: Place) -> None:
    """lazy=False reads a value at once, whole answers and single items alike; nothing else about it differs."""

    class Eager(dynamix.Model):
        __table_name__ = "User"
        id = dynamix.CharField(hash_key=True)
        address = dynamix.ModelField(Address, lazy=False)
        lines = dynamix.ListField(of=Line, lazy=False, default=[])
        extra = dynamix.DictField(lazy=False, required=True)
        marks = dynamix.SetField(lazy=False)

    dynamix.create_table(User)
    table = place.table_name(User)
    Eager.create(id="u", address=Address(city="x"), lines=[Line(Part("a"))], extra={"a": [1]}, marks={1})
    place.call("PutItem", TableName=table, Item={"id": {"S": "v"}, "lines": {"NULL": True}, "marks": {"NULL": True}})
    found = {item.id: item for item in Eager.scan()}
    assert {"address", "lines", "extra", "marks"} <= vars(found["u"]).keys()
    assert found["u"] == Eager.get(id="u")
    assert (found["v"].address, found["v"].lines, found["v"].marks) == (None, [], None)
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = found["v"].extra
    found["u"].address.city = "y"
    found["u"].lines.append(Line(Part("b")))
    found["u"].save()
    assert Eager.get(id="u") == found["u"]
    place.call("PutItem", TableName=table, Item={"id": {"S": "w"}, "address": {"M": {"city": {"N": "1"}}}})
    wrong: list[dynamix.StoredValueError] = []
    assert (len(list(Eager.scan(on_error=wrong.append))), [error.field for error in wrong]) == (2, ["address.city"])
    with pytest.raises(dynamix.StoredValueError, match=r"address\.city"):
        Eager.get(id="w")
