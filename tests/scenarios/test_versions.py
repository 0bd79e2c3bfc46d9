"""A write through an instance is made only at the version that was loaded, and raises it."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynamix
from dynamix import (
    CharField,
    ConditionalCheckFailedError,
    DateTimeField,
    IntegerField,
    InvalidUpdateError,
    ItemExistsError,
    ItemNotFoundError,
    ListField,
    Model,
    ModelDefinitionError,
    SetField,
    UnknownNameError,
    VersionConflict,
    VersionField,
)
from places import Place


class Page(Model):
    """What several people edit."""

    key = CharField(hash_key=True)
    title = CharField()
    views = IntegerField()
    tags = SetField()
    lines = ListField()
    changed_at = DateTimeField(auto_now=True)
    version = VersionField(name="v")


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Page)


def loaded() -> Page:
    return Page.get_or_raise(key="k", consistent=True)


def version() -> int:
    found = loaded().version
    assert found is not None
    return found


def store(place: Place, **attributes: Any) -> None:
    """Puts the item as another program does."""
    place.call("PutItem", TableName=place.table_name(Page), Item={"key": {"S": "k"}, **attributes})


def two() -> tuple[Page, Page]:
    """Two who loaded the same item."""
    Page.create(key="k", title="old", views=1, tags={"a", "b"}, lines=[1])
    return loaded(), loaded()


WRITES: dict[str, Callable[[Page], object]] = {
    "save": lambda page: setattr(page, "title", "new") or page.save(),  # type: ignore[func-returns-value]
    "commit": lambda page: page.set_field(Page.title, "new").commit_changes(),
    "add": lambda page: page.add_to_field(Page.views, 1).commit_changes(),
    "in place": lambda page: page.lines.append(2) or page.save(),  # type: ignore[union-attr,func-returns-value]
    "two requests": lambda page: (
        page.add_to_setfield(Page.tags, {"c"}).delete_from_setfield(Page.tags, {"a"}).commit_changes()
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_raises_the_version(write: Callable[[Page], object]) -> None:
    """Each request of a write raises the stored version by one, and the instance shows the new one and writes again."""
    one, _ = two()
    before = version()
    write(one)
    assert one.version == version() == before + (2 if write is WRITES["two requests"] else 1)
    one.set_field(Page.title, "again").save()
    assert loaded().title == "again"


@pytest.mark.parametrize("write", [*WRITES.values(), Page.delete], ids=[*WRITES, "delete"])
def test_who_is_late_is_refused(write: Callable[[Page], object]) -> None:
    """The second stores nothing, whatever the first wrote, and gets what is stored; refreshed, it writes."""
    one, other = two()
    WRITES["two requests"](one)
    stored, held = loaded(), other.version
    with pytest.raises(VersionConflict, match=r"was changed by others since it was loaded: Page\.version") as caught:
        write(other)
    assert (caught.value.item, caught.value.changed, caught.value.applied) == (stored, ("Page.version",), "no")
    assert loaded() == stored
    assert other.version == held != stored.version
    other.refresh(discard=True)
    write(other)


def test_a_refused_write_leaves_all_as_before() -> None:
    """Version and queued changes are those from before, and the next try is refused as well."""
    one, other = two()
    before = other.version
    one.set_field(Page.title, "first").save()
    other.title = "second"
    for _ in range(2):
        with pytest.raises(VersionConflict):
            other.save()
        assert (other.version, other.title) == (before, "second")


def test_a_new_item_starts_at_a_version_of_its_own() -> None:
    """Who holds an item that was deleted and made anew, by whichever way, is refused."""
    makes: list[Callable[[], object]] = [
        lambda: Page.create(key="k"),
        lambda: Page(key="k").save(),
        lambda: Page.create(key="k", overwrite=True),
        lambda: Page.batch_write([{"key": "k"}], unchecked=True),
        lambda: Page.get_or_create(key="k"),
    ]
    Page.create(key="k")
    for make in makes:
        stale = loaded()
        Page.delete_by_key(key="k")
        make()
        assert loaded().version not in (None, stale.version)
        with pytest.raises(VersionConflict):
            stale.set_field(Page.title, "stale").save()
        with pytest.raises(VersionConflict):
            stale.delete()


def test_a_copy_under_another_key_has_a_version_of_its_own() -> None:
    """`replace` with another key makes a new item, which can be stored."""
    page = Page.create(key="k", title="t")
    other = page.replace(key="other").save()
    assert other.version not in (None, page.version)
    assert Page.get(key="other") == other


def test_creating_replaces_nothing_unless_told_to() -> None:
    """`create` leaves an item alone unless `overwrite=True` is given, which any stale holder notices; so does
    `save(overwrite=True)`."""
    one, other = two()
    with pytest.raises(ItemExistsError):
        Page.create(key="k", title="mine")
    created = Page.create(key="k", title="mine", overwrite=True)
    assert created == loaded()
    with pytest.raises(VersionConflict):
        one.set_field(Page.title, "x").save()
    other.title = "replaced"
    other.save(overwrite=True)
    assert other == loaded()
    with pytest.raises(VersionConflict):
        created.set_field(Page.title, "x").save()


def test_a_version_that_is_given() -> None:
    """A version given to a new item is refused, naming it, before anything is sent; nothing sets one later."""
    for write in (
        lambda: Page.create(key="k", version=3),
        lambda: Page(key="k", version=3).save(),
        lambda: Page.batch_write([{"key": "k", "version": 3}], unchecked=True),
    ):
        with pytest.raises(InvalidUpdateError, match=r"Page\.version=3 was given"):
            write()
    page = Page.create(key="k")
    for change in (
        lambda: setattr(page, "version", 3),
        lambda: page.set_field(Page.version, 3),
        lambda: page.add_to_field(Page.version, 1),
    ):
        with pytest.raises(InvalidUpdateError, match=r"Page\.version is the version"):
            change()
    assert page == loaded()


def test_batches_say_that_they_look_at_no_version() -> None:
    """A batch of instances is refused unless it says `unchecked=True`; each item then gets a new version. Keys know
    none."""
    one, other = two()
    with pytest.raises(InvalidUpdateError, match="unchecked=True"):
        Page.batch_write([one])
    with pytest.raises(InvalidUpdateError, match="unchecked=True"):
        Page.batch_delete([one])
    one.title = "batch"
    assert Page.batch_write([one, Page(key="other")], unchecked=True) == [
        loaded(),
        Page.get(key="other", consistent=True),
    ]
    one.set_field(Page.title, "more").save()
    with pytest.raises(VersionConflict):
        other.set_field(Page.title, "late").save()
    Page.batch_delete([one], unchecked=True)
    Page.batch_delete([{"key": "other"}])
    assert Page.scan().count() == 0


@pytest.mark.parametrize("stored", [{}, {"v": {"NULL": True}}], ids=["missing", "NULL"])
def test_an_item_without_a_version(place: Place, stored: dict[str, Any]) -> None:
    """Where no version is stored, a write asks that this is still so, and begins one."""
    store(place, **stored)
    one, other, third = loaded(), loaded(), loaded()
    assert one.version is None
    one.set_field(Page.title, "x").save()
    assert one.version == version()
    for write in (lambda: other.set_field(Page.title, "y").save(), third.delete):
        with pytest.raises(VersionConflict):
            write()
    store(place, **stored)
    loaded().delete()
    assert not Page.exists(key="k", consistent=True)


@pytest.mark.parametrize("stored", [None, {}, {"v": {"NULL": True}}], ids=["present", "missing", "NULL"])
def test_an_instance_made_of_a_key(place: Place, stored: dict[str, Any] | None) -> None:
    """It writes unchecked, and raises the version all the same, so that others notice."""
    if stored is None:
        Page.create(key="k")
    else:
        store(place, **stored)
    stale = loaded()
    handle = Page(key="k").set_field(Page.title, "x").commit_changes()
    assert handle == loaded()
    assert handle.version == (handle.version if stale.version is None else stale.version + 1)
    with pytest.raises(VersionConflict):
        stale.set_field(Page.title, "y").save()
    handle.set_field(Page.title, "z").save()
    Page(key="k").delete()
    with pytest.raises(ItemNotFoundError):
        handle.set_field(Page.title, "gone").save()


@pytest.mark.parametrize("stored", [None, {}, {"v": {"NULL": True}}], ids=["present", "missing", "NULL"])
def test_an_update_without_loading(place: Place, stored: dict[str, Any] | None) -> None:
    """It is not checked, and raises the version all the same; an item that an upsert makes begins at one of its own."""
    if stored is None:
        Page.create(key="k")
    else:
        store(place, **stored)
    stale = loaded()
    new = Page.update_by_key(Page.title.set("x"), returns="new", key="k")
    assert new.version == version() == (version() if stale.version is None else stale.version + 1)
    with pytest.raises(VersionConflict):
        stale.set_field(Page.title, "y").save()
    made = Page.update_by_key(Page.views.add(1), upsert=True, returns="new", key="made")
    made.set_field(Page.title, "z").save()
    with pytest.raises(InvalidUpdateError, match=r"Page\.version is the version"):
        Page.update_by_key(Page.version.set(3), key="k")
    with pytest.raises(InvalidUpdateError, match=r"Page\.version is the version"):
        stale.change(Page.version.add(3))


def test_an_instance_loaded_without_its_version() -> None:
    """It writes nothing, and says that refresh() helps."""
    two()
    part = Page.get(Page.title, key="k", consistent=True)
    assert part is not None
    part.title = "x"
    for write in (part.save, part.commit_changes, part.delete, lambda: part.save(overwrite=True)):
        with pytest.raises(InvalidUpdateError, match="loaded without"):
            write()
    with pytest.raises(InvalidUpdateError, match=r"refresh\(\)"):
        part.save()
    part.refresh(discard=True).set_field(Page.title, "y").save()
    assert loaded().title == "y"


def test_conditions_hold_beside_the_version() -> None:
    """Conditions of the caller's are looked at too; it is no conflict where only they are not met."""
    one, other = two()
    one.title = "x"
    for write in (
        lambda: one.save(condition=Page.views == 2),
        lambda: one.delete(condition=Page.views == 2),
        lambda: one.save(condition=Page.version == 1),
    ):
        with pytest.raises(ConditionalCheckFailedError, match="does not meet the condition") as caught:
            write()
        assert type(caught.value) is ConditionalCheckFailedError
    one.set_modify_conditions(Page.views == 1).save(if_unchanged=True, condition=Page.title.unchanged())
    other.title = "late"
    with pytest.raises(VersionConflict):
        other.save(if_unchanged=True, condition=Page.views == 1)
    with pytest.raises(VersionConflict):
        other.delete(condition=Page.views == 1)
    one.delete(condition=Page.views == 1)
    assert not Page.exists(key="k", consistent=True)


