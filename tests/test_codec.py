"""The codec: values to DynamoDB's form and back, and the generated code against its plain twin."""

import copy
import math
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamix.codec import numbers, values
from dynamix.codec.parsed import parse_list, parse_map, parse_set
from dynamix.codec.sizes import item_size, value_size
from dynamix.codec.slot import forms_kept
from dynamix.codec.state import STATE
from dynamix.codec.trees import list_tree, tree
from dynamix.codec.values import UnstorableError
from dynamix.errors import StoredValueError
from dynamix.fields import (
    AnyField,
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    EnumField,
    FloatField,
    IntegerField,
    JSONField,
    ListField,
    LiteralField,
    SetField,
    TimeDeltaField,
    TimeField,
    TTLField,
    UUIDField,
)
from dynamix.model import Model
from dynamix.model.running import schema_of

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
map_keys = text.filter(bool)
storable_floats = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: number == 0 or 1e-130 <= abs(number) < 1e126
)
free_floats = storable_floats.filter(lambda number: abs(number) < 1e37)
exact_decimals = st.builds(
    lambda digits, exponent: Decimal(digits * 10 + 1).scaleb(exponent, Context(prec=38)),
    st.integers(10**20, 10**37 - 1),
    st.integers(-80, 80),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    text,
    st.binary(max_size=8),
    st.integers(-(10**38) + 1, 10**38 - 1),
    free_floats,
    exact_decimals,
)
sets = st.one_of(
    st.sets(text, min_size=1, max_size=4),
    st.sets(st.integers(-(10**38) + 1, 10**38 - 1), min_size=1, max_size=4),
    st.sets(st.binary(max_size=4), min_size=1, max_size=4),
)
free = st.recursive(
    scalars | sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(map_keys, inner, max_size=4),
    max_leaves=12,
)


@given(free)
def test_free_form_values_survive(value: Any) -> None:
    """Decoding what was encoded gives an equal value of an equal type: nothing is lost or bent."""
    decoded = values.decode(msgspec.json.decode(msgspec.json.encode(values.encode(value))))
    assert decoded == value
    if not isinstance(value, float | Decimal):
        assert type(decoded) is type(value)


@given(exact_decimals)
def test_numbers_keep_their_digits(number: Decimal) -> None:
    """A number of up to 38 digits is written in full and read back exactly."""
    assert Decimal(numbers.to_text(number)) == number
    assert numbers.from_text(numbers.to_text(number)) == number


@pytest.mark.parametrize(
    "value",
    [
        10**38,
        Decimal(1).scaleb(126),
        Decimal(1).scaleb(-131),
        Decimal("1." + "1" * 38),
        math.inf,
        math.nan,
        1e126,
        1e-131,
    ],
)
def test_numbers_that_dynamodb_cannot_hold_are_refused(value: Any) -> None:
    """A number out of range, or of more than 38 digits, is refused, not rounded."""
    if value == 10**38:
        assert numbers.to_text(value) == str(value)
        value = 10**38 + 1
    with pytest.raises(UnstorableError):
        values.encode(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({1, "a"}, "mixes types"),
        (set(), "no empty set"),
        ({True}, "cannot hold True"),
        ({1: "x"}, "not a str"),
        (object(), "no type"),
        ([datetime(2026, 1, 1)], "no type"),
    ],
)
def test_what_has_no_form_is_refused(value: Any, reason: str) -> None:
    """What DynamoDB has no type for is refused with the reason."""
    with pytest.raises(UnstorableError, match=reason):
        values.encode(value)


def test_depth_is_bounded() -> None:
    """An item has 32 levels, of which it is one itself: lists 31 deep can be stored, 32 are refused."""
    value: Any = "leaf"
    for _ in range(31):
        value = [value]
    assert values.decode(values.encode(value)) == value
    assert msgspec.json.encode(tree(value)) == msgspec.json.encode(values.encode(value))
    for encode in (values.encode, tree):
        with pytest.raises(UnstorableError, match="32 levels"):
            encode([value])
        with pytest.raises(UnstorableError, match="32 levels"):
            encode({"a": value})


