"""The classes that a ModelField holds: what they may be, what is refused, and generated code against its plain twin."""

import json
import subprocess
import sys
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested import STORED, Address, Bank, Card, Geo, Level, Line, Part, Point, Shape, User, values

import dynamix
from dynamix import CharField, ModelField, NestedModel
from dynamix.codec.state import STATE
from dynamix.model.running import schema_of

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
keys = text.filter(bool)
numbers = st.integers(-(10**38) + 1, 10**38 - 1)
floats = st.floats(-90, 90).filter(lambda number: number == 0 or abs(number) > 1e-100)
parts = st.builds(Part, text, numbers)
addresses = st.builds(
    Address,
    city=text.map(str.strip),
    code=st.none() | text,
    since=st.none() | st.datetimes(timezones=st.just(UTC)),
    visits=numbers,
    tags=st.sets(text, max_size=3),
    notes=st.lists(st.none() | text | numbers, max_size=3),
    geo=st.none() | st.builds(Geo, lat=floats, lng=floats),
)
lines = st.builds(
    Line,
    parts.filter(lambda part: part.count > 0),
    st.sampled_from(Level),
    st.none() | st.decimals(-(10**9), 10**9, places=2),
    st.lists(st.dates(), max_size=3),
    st.sets(text, max_size=3),
    st.none() | text,
    st.dictionaries(keys, st.lists(numbers, max_size=2), max_size=2),
)
points = st.builds(Point, numbers, st.none() | numbers, st.dictionaries(keys, st.lists(st.none() | text), max_size=2))
shapes = st.builds(Shape, kind=st.sampled_from(["square", "round"]), theSize=st.floats(0.1, 9), corners=st.lists(parts))
payments = st.builds(Card, number=text) | st.builds(Bank, text, text)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "address": addresses,
            "line": lines,
            "point": points,
            "shape": shapes,
            "pays": payments,
            "lines": st.lists(lines, max_size=2),
            "homes": st.dictionaries(keys, addresses, max_size=2),
            "ways": st.lists(payments, max_size=3),
        },
    )
)
def test_generated_code_agrees_with_the_plain_way(given_values: dict[str, Any]) -> None:
    """Instances are written and read by generated code as by their fields, and read back equal and of their class."""
    schema = schema_of(User)
    user = User(id="u", **given_values)
    item = schema.codec.encode_item(vars(user))
    assert item == schema.codec.plain_item(vars(user))
    found = schema.codec.reader("User").item(msgspec.json.encode({"Item": item}))
    assert found is not None
    for name, value in given_values.items():
        field = schema.fields[name]
        fast = field.read(vars(found)[STATE].stored[name])
        assert fast == field.decode(item[name]) == getattr(found, name) == value
        assert type(fast) is type(value)
    assert found == user


def test_models_are_read_by_their_own_code() -> None:
    """What stored maps hold is parsed at once, with nothing left to the slow way, in whatever it is nested."""
    for name, value in values().items():
        field: Any = schema_of(User).fields[name]
        if name not in ("line", "point"):  # these have a NULL
            assert field._quick(msgspec.Raw(msgspec.json.encode(STORED.get(name) or field.encode(value)))) == (
                value if name != "address" else value.replace(city="Ulm")
            )


def refused(**given_values: Any) -> list[tuple[str, str]]:
    """What is refused of these values, by path."""
    with pytest.raises(dynamix.FieldValidationException) as caught:
        User(id="u", **given_values).validate()
    assert all(name in str(caught.value) for name, _, _ in caught.value.errors)
    return [(name, message) for name, _, message in caught.value.errors]


