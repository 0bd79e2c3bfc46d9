"""The expressions of one request, checked together and made ready to run.

What a text means depends on the text and the names alone, so it is parsed and compiled once and kept; each request
brings its values. A request may use the older parameters instead, never both.

A request whose texts and names were met before and found right goes by those, which are kept as well, and has only its
values checked. All others are read the long way, which finds the service's words for what is wrong.

The order of the checks is the service's: mixed parameters; names, then values; each expression; placeholders that no
expression uses; then the older parameters.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeAlias

from msgspec import Struct

from dynamix.engine.evaluate.conditions import Bind, Test, compile_condition
from dynamix.engine.evaluate.projections import compile_projection
from dynamix.engine.evaluate.ranges import KeyTest, key_tests
from dynamix.engine.evaluate.searches import SearchTest, search_tests
from dynamix.engine.evaluate.updates import BoundUpdate, CompiledUpdate
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.requests import legacy
from dynamix.engine.requests.placeholders import NAMES, VALUES, canonical, check_used, read_names, read_values, unused
from dynamix.expressions.nodes import Condition, Path
from dynamix.expressions.text.parse import (
    ExpressionError,
    Parsed,
    bind,
    parse_condition,
    parse_projection,
    parse_update,
)
from dynamix.wire import AttributeValue, Item

_Names: TypeAlias = Mapping[str, str]
_Values: TypeAlias = Mapping[str, AttributeValue]

_CACHED_TEXTS = 2048
_CACHED_CHARACTERS = 4096


class Expressions(NamedTuple):
    """What the expressions of a request, or the older parameters, ask for; None where they do not ask.

    `condition` and `filter` take an item, {} for one that does not exist. The sets hold top-level attributes: those
    that the filter and the projection name, and those that the projection and the other expressions look into.
    """

    condition: Callable[[Item], bool] | None = None
    filter: Callable[[Item], bool] | None = None
    filter_attributes: frozenset[str] = frozenset()
    key_tests: Mapping[str, KeyTest] | None = None
    update: BoundUpdate | None = None
    projection: Callable[[Item], Item] | None = None
    projection_attributes: frozenset[str] = frozenset()
    search_tests: tuple[SearchTest, ...] = ()
    entered_by_projection: frozenset[str] = frozenset()
    entered: frozenset[str] = frozenset()


class _Parameters:
    """The parameters of a request that hold expressions, those that they replace, and those that may use values.

    Each in the order in which the service names them. `all` are those of any of them.
    """

    def __init__(self, texts: tuple[str, ...], older: tuple[str, ...], valued: tuple[str, ...]) -> None:
        self.texts = texts
        self.older = older
        self.valued = valued
        self.older_names = frozenset(older)
        self.all = frozenset({*texts, *older, NAMES, VALUES})


_READ = _Parameters(("ProjectionExpression",), ("AttributesToGet",), ())
_CHECKED = _Parameters(("ConditionExpression",), ("Expected", "ConditionalOperator"), ("ConditionExpression",))
_UPDATED = _Parameters(
    ("UpdateExpression", "ConditionExpression"),
    ("AttributeUpdates", "Expected", "ConditionalOperator"),
    ("UpdateExpression", "ConditionExpression"),
)
_SCANNED = _Parameters(
    ("ProjectionExpression", "FilterExpression"),
    ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    ("FilterExpression",),
)
_QUERIED = _Parameters(
    ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
    ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
    ("FilterExpression", "KeyConditionExpression"),
)
_SEARCHED = _Parameters(("ProjectionExpression", "SearchConditionExpression"), (), ("SearchConditionExpression",))
_PARAMETERS = {
    "GetItem": _READ,
    "Get": _READ,
    "KeysAndAttributes": _READ,
    "PutItem": _CHECKED,
    "Put": _CHECKED,
    "PutRequest": _CHECKED,
    "DeleteItem": _CHECKED,
    "Delete": _CHECKED,
    "DeleteRequest": _CHECKED,
    "ConditionCheck": _CHECKED,
    "UpdateItem": _UPDATED,
    "Update": _UPDATED,
    "Scan": _SCANNED,
    "Query": _QUERIED,
    "SearchVectors": _SEARCHED,
}
_PARSERS: dict[str, Callable[[str, Mapping[str, str], _Values | None], Parsed[Any]]] = {
    "UpdateExpression": parse_update,
    "ConditionExpression": parse_condition,
    "FilterExpression": parse_condition,
    "ProjectionExpression": parse_projection,
    "KeyConditionExpression": parse_condition,
    "SearchConditionExpression": parse_condition,
}
"""In the order in which the service reads them."""

_BOUND_WHOLE = frozenset({"KeyConditionExpression", "SearchConditionExpression"})
"""What is no test of items: it is read again with each request's values."""