class Word(str):
    """Text that prints as something else."""

    def __str__(self) -> str:
        return "a word"


class Level(IntEnum):
    """An int that is a member of an enumeration."""

    LOW = 1


@given(free, st.sampled_from([float, Decimal]))
def test_json_read_at_once_is_what_its_forms_are(value: Any, of: type[float] | type[Decimal]) -> None:
    """A list, map or set that is read straight from its JSON is what its forms read as, to the types of its parts."""
    for whole, parse in (([value, value], parse_list), ({"a": value, "b": value}, parse_map), (value, parse_set)):
        if parse is not parse_set or isinstance(value, set):
            form = values.encode(whole)
            read = parse(msgspec.Raw(msgspec.json.encode(form)), of)
            plain = values.decode(form, of)
            assert read == plain
            assert _types(read) == _types(plain)


odd_scalars = st.sampled_from(
    [Word("x"), Level.LOW, 2**30 - 1, 2**30, 10**38, 10**38 + 1, 1e37, 2.0, 0.1, Decimal("0.30"), bytearray(b"x")]
)
unstorable = st.sampled_from([object(), set(), {1, "a"}, {None}, 1e38, math.inf, date(2026, 1, 1), "\ud800"])
odd = st.recursive(
    free | odd_scalars | unstorable | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(OrderedDict, st.dictionaries(map_keys, inner, max_size=2))
        | st.dictionaries(st.text(max_size=2) | st.sampled_from([Word("k"), 1, None]), inner, max_size=3)
        | st.lists(st.integers() | st.integers(-(10**39), 10**39), min_size=4, max_size=7)
    ),
    max_leaves=8,
)


@given(odd, st.sampled_from([float, Decimal, None]))
def test_a_tree_is_written_as_the_form_of_its_value(value: Any, of: type[float] | type[Decimal] | None) -> None:
    """The JSON of a tree is to the byte that of the stored form; a value that has none is refused in equal words."""
    assert _outcome(tree, value, of) == _outcome(values.encode, value, of)


def _outcome(make: Callable[..., Any], value: Any, of: Any) -> Any:
    try:
        return msgspec.json.encode(make(value, 0, of))
    except (UnstorableError, UnicodeEncodeError) as error:
        return type(error), str(error), getattr(error, "of_type", None)


@pytest.mark.parametrize("integers", [[0] * 5, [-(2**63), 2**63 - 1, 0, 1, 2], (2**63, 1, 2, 3, 4), [1, 2, 3, 4, True]])
def test_many_integers_are_written_as_each_of_them(integers: Any) -> None:
    """A list of many integers, which is written at once, is written as each of them would be."""
    assert msgspec.json.encode(list_tree(integers)) == msgspec.json.encode({"L": values.encode_list(integers)})


def _types(value: Any) -> Any:
    match value:
        case dict():
            return {key: _types(element) for key, element in value.items()}
        case list():
            return [_types(element) for element in value]
        case set():
            return {type(element) for element in value}
    return type(value)


class Kind(int, Enum):
    """An int that prints as something else."""

    GOOD = 7


class Grade(float):
    """A float that prints as something else."""

    def __repr__(self) -> str:
        return "a grade"


def test_subclasses_are_stored_by_their_value() -> None:
    """An instance of a subclass of str, int or float is stored as what it is, not as how it prints."""
    value = {Word("k"): [Word("x"), Level.LOW, Kind.GOOD, Grade(1.5)], "s": {Word("y")}, "n": {Kind.GOOD}}
    read = values.decode(msgspec.json.decode(msgspec.json.encode(values.encode(value))))
    assert read == {"k": ["x", 1, 7, 1.5], "s": {"y"}, "n": {7}}
    assert [type(element) for element in read["k"]] == [str, int, int, float]


class Hue(Enum):
    """Values with names."""

    RED = "r"
    BLUE = "b"