def test_wrong_values_are_named_by_their_path() -> None:
    """Whatever is wrong inside a model is refused before anything is sent, all of it, each by its path."""
    address = Address(city="x")
    vars(address).update(city=5, geo=Geo(lat=91.0))
    assert refused(address=address) == [
        ("address.city", "it takes a str, not int"),
        ("address.geo.lat", "it is more than 90"),
        ("address.geo.lng", "a value is required"),
    ]
    assert refused(address=Address(city="x" * 21)) == [("address.city", "it has 21 characters, more than 20")]
    assert refused(address=Geo(lat=1.0, lng=1.0)) == [("address", "it takes an instance of Address, not Geo")]
    line = Line(Part("a"), Level.HIGH)
    line.part.count = 0
    assert refused(line=line) == [("line", "a high level has parts")]
    assert refused(line=Line(Part("a"), label=5)) == [("line.label", "it takes a str, not int")]  # type: ignore[arg-type]
    assert refused(line=Line(Part(None)))[0] == ("line.part.sku", "a value is required")  # type: ignore[arg-type]
    shape = Shape(kind="round")
    shape.size = -1
    assert refused(shape=shape) == [("shape.theSize", "Input should be greater than 0")]
    assert refused(lines=[Line(Part("a")), Line(Part(5))]) == [("lines[1].part.sku", "it takes a str, not int")]  # type: ignore[arg-type]
    assert refused(homes={"a": Address()}) == [("homes['a'].city", "a value is required")]
    assert refused(ways=[Line(Part("a"))]) == [("ways", "element 0: it takes an instance of Card or Bank, not Line")]
    assert refused(pays=Card(kind="x"))[0][0] == "pays.kind"


def test_wrong_paths_are_refused() -> None:
    """A path that a class does not have, and what no part can be changed to, is an error that names it."""
    other = type("Other", (NestedModel,), {"code": CharField(), "visits": CharField()})
    either: Any = ModelField(Address, other, tag="kind")
    for attempt, error, message in (
        (lambda: User.address["cty"], dynamix.UnknownNameError, "User.address has no field 'cty'; did you mean 'city'"),
        (lambda: User.address.cty, AttributeError, "User.address has no attribute 'cty'"),
        (lambda: User.lines[0].skuu, AttributeError, r"User.lines\[0\] has no attribute 'skuu'"),
        (lambda: User.address.city["x"], dynamix.InvalidQueryError, "User.address.city is a CharField"),
        (lambda: User.address.city.set(5), dynamix.WrongTypeError, "User.address.city cannot hold 5"),
        (lambda: User.address.city.set(None), dynamix.RequiredFieldError, "User.address.city is required"),
        (lambda: User.address.city.remove(), dynamix.RequiredFieldError, "User.address.city is required"),
        (lambda: User.address.geo.lat == "x", dynamix.WrongTypeError, "User.address.geo.lat cannot hold 'x'"),
        (lambda: User.homes["a"].geo.lat.set(91.0), dynamix.FieldValidationException, r"User.homes\['a'\].geo.lat"),
        (lambda: User.address.tags.add({"x"}), dynamix.InvalidUpdateError, "set it whole"),
        (lambda: either["code"], dynamix.InvalidQueryError, "stored as 'code' or 'postal.code'"),
        (lambda: either["visits"].set(5), dynamix.InvalidUpdateError, "in another by another; set an instance whole"),
        (lambda: User.pays.kind.set("card"), dynamix.InvalidUpdateError, "User.pays.kind is read-only"),
        (lambda: User.address < Address(city="x"), dynamix.InvalidQueryError, "does not sort"),
        (lambda: User.address.contains("x"), dynamix.InvalidQueryError, "compared whole"),
        (lambda: User.address.add(1), dynamix.InvalidUpdateError, "is a ModelField"),
        (lambda: User(id="u").append_to_listfield(User.lines, Line(Part(None))), dynamix.RequiredFieldError, "sku"),  # type: ignore[arg-type]
        (lambda: User(id="u").update_to_dict_field(User.homes, {"a": Address()}), dynamix.RequiredFieldError, "city"),
        (lambda: User.homes["a"].set(Address()), dynamix.RequiredFieldError, r"User.homes\['a'\].city"),
        (lambda: User(id="u").set_field(User.lines[0], Line(Part("a"))), dynamix.WrongTypeError, "is an element"),
    ):
        with pytest.raises(error, match=message):
            attempt()


