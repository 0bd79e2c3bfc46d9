"""Any list of actions: an update by key gives what simultaneous assignment from the old item gives, and a queue gives
what one action after another gives.

The oracle is plain Python doing the same on plain values.
"""

import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import dynamix
from places import Place

EXAMPLES = int(os.environ.get("DYNAMIX_ACTIONS", "0"))


class Bare(dynamix.Model):
    """One field of each kind."""

    __table_name__ = "bag"

    key = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField()
    total = dynamix.IntegerField()
    lives = dynamix.IntegerField()
    word = dynamix.CharField()
    keys = dynamix.DictField()
    rows = dynamix.ListField()
    log = dynamix.ListField()
    tags = dynamix.SetField()


class Bag(Bare):
    """The same table with defaults, which not all items in it have."""

    __table_name__ = "bag"

    lives = dynamix.IntegerField(default=3)
    log = dynamix.ListField(default=["made"])


Act = tuple[str, tuple[Any, ...], Any]
"""A verb, the path it changes (the attribute first), and its argument."""

small = st.integers(-3, 3)
letter = st.sampled_from(["a", "b"])
index = st.integers(0, 3)
letters = st.lists(letter, min_size=1, max_size=2)

places = {
    "numbers": st.one_of(
        st.sampled_from([("number",), ("total",), ("lives",)]),
        st.tuples(st.just("keys"), letter, st.just("n")),
        st.tuples(st.just("rows"), index, st.just("n")),
    ),
    "lists": st.one_of(
        st.just(("log",)),
        st.tuples(st.just("keys"), letter, st.just("l")),
        st.tuples(st.just("rows"), index, st.just("l")),
    ),
    "words": st.one_of(st.just(("word",)), st.tuples(st.just("keys"), letter, st.just("w"))),
    "maps": st.one_of(st.tuples(st.just("keys"), letter), st.tuples(st.just("rows"), index)),
}
maps = st.fixed_dictionaries({}, optional={"n": small, "l": letters, "w": letter})
computed = st.tuples(st.sampled_from("+-"), st.sampled_from(["number", "lives"]), small | st.just("lives"))

acts = st.one_of(
    st.tuples(st.sampled_from(["set", "set_if_missing", "add"]), places["numbers"], small),
    st.tuples(st.just("compute"), st.just(("total",)), computed),
    st.tuples(st.sampled_from(["set", "set_if_missing", "append", "prepend"]), places["lists"], letters),
    st.tuples(
        st.sampled_from(["set", "set_if_missing", "append", "prepend"]), st.just(("rows",)), st.lists(maps, max_size=2)
    ),
    st.tuples(st.sampled_from(["set", "set_if_missing"]), places["words"], letter),
    st.tuples(st.sampled_from(["set", "set_if_missing"]), places["maps"], maps),
    st.tuples(st.just("remove"), st.one_of(*places.values()), st.none()),
    st.tuples(st.sampled_from(["set", "set_if_missing"]), st.just(("keys",)), st.dictionaries(letter, maps)),
    st.tuples(st.sampled_from(["set", "add", "delete"]), st.just(("tags",)), st.sets(letter, min_size=1)),
)
starts = st.fixed_dictionaries(
    {},
    optional={
        "number": small,
        "total": small,
        "lives": small,
        "word": letter,
        "keys": st.dictionaries(letter, maps | st.none()),
        "rows": st.lists(maps, max_size=3),
        "log": letters,
        "tags": st.sets(letter, min_size=1),
    },
)


def action(act: Act) -> dynamix.Action:
    """The action that an act describes."""
    verb, (attribute, *parts), argument = act
    target = getattr(Bag, attribute)
    for part in parts:
        target = target[part]
    if verb == "remove":
        return target.remove()
    if verb == "compute":
        operator, name, other = argument
        left, right = getattr(Bag, name), getattr(Bag, other) if isinstance(other, str) else other
        return target.set(left + right if operator == "+" else left - right)
    return getattr(target, verb)(argument)


DEFAULTS = {"lives": 3, "log": ["made"]}


class UnreadableError(Exception):
    """What an action reads is not there."""