class Everything(Model):
    """One field of each kind, with each way of being absent."""

    key = CharField(hash_key=True)
    sort = IntegerField(range_key=True)
    text = CharField()
    needed = CharField(required=True)
    filled = CharField(default="empty")
    short = CharField(max_length=3)
    count = IntegerField()
    ratio = FloatField()
    truth = BooleanField()
    moment = DateTimeField()
    stamp = DateTimeField(utc=True)
    day = DateField()
    clock = TimeField()
    span = TimeDeltaField()
    expires = TTLField()
    listing = ListField(default=[])
    mapping = DictField(name="a.b \N{SNOWMAN}")
    members = SetField()
    exact = DecimalField()
    price = DecimalField(places=2)
    binary = BinaryField()
    uuid = UUIDField()
    hue = EnumField(Hue)
    level = EnumField(Level, by="name", unknown=Level.LOW)
    number = EnumField(Level)
    state = LiteralField("on", "off")
    grade = LiteralField(1, 2, unknown=2)
    document = JSONField()
    json_text = JSONField(stored="text")
    anything = AnyField()
    exactly = AnyField(numbers=Decimal)
    counts = ListField(of=int)
    moments = ListField(of=DateTimeField(utc=True))
    prices = DictField(of=DecimalField(places=2))
    matrix = DictField(of=ListField(of=float))
    words = ListField(of=CharField(null=True, max_length=9))
    uuids = SetField(of=UUID)
    ratios = SetField(of=float)
    hues = SetField(of=Hue)
    blobs = SetField(of=bytes)


def json_values(integers: Any, floats: Any, keys: Any) -> Any:
    """JSON values of such numbers, in which dicts have such keys."""
    return st.recursive(
        st.none() | st.booleans() | text | integers | floats,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


def _is_given(value: Any) -> bool:
    return value is not None


attributes = st.fixed_dictionaries(
    {
        "key": st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=5),
        "sort": st.integers(-(10**30), 10**30),
    },
    optional={
        "text": text,
        "needed": text,
        "filled": text,
        "short": st.text(max_size=3),
        "count": st.integers(-(10**38) + 1, 10**38 - 1),
        "ratio": storable_floats,
        "truth": st.booleans(),
        "moment": st.datetimes(timezones=st.none() | st.timezones()),
        "stamp": st.datetimes(timezones=st.timezones()),
        "day": st.dates(),
        "clock": st.times(),
        "expires": st.integers(-(10**10), 10**11).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        "span": st.timedeltas(timedelta(days=-9999), timedelta(days=9999)).map(lambda t: timedelta(t.days, t.seconds)),
        "listing": st.lists(free, max_size=3),
        "mapping": st.dictionaries(map_keys, free, max_size=3),
        "members": sets,
        "exact": exact_decimals | st.decimals(-(10**18), 10**18, places=20),
        "price": st.decimals(-(10**35), 10**35, places=2),
        "binary": st.binary(max_size=8),
        "uuid": st.uuids(),
        "hue": st.sampled_from(Hue),
        "level": st.sampled_from(Level),
        "number": st.sampled_from(Level),
        "state": st.sampled_from(["on", "off"]),
        "grade": st.sampled_from([1, 2]),
        "document": json_values(st.integers(-(10**38) + 1, 10**38 - 1), free_floats, map_keys).filter(_is_given),
        "json_text": json_values(st.integers(), st.floats(allow_nan=False, allow_infinity=False), text).filter(
            _is_given
        ),
        "anything": free.filter(_is_given),
        "exactly": exact_decimals,
        "counts": st.lists(st.integers(-(10**38) + 1, 10**38 - 1), max_size=4),
        "moments": st.lists(st.datetimes(timezones=st.just(UTC)), max_size=3),
        "prices": st.dictionaries(map_keys, st.decimals(-(10**9), 10**9, places=2), max_size=3),
        "matrix": st.dictionaries(map_keys, st.lists(storable_floats, max_size=3), max_size=3),
        "words": st.lists(st.none() | text, max_size=3),
        "uuids": st.sets(st.uuids(), min_size=1, max_size=3),
        "ratios": st.sets(storable_floats, min_size=1, max_size=3),
        "hues": st.sets(st.sampled_from(Hue), min_size=1),
        "blobs": st.sets(st.binary(max_size=4), min_size=1, max_size=3),
    },
)


