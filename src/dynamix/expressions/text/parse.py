"""Text to nodes: names looked up, functions told apart, operands checked; `render` goes the other way.

The values of an expression change with every request and its text hardly ever does. So a text is parsed with its names
alone, into nodes that hold a `Placeholder` for each value; what remains to be checked of the values is kept beside
the nodes.

The service reads a condition from left to right and a list of paths from its end, and reports the first error met.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec import Struct

from dynamix.expressions.nodes import (
    And,
    Arithmetic,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Or,
    Path,
    Placeholder,
    Projection,
    Size,
    Update,
    Value,
)
from dynamix.expressions.text.operands import VALUE_DEPENDENT, Values, check_clause, check_operands, show_path
from dynamix.expressions.text.reader import Call, Tree
from dynamix.expressions.text.syntax import Action, read_condition, read_projection, read_update
from dynamix.expressions.text.tokens import ExpressionError
from dynamix.limits import EXPRESSION_OPERATORS, NESTING_LEVELS

__all__ = ["ExpressionError", "Parsed", "bind", "parse_condition", "parse_projection", "parse_update"]

T = TypeVar("T")
Names = Mapping[str, str]

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "attribute_exists": AttributeExists,
    "attribute_not_exists": AttributeNotExists,
    "attribute_type": AttributeType,
    "begins_with": BeginsWith,
    "contains": Contains,
    "size": Size,
    "if_not_exists": IfNotExists,
    "list_append": ListAppend,
}


class Parsed(Struct, Generic[T], frozen=True):
    """A parsed expression: its nodes, the paths in them, and the placeholders that it uses."""

    node: T
    paths: tuple[Path, ...]
    names: frozenset[str]
    values: frozenset[str]
    checks: tuple[Callable[[Values], None], ...]

    def check(self, values: Values) -> None:
        """Refuse values that the expression cannot have. Raises ExpressionError."""
        for name in self.values:
            if name not in values:
                raise _undefined_value(name)
        for check in self.checks:
            check(values)


def parse_condition(text: str, names: Names, values: Values | None = None) -> Parsed[Condition]:
    """The nodes of a condition, filter or key condition. Raises ExpressionError.

    With `values`, errors of values come in the service's order among the others.
    """
    tree = read_condition(text)
    resolver = _Resolver(names, values)
    return resolver.result(resolver.node(tree))


def parse_update(text: str, names: Names, values: Values | None = None) -> Parsed[Update]:
    """The nodes of an update. Raises ExpressionError."""
    actions = read_update(text)
    resolver = _Resolver(names, values)
    return resolver.result(resolver.update(actions))


def parse_projection(text: str, names: Names, values: Values | None = None) -> Parsed[Projection]:
    """The paths of a projection, which has no values of its own. Raises ExpressionError."""
    paths = read_projection(text)
    resolver = _Resolver(names, values)
    return resolver.result(resolver.apart(paths))


def bind(node: T, values: Values) -> T:
    """The same node with its values in place of their placeholders. Raises ExpressionError where one has none."""
    return _bind(node, values)  # type: ignore[no-any-return]


def _bind(node: Any, values: Values) -> Any:
    kind = type(node)
    if kind is Placeholder:
        if node.name not in values:
            raise _undefined_value(node.name)
        return Value(values[node.name])
    if kind is tuple:
        return tuple([_bind(part, values) for part in node])
    if kind in (Path, Value, str):
        return node
    return kind(*[_bind(getattr(node, name), values) for name in kind.__match_args__])


def _undefined_value(name: str) -> ExpressionError:
    return ExpressionError(f"An expression attribute value used in expression is not defined; attribute value: {name}")


def _too_many_operators() -> ExpressionError:
    """The service stops counting at the first operator too many."""
    return ExpressionError(f"The expression contains too many operators; operator count: {EXPRESSION_OPERATORS + 1}")


class _Resolver:
    """Turns what is written into nodes, and remembers which placeholders were met."""

    def __init__(self, names: Names, values: Values | None) -> None:
        self._names = names
        self._values = values
        self._paths: list[Path] = []
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()
        self._checks: list[Callable[[Values], None]] = []
        self._operators = 0

    def result(self, node: T) -> Parsed[T]:
        """What was parsed, unless it has too many operators."""
        if self._operators > EXPRESSION_OPERATORS:
            raise _too_many_operators()
        return Parsed(
            node,
            tuple(self._paths),
            frozenset(self._used_names),
            frozenset(self._used_values),
            tuple(self._checks),
        )

    def node(self, tree: Tree, level: int = 0) -> Any:
        """The node that a tree stands for. It may lie no deeper than operators may be many, as each level takes one."""
        if level > EXPRESSION_OPERATORS:
            raise _too_many_operators()
        match tree:
            case Path():
                return self._path(tree)
            case Placeholder():
                return self._placeholder(tree)
            case Compare(operator, left, right):
                return Compare(operator, *self._operands(operator, (left, right), level))
            case Between(operand, low, high):
                return Between(*self._operands("BETWEEN", (operand, low, high), level))
            case In(operand, options):
                first, *rest = self._operands("IN", (operand, *options), level)
                return In(first, tuple(rest))
            case Arithmetic(operator, left, right):
                return Arithmetic(operator, *self._operands(operator, (left, right), level))
            case Call(name, operands):
                return _FUNCTIONS[name](*self._operands(name, operands, level))
            case Not(condition):
                self._operators += 1
                return Not(self.node(condition, level + 1))
            case And(conditions) | Or(conditions):
                self._operators += len(conditions) - 1
                nodes = []
                for condition in conditions:  # a comprehension would take a second stack frame per level
                    nodes.append(self.node(condition, level + 1))
                return type(tree)(tuple(nodes))
        raise TypeError(f"{type(tree).__name__} is no part of an expression")

    def update(self, actions: Sequence[Action]) -> Update:
        """The update that its actions make up."""
        paths = self.apart([action.path for action in actions])
        clauses: dict[str, list[Any]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}
        for action, path in zip(reversed(actions), reversed(paths), strict=True):
            if action.clause == "REMOVE":
                clauses["REMOVE"].append(path)
                continue
            operand = self.node(action.operand)
            if action.clause != "SET":
                self._check(partial(check_clause, action.clause, operand), True)
            clauses[action.clause].append((path, operand))
        return Update(*(tuple(reversed(clause)) for clause in clauses.values()))

    def apart(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """Paths that must not touch the same part of an item, looked up."""
        resolved: list[Path] = []
        seen = _Touched()
        for path in reversed(paths):
            resolved.append(self._path(path))
            seen.add(resolved[-1])
        return tuple(reversed(resolved))

    def _operands(self, operator: str, trees: Sequence[Tree], level: int) -> list[Any]:
        self._operators += 1
        operands = []
        for tree in trees:
            operands.append(self.node(tree, level + 1))
        self._check(partial(check_operands, operator, operands), operator in VALUE_DEPENDENT)
        return operands

    def _check(self, check: Callable[[Values], None], depends_on_values: bool) -> None:
        check(self._values or {})
        if depends_on_values:
            self._checks.append(check)

    def _placeholder(self, placeholder: Placeholder) -> Placeholder:
        if self._values is not None and placeholder.name not in self._values:
            raise _undefined_value(placeholder.name)
        self._used_values.add(placeholder.name)
        return placeholder

    def _path(self, path: Path) -> Path:
        parts = tuple([self._name(part) if isinstance(part, str) else part for part in path.parts])
        if len(parts) > NESTING_LEVELS:
            message = f"The document path has too many nesting levels; nesting levels: {len(parts)}"
            raise ExpressionError(message)
        self._paths.append(Path(parts))
        return self._paths[-1]

    def _name(self, name: str) -> str:
        if not name.startswith("#"):
            return name
        if name not in self._names:
            raise ExpressionError(
                f"An expression attribute name used in the document path is not defined; attribute name: {name}"
            )
        self._used_names.add(name)
        return self._names[name]


class _Touched:
    """The paths of one expression as a tree: each level maps a part to the next level, and None to a path that ends."""

    def __init__(self) -> None:
        self._tree: dict[Any, Any] = {}

    def add(self, path: Path) -> None:
        """Take one more path. Raises ExpressionError if it touches what another touches."""
        level = self._tree
        for part in path.parts:
            if None in level:
                raise _clash("overlap", path, level[None])
            if level and type(next(iter(level))) is not type(part):
                raise _clash("conflict", path, _any_path(level))
            level = level.setdefault(part, {})
        if level:
            raise _clash("overlap", path, _any_path(level))
        level[None] = path


def _any_path(level: dict[Any, Any]) -> Path:
    while None not in level:
        level = next(iter(level.values()))
    return level[None]  # type: ignore[no-any-return]


def _clash(how: str, one: Path, two: Path) -> ExpressionError:
    return ExpressionError(
        f"Two document paths {how} with each other; must remove or rewrite one of these paths; "
        f"path one: {show_path(one)}, path two: {show_path(two)}"
    )
