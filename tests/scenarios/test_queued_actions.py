"""Actions queued on an instance by `change`: one after another, beside the older ways to change."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Counting, serving

import dynamix
from places import Place


class Order(dynamix.Model):
    """An order of a shop."""

    __table_name__ = "order"

    number = dynamix.CharField(hash_key=True)
    state = dynamix.CharField()
    price = dynamix.IntegerField()
    tax = dynamix.IntegerField()
    total = dynamix.IntegerField()
    lives = dynamix.IntegerField(default=3)
    lines = dynamix.ListField()
    log = dynamix.ListField(default=["made"])
    meta = dynamix.DictField()
    tags = dynamix.SetField()
    note = dynamix.CharField(null=True)


def stored(**values: Any) -> Order:
    """An order as it is loaded."""
    dynamix.create_table(Order)
    Order.create(number="1", **values)
    order = Order.get(number="1")
    assert order is not None
    return order


def check(order: Order, **values: Any) -> None:
    """The instance shows these values, before and after its commit, and so does the table."""
    assert {name: getattr(order, name) for name in values} == values
    order.commit_changes()
    assert {name: getattr(order, name) for name in values} == values
    assert order == Order.get(number="1")


@pytest.mark.usefixtures("place")
def test_actions_are_queued_one_after_another() -> None:
    """Each starts from what the one before it leaves, and the instance shows it at once."""
    order = stored(price=3, tax=4, lines=[{"price": 1}, "b"], meta={"a": {"n": 1}}, tags={"x"})
    same = order.change(
        Order.price.set(5),
        Order.lines[0].remove(),
        Order.lines[0].set({"price": 7}),
        Order.lines[0]["price"].add(1),
        Order.lines.prepend(["p", "q"]),
        Order.meta["a"]["n"].add(2),
        Order.meta["a"]["l"].append("x"),
        Order.meta["b"].set(1),
        Order.log.append("x"),
        Order.log[0].remove(),
        Order.tags.add({"y"}),
        Order.tags.delete({"x"}),
    )
    assert same is order
    check(
        order,
        price=5,
        lines=["p", "q", {"price": 8}],
        meta={"a": {"n": 3, "l": ["x"]}, "b": 1},
        log=["x"],
        tags={"y"},
    )


@pytest.mark.usefixtures("place")
def test_they_mix_with_the_older_ways() -> None:
    """Methods and assignments are queued in the same order."""
    order = stored(price=3, lines=["a"], meta={"a": 1})
    order.change(Order.lines.prepend("p")).append_to_listfield(Order.lines, "z").change(Order.lines.prepend("o"))
    order.remove_by_index_from_listfield(Order.lines, 1)
    order.add_to_field(Order.price, 1).change(Order.price.set_if_missing(9)).add_to_field(Order.price, 1)
    order.update_to_dict_field(Order.meta, {"b": {}}).change(Order.meta["b"]["c"].set(1))
    order.remove_from_dict_field(Order.meta, ["a"])
    order.change(Order.log.prepend("x"))
    order.log = ["whole"]
    order.log.append("edited")
    order.change(Order.log.prepend("y"))
    check(order, lines=["o", "a", "z"], price=5, meta={"b": {"c": 1}}, log=["y", "whole", "edited"])


@pytest.mark.usefixtures("place")
def test_what_is_computed_starts_from_what_is_there_then() -> None:
    """A value set before is taken itself; what changes afterwards does not matter."""
    order = stored(price=3, tax=4, meta={})
    order.change(Order.total.set(Order.price + Order.tax), Order.price.set(100))
    check(order, total=7, price=100)
    order.change(Order.tax.set(1), Order.total.set(Order.price - Order.tax), Order.state.set("sent"))
    check(order, total=99, tax=1)
    order.change(Order.total.set(Order.total - 5))
    check(order, total=94)
    order.change(Order.price.set(1), Order.tax.set(2), Order.total.set(Order.price + Order.tax), Order.total.add(1))
    check(order, total=4)
    order.change(Order.total.set(Order.lives + 1), Order.meta["copy"].set(Order.state))
    check(order, total=4, meta={"copy": "sent"})
    assert Order(number="1").change(Order.total.set(Order.price + Order.tax)).commit_changes().total == 3


REFUSED: dict[str, tuple[tuple[dynamix.Action, ...], type[Exception], str]] = {
    "a read of what only the service knows": (
        (Order.price.add(1), Order.total.set(Order.price + Order.tax)),
        dynamix.InvalidUpdateError,
        r"Order.total.set\(...\) reads Order.price, which has queued changes .* commit them first",
    ),
    "a change of what is computed": (
        (Order.total.set(Order.price + Order.tax), Order.total.add(1)),
        dynamix.InvalidUpdateError,
        "Order.total is changed together with what the service .*; commit between the two",
    ),
    "a read of what was removed": (
        (Order.price.remove(), Order.total.set(Order.price + Order.tax)),
        dynamix.InvalidUpdateError,
        "reads Order.price, which has no value after the changes before it",
    ),
    "too large a sum": (
        (Order.price.set(10**38 - 1), Order.tax.set(2), Order.total.set(Order.price + Order.tax)),
        dynamix.FieldValidationException,
        "Order.total cannot hold",
    ),
    "no action": ((Order.state.set("x"), Order.state == "x"), dynamix.WrongTypeError, "is not an action"),  # type: ignore[dict-item]
}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("actions", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refused_action_queues_none(actions: tuple[dynamix.Action, ...], kind: type[Exception], message: str) -> None:
    """What the call was to queue beside it is not queued; what was queued before stays, and shows."""
    order = stored(price=3, tax=4, state="open", lines=["a"], meta={"a": {}})
    order.change(Order.lines.prepend("b"), Order.state.set("paid"), Order.meta["b"].set(1))
    with pytest.raises(kind, match=message):
        order.change(Order.lines.append("c"), Order.lives.add(1), Order.meta["a"]["c"].set(1), *actions)
    check(order, price=3, tax=4, total=None, lives=3, state="paid", lines=["b", "a"], meta={"a": {}, "b": 1})


@pytest.mark.usefixtures("place")
def test_what_was_not_loaded_is_not_computed_with() -> None:
    """An instance that could not show the result says so; other actions work on it as on any."""
    stored(price=3, tax=4, lines=["a"])
    (order,) = Order.scan(Order.price)
    with pytest.raises(dynamix.FieldNotLoadedError, match=r"Order.tax, which was not loaded"):
        order.change(Order.price.set(Order.tax + 1))
    order.change(Order.lines.prepend("b"), Order.lines.append("c"), Order.total.set(Order.price + Order.tax))
    assert order.commit_changes() == Order.get(number="1")
    assert (order.lines, order.total) == (["b", "a", "c"], 7)


def updates(*actions: dynamix.Action, meanwhile: Callable[[], object] = lambda: None) -> int:
    """How many updates a commit of these takes."""
    counting = Counting("UpdateItem", 1)
    with serving(counting):
        order = stored(price=3, lines=["a"], meta={"a": {}})
        order.change(*actions)
        meanwhile()
        before = counting.count
        order.commit_changes()
        return counting.count - before


def test_a_commit_takes_one_request() -> None:
    """One action is one clause; several on one list are sent on what was loaded, and once more where that changed."""
    assert updates(Order.lines.prepend("b"), Order.price.add(1), Order.meta["a"]["b"].set(1)) == 1
    assert updates(Order.lines.prepend("b"), Order.lines.append("c")) == 1
    others = [
        lambda: Order.update_by_key(Order.lines.append("z"), number="1"),
        lambda: Order.update_by_key(Order.lines.append("z"), Order.lines[5].remove(), number="1"),
    ]
    assert updates(Order.lines.prepend("b"), Order.lines.append("c"), meanwhile=others[0]) == 2


@pytest.mark.usefixtures("place")
def test_an_edit_in_place_is_found_beside_actions() -> None:
    """A list that was changed by actions and then edited is refused at the commit, as always."""
    order = stored(lines=["a"])
    order.change(Order.lines.prepend("b"), Order.lines.append("c"))
    assert order.lines is not None
    order.lines.append("lost?")
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Order.lines was edited in place"):
        order.commit_changes()
    order.discard_changes()
    assert order.lines == ["a"]


@pytest.mark.usefixtures("place")
def test_saving_sends_actions_and_edits() -> None:
    """`save()` sends what `change` queued, and an edit that was made of what it shows."""
    order = stored(price=3, lines=["a"], meta={"a": {}}, state="open")
    order.change(Order.lines.prepend("b"), Order.lines.append("c"), Order.meta["a"]["n"].add(1), Order.price.add(1))
    order.change(Order.note.set(Order.state), Order.log.set_if_missing([]))
    order.save()
    assert order == Order.get(number="1")
    assert (order.lines, order.meta, order.price, order.note) == (["b", "a", "c"], {"a": {"n": 1}}, 4, "open")
    order.change(Order.lines.prepend("o"), Order.lines.append("p"), Order.meta["a"]["n"].add(1))
    assert order.lines is not None
    order.lines.append("edited")
    order.save()
    assert order == Order.get(number="1")
    assert (order.lines, order.meta) == (["o", "b", "a", "c", "p", "edited"], {"a": {"n": 2}})


def test_removing_is_not_setting_to_null(place: Place) -> None:
    """Of a field with `null=True`, `remove` removes the attribute and `set(None)` stores NULL."""
    order = stored(note="x")
    order.change(Order.note.set(None)).commit_changes()
    item = place.stored_item(Order, number="1")
    assert item is not None
    assert item["note"] == {"NULL": True}
    order.change(Order.note.remove()).commit_changes()
    item = place.stored_item(Order, number="1")
    assert item is not None
    assert "note" not in item
    order.change(Order.note.remove(), Order.note.set_if_missing("y"))
    check(order, note="y")


@pytest.mark.usefixtures("place")
def test_a_default_that_shows_is_still_missing() -> None:
    """`set_if_missing` sets what is not stored, though a default shows for it; what is stored stays."""
    dynamix.create_table(Order)
    for lives in (None, 5):
        Order.update_by_key(Order.state.set("open"), upsert=True, number="1")
        Order.update_by_key(Order.lives.set(lives), number="1")
        order = Order.get(number="1")
        assert order is not None
        order.change(Order.lives.set_if_missing(9), Order.lives.add(1))
        check(order, lives=10 if lives is None else 6)


class Copied(dynamix.Model):
    """What is set from another field."""

    key = dynamix.CharField(hash_key=True)
    one = dynamix.DictField()
    other = dynamix.DictField()
    many = dynamix.SetField()
    free = dynamix.AnyField()
    some = dynamix.ListField()
    number = dynamix.IntegerField()


@pytest.mark.usefixtures("place")
def test_what_was_set_whole_is_set_from_another_field() -> None:
    """The value of the other field shows and is stored, be the first one read before or never; where it was not loaded,
    nothing shows that is not stored."""
    dynamix.create_table(Copied)
    for read in (True, False):
        Copied.create(key="k", one={"a": 1}, other={"b": 2}, overwrite=True)
        copied = Copied.get_or_raise(key="k", consistent=True)
        assert not read or copied.one
        copied.update_to_dict_field(Copied.one, {"c": 3}).set_field(Copied.one, {"d": 4})
        copied.change(Copied.one.set(Copied.other))
        assert copied.one == {"b": 2}
        copied.save()
        assert copied.one == {"b": 2} == Copied.get_or_raise(key="k", consistent=True).one
    (part,) = Copied.query(Copied.other).where(Copied.key == "k").consistent()
    part.set_field(Copied.one, {"d": 4}).change(Copied.one.set(Copied.other))
    with pytest.raises(dynamix.FieldNotLoadedError):
        part.one  # noqa: B018
    assert part.save().one == {"b": 2}


@pytest.mark.usefixtures("place")
def test_a_value_set_from_a_set_that_is_empty() -> None:
    """It is as if there were no set: nothing can be shown, and the service finds no value."""
    dynamix.create_table(Copied)
    copied = Copied.create(key="k", many=set())
    copied.change(Copied.free.set(Copied.many))
    with pytest.raises(dynamix.StoredValueError, match="has no value"):
        copied.commit_changes()


def test_actions_on_what_is_stored_as_something_else(place: Place) -> None:
    """Where others stored another type meanwhile, the error names the field and what is stored, and nothing is."""
    dynamix.create_table(Copied)
    queues: dict[str, list[list[Any]]] = {
        "many": [[Copied.many.delete({"x"}), Copied.many.set_if_missing({"y"})], [Copied.many.add({"x"})]],
        "one": [[Copied.one["a"].set(1)]],
        "some": [[Copied.some.append([1])]],
        "number": [[Copied.number.add(1)]],
    }
    missing = {"many": {"z"}, "one": {"z": 1}, "some": ["z"], "number": 1}
    for name, actions in [(attribute, actions) for attribute, each in queues.items() for actions in each]:
        item = {"key": {"S": "k"}, name: {"S": "w"}}
        copied = Copied.create(key="k", overwrite=True)
        copied.change(getattr(Copied, name).set_if_missing(missing[name]), *actions)
        place.call("PutItem", TableName=place.table_name(Copied), Item=item)
        with pytest.raises(dynamix.StoredValueError, match=rf"Copied\.{name}: the stored value"):
            copied.commit_changes()
        assert place.stored_item(Copied, key="k") == item


class Text(dynamix.DictField[Any]):
    """A map that is stored as text."""

    def to_wire(self, value: dict[str, Any]) -> dict[str, Any]:
        return {"S": json.dumps(value)}

    def from_wire(self, wire: dict[str, Any]) -> dict[str, Any]:
        return json.loads(wire["S"])


class Written(dynamix.Model):
    """What has such a map."""

    key = dynamix.CharField(hash_key=True)
    words = Text()


@pytest.mark.usefixtures("place")
def test_no_part_of_a_map_that_is_stored_as_text() -> None:
    """Can be changed: the error says so, and what to do; an edit in place is stored."""
    dynamix.create_table(Written)
    written = Written.create(key="k", words={"a": 1})
    written.update_to_dict_field(Written.words, {"b": 2})
    with pytest.raises(dynamix.FieldValidationException, match=r"not stored as a map.*set the whole value"):
        written.commit_changes()
    written.discard_changes()
    written.words["b"] = 2
    written.save()
    assert Written.get_or_raise(key="k", consistent=True).words == {"a": 1, "b": 2}
