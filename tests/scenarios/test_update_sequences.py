"""Any changes in any order, several on one field too: one commit has the effect of applying them one after another.

The oracle is plain Python doing the same on plain values.
"""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from forum import Thread, key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynamix
from places import Place

small = st.integers(-3, 3)
word = st.sampled_from(["a", "b", "c", "d"])
words = st.lists(word, max_size=3)
index = st.integers(0, 4)

changes = st.one_of(
    st.tuples(st.just("set number"), st.one_of(st.none(), small)),
    st.tuples(st.just("add"), small),
    st.tuples(st.just("set map"), st.one_of(st.none(), st.dictionaries(word, small, max_size=3))),
    st.tuples(st.just("update map"), st.dictionaries(word, small, max_size=3)),
    st.tuples(st.just("remove keys"), words),
    st.tuples(st.just("set list"), st.one_of(st.none(), words)),
    st.tuples(st.just("append"), words),
    st.tuples(st.just("replace"), st.tuples(index, word)),
    st.tuples(st.just("remove"), index),
    st.tuples(st.just("set set"), st.one_of(st.none(), st.sets(word, max_size=3))),
    st.tuples(st.just("add elements"), st.sets(word, min_size=1, max_size=3)),
    st.tuples(st.just("delete elements"), st.sets(word, min_size=1, max_size=3)),
)

starts = st.fixed_dictionaries(
    {},
    optional={
        "expires_at": small,
        "data": st.dictionaries(word, small, max_size=3),
        "reviews": words,
        "tags": st.sets(word, min_size=1, max_size=3),
    },
)


def queue(thread: Any, change: tuple[str, Any]) -> None:
    """Queue one change on the instance."""
    model = type(thread)
    match change:
        case ("set number", value):
            thread.set_field(model.expires_at, value)
        case ("add", amount):
            thread.add_to_field(model.expires_at, amount)
        case ("set map", value):
            thread.set_field(model.data, value)
        case ("update map", elements):
            thread.update_to_dict_field(model.data, elements)
        case ("remove keys", keys):
            thread.remove_from_dict_field(model.data, keys)
        case ("set list", value):
            thread.set_field(model.reviews, value)
        case ("append", elements):
            thread.append_to_listfield(model.reviews, elements)
        case ("replace", (position, element)):
            thread.replace_by_index_in_listfield(model.reviews, position, element)
        case ("remove", position):
            thread.remove_by_index_from_listfield(model.reviews, position)
        case ("set set", value):
            thread.set_field(model.tags, value)
        case ("add elements", elements):
            thread.add_to_setfield(model.tags, elements)
        case ("delete elements", elements):
            thread.delete_from_setfield(model.tags, elements)


def apply(values: dict[str, Any], change: tuple[str, Any]) -> None:
    """The same change on plain values; a missing one is None."""
    kind, argument = change
    match kind:
        case "set number":
            values["expires_at"] = argument
        case "add":
            values["expires_at"] = (values["expires_at"] or 0) + argument
        case "set map":
            values["data"] = argument
        case "update map":
            values["data"] = (values["data"] or {}) | argument
        case "remove keys" if values["data"] is not None:
            values["data"] = {k: v for k, v in values["data"].items() if k not in argument}
        case "set list":
            values["reviews"] = argument
        case "append":
            values["reviews"] = [*(values["reviews"] or []), *argument]
        case "replace":
            position, element = argument
            elements = list(values["reviews"] or [])
            elements[position : position + 1] = [element]
            values["reviews"] = elements
        case "remove" if values["reviews"] is not None:
            values["reviews"] = [e for i, e in enumerate(values["reviews"]) if i != argument]
        case "set set":
            values["tags"] = argument or None
        case "add elements":
            values["tags"] = (values["tags"] or set()) | argument
        case "delete elements":
            values["tags"] = ((values["tags"] or set()) - argument) or None


def plain(thread: Thread | None) -> dict[str, Any]:
    """The four fields of an instance, an empty set as a missing one. A missing list reads as its default."""
    assert thread is not None
    return {name: getattr(thread, name) for name in ("expires_at", "data", "reviews")} | {"tags": thread.tags or None}


