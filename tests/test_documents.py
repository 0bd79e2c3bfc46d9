"""Documents: what large maps and lists cost. Calls are counted, nothing is timed."""

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

import dynamix
from dynamix.codec import parsed, trees, values


class Document(dynamix.Model):
    """A document with a large map."""

    key = dynamix.CharField(hash_key=True)
    words = dynamix.DictField(required=True)
    numbers = dynamix.ListField(required=True)


COUNT = 100


@pytest.fixture(autouse=True)
def _stored() -> Iterator[None]:
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Document)
        words = {f"w{n}": {"pages": [n], "kind": "noun"} for n in range(COUNT)}
        Document.create(key="d", words=words, numbers=list(range(COUNT)))
        yield


def calls(function: Callable[..., Any], work: Callable[[], object]) -> int:
    """How often some work calls a function."""
    count, code = 0, function.__code__

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is code

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def loaded() -> Document:
    """The document with all its values read."""
    document = Document.get_or_raise(key="d")
    assert document.words
    assert document.numbers
    return document


def test_a_commit_encodes_what_changed() -> None:
    """One key of a map that was read is changed and committed: nothing else is encoded, edited or not."""
    document = loaded()
    document.update_to_dict_field(Document.words, {"w1": {"pages": [5], "kind": "verb"}})
    assert calls(values.encode_map, document.commit_changes) <= 4
    assert loaded().words["w1"] == {"pages": [5], "kind": "verb"}


def test_an_edit_in_place_is_encoded_once() -> None:
    """An edit in place is found by encoding the value that has it once, and no other value."""
    document = loaded()
    document.words["w1"]["pages"].append(6)
    assert calls(values.encode_map, document.save) <= COUNT + 4
    assert calls(values.encode_map, document.save) == 0
    assert loaded().words["w1"]["pages"] == [1, 6]


def test_what_is_not_edited_is_written_once() -> None:
    """Whether a value was edited in place is told by writing it, and nothing is decoded; one that nobody read is not
    even written."""
    document = loaded()
    assert calls(trees.map_tree, document.save) == 1 + COUNT
    assert calls(parsed._Reader.map, document.save) == calls(values.encode_map, document.save) == 0
    unread = Document.get_or_raise(key="d")
    assert calls(parsed._Reader.map, unread.save) == calls(trees.map_tree, unread.save) == 0


def test_a_change_of_what_nobody_read_reads_nothing() -> None:
    """A map, list or set stays unread through its change, its commit and what the answer says of it."""
    document = Document.get_or_raise(key="d")

    def change() -> None:
        document.update_to_dict_field(Document.words, {"w1": {"pages": [5], "kind": "verb"}})
        document.remove_from_dict_field(Document.words, ["w2"])
        document.append_to_listfield(Document.numbers, -1)
        document.replace_by_index_in_listfield(Document.numbers, COUNT, -2)
        document.commit_changes()

    assert calls(parsed._Reader.map, change) == calls(parsed._Reader.list, change) == 0
    assert document == loaded()
    assert (document.words["w1"], "w2" in document.words) == ({"pages": [5], "kind": "verb"}, False)
    assert document.numbers == [*range(COUNT), -2, -1]