def test_a_nested_model_is_a_value() -> None:
    """Names, types and assignments are checked where they are written; equality is by class and values."""
    address = Address(city=" Ulm ", geo=Geo(lat=1.0, lng=2.0))
    assert (address.city, address.visits, address.tags) == ("Ulm", 5, set())
    address.city = " Rom"
    assert address == address.replace() != address.replace(city="x") != Geo(lat=1.0, lng=1.0)
    assert address.replace().geo is not address.geo
    assert address.city == "Rom"
    for attempt in (
        lambda: Address(town="x"),
        lambda: address.replace(town="x"),
        lambda: setattr(address, "town", "x"),
        lambda: setattr(address, "city", 5),
        lambda: setattr(address, "city", None),
    ):
        with pytest.raises(dynamix.ValidationException, match="Address"):
            attempt()
    with pytest.raises(AttributeError, match="no attribute 'citi'; did you mean 'city'"):
        _ = address.citi  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="unhashable"):
        hash(address)


@dataclass
class Asks:
    """What a call of it takes is not all stored."""

    x: int
    seed: InitVar[int]


@dataclass
class Holds:
    """It holds itself."""

    inner: "Holds | None" = None


@dataclass
class Odd:
    """It has what nothing holds."""

    x: complex


class Loose(pydantic.BaseModel, extra="allow"):
    """It has what it does not declare."""


class Late(msgspec.Struct):
    """It speaks of what is not there."""

    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


class Two(NestedModel):
    """Its tag may have two values."""

    kind = dynamix.LiteralField("a", "b")


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: ModelField(int), "no class that a ModelField holds"),
        (lambda: ModelField(User), "no class that a ModelField holds"),
        (lambda: ModelField(NestedModel), "no class that a ModelField holds"),
        (lambda: ModelField(Asks), "Asks asks for seed"),
        (lambda: ModelField(Holds), "Holds holds itself"),
        (lambda: ModelField(Odd), "Odd.x: .*complex"),
        (lambda: ModelField(Loose), "Loose allows values"),
        (lambda: ModelField(Late), "Late name what is not there"),
        (lambda: ModelField(Geo, Address), "tag=None"),
        (lambda: ModelField(Geo, tag="kind"), "tag='kind'"),
        (lambda: ModelField(Two, Geo, tag="kind"), "Two.kind is to tell the class"),
        (lambda: ModelField(Card, type("card", (NestedModel,), {}), tag="kind"), "both told by the tag 'card'"),
        (lambda: ModelField(Geo, hash_key=True), "cannot be a key"),
        (lambda: dynamix.SetField(of=Geo), "stored as what no set holds"),
        (lambda: type("N", (NestedModel,), {"id": CharField(hash_key=True)}), "N.id cannot be a key"),
        (lambda: type("N", (NestedModel,), {"c": CharField(was="d")}), "N.c cannot be renamed"),
        (lambda: dynamix.ListField(of=CharField(was="d")), "not indexed, required, unique or renamed"),
        (lambda: dynamix.ListField(of=CharField(unique=True)), "not indexed, required, unique or renamed"),
        (lambda: type("N", (NestedModel,), {"v": dynamix.VersionField()}), "N.v cannot be the version"),
        (lambda: type("N", (NestedModel,), {"t": dynamix.DateTimeField(auto_now=True)}), "N.t cannot be the time"),
    ],
)
def test_classes_that_cannot_be(attempt: Any, message: str) -> None:
    """What cannot be stored, or read back, is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError, match=f"(?s){message}"):
        attempt()


@dataclass
class Every:
    """An annotation of each kind."""

    a: str
    b: list[int | None] = field(default_factory=list)
    c: dict[str, list[date]] = field(default_factory=dict)
    d: Literal[1, 2] = 1
    e: Any = None
    f: list[Any] = field(default_factory=list)
    g: Annotated[Decimal, dynamix.DecimalField(places=2)] = Decimal(0)
    h: dict | None = None  # type: ignore[type-arg]
    i: list[Annotated[datetime, dynamix.DateTimeField(stored="seconds")]] = field(default_factory=list)
    j: set[str] | None = None
    k: frozenset[str] = frozenset()
    l: tuple[date, ...] = ()  # noqa: E741


def test_annotations_become_fields() -> None:
    """An annotation says how an attribute is stored; None and an empty set are never read as something else."""
    holder = ModelField(Every)
    every = Every("a", [1, None], {"k": [date(2026, 1, 1)]}, 2, {"x": 1}, [b"y"], Decimal("1.50"), {"z": 2})
    every.i, every.k, every.l = [datetime(2026, 1, 1, tzinfo=UTC)], frozenset({"x"}), (date(2026, 1, 1),)
    form = holder.encode(every)
    assert form["M"]["i"] == {"L": [{"N": "1767225600"}]}
    assert holder.decode(form) == every
    every.f = []  # bytes in what is free-form are text in JSON
    assert holder.from_json(json.loads(json.dumps(holder.to_json(every)))) == every
    assert holder.json_schema()["properties"]["l"]["items"]["format"] == "date"
    assert holder.decode(holder.encode(Every("a"))) == Every("a")
    with pytest.raises(dynamix.FieldValidationException, match="would read back as None; give None"):
        holder.encode(Every("a", j=set()))


def test_no_other_library_is_imported() -> None:
    """Not pydantic for a field of a dataclass, and nothing of models inside models for a program without them."""
    late = "any(name in sys.modules for name in ('pydantic', 'dynamix.fields.model', 'dynamix.fields.kinds'))"
    used = "import dataclasses; dynamix.ModelField(dataclasses.make_dataclass('D', [('x', int)]))"
    code = f"import dynamix, sys; assert not {late}; {used}; assert 'pydantic' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


edited = st.fixed_dictionaries(
    {
        "address": addresses,
        "line": lines,
        "pays": payments,
        "lines": st.lists(lines, max_size=4),
        "homes": st.dictionaries(st.sampled_from("abc"), addresses, max_size=3),
    }
)


def test_any_edits_in_place_are_stored() -> None:
    """Whatever models are edited to, the item is that after save(), also of the whole item, and what they do not
    declare is still there."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(User)

        @settings(max_examples=40)
        @given(edited, edited, st.booleans())
        def edit(before: dict[str, Any], after: dict[str, Any], whole: bool) -> None:
            item = User(id="u", **before).to_item()
            item["address"]["M"]["own.part"] = {"S": "x"}
            connection.request("PutItem", {"TableName": "User", "Item": item})
            user = User.get_or_raise(id="u")
            for name in ("address", "line", "pays"):
                held = getattr(user, name)
                if type(held) is type(after[name]):
                    vars(held).update(vars(after[name]))
                else:
                    setattr(user, name, after[name])
            user.lines[:] = after["lines"]
            user.homes.clear()
            user.homes.update(after["homes"])
            user.save(overwrite=whole)
            assert user == User.get_or_raise(id="u") == User(id="u", **after)
            stored = connection.request("GetItem", {"TableName": "User", "Key": {"id": {"S": "u"}}})["Item"]
            assert stored["address"]["M"]["own.part"] == {"S": "x"}

        edit()


