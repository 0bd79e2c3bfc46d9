"""`save()` stores what an instance has become, and nothing that others own."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample import Sample

import dynamix
from dynamix import (
    CharField,
    ConditionalCheckFailedError,
    DateTimeField,
    DictField,
    IntegerField,
    InvalidUpdateError,
    ItemExistsError,
    ItemNotFoundError,
    ListField,
    Model,
    SetField,
)
from places import Place

VALUES: dict[str, Any] = {
    "text": "t",
    "number": 1,
    "items": [1, {"a": [2]}, "x"],
    "mapping": {"b": {"c": 3, "s": {"p", "q"}}, "n": 1, "l": [1, 2]},
    "many": {"x", "y"},
}


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Sample)


def loaded() -> Sample:
    Sample.create(key="k", **copy.deepcopy(VALUES))
    return Sample.get_or_raise(key="k", consistent=True)


def stored() -> Sample:
    return Sample.get_or_raise(key="k", consistent=True)


class Requests:
    """The bodies of the updates and puts that a block sends."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bodies: list[dict[str, Any]] = []
        transport = place.connection._open()
        send = transport.send

        def noted(target: str, body: bytes, *args: Any, **kw: Any) -> Any:
            if target in ("UpdateItem", "PutItem"):
                self.bodies.append(json.loads(body))
            return send(target, body, *args, **kw)

        monkeypatch.setattr(transport, "send", noted)


@pytest.fixture
def requests(place: Place, monkeypatch: pytest.MonkeyPatch) -> Requests:
    return Requests(place, monkeypatch)


def test_a_new_instance_is_stored_whole() -> None:
    """What a constructor made is put, and belongs to the table from then on."""
    sample = Sample(key="k", text="a", items=[1])
    assert sample.save() is sample
    assert stored() == sample
    sample.text = "b"
    sample.save()
    assert stored().text == "b"


def test_a_new_instance_replaces_nothing() -> None:
    """Where an item has the key, saving another one is refused, with the stored one at hand."""
    Sample.create(key="k", text="first")
    with pytest.raises(ItemExistsError) as refused:
        Sample(key="k", text="second").save()
    assert refused.value.item == stored()
    assert stored().text == "first"
    Sample(key="k", text="second").save(overwrite=True)
    assert stored().text == "second"


def test_an_instance_of_a_key_alone_is_new_to_save() -> None:
    """Assigning after construction is a way to make a new item."""
    sample = Sample(key="k")
    sample.text = "a"
    sample.add_to_field(Sample.number, 2)
    sample.save()
    assert (stored().text, stored().number) == ("a", 2)
    assert not sample.save().items


def test_nothing_changed_sends_nothing(requests: Requests) -> None:
    """Not even where collections were read."""
    sample = loaded()
    requests.bodies.clear()
    assert (sample.items, sample.mapping, sample.many) == (VALUES["items"], VALUES["mapping"], VALUES["many"])
    sample.save()
    sample.save(condition=Sample.text == "another", if_unchanged=True)
    assert requests.bodies == []


EDITS: dict[str, tuple[Callable[[Sample], object], str]] = {
    "append": (lambda s: s.items.append(4), "SET #0 = list_append(#0, :0)"),
    "extend": (lambda s: s.items.extend([{}, []]), "SET #0 = list_append(#0, :0)"),
    "element": (lambda s: s.items.__setitem__(2, "y"), "SET #0[2] = :0"),
    "inside an element": (lambda s: s.items[1]["a"].append(3), "SET #0[1].#1 = list_append(#0[1].#1, :0)"),
    "pop": (lambda s: s.items.pop(), "REMOVE #0[2]"),
    "insert": (lambda s: s.items.insert(0, 0), "SET #0 = :0"),
    "remove": (lambda s: s.items.remove(1), "SET #0 = :0"),
    "key": (lambda s: s.mapping.update(z=1), "SET #0.#1 = :0"),
    "changed key": (lambda s: s.mapping.update(n=2), "SET #0.#1 = :0"),
    "deleted key": (lambda s: s.mapping.pop("n"), "REMOVE #0.#1"),
    "deep key": (lambda s: s.mapping["b"].update(c=4), "SET #0.#1.#2 = :0"),
    "deep list": (lambda s: s.mapping["l"].append(4), "SET #0.#1 = list_append(#0.#1, :0)"),
    "deep set": (lambda s: s.mapping["b"]["s"].add("r"), "SET #0.#1.#2 = :0"),
    "other type": (lambda s: s.mapping.update(l="text"), "SET #0.#1 = :0"),
    "added": (lambda s: s.many.add("z"), "ADD #0 :0"),
    "deleted": (lambda s: s.many.discard("x"), "DELETE #0 :0"),
    "both": (lambda s: s.many.symmetric_difference_update({"x", "z"}), "SET #0 = :0"),
    "emptied": (lambda s: s.many.clear(), "DELETE #0 :0"),
}


