"""Encrypted values. How they are encrypted is the program's own: an object with two methods."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Generic, Protocol, TypeVar, Unpack, overload

import msgspec

from dynamix.codec.values import UnstorableError
from dynamix.errors import FieldValidationException, ModelDefinitionError, WrongTypeError
from dynamix.fields.collection import Of
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.refusals import NO_TEXT
from dynamix.fields.wrapped import Wrapped
from dynamix.interrupts import let_pass
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")


class Cipher(Protocol):
    """What encrypts and decrypts bytes. `context` is the stored name of the attribute: who authenticates it notices
    that one attribute's value was put in the place of another's."""

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        """The bytes that are stored for these."""
        ...

    def decrypt(self, data: bytes, context: bytes) -> bytes:
        """The bytes for which these were stored. Raises whatever it likes for what is damaged or of another key."""
        ...


class EncryptedField(Wrapped[V, T], Generic[V, T]):
    """The values of another field, encrypted: `EncryptedField(str, cipher)`, stored as binary.

    It is hidden from `repr` and `to_son` unless `hidden=False` is given, and no error shows a value of it.
    """

    @overload
    def __init__(self: EncryptedField[V, V], inner: Of[V], cipher: Cipher, **options: Unpack[Present[V]]) -> None: ...
    @overload
    def __init__(
        self: EncryptedField[V, V | None], inner: Of[V], cipher: Cipher, **options: Unpack[Options[V]]
    ) -> None: ...
    @overload
    def __init__(self: EncryptedField[V, V], inner: Of[V], cipher: Cipher, **options: Unpack[Defaulted[V]]) -> None: ...
    @overload
    def __init__(self: EncryptedField[V, V], inner: Of[V], cipher: Cipher, **options: Unpack[Derived[V]]) -> None: ...
    def __init__(self, inner: Any, cipher: Cipher, *, hidden: bool = True, **options: Any) -> None:
        if not all(callable(getattr(cipher, name, None)) for name in ("encrypt", "decrypt")):
            raise ModelDefinitionError(f"a {type(cipher).__name__} is no cipher: it has no encrypt and decrypt")
        self._cipher = cipher
        super().__init__(inner, hidden=hidden, **options)

    def check(self, value: V) -> None:
        try:
            super().check(value)
        except FieldValidationException as error:
            raise self._inner_refusal(isinstance(error, WrongTypeError)) from None

    def to_wire(self, value: V) -> AttributeValue:
        try:
            data = msgspec.json.encode(self.inner._literal(value))
        except FieldValidationException as error:
            raise self._inner_refusal(isinstance(error, WrongTypeError)) from None
        except UnicodeEncodeError:
            raise UnstorableError(NO_TEXT) from None
        try:
            stored = self._cipher.encrypt(data, self._context)
        except Exception as error:
            let_pass(error)
            raise UnstorableError(f"its cipher failed: {type(error).__name__}") from None
        return {"B": b64encode(stored).decode()}

    def _unwrap(self, wire: AttributeValue) -> AttributeValue:
        data = self._cipher.decrypt(b64decode(wire["B"], validate=True), self._context)
        return msgspec.json.decode(data, type=dict[str, Any])

    def from_json(self, son: Any) -> V:
        try:
            return super().from_json(son)
        except FieldValidationException:
            raise self._inner_refusal(False) from None

    @property
    def _context(self) -> bytes:
        return (self.name or self.attribute).encode()

    def _inner_refusal(self, of_type: bool) -> UnstorableError:
        return UnstorableError(f"the {type(self.inner).__name__} that is encrypted refuses it", of_type=of_type)

    def refusal(self, value: object, reason: str, error: type[FieldValidationException] | None = None) -> Exception:
        """The error that says so, without the value, which nobody else may see."""
        return (error or FieldValidationException)(
            f"{self} cannot hold a value of type {type(value).__name__}: {reason}", field=self.attribute, reason=reason
        )
