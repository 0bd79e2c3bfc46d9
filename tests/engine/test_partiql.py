"""Statements as text: what they are read as, and what is refused."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamix.engine.faults import Fault
from dynamix.engine.partiql.parse import parse
from dynamix.engine.partiql.statements import Delete, Exists, Insert, Order, Select, Update
from dynamix.expressions.nodes import (
    And,
    Arithmetic,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Compare,
    Contains,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Or,
    Path,
    Size,
    Value,
)

NO_STRUCT = (
    "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement."
)
A, B = Path(("a",)), Path(("b",))
ONE, X = Value({"N": "1"}), Value({"S": "x"})


def where(text: str, *parameters: Any) -> Any:
    """The condition of a SELECT."""
    statement = parse(f"SELECT * FROM tab WHERE {text}", parameters)
    assert isinstance(statement, Select)
    return statement.where


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1", Compare("=", A, ONE)),
        ("1 < a", Compare("<", ONE, A)),
        ("a != 'x'", Compare("<>", A, X)),
        ("a <> 'x'", Compare("<>", A, X)),
        ('a = "b"', Compare("=", A, B)),
        ("a = 'it''s'", Compare("=", A, Value({"S": "it's"}))),
        ("a = -1.50", Compare("=", A, Value({"N": "-1.5"}))),
        ("a = +1e2", Compare("=", A, Value({"N": "100"}))),
        (
            "a = true AND b = FALSE",
            And((Compare("=", A, Value({"BOOL": True})), Compare("=", B, Value({"BOOL": False})))),
        ),
        ("a = null", Compare("=", A, Value({"NULL": True}))),
        ("a = [1, 'x']", Compare("=", A, Value({"L": [{"N": "1"}, {"S": "x"}]}))),
        ("a = {'k': {'l': 1}}", Compare("=", A, Value({"M": {"k": {"M": {"l": {"N": "1"}}}}}))),
        ("a = <<'x', 'y'>>", Compare("=", A, Value({"SS": ["x", "y"]}))),
        ("a.b[2].\"c d\"['e'] = 1", Compare("=", Path(("a", "b", 2, "c d", "e")), ONE)),
        ("a BETWEEN 1 AND 2 AND b = 1", And((Between(A, ONE, Value({"N": "2"})), Compare("=", B, ONE)))),
        ("a NOT BETWEEN 1 AND 1", Not(Between(A, ONE, ONE))),
        ("a IN [1, 'x']", In(A, (ONE, X))),
        ("a in (1)", In(A, (ONE,))),
        ("a NOT IN [b]", Not(In(A, (B,)))),
        ("a IS MISSING", AttributeNotExists(A)),
        ("a IS NOT MISSING", AttributeExists(A)),
        ("a IS NULL", AttributeType(A, Value({"S": "NULL"}))),
        ("a IS NOT STRING", Not(AttributeType(A, Value({"S": "S"})))),
        ("a IS TUPLE", AttributeType(A, Value({"S": "M"}))),
        ("begins_with(a, 'x')", BeginsWith(A, X)),
        ('CONTAINS("a", 1)', Contains(A, ONE)),
        ("attribute_type(a, 'S')", AttributeType(A, Value({"S": "S"}))),
        ("attribute_exists(a) AND attribute_not_exists(b)", And((AttributeExists(A), AttributeNotExists(B)))),
        ("size(a) > 1", Compare(">", Size(A), ONE)),
        ("(a) = (1)", Compare("=", A, ONE)),
        ("((a) = 1)", Compare("=", A, ONE)),
        ("NOT (a) IN ((1))", Not(In(A, (ONE,)))),
        (
            "NOT a = 1 OR b = 1 AND a = 'x'",
            Or((Not(Compare("=", A, ONE)), And((Compare("=", B, ONE), Compare("=", A, X))))),
        ),
        ("(a = 1 OR b = 1) AND a = 'x'", And((Or((Compare("=", A, ONE), Compare("=", B, ONE))), Compare("=", A, X)))),
        ("a = 1 -- a comment\n AND /* two\nlines */ b = 1", And((Compare("=", A, ONE), Compare("=", B, ONE)))),
    ],
)
def test_conditions(text: str, expected: Any) -> None:
    """A WHERE is read into the nodes that expressions have."""
    assert where(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM tab", Select("tab", None, (), None)),
        ('select a, b.c[1] from "tab"."ix"', Select("tab", "ix", (A, Path(("b", "c", 1))), None)),
        (
            "SELECT a FROM tab WHERE a = 1 ORDER BY a, b DESC;",
            Select("tab", None, (A,), Compare("=", A, ONE), (Order("a"), Order("b", False))),
        ),
        ("INSERT INTO tab VALUE {'a': 'x', 'b': 1}", Insert("tab", {"a": {"S": "x"}, "b": {"N": "1"}})),
        (
            "UPDATE tab SET a = b + 1, b = list_append(if_not_exists(b, []), [1]) REMOVE c.d WHERE a = 1 "
            "RETURNING MODIFIED NEW *",
            Update(
                "tab",
                (
                    (A, Arithmetic("+", B, ONE)),
                    (B, ListAppend(IfNotExists(B, Value({"L": []})), Value({"L": [{"N": "1"}]}))),
                ),
                (Path(("c", "d")),),
                (),
                (),
                Compare("=", A, ONE),
                "UPDATED_NEW",
            ),
        ),
        (
            "UPDATE tab SET a = set_add(a, <<'x'>>) SET b = set_delete(b, <<'x'>>) WHERE a = 1",
            Update("tab", (), (), ((A, Value({"SS": ["x"]})),), ((B, Value({"SS": ["x"]})),), Compare("=", A, ONE)),
        ),
        ("DELETE FROM tab WHERE a = 1 RETURNING ALL OLD *", Delete("tab", Compare("=", A, ONE), "ALL_OLD")),
        ("EXISTS(SELECT * FROM tab WHERE a = 1)", Exists(Select("tab", None, (), Compare("=", A, ONE)))),
    ],
)
def test_statements(text: str, expected: Any) -> None:
    """Each statement is read into what it asks for."""
    assert parse(text) == expected


def test_parameters_stand_in_order() -> None:
    """Each `?` is the next parameter, wherever a literal may stand."""
    x, y, z = {"S": "x"}, {"N": "1.0"}, {"BOOL": True}
    assert where("a = ? AND b IN [?, {'k': [?]}]", x, y, z) == And(
        (Compare("=", A, X), In(B, (ONE, Value({"M": {"k": {"L": [z]}}}))))
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Statement wasn't well formed, can't be processed: "),
        ("SELECT", "Statement wasn't well formed, can't be processed: SELECT"),
        ("SELECT * FROM tab WHERE", "Statement wasn't well formed, can't be processed: SELECT * FROM tab WHERE"),
        (
            "SELECT * FROM tab WHERE a = 'x",
            "Statement wasn't well formed, can't be processed: SELECT * FROM tab WHERE a = 'x",
        ),
        (
            "SELECT * FROM tab WHERE a = 1 1",
            "Statement wasn't well formed, can't be processed: SELECT * FROM tab WHERE a = 1 1",
        ),
        ("SELECT * FROM tab WHERE a", "WHERE clause must contain an expression that resolves to a boolean"),
        ("SELECT * FROM tab WHERE a LIKE 'x%'", "Unsupported operator in Condition Expression. Operator: like"),
        ("SELECT * FROM tab WHERE a + 1 = 2", "Unsupported operator in Condition Expression. Operator: +"),
        ("SELECT * FROM tab WHERE upper(a) = 'X'", "Unrecognized function: upper"),
        ("SELECT * FROM tab WHERE a = MISSING", "MISSING must be compared using IS operator"),
        ("SELECT a AS b FROM tab", "Aliasing is not supported"),
        ("SELECT * FROM tab t", "Aliasing is not supported"),
        ("SELECT DISTINCT a FROM tab", "Unsupported token in expression: DISTINCT"),
        ("SELECT VALUE a FROM tab", "Select projection doesn't support value or pivot keywords"),
        ("SELECT a FROM tab LIMIT 1", "Unsupported clause: LIMIT"),
        ("SELECT a FROM tab GROUP BY a", "Unsupported clause: GROUP BY"),
        ("SELECT * FROM tab, other", "Only select from a single table or index is supported."),
        ("SELECT * FROM tab a, tab b", "Only select from a single table or index is supported."),
        ("SELECT * FROM tab JOIN other ON 1 = 1", "Only select from a single table or index is supported."),
        ("SELECT a + 1 FROM tab", "Unexpected path component"),
        ("SELECT 'a' FROM tab", "Unexpected path component"),
        ("SELECT size(a) FROM tab", "Unexpected path component"),
        ('SELECT "" FROM tab', "Path component cannot be an empty string"),
        ('UPDATE tab SET "" = 1 WHERE a = 1', "Path component cannot be an empty string"),
        ("SELECT * FROM tab WHERE m[''] = 1", "Path component cannot be an empty string"),
        ("UPDATE tab.ix SET a = 1 WHERE a = 1", "This operation is not supported on an index"),
        ("DELETE FROM tab.ix WHERE a = 1", "This operation is not supported on an index"),
        ("UPDATE tab t SET a = 1 WHERE a = 1", "Aliasing is not supported"),
        ("INSERT INTO tab VALUE ?", NO_STRUCT),
        ("INSERT INTO tab VALUE [1]", NO_STRUCT),
        ("UPDATE tab SET a = upper(a) WHERE a = 1", "Unrecognized function: upper"),
        (
            "UPDATE tab SET a = size(a) WHERE a = 1",
            "The function is not allowed in an update expression; function: size",
        ),
        ("UPDATE tab SET a = b * 2 WHERE a = 1", "Unsupported operator in Update Expression. Operator: *"),
        ("UPDATE tab SET a = set_add(a) WHERE a = 1", "SET_ADD must have exactly two arguments"),
        (
            "UPDATE tab SET a = set_add(b, <<1>>) WHERE a = 1",
            "The first argument to SET_ADD must equal the assignment value",
        ),
        (
            "UPDATE tab SET a = set_delete(a, b) WHERE a = 1",
            "The second argument to SET_DELETE must be a value with type SET",
        ),
        (
            "UPDATE tab SET a = 1 WHERE a = 1 RETURNING ALL OLD a",
            "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause",
        ),
        (
            "DELETE FROM tab WHERE a = 1 RETURNING ALL OLD *, ALL NEW *",
            "Invalid syntax with multiple returning elements in RETURNING clause",
        ),
        (
            "SELECT * FROM tab WHERE size(a) IS MISSING",
            "The left hand side argument to IS must be a Variable Reference, Literal, or Path",
        ),
        (
            "SELECT * FROM tab WHERE a IN 1",
            "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq "
            "with at least one member",
        ),
        (
            "SELECT * FROM tab WHERE a" + ".a" * 32 + " = 1",
            "The document path has too many nesting levels; nesting levels: 33",
        ),
        ("SELECT count(*) FROM tab", "Unexpected path component"),
        ("SELECT a.x, b.x FROM tab", "Duplicate identifiers in select clause: x"),
        (
            "SELECT a.l[1], a.l FROM tab",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, l], "
            "path two: [a, l, [1]]",
        ),
        (
            "SELECT * FROM a.b.c",
            "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.",
        ),
        ("SELECT * FROM tab.b.c", "A path may contain at most 2 components in the FROM clause"),
        ("INSERT INTO tab VALUE {'a': 1, 'a': 2}", "Duplicate keys in tuple. Key: a"),
        ("INSERT INTO tab VALUE {a: 1}", "Tuple keys must be of type String."),
        ("INSERT INTO tab VALUE {'a': <<>>}", "Empty bags are not supported"),
        (
            "INSERT INTO tab VALUE {'a': <<1, 'x'>>}",
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
        ),
        ("INSERT INTO tab VALUE {'a': 1} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"),
        ("INSERT INTO tab << {'a': 1} >>", "Unsupported operation: InsertOp"),
        (
            "INSERT INTO tab.ix VALUE {'a': 1}",
            "FROM clause may only contain a single table name in data manipulation statements",
        ),
        (
            "DELETE FROM tab WHERE a = 1 RETURNING MODIFIED OLD *",
            "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE "
            "statements.",
        ),
        ("DROP TABLE tab", "Unsupported operation: DropTable"),
        ("SELECT * FROM tab WHERE a = ?", "Number of parameters in request and statement don't match."),
        ("SELECT * FROM tab WHERE " + "(" * 101 + "a = 1" + ")" * 101, "Conditions are nested deeper than 100 levels"),
        ("INSERT INTO tab VALUE " + "{'a':" * 40 + "1" + "}" * 40, "Nesting Levels have exceeded supported limits"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    """What is no statement of DynamoDB's is refused in its words."""
    with pytest.raises(Fault) as caught:
        parse(text)
    assert (caught.value.code, caught.value.message) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "attribute_type(a, 5)",
            "Incorrect operand type for operator or function; operator or function: attribute_type",
        ),
        (
            "attribute_type(a, b)",
            "Incorrect operand type for operator or function; operator or function: attribute_type",
        ),
        ("attribute_type(a, 'X')", "Invalid attribute type name found; type: X"),
        ("begins_with(a, 5)", "Incorrect operand type for operator or function; operator or function: begins_with"),
        ("begins_with(a)", "Incorrect number of operands for operator or function; operator or function: begins_with"),
        ("size(5) = 1", "Incorrect operand type for operator or function; operator or function: size, operand type: N"),
        ("a < TRUE", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"),
        ("a BETWEEN 2 AND 1", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
        ("a BETWEEN 'x' AND 1", "The BETWEEN operator requires same data type for lower and upper bounds"),
        ("a = a", "The first operand must be distinct from the remaining operands"),
        ("5 IS MISSING", "Operator or function requires a document path"),
        (f"a IN ({', '.join(map(str, range(101)))})", "The IN operator is provided with too many operands"),
        (" OR ".join(["a = 1"] * 151), "The expression contains too many operators; operator count: 301"),
    ],
)
def test_operands(condition: str, message: str) -> None:
    """What an operator or function of a WHERE may have is what it may have in an expression."""
    with pytest.raises(Fault) as caught:
        where(condition)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "operand",
    ["'x' + a", "a + TRUE", "list_append(a, 1)", "if_not_exists(5, 1)", "if_not_exists(a)", "a + " * 301 + "1"],
)
def test_operands_of_a_set(operand: str) -> None:
    """What a SET gives is held to the same rules."""
    with pytest.raises(Fault, match=r"Incorrect|requires a document path|too many operators"):
        parse(f"UPDATE tab SET b = {operand} WHERE a = 1")


