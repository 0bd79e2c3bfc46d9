"""Statements, read by descending into their parts; no part nests without a bound.

    SELECT * | path, ...  FROM table[.index]  [WHERE condition]  [ORDER BY key [ASC | DESC], ...]
    INSERT INTO table VALUE {...}
    UPDATE table  {SET path = operand | REMOVE path} ...  WHERE condition  [RETURNING {ALL | MODIFIED} {OLD | NEW} *]
    DELETE FROM table  WHERE condition  [RETURNING ALL OLD *]
    EXISTS(SELECT ...)

Source: Amazon DynamoDB Developer Guide, "PartiQL - A SQL-compatible query language for Amazon DynamoDB".
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from dynamix.engine.faults import invalid
from dynamix.engine.partiql.conditions import FUNCTIONS, ConditionReader
from dynamix.engine.partiql.reserved import RESERVED_WORDS
from dynamix.engine.partiql.statements import Delete, Exists, Insert, Order, Returning, Select, Statement, Update
from dynamix.engine.partiql.tokens import malformed
from dynamix.expressions.nodes import Arithmetic, Condition, IfNotExists, ListAppend, Path, SetOperand, Value
from dynamix.wire import AttributeValue

_UNSUPPORTED_CLAUSES = {"LIMIT": "LIMIT", "GROUP": "GROUP BY", "HAVING": "HAVING", "OFFSET": "OFFSET"}
_JOINS = frozenset({",", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"})
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}|arn:.*").fullmatch
_SETS = frozenset({"SS", "NS", "BS"})
_OTHER_STATEMENTS = {"DROP": "DropTable", "CREATE": "CreateTable"}
_RETURNING: dict[str, Returning] = {
    "ALL OLD": "ALL_OLD",
    "ALL NEW": "ALL_NEW",
    "MODIFIED OLD": "UPDATED_OLD",
    "MODIFIED NEW": "UPDATED_NEW",
}


def parse(statement: str, parameters: Sequence[AttributeValue] = ()) -> Statement:
    """What a statement asks for. Raises Fault for what the service would refuse."""
    try:
        reader = _StatementReader(statement, parameters)
        found = reader.statement()
        reader.end()
        return found
    except RecursionError as error:
        raise malformed(statement) from error


class _StatementReader(ConditionReader):
    """Reads one statement."""

    def statement(self) -> Statement:
        """The statement."""
        word = self.take().keyword
        match word:
            case "SELECT":
                return self._select()
            case "INSERT":
                return self._insert()
            case "UPDATE":
                return self._update()
            case "DELETE":
                return self._delete()
            case "EXISTS":
                self.expect("(")
                self.expect("SELECT")
                select = self._select()
                self.expect(")")
                return Exists(select)
        if word in _OTHER_STATEMENTS:
            raise invalid(f"Unsupported operation: {_OTHER_STATEMENTS[word]}")
        raise malformed(self.text)

    def _select(self) -> Select:
        if self.token.keyword == "DISTINCT":
            raise invalid("Unsupported token in expression: DISTINCT")
        if self.token.keyword in ("VALUE", "PIVOT"):
            raise invalid("Select projection doesn't support value or pivot keywords")
        paths = self._projection()
        self.expect("FROM")
        table = self._table_name()
        index = self.name() if self.passed(".") else None
        if self.token.text == ".":
            raise invalid("A path may contain at most 2 components in the FROM clause")
        self._refuse_joins()
        self._refuse_alias()
        where = self.condition() if self.passed("WHERE") else None
        order = self._order() if self.passed("ORDER", "BY") else ()
        if self.token.keyword in _UNSUPPORTED_CLAUSES:
            raise invalid(f"Unsupported clause: {_UNSUPPORTED_CLAUSES[self.token.keyword]}")
        return Select(table, index, paths, where, order)

    def _projection(self) -> tuple[Path, ...]:
        if self.passed("*"):
            return ()
        paths = [self._projected()]
        while self.passed(","):
            paths.append(self._projected())
        names: set[str] = set()
        for path in paths:
            name = result_name(path)
            if name in names:
                raise invalid(f"Duplicate identifiers in select clause: {name}")
            names.add(name)
        refuse_overlaps(paths)
        return tuple(paths)

    def _projected(self) -> Path:
        if self.starts_literal() or self.token.keyword == "MISSING" or self.following.text == "(":
            raise invalid("Unexpected path component")
        path = self.path()
        if self.token.text in ("+", "-", "*"):
            raise invalid("Unexpected path component")
        self._refuse_alias()
        return path

    def _refuse_joins(self) -> None:
        """Refuse what follows a table, or its alias, and makes it one of several."""
        after = self.following if self._is_alias() else self.token
        if (after.keyword or after.text) in _JOINS and after.kind in ("word", "mark"):
            raise invalid("Only select from a single table or index is supported.")

    def _refuse_alias(self) -> None:
        if self.token.keyword == "AS" or self._is_alias():
            raise invalid("Aliasing is not supported")

    def _is_alias(self) -> bool:
        return self.token.kind == "name" or (
            self.token.kind == "word"
            and self.token.keyword not in RESERVED_WORDS
            and self.token.keyword not in _UNSUPPORTED_CLAUSES
        )

    def _order(self) -> tuple[Order, ...]:
        found: list[Order] = []
        while not found or self.passed(","):
            name = self.name()
            ascending = not self.passed("DESC")
            if ascending:
                self.passed("ASC")
            found.append(Order(name, ascending))
        return tuple(found)

    def _table_name(self) -> str:
        name = self.name()
        if not _TABLE_NAME(name):
            raise invalid(
                "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'."
            )
        return name

    def _table(self, refusal: str = "This operation is not supported on an index") -> str:
        """The table of a statement that writes; `refusal` is what is said of an index."""
        name = self._table_name()
        if self.token.text == ".":
            raise invalid(refusal)
        self._refuse_alias()
        return name

    def _insert(self) -> Insert:
        self.expect("INTO")
        table = self._table("FROM clause may only contain a single table name in data manipulation statements")
        if self.token.keyword == "VALUES" or self.token.text == "(":
            raise malformed(self.text)
        if not self.passed("VALUE"):
            raise invalid("Unsupported operation: InsertOp")
        if self.token.text != "{":
            raise invalid(
                "Unsupported format in item expression. Please use struct format {...} to express item values for "
                "insert statement."
            )
        value = self.literal(33)
        if self.token.keyword == "RETURNING":
            raise invalid("RETURNING is not supported in INSERT")
        return Insert(table, value["M"])

    def _update(self) -> Update:
        table = self._table()
        sets: list[tuple[Path, SetOperand]] = []
        removes: list[Path] = []
        adds: list[tuple[Path, Value]] = []
        deletes: list[tuple[Path, Value]] = []
        while True:
            if self.passed("SET"):
                self._assign(sets, adds, deletes)
                while self.passed(","):
                    self._assign(sets, adds, deletes)
            elif self.passed("REMOVE"):
                removes.append(self.path())
            else:
                break
        if not (sets or removes or adds or deletes):
            raise malformed(self.text)
        where = self._where()
        return Update(table, tuple(sets), tuple(removes), tuple(adds), tuple(deletes), where, self._returning())

    def _delete(self) -> Delete:
        self.expect("FROM")
        table = self._table()
        where = self._where()
        returning = self._returning()
        if returning not in ("NONE", "ALL_OLD"):
            words = next(text for text, mode in _RETURNING.items() if mode == returning)
            raise invalid(
                f"Invalid returning clause: RETURNING {words} *. Only RETURNING ALL OLD * is allowed in DELETE "
                "statements."
            )
        return Delete(table, where, returning)

    def _where(self) -> Condition | None:
        return self.condition() if self.passed("WHERE") else None

    def _returning(self) -> Returning:
        if not self.passed("RETURNING"):
            return "NONE"
        mode = _RETURNING.get(f"{self.take().keyword} {self.take().keyword}")
        if mode is None:
            raise malformed(self.text)
        if not self.passed("*"):
            raise invalid("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
        if self.token.text == ",":
            raise invalid("Invalid syntax with multiple returning elements in RETURNING clause")
        return mode

    def _assign(
        self,
        sets: list[tuple[Path, SetOperand]],
        adds: list[tuple[Path, Value]],
        deletes: list[tuple[Path, Value]],
    ) -> None:
        """One `path = operand`; `set_add` and `set_delete` of the same path change the members of a set."""
        path = self.path()
        self.expect("=")
        function = self.token.keyword if self.following.text == "(" else ""
        if function in ("SET_ADD", "SET_DELETE"):
            members = self._members_changed(function, path)
            (adds if function == "SET_ADD" else deletes).append((path, members))
            return
        sets.append((path, self._set_operand()))

    def _members_changed(self, function: str, path: Path) -> Value:
        operands = self.arguments(self._set_operand)
        if len(operands) != 2:
            raise invalid(f"{function} must have exactly two arguments")
        changed, members = operands
        if not (isinstance(changed, Path) and changed == path):
            raise invalid(f"The first argument to {function} must equal the assignment value")
        if not (isinstance(members, Value) and _SETS.intersection(members.value)):
            raise invalid(f"The second argument to {function} must be a value with type SET")
        return members

    def _set_operand(self) -> SetOperand:
        """What a SET gives: terms that are added to each other, or taken from each other."""
        left = self._set_term()
        while self.token.kind == "mark" and self.token.text in ("+", "-", "*"):
            sign = self.take().text
            if sign == "*":
                raise invalid(f"Unsupported operator in Update Expression. Operator: {sign}")
            right = self._set_term()
            self.check(sign, left, right)
            left = Arithmetic("+" if sign == "+" else "-", left, right)
        return left

    def _set_term(self) -> SetOperand:
        if self.passed("("):
            inner = self._set_operand()
            self.expect(")")
            return inner
        function = self.token.keyword if self.following.text == "(" else ""
        if function in ("LIST_APPEND", "IF_NOT_EXISTS"):
            operands = self.arguments(self._set_operand)
            self.check(function.lower(), *operands)
            first, second = operands
            return ListAppend(first, second) if function == "LIST_APPEND" else IfNotExists(cast(Path, first), second)
        if function in FUNCTIONS or function == "SIZE":
            raise invalid(f"The function is not allowed in an update expression; function: {function.lower()}")
        if function:
            raise invalid(f"Unrecognized function: {function.lower()}")
        return cast("Path | Value", self.operand())


def result_name(path: Path) -> str:
    """The name under which a projected path is answered: its last name, with the indexes that follow it."""
    last = max(position for position, part in enumerate(path.parts) if isinstance(part, str))
    return str(path.parts[last]) + "".join(f"[{part}]" for part in path.parts[last + 1 :])


def refuse_overlaps(paths: Sequence[Path]) -> None:
    """Raise Fault where one path leads into another. They are compared in order, each with its neighbour."""
    ordered = sorted(paths, key=lambda path: [(isinstance(part, int), str(part)) for part in path.parts])
    for path, other in pairwise(ordered):
        if path.parts == other.parts[: len(path.parts)]:
            raise invalid(
                "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
                f"{_listed(path)}, path two: {_listed(other)}"
            )


def _listed(path: Path) -> str:
    return "[" + ", ".join(part if isinstance(part, str) else f"[{part}]" for part in path.parts) + "]"
