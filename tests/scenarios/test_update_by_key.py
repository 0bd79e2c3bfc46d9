"""An item is changed without being loaded: one call, one request, on each place."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from scripted import Counting, serving

import dynamix
from places import Place

V = TypeVar("V")


class Cents(dynamix.Field[Decimal, Any]):
    """An amount, stored as a number of cents."""

    draft = dynamix.fields.NumberDraft

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"]) / 100


class Page(dynamix.Model):
    """A page of a wiki."""

    __table_name__ = "page"
    __secondary_indexes__ = {"by_state": {"hash_key": "state"}}  # noqa: RUF012 - as users write it

    url = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)
    title = dynamix.CharField(name="t", max_length=10)
    author = dynamix.CharField(required=True)
    state = dynamix.CharField()
    views = dynamix.IntegerField(default=0)
    lives = dynamix.IntegerField(default=3)
    price = dynamix.IntegerField()
    tax = dynamix.IntegerField()
    total = dynamix.IntegerField()
    score = dynamix.FloatField()
    money = Cents()
    meta = dynamix.DictField()
    lines = dynamix.ListField()
    reviews = dynamix.ListField(default=["made"])
    tags = dynamix.SetField()
    first_seen = dynamix.DateTimeField()
    note = dynamix.CharField(null=True)


KEY = {"url": "/", "number": 1}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = (
    Page.title.set("x"),
    Page.state.remove(),
    Page.views.add(1),
    Page.views.add(2),
    Page.total.set(Page.price + Page.tax),
    Page.score.set(9 - Page.price),
    Page.meta["a"].remove(),
    Page.meta["b"]["c"].set([1]),
    Page.meta["n"].add(2),
    Page.lines[0]["price"].set(5),
    Page.lines[1].remove(),
    Page.reviews.append("z"),
    Page.reviews.append(["y", "x"]),
    Page.tags.add({"p"}),
    Page.tags.add(["q"]),
    Page.first_seen.set_if_missing(NOW),
    Page.author.set_if_missing("nobody"),
)


def fresh(**values: Any) -> Page:
    """A page that is stored."""
    dynamix.create_table(Page)
    return Page.create(**{**KEY, "author": "me", **values})


def whole() -> Page:
    """A page that has all that EVERYTHING changes."""
    return fresh(
        state="open",
        price=3,
        tax=4,
        meta={"a": 1, "b": {}, "n": 5},
        lines=[{"price": 1, "of": "tea"}, "gone", "kept"],
        tags={"o"},
    )


def check_everything(page: Page | None) -> None:
    """EVERYTHING has been done to it."""
    assert page is not None
    assert (page.title, page.state, page.views, page.total, page.score) == ("x", None, 3, 7, 6.0)
    assert page.meta == {"b": {"c": [1]}, "n": 7}
    assert page.lines == [{"price": 5, "of": "tea"}, "kept"]
    assert page.reviews == ["made", "z", "y", "x"]
    assert (page.tags, page.first_seen, page.author) == ({"o", "p", "q"}, NOW, "me")


@pytest.mark.usefixtures("place")
def test_all_actions_are_made_at_once() -> None:
    """Every kind of action in one call; the result is None, the new or the old instance."""
    whole()
    assert Page.update_by_key(*EVERYTHING, **KEY) is None  # type: ignore[func-returns-value]
    check_everything(Page.get(**KEY))
    before = Page.get(**KEY)
    assert Page.update_by_key(Page.views.add(1), Page.reviews.prepend("w"), returns="old", **KEY) == before
    after = Page.update_by_key(Page.tags.delete({"o", "?"}), Page.total.set(Page.total - 5), returns="new", **KEY)
    assert after == Page.get(**KEY)
    assert (after.views, after.reviews, after.tags, after.total) == (4, ["w", "made", "z", "y", "x"], {"p", "q"}, 2)
    assert after.commit_changes() is after


def requests(update: Callable[[], object]) -> int:
    """How many updates are sent."""
    counting = Counting("UpdateItem", 1)
    with serving(counting):
        whole()
        update()
        return counting.count


def test_one_call_is_one_request() -> None:
    """However many actions there are; a map that is missing takes one more, and the times after that do not."""
    assert requests(lambda: Page.update_by_key(*EVERYTHING, **KEY)) == 1
    assert requests(lambda: Page.update_by_key(Page.meta["x"]["y"].set(1), Page.views.add(1), **KEY)) == 2
    assert requests(lambda: [Page.update_by_key(Page.meta["x"]["y"].set(1), **KEY) for _ in range(3)]) == 4
    assert requests(lambda: Page.update_by_key(Page.views.add(1), Page.author.set("a"), upsert=True, **KEY)) == 1


@pytest.mark.usefixtures("place")
def test_the_twin_does_the_same() -> None:
    """`aupdate_by_key` is the same call, awaited."""
    whole()
    check_everything(asyncio.run(Page.aupdate_by_key(*EVERYTHING, returns="new", **KEY)))


@pytest.mark.usefixtures("place")
def test_no_item_is_made_by_accident() -> None:
    """An item that does not exist is an ItemNotFoundError, whatever else was asked, and does not exist then."""
    fresh()
    other = {**KEY, "number": 2}
    for options in ({}, {"condition": Page.views < 5}, {"returns": "old"}):
        for action in (Page.views.add(1), Page.meta["a"].set(1), Page.total.set(Page.price + 1)):
            with pytest.raises(dynamix.ItemNotFoundError, match=r"Page with url='/', number=2 does not exist"):
                Page.update_by_key(action, **options, **other)  # type: ignore[call-overload]
    assert not Page.exists(**other)


@pytest.mark.usefixtures("place")
def test_a_condition_that_is_not_met_brings_the_item() -> None:
    """The error has the stored instance; with `upsert` there may be none."""
    page = fresh(views=5)
    with pytest.raises(
        dynamix.ConditionalCheckFailedError, match=r"does not meet the condition Page.views < 5"
    ) as caught:
        Page.update_by_key(Page.meta["a"].set(1), condition=Page.views < 5, **KEY)
    assert caught.value.item == page == Page.get(**KEY)
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="as there is no such item") as caught:
        Page.update_by_key(Page.author.set("a"), condition=Page.views < 5, upsert=True, url="/", number=2)
    assert (caught.value.item, Page.exists(url="/", number=2)) == (None, False)
    Page.update_by_key(Page.meta["a"].set(1), condition=(Page.views == 5) & Page.meta.not_exists(), **KEY)
    stored = Page.get(**KEY)
    assert stored is not None
    assert stored.meta == {"a": 1}


@pytest.mark.usefixtures("place")
def test_an_upsert_makes_what_is_missing() -> None:
    """A new item has what was set and the defaults; one that is there keeps what it has, and gets what it lacks."""
    dynamix.create_table(Page)
    limit = Page.lives.not_exists() | (Page.lives > 1)

    def spend() -> Page:
        return Page.update_by_key(
            Page.lives.add(-1),
            Page.author.set_if_missing("me"),
            Page.total.set(Page.views + 1),
            condition=limit,
            upsert=True,
            returns="new",
            **KEY,
        )

    page = spend()
    assert page == Page.get(**KEY)
    assert (page.author, page.lives, page.views, page.total, page.reviews) == ("me", 2, 0, 1, ["made"])
    assert spend().lives == 1
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        spend()
    old = Page.update_by_key(Page.author.set("you"), Page.reviews.append("x"), upsert=True, returns="old", **KEY)
    assert old is not None
    assert (old.author, old.lives) == ("me", 1)
    assert Page.update_by_key(Page.author.set("you"), upsert=True, returns="old", url="/", number=2) is None


class Stamped(dynamix.Model):
    """Times that the library keeps, and defaults of other kinds."""

    __table_name__ = "stamped"

    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    made = dynamix.DateTimeField(auto_now_add=True)
    at = dynamix.DateTimeField(auto_now=True)
    words = dynamix.IntegerField(default_using_instance=lambda stamped: len(stamped.text or ""))


@pytest.mark.usefixtures("place")
def test_times_are_renewed() -> None:
    """`auto_now` is of the update unless it is set, `auto_now_add` of the update that made the item."""
    dynamix.create_table(Stamped)
    made = Stamped.update_by_key(Stamped.text.set("abc"), upsert=True, returns="new", key="a")
    assert made.made is not None
    assert made.at is not None
    assert (made.words, made.made <= made.at) == (3, True)
    later = Stamped.update_by_key(Stamped.text.set("abcd"), upsert=True, returns="new", key="a")
    assert later.at is not None
    assert (later.words, later.made, later.at > made.at) == (3, made.made, True)
    assert Stamped.update_by_key(Stamped.at.set(NOW), returns="new", key="a").at == NOW
    queued = Stamped(key="a").change(Stamped.text.remove()).commit_changes()
    assert queued.at is not None
    assert queued.at > later.at


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "nothing": (lambda: Page.update_by_key(**KEY), "an update of Page without actions changes nothing"),
    "two values": (
        lambda: Page.update_by_key(Page.title.set("a"), Page.title.set("b"), **KEY),
        r"Page.title.set\(...\) and Page.title.set\(...\) change the same value",
    ),
    "add and delete": (
        lambda: Page.update_by_key(Page.tags.add({"a"}), Page.views.add(1), Page.tags.delete({"b"}), **KEY),
        r"Page.tags.add\(...\) and Page.tags.delete\(...\) change the same",
    ),
    "append and prepend": (
        lambda: Page.update_by_key(Page.reviews.append("a"), Page.reviews.prepend("b"), **KEY),
        r"Page.reviews.append\(...\) and Page.reviews.prepend\(...\) change the same",
    ),
    "a value and a part": (
        lambda: Page.update_by_key(Page.meta["a"]["b"].set(1), Page.meta["a"].set({}), **KEY),
        r"Page.meta\['a'\]\['b'\].set\(...\) and Page.meta\['a'\].set\(...\) change the same",
    ),
    "a read of what is changed": (
        lambda: Page.update_by_key(Page.price.set(1), Page.total.set(Page.price + Page.tax), **KEY),
        r"Page.total.set\(...\) reads Page.price, which Page.price.set\(...\) changes in the same update",
    ),
    "a read inside what is changed": (
        lambda: Page.update_by_key(Page.meta.set({}), Page.total.set(Page.meta["n"] + 1), **KEY),
        r"Page.total.set\(...\) reads Page.meta\['n'\], which Page.meta.set\(...\) changes",
    ),
    "three operands": (lambda: Page.price + Page.tax + 1, "one . or - of two operands|unsupported operand"),
    "a key": (lambda: Page.number.set(2), "Page.number is part of the key, which no update can change"),
    "a key added to": (lambda: Page.number.add(2), "Page.number is part of the key, which no update can change"),
    "a key removed": (lambda: Page.url.remove(), "Page.url is part of the key, which no update can change"),
    "a key read": (lambda: Page.number + 1, "Page.number is part of the key, which the call knows"),
    "a key copied": (lambda: Page.total.set(Page.number), "Page.number is part of the key, which the call knows"),
    "add to text": (lambda: Page.title.add(1), "Page.title is a CharField; add is for a number"),
    "append to a set": (lambda: Page.tags.append("x"), "Page.tags is a SetField; append is for a list"),
    "delete from a list": (lambda: Page.lines.delete({1}), "Page.lines is a ListField; delete is for a set"),
    "compute a text": (lambda: Page.title.set(Page.price + 1), "Page.title is a CharField, and what the service comp"),
    "compute with a text": (lambda: Page.price + Page.title, "Page.title is a|what one stores need not be what"),
    "fractions for an int": (lambda: Page.total.set(Page.score + 1), "what one stores need not be what the other"),
    "another scale": (lambda: Page.total.set(Page.money + Decimal(1)), "what one stores need not be what the other"),
    "another kind copied": (lambda: Page.title.set(Page.price), "what one stores need not be what the other"),
    "members inside a map": (lambda: Page.meta["a"].delete({1}), r"Page.meta\['a'\] lies inside Page.meta"),
    "+= on the class": (lambda: exec("Page.views += 1", {"Page": Page}), r"use Page.views.add\(...\)"),
    "an upsert inside a map": (
        lambda: Page.update_by_key(Page.author.set("a"), Page.meta["a"].set(1), upsert=True, **KEY),
        r"Page.meta\['a'\].set\(...\) changes a part of Page.meta, and a new item has nothing",
    ),
    "an upsert that reads": (
        lambda: Page.update_by_key(Page.author.set("a"), Page.total.set(Page.price + 1), upsert=True, **KEY),
        r"Page.total.set\(...\) reads Page.price, which a new item has not",
    ),
    "too long": (
        lambda: Page.update_by_key(*(Page.meta[f"k{n}"].set(n) for n in range(400)), **KEY),
        "make an expression of .* bytes",
    ),
    "too many operators": (
        lambda: Page.update_by_key(*(Page.lines[n].set_if_missing(n) for n in range(301)), **KEY),
        "a request takes 4096 bytes and 300 operators",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_no_update_can_do_is_refused_beforehand(call: Callable[[], object], message: str) -> None:
    """The error names the field and says what to do; nothing is sent, for there is no connection."""
    with pytest.raises((dynamix.InvalidUpdateError, TypeError), match=message):
        call()


WRONG: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "a type": (lambda: Page.title.set(3), dynamix.WrongTypeError, "Page.title cannot hold 3"),  # type: ignore[arg-type]
    "a length": (lambda: Page.title.set("x" * 11), dynamix.FieldValidationException, "Page.title cannot hold 'xxx"),
    "an amount": (lambda: Page.views.add("1"), dynamix.WrongTypeError, "Page.views cannot hold '1'"),  # type: ignore[arg-type]
    "a sum": (
        lambda: Page.update_by_key(Page.views.add(10**38 - 1), Page.views.add(2), **KEY),
        dynamix.FieldValidationException,
        "Page.views cannot hold .* together",
    ),
    "an element": (lambda: Page.meta["a"].set(object()), dynamix.WrongTypeError, "Page.meta cannot hold"),
    "one member": (lambda: Page.tags.add("abc"), dynamix.WrongTypeError, "Page.tags cannot hold 'abc': give a set"),
    "members of two types": (
        lambda: Page.update_by_key(Page.tags.add({"a"}), Page.tags.add({1}), **KEY),
        dynamix.FieldValidationException,
        "Page.tags",
    ),
    "a key of an index": (
        lambda: Page.update_by_key(Page.state.set(""), **KEY),
        dynamix.FieldValidationException,
        "Page.state cannot hold '': a key of a table or an index cannot be empty",
    ),
    "nothing for what is required": (lambda: Page.author.set(None), dynamix.RequiredFieldError, "Page.author is req"),
    "what is required removed": (lambda: Page.author.remove(), dynamix.RequiredFieldError, "Page.author is required"),
    "what is required not made": (
        lambda: Page.update_by_key(Page.views.add(1), upsert=True, **KEY),
        dynamix.RequiredFieldError,
        "Page.author is required, and a new item would lack it",
    ),
    "no value if missing": (
        lambda: Page.title.set_if_missing(None),  # type: ignore[arg-type]
        dynamix.FieldValidationException,
        "set_if_missing sets a value",
    ),
    "a condition": (
        lambda: Page.update_by_key(Page.title == "x", **KEY),  # type: ignore[call-overload]
        dynamix.WrongTypeError,
        "conditions are given as condition=",
    ),
    "another model's field": (
        lambda: Page.update_by_key(Stamped.text.set("x"), **KEY),
        dynamix.UnknownNameError,
        "Stamped.text is not a field of Page",
    ),
    "another model's field read": (
        lambda: Page.update_by_key(Page.total.set(Stamped.words + 1), **KEY),
        dynamix.UnknownNameError,
        "Stamped.words is not a field of Page",
    ),
    "another model's condition": (
        lambda: Page.update_by_key(Page.views.add(1), condition=Stamped.text == "x", **KEY),
        dynamix.InvalidQueryError,
        "Stamped.text is not a field of Page",
    ),
    "other returns": (
        lambda: Page.update_by_key(Page.views.add(1), returns="ALL_NEW", **KEY),  # type: ignore[call-overload]
        dynamix.WrongTypeError,
        "returns='ALL_NEW' is neither 'new' nor 'old' nor None",
    ),
    "what no instance has loaded": (
        lambda: Page.update_by_key(Page.views.add(1), condition=Page.title.unchanged(), **KEY),
        dynamix.InvalidUpdateError,
        r"Page.title.unchanged\(\) compares with what was loaded",
    ),
    "a part of the key": (lambda: Page.update_by_key(Page.views.add(1), url="/"), dynamix.MissingKeyError, "number"),
    "no part of the key": (
        lambda: Page.update_by_key(Page.views.add(1), title="x", **KEY),
        dynamix.UnknownNameError,
        "Page.title is not part of the key",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), WRONG.values(), ids=WRONG)
def test_wrong_values_are_refused_beforehand(call: Callable[[], object], kind: type[Exception], message: str) -> None:
    """The error is that of the field, which it names; nothing is sent, for there is no connection."""
    with pytest.raises(kind, match=message):
        call()


def test_a_set_with_a_default_says_what_an_upsert_does() -> None:
    """A set that was emptied is not stored, as one that never was, so the default may be given to neither."""

    class Tagged(dynamix.Model):
        """A set that new items start with."""

        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()
        tags = dynamix.SetField(default={"new"})

    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        dynamix.create_table(Tagged)
        with pytest.raises(dynamix.InvalidUpdateError, match=r"add Tagged.tags.set_if_missing\(...\)"):
            Tagged.update_by_key(Tagged.text.set("x"), upsert=True, key="a")
        assert Tagged.update_by_key(Tagged.tags.set_if_missing({"x"}), upsert=True, returns="new", key="a").tags == {
            "x"
        }


NULLED: dict[str, tuple[dynamix.Action, dict[str, Any] | None]] = {
    "title": (Page.title.set_if_missing("x"), {"S": "x"}),
    "views": (Page.views.add(2), {"N": "2"}),
    "lives": (Page.lives.add(2), {"N": "5"}),
    "meta": (Page.meta["a"]["b"].set(1), {"M": {"a": {"M": {"b": {"N": "1"}}}}}),
    "lines": (Page.lines[2].set(1), {"L": [{"N": "1"}]}),
    "reviews": (Page.reviews.append("x"), {"L": [{"S": "made"}, {"S": "x"}]}),
    "tags": (Page.tags.add({"x"}), {"SS": ["x"]}),
    "money": (Page.money.remove(), None),
    "note": (Page.note.set(None), {"NULL": True}),
    "total": (Page.total.set(Page.lives + 1), {"N": "4"}),
}


@pytest.mark.parametrize("name", NULLED)
def test_a_null_counts_as_missing(place: Place, name: str) -> None:
    """An action starts from the default, or from nothing, where another program stored a NULL."""
    fresh()
    action, expected = NULLED[name]
    read = "lives" if name == "total" else name
    item = {"url": {"S": "/"}, "number": {"N": "1"}, "author": {"S": "me"}, getattr(Page, read).name: {"NULL": True}}
    place.call("PutItem", TableName=place.table_name(Page), Item=item)
    Page.update_by_key(action, **KEY)
    stored = place.stored_item(Page, **KEY)
    assert stored is not None
    assert stored.get(getattr(Page, name).name) == expected


@pytest.mark.usefixtures("place")
def test_what_does_not_fit_in_the_stored_item_is_told() -> None:
    """A value that an action reads and that is not there, and an element inside of one that is none."""
    fresh(lines=["text"])
    for action, message in (
        (Page.total.set(Page.price + 1), "Page.price: it has no value that could be read; nothing was stored"),
        (Page.title.set(Page.state), "Page.state: it has no value that could be read"),
        (Page.meta["a"].set(Page.lives + 1), "is set only inside a map or list that is stored"),
        (Page.lines[4]["price"].set(1), r"Page.lines\[4\]: there is no such element to change inside"),
    ):
        with pytest.raises(dynamix.StoredValueError, match=message) as caught:
            Page.update_by_key(action, Page.views.add(1), **KEY)
        assert caught.value.applied == "no"
    with pytest.raises(dynamix.InvalidRequestError):
        Page.update_by_key(Page.lines[0]["price"].set(1), **KEY)
    page = Page.get(**KEY)
    assert page is not None
    assert (page.views, page.lines) == (0, ["text"])


def test_an_item_that_cannot_be_read_was_changed(place: Place) -> None:
    """The error says that the changes were stored; where nothing is to be returned nothing is read."""
    fresh()
    item = {"url": {"S": "/"}, "number": {"N": "1"}, "author": {"S": "me"}, "price": {"S": "?"}}
    place.call("PutItem", TableName=place.table_name(Page), Item=item)
    Page.update_by_key(Page.views.add(1), **KEY)
    with pytest.raises(dynamix.StoredValueError, match=r"the changes were stored, but .*Page.price") as caught:
        Page.update_by_key(Page.views.add(1), returns="new", **KEY)
    assert (caught.value.applied, caught.value.key) == ("yes", KEY)
    stored = place.stored_item(Page, **KEY)
    assert stored is not None
    assert stored["views"] == {"N": "2"}


def test_a_key_is_taken_as_it_is_stored(place: Place) -> None:
    """The item of another program's spelling is changed, none beside it is made."""

    class Hour(dynamix.Model):
        """Keyed by a time."""

        at = dynamix.DateTimeField(hash_key=True)
        count = dynamix.IntegerField()

    dynamix.create_table(Hour)
    place.call("PutItem", TableName=place.table_name(Hour), Item={"at": {"S": "2026-01-01T00:00:00Z"}})
    Hour.update_by_key(Hour.count.add(1), upsert=True, **Hour.key_of(at="2026-01-01T00:00:00Z"))
    assert [hour.count for hour in Hour.scan()] == [1]