def test_sums_of_several_terms() -> None:
    """Terms are added from the left; parentheses group them."""
    statement = parse("UPDATE tab SET a = a - 1 + (b - 1) WHERE a = 1")
    assert isinstance(statement, Update)
    ((_, operand),) = statement.set
    assert operand == Arithmetic("+", Arithmetic("-", A, ONE), Arithmetic("-", B, ONE))


@pytest.mark.parametrize("word", ["date", "user", "value", "size", "order", "NOT"])
def test_words_of_the_language_are_no_names(word: str) -> None:
    """A word that PartiQL keeps for itself is a name only in quotes."""
    statements = "SELECT * FROM tab WHERE {} = 1", "SELECT a.{} FROM tab", "UPDATE tab SET {} = 1 WHERE a = 1"
    for statement in statements:
        with pytest.raises(Fault):
            parse(statement.format(word))
        parse(statement.format(f'"{word}"'))
    assert where("name = 1") == Compare("=", Path(("name",)), ONE)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM tab WHERE a = \u0663",
        "UPDATE tab REMOVE a, b WHERE a = 1",
        "INSERT INTO tab VALUES {'a': 1}",
        "INSERT INTO tab (a) VALUES (1)",
        "SELECT a, FROM tab",
        "SELECT * FROM tab WHERE a IS NUMBER",
    ],
)
def test_what_is_no_statement(text: str) -> None:
    """Digits of other scripts, a REMOVE of several paths and SQL's ways to insert are no PartiQL of DynamoDB's."""
    with pytest.raises(Fault, match="Statement wasn't well formed, can't be processed"):
        parse(text)