@pytest.mark.usefixtures("place")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, sequence=st.lists(changes, max_size=8))
def test_one_commit_is_all_changes_in_order(start: dict[str, Any], sequence: list[tuple[str, Any]]) -> None:
    """The instance before the commit, the instance after it, and the table all agree with plain Python."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1), **start)
    values = plain(thread)
    for change in sequence:
        queue(thread, change)
        apply(values, change)
    assert plain(thread) == {**values, "reviews": values["reviews"] or []} or plain(thread) == values
    thread.commit_changes()
    stored = Thread.get(**key(1))
    assert plain(stored) == {**values, "reviews": values["reviews"] or []}
    assert plain(thread) in (plain(stored), values)


@pytest.mark.usefixtures("place")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, meanwhile=st.lists(changes, max_size=4), sequence=st.lists(changes, max_size=6))
def test_a_stale_instance_commits_all_the_same(
    start: dict[str, Any], meanwhile: list[tuple[str, Any]], sequence: list[tuple[str, Any]]
) -> None:
    """When the item changed since it was loaded, the changes are applied to what is stored."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1), **start)
    other = Thread.get(**key(1))
    assert other is not None
    values = plain(thread)
    for change in meanwhile:
        queue(other, change)
        apply(values, change)
    other.commit_changes()
    for change in sequence:
        queue(thread, change)
        apply(values, change)
    thread.commit_changes()
    assert plain(Thread.get(**key(1))) == {**values, "reviews": values["reviews"] or []}


@pytest.mark.usefixtures("place")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, sequence=st.lists(changes, max_size=8))
def test_fields_that_were_not_loaded_commit_all_the_same(
    start: dict[str, Any], sequence: list[tuple[str, Any]]
) -> None:
    """When none of the changed fields was loaded, the changes are applied to what is stored."""
    dynamix.create_table(Thread)
    values = plain(Thread.create(**key(1), **start))
    (thread,) = Thread.query(Thread.title).where(Thread.forum_id == "science", Thread.thread_id == "t0001")
    for change in sequence:
        queue(thread, change)
        apply(values, change)
    thread.commit_changes()
    assert plain(Thread.get(**key(1))) == {**values, "reviews": values["reviews"] or []}


@pytest.mark.usefixtures("place")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, sequence=st.lists(changes, min_size=1, max_size=8))
def test_a_refused_commit_can_be_dropped_and_made_again(start: dict[str, Any], sequence: list[tuple[str, Any]]) -> None:
    """A failed condition stores nothing, discard_changes shows what was there, and the same changes work again."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1), **start)
    before, stored = copy.deepcopy(thread), Thread.get(**key(1))
    values = plain(thread)
    for change in sequence:
        queue(thread, change)
        apply(values, change)
    thread.set_modify_conditions(Thread.title.exists())
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        thread.commit_changes()
    assert Thread.get(**key(1)) == stored
    thread.discard_changes()
    assert thread == before
    for change in sequence:
        queue(thread, change)
    thread.commit_changes()
    assert plain(Thread.get(**key(1))) == {**values, "reviews": values["reviews"] or []}


steps = st.one_of(
    changes,
    st.tuples(st.just("read"), st.sampled_from(["expires_at", "data", "reviews", "tags"])),
    st.tuples(st.just("edit"), st.sampled_from(["data", "reviews", "tags"])),
    st.tuples(st.sampled_from(["copy", "deepcopy", "pickle", "repr", "get", "write", "commit", "discard"]), st.none()),
)

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thread: pickle.loads(pickle.dumps(thread)),
}


def edit(thread: Thread, name: str) -> bool:
    """Edit a list, map or set in place, where there is one; say whether that was done."""
    match getattr(thread, name):
        case list() as elements:
            elements.append("edited")
        case dict() as keys:
            keys["edited"] = [1]
        case set() as members:
            members.add("edited")
        case _:
            return False
    return True


def as_read(values: dict[str, Any]) -> dict[str, Any]:
    """Values as a new instance shows them once they are stored."""
    return {**values, "reviews": values["reviews"] or [], "tags": values["tags"] or None}


@pytest.mark.usefixtures("place")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, loaded=st.booleans(), sequence=st.lists(steps, max_size=14))
def test_one_instance_through_thick_and_thin(start: dict[str, Any], loaded: bool, sequence: list[Any]) -> None:
    """Reading early or late, copies midway, commits, whole writes and edits in place: the instance shows what plain
    Python has, and what is stored is what was shown at the last commit. No edit in place is stored by a commit, and
    none is dropped but by discarding."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1), **start)
    shown = copy.deepcopy(plain(thread))
    stored = copy.deepcopy(shown)
    whole: set[str] = set()  # the fields of which a whole value is queued, in which edits are sent
    edited: set[str] = set()

    def reset(values: dict[str, Any]) -> None:
        shown.update(copy.deepcopy(values))
        whole.clear()
        edited.clear()

    def reload() -> Thread:
        found = Thread.get(**key(1), consistent=True)
        assert found is not None
        return found

    if loaded:
        thread = reload()
    for step in sequence:
        match step:
            case ("read", name):
                assert getattr(thread, name) == shown[name] or (name in edited | {"reviews", "tags"})
            case ("edit", name):
                if edit(thread, name):
                    if name in whole:
                        shown[name] = copy.deepcopy(getattr(thread, name))
                    else:
                        edited.add(name)
            case ("copy" | "deepcopy" | "pickle" as way, _):
                thread = COPIES[way](thread)
            case ("repr", _):
                assert repr(thread)
            case ("get", _):
                thread = reload()
                reset(stored)
            case ("write", _):
                Thread.batch_write([thread])
                stored = copy.deepcopy(as_read(plain(thread)))
                reset(stored)
            case ("commit", _) if edited:
                with pytest.raises(dynamix.InvalidUpdateError, match="was edited in place"):
                    thread.commit_changes()
            case ("commit", _):
                thread.commit_changes()
                stored = copy.deepcopy(as_read(shown))
                reset(stored)
            case ("discard", _):
                thread.discard_changes()
                reset(stored)
            case (str() as kind, _):
                name = FIELDS[kind]
                refused = name in edited
                if refused and not kind.startswith("set "):
                    continue  # refused, or taken and refused at the commit, as other tests say
                edited.discard(name)
                queue(thread, copy.deepcopy(step))
                apply(shown, copy.deepcopy(step))
                if kind.startswith("set "):
                    whole.add(name)
        assert as_read(plain(reload())) == as_read(stored)
        for name in shown.keys() - edited:
            assert as_read(plain(thread))[name] == as_read(shown)[name]


