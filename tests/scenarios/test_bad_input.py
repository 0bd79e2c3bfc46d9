"""Bad input gets a clear error, in time, and nothing is lost or stored."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from forum import Thread, create_threads, key
from sample import Sample

import dynamix


class Ranked(dynamix.Model):
    """Fields with limits of their own."""

    key = dynamix.CharField(hash_key=True)
    name = dynamix.CharField(min_length=2, max_length=4)
    number = dynamix.IntegerField(minimum=-1, maximum=10)
    even = dynamix.IntegerField(validator=lambda value: value % 2 == 0)
    author = dynamix.CharField(required=True)


WRONG_TYPES: dict[str, list[Any]] = {
    "text": [5, b"x", True, ["x"], {"x"}],
    "number": ["5", 5.0, True, Decimal(5)],
    "real": ["1.0", True, object()],
    "truth": [0, 1, "true"],
    "moment": ["2026-01-01", date(2026, 1, 1), 0],
    "day": ["2026-01-01", datetime(2026, 1, 1, tzinfo=UTC), 0],
    "clock": ["12:00", 5, datetime(2026, 1, 1)],
    "span": [5, "5", time(5)],
    "items": ["abc", {"a"}, {"a": 1}],
    "mapping": [[("a", 1)], "a"],
    "many": [["a"], "a", {"a": 1}],
}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG_TYPES.items() for value in values]
)
def test_a_wrong_type(field: str, value: Any) -> None:
    """Each field refuses a value of a wrong type, naming the field and the value, wherever it is given."""
    dynamix.create_table(Sample)
    sample = Sample.create(key="k")
    for attempt in (
        lambda: Sample.create(key="k2", **{field: value}),
        lambda: Sample.batch_write([{"key": "k2", field: value}]),
        lambda: sample.set_field(getattr(Sample, field), value),
    ):
        with pytest.raises(dynamix.WrongTypeError, match=f"Sample.{field}") as caught:
            attempt()
        assert isinstance(caught.value, dynamix.FieldValidationException)
        assert isinstance(caught.value, TypeError)
        assert caught.value.field == field
        assert caught.value.value is value
    assert Sample.get(key="k2") is None


LOSSY: list[tuple[str, Any]] = [
    ("number", 10**38 + 1),
    ("number", 10**126),
    ("real", float("nan")),
    ("real", float("inf")),
    ("real", 1e-200),
    ("real", 1e200),
    ("real", 2**53 + 1),
    ("real", Decimal("0.1000000000000000000001")),
    ("moment", datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))),
    ("moment", datetime.max.replace(tzinfo=timezone(-timedelta(hours=5)))),
    ("span", timedelta(microseconds=1)),
    ("clock", time(1, tzinfo=UTC)),
    ("items", [float("nan")]),
    ("items", [10**38 + 1]),
    ("items", [Decimal("1." + "1" * 38)]),
    ("mapping", {"a": object()}),
    ("mapping", {1: "a"}),
    ("many", {1, "a"}),
    ("many", {"a", b"a"}),
    ("many", {True}),
    ("many", {(1,)}),
]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("field", "value"), LOSSY)
def test_a_value_that_would_lose_something(field: str, value: Any) -> None:
    """What DynamoDB cannot hold exactly is refused: too many digits, not a number, a set of mixed types."""
    dynamix.create_table(Sample)
    with pytest.raises(dynamix.FieldValidationException, match=f"Sample.{field}"):
        Sample.create(key="k", **{field: value})
    assert Sample.get(key="k") is None


def in_block(block: Any, text: str) -> None:
    """Put an item with this text in a list, in a block."""
    with block as writes:
        writes.put(Sample(key="k2", items=[text]))


@pytest.mark.usefixtures("place")
def test_text_that_is_no_text() -> None:
    """A surrogate without its partner has no place in Unicode text; wherever it is given, it is refused and shown."""
    dynamix.create_table(Sample)
    sample = Sample.create(key="k")
    half = "half \ud800"
    sample.set_field(Sample.text, half)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: Sample.create(key=half),
        lambda: Sample.get(key=half),
        lambda: Sample.create(key="k2", text=half),
        lambda: Sample.create(key="k2", mapping={half: 1}),
        lambda: Sample.batch_write([{"key": "k2", "items": [half]}]),
        lambda: in_block(Sample.batch(), half),
        lambda: in_block(dynamix.transaction(), half),
        lambda: list(Sample.scan().where(Sample.text == half)),
        lambda: list(Sample.scan().where(Sample.mapping[half].exists())),
        lambda: list(Sample.scan().where(Sample.number.exists() & ~(Sample.text < half))),
        lambda: Sample.batch_get({"key": "k"}, {"key": half}),
        lambda: Sample.batch_delete([{"key": half}]),
        lambda: Sample(key="k").set_modify_conditions(Sample.text == half).delete(),
        lambda: Sample(key="k").set_modify_conditions(Sample.text == half).set_field(Sample.number, 1).commit_changes(),
        sample.commit_changes,
    )
    for attempt in attempts:
        with pytest.raises(
            dynamix.FieldValidationException, match=r"Sample\.\w+ cannot hold .*half \\ud800.*surrogate"
        ):
            attempt()
    assert list(Sample.scan()) == [Sample(key="k")]


@pytest.mark.usefixtures("place")
def test_what_no_change_and_no_condition_takes() -> None:
    """What cannot be added, be in a set or be a condition is refused in our own words, and nothing is queued."""
    dynamix.create_table(Sample)
    sample = Sample.create(key="k")
    wrongs: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: sample.add_to_field(Sample.number, None), r"Sample\.number cannot hold None: give the number"),  # type: ignore[type-var]
        (lambda: sample.set_field(Sample.real, float("nan")), r"Sample\.real cannot hold nan: it is not a number"),
        (lambda: sample.add_to_setfield(Sample.many, [[1]]), r"Sample\.many cannot hold \[\[1\]\]: an element"),
        (lambda: sample.delete_from_setfield(Sample.many, [{}]), r"Sample\.many cannot hold \[\{\}\]: an element"),
        (lambda: Sample.number.is_in(5), "is_in takes several values, such as .5., not 5 itself"),  # type: ignore[arg-type]
        (lambda: sample.add_modify_conditions(True), r"True is not a condition; give such as Sample\.key\.exists"),  # type: ignore[arg-type]
    )
    for wrong, words in wrongs:
        with pytest.raises(dynamix.ValidationException, match=words):
            wrong()
    assert sample.commit_changes() == Sample.get(key="k") == Sample(key="k")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("field", ["number", "real", "items", "many"])
def test_an_endless_integer(field: str) -> None:
    """An integer of more digits than Python prints is refused, though it cannot even be shown."""
    value: Any = {"items": [10**5000], "many": {10**5000}}.get(field, 10**5000)
    with pytest.raises(dynamix.FieldValidationException, match=rf"Sample\.{field} cannot hold .*too long to be shown"):
        Sample.create(key="k", **{field: value})


@pytest.mark.usefixtures("place")
def test_a_value_of_endless_depth() -> None:
    """Lists within lists without end are refused, though they cannot even be shown."""
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(dynamix.FieldValidationException, match=r"Sample\.items cannot hold .*nested"):
        Sample.create(key="k", items=deep)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "a"), ("name", "abcde"), ("number", -2), ("number", 11), ("even", 3)],
)
def test_a_value_out_of_its_limits(field: str, value: Any) -> None:
    """The limits of a field hold for the constructor's values once they are validated."""
    ranked = Ranked(key="k", author="me", **{field: value})
    with pytest.raises(dynamix.FieldValidationException, match=f"Ranked.{field}"):
        ranked.validate()
    assert not ranked.is_valid()


