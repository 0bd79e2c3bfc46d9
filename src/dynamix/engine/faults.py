"""What the engine answers when it refuses: an error of the service, with its code, words and extra members."""

from enum import Enum, auto
from typing import Any

import msgspec

_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"
_CORAL = "com.amazon.coral.service#"
_CORAL_VALIDATION = "com.amazon.coral.validate#"
_CORAL_AVAILABILITY = "com.amazon.coral.availability#"
_OWN = "dynamix#"
_OF_CREDENTIALS = frozenset(
    (
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "IncompleteSignatureException",
    )
)
_SPELLING = {
    "ValidationException": _CORAL_VALIDATION,
    "SerializationException": _CORAL,
    "UnknownOperationException": _CORAL,
    "AccessDeniedException": _CORAL,
    "MissingAuthenticationTokenException": _CORAL,
    "RequestEntityTooLargeException": _CORAL,
    "UnrecognizedClientException": _CORAL,
    "InvalidSignatureException": _CORAL,
    "IncompleteSignatureException": _CORAL,
    "ThrottlingException": _CORAL_AVAILABILITY,
    "StorageException": _OWN,
}


class Kind(Enum):
    """What is wrong, where that decides what is answered; the code alone does not tell it."""

    NUMBER = auto()
    """A number that is none, or that cannot be held."""
    NUMBER_SET = auto()
    """An empty set of numbers."""
    DUPLICATES = auto()
    """A set that holds an element twice."""
    EMPTY_KEY = auto()
    """An empty value of a key attribute."""


class Fault(Exception):  # noqa: N818 - the word of SOAP and Smithy for an error that is an answer
    """An error answer. `members` are those beside the message, such as `Item` or `CancellationReasons`.

    An empty message is left out, as the service does where it says nothing but the error's name.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, kind: Kind | None = None, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.message = message
        self.status = status
        self.members = members

    @property
    def item(self) -> dict[str, Any]:
        """The member that shows the stored item, if the refusal does."""
        return {"Item": self.members["Item"]} if "Item" in self.members else {}

    def body(self) -> bytes:
        """The JSON body of the answer, `__type` spelt as the service spells it."""
        kind = _SPELLING.get(self.code, _NAMESPACE) + self.code
        capital = "CancellationReasons" in self.members or (
            _SPELLING.get(self.code) == _CORAL and self.code not in _OF_CREDENTIALS
        )
        said = {"Message" if capital else "message": self.message} if self.message else {}
        return msgspec.json.encode({"__type": kind, **said, **self.members})


def unknown_operation(target: str, why: str | None = None) -> Fault:
    """The refusal of an operation that the engine does not have; `target` is what was asked for."""
    because = "" if why is None else f": {why}"
    return Fault("UnknownOperationException", f"{target[:100]!r} is not available in the embedded engine{because}")


def unavailable(operation: str, member: str) -> Fault:
    """The refusal of a part of a request that the engine cannot honour."""
    return invalid(f"{member} of {operation} is not available in the embedded engine: leave it out")


def invalid(message: str, kind: Kind | None = None) -> Fault:
    """The service's ValidationException."""
    return Fault("ValidationException", message, kind=kind)


def unable(message: str) -> Fault:
    """What the service has no word for: the database under the engine cannot do its work, and trying again is no help.

    The status is one that no SDK repeats.
    """
    return Fault("StorageException", message, status=507)
