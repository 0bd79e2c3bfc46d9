"""Reading an expression's text: what conditions, updates and projections have in common.

What is read is a tree of what is written, with names and functions not looked up yet. The tree has the nodes of
`nodes`, but its paths hold name placeholders such as "#n" as they stand, and every function is a `Call`.

Errors come in the service's order: syntax first, then redundant parentheses, then the leftmost word that cannot be used
where it stands. So those found on the way are kept until the end of the text.
"""

from typing import Any, TypeAlias

from msgspec import Struct

from dynamix.expressions.nodes import Path, Placeholder
from dynamix.expressions.text.reserved import RESERVED_WORDS
from dynamix.expressions.text.tokens import ExpressionError, Tokens
from dynamix.limits import EXPRESSION_BYTES

Tree: TypeAlias = Any
"""Nodes of `nodes`, with `Call` where a function stands."""

PREDICATES = frozenset({"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"})
MEASURES = frozenset({"size"})
FALLBACKS = frozenset({"if_not_exists"})
ASSIGNABLE = FALLBACKS | {"list_append"}
_GREATEST_INDEX = 2**31 - 1


class Call(Struct, frozen=True):
    """A function as written."""

    name: str
    operands: tuple[Tree, ...]


class _OpenCall(Struct):
    """A function whose operands are being read; the next one starts at `position`, after `opened` parentheses."""

    name: str
    operands: list[Tree]
    position: int
    opened: int


class ExpressionReader:
    """Reads paths and operands, and keeps the errors that are raised at the end.

    `kind` is the service's word for the expression, `functions` what may stand in it, `operand_functions` what may
    stand as an operand. Open functions are kept in a list of our own, so no text exhausts Python's stack.
    """

    def __init__(self, text: str, kind: str, functions: frozenset[str], operand_functions: frozenset[str]) -> None:
        if not text:
            raise ExpressionError("The expression can not be empty;")
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > EXPRESSION_BYTES:
            message = f"Expression size has exceeded the maximum allowed size; expression size: {size}"
            raise ExpressionError(message)
        self.tokens = Tokens(text)
        self.kind = kind
        self.functions = functions
        self.operand_functions = operand_functions
        self.redundant = False
        self.misuses: list[tuple[int, str]] = []

    def finish(self) -> None:
        """Raise what the text as a whole is refused for."""
        self.tokens.expect("end")
        if self.redundant:
            raise ExpressionError("The expression has redundant parentheses;")
        if self.misuses:
            raise ExpressionError(min(self.misuses)[1])

    def paths(self) -> list[Path]:
        """Paths with commas between them."""
        paths = [self.path()]
        while self.tokens.accept(","):
            paths.append(self.path())
        return paths

    def path(self) -> Path:
        """A document path."""
        parts: list[str | int] = [self._name()]
        while True:
            if self.tokens.accept("."):
                parts.append(self._name())
            elif self.tokens.accept("["):
                parts.append(self._index())
                self.tokens.expect("]")
            else:
                return Path(tuple(parts))

    def operand(self) -> Tree:
        """An operand that is not the whole of a condition or of an assigned value."""
        position = self.tokens.position
        opened = self.open_parentheses()
        operand = self.bare_operand()
        self.close_parentheses(opened)
        self.allow(operand, self.operand_functions, position)
        return operand

    def operands(self) -> tuple[Tree, ...]:
        """Operands with commas between them, up to the closing parenthesis."""
        operands = [self.operand()]
        while self.tokens.accept(","):
            operands.append(self.operand())
        self.tokens.expect(")")
        return tuple(operands)

    def bare_operand(self) -> Tree:
        """An operand without parentheses around it: a value, a path, or a function, whose operands may be functions."""
        tokens = self.tokens
        calls: list[_OpenCall] = []
        while True:
            if tokens.kind == "word" and tokens.following == "(":
                name = tokens.take()
                tokens.expect("(")
                calls.append(_OpenCall(name, [], tokens.position, self.open_parentheses()))
                continue
            operand: Tree = Placeholder(tokens.take()) if tokens.kind == "value" else self.path()
            while calls:
                call = calls[-1]
                self.close_parentheses(call.opened)
                self.allow(operand, self.operand_functions, call.position)
                call.operands.append(operand)
                if tokens.accept(","):
                    call.position = tokens.position
                    call.opened = self.open_parentheses()
                    break
                tokens.expect(")")
                operand = Call(call.name, tuple(call.operands))
                calls.pop()
            else:
                return operand

    def open_parentheses(self) -> int:
        """Pass over opening parentheses; says how many."""
        opened = 0
        while self.tokens.accept("("):
            opened += 1
        return opened

    def close_parentheses(self, opened: int) -> None:
        """Pass over the closing parentheses of what was opened so many times for one thing."""
        for _ in range(opened):
            self.tokens.expect(")")
        self.redundant |= opened > 1

    def allow(self, operand: Tree, functions: frozenset[str], position: int) -> None:
        """Keep in mind the error of an operand that is a function other than these."""
        if type(operand) is not Call or operand.name in functions:
            return
        if operand.name in self.functions:
            reason = "The function is not allowed to be used this way in an expression"
        elif operand.name in PREDICATES | MEASURES | ASSIGNABLE:
            reason = f"The function is not allowed in {self.kind} expression"
        else:
            reason = "Invalid function name"
        self.misuses.append((position, f"{reason}; function: {operand.name}"))

    def _name(self) -> str:
        position = self.tokens.position
        if self.tokens.kind == "name":
            return self.tokens.take()
        name = self.tokens.expect("word")
        if name.upper() in RESERVED_WORDS:
            self.misuses.append((position, f"Attribute name is a reserved keyword; reserved keyword: {name}"))
        return name

    def _index(self) -> int:
        position = self.tokens.position
        index = int(self.tokens.expect("index"))
        if index > _GREATEST_INDEX:
            self.misuses.append((position, f"List index is not within the allowable range; index: [{index}]"))
        return index
