"""Every operation that talks to a place has an async twin, and the two cannot drift apart.

The names are computed from the classes: whatever is public either is a coroutine function (a twin), has one, or stands
in the list of what never talks to a place. A new method that is none of these fails here.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Union, get_args, get_origin

import pytest

import dynamix
from dynamix import Batch
from dynamix.connection import Connection
from dynamix.model import Model
from dynamix.query import Query
from dynamix.repositories import Repository
from dynamix.scan import Scan
from dynamix.transactions import Transaction

BUILDING = (
    *("consistent", "explain", "filter", "limit", "max_pages", "max_seconds", "max_units", "page_size", "pages"),
    *("select", "start_key", "use_index", "where"),
)
"""What makes queries and scans out of others."""

SILENT = {
    Model: {
        "access_patterns",
        "add_modify_conditions",
        "add_to_field",
        "add_to_setfield",
        "append_to_listfield",
        "batch",
        "change",
        "delete_from_setfield",
        "discard_changes",
        "from_dict",
        "from_item",
        "from_lambda_event",
        "from_son",
        "from_stream_record",
        "get_primary_key_dict",
        "is_valid",
        "json_schema",
        "key_of",
        "query",
        "remove_by_index_from_listfield",
        "remove_from_dict_field",
        "replace",
        "replace_by_index_in_listfield",
        "scan",
        "set_field",
        "set_modify_conditions",
        "to_dict",
        "to_item",
        "to_son",
        "update_to_dict_field",
        "validate",
    },
    Query: {*BUILDING, "order"},
    Scan: {*BUILDING, "split"},
    dynamix.Table: {"key_of", "query", "scan"},
    Connection: set(),
    Transaction: {"check", "create", "delete", "put", "save", "update"},
    Batch: {"update"},
    Repository: {"from_model", "query", "scan", "to_model"},
    dynamix: {
        "access_pattern",
        "batch",
        "capacity",
        "dry_run",
        "repeat_writes",
        "repository",
        "set_connection",
        "timeout",
        "transaction",
        "upgrade",
        "use_connection",
    },
}
"""What is public and never talks to a place."""

OWNERS = list(SILENT)
LANGUAGE = ("enter", "exit", "iter", "next")
"""What the language calls: `__enter__` and `__aenter__`, ..."""


def name_of(owner: Any) -> str:
    """How a test calls an owner of operations."""
    return str(owner.__name__)


def functions(owner: Any) -> dict[str, Callable[..., Any]]:
    """The public functions of a class, those of its bases first, or of the package, as they are defined in order."""
    if inspect.ismodule(owner):
        named = {name: getattr(owner, name) for name in owner.__all__}
        found = {name: value for name, value in named.items() if inspect.isfunction(value)}
        return dict(
            sorted(found.items(), key=lambda entry: (entry[1].__code__.co_filename, entry[1].__code__.co_firstlineno))
        )
    names = dict.fromkeys(name for base in reversed(owner.__mro__[:-1]) for name in vars(base))
    public = {name: inspect.getattr_static(owner, name) for name in names if not name.startswith("_")}
    plain = {name: getattr(value, "__func__", value) for name, value in public.items()}
    return {name: value for name, value in plain.items() if inspect.isfunction(value)}


def spoken(owner: Any) -> list[str]:
    """The blocking operations: public, no coroutine functions, and not silent."""
    found = functions(owner)
    return [
        name for name, f in found.items() if not inspect.iscoroutinefunction(f) and name not in SILENT.get(owner, ())
    ]


def twins(owner: Any) -> list[str]:
    """The names of the coroutine functions."""
    return [name for name, function in functions(owner).items() if inspect.iscoroutinefunction(function)]


def language_pairs(owner: Any) -> list[tuple[str, str]]:
    """The methods that the language calls, blocking and async, of which a class has at least one."""
    pairs = [(f"__{word}__", f"__a{word}__") for word in LANGUAGE]
    return [pair for pair in pairs if any(hasattr(owner, name) for name in pair)]


def blocking(annotation: Any) -> Any:
    """The type of a function that may be async as the type of one that is not; any other type as it is."""
    if get_origin(annotation) is not Callable:
        return annotation
    taken, result = get_args(annotation)
    kinds = [kind for kind in get_args(result) if get_origin(kind) is not Awaitable]
    return Callable[taken, Union[tuple(kinds)]] if kinds else annotation  # noqa: UP007 - made of a list


@cache
def for_checkers(module: str) -> dict[str, Any]:
    """What a module imports for type checkers alone."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    named = [(str(node.module), alias.name, alias.asname or alias.name) for node in imports for alias in node.names]
    return {
        known: found
        for owner, name, known in named
        if (found := getattr(import_module(owner), name, None) or import_module(f"{owner}.{name}"))
    }


