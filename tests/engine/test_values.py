"""Attribute values: what is refused, what is made canonical, equality and order."""

import copy
from base64 import b64decode
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamix.codec.sizes import item_size
from dynamix.engine.data.values import (
    check_item,
    check_value,
    compare,
    depth_of,
    equal,
    measured_item,
    resized,
    size,
)
from dynamix.engine.faults import Fault
from expressions import strategies

TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
INVALID = "One or more parameter values were invalid: "


def nested(levels: int) -> dict[str, Any]:
    """A value that nests so many levels, itself included."""
    return reduce(lambda value, _: {"L": [value]}, range(levels - 1), {"S": "leaf"})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        (
            {"S": "a", "N": "1"},
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes",
        ),
        ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"N": "1_000"}, "The parameter cannot be converted to a numeric value: 1_000"),
        ({"N": "NaN"}, "The parameter cannot be converted to a numeric value: NaN"),
        ({"N": "٣"}, "The parameter cannot be converted to a numeric value: ٣"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"N": "1e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ({"N": "1e-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
        ({"SS": []}, INVALID + "An string set  may not be empty"),
        ({"NS": []}, INVALID + "An number set  may not be empty"),
        ({"BS": []}, INVALID + "Binary sets should not be empty"),
        ({"SS": ["a", "b", "a"]}, INVALID + "Input collection [a, b, a] contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"BS": ["YQ==", "YQ=="]}, INVALID + "Input collection [YQ==, YQ==]of type BS contains duplicates."),
        ({"M": {"": {"S": "a"}}}, "Empty attribute name"),
        (nested(33), TOO_DEEP),
        ({"M": {"a": nested(32)}}, TOO_DEEP),
    ],
)
@pytest.mark.parametrize("inside", ["item", "list", "map"])
def test_refused_values(value: dict[str, Any], message: str, inside: str) -> None:
    """Malformed values are refused wherever they stand."""
    item = {"item": value, "list": {"L": [{"S": "a"}, value]}, "map": {"M": {"b": value}}}[inside]
    for check in (check_item, measured_item):
        with pytest.raises(Fault) as caught:
            check({"a": item})
        assert (caught.value.code, caught.value.message) == ("ValidationException", message)


def test_attributes_have_names() -> None:
    """Those of the item itself too."""
    for check in (check_item, measured_item):
        with pytest.raises(Fault, match="Empty attribute name"):
            check({"": {"S": "a"}})


def test_nesting_of_32_levels_is_accepted() -> None:
    """The limit counts the scalar at the bottom."""
    assert check_value(nested(32)) == nested(32)
    assert depth_of(nested(32), {}) == 32
    with pytest.raises(Fault, match="Nesting Levels"):
        check_value(nested(33))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("+1", "1"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.50", "1.5"),
        ("-0.0", "0"),
        ("-4.0", "-4"),
        ("100.00", "100"),
        ("1." + "0" * 60, "1"),
        ("1e3", "1000"),
        ("12E-3", "0.012"),
        ("0.012", "0.012"),
        ("-0.5", "-0.5"),
        ("0." + "1" * 38, "0." + "1" * 38),
        ("9" * 38, "9" * 38),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
    ],
)
def test_numbers_become_plain_digits(text: str, canonical: str) -> None:
    """Equal numbers have equal text."""
    assert check_value({"N": text}) == {"N": canonical}
    assert check_value({"L": [{"N": text}]}) == {"L": [{"N": canonical}]}
    assert check_value({"NS": [text]}) == {"NS": [canonical]}


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_canonical_numbers_are_the_same_numbers(number: Decimal) -> None:
    """A number that is accepted keeps its value, and its text does not change again."""
    try:
        checked = check_value({"N": str(number)})
    except Fault:
        return
    assert Decimal(checked["N"]) == number
    assert check_value(checked) is checked


@given(strategies.items)
def test_a_canonical_item_is_kept(item: Any) -> None:
    """Nothing is copied where nothing has to change."""
    assert check_item(item) is item


def test_sets_are_sorted() -> None:
    """Strings and binary by their bytes, numbers by value, at any depth; the set that was given is left alone."""
    given_item: Any = {
        "texts": {"SS": ["b", "\U0001f600", "a", "B", "\uff5e", ""]},
        "numbers": {"L": [{"NS": ["10", "9.0", "-1", "0.5", "-20"]}]},
        "blobs": {"M": {"inner": {"BS": ["/w==", "", "gA==", "AAE=", "AA=="]}}},
    }
    kept = copy.deepcopy(given_item)
    ordered = {
        "texts": {"SS": ["", "B", "a", "b", "\uff5e", "\U0001f600"]},
        "numbers": {"L": [{"NS": ["-20", "-1", "0.5", "9", "10"]}]},
        "blobs": {"M": {"inner": {"BS": ["", "AA==", "AAE=", "gA==", "/w=="]}}},
    }
    assert check_item(given_item) == measured_item(given_item)[0] == ordered
    assert given_item == kept


