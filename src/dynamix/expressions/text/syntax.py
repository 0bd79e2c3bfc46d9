"""Text to a tree of what is written, for each kind of expression.

Open groups of conditions are kept on a list of our own instead of on Python's stack, so nesting has no depth that
hurts.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from dynamix.expressions.nodes import And, Arithmetic, Between, Compare, In, Not, Or, Path, Placeholder
from dynamix.expressions.text.reader import ASSIGNABLE, FALLBACKS, MEASURES, PREDICATES, Call, ExpressionReader, Tree
from dynamix.expressions.text.tokens import ExpressionError

T = TypeVar("T")

_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_BOOLEAN = _COMPARATORS | {"AND", "OR", "NOT", "BETWEEN", "IN"}
_CLAUSES = frozenset({"SET", "REMOVE", "ADD", "DELETE"})


class Action(Struct, frozen=True):
    """One action of an update: the clause it stands in, its path, and its operand, None for REMOVE."""

    clause: str
    path: Path
    operand: Tree


def read_condition(text: str) -> Tree:
    """The tree of a condition, filter or key condition."""
    reader = ExpressionReader(text, "a condition", PREDICATES | MEASURES, MEASURES)
    return _whole(reader, _condition)


def read_update(text: str) -> list[Action]:
    """The actions of an update, in the order written."""
    reader = ExpressionReader(text, "an update", ASSIGNABLE, FALLBACKS)
    actions, repeated = _whole(reader, _clauses)
    if repeated:
        raise ExpressionError(f'The "{repeated}" section can only be used once in an update expression;')
    return actions


def read_projection(text: str) -> list[Path]:
    """The paths of a projection, in the order written."""
    return _whole(ExpressionReader(text, "a projection", frozenset(), frozenset()), ExpressionReader.paths)


def _whole(reader: ExpressionReader, read: Callable[[ExpressionReader], T]) -> T:
    tree = read(reader)
    reader.finish()
    return tree


class _Group:
    """The conditions between two parentheses, or of the whole text, while they are being read."""

    __slots__ = ("_negations", "_run", "_runs", "lone_group")

    def __init__(self) -> None:
        self._runs: list[Tree] = []  # complete runs of conditions joined by AND
        self._run: list[Tree] = []
        self._negations = 0  # NOTs before the next condition
        self.lone_group = False  # whether all it holds is another group

    def negate(self) -> None:
        """A NOT stands before the next condition."""
        self._negations += 1

    def add(self, condition: Tree, *, grouped: bool = False) -> None:
        """Take the next condition, under the NOTs before it."""
        self.lone_group = grouped and not (self._negations or self._run or self._runs)
        for _ in range(self._negations):
            condition = Not(condition)
        self._negations = 0
        self._run.append(condition)

    def end_run(self) -> None:
        """An OR follows, or the end."""
        self._runs.append(And(tuple(self._run)) if len(self._run) > 1 else self._run[0])
        self._run = []

    def tree(self) -> Tree:
        """The whole group as one node."""
        self.end_run()
        return Or(tuple(self._runs)) if len(self._runs) > 1 else self._runs[0]


def _condition(reader: ExpressionReader) -> Tree:
    """OR over AND over NOT over comparisons, functions and groups."""
    tokens = reader.tokens
    starts = _group_starts(tokens.kinds())
    groups = [_Group()]
    while True:
        while True:
            if tokens.accept("NOT"):
                groups[-1].negate()
            elif tokens.position in starts:
                tokens.expect("(")
                groups.append(_Group())
            else:
                break
        groups[-1].add(_comparison(reader))
        while not tokens.accept("AND"):
            if tokens.accept("OR"):
                groups[-1].end_run()
                break
            if len(groups) == 1:
                return groups[0].tree()
            tokens.expect(")")
            closed = groups.pop()
            reader.redundant |= closed.lone_group
            groups[-1].add(closed.tree(), grouped=True)


def _group_starts(kinds: list[str]) -> set[int]:
    """Where the parentheses open that hold conditions; the others hold operands."""
    opened: list[int] = []
    starts: set[int] = set()
    for position, kind in enumerate(kinds):
        if kind == "(":
            opened.append(position)
        elif kind == ")" and opened:
            closed = opened.pop()
            if closed in starts:
                starts.update(opened[-1:])
        elif kind in _BOOLEAN:
            starts.update(opened[-1:])
    for outer, inner in zip(opened[-2::-1], opened[::-1], strict=False):
        if inner in starts:
            starts.add(outer)
    return starts


def _comparison(reader: ExpressionReader) -> Tree:
    """A comparison, or a function that is a condition."""
    tokens = reader.tokens
    position = tokens.position
    opened = reader.open_parentheses()
    left = reader.bare_operand()
    reader.close_parentheses(opened)
    kind = tokens.kind
    if kind not in _COMPARATORS and kind not in ("BETWEEN", "IN"):
        if type(left) is not Call:
            raise tokens.unexpected()
        reader.allow(left, PREDICATES, position)
        return left
    reader.allow(left, MEASURES, position)
    tokens.take()
    if kind == "BETWEEN":
        low = reader.operand()
        tokens.expect("AND")
        return Between(left, low, reader.operand())
    if kind == "IN":
        tokens.expect("(")
        options = reader.operands()
        return In(left, options)
    return Compare(kind, left, reader.operand())  # type: ignore[arg-type]


def _clauses(reader: ExpressionReader) -> tuple[list[Action], str | None]:
    """The actions of all clauses, and the first clause that is written twice."""
    tokens = reader.tokens
    actions: list[Action] = []
    seen: set[str] = set()
    repeated = None
    while not actions or tokens.kind != "end":
        clause = tokens.kind
        if clause not in _CLAUSES:
            raise tokens.unexpected()
        tokens.take()
        if clause in seen:
            repeated = repeated or clause
        seen.add(clause)
        actions.append(_action(reader, clause))
        while tokens.accept(","):
            actions.append(_action(reader, clause))
    return actions, repeated


def _action(reader: ExpressionReader, clause: str) -> Action:
    path = reader.path()
    if clause == "REMOVE":
        return Action(clause, path, None)
    if clause == "SET":
        reader.tokens.expect("=")
        return Action(clause, path, _assigned(reader))
    return Action(clause, path, Placeholder(reader.tokens.expect("value")))


def _assigned(reader: ExpressionReader) -> Tree:
    """What SET assigns: an operand, or a sum or difference of two, with or without parentheses around."""
    tokens = reader.tokens
    position = tokens.position
    opened = reader.open_parentheses()
    left = reader.bare_operand()
    closed = 0
    while closed < opened and tokens.accept(")"):
        closed += 1
    reader.redundant |= closed > 1
    kind = tokens.kind
    if kind in ("+", "-"):
        tokens.take()
        reader.allow(left, FALLBACKS, position)
        left = Arithmetic(kind, left, reader.operand())  # type: ignore[arg-type]
    else:
        reader.allow(left, ASSIGNABLE, position)
    reader.close_parentheses(opened - closed)
    return left