def signature(function: Callable[..., Any]) -> tuple[list[tuple[str, Any, Any, Any]], Any]:
    """Parameters (name, kind, default, annotation) and the result of a call, awaited or iterated by whom it is for.

    Where a twin takes a function that may be async, its operation takes the same that is not.
    """
    described = inspect.signature(function, locals=for_checkers(function.__module__), eval_str=True)
    parameters = [(p.name, p.kind, p.default, blocking(p.annotation)) for p in described.parameters.values()]
    result = described.return_annotation
    if get_origin(result) is AsyncIterator:
        result = Iterator.__class_getitem__(get_args(result))  # type: ignore[attr-defined]
    return parameters, result


@pytest.mark.parametrize("owner", OWNERS, ids=name_of)
def test_every_operation_has_a_twin(owner: Any) -> None:
    """The twins are the blocking operations with `a` in front, in the same order: none is missing, none is alone."""
    assert twins(owner) == ["a" + name for name in spoken(owner)]


@pytest.mark.parametrize("owner", OWNERS, ids=name_of)
def test_the_list_of_the_silent_is_true(owner: Any) -> None:
    """What is listed as silent exists, and no twin of it does."""
    found = functions(owner)
    assert {name for name in SILENT[owner] if name not in found or "a" + name in found} == set()


@pytest.mark.parametrize("owner", OWNERS, ids=name_of)
def test_twins_have_the_same_signature(owner: Any) -> None:
    """A twin takes the same parameters, with the same kinds, defaults and types, and gives the same once awaited."""
    found = functions(owner)
    for name in spoken(owner):
        assert signature(found["a" + name]) == signature(found[name]), name


class Blocking(ast.NodeTransformer):
    """An async body as the blocking one: without `await`, and without the `a` in front of what is called."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("run" if node.id == "arun" else node.id, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = {"_arun": "_run", "arun": "run", "aget_items": "get_items"}.get(node.attr, node.attr)
        return ast.Attribute(self.visit(node.value), name, node.ctx)


def body(function: Callable[..., Any]) -> list[str]:
    """The statements of a function after its docstring, as the blocking twin has them."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    return [ast.unparse(Blocking().visit(statement)) for statement in definition.body[1:]]


@pytest.mark.parametrize("owner", [owner for owner in OWNERS if owner is not Connection], ids=name_of)
def test_twins_do_the_same(owner: Any) -> None:
    """The body of a twin is that of its operation, awaited; that of a model is one expression."""
    found = functions(owner)
    for name in spoken(owner):
        assert body(found["a" + name]) == body(found[name]), name
        assert len(body(found[name])) == 1 or owner is not Model, name


@pytest.mark.parametrize("owner", OWNERS[:-1], ids=name_of)
def test_twins_are_called_on_the_same(owner: Any) -> None:
    """A twin of a class method is one, a twin of an instance's method is one."""
    for name in spoken(owner):
        twin, operation = (inspect.getattr_static(owner, each) for each in ("a" + name, name))
        assert type(twin) is type(operation), name


def test_the_language_has_its_twins() -> None:
    """Queries and scans serve `for` and `async for`, connections, transactions and batches `with` and `async with`, by
    the same signatures."""
    pairs = {owner: language_pairs(owner) for owner in OWNERS[:-1]}
    iterating, managing = [("__iter__", "__aiter__")], [("__enter__", "__aenter__"), ("__exit__", "__aexit__")]
    managers = dict.fromkeys((Connection, Transaction, Batch), managing)
    assert pairs == {Model: [], dynamix.Table: [], Repository: [], Query: iterating, Scan: iterating, **managers}
    for owner, names in pairs.items():
        for name, twin in names:
            assert signature(getattr(owner, twin)) == signature(getattr(owner, name)), name


def test_the_check_sees_what_is_missing() -> None:
    """The check itself finds an operation without a twin, a twin alone, and one that takes something else."""

    class Drifted(Connection):
        def describe(self) -> None: ...

        async def alist(self) -> None: ...

        def move(self, to: str, *, force: bool = False) -> None: ...

        async def amove(self, to: str, *, force: bool = True) -> None: ...

    assert set(spoken(Drifted)) - set(spoken(Connection)) == {"describe", "move"}
    assert set(twins(Drifted)) - set(twins(Connection)) == {"alist", "amove"}
    assert signature(Drifted.move) != signature(Drifted.amove)