@pytest.mark.usefixtures("place")
def test_a_key_may_have_the_name_of_an_option() -> None:
    """A key that is called `condition`, `upsert` or `returns` is meant by that name."""

    class Rule(dynamix.Model):
        """A rule."""

        condition = dynamix.CharField(hash_key=True)
        returns = dynamix.CharField(range_key=True)
        set = dynamix.IntegerField()
        add = dynamix.IntegerField()

    dynamix.create_table(Rule)
    key: dict[str, Any] = {"condition": "rain", "returns": "home"}
    Rule.update_by_key(Rule.set.set(1), Rule.add.add(2), upsert=True, **key)
    rule = Rule.get(**key)
    assert rule is not None
    assert (rule.set, rule.add) == (1, 2)


def test_actions_are_values() -> None:
    """They compare by what they say, keep what they were given, and can be used again."""
    given = [1]
    action = Page.lines.append(given)
    given.append(2)
    assert action == Page.lines.append([1])
    assert action != Page.lines.append([1, 2])
    assert Page.lines[0].set(1) != Page.lines[1].set(1)
    with pytest.raises(AttributeError):
        action.path = None  # type: ignore[misc, assignment]
    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        fresh()
        Page.update_by_key(action, **KEY)
        assert Page.update_by_key(action, returns="new", **KEY).lines == [1, 1]
        assert Page(**KEY).change(action, action).commit_changes().lines == [1, 1, 1, 1]