def test_a_surplus_parameter_is_refused() -> None:
    """Every parameter has its `?`."""
    with pytest.raises(Fault, match="Number of parameters"):
        where("a = ?", {"S": "x"}, {"S": "y"})


WORDS = [
    "SELECT",
    "*",
    "FROM",
    "tab",
    "WHERE",
    "a",
    "=",
    "'x'",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    ",",
    ".",
    ":",
    "?",
    "1",
    "-1",
    "IN",
    "BETWEEN",
    "IS",
    "MISSING",
    "NULL",
    "INSERT",
    "INTO",
    "VALUE",
    "UPDATE",
    "SET",
    "REMOVE",
    "DELETE",
    "RETURNING",
    "ALL",
    "OLD",
    "NEW",
    "MODIFIED",
    "size(",
    "contains(",
    "begins_with(",
    "list_append(",
    '"n"',
    "+",
    "-",
    "ORDER",
    "BY",
]


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text fails in another way than by a refusal of the service."""
    with contextlib.suppress(Fault):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 4000, "NOT " * 2000, "[" * 8000, "{'a':" * 1600, "'" * 8191, "a." * 4000])
def test_no_depth_is_too_much(text: str) -> None:
    """What nests as deep as 8192 characters allow is refused, not failed at."""
    for prefix in ("SELECT * FROM tab WHERE ", "INSERT INTO tab VALUE "):
        with pytest.raises(Fault):
            parse(prefix + text)