def test_an_item_that_is_gone() -> None:
    """A change of it says so; a delete finds what it wanted. The deleted one can be stored again, as a new item."""
    one, other = two()
    before = one.version
    one.delete()
    with pytest.raises(ItemNotFoundError):
        other.set_field(Page.title, "x").commit_changes()
    other.delete()
    one.save()
    assert one == loaded()
    assert one.version not in (None, before)


def test_nothing_to_send_raises_nothing() -> None:
    """An instance with nothing to store sends nothing, whatever others did."""
    one, other = two()
    one.set_field(Page.title, "x").save()
    before = version()
    other.save()
    other.commit_changes()
    assert version() == before


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda page: pickle.loads(pickle.dumps(page))], ids=["copy", "pickle"])
def test_copies_know_their_version(twin: Callable[[Page], Page]) -> None:
    """A copy is checked by the version that was loaded, as the instance is."""
    one, _ = two()
    copied = twin(one)
    copied.set_field(Page.title, "copy").save()
    with pytest.raises(VersionConflict):
        one.set_field(Page.title, "x").save()


def test_a_field_class_derived_from_it() -> None:
    """What is stored may be another form, and how a version follows another may be another rule."""

    class Hundreds(VersionField):
        @staticmethod
        def first() -> int:
            return 100

        def after(self, version: int | None) -> int:
            return 100 if version is None else version + 100

        def to_wire(self, value: int | None) -> dict[str, Any]:
            return {"S": f"v{value}"}

        def from_wire(self, wire: dict[str, Any]) -> int:
            return int(wire["S"][1:])

    class Sheet(Model):
        key = CharField(hash_key=True)
        title = CharField()
        edition = Hundreds()

    dynamix.create_table(Sheet)
    one = Sheet.create(key="k")
    other = Sheet.get_or_raise(key="k", consistent=True)
    one.set_field(Sheet.title, "x").save()
    assert one.edition == 200
    with pytest.raises(VersionConflict):
        other.set_field(Sheet.title, "y").save()
    with pytest.raises(VersionConflict):
        other.delete()
    one.delete()