@pytest.mark.parametrize(("edit", "update"), EDITS.values(), ids=EDITS)
def test_an_edit_in_place_is_the_smallest_update(
    edit: Callable[[Sample], object], update: str, requests: Requests
) -> None:
    """Only the part that differs is sent; what others changed elsewhere meanwhile stays; then nothing is left to do."""
    sample = loaded()
    edit(sample)
    other = stored()
    other.add_to_field(Sample.number, 1)
    other.set_field(Sample.text, "theirs")
    other.commit_changes()
    requests.bodies.clear()
    sample.save()
    (body,) = requests.bodies
    assert body["UpdateExpression"].replace(" ", "") == update.replace(" ", "")
    assert (stored().text, stored().number) == ("theirs", 2)
    assert stored() == sample
    sample.save()
    assert len(requests.bodies) == 1


@pytest.mark.parametrize(("edit", "update"), EDITS.values(), ids=EDITS)
def test_an_edit_of_what_others_took_away_is_told(edit: Callable[[Sample], object], update: str) -> None:
    """Where the edit would hit something else or nothing, it is a conflict that names the field; nothing is lost."""
    sample = loaded()
    edit(sample)
    other = stored()
    for field in (Sample.items, Sample.mapping, Sample.many):
        other.set_field(field, None)
    other.commit_changes()
    if update.startswith(("ADD", "DELETE")):  # members need no set that is there
        sample.save()
        return
    with pytest.raises(ConditionalCheckFailedError, match="was changed by others since it was loaded: Sample") as told:
        sample.save()
    assert told.value.item == stored()
    with pytest.raises(ConditionalCheckFailedError):
        sample.save()


def test_lists_edited_by_index_notice_other_edits() -> None:
    """An index means an element only while the list is the one that was loaded."""
    sample = loaded()
    sample.items[2] = "mine"
    stored().remove_by_index_from_listfield(Sample.items, 0).commit_changes()
    with pytest.raises(ConditionalCheckFailedError, match=r"Sample\.items"):
        sample.save()
    assert stored().items == VALUES["items"][1:]
    sample.refresh(discard=True)
    assert sample.items == VALUES["items"][1:]


def test_edits_of_two_writers_in_one_map_both_stay() -> None:
    """Each sends its keys alone."""
    one, two = loaded(), stored()
    one.mapping["one"], two.mapping["two"] = 1, 2
    one.save()
    two.save()
    assert stored().mapping == {**VALUES["mapping"], "one": 1, "two": 2}


def test_appends_and_members_of_two_writers_all_stay() -> None:
    """Appending and adding members need no list or set that is as it was."""
    one, two = loaded(), stored()
    one.items.append("one")
    one.many.add("one")
    two.items.append("two")
    two.many.add("two")
    one.save()
    two.save()
    assert stored().items == [*VALUES["items"], "one", "two"]
    assert stored().many == {*VALUES["many"], "one", "two"}


def test_queued_changes_and_edits_go_together(requests: Requests) -> None:
    """One update has both, also of one field."""
    sample = loaded()
    requests.bodies.clear()
    sample.add_to_field(Sample.number, 2)
    sample.append_to_listfield(Sample.items, "queued")
    sample.items[0] = "edited"
    sample.mapping["new"] = True
    sample.save()
    assert len(requests.bodies) == 1
    assert (stored().number, stored().mapping["new"]) == (3, True)
    assert stored().items == ["edited", *VALUES["items"][1:], "queued"]
    assert stored() == sample


class Tagged(Model):
    """Two sets."""

    __table_name__ = "tagged"

    key = CharField(hash_key=True)
    good = SetField()
    bad = SetField()


def test_an_edit_after_queued_changes_of_a_set_has_the_last_word() -> None:
    """Also where another set takes a second update, what was queued of an edited one is not sent after the edit."""
    dynamix.create_table(Tagged)
    tagged = Tagged.create(key="k", good={"a"}, bad={"x"})
    for field, new, old in ((Tagged.good, "b", "a"), (Tagged.bad, "y", "x")):
        tagged.add_to_setfield(field, {new})
        tagged.delete_from_setfield(field, {old})
    tagged.good.add("a")
    tagged.save()
    fresh = Tagged.get_or_raise(key="k", consistent=True)
    assert (fresh.good, fresh.bad) == (tagged.good, tagged.bad) == ({"a", "b"}, {"y"})