_NOTHING = Expressions()


def check_parameters(target: str, request: dict[str, Any]) -> None:
    """Refuse parameters that do not go together. To be called first: the service then looks at keys and items.

    `target` is the operation, the action of a transaction, or "KeysAndAttributes" for a table's part of a BatchGetItem.
    """
    present = _PARAMETERS[target].all.intersection(request)
    if present:
        _check_together(target, present)


@lru_cache(_CACHED_TEXTS)
def _check_together(target: str, present: frozenset[str]) -> None:
    """Refuse parameters that do not go together, by their names alone."""
    parameters = _PARAMETERS[target]
    texts = [name for name in parameters.texts if name in present]
    older = [name for name in parameters.older if name in present]
    if texts and older:
        _check_apart(texts, older)
    check_used(present, texts, parameters.valued)


def read(target: str, request: dict[str, Any]) -> Expressions:
    """The expressions of a request whose parameters go together. Raises Fault with what the service refuses."""
    parameters = _PARAMETERS[target]
    if parameters is _QUERIED and request.keys().isdisjoint(("KeyConditions", "KeyConditionExpression")):
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    if parameters.all.isdisjoint(request):
        return _NOTHING
    known = _met_before(target, parameters, request)
    if known is not None:
        return known
    texts = [name for name in parameters.texts if name in request]
    found: dict[str, Any] = {}
    if texts:
        _read_texts(found, texts, request, read_names(request), read_values(request))
    if len(texts) < sum(name in request for name in (*parameters.texts, *parameters.older)):
        _read_older(found, request)
    return Expressions(**found)


def _met_before(target: str, parameters: _Parameters, request: dict[str, Any]) -> Expressions | None:
    """The expressions of a request that were kept; None where there cannot be one, or where anything is wrong."""
    names: _Names | None = request.get(NAMES)
    values: dict[str, AttributeValue] | None = request.get(VALUES)
    if not parameters.older_names.isdisjoint(request) or (names and not _keepable(names)):
        return None
    pairs = None if names is None else tuple(names.items())
    try:
        kept = _unbound(target, tuple(map(request.get, parameters.texts)), pairs)
        if values is None:
            return None if kept.values else kept.bound({})
        return kept.bound(canonical(values)) if kept.values and kept.values == values.keys() else None
    except (ExpressionError, Fault):
        return None


def _check_apart(texts: list[str], older: list[str]) -> None:
    """Refuse old parameters beside new ones; only KeyConditions may stand beside other expressions."""
    refused = [name for name in older if name != "KeyConditions" or "KeyConditionExpression" in texts]
    if refused:
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(refused)}}} Expression parameters: {{{', '.join(texts)}}}"
        )


class _Compiled(Struct, frozen=True):
    """One expression, ready to run with values: a test, a projection, or an update, by its parameter."""

    parsed: Parsed[Any]
    run: Any
    attributes: frozenset[str]
    entered: frozenset[str]


def _keepable(names: _Names) -> bool:
    """Whether names are small enough to be kept; a name may have 64 KB."""
    return not names or sum(map(len, names.values())) <= _CACHED_CHARACTERS


@lru_cache(_CACHED_TEXTS)
def _compile(parameter: str, text: str, names: tuple[tuple[str, str], ...]) -> _Compiled:
    parsed = _PARSERS[parameter](text, dict(names), None)
    run: Any = None
    if parameter == "UpdateExpression":
        run = CompiledUpdate(parsed.node)
    elif parameter == "ProjectionExpression":
        run = compile_projection(parsed.node)
    elif parameter not in _BOUND_WHOLE:
        made = compile_condition(parsed.node)
        run = made if parsed.values else _always(made({}))
    attributes = frozenset(str(path.parts[0]) for path in parsed.paths)
    entered = frozenset(str(path.parts[0]) for path in parsed.paths if len(path.parts) > 1)
    return _Compiled(parsed, run, attributes, entered)


def _always(test: Test) -> Bind:
    """What gives a test for which the values of a request are nothing."""
    return lambda values: test


class _Unbound:
    """The expressions of a request, right but for their values, and the placeholders of values that they use."""

    __slots__ = ("_parts", "values")

    def __init__(self, parts: list[tuple[str, _Compiled]]) -> None:
        self._parts = parts
        self.values = frozenset[str]().union(*(compiled.parsed.values for _, compiled in parts))

    def bound(self, values: _Values) -> Expressions:
        """The expressions with their values. Raises ExpressionError where they cannot have these."""
        found: dict[str, Any] = {}
        for parameter, compiled in self._parts:
            compiled.parsed.check(values)
            _place(found, parameter, compiled, values)
        return Expressions(**found)