@given(strategies.items, st.sampled_from(["7", "7.0", "-0.0", "00", "1e2", "0.10", "700"]))
def test_an_item_is_measured_while_it_is_checked(item: Any, number: str) -> None:
    """Both in one pass give what each gives."""
    given_item = {**item, "number": {"N": number}, "numbers": {"NS": [number]}}
    checked, measured = measured_item(given_item)
    assert checked == check_item(given_item)
    assert measured == item_size(checked)


@given(strategies.items, strategies.items)
def test_a_changed_item_is_measured_by_its_changes(old: Any, new: Any) -> None:
    """What attributes are added, changed or lacking afterwards makes the difference in size."""
    assert resized(item_size(old), old, new, old.keys() | new.keys()) == item_size(new)


def test_only_what_changes_is_replaced() -> None:
    """The given item is left alone."""
    item = {"a": {"N": "1.0"}, "b": {"M": {"c": {"N": "2"}, "d": {"S": ""}}}}
    checked = check_item(item)
    assert checked == {"a": {"N": "1"}, "b": item["b"]}
    assert checked["b"] is item["b"]
    assert item["a"] == {"N": "1.0"}


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ({"S": "é"}, 1),
        ({"S": "😀"}, 2),
        ({"B": "YWJj"}, 3),
        ({"L": [{"S": "abc"}]}, 1),
        ({"M": {"a": {"S": "b"}, "c": {"S": "d"}}}, 2),
        ({"SS": ["a", "bc"]}, 2),
        ({"NS": ["1"]}, 1),
        ({"BS": ["YQ=="]}, 1),
        ({"N": "12"}, None),
        ({"BOOL": True}, None),
        ({"NULL": True}, None),
    ],
)
def test_the_function_size(value: dict[str, Any], length: int | None) -> None:
    """Characters, bytes, elements; other types have no size."""
    assert size(value) == length


def test_sets_are_compared_as_sets() -> None:
    """The order of a set means nothing, at any depth; that of a list does."""
    one, other = {"SS": ["a", "b"]}, {"SS": ["b", "a"]}
    assert equal(one, other)
    assert equal({"L": [{"M": {"x": one}}]}, {"L": [{"M": {"x": other}}]})
    assert not equal(one, {"SS": ["a"]})
    assert not equal(one, {"SS": ["a", "c"]})
    assert not equal({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]})
    assert not equal({"M": {"a": one}}, {"M": {"b": one}})
    assert not equal({"SS": ["1"]}, {"NS": ["1"]})
    assert not equal({"S": "1"}, {"N": "1"})


@given(strategies.values, strategies.values)
def test_only_values_of_one_type_are_equal(a: Any, b: Any) -> None:
    """Equality is reflexive, symmetric, and agrees with the order."""
    assert equal(a, a)
    assert equal(a, b) == equal(b, a)
    order = compare(a, b)
    if order is not None:
        assert equal(a, b) == (order == 0)
        assert a.keys() == b.keys()


@given(strategies.texts, strategies.texts)
def test_strings_are_ordered_by_their_bytes(a: str, b: str) -> None:
    """As UTF-8, which puts characters beyond the first plane last."""
    order = compare({"S": a}, {"S": b})
    assert order is not None
    assert (order < 0) == (a.encode() < b.encode())


@given(strategies.numbers, strategies.numbers)
def test_numbers_are_ordered_exactly(a: str, b: str) -> None:
    """All 38 digits count."""
    order = compare({"N": a}, {"N": b})
    assert order is not None
    assert (order < 0) == (Decimal(a) < Decimal(b))


@given(strategies.binaries, strategies.binaries)
def test_binaries_are_ordered_by_unsigned_bytes(a: str, b: str) -> None:
    """Not by their base64."""
    order = compare({"B": a}, {"B": b})
    assert order is not None
    assert (order < 0) == (b64decode(a) < b64decode(b))


@pytest.mark.parametrize("value", [{"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}, {"SS": ["a"]}])
def test_other_types_have_no_order(value: dict[str, Any]) -> None:
    """Not even with themselves."""
    assert compare(value, value) is None