def test_changed_plain_values_are_the_last_writers() -> None:
    """Unless `if_unchanged` asks for the value that was loaded."""
    sample = loaded()
    sample.text = "mine"
    stored().set_field(Sample.text, "theirs").commit_changes()
    with pytest.raises(ConditionalCheckFailedError, match=r"changed by others since it was loaded: Sample\.text") as it:
        sample.save(if_unchanged=True)
    assert it.value.item.text == "theirs"
    sample.save()
    assert stored().text == "mine"


def test_unchanged_is_asked_of_changed_fields_only() -> None:
    """Others may have changed the rest."""
    sample = loaded()
    sample.text = "mine"
    sample.mapping["n"] = 5
    stored().set_field(Sample.number, 9).commit_changes()
    sample.save(if_unchanged=True)
    assert (stored().text, stored().mapping["n"], stored().number) == ("mine", 5, 9)
    sample.mapping["n"] = 6
    stored().update_to_dict_field(Sample.mapping, {"z": 1}).commit_changes()
    with pytest.raises(ConditionalCheckFailedError, match=r"Sample\.mapping"):
        sample.save(if_unchanged=True)


def test_a_condition_is_met_or_nothing_is_stored() -> None:
    """For new and loaded instances, beside the conditions that were set."""
    sample = loaded()
    sample.text = "mine"
    with pytest.raises(ConditionalCheckFailedError, match=r"does not meet the condition Sample\.number"):
        sample.save(condition=Sample.number == 7)
    sample.save(condition=Sample.number == 1)
    assert stored().text == "mine"
    with pytest.raises(ConditionalCheckFailedError):
        Sample(key="k2", text="b").save(condition=Sample.text == "a")
    with pytest.raises(ConditionalCheckFailedError, match="does not meet"):
        Sample(key="k", text="b").save(overwrite=True, condition=Sample.text == "other")
    assert stored().text == "mine"


def test_an_item_that_is_gone_is_told() -> None:
    """A loaded instance is never made anew by saving it."""
    sample = loaded()
    sample.items.append(1)
    Sample.delete_by_key(key="k")
    with pytest.raises(ItemNotFoundError):
        sample.save()
    assert not Sample.exists(key="k")


def test_a_deleted_instance_is_new_again() -> None:
    """Saving it stores it whole."""
    sample = loaded()
    sample.delete()
    sample.save()
    assert stored() == sample
    assert stored().items == VALUES["items"]


def test_what_the_model_does_not_declare_stays(place: Place) -> None:
    """Attributes of other programs survive, and so does what a partly loaded instance lacks."""
    loaded()
    place.call(
        "UpdateItem",
        TableName=place.table_name(Sample),
        Key={"key": {"S": "k"}},
        UpdateExpression="SET foreign_one = :v",
        ExpressionAttributeValues={":v": {"N": "1.50"}},
    )
    part = Sample.get(Sample.mapping, key="k", consistent=True)
    assert part is not None
    part.mapping["new"] = 1
    part.save()
    item = place.stored_item(Sample, key="k")
    assert item is not None
    assert item["foreign_one"] in ({"N": "1.5"}, {"N": "1.50"})
    assert stored().items == VALUES["items"]
    assert stored().mapping == {**VALUES["mapping"], "new": 1}


def test_numbers_that_nobody_touched_keep_their_digits(place: Place) -> None:
    """An edit beside a number of more digits than a float has does not round it."""
    place.call(
        "PutItem",
        TableName=place.table_name(Sample),
        Item={
            "key": {"S": "k"},
            "mapping": {"M": {"n": {"N": "0.12345678901234567890123456789"}, "l": {"L": [{"N": "1.25"}]}}},
        },
    )
    sample = stored()
    sample.mapping["other"] = 1
    sample.mapping["l"].append(2)
    sample.save()
    item = place.stored_item(Sample, key="k")
    assert item is not None
    assert item["mapping"]["M"]["n"] == {"N": "0.12345678901234567890123456789"}
    assert item["mapping"]["M"]["l"] == {"L": [{"N": "1.25"}, {"N": "2"}]}


def test_values_that_cannot_be_stored_are_refused_before_anything_is_sent(requests: Requests) -> None:
    """The error names the field; what is stored and what is shown stay."""
    sample = loaded()
    requests.bodies.clear()
    sample.mapping["bad"] = object()
    with pytest.raises(dynamix.FieldValidationException, match=r"Sample\.mapping cannot hold"):
        sample.save()
    assert requests.bodies == []