def result(values: dict[str, Any], act: Act, old: Any, removed: set[str]) -> Any:
    """What an act makes of an old value; None is nothing. What was `removed` has no default any more."""
    verb, path, argument = act
    base = old
    if old is None:
        base = {"add": 0, "append": [], "prepend": []}.get(verb)
        if len(path) == 1 and path[0] not in removed:
            base = DEFAULTS.get(path[0], base)
    match verb:
        case "set":
            return argument
        case "set_if_missing":
            return argument if old is None else old
        case "remove":
            return None
        case "add" if path == ("tags",):
            return (old or set()) | argument
        case "delete":
            return ((old or set()) - argument) or None
        case "add":
            return base + argument
        case "append":
            return [*base, *argument]
        case "prepend":
            return [*argument, *base]
        case "compute":
            operator, *operands = argument
            left, right = (values.get(name, DEFAULTS.get(name)) if isinstance(name, str) else name for name in operands)
            if left is None or right is None:
                raise UnreadableError
            return left + right if operator == "+" else left - right
    raise AssertionError(verb)


def assign(old: dict[str, Any], chosen: list[Act], without: set[str] = frozenset()) -> dict[str, Any]:
    """What acts at once make of plain values: each result is made from the old ones. None is nothing."""
    new = copy.deepcopy(old)
    appended: list[tuple[Any, int, Any]] = []
    removed: list[tuple[Any, int]] = []
    for act in chosen:
        found: Any = old
        for part in act[1]:
            found = at(found, part)
        made = copy.deepcopy(result(old, act, found, without))
        place, parts, lost = new, list(act[1]), False
        for number, part in enumerate(parts[:-1]):
            if at(place, part) is None:
                if made is None:
                    lost = True
                    break
                fresh: Any = {} if isinstance(parts[number + 1], str) else []
                if isinstance(part, int) and part >= len(place):
                    raise UnreadableError  # nothing to change inside
                place[part] = fresh
            place = at(place, part)
        last = parts[-1]
        if lost:
            continue
        if isinstance(last, int):
            if made is None:
                removed.append((place, last))
            elif last < len(place):
                place[last] = made
            else:
                appended.append((place, last, made))
        elif made is None:
            place.pop(last, None)
        else:
            place[last] = made
    lengths = {id(place): len(place) for place, *_ in appended}
    for place, _, made in sorted(appended, key=lambda entry: entry[1]):
        place.append(made)
    for place, last in sorted(removed, key=lambda entry: -entry[1]):
        if last < lengths.get(id(place), len(place)):
            del place[last]
    return {name: value for name, value in new.items() if value is not None}


def at(value: Any, part: Any) -> Any:
    """What stands in a map or list, None for nothing."""
    if isinstance(value, list):
        return value[part] if part < len(value) else None
    return None if value is None else value.get(part)


FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda first, second: first | second if isinstance(first, set) else first + second,
    "delete": lambda first, second: first | second,
    "append": lambda first, second: [*first, *second],
    "prepend": lambda first, second: [*second, *first],
}


def folded(chosen: list[Act]) -> list[Act] | None:
    """The acts, those of one verb on one path as one; None where one update cannot make them."""
    made: list[Act] = []
    for act in chosen:
        verb, path, argument = act
        for position, (other, its, before) in enumerate(made):
            if path[: len(its)] == its[: len(path)]:
                if (verb, path) != (other, its) or verb not in FOLDED:
                    return None
                made[position] = (verb, path, FOLDED[verb](before, argument))
                break
        else:
            made.append(act)
    reads = {name for verb, _, argument in made if verb == "compute" for name in argument[1:]}
    return None if any(path[0] in reads for _, path, _ in made) else made


def plain(bag: Bare | None) -> dict[str, Any]:
    """What an instance shows: what is not there is left out, what shows by default is put in."""
    assert bag is not None
    shown = {name: getattr(bag, name) for name in ("number", "total", "lives", "word", "keys", "rows", "log", "tags")}
    return seen({name: value for name, value in shown.items() if value is not None and value != set()})


def seen(values: dict[str, Any]) -> dict[str, Any]:
    """The same values as a new instance shows them."""
    return {**DEFAULTS, **values}


