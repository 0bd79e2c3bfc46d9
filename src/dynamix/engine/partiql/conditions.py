"""The conditions of a WHERE, read into the nodes that expressions have too."""

from typing import cast

from dynamix.engine.faults import invalid
from dynamix.engine.partiql.literals import Reader
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
    Size,
    Value,
)

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
_UNSUPPORTED = frozenset({"LIKE", "+", "-", "*"})
_ENDS = frozenset({"", ";", ")", "AND", "OR", "ORDER", "RETURNING"})
_PREFIXES = ("NOT", "AND", "OR", "IN", "BETWEEN")
_OPTIONS = 100


class ConditionReader(Reader):
    """Reads conditions and paths. Parentheses and NOT may nest 100 deep."""

    _depth = 0

    def condition(self) -> Condition:
        """Conditions parted by OR, of conditions parted by AND."""
        parts = [self._all()]
        while self.passed("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self.passed("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _DEPTH:
            raise invalid(f"Conditions are nested deeper than {_DEPTH} levels")
        try:
            if self.passed("NOT"):
                return Not(self._one())
            if self.passed("("):
                inner = self.condition()
                self.expect(")")
                return inner
            return self._predicate()
        finally:
            self._depth -= 1

    def _predicate(self) -> Condition:
        function = self.token.keyword if self.following.text == "(" else ""
        if function in ("BEGINS_WITH", "CONTAINS", "ATTRIBUTE_TYPE"):
            return self._function(function)
        if function and function not in ("SIZE", *_PREFIXES):
            raise invalid(f"Unrecognized function: {self.token.text}")
        operand = self.operand()
        operator = _COMPARATORS.get(self.token.text) if self.token.kind == "mark" else None
        if operator is not None:
            self.take()
            return Compare(cast(Comparator, operator), operand, self.operand())
        if self.passed("IS"):
            return self._kind(operand, negated=self.passed("NOT"))
        negated = self.passed("NOT")
        condition = self._range(operand)
        return Not(condition) if negated else condition

    def _function(self, function: str) -> Condition:
        self.take()
        self.expect("(")
        first = self.operand()
        self.expect(",")
        second = self.operand()
        self.expect(")")
        if function == "BEGINS_WITH":
            return BeginsWith(first, second)
        return Contains(first, second) if function == "CONTAINS" else AttributeType(first, second)

    def _range(self, operand: Operand) -> Condition:
        """What follows an operand beside a comparator."""
        if self.passed("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            return Between(operand, low, self.operand())
        if self.passed("IN"):
            return In(operand, self._options())
        word = self.token.keyword or self.token.text
        if word in _UNSUPPORTED:
            raise invalid(f"Unsupported operator in Condition Expression. Operator: {word.lower()}")
        if word in _ENDS:
            raise invalid("WHERE clause must contain an expression that resolves to a boolean")
        raise malformed(self.text)

    def _options(self) -> tuple[Operand, ...]:
        closing = ")" if self.passed("(") else "]"
        if closing == "]":
            self.expect("[")
        options = [self.operand()]
        while self.passed(","):
            options.append(self.operand())
        self.expect(closing)
        if len(options) > _OPTIONS:
            raise invalid(f"IN takes at most {_OPTIONS} operands, not {len(options)}")
        return tuple(options)

    def _kind(self, operand: Operand, *, negated: bool) -> Condition:
        word = self.take().keyword
        if word == "MISSING":
            path = cast(Path, operand)
            return AttributeExists(path) if negated else AttributeNotExists(path)
        if word not in _TYPES:
            if not word:
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
        if self.token.keyword == "SIZE" and self.following.text == "(":
            self.take()
            self.expect("(")
            path = self.path()
            self.expect(")")
            return Size(path)
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
            else:
                return Path(tuple(parts))

    def _bracketed(self) -> str | int:
        token = self.take()
        if token.kind == "string":
            return token.text
        if token.kind == "number" and token.text.isdecimal():
            return int(token.text)
        raise malformed(self.text)

    def name(self) -> str:
        """A name, quoted or not."""
        token = self.take()
        if token.kind not in ("word", "name"):
            raise malformed(self.text)
        return token.text
