"""The item that every contestant reads and writes: a forum post of 13 attributes, in Python and as DynamoDB has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

TABLE = "forum_post"
PYNAMODB_TABLE = "forum_post_pynamodb"
"""The same items with the one spelling of a UTC offset, +0000, that PynamoDB reads."""

DOCUMENT_TABLE = "word_index"
DOCUMENT_ID = "on-black-holes"

FORUM = "forum-1000"
SMALL_FORUM = "forum-100"
FORUM_SIZES = {FORUM: 1000, SMALL_FORUM: 100}
SCAN_PAGES = 100
SCAN_COUNT = SCAN_PAGES * FORUM_SIZES[FORUM]

IN_FLIGHT = 200
"""Requests at one time in the asynchronous work; every contestant may keep as many connections."""

AUTHOR = "ada-lovelace"
"""Nobody wrote every post but her, so a condition on the author holds for each."""

_CREATED = datetime(2026, 5, 17, 8, 30, 15, 123456, tzinfo=UTC)
_BODY = (
    "Nothing that falls in is seen to arrive: to an observer far away a clock near the horizon runs slow, its light "
    "turns red and grows dim. What, then, do the equations say of the one who falls?"
)


def thread_id(number: int) -> str:
    return f"thread-{number:06d}"


def post(number: int, forum_id: str = FORUM) -> dict[str, Any]:
    """The values of one post as Python has them."""
    return {
        "forum_id": forum_id,
        "thread_id": thread_id(number),
        "author": AUTHOR,
        "title": f"The gravitational field of a black hole, part {number}",
        "body": _BODY,
        "views": 1000 + number,
        "likes": number % 50,
        "score": 4 + number / 8,
        "pinned": number % 2 == 0,
        "created_at": _CREATED + timedelta(seconds=number),
        "tags": {"physics", "gravity", "space"},
        "reviews": ["clear and complete", "wants a picture", 5],
        "meta": {"language": "en", "revision": 3, "source": {"edited": False, "client": "web"}},
    }


def posts(forum_id: str = FORUM) -> list[dict[str, Any]]:
    return [post(number, forum_id) for number in range(FORUM_SIZES[forum_id])]


def post_keys() -> list[tuple[str, str]]:
    return [(FORUM, thread_id(number)) for number in range(FORUM_SIZES[FORUM])]


CHANGED_WORD = "word-0400"
CHANGED = {"pages": [3, 14, "appendix"], "meta": {"count": 15, "kind": "verb", "seen": True}}


def document() -> dict[str, Any]:
    """The values of the one document: a map of 800 keys, each with a list and a map, and a list of 3,000 numbers."""
    words = {
        f"word-{number:04d}": {
            "pages": [number, number + 1, f"page {number}"],
            "meta": {"count": number, "kind": "noun", "seen": number % 2 == 0},
        }
        for number in range(800)
    }
    return {"document_id": DOCUMENT_ID, "words": words, "numbers": list(range(3000))}


def changed_document() -> dict[str, Any]:
    """The same with one key of the map changed."""
    values = document()
    return {**values, "words": {**values["words"], CHANGED_WORD: CHANGED}}


def transaction_keys() -> list[dict[str, str]]:
    """The keys of what one transaction puts, updates, deletes and checks."""
    return [{"forum_id": FORUM, "thread_id": thread_id(number)} for number in range(4)]


def chunks(sequence: list[Any], size: int) -> list[list[Any]]:
    """`sequence` cut into lists of at most `size`, for the contestants that leave this to their users."""
    return [sequence[start : start + size] for start in range(0, len(sequence), size)]


def dated(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with a date in place of its text, for the contestants that leave this to their users."""
    return {**values, "created_at": datetime.fromisoformat(values["created_at"])}


def to_wire(value: Any) -> dict[str, Any]:
    """One Python value as DynamoDB's JSON has it."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": format(value, "g") if isinstance(value, float) else str(value)}
        case str():
            return {"S": value}
        case datetime():
            return {"S": value.isoformat()}
        case set():
            return {"SS": sorted(value)}
        case list():
            return {"L": [to_wire(element) for element in value]}
        case _:
            return {"M": item_to_wire(value)}


def item_to_wire(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: to_wire(value) for name, value in values.items()}


def from_wire(value: dict[str, Any]) -> Any:
    """The Python value of one DynamoDB value, to compare what was sent with what was meant; dates stay text."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return float(content)
        case "SS":
            return set(content)
        case "L":
            return [from_wire(element) for element in content]
        case "M":
            return {name: from_wire(element) for name, element in content.items()}
        case _:
            return content
