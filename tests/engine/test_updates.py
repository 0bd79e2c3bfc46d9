"""What updates do to an item, what they give back, and what they are refused for."""

import copy
from typing import Any

import pytest
from hypothesis import given

from dynamix.engine.data.values import check_item, equal
from dynamix.engine.evaluate.updates import NO_ATTRIBUTE, WRONG_OPERAND, WRONG_PATH, BoundUpdate, CompiledUpdate
from dynamix.engine.faults import Fault
from dynamix.expressions.nodes import Update
from dynamix.expressions.text.parse import parse_update
from expressions import strategies

ITEM: dict[str, Any] = {
    "s": {"S": "text"},
    "n": {"N": "5"},
    "l": {"L": [{"N": "1"}, {"N": "2"}, {"S": "x"}, {"N": "4"}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"N": "2"}}}, "ss": {"SS": ["a"]}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1"]},
    "mixed": {"L": [{"SS": ["a"]}, {"N": "1"}, {"N": "2"}]},
}
VALUES: dict[str, Any] = {
    ":v": {"S": "new"},
    ":n": {"N": "1"},
    ":half": {"N": "0.5"},
    ":l": {"L": [{"N": "9"}]},
    ":a": {"SS": ["a"]},
    ":z": {"SS": ["a", "z"]},
    ":ab": {"SS": ["a", "b"]},
    ":one": {"NS": ["1"]},
    ":big": {"N": "9" * 38},
    ":huge": {"N": "9" + "0" * 125},
    ":tiny": {"N": "0." + "0" * 129 + "1"},
}


def bound(text: str) -> BoundUpdate:
    return BoundUpdate(CompiledUpdate(parse_update(text, {}, VALUES).node), VALUES)