FIELDS = {
    "set number": "expires_at",
    "add": "expires_at",
    "set map": "data",
    "update map": "data",
    "remove keys": "data",
    "set list": "reviews",
    "append": "reviews",
    "replace": "reviews",
    "remove": "reviews",
    "set set": "tags",
    "add elements": "tags",
    "delete elements": "tags",
}


class Listing(dynamix.Model):
    """A list without a default: it is None where nothing is stored."""

    key = dynamix.CharField(hash_key=True)
    reviews = dynamix.ListField()


list_changes = st.one_of(
    st.tuples(st.just("set"), st.one_of(st.none(), words)),
    st.tuples(st.just("append"), words),
    st.tuples(st.just("replace"), st.tuples(index, word)),
    st.tuples(st.just("remove"), index),
)


def queue_on_list(listing: Listing, change: tuple[str, Any]) -> None:
    """Queue one change of the list."""
    match change:
        case ("set", value):
            listing.set_field(Listing.reviews, value)
        case ("append", elements):
            listing.append_to_listfield(Listing.reviews, elements)
        case ("replace", (position, element)):
            listing.replace_by_index_in_listfield(Listing.reviews, position, element)
        case ("remove", position):
            listing.remove_by_index_from_listfield(Listing.reviews, position)


def apply_to_list(value: list[str] | None, change: tuple[str, Any]) -> list[str] | None:
    """The same change of a plain list, or of None."""
    match change:
        case ("set", new):
            return new  # type: ignore[no-any-return]
        case ("append", elements):
            return [*(value or []), *elements]
        case ("replace", (position, element)):
            return [*(value or [])[:position], element, *(value or [])[position + 1 :]]
        case ("remove", position):
            return value and value[:position] + value[position + 1 :]
    raise AssertionError(change)


@pytest.mark.usefixtures("place")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.one_of(st.none(), words),
    meanwhile=st.one_of(st.none(), st.tuples(st.just("set"), st.one_of(st.none(), words))),
    sequence=st.lists(list_changes, min_size=1, max_size=5),
)
def test_changes_of_a_list_that_may_be_missing(
    start: list[str] | None, meanwhile: tuple[str, Any] | None, sequence: list[tuple[str, Any]]
) -> None:
    """A list that is missing, that went missing, or that was made since, takes every change in order."""
    dynamix.create_table(Listing)
    listing = Listing.create(key="k", reviews=start)
    expected = shown = start
    if meanwhile is not None:
        other = Listing.get(key="k")
        assert other is not None
        queue_on_list(other, meanwhile)
        other.commit_changes()
        expected = apply_to_list(expected, meanwhile)
    for change in sequence:
        queue_on_list(listing, change)
        expected, shown = apply_to_list(expected, change), apply_to_list(shown, change)
        assert listing.reviews == shown
    listing.commit_changes()
    assert listing.reviews == expected
    assert Listing.get(key="k") == listing