def test_validate_accepts_what_fits() -> None:
    """validate is silent and is_valid true for values within the limits."""
    ranked = Ranked(key="k", author="me", name="abcd", number=10, even=2)
    ranked.validate()
    assert ranked.is_valid()
    with pytest.raises(dynamix.RequiredFieldError, match="author"):
        Ranked(key="k").validate()


def test_a_validators_error_is_told() -> None:
    """What a validator raises becomes part of the message."""

    def starts_with_a(value: str) -> None:
        if not value.startswith("a"):
            raise ValueError("say it with an a")

    class Note(dynamix.Model):
        key = dynamix.CharField(hash_key=True, validator=starts_with_a)

    Note(key="abc").validate()
    with pytest.raises(dynamix.FieldValidationException, match="say it with an a"):
        Note(key="xyz").validate()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "values",
    [
        {"forum_id": "science"},
        {"thread_id": "t"},
        {"forum_id": "science", "thread_id": None},
        {},
    ],
)
def test_a_missing_key_part(values: dict[str, Any]) -> None:
    """A missing or None part of the key is an error that names it, before anything is sent: there is no table."""
    for operation in (
        lambda: Thread.create(**values),
        lambda: Thread.get(**values),
        lambda: Thread.delete_by_key(**values),
        lambda: Thread.batch_get(values),
        lambda: Thread.batch_write([values]),
        lambda: Thread.batch_delete(keys=[values]),
        lambda: Thread(**values).delete(),
    ):
        with pytest.raises(dynamix.MissingKeyError, match=r"forum_id|thread_id") as caught:
            operation()
        assert caught.value.field in ("forum_id", "thread_id")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("value", ["", "x" * 1025, "é" * 513, 5])
