"""The conditions of a WHERE, read into the nodes that expressions have too."""

from collections.abc import Callable
from typing import TypeVar, cast

from dynamix.engine.faults import invalid
from dynamix.engine.partiql.literals import LiteralReader
from dynamix.engine.partiql.reserved import RESERVED_WORDS
from dynamix.engine.partiql.tokens import malformed
from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Comparator,
    Compare,
    Condition,
    Contains,
    In,
    Not,
    Operand,
    Or,
    Path,
    SetOperand,
    Size,
    Value,
)
from dynamix.expressions.text.operands import check_operands
from dynamix.expressions.text.tokens import ExpressionError
from dynamix.limits import EXPRESSION_OPERATORS, NESTING_LEVELS

T = TypeVar("T")

_DEPTH = 100
_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TYPES = {
    "NULL": "NULL",
    "BOOLEAN": "BOOL",
    "BOOL": "BOOL",
    "BLOB": "B",
    "STRING": "S",
    "NUMERIC": "N",
    "STRUCT": "M",
    "TUPLE": "M",
    "LIST": "L",
}
_OTHER_TYPES = frozenset(
    {"ANY", "BAG", "CHAR", "CHARACTER", "CLOB", "DATE", "DEC", "DECIMAL", "DOUBLE", "FLOAT", "INT", "INTEGER", "REAL"}
    | {"SEXP", "SMALLINT", "SYMBOL", "TIME", "TIMESTAMP", "VARCHAR"}
)
"""What is a type to PartiQL, and to nothing here."""
FUNCTIONS: dict[str, tuple[str, Callable[..., Condition]]] = {
    "BEGINS_WITH": ("begins_with", BeginsWith),
    "CONTAINS": ("contains", Contains),
    "ATTRIBUTE_TYPE": ("attribute_type", AttributeType),
    "ATTRIBUTE_EXISTS": ("attribute_exists", AttributeExists),
    "ATTRIBUTE_NOT_EXISTS": ("attribute_not_exists", AttributeNotExists),
}
"""The functions that are conditions: their names in messages, and their nodes."""
_UNSUPPORTED = frozenset({"LIKE", "+", "-", "*"})
_ENDS = frozenset({"", ";", ")", "AND", "OR", "ORDER", "RETURNING"})
_PREFIXES = ("NOT", "AND", "OR", "IN", "BETWEEN")
_AFTER_OPERANDS = (*_COMPARATORS, "IS", "IN", "NOT", "BETWEEN")


