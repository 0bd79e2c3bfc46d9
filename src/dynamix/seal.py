"""What keeps others from making cursors, or from reading them: a connection's `cursor_key`.

The first key closes, each of them opens, so that keys can be changed while texts are under way. From each key one for
signatures is derived (HMAC-SHA256, of which 16 bytes are kept) and one for encryption (AES-256-GCM, which also signs).
"""

import os
from collections.abc import Callable
from typing import Any

from dynamix.errors import InvalidCursorError

PLAIN, SIGNED, ENCRYPTED = 1, 2, 3
_SIGNATURE = 16
_NONCE = 12


class Seal:
    """The keys of a connection, in derived form. Without any, only what is plain is opened."""

    __slots__ = ("_ciphers", "_sign", "kind")

    def __init__(self, keys: tuple[bytes, ...], *, encrypts: bool) -> None:
        self.kind = ENCRYPTED if encrypts else SIGNED
        self._sign = tuple(_signer(key) for key in keys)
        self._ciphers = tuple(_cipher(key) for key in keys) if encrypts else ()

    @classmethod
    def none(cls) -> "Seal":
        """The one of a connection without a key."""
        seal = cls((), encrypts=False)
        seal.kind = PLAIN
        return seal

    @staticmethod
    def knows(kind: int) -> bool:
        """Whether text is of a known kind."""
        return kind in (PLAIN, SIGNED, ENCRYPTED)

    def __repr__(self) -> str:
        return "Seal(...)"

    def closed(self, head: bytes, values: bytes) -> bytes:
        """The values of a cursor, signed or encrypted together with the head of its text."""
        if self.kind == ENCRYPTED:
            nonce = os.urandom(_NONCE)
            return nonce + bytes(self._ciphers[0].encrypt(nonce, values, head))
        return values + self._sign[0](head + values)

    def opened(self, head: bytes, rest: bytes) -> bytes:
        """The values. Raises InvalidCursorError where none of the keys has closed them."""
        from hmac import compare_digest

        kind = head[0] & 0x0F
        if kind == PLAIN:
            if self.kind == PLAIN:
                return rest
            raise InvalidCursorError("the cursor's text is not signed, and the connection has a cursor_key")
        if kind == SIGNED:
            values, signature = rest[:-_SIGNATURE], rest[-_SIGNATURE:]
            if any(compare_digest(sign(head + values), signature) for sign in self._sign):
                return values
        else:
            for cipher in self._ciphers:
                try:
                    return bytes(cipher.decrypt(rest[:_NONCE], rest[_NONCE:], head))
                except (_invalid_tag(), ValueError):
                    continue
        raise InvalidCursorError(
            "the cursor's text was changed, or made with another cursor_key than this connection has; pass on "
            "str(cursor) unchanged"
        )


def _derived(key: bytes, purpose: bytes) -> bytes:
    import hmac  # which loads OpenSSL, and few programs have keys

    return hmac.digest(key, purpose, "sha256")


def _signer(key: bytes) -> Callable[[bytes], bytes]:
    import hmac

    derived = hmac.new(_derived(key, b"dynamix cursor signature"), digestmod="sha256")

    def sign(content: bytes) -> bytes:
        signing = derived.copy()
        signing.update(content)
        return signing.digest()[:_SIGNATURE]

    return sign


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # which few programs need

    return AESGCM(_derived(key, b"dynamix cursor encryption"))


def _invalid_tag() -> type[Exception]:
    from cryptography.exceptions import InvalidTag

    return InvalidTag