def check_update(start: dict[str, Any], chosen: list[Act]) -> None:
    """One update by key is simultaneous assignment, or a refusal that stores nothing."""
    Bare.create(key="a", **start)
    acts = folded(chosen)
    try:
        expected = None if acts is None else assign(start, acts)
    except UnreadableError:
        expected = None
    problem = dynamix.InvalidUpdateError if acts is None else dynamix.StoredValueError
    if expected is None:
        with pytest.raises(problem):
            Bag.update_by_key(*map(action, chosen), key="a")
        assert plain(Bag.get(key="a")) == seen(start)
        return
    answer = Bag.update_by_key(*map(action, chosen), key="a", returns="new")
    assert plain(answer) == plain(Bag.get(key="a")) == seen(expected)


PATIENT = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@settings(max_examples=EXAMPLES or 300, suppress_health_check=PATIENT)
@given(start=starts, chosen=st.lists(acts, min_size=1, max_size=5))
@example(
    start={"number": 0, "keys": {"a": None}},
    chosen=[("set", ("keys", "a", "n"), 0), ("compute", ("total",), ("+", "number", 0))],
)
@example(start={"keys": {"a": None}}, chosen=[("set_if_missing", ("keys", "a"), {})])
def test_an_update_is_simultaneous_assignment(start: dict[str, Any], chosen: list[Act]) -> None:
    """Each action starts from the old item, whatever maps and lists are missing in it and whatever is NULL."""
    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        dynamix.create_table(Bag)
        check_update(start, chosen)


@settings(max_examples=25, suppress_health_check=PATIENT)
@given(start=starts, chosen=st.lists(acts, min_size=1, max_size=4))
def test_an_update_is_simultaneous_assignment_everywhere(
    place: Place, start: dict[str, Any], chosen: list[Act]
) -> None:
    """The same on each place."""
    assert place.connection is not None
    dynamix.create_table(Bag)
    check_update(start, chosen)


COPIES: dict[str, Callable[[Any], Any]] = {
    "itself": lambda bag: bag,
    "deepcopy": copy.deepcopy,
    "pickle": lambda bag: pickle.loads(pickle.dumps(bag)),
}


def check_queue(start: dict[str, Any], chosen: list[Act], loaded: bool, way: str) -> None:
    """A queue is one action after another, on the instance at once and in the table at the commit."""
    Bare.create(key="a", **start)
    bag = Bag.get(key="a") if loaded else Bag(key="a")
    assert bag is not None
    values = copy.deepcopy(start)
    removed: set[str] = set()
    for number, act in enumerate(chosen):
        try:
            expected = assign(values, [act], removed)
        except UnreadableError:
            continue
        try:
            bag.change(action(act))
        except dynamix.InvalidUpdateError:
            assert any(verb == "compute" for verb, _, _ in chosen[: number + 1])
            continue
        values = expected
        if act[0] in ("remove", "delete") and act[1][0] not in values:
            removed.add(act[1][0])
        if loaded:
            assert plain(bag) == seen(values)
        bag = COPIES[way](bag)
    bag.commit_changes()
    assert plain(Bag.get(key="a")) == seen(values)
    if values != start:  # else a handle may have sent nothing, and knows nothing
        assert plain(bag) == seen(values)


@settings(max_examples=EXAMPLES or 300, suppress_health_check=PATIENT)
@given(
    start=starts, chosen=st.lists(acts, min_size=1, max_size=6), loaded=st.booleans(), way=st.sampled_from([*COPIES])
)
def test_a_queue_is_one_action_after_another(start: dict[str, Any], chosen: list[Act], loaded: bool, way: str) -> None:
    """Whatever was loaded, and through copies midway."""
    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        dynamix.create_table(Bag)
        check_queue(start, chosen, loaded, way)


@settings(max_examples=25, suppress_health_check=PATIENT)
@given(start=starts, chosen=st.lists(acts, min_size=1, max_size=4), loaded=st.booleans())
def test_queues_are_sequential_everywhere(place: Place, start: dict[str, Any], chosen: list[Act], loaded: bool) -> None:
    """The same on each place."""
    assert place.connection is not None
    dynamix.create_table(Bag)
    check_queue(start, chosen, loaded, "itself")
