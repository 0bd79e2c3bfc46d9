"""Lists, maps and sets edited in place: no edit is lost without a word."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sample import Sample

import dynamix
from places import Place

pytestmark = pytest.mark.usefixtures("_table")

VALUES: dict[str, Any] = {"items": [1, {"a": [2]}], "mapping": {"b": {"c": 3}}, "many": {"x"}}


@pytest.fixture
def _table(place: Place) -> None:
    dynamix.create_table(Sample)


def created() -> Sample:
    return Sample.create(key="k", **VALUES)


def loaded() -> Sample:
    created()
    sample = Sample.get(key="k", consistent=True)
    assert sample is not None
    return sample


def scanned() -> Sample:
    created()
    (sample,) = Sample.scan().consistent()
    return sample


def written() -> Sample:
    (sample,) = Sample.batch_write([{"key": "k", **VALUES}])
    return sample


def committed() -> Sample:
    sample = Sample.create(key="k")
    for field in (Sample.items, Sample.mapping, Sample.many):
        sample.set_field(field, VALUES[field.attribute])
    sample.commit_changes()
    return sample


EDITS: dict[str, Callable[[Sample], object]] = {
    "items": lambda sample: (sample.items or []).append(4),
    "items, deep": lambda sample: (sample.items or [])[1]["a"].append(5),
    "mapping": lambda sample: (sample.mapping or {}).pop("b"),
    "mapping, deep": lambda sample: (sample.mapping or {})["b"].update(d=6),
    "many": lambda sample: (sample.many or set()).add("y"),
    "many, emptied": lambda sample: (sample.many or set()).clear(),
}


def copied() -> dict[str, Any]:
    """The values anew, since an instance takes the very objects that it is given."""
    return {"items": [1, {"a": [2]}], "mapping": {"b": {"c": 3}}, "many": {"x"}}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    VALUES.update(copied())


@pytest.mark.parametrize("source", [created, loaded, scanned, written, committed])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_in_place_is_refused_at_the_commit(source: Callable[[], Sample], edit: str) -> None:
    """A commit refuses what was edited in place, naming the field; nothing is stored, and discarding undoes it."""
    sample = source()
    EDITS[edit](sample)
    sample.set_field(Sample.text, "new")
    with pytest.raises(dynamix.InvalidUpdateError, match=rf"Sample\.{edit.split(',')[0]} was edited in place"):
        sample.commit_changes()
    assert Sample.get(key="k") == Sample(key="k", **copied())
    sample.discard_changes()
    assert sample == Sample(key="k", **copied())
    sample.set_field(Sample.text, "new")
    sample.commit_changes()
    assert Sample.get(key="k") == Sample(key="k", text="new", **copied())


def test_an_edit_in_place_alone_is_refused() -> None:
    """A commit of nothing but an edit in place would send nothing, so it is refused."""
    sample = loaded()
    EDITS["items"](sample)
    with pytest.raises(dynamix.InvalidUpdateError, match="discard_changes"):
        sample.commit_changes()


def test_an_edit_in_place_is_refused_by_a_change() -> None:
    """A change of a value that was edited in place is refused when it is queued; no change is queued then."""
    sample = loaded()
    EDITS["items"](sample)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Sample\.items was edited in place"):
        sample.append_to_listfield(Sample.items, 7)
    sample.discard_changes()
    sample.commit_changes()
    assert Sample.get(key="k") == sample == Sample(key="k", **copied())


def test_an_edited_value_can_be_stored_whole() -> None:
    """Set as the field's value, an edited list is stored with its edits."""
    sample = loaded()
    EDITS["items, deep"](sample)
    sample.set_field(Sample.items, sample.items)
    sample.commit_changes()
    assert Sample.get(key="k") == sample
    assert sample.items == [1, {"a": [2, 5]}]


@pytest.mark.parametrize(
    "values",
    [
        {
            "items": (1, 2.0, Decimal("3.50"), None, b"b", bytearray(b"c")),
            "mapping": {"n": {3, 10, 2}, "b": {b"z", b"a"}},
        },
        {"many": {5, 1.5, Decimal("1E+2")}, "items": [], "mapping": {}},
        {"many": {b"y", b"x"}, "items": [{"deep": [[{"many"}]]}]},
        {"many": set(), "items": None},
        {},
    ],
)
def test_what_was_only_looked_at_was_not_edited(values: dict[str, Any]) -> None:
    """Reading lists, maps and sets of any content is no edit."""
    for sample in (Sample.create(key="k", **values), Sample.get(key="k"), Sample.batch_get({"key": "k"})[0]):
        assert sample is not None
        assert repr(sample)
        sample.set_field(Sample.number, 1)
        sample.commit_changes()
        assert repr(sample)
        sample.commit_changes()