class Place(dynamix.TypedNestedModel):
    """Annotated, and inherited from."""

    city: CharField[str] = CharField(required=True)
    zone: CharField[str | None] = CharField(default=None)


class House(Place):
    """It adds a field, and has another in the place of one."""

    zone: dynamix.IntegerField[int | None] = dynamix.IntegerField(default=None)  # type: ignore[assignment]
    number: dynamix.IntegerField[int] = dynamix.IntegerField(default=1)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Without a dict, and not to be edited."""

    houses: list[House]


def test_classes_of_all_sorts() -> None:
    """Inherited fields, annotated ones, and those of classes without a dict are stored, also compressed."""
    house = House(city="x", zone=5)
    assert ModelField(House).encode(house) == {"M": {"city": {"S": "x"}, "zone": {"N": "5"}, "number": {"N": "1"}}}
    for holder in (ModelField(Fixed), dynamix.CompressedField(Fixed)):
        assert holder.decode(holder.encode(Fixed([house]))) == Fixed([house])
    with pytest.raises(dynamix.WrongTypeError, match="an instance of Place, not House"):
        ModelField(Place).encode(house)
    with pytest.raises(dynamix.ModelDefinitionError, match=r"Bare\.x is annotated, but no field"):
        type("Bare", (dynamix.TypedNestedModel,), {"__annotations__": {"x": int}})
