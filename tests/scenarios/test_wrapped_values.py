"""Compressed and encrypted values, hidden fields, and fields that cannot be changed."""

import gzip
import pickle
import sys
from base64 import b64decode, b64encode
from decimal import Decimal
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import dynamix
from dynamix.fields import AnyField, CompressedField, EncryptedField
from places import Place

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Sealed:
    """A cipher for tests: AES-GCM, whose nonces are counted."""

    def __init__(self) -> None:
        self._key, self._count = AESGCM(b"k" * 32), 0

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        """The nonce and the ciphertext."""
        self._count += 1
        nonce = self._count.to_bytes(12, "big")
        return nonce + self._key.encrypt(nonce, data, context)

    def decrypt(self, data: bytes, context: bytes) -> bytes:
        """The plaintext. Raises InvalidTag."""
        return self._key.decrypt(data[:12], data[12:], context)


CIPHER = Sealed()


class Letter(dynamix.Model):
    """One field of each kind."""

    id = dynamix.CharField(hash_key=True)
    text = CompressedField(dynamix.CharField(max_length=9999))
    data = CompressedField(dynamix.JSONField(), algorithm="zstd")
    blob = CompressedField(bytes)
    lines = CompressedField(dynamix.ListField(of=int), algorithm="zstd")
    marks = CompressedField(dynamix.SetField(of=str))
    secret = EncryptedField(dynamix.CharField(max_length=20), CIPHER)
    pin = EncryptedField(dynamix.CharField(validator=lambda pin: {"very": True}[pin]), CIPHER)
    notes = EncryptedField(dynamix.DictField(), CIPHER, name="n", hidden=False)
    salary = EncryptedField(dynamix.DecimalField(places=2), CIPHER, default=Decimal("0.00"))
    note = dynamix.CharField(hidden=True)
    author = dynamix.CharField(read_only=True)
    tags = dynamix.ListField(read_only=True)


LONG = "hello " * 100
VALUES: dict[str, Any] = {
    "id": "l",
    "text": LONG,
    "data": {"a": [1, 2, 3] * 50},
    "blob": b"\x1f\x8b" + bytes(300),
    "lines": list(range(100)),
    "marks": {str(number) for number in range(100)},
    "secret": "hush",
    "notes": {"a": [1]},
    "salary": Decimal("12.50"),
    "note": "n",
    "author": "ada",
    "tags": ["x"],
}


def _bytes(item: dict[str, Any], name: str) -> bytes:
    return b64decode(item[name]["B"])


def test_wrapped_values_read_back_as_they_were(place: Place) -> None:
    """Compressed and encrypted values read back equal by every way of reading; what is stored shows nothing of them."""
    dynamix.create_table(Letter)
    created = Letter.create(**VALUES)
    item = place.stored_item(Letter, id="l") or {}
    assert gzip.decompress(_bytes(item, "text")).decode() == LONG
    assert zstd.decompress(_bytes(item, "data")).startswith(b'{"M":{"a":{"L":[')
    assert all("B" in item[name] for name in ("blob", "lines", "secret", "n", "salary"))
    assert b"hush" not in _bytes(item, "secret")
    for found in (Letter.get(id="l"), *Letter.scan(), *Letter.batch_get({"id": "l"})):
        assert found is not None
        assert {name: getattr(found, name) for name in VALUES} == VALUES
        assert found == created
    assert Letter.scan().where(Letter.secret.exists(), Letter.text.attribute_type("B")).count() == 1
    found = Letter.get(id="l")
    assert found is not None
    Letter.batch_write([found])
    assert place.stored_item(Letter, id="l") == item


@pytest.mark.usefixtures("place")
def test_edits_and_changes_of_wrapped_values() -> None:
    """A value that is edited in place is stored by save(); one that another stored meanwhile is not overwritten."""
    dynamix.create_table(Letter)
    Letter.create(**VALUES)
    first, second = Letter.get(id="l"), Letter.get(id="l")
    assert first is not None
    assert second is not None
    first.data["b"], second.notes["b"] = 1, 2
    first.notes["c"] = 3
    first.save()
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        second.save()
    assert caught.value.changed == ("Letter.notes",)
    first.set_field(Letter.secret, "other").commit_changes()
    first.change(Letter.salary.set(Decimal(3)), Letter.text.set("short")).commit_changes()
    found = Letter.get(id="l")
    assert found == first
    assert found is not None
    assert (found.secret, found.salary, found.text) == ("other", Decimal("3.00"), "short")
    found.marks.clear()
    found.save()
    assert Letter.get_or_raise(id="l").marks is None
    assert "marks" not in Letter.create(id="m", marks=set()).to_item()


def test_what_is_stored_plainly_is_read(place: Place) -> None:
    """A compressed field reads plain values and frames of either algorithm; short values are stored plainly."""
    dynamix.create_table(Letter)
    frame = b64encode(zstd.compress(LONG.encode())).decode()
    plain = {"id": {"S": "p"}, "text": {"S": "x"}, "data": {"M": {}}, "blob": {"B": b64encode(b"\x1f\x8bx").decode()}}
    for item in (plain, {"id": {"S": "q"}, "text": {"B": frame}}):
        place.call("PutItem", TableName=place.table_name(Letter), Item=item)
    found, other = Letter.get(id="p"), Letter.get(id="q")
    assert found is not None
    assert other is not None
    assert (found.text, found.data, found.blob, other.text) == ("x", {}, b"\x1f\x8bx", LONG)
    Letter.create(id="s", text="x", salary=None)
    assert (place.stored_item(Letter, id="s") or {})["text"] == {"S": "x"}