def changed(text: str, item: dict[str, Any] | None = None) -> dict[str, Any]:
    """The attributes that an update changes, None for those that it removes."""
    old = ITEM if item is None else item
    kept = copy.deepcopy(old)
    new = bound(text).apply(old)
    assert old == kept, "the old item was changed"
    assert check_item(new) is new, "the new item is not canonical"
    return {name: new.get(name) for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def numbers(*elements: int | str) -> dict[str, Any]:
    """A list of numbers; a text is a string."""
    return {"L": [{"S": element} if isinstance(element, str) else {"N": str(element)} for element in elements]}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("SET s = :v, q = n", {"s": {"S": "new"}, "q": {"N": "5"}}),
        ("SET s = n, n = s", {"s": {"N": "5"}, "n": {"S": "text"}}),
        ("SET s = s", {}),
        ("SET m.b.d = :v", {"m": {"M": {**ITEM["m"]["M"], "b": {"M": {"c": {"N": "2"}, "d": {"S": "new"}}}}}}),
        ("SET m.a = :n, m.b.c = :half", {"m": {"M": {**ITEM["m"]["M"], "b": {"M": {"c": {"N": "0.5"}}}}}}),
        ("SET l[1] = :v", {"l": numbers(1, "new", "x", 4)}),
        ("SET l[0] = l[1], l[1] = l[0]", {"l": numbers(2, 1, "x", 4)}),
        ("SET l[9] = :v, l[7] = :n", {"l": numbers(1, 2, "x", 4, 1, "new")}),
        ("SET l[4] = :v, l[1] = :n, l[100] = :n", {"l": numbers(1, 1, "x", 4, "new", 1)}),
        ("REMOVE gone, m.gone, l[9]", {}),
        ("REMOVE s, n", {"s": None, "n": None}),
        ("REMOVE l[0], l[2]", {"l": numbers(2, 4)}),
        ("REMOVE l[2], l[0]", {"l": numbers(2, 4)}),
        ("REMOVE l[0], l[1], l[2], l[3]", {"l": numbers()}),
        ("REMOVE l[0] SET l[1] = :v", {"l": numbers("new", "x", 4)}),
        ("SET l[5] = :v REMOVE l[3]", {"l": numbers(1, 2, "x", "new")}),
        ("SET l[9] = :v REMOVE l[4]", {"l": numbers(1, 2, "x", 4, "new")}),
        ("SET l[8] = :v, l[6] = :n REMOVE l[0]", {"l": numbers(2, "x", 4, 1, "new")}),
        ("SET q = n + :n", {"q": {"N": "6"}}),
        ("SET q = n - :half", {"q": {"N": "4.5"}}),
        ("SET q = :half + :half", {"q": {"N": "1"}}),
        ("SET q = :n - n", {"q": {"N": "-4"}}),
        ("SET q = :n - :n", {"q": {"N": "0"}}),
        ("SET q = :big + :n", {"q": {"N": "1" + "0" * 38}}),
        ("SET q = :huge - :huge", {"q": {"N": "0"}}),
        ("SET q = if_not_exists(gone, n)", {"q": {"N": "5"}}),
        ("SET q = if_not_exists(n, :n) + :n", {"q": {"N": "6"}}),
        ("SET q = if_not_exists(s.a, if_not_exists(gone, :v))", {"q": {"S": "new"}}),
        ("SET q = list_append(:l, l)", {"q": numbers(9, 1, 2, "x", 4)}),
        ("SET l = list_append(l, l)", {"l": numbers(1, 2, "x", 4, 1, 2, "x", 4)}),
        ("SET q = list_append(if_not_exists(gone, :l), :l)", {"q": numbers(9, 9)}),
        ("ADD n :n", {"n": {"N": "6"}}),
        ("ADD gone :n", {"gone": {"N": "1"}}),
        ("ADD gone :z", {"gone": {"SS": ["a", "z"]}}),
        ("ADD ss :z", {"ss": {"SS": ["a", "b", "z"]}}),
        ("ADD ss :a", {}),
        ("ADD l[0] :n, l[9] :n", {"l": numbers(2, 2, "x", 4, 1)}),
        ("ADD m.b.c :half", {"m": {"M": {**ITEM["m"]["M"], "b": {"M": {"c": {"N": "2.5"}}}}}}),
        ("DELETE ss :a", {"ss": {"SS": ["b"]}}),
        ("DELETE ss :z", {"ss": {"SS": ["b"]}}),
        ("DELETE ss :ab", {"ss": None}),
        ("DELETE ns :one", {"ns": None}),
        ("DELETE gone :a, m.gone :a, l[9] :a", {}),
        ("DELETE m.ss :a", {"m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"N": "2"}}}}}}),
        ("DELETE mixed[0] :a REMOVE mixed[1]", {"mixed": numbers(2)}),
        (
            "REMOVE s SET q = s ADD n :n DELETE ss :a",
            {"s": None, "q": {"S": "text"}, "n": {"N": "6"}, "ss": {"SS": ["b"]}},
        ),
    ],
)
def test_updates(text: str, changes: dict[str, Any]) -> None:
    """All actions read the item as it was; elements of lists keep their positions until the end."""
    assert changed(text) == changes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET gone.a = :v", WRONG_PATH),
        ("SET gone[0] = :v", WRONG_PATH),
        ("SET s.a = :v", WRONG_PATH),
        ("SET m.gone.a = :v", WRONG_PATH),
        ("SET m[0] = :v", WRONG_PATH),
        ("SET l.a = :v", WRONG_PATH),
        ("SET l[9].a = :v", WRONG_PATH),
        ("SET ss[0] = :v", WRONG_PATH),
        ("REMOVE gone.a", WRONG_PATH),
        ("REMOVE l[0].a", WRONG_PATH),
        ("REMOVE n[0]", WRONG_PATH),
        ("ADD gone.a :n", WRONG_PATH),
        ("DELETE gone.a :a", WRONG_PATH),
        ("SET q = gone", NO_ATTRIBUTE),
        ("SET q = l[9]", NO_ATTRIBUTE),
        ("SET q = gone + :n", NO_ATTRIBUTE),
        ("SET q = list_append(:l, gone)", NO_ATTRIBUTE),
        ("SET q = if_not_exists(gone, lost)", NO_ATTRIBUTE),
        ("SET q = if_not_exists(n, lost)", NO_ATTRIBUTE),
        ("SET q = s + :n", WRONG_OPERAND),
        ("SET q = if_not_exists(gone, :v) + :n", WRONG_OPERAND),
        ("SET q = list_append(s, :l)", WRONG_OPERAND),
        ("SET q = list_append(:l, n)", WRONG_OPERAND),
        ("ADD s :n", WRONG_OPERAND),
        ("ADD n :a", WRONG_OPERAND),
        ("ADD ss :one", WRONG_OPERAND),
        ("DELETE s :a", WRONG_OPERAND),
        ("DELETE ss :one", WRONG_OPERAND),
        (
            "SET q = :huge + :huge",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        ("SET q = :n - :tiny", "Attempting to store more than 38 significant digits in a Number"),
        ("SET q = :big + :half", "Attempting to store more than 38 significant digits in a Number"),
        ("ADD n :huge", "Attempting to store more than 38 significant digits in a Number"),
    ],
)
def test_refused_updates(text: str, message: str) -> None:
    """An update that does not fit the item changes nothing."""
    kept = copy.deepcopy(ITEM)
    with pytest.raises(Fault) as caught:
        bound(text).apply(ITEM)
    assert (caught.value.code, caught.value.message) == ("ValidationException", message)
    assert kept == ITEM