class Defaulted(dynamix.Model):
    """The fields of a thread that the changes are for, each with a default."""

    key = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()
    expires_at = dynamix.IntegerField(default=5)
    data = dynamix.DictField(default={"a": 1, "e": 2})
    reviews = dynamix.ListField(default=["a", "e"])
    tags = dynamix.SetField(default={"a", "e"})


class Bare(dynamix.Model):
    """The same fields without a default."""

    __table_name__ = "Defaulted"

    key = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()
    expires_at = dynamix.IntegerField()
    data = dynamix.DictField()
    reviews = dynamix.ListField()
    tags = dynamix.SetField()


DEFAULTS: dict[str, Any] = {"expires_at": 5, "data": {"a": 1, "e": 2}, "reviews": ["a", "e"], "tags": set()}
NULL = {"NULL": True}
items = st.fixed_dictionaries(
    {},
    optional={
        "expires_at": small.map(lambda n: {"N": str(n)}) | st.just(NULL),
        "data": st.dictionaries(word, small.map(lambda n: {"N": str(n)}), max_size=3).map(lambda d: {"M": d})
        | st.just(NULL),
        "reviews": words.map(lambda texts: {"L": [{"S": text} for text in texts]}) | st.just(NULL),
        "tags": st.sets(word, min_size=1, max_size=3).map(lambda texts: {"SS": sorted(texts)}) | st.just(NULL),
    },
)


def shown(instance: Defaulted | Bare | None) -> dict[str, Any]:
    """The four fields of an instance."""
    assert instance is not None
    return {name: copy.deepcopy(getattr(instance, name)) for name in DEFAULTS}


def same(values: dict[str, Any]) -> dict[str, Any]:
    """Values in which an empty set is a missing one."""
    return {**values, "tags": values["tags"] or None}


@pytest.mark.parametrize("model", [Defaulted, Bare])
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seen=items,
    meanwhile=st.one_of(st.none(), items),
    source=st.sampled_from(["loaded", "key alone", "partial"]),
    sequence=st.lists(changes, max_size=6),
    way=st.sampled_from(["itself", "copy", "deepcopy", "pickle"]),
)
def test_defaults_nulls_and_stale_instances(
    place: Place,
    model: type[Defaulted] | type[Bare],
    seen: dict[str, Any],
    meanwhile: dict[str, Any] | None,
    source: str,
    sequence: list[tuple[str, Any]],
    way: str,
) -> None:
    """Whatever of the item is known, missing, NULL, or not what it was: one commit has the effect of the changes one
    after another on what is stored, where a missing attribute and a NULL read as the default."""
    dynamix.create_table(model)

    def put(attributes: dict[str, Any]) -> None:
        place.call("PutItem", TableName=place.table_name(model), Item={"key": {"S": "k"}, **attributes})

    def reload() -> Defaulted | Bare:
        found = model.get(key="k", consistent=True)
        assert found is not None
        return found

    put(seen)
    match source:
        case "loaded":
            instance = reload()
        case "key alone":
            instance = model(key="k")
        case _:
            (instance,) = model.scan(model.title)
    if meanwhile is not None:
        put(meanwhile)
    stored = seen if meanwhile is None else meanwhile
    values = shown(reload())
    if source == "key alone" and model is Defaulted and stored.get("tags", NULL) == NULL:
        values["tags"] = {"a", "e"}  # a set's default is for new instances, and this one shows it
    for change in sequence:
        queue(instance, change)
        apply(values, change)
        instance = COPIES.get(way, lambda instance: instance)(instance)
    if meanwhile is None and source == "loaded":
        assert same(shown(instance)) == same(values)
    instance.commit_changes()
    if not any(FIELDS[kind] == "tags" for kind, _ in sequence):
        values["tags"] = shown(reload())["tags"]
    expected = {
        name: DEFAULTS[name] if values[name] is None and model is Defaulted else values[name] for name in values
    }
    assert same(shown(reload())) == same(expected)
    if sequence:
        assert same(shown(instance)) == same(expected)