def test_what_a_model_may_say_of_its_version() -> None:
    """It has one version, which is no key and has no default; an option that does not exist is named."""
    with pytest.raises(UnknownNameError, match="VersionField has no option 'default'"):
        VersionField(default=1)  # type: ignore[call-arg]

    class Both(Model):
        key = CharField(hash_key=True)
        a = VersionField()
        b = VersionField()

    with pytest.raises(ModelDefinitionError, match=r"Both\.a and Both\.b are both versions"):
        dynamix.create_table(Both)


RACE = """
import json, sys
import dynamix
sys.path.insert(0, sys.argv[2])
options = json.loads(sys.argv[1])
if "is_local_endpoint" in options:
    options["is_local_endpoint"] = tuple(options["is_local_endpoint"])

class Page(dynamix.Model):
    key = dynamix.CharField(hash_key=True)
    views = dynamix.IntegerField()
    version = dynamix.VersionField(name="v")

with dynamix.Connection(**options) as connection, dynamix.use_connection(connection):
    conflicts = stored = 0
    while stored < 25:
        page = Page.get_or_raise(key="race", consistent=True)
        page.views += 1
        try:
            page.save()
            stored += 1
        except dynamix.VersionConflict:
            conflicts += 1
"""


def race(place: Place, tmp_path: Path, program: str) -> tuple[Page, int]:
    """What two processes that run the program leave of an item, and how many writes it has had."""
    if place.name == "engine":
        options: dict[str, Any] = {"embedded": str(tmp_path / "race.db")}
    else:
        given: Any = place.connection._options["is_local_endpoint"]
        options = {"is_local_endpoint": given, "table_prefix": place.prefix}
    with dynamix.Connection(**options) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Page)
        first = Page.create(key="race", views=0).version
        command = [sys.executable, "-c", program, json.dumps(options), str(Path(__file__).parent)]
        running = [subprocess.Popen(command) for _ in range(2)]
        assert [process.wait(60) for process in running] == [0, 0]
        page = Page.get_or_raise(key="race", consistent=True)
        assert first is not None
        assert page.version is not None
        return page, page.version - first