def test_updates_cannot_nest_too_deep() -> None:
    """A value that is shallow enough by itself may not be where it is put."""
    deep: dict[str, Any] = {"S": "leaf"}
    for _ in range(31):
        deep = {"L": [deep]}
    item = {**ITEM, "deep": deep}
    assert changed("SET q = deep", item) == {"q": deep}
    assert changed("SET m.q = deep[0]", item)["m"]["M"]["q"] == deep["L"][0]
    for text in ("SET m.q = deep", "SET l[0] = deep", "SET l[9] = deep"):
        with pytest.raises(Fault, match="Nesting Levels"):
            bound(text).apply(item)


@pytest.mark.parametrize(
    ("text", "creates"),
    [
        ("SET a = :v", True),
        ("ADD a :n", True),
        ("REMOVE a", False),
        ("DELETE a :a", False),
        ("REMOVE a SET b = :v", True),
        ("REMOVE a DELETE b :a", False),
    ],
)
def test_removing_alone_creates_nothing(text: str, creates: bool) -> None:
    """Only SET and ADD make an item where none is."""
    assert bound(text).creates is creates


def test_the_attributes_touched() -> None:
    """Those that are changed, not those that are read."""
    assert bound("SET a.b = q, c[0] = q REMOVE d ADD e :n DELETE f :a").attributes == {"a", "c", "d", "e", "f"}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("SET s = :v", {"s": {"S": "text"}}, {"s": {"S": "new"}}),
        ("SET q = :v", {}, {"q": {"S": "new"}}),
        ("SET s = s", {"s": {"S": "text"}}, {"s": {"S": "text"}}),
        ("REMOVE s", {"s": {"S": "text"}}, {}),
        ("SET m.a = :half", {"m": {"M": {"a": {"N": "1"}}}}, {"m": {"M": {"a": {"N": "0.5"}}}}),
        ("SET m.q = :v", {}, {"m": {"M": {"q": {"S": "new"}}}}),
        ("REMOVE m.b.c", {"m": {"M": {"b": {"M": {"c": {"N": "2"}}}}}}, {}),
        ("SET l[1] = :v, l[3] = :n", {"l": numbers(2, 4)}, {"l": numbers("new", 1)}),
        ("ADD n :n DELETE ss :a", {"n": {"N": "5"}, "ss": {"SS": ["a", "b"]}}, {"n": {"N": "6"}, "ss": {"SS": ["b"]}}),
        ("REMOVE gone", {}, {}),
    ],
)
def test_what_is_returned(text: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """UPDATED_OLD and UPDATED_NEW give the touched parts only."""
    update = bound(text)
    after = update.apply(ITEM)
    assert update.returned(ITEM, after, "UPDATED_OLD") == old
    assert update.returned(ITEM, after, "UPDATED_NEW") == new
    assert update.returned(None, after, "UPDATED_OLD") == {}


@given(strategies.updates(), strategies.items)
def test_updates_of_any_item(update: Update, item: Any) -> None:
    """An update gives a canonical item that differs in the attributes touched only, or refuses; the old one stays."""
    kept = copy.deepcopy(item)
    done = BoundUpdate(CompiledUpdate(update), {})
    try:
        new = done.apply(item)
    except Fault:
        pass
    else:
        assert check_item(new) is new
        for name in (item.keys() | new.keys()) - done.attributes:
            assert equal(new[name], item[name])
        assert done.returned(item, new, "UPDATED_NEW").keys() <= done.attributes
    assert item == kept