class ConditionReader(LiteralReader):
    """Reads conditions and paths. Parentheses and NOT may nest 100 deep."""

    _depth = 0
    _operators = 0

    def condition(self) -> Condition:
        """Conditions parted by OR, of conditions parted by AND."""
        parts = [self._all()]
        while self.passed("OR"):
            self._count_operator()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self.passed("AND"):
            self._count_operator()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _count_operator(self) -> None:
        self._operators += 1
        if self._operators > EXPRESSION_OPERATORS:
            raise invalid(f"The expression contains too many operators; operator count: {self._operators}")

    def check(self, operator: str, *operands: SetOperand | Operand) -> None:
        """Count an operator or function. Raises Fault for operands that it cannot have."""
        self._count_operator()
        try:
            check_operands(operator, operands, {})
        except ExpressionError as error:
            raise invalid(str(error)) from error

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _DEPTH:
            raise invalid(f"Conditions are nested deeper than {_DEPTH} levels")
        try:
            if self.passed("NOT"):
                self._count_operator()
                return Not(self._one())
            if self.token.text == "(" and not self._encloses_operand():
                self.expect("(")
                inner = self.condition()
                self.expect(")")
                return inner
            return self._predicate()
        finally:
            self._depth -= 1

    def _encloses_operand(self) -> bool:
        """Whether what follows the closing parenthesis of the one that comes next makes an operand of what it holds."""
        depth = 0
        for position in range(self._position, len(self._tokens)):
            text = self._tokens[position].text if self._tokens[position].kind == "mark" else ""
            depth += (text == "(") - (text == ")")
            if depth == 0:
                after = self._tokens[position + 1]
                return (after.keyword or after.text) in _AFTER_OPERANDS and after.kind in ("mark", "word")
        return False

    def _predicate(self) -> Condition:
        function = self.token.keyword if self.following.text == "(" else ""
        if function in FUNCTIONS:
            name, build = FUNCTIONS[function]
            operands = self.arguments(self.operand)
            self.check(name, *operands)
            return build(*operands)
        if function and function not in ("SIZE", *_PREFIXES):
            raise invalid(f"Unrecognized function: {self.token.text}")
        operand = self.operand()
        operator = _COMPARATORS.get(self.token.text) if self.token.kind == "mark" else None
        if operator is not None:
            self.take()
            other = self.operand()
            self.check(operator, operand, other)
            return Compare(cast(Comparator, operator), operand, other)
        if self.passed("IS"):
            return self._kind(operand, negated=self.passed("NOT"))
        negated = self.passed("NOT")
        condition = self._range(operand)
        return Not(condition) if negated else condition

    def arguments(self, read: Callable[[], T]) -> list[T]:
        """The operands of the function that comes next, which is passed; `read` reads each."""
        self.take()
        return self._listed("(", ")", read)

    def _listed(self, opening: str, closing: str, read: Callable[[], T]) -> list[T]:
        self.expect(opening)
        found = [read()]
        while self.passed(","):
            found.append(read())
        self.expect(closing)
        return found

    def _range(self, operand: Operand) -> Condition:
        """What follows an operand beside a comparator."""
        if self.passed("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            self.check("BETWEEN", operand, low, high)
            return Between(operand, low, high)
        if self.passed("IN"):
            options = self._options()
            self.check("IN", operand, *options)
            return In(operand, options)
        word = self.token.keyword or self.token.text
        if word in _UNSUPPORTED:
            raise invalid(f"Unsupported operator in Condition Expression. Operator: {word.lower()}")
        if word in _ENDS:
            raise invalid("WHERE clause must contain an expression that resolves to a boolean")
        raise malformed(self.text)

    def _options(self) -> tuple[Operand, ...]:
        if self.token.text not in ("(", "["):
            raise invalid(
                "IN operator must have a left hand argument of type Variable Reference and right hand argument of type "
                "Seq with at least one member"
            )
        opening, closing = ("(", ")") if self.token.text == "(" else ("[", "]")
        return tuple(self._listed(opening, closing, self.operand))

    def _kind(self, operand: Operand, *, negated: bool) -> Condition:
        word = self.take().keyword
        if isinstance(operand, Size):
            raise invalid("The left hand side argument to IS must be a Variable Reference, Literal, or Path")
        if word == "MISSING":
            name, build = FUNCTIONS["ATTRIBUTE_EXISTS" if negated else "ATTRIBUTE_NOT_EXISTS"]
            self.check(name, operand)
            return build(operand)
        self._count_operator()
        if word not in _TYPES:
            if word not in _OTHER_TYPES:
                raise malformed(self.text)
            raise invalid(
                f"Unsupported data type for IS operator: {word}. Supported data types are "
                "[MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]"
            )
        condition = AttributeType(operand, Value({"S": _TYPES[word]}))
        return Not(condition) if negated else condition

    def operand(self) -> Operand:
        """A literal, a path, or the size of one."""
        if self.starts_literal():
            return Value(self.literal())
        if self.passed("("):
            inner = self.operand()
            self.expect(")")
            return inner
        if self.token.keyword == "SIZE" and self.following.text == "(":
            operands = self.arguments(self.operand)
            self.check("size", *operands)
            return Size(cast("Path | Value", operands[0]))
        if self.token.keyword == "MISSING":
            raise invalid("MISSING must be compared using IS operator")
        return self.path()

    def path(self) -> Path:
        """A document path: names parted by dots, indexes and keys in brackets."""
        parts: list[str | int] = [self.name()]
        while True:
            if self.passed("."):
                parts.append(self.name())
            elif self.passed("["):
                parts.append(self._bracketed())
                self.expect("]")
            elif len(parts) > NESTING_LEVELS:
                raise invalid(f"The document path has too many nesting levels; nesting levels: {len(parts)}")
            else:
                return Path(tuple(parts))

    def _bracketed(self) -> str | int:
        token = self.take()
        if token.kind == "string":
            return _filled(token.text)
        if token.kind == "number" and token.text.isdecimal():
            return int(token.text)
        raise malformed(self.text)

    def name(self) -> str:
        """A name, quoted or not. A word of the language is a name only in quotes."""
        token = self.take()
        if token.kind not in ("word", "name") or token.keyword in RESERVED_WORDS:
            raise malformed(self.text)
        return _filled(token.text)


def _filled(name: str) -> str:
    if not name:
        raise invalid("Path component cannot be an empty string")
    return name