@pytest.mark.parametrize(
    ("field", "stored"),
    [
        ("text", {"B": b64encode(gzip.compress(b"x")[:-1]).decode()}),
        ("text", {"B": "AA=="}),
        ("data", {"B": b64encode(gzip.compress(b"x")).decode()}),
        ("secret", {"S": "hush"}),
        ("secret", {"B": "AAAA"}),
        ("secret", {"B": b64encode(CIPHER.encrypt(b'{"S":"hush"}', b"other")).decode()}),
    ],
)
def test_what_cannot_be_opened_is_named(place: Place, field: str, stored: dict[str, Any]) -> None:
    """A damaged frame, and a ciphertext of another key or attribute, is an error that names table, key and field."""
    dynamix.create_table(Letter)
    place.call("PutItem", TableName=place.table_name(Letter), Item={"id": {"S": "d"}, field: stored})
    found = Letter.get(id="d")
    with pytest.raises(dynamix.StoredValueError, match=rf"Letter\.{field}.*id='d'.*table") as caught:
        getattr(found, field)
    assert (caught.value.field, caught.value.value) == (field, stored)


def test_nobody_sees_what_is_secret() -> None:
    """repr and to_son leave hidden fields out, and errors say nothing of an encrypted value."""
    letter = Letter(**VALUES)
    for shown in (repr(letter), str(letter.to_son())):
        assert "hush" not in shown
        assert "note=" not in shown
        assert "12.50" not in shown
        assert "ada" in shown
    assert pickle.loads(pickle.dumps(letter)) == letter
    for attempt in (
        Letter(id="x", secret="very secret " * 9).validate,
        Letter(id="x", secret=("very secret",)).validate,
        lambda: setattr(Letter(id="x"), "secret", {"very secret"}),
        lambda: Letter.secret.set(b"very secret"),
        lambda: Letter.secret.set("\ud800very secret"),
        lambda: Letter.pin.set("very secret"),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=r"Letter\.(secret|pin)") as caught:
            attempt()
        error: BaseException | None = caught.value
        assert "very secret" not in str(caught.value.errors)
        while error is not None:
            assert "very secret" not in str(error)
            error = error.__cause__


def test_what_cannot_be_compared_is_refused() -> None:
    """Of compressed and encrypted values nothing can be looked for; they are no keys."""
    for attempt in (
        lambda: Letter.text == "x",
        lambda: Letter.text.is_in(["x"]),
        lambda: Letter.secret != "x",
        lambda: Letter.secret < "x",
        lambda: Letter.secret.between("a", "b"),
        lambda: Letter.text.contains("x"),
        lambda: Letter.text.begins_with("x"),
    ):
        with pytest.raises(dynamix.InvalidQueryError, match=r"Letter\.\w+"):
            attempt()
    for attempt in (
        lambda: CompressedField(str, hash_key=True),  # type: ignore[call-overload]
        lambda: CompressedField(str, algorithm="lz4"),  # type: ignore[call-overload]
        lambda: CompressedField(dynamix.CharField(required=True)),
        lambda: EncryptedField(str, "key"),  # type: ignore[call-overload]
    ):
        with pytest.raises(dynamix.ModelDefinitionError):
            attempt()
    with pytest.raises(InvalidTag):
        CIPHER.decrypt(bytes(40), b"")


@pytest.mark.usefixtures("place")
def test_what_is_read_only_stays() -> None:
    """A read-only value is given when the item is made; later changes of it are refused, whatever way they take."""
    dynamix.create_table(Letter)
    letter = Letter(id="r", author="eve")
    letter.author = "ada"
    letter.tags = ["x"]
    letter.save()
    for attempt in (
        lambda: setattr(letter, "author", "eve"),
        lambda: letter.set_field(Letter.author, None),
        lambda: letter.append_to_listfield(Letter.tags, "y"),
        lambda: letter.change(Letter.tags[0].set("y")),
        lambda: Letter.update_by_key(Letter.author.set("eve"), id="r"),
        lambda: Letter.update_by_key(Letter.author.remove(), id="r"),
    ):
        with pytest.raises(dynamix.InvalidUpdateError, match="is read-only"):
            attempt()
    assert letter.tags is not None
    letter.tags.append("y")
    with pytest.raises(dynamix.InvalidUpdateError, match="is read-only"):
        letter.save()
    letter.discard_changes().set_field(Letter.note, "m").commit_changes()
    Letter.update_by_key(Letter.author.set_if_missing("eve"), id="r")
    found = Letter.get(id="r")
    assert found is not None
    assert (found.author, found.tags, found.note) == ("ada", ["x"], "m")


def test_a_frame_of_far_too_many_bytes_is_refused() -> None:
    """A small frame that stands for more than memory should hold is an error."""
    field = CompressedField(AnyField(), algorithm="zstd")
    compressor = zstd.ZstdCompressor()
    frame = b"".join([*(compressor.compress(bytes(1 << 20)) for _ in range(257)), compressor.flush()])
    with pytest.raises(dynamix.StoredValueError, match="not one whole frame"):
        field.decode({"B": b64encode(frame).decode()})