@lru_cache(_CACHED_TEXTS)
def _unbound(target: str, texts: tuple[str | None, ...], pairs: tuple[tuple[str, str], ...] | None) -> _Unbound:
    """The expressions for an operation's texts and the pairs of its names; raises where anything is wrong.

    What exactly is wrong is found the long way.
    """
    parameters = _PARAMETERS[target]
    given = {name: text for name, text in zip(parameters.texts, texts, strict=True) if text is not None}
    names = read_names({} if pairs is None else {NAMES: dict(pairs)})
    parts = [(name, _compile(name, given[name], pairs or ())) for name in _PARSERS if name in given]
    unused_names = names.keys() - frozenset[str]().union(*(compiled.parsed.names for _, compiled in parts))
    if unused_names:
        raise unused(NAMES, unused_names)
    return _Unbound(parts)


def _read_texts(
    found: dict[str, Any], texts: list[str], request: dict[str, Any], names: _Names, values: _Values
) -> None:
    pairs = tuple(names.items())
    compile_ = _compile if _keepable(names) else _compile.__wrapped__
    used_names: frozenset[str] = frozenset()
    used_values: frozenset[str] = frozenset()
    compiled_texts: list[tuple[str, _Compiled]] = []
    for parameter in _PARSERS:
        if parameter not in texts:
            continue
        try:
            compiled = compile_(parameter, request[parameter], pairs)
            compiled.parsed.check(values)
        except ExpressionError as error:
            _refuse(parameter, request[parameter], names, values, error)
        compiled_texts.append((parameter, compiled))
        used_names |= compiled.parsed.names
        used_values |= compiled.parsed.values
    if len(used_names) < len(names):
        raise unused(NAMES, names.keys() - used_names)
    if len(used_values) < len(values):
        raise unused(VALUES, values.keys() - used_values)
    for parameter, compiled in compiled_texts:
        _place(found, parameter, compiled, values)


def _refuse(parameter: str, text: str, names: _Names, values: _Values, error: ExpressionError) -> NoReturn:
    """Raise the first error of an expression in the service's order, which counts names and values alike."""
    try:
        _PARSERS[parameter](text, names, values)
    except ExpressionError as first:
        error = first
    raise invalid(f"Invalid {parameter}: {error}") from error


def _place(found: dict[str, Any], parameter: str, compiled: _Compiled, values: _Values) -> None:
    if compiled.entered and parameter != "ProjectionExpression":
        found["entered"] = found.get("entered", frozenset()) | compiled.entered
    if parameter == "UpdateExpression":
        found["update"] = BoundUpdate(compiled.run, values)
    elif parameter == "ConditionExpression":
        found["condition"] = compiled.run(values)
    elif parameter == "FilterExpression":
        found["filter"] = compiled.run(values)
        found["filter_attributes"] = compiled.attributes
    elif parameter == "ProjectionExpression":
        found["projection"] = compiled.run
        found["projection_attributes"] = compiled.attributes
        found["entered_by_projection"] = compiled.entered
    elif parameter == "SearchConditionExpression":
        found["search_tests"] = search_tests(bind(compiled.parsed.node, values))
    else:
        found["key_tests"] = key_tests(bind(compiled.parsed.node, values))


def _read_older(found: dict[str, Any], request: dict[str, Any]) -> None:
    """The older parameters. A request has one of Expected, QueryFilter and ScanFilter at most."""
    operator = request.get("ConditionalOperator")
    if "AttributesToGet" in request:
        wanted = request["AttributesToGet"]
        found["projection"] = _older_projection(wanted)
        found["projection_attributes"] = frozenset(wanted)
    filtered = request.get("QueryFilter", request.get("ScanFilter"))
    if filtered is not None:
        found["filter"] = _older_test(legacy.read_filter(filtered, operator))
        found["filter_attributes"] = frozenset(filtered)
    elif operator is not None or "Expected" in request:
        found["condition"] = _older_test(legacy.read_expected(request.get("Expected", {}), operator))
    if "KeyConditions" in request:
        found["key_tests"] = legacy.read_key_conditions(request["KeyConditions"])
    if "AttributeUpdates" in request:
        update = legacy.read_attribute_updates(request["AttributeUpdates"])
        found["update"] = None if update is None else BoundUpdate(CompiledUpdate(update, legacy.MISMATCH), {})


def _older_projection(names: list[str]) -> Callable[[Item], Item]:
    seen = set()
    for name in names:
        if not name:
            raise invalid("Empty attribute name")
        if name in seen:
            raise invalid(f"One or more parameter values were invalid: Duplicate value in attribute name: {name}")
        seen.add(name)
    return compile_projection([Path((name,)) for name in names])


def _older_test(condition: Condition | None) -> Callable[[Item], bool] | None:
    return None if condition is None else compile_condition(condition)({})