def test_many_edits_are_one_update() -> None:
    """More keys than an expression has room for: the map is set whole, while it is as it was loaded."""
    sample = loaded()
    sample.mapping.update({f"key number {number}": number for number in range(400)})
    sample.save()
    assert stored() == sample
    sample.mapping.update({f"key number {number}": -number for number in range(400)})
    stored().update_to_dict_field(Sample.mapping, {"theirs": 1}).commit_changes()
    with pytest.raises(ConditionalCheckFailedError, match=r"Sample\.mapping"):
        sample.save()


class Defaulted(Model):
    """Defaults that show for what is not stored, and a time of the last change."""

    key = CharField(hash_key=True)
    names = ListField(default=list)
    scores = DictField(default={"a": 1})
    marks = SetField(default={"new"})
    count = IntegerField(default=5)
    changed_at = DateTimeField(auto_now=True)


@pytest.fixture
def defaulted(place: Place) -> Defaulted:
    """An item that has its key alone."""
    dynamix.create_table(Defaulted)
    place.call("PutItem", TableName=place.table_name(Defaulted), Item={"key": {"S": "k"}})
    return Defaulted.get_or_raise(key="k", consistent=True)


def test_edits_of_shown_defaults_are_stored(defaulted: Defaulted) -> None:
    """They start from what shows, if still nothing is stored."""
    other = Defaulted.get_or_raise(key="k", consistent=True)
    defaulted.names.append("n")
    defaulted.scores["b"] = 2
    defaulted.marks.add("m")
    defaulted.save()
    fresh = Defaulted.get_or_raise(key="k", consistent=True)
    assert (fresh.names, fresh.scores, fresh.marks, fresh.count) == (["n"], {"a": 1, "b": 2}, {"m"}, 5)
    assert fresh.changed_at is not None
    assert defaulted == fresh
    other.names.append("theirs")
    with pytest.raises(ConditionalCheckFailedError, match=r"Defaulted\.names"):
        other.save()


def test_the_time_of_the_last_change_is_set_with_a_change_only(defaulted: Defaulted) -> None:
    """An instance that did not change keeps it."""
    assert defaulted.save().changed_at is None
    defaulted.marks.add("m")
    before = defaulted.save().changed_at
    assert before is not None
    assert defaulted.save().changed_at == before


def test_commit_names_save_for_an_edit() -> None:
    """The queue does not send edits in place, and says what does."""
    sample = loaded()
    sample.items.append(1)
    with pytest.raises(InvalidUpdateError, match=r"store the edit by save\(\)"):
        sample.commit_changes()


elements = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "a", "b"]), st.floats(-9, 9, width=16)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
lists = st.lists(elements, max_size=4)
maps = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), elements, max_size=4)
sets = st.sets(st.sampled_from(["a", "b", "c", "d"]), max_size=4)
contents = st.fixed_dictionaries({"items": lists, "mapping": maps, "many": sets})


def morph(old: Any, new: Any) -> None:
    """Turn a list, map or set into another one in place, keeping what it can of what is inside."""
    if isinstance(old, set):
        old.clear()
        old.update(new)
        return
    places = list(new) if isinstance(old, dict) else range(min(len(old), len(new)))
    for place in places:
        kept = old.get(place) if isinstance(old, dict) else old[place]
        if type(kept) is type(new[place]) and isinstance(kept, list | dict):
            morph(kept, new[place])
        else:
            old[place] = new[place]
    if isinstance(old, dict):
        for gone in old.keys() - new.keys():
            del old[gone]
    else:
        old[len(new) :] = new[len(old) :]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=contents, after=contents)
def test_a_fresh_read_shows_what_was_saved(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Any edits in place are stored as they are, and a change of another attribute meanwhile survives."""
    Sample.create(key="k", number=1, **copy.deepcopy({name: value for name, value in before.items() if value}))
    sample = stored()
    stored().add_to_field(Sample.number, 1).commit_changes()
    for name, value in after.items():
        shown = getattr(sample, name)
        if shown is None:
            setattr(sample, name, copy.deepcopy(value))
        else:
            morph(shown, copy.deepcopy(value))
    sample.save()
    fresh = stored()
    assert fresh.number == 2
    for name, value in after.items():
        assert (getattr(fresh, name) or type(value)()) == value
        assert getattr(fresh, name) == getattr(sample, name) or (not value and name == "many")
