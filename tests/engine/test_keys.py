"""Keys as bytes: they sort as the values do, and never run into each other."""

from base64 import b64encode
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamix.codec import numbers
from dynamix.engine.data.keys import KeySchema, escape, number_bytes, sort_bytes
from dynamix.engine.data.rows import after
from dynamix.engine.faults import Fault

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
decimals = st.builds(
    lambda digits, exponent, sign: Decimal(sign * digits).scaleb(exponent),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 80),
    st.sampled_from([1, -1]),
).map(numbers.check)
prefixed = KeySchema((("p", "S"),), (("s", "S"),))


@given(decimals, decimals)
def test_numbers_sort_as_numbers(a: Decimal, b: Decimal) -> None:
    """The bytes of numbers compare as the numbers do."""
    first, second = number_bytes(numbers.plain(a)), number_bytes(numbers.plain(b))
    assert (first < second, first == second) == (a < b, a == b)


@pytest.mark.parametrize(
    "ordered",
    [["-1e125", "-10", "-9.99", "-1", "-1e-130", "0", "1e-130", "0.5", "1", "9.99", "10", "100", "9e125"]],
)
def test_numbers_of_every_magnitude_sort(ordered: list[str]) -> None:
    """From the smallest number that DynamoDB holds to the largest, the order is that of the values."""
    encoded = [number_bytes(numbers.normalize(text)) for text in ordered]
    assert encoded == sorted(encoded)
    assert len(set(encoded)) == len(encoded)


@given(st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=3), st.binary(max_size=3))
def test_ended_values_sort_before_what_follows_them(a: bytes, b: bytes, rest_a: bytes, rest_b: bytes) -> None:
    """What follows an ended value never outweighs the value itself."""
    if a != b:
        assert (sort_bytes(a) + rest_a < sort_bytes(b) + rest_b) == (a < b)


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_prefixes_are_ranges(prefix: bytes, other: bytes) -> None:
    """The values that begin with a prefix are those from its bytes to before `after` of them."""
    stem = b"partition" + escape(prefix)
    inside = stem <= b"partition" + sort_bytes(other) < after(stem)
    assert inside == other.startswith(prefix)


@given(texts.filter(bool), texts.filter(bool), texts.filter(bool), texts.filter(bool))
def test_sort_keys_order_a_partition(p: str, s1: str, s2: str, other: str) -> None:
    """Rows of one partition lie together, in the UTF-8 order of their sort keys."""
    first = prefixed.encode({"p": {"S": p}, "s": {"S": s1}})
    second = prefixed.encode({"p": {"S": p}, "s": {"S": s2}})
    assert (first < second) == (s1.encode() < s2.encode())
    prefix = prefixed.partition_of(first)
    assert second.startswith(prefix)
    if other != p:
        assert not prefixed.encode({"p": {"S": other}, "s": {"S": s1}}).startswith(prefix)


def test_equal_numbers_are_one_key() -> None:
    """A key does not depend on how a number is written, once normalised."""
    schema = KeySchema((("p", "N"),), ())
    assert schema.encode_key({"p": {"N": numbers.normalize("1.0")}}) == schema.encode_key({"p": {"N": "1"}})


@pytest.mark.parametrize("key", [{}, {"p": {"N": "1"}, "s": {"S": "x"}}, {"p": {"S": "x"}}, {"p": {"S": "x"}, "q": {}}])
def test_keys_must_fit_the_schema(key: dict[str, dict[str, str]]) -> None:
    """A key has exactly the key attributes, of their types."""
    with pytest.raises(Fault, match="The provided key element does not match the schema"):
        prefixed.encode_key(key)


def test_key_sizes_are_limited() -> None:
    """2048 bytes of partition key and 1024 of sort key are the most."""
    prefixed.encode_key({"p": {"S": "x" * 2048}, "s": {"S": "x" * 1024}})
    with pytest.raises(Fault, match="Size of hashkey has exceeded the maximum size limit of2048 bytes"):
        prefixed.encode_key({"p": {"S": "x" * 2049}, "s": {"S": "x"}})
    with pytest.raises(Fault, match="Aggregated size of all range keys has exceeded the size limit of 1024 bytes"):
        prefixed.encode_key({"p": {"S": "x"}, "s": {"S": "é" * 513}})


@pytest.mark.parametrize(("type_", "word"), [("S", "string"), ("B", "binary")])
def test_keys_are_not_empty(type_: str, word: str) -> None:
    """An empty string or binary cannot be a key."""
    with pytest.raises(Fault, match=f"cannot contain an empty {word} value. Key: p"):
        KeySchema((("p", type_),), ()).encode_key({"p": {type_: ""}})


def test_binary_keys_sort_as_unsigned_bytes() -> None:
    """Binary is ordered by its bytes, not by its base64."""
    schema = KeySchema((("p", "S"),), (("s", "B"),))
    values = [b"\x00", b"\x00\x00", b"\x00\xff", b"\x01", b"\x7f", b"\x80", b"\xff"]
    encoded = [schema.encode({"p": {"S": "x"}, "s": {"B": b64encode(raw).decode()}}) for raw in values]
    assert encoded == sorted(encoded)