def _in_utc(value: Any) -> Any:
    """An aware time in UTC: Python calls an hour that occurs twice unequal to the same moment in another zone."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


@given(attributes)
def test_the_generated_code_agrees_with_the_plain_way(given_values: dict[str, Any]) -> None:
    """Writing and reading an item by generated code gives what each field's own encode and decode give."""
    schema = schema_of(Everything)
    reader = schema.codec.reader("Everything")
    instance_values = {"needed": "n", **given_values}
    whole = dict.fromkeys(schema.fields) | instance_values  # as an instance has them
    item = schema.codec.encode_item(whole)
    plain = {schema.fields[name].name: schema.fields[name].encode(value) for name, value in instance_values.items()}
    assert item == plain
    kept = [slot for slot in schema.codec.slots if not slot.form.exact]
    sent, stored = schema.codec.whole(whole, None)
    assert msgspec.json.encode(sent) == msgspec.json.encode(item)
    assert (stored, schema.codec.kept(sent)) == (forms_kept(kept, plain),) * 2
    body = msgspec.json.encode({"Item": item})
    fast = reader.item(body)
    assert fast is not None
    assert reader._values(reader._parser.one(msgspec.json.encode(item))) == vars(
        fast
    )  # with nothing left to the slow way
    read = reader.plain_values(msgspec.json.decode(body)["Item"])
    stored = read.pop(STATE).stored
    assert {name: getattr(fast, name) for name in read} == read
    assert vars(fast)[STATE].stored.keys() == stored.keys()
    for name, value in instance_values.items():
        assert _in_utc(getattr(fast, name)) == _in_utc(value)
    for name in schema.fields.keys() - instance_values.keys():
        assert getattr(fast, name) == {"filled": "empty", "listing": []}.get(name)


def test_collections_of_one_kind_are_read_by_their_own_code() -> None:
    """The elements of a declared kind are parsed at once, with nothing left to the slow way."""
    given_values: dict[str, Any] = {
        "counts": [1, -2], "moments": [datetime(2026, 1, 1, tzinfo=UTC)], "prices": {"a": Decimal("1.50")},
        "uuids": {UUID(int=1)}, "ratios": {0.5, 1.0}, "hues": {Hue.RED}, "blobs": {b"x"},
    }  # fmt: skip
    for name, value in given_values.items():
        field = getattr(Everything, name)
        assert field._quick(msgspec.Raw(msgspec.json.encode(field.encode(value)))) == value
        with pytest.raises((msgspec.ValidationError, ValueError, KeyError)):
            field._quick(msgspec.Raw(b'{"BOOL": true}'))