def test_a_key_that_cannot_be(value: Any) -> None:
    """An empty key, one that is too long, and one of a wrong type are refused before anything is sent."""
    for operation in (
        lambda: Thread.create(forum_id="science", thread_id=value),
        lambda: Thread.get(forum_id="science", thread_id=value),
        lambda: Thread.batch_write([{"forum_id": "science", "thread_id": value}]),
        lambda: Thread.create(**key(1), user_id="" if value == "" else "x" * 2049),
    ):
        with pytest.raises(dynamix.FieldValidationException):
            operation()


def put_in_transaction(sample: Sample) -> None:
    """Put an instance in a transaction of its own."""
    with dynamix.transaction() as tx:
        tx.put(sample)


@pytest.mark.usefixtures("place")
def test_an_item_of_over_400_kb() -> None:
    """An item that is too large is refused before it is sent; one at the limit is stored."""
    dynamix.create_table(Sample)
    room = 400 * 1024 - len("key") - len("k") - len("text")
    for operation in (
        lambda: Sample.create(key="k", text="x" * (room + 1)),
        lambda: Sample.batch_write([{"key": "k", "text": "x" * (room + 1)}]),
    ):
        with pytest.raises(dynamix.ItemTooLargeError, match="409600"):
            operation()
    large = ["x" * room]
    for operation in (
        lambda: Sample.create(key="k", items=large),
        lambda: Sample.batch_write([{"key": "k", "items": large}]),
        lambda: put_in_transaction(Sample(key="k", items=large)),
    ):
        with pytest.raises(dynamix.ItemTooLargeError, match=r"409605 bytes, .*; 'items' alone has 409596"):
            operation()
    assert Sample.get(key="k") is None
    Sample.create(key="k", text="x" * room)
    assert Sample.exists(key="k")


@pytest.mark.usefixtures("place")
def test_an_update_that_makes_an_item_too_large() -> None:
    """The service refuses an update past 400 KB; the item stays as it was and so does the queue."""
    dynamix.create_table(Sample)
    sample = Sample.create(key="k", items=["x" * 300_000])
    sample.append_to_listfield(Sample.items, "y" * 200_000)
    with pytest.raises(dynamix.ValidationException):
        sample.commit_changes()
    found = Sample.get(key="k")
    assert found is not None
    assert found.items == ["x" * 300_000]


MISSPELT: list[Callable[[], object]] = [
    lambda: Thread(**key(1), titel="x"),
    lambda: Thread.create(**key(1), titel="x"),
    lambda: Thread.batch_write([{**key(1), "titel": "x"}]),
    lambda: Thread.get(**key(1), titel="x"),
]


@pytest.mark.parametrize("attempt", MISSPELT)
def test_a_misspelt_name(attempt: Callable[[], object]) -> None:
    """An unknown name is an error that suggests the nearest."""
    with pytest.raises(dynamix.UnknownNameError, match=r"'titel'.*'title'"):
        attempt()


def test_a_misspelt_attribute() -> None:
    """Assigning an attribute that the model does not have is an error, not a change that is never stored."""
    thread = Thread(**key(1))
    with pytest.raises(dynamix.UnknownNameError, match="'title'"):
        thread.titel = "x"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = thread.titel  # type: ignore[attr-defined]


