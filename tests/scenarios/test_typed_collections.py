"""Lists, maps and sets whose elements are of one kind: values, paths, changes, edits in place, and what is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

import dynamix
from places import Place


class Colour(Enum):
    """Strings with names."""

    RED = "r"
    BLUE = "b"


class CentsField(dynamix.Field[Decimal, Any]):
    """An amount, stored as a whole number of cents."""

    key_type = "N"
    draft = dynamix.fields.NumberDraft
    form = dynamix.fields.Form(frozen=True)

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        if value * 100 % 1:
            raise ValueError("it has a part of a cent")
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"]) / 100


class Cart(dynamix.Model):
    """One collection of each kind."""

    id = dynamix.CharField(hash_key=True)
    lines = dynamix.ListField(of=CentsField())
    counts = dynamix.ListField(of=int, max_length=5)
    seen = dynamix.ListField(of=datetime, default=[])
    prices = dynamix.DictField(of=dynamix.DecimalField(places=2))
    matrix = dynamix.ListField(of=dynamix.ListField(of=int))
    ids = dynamix.SetField(of=UUID)
    amounts = dynamix.SetField(of=CentsField())
    colours = dynamix.SetField(of=Colour)
    words = dynamix.ListField(of=dynamix.CharField(transform=str.lower, max_length=5))
    things = dynamix.ListField(of=dynamix.AnyField())


VALUES: dict[str, Any] = {
    "id": "c",
    "lines": [Decimal("1.50"), Decimal(2)],
    "counts": [1, 2],
    "seen": [datetime(2026, 1, 1, tzinfo=UTC)],
    "prices": {"a": Decimal("0.10")},
    "matrix": [[1], []],
    "ids": {UUID(int=1)},
    "amounts": {Decimal("0.50")},
    "colours": {Colour.RED},
    "words": ["a"],
    "things": [{"a": 1}, b"x"],
}
STORED: dict[str, Any] = {
    "id": {"S": "c"},
    "lines": {"L": [{"N": "150"}, {"N": "200"}]},
    "counts": {"L": [{"N": "1"}, {"N": "2"}]},
    "seen": {"L": [{"S": "2026-01-01T00:00:00+00:00"}]},
    "prices": {"M": {"a": {"N": "0.1"}}},
    "matrix": {"L": [{"L": [{"N": "1"}]}, {"L": []}]},
    "ids": {"SS": [str(UUID(int=1))]},
    "amounts": {"NS": ["50"]},
    "colours": {"SS": ["r"]},
    "words": {"L": [{"S": "a"}]},
    "things": {"L": [{"M": {"a": {"N": "1"}}}, {"B": "eA=="}]},
}


@pytest.fixture
def cart(place: Place) -> Cart:
    """A cart that is stored."""
    dynamix.create_table(Cart)
    Cart.create(**{**VALUES, "words": ("A",)})
    found = Cart.get(id="c")
    assert found is not None
    return found


def test_elements_are_converted_by_their_kind(place: Place, cart: Cart) -> None:
    """Elements read back as they were, from the stored form of their kind, and whatever shows them shows them so."""
    assert place.stored_item(Cart, id="c") == STORED
    assert {name: getattr(cart, name) for name in VALUES} == VALUES
    assert Cart(**{**VALUES, "words": ["A"]}) == cart
    printed = cart.to_son()
    assert (printed["prices"], printed["ids"], printed["colours"]) == ({"a": "0.10"}, [str(UUID(int=1))], ["r"])
    for condition in (
        Cart.lines[0] == Decimal("1.50"),
        Cart.lines[1] > Decimal("1.99"),
        Cart.lines.contains(Decimal(2)),
        Cart.counts[1].between(2, 3),
        Cart.seen[0].begins_with("2026"),
        Cart.prices["a"].is_in([Decimal("0.10")]),
        Cart.matrix[0][0] == 1,
        Cart.matrix[0].contains(1),
        Cart.ids.contains(UUID(int=1)),
        Cart.amounts.contains(Decimal("0.5")),
        Cart.colours == {Colour.RED},
        Cart.words[0] == "A",
        Cart.things[0]["a"] == 1,
    ):
        assert list(Cart.scan().where(condition)) == [cart]


def test_changes_convert_elements(place: Place, cart: Cart) -> None:
    """Changes by path and by verb take elements of the declared kind, and the instance shows what is then stored."""
    cart.change(
        Cart.lines[0].set(Decimal("0.05")),
        Cart.prices["a"].add(Decimal("0.20")),
        Cart.prices["b"].set(5),
        Cart.matrix[0].append(7),
        Cart.ids.add({UUID(int=2)}),
        Cart.colours.add({Colour.BLUE}),
        Cart.words.append("B"),
        Cart.things[0]["b"].set(2),
    ).commit_changes()
    cart.append_to_listfield(Cart.words, "C").add_to_setfield(Cart.amounts, {Decimal(3)})
    cart.update_to_dict_field(Cart.prices, {"c": 1}).replace_by_index_in_listfield(Cart.counts, 0, 9)
    assert (cart.words, str(cart.prices["c"])) == (["a", "b", "c"], "1.00")
    cart.commit_changes()
    stored = place.stored_item(Cart, id="c") or {}
    assert stored["lines"] == {"L": [{"N": "5"}, {"N": "200"}]}
    assert stored["prices"] == {"M": {"a": {"N": "0.3"}, "b": {"N": "5"}, "c": {"N": "1"}}}
    assert stored["matrix"] == {"L": [{"L": [{"N": "1"}, {"N": "7"}]}, {"L": []}]}
    assert sorted(stored["amounts"]["NS"]) == ["300", "50"]
    assert Cart.get(id="c") == cart
    assert (cart.colours, cart.counts) == ({Colour.RED, Colour.BLUE}, [9, 2])


def test_edits_in_place_are_stored_as_they_are(place: Place, cart: Cart) -> None:
    """save() stores an edited element alone; one that another program spelled otherwise and nobody touched stays."""
    cart.lines[0] = Decimal("9.99")
    cart.ids.add(UUID(int=3))
    cart.prices["z"] = Decimal("1.00")
    cart.matrix[1].append(4)
    cart.save()
    assert Cart.get(id="c") == cart
    spelled = {"L": [{"S": "2026-01-01T00:00:00.000Z"}]}
    place.call("PutItem", TableName=place.table_name(Cart), Item={"id": {"S": "d"}, "seen": spelled})
    other = Cart.get(id="d")
    assert other is not None
    assert other.seen == VALUES["seen"]
    other.save()
    other.set_field(Cart.counts, [1]).commit_changes()
    Cart.batch_write([other])
    assert (place.stored_item(Cart, id="d") or {})["seen"] == spelled
    other.seen.append(datetime(2026, 1, 2, tzinfo=UTC))
    other.save()
    assert Cart.get(id="d") == other


@pytest.mark.usefixtures("cart")
def test_a_stored_element_of_another_kind_is_named(place: Place) -> None:
    """A stored element that does not fit is an error that names table, key, field and element."""
    item = {"id": {"S": "d"}, "counts": {"L": [{"N": "1"}, {"S": "x"}]}}
    place.call("PutItem", TableName=place.table_name(Cart), Item=item)
    found = Cart.get(id="d")
    with pytest.raises(dynamix.StoredValueError, match=r"Cart\.counts.*element 1.*id='d'.*table") as caught:
        _ = found and found.counts
    assert (caught.value.field, caught.value.value) == ("counts", item["counts"])


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("lines", [Decimal(1), Decimal("0.001")], "element 1: it has a part of a cent"),
        ("counts", [1, "x"], "element 1: it takes an int"),
        ("counts", [True], "element 0: it takes an int"),
        ("counts", [None], "element 0: a value is required"),
        ("counts", [1] * 6, "6 elements, more than 5"),
        ("prices", {"a": 0.1}, "element 'a': it takes a Decimal"),
        ("prices", {"": Decimal(1)}, "empty"),
        ("prices", {1: Decimal(1)}, "not a str"),
        ("matrix", [[1], ["x"]], "element 1: element 0: it takes an int"),
        ("ids", {"x"}, "element 'x': it takes a UUID"),
        ("words", ["longer"], "element 0: it has 6 characters"),
    ],
)
def test_wrong_elements_are_refused(field: str, value: Any, reason: str) -> None:
    """A wrong element is refused before anything is sent, by its place."""
    with pytest.raises(dynamix.FieldValidationException, match=rf"Cart\.{field} cannot hold .*: .*{reason}"):
        Cart(id="x", **{field: value}).validate()


def test_conditions_and_changes_of_wrong_kinds_are_refused() -> None:
    """A path takes what its element takes, and names itself where it does not."""
    for attempt, message in (
        (lambda: Cart.lines[0] == "x", r"Cart\.lines\[0\]"),
        (lambda: Cart.counts[0].set("x"), r"Cart\.counts\[0\] cannot hold 'x': it takes an int"),
        (lambda: Cart.counts[0].begins_with("1"), r"Cart\.counts\[0\] is a number"),
        (lambda: Cart.counts[0]["a"], r"Cart\.counts\[0\] is a IntegerField"),
        (lambda: Cart.words[0].add(1), "CharField; add is for"),
        (lambda: Cart.counts.contains("x"), r"Cart\.counts\[\.\.\.\] cannot hold 'x'"),
        (lambda: Cart.counts.append("x"), r"Cart\.counts cannot hold \['x'\]: element 0"),
        (lambda: Cart.lines[0].set(Cart.counts[0]), "what one stores need not be what the other reads"),
    ):
        with pytest.raises(dynamix.ValidationException, match=message):
            attempt()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: dynamix.ListField(of=complex),
        lambda: dynamix.ListField(of="int"),  # type: ignore[call-overload]
        lambda: dynamix.ListField(of=dynamix.CharField(required=True)),
        lambda: dynamix.ListField(of=int, numbers=Decimal),  # type: ignore[call-overload]
        lambda: dynamix.SetField(of=bool),
        lambda: dynamix.SetField(of=dynamix.ListField()),
    ],
)
def test_kinds_that_cannot_be(attempt: Any) -> None:
    """What is no kind of elements is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError):
        attempt()


def test_an_element_out_of_its_limits_is_no_obstacle(place: Place) -> None:
    """A stored element that a limit rules out is read and left as it is; who edits the list is told."""
    dynamix.create_table(Cart)
    item = {"id": {"S": "d"}, "words": {"L": [{"S": "longer"}, {"S": "x"}]}}
    place.call("PutItem", TableName=place.table_name(Cart), Item=item)
    found = Cart.get(id="d")
    assert found is not None
    assert found.words == ["longer", "x"]
    found.set_field(Cart.counts, [1]).commit_changes()
    found.words[1] = "y"
    with pytest.raises(dynamix.FieldValidationException, match="element 0: it has 6 characters"):
        found.save()
    found.words[0] = "z"
    found.save()
    assert (place.stored_item(Cart, id="d") or {})["words"] == {"L": [{"S": "z"}, {"S": "y"}]}