def test_a_default_is_not_shared() -> None:
    """Each instance has its own copy of a mutable default, loaded or new."""
    reader = schema_of(Everything).codec.reader("Everything")
    body = b'{"Item": {"key": {"S": "k"}, "sort": {"N": "1"}}}'
    first, second = reader.item(body), reader.item(body)
    assert first is not None
    assert second is not None
    first.listing.append(1)
    assert (second.listing, Everything(key="k").listing) == ([], [])


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("text", {"N": "1"}),
        ("count", {"N": "1.5"}),
        ("count", {"S": "1"}),
        ("moment", {"S": "yesterday"}),
        ("clock", {"N": "86400"}),
        ("members", {"L": []}),
        ("truth", {"S": "true"}),
        ("span", {"S": "x"}),
        ("expires", {"N": "1e20"}),
        ("listing", {"M": {}}),
        ("listing", {"L": [{"T": "1"}]}),
        ("listing", {"L": [1]}),
        ("listing", {"L": 1}),
        ("listing", {"L": [{"N": "Infinity"}]}),
        ("mapping", {"L": []}),
        ("mapping", {"M": {"a": {"N": "x"}}}),
        ("exact", {"N": "NaN"}),
        ("price", {"S": "1"}),
        ("binary", {"B": "x"}),
        ("binary", {"S": "AA=="}),
        ("uuid", {"S": "x"}),
        ("hue", {"S": "x"}),
        ("number", {"N": "9"}),
        ("number", {"S": "1"}),
        ("state", {"S": ""}),
        ("level", {"N": "1"}),
        ("document", {"L": [{"B": "AA=="}]}),
        ("json_text", {"S": "{"}),
        ("json_text", {"S": "[1e999]"}),
        ("json_text", {"S": "NaN"}),
        ("counts", {"L": [{"N": "1"}, {"S": "x"}]}),
        ("counts", {"L": [{"N": "1.5"}]}),
        ("counts", {"L": [{"NULL": True}]}),
        ("counts", {"NS": ["1"]}),
        ("prices", {"M": {"a": {"N": "NaN"}}}),
        ("matrix", {"M": {"a": {"L": [{"S": "x"}]}}}),
        ("uuids", {"SS": ["x"]}),
        ("uuids", {"NS": ["1"]}),
        ("hues", {"SS": ["r", "green"]}),
    ],
)
def test_a_stored_value_of_another_type_is_named(name: str, stored: dict[str, Any]) -> None:
    """A stored value that its field cannot hold is an error that names the field, never a wrong value."""
    item = {"key": {"S": "k"}, "sort": {"N": "1"}, schema_of(Everything).fields[name].name: stored}
    with pytest.raises(StoredValueError, match=f"Everything.{name}") as caught:
        getattr(schema_of(Everything).codec.reader("Everything").item(msgspec.json.encode({"Item": item})), name)
    assert (caught.value.field, caught.value.value) == (name, stored)
    assert not isinstance(caught.value, ValueError)  # which says that a value was refused before it was sent


def test_a_stored_null_reads_as_none() -> None:
    """Other programs store NULL where dynamix stores nothing; it reads as None."""
    body = b'{"Item": {"key": {"S": "k"}, "sort": {"N": "1"}, "text": {"NULL": true}, "members": {"NULL": true}}}'
    loaded = schema_of(Everything).codec.reader("Everything").item(body)
    assert loaded is not None
    assert (loaded.text, loaded.members) == (None, None)


def test_types_read_are_exact() -> None:
    """Dates, times and numbers come back as the types their fields declare."""
    given_values = {
        "key": "k", "sort": 1, "needed": "n", "ratio": 2, "day": date(2026, 1, 2), "clock": time(1, 2, 3, 4),
        "span": timedelta(days=-1, seconds=5),
    }  # fmt: skip
    body = msgspec.json.encode({"Item": schema_of(Everything).codec.encode_item(given_values)})
    loaded = schema_of(Everything).codec.reader("Everything").item(body)
    assert loaded is not None
    assert (type(loaded.ratio), loaded.day, loaded.clock) == (float, date(2026, 1, 2), time(1, 2, 3, 4))
    assert loaded.span == timedelta(days=-1, seconds=5)


def _loaded(**values: Any) -> Everything:
    """An instance as it is loaded: its lists and maps not read yet."""
    return _loaded_raw(schema_of(Everything).codec.encode_item({"key": "k", "sort": 1, "needed": "n", **values}))


def _loaded_raw(item: dict[str, Any]) -> Everything:
    """An instance loaded from an item as it is stored."""
    item = {"key": {"S": "k"}, "sort": {"N": "1"}, **item}
    loaded = schema_of(Everything).codec.reader("Everything").item(msgspec.json.encode({"Item": item}))
    assert loaded is not None
    return loaded