@pytest.mark.usefixtures("place")
def test_a_condition_of_another_models_field() -> None:
    """A condition on another model's field is refused, naming the field, before anything is sent."""
    for operation in (
        lambda: Thread.query().where(Thread.forum_id == "x", Sample.text == "y").get_items(),
        lambda: list(Thread.scan().where(Sample.text == "y")),
        lambda: Thread(**key(1)).set_modify_conditions(Sample.text == "y"),
    ):
        with pytest.raises(dynamix.ValidationException, match=r"Sample\.text"):
            operation()


def test_a_condition_has_no_truth() -> None:
    """`and` between conditions would drop one of them; it raises instead."""
    with pytest.raises(TypeError, match="&"):
        _ = Thread.forum_id == "x" and Thread.title == "y"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: Thread.title.eq(5),  # type: ignore[arg-type]
        lambda: Thread.updated_at == "5",
        lambda: Thread.title == None,  # noqa: E711
        lambda: Thread.title.is_in([]),
        lambda: Thread.title.is_in([str(n) for n in range(101)]),
        lambda: Thread.title.begins_with(5),  # type: ignore[arg-type]
        lambda: Thread.title.attribute_type("X"),  # type: ignore[arg-type]
        lambda: Sample.span > timedelta(1),
    ],
)
def test_a_condition_that_cannot_be(attempt: Callable[[], object]) -> None:
    """A condition with a value of a wrong type is refused where it is written."""
    with pytest.raises(dynamix.ValidationException):
        attempt()


@pytest.mark.usefixtures("place")
def test_a_cursor_of_another_query() -> None:
    """A cursor of another table, another index, or damaged text is refused before anything is sent."""
    create_threads(4)
    dynamix.create_table(Sample)
    Sample.batch_write([{"key": str(n)} for n in range(4)])
    _, cursor = Thread.query().where(Thread.forum_id == "science").limit(2).get_items()
    assert cursor is not None
    index = Thread.query().use_index("by_user").where(Thread.user_id == "user0")
    for operation in (
        lambda: index.start_key(cursor).get_items(),
        lambda: Sample.query().where(Sample.key == "1").start_key(cursor).get_items(),
        lambda: Thread.query().where(Thread.forum_id == "science").start_key("nonsense").get_items(),
        lambda: Thread.query().where(Thread.forum_id == "science").start_key(str(cursor)[:-3]).get_items(),
    ):
        with pytest.raises(dynamix.InvalidCursorError):
            operation()


def test_models_that_no_table_can_have() -> None:
    """A model that DynamoDB cannot store is refused when it is first used, before anything is sent."""

    def no_key() -> None:
        class NoKey(dynamix.Model):
            text = dynamix.CharField()

        NoKey(text="x")

    def two_keys() -> None:
        class TwoKeys(dynamix.Model):
            one = dynamix.CharField(hash_key=True)
            two = dynamix.CharField(hash_key=True)

        TwoKeys(one="x", two="y")

    def no_key_type() -> None:
        class NoKeyType(dynamix.Model):
            one = dynamix.ListField(hash_key=True)  # type: ignore[call-overload]

        NoKeyType(one=[])

    def one_stored_name_twice() -> None:
        class Twice(dynamix.Model):
            one = dynamix.CharField(hash_key=True)
            two = dynamix.CharField(name="one")

        Twice(one="x", two="y")

    def local_index_without_sort_key() -> None:
        class NoSort(dynamix.Model):
            one = dynamix.CharField(hash_key=True)
            two = dynamix.CharField(indexed=True)

        NoSort(one="x", two="y")

    for definition in (no_key, two_keys, no_key_type, one_stored_name_twice, local_index_without_sort_key):
        with pytest.raises(dynamix.ModelDefinitionError):
            definition()


def test_a_misspelt_option() -> None:
    """An unknown option of a field is an error that suggests the nearest."""
    with pytest.raises(dynamix.UnknownNameError, match=r"CharField has no option 'requird'; did you mean 'required'\?"):
        dynamix.CharField(requird=True)  # type: ignore[call-overload]
    with pytest.raises(dynamix.UnknownNameError, match="did you mean 'max_length'"):
        dynamix.CharField(max_lenght=5)  # type: ignore[call-overload]
    with pytest.raises(dynamix.UnknownNameError, match=r"there are: .*auto_now, .*validator, was$"):
        dynamix.DateTimeField(tz="UTC")  # type: ignore[call-overload]