def test_two_processes_lose_no_write(place: Place, tmp_path: Path) -> None:
    """Of two processes that read, add in Python and save, no addition is lost."""
    page, writes = race(place, tmp_path, RACE)
    assert (page.views, writes) == (50, 50)


MODIFY = (
    RACE[: RACE.index("    conflicts")]
    + """
    for _ in range(25):
        Page.modify(lambda page: page.set_field(Page.views, page.views + 1), key="race", attempts=1000)
"""
)


def test_two_processes_that_modify(place: Place, tmp_path: Path) -> None:
    """Of two processes that add by `modify`, no addition is lost, and none is refused."""
    page, writes = race(place, tmp_path, MODIFY)
    assert (page.views, writes) == (50, 50)


STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["load", "save", "delete", "create"])), max_size=20)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whoever_writes_had_seen_the_last_write(steps: list[tuple[int, str]]) -> None:
    """Of several who load, save, delete and create one item, exactly those succeed that hold what is stored."""
    Page.delete_by_key(key="k")
    held: dict[int, Page] = {}
    truth: Page | None = None
    for number, (who, step) in enumerate(steps):
        mine = held.get(who)
        if step == "load":
            found = Page.get(key="k", consistent=True)
            assert found == truth
            held = {**held, who: found} if found else {name: page for name, page in held.items() if name != who}
        elif step == "create":
            if truth is None:
                truth = held[who] = Page.create(key="k", title=str(number))
            else:
                with pytest.raises(ItemExistsError):
                    Page.create(key="k", title=str(number))
        elif mine is None:
            continue
        elif truth is None:
            del held[who]
            if step == "save":
                with pytest.raises(ItemNotFoundError):
                    mine.set_field(Page.title, str(number)).commit_changes()
            else:
                mine.delete()
        elif mine.version != truth.version:
            with pytest.raises(VersionConflict):
                mine.set_field(Page.title, str(number)).save() if step == "save" else mine.delete()
            del held[who]
        elif step == "save":
            truth = mine.set_field(Page.title, str(number)).save()
        else:
            mine.delete()
            del held[who]
            truth = None
        truth = copy.deepcopy(truth)
    assert Page.get(key="k", consistent=True) == truth