def test_a_list_is_read_once() -> None:
    """A list or map is the same object at each reading, so that what is done to it is seen."""
    loaded = _loaded(listing=[1, {"a": 2}], mapping={"a": [3]})
    loaded.listing.append(4)
    assert (loaded.listing, loaded.mapping) == ([1, {"a": 2}, 4], {"a": [3]})


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda loaded: pickle.loads(pickle.dumps(loaded))])
def test_what_was_not_read_yet_is_there(copied: Callable[[Everything], Everything]) -> None:
    """Whatever looks at a whole instance sees its lists and maps, read or not."""
    values: dict[str, Any] = {"listing": [1, "x"], "mapping": {"a": {"b": 3}}}
    new = Everything(key="k", sort=1, needed="n", filled="empty", **values)
    assert _loaded(**values) == new
    assert copied(_loaded(**values)) == new
    assert _loaded(**values).to_son() == new.to_son()
    assert repr(_loaded(**values)) == repr(new)
    schema = schema_of(Everything)
    assert schema.whole.item(vars(_loaded(**values))) == schema.whole.item(vars(new))
    assert _loaded(**values) != _loaded(listing=[1, "y"], mapping={"a": {"b": 3}})


def test_threads_read_one_value() -> None:
    """Threads that read a list at once get the same one."""
    for _ in range(200):
        loaded = _loaded(listing=list(range(50)))
        with ThreadPoolExecutor(4) as threads:
            first, *others = threads.map(lambda _, loaded=loaded: loaded.listing, range(4))
        assert all(other is first for other in others)


def test_an_instance_does_not_keep_the_answer() -> None:
    """One instance that is kept from a page does not keep the bytes of the page."""
    item = schema_of(Everything).codec.encode_item(
        {"key": "k", "sort": 1, "needed": "n", "listing": [1], "mapping": {}}
    )
    body = msgspec.json.encode({"Items": [item, item]})
    alone = sys.getrefcount(body)
    kept = schema_of(Everything).codec.reader("Everything").page(body).items[0]
    assert sys.getrefcount(body) == alone
    assert kept.listing == [1]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("1e1000000", numbers.TOO_LARGE),
        ("-1e99999999999999999999999", numbers.TOO_LARGE),
        ("1e-999999999999999999", numbers.TOO_SMALL),
        (".1e-99999999999999999999999", numbers.TOO_SMALL),
        ("1." + "0" * 1500 + "1", numbers.TOO_PRECISE),
        ("1e", numbers.MALFORMED),
        ("Infinity", numbers.MALFORMED),
    ],
)
def test_numbers_far_out_of_range(number: str, reason: str) -> None:
    """A number's text is refused for what is wrong with it, however large its exponent or its length."""
    with pytest.raises(numbers.NumberError) as caught:
        numbers.normalize(number)
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", ["0e125", "-0e-130", "0.000e128", "0." + "0" * 130, "0" * 2000])
def test_a_zero_is_zero(number: str) -> None:
    """Zero has one text, however it is written."""
    assert numbers.normalize(number) == "0"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("0e126", numbers.TOO_LARGE),
        ("-0.000e129", numbers.TOO_LARGE),
        ("0e99999999999999999999999", numbers.TOO_LARGE),
        ("0e-131", numbers.TOO_SMALL),
        ("0." + "0" * 131, numbers.TOO_SMALL),
        ("-0.00e-99999999999999999999999", numbers.TOO_SMALL),
    ],
)
def test_a_zero_may_be_out_of_range(number: str, reason: str) -> None:
    """The exponent of a zero counts as that of another number does."""
    with pytest.raises(numbers.NumberError) as caught:
        numbers.normalize(number)
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", ["1e999999999", "1e99999999999999999999999", "x"])
def test_what_cannot_be_stored_is_not_read(number: str) -> None:
    """A number that DynamoDB cannot hold is refused in an answer too, and not written out digit by digit."""
    with pytest.raises(StoredValueError, match=r"Everything\.listing"):
        _loaded_raw({"listing": {"L": [{"N": number}]}}).listing  # noqa: B018


@pytest.mark.parametrize("name", ["forum-thread", "Page[int]", "x(v):\n    raise SystemExit\ndef read", 'a"b', ""])
def test_any_name_of_a_class_will_do(name: str) -> None:
    """A model whose class was made by `type()`, under a name that is no identifier, is read and written like others."""
    fields = {"__module__": __name__, "key": CharField(hash_key=True), "words": ListField()}
    model: Any = type(name, (Model,), fields)
    codec = schema_of(model).codec
    item = codec.encode_item({"key": "k", "words": ["a"]})
    found = codec.reader("Everything").item(msgspec.json.encode({"Item": item}))
    assert item == {"key": {"S": "k"}, "words": {"L": [{"S": "a"}]}}
    assert (type(found), found.key, found.words) == (model, "k", ["a"])


def test_generated_code_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With DYNAMIX_SHOW_CODE set, the code made for a model is printed to standard error, and what it is for."""
    monkeypatch.setenv("DYNAMIX_SHOW_CODE", "1")

    class Shown(Model):
        key = CharField(hash_key=True, name="stored key")

    schema_of(Shown).codec.reader("Everything")
    shown = capsys.readouterr().err
    assert "# dynamix write 'Shown'\ndef write(values):\n" in shown
    assert "# dynamix read 'Shown'\ndef read(item):\n" in shown
    assert "item['stored key'] = {\"S\": v}" in shown


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        ({"S": ""}, 0),
        ({"S": "é"}, 2),
        ({"S": "😀"}, 4),
        ({"B": "YWJj"}, 3),
        ({"B": "YQ=="}, 1),
        ({"B": ""}, 0),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "1"}, 2),
        ({"N": "-1"}, 3),
        ({"N": "10"}, 2),
        ({"N": "100"}, 2),
        ({"N": "101"}, 3),
        ({"N": "120"}, 3),
        ({"N": "1200"}, 2),
        ({"N": "12345"}, 4),
        ({"N": "-12345"}, 5),
        ({"N": "0.01"}, 2),
        ({"N": "0.001"}, 2),
        ({"N": "1.5"}, 3),
        ({"N": "100.001"}, 5),
        ({"N": "1.234"}, 4),
        ({"N": "1" * 38}, 20),
        ({"N": "-" + "1" * 38}, 21),
        ({"N": "0.000012"}, 2),
        ({"L": []}, 3),
        ({"L": [{"S": "a"}]}, 5),
        ({"L": [{"N": "1"}, {"N": "2"}]}, 9),
        ({"L": [{"L": []}]}, 7),
        ({"M": {}}, 3),
        ({"M": {"a": {"S": "b"}}}, 6),
        ({"M": {"ab": {"S": "b"}, "c": {"N": "1"}}}, 11),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"BS": ["YWJj", "YQ=="]}, 4),
    ],
)
def test_sizes_as_the_service_counts(value: dict[str, Any], bytes_: int) -> None:
    """Taken from the capacity that DynamoDB Local charges, byte by byte."""
    assert value_size(value) == bytes_
    assert item_size({"né": value, "a": {"S": "xyz"}}) == bytes_ + 3 + 4


def test_what_may_be_stored_all_the_same_is_not_shown() -> None:
    """An answer that lacks what it is not sure of shows nothing for it, and no default, whatever the class."""

    class Unsure(Model):
        """Kept forms of each kind, with defaults."""

        key = CharField(hash_key=True)
        ratio = FloatField(default=1.5)
        moment = DateTimeField(default=datetime(2026, 1, 1))
        listing = ListField(default=[])
        text = CharField(default="x")

    reader = schema_of(Unsure).codec.reader("Unsure", None, frozenset({"key"}))
    stored = {"ratio": {"N": "2.5"}, "moment": {"S": "2026-01-02T00:00:00"}, "listing": {"L": []}, "text": {"S": "y"}}
    for given_item in ({}, stored):
        item = {"key": {"S": "k"}, **given_item}
        for loaded in (reader.item(msgspec.json.encode({"Item": item})), reader.instance(item)):
            assert loaded is not None
            assert {name for name in stored if hasattr(loaded, name)} == given_item.keys()
