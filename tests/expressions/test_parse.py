"""Parsing is the reverse of rendering, and whatever is no expression is refused in the service's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamix.expressions.nodes import (
    And,
    Arithmetic,
    Compare,
    Condition,
    Not,
    Or,
    Path,
    Placeholder,
    Projection,
    Update,
)
from dynamix.expressions.render import Placeholders, render_condition, render_projection, render_update
from dynamix.expressions.text.parse import ExpressionError, bind, parse_condition, parse_projection, parse_update
from dynamix.expressions.text.reserved import RESERVED_WORDS
from expressions import strategies

A, B, C = Path(("a",)), Path(("b",)), Path(("c",))
V = Placeholder(":v")


@given(strategies.conditions)
def test_a_rendered_condition_parses_to_itself(condition: Condition) -> None:
    """parse(render(x)) == x, and the placeholders met are those that were rendered."""
    placeholders = Placeholders()
    parsed = parse_condition(render_condition(condition, placeholders), placeholders.names, placeholders.values)
    assert bind(parsed.node, placeholders.values) == condition
    assert parsed.names == placeholders.names.keys()
    assert parsed.values == placeholders.values.keys()


@given(strategies.updates())
def test_a_rendered_update_parses_to_itself(update: Update) -> None:
    """parse(render(x)) == x for updates."""
    placeholders = Placeholders()
    parsed = parse_update(render_update(update, placeholders), placeholders.names, placeholders.values)
    assert bind(parsed.node, placeholders.values) == update
    assert parsed.names == placeholders.names.keys()
    assert parsed.values == placeholders.values.keys()


@given(strategies.projections)
def test_a_rendered_projection_parses_to_itself(projection: Projection) -> None:
    """parse(render(x)) == x for projections."""
    placeholders = Placeholders()
    assert parse_projection(render_projection(projection, placeholders), placeholders.names).node == projection


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a = :v", Compare("=", A, V)),
        ("(a) = (:v)", Compare("=", A, V)),
        ("a=b AND a=c OR NOT b=c", Or((And((Compare("=", A, B), Compare("=", A, C))), Not(Compare("=", B, C))))),
        ("a=b and (a=c or b=c)", And((Compare("=", A, B), Or((Compare("=", A, C), Compare("=", B, C)))))),
        ("NOT NOT a=b", Not(Not(Compare("=", A, B)))),
        ("a . b [ 0 ] .\t#n\n=\r:v", Compare("=", Path(("a", "b", 0, "real name")), V)),
        ("(a=b)AND(b=c)", And((Compare("=", A, B), Compare("=", B, C)))),
        ("contains = :v", Compare("=", Path(("contains",)), V)),
    ],
)
def test_conditions(text: str, node: Condition) -> None:
    """Precedence, parentheses, white space and case."""
    assert parse_condition(text, {"#n": "real name"}).node == node


def test_updates() -> None:
    """Clauses in any order, sums with and without parentheses."""
    update = parse_update("remove b SET a = (a) + :v, c = (c - :v)", {}).node
    assert update == Update(set=((A, Arithmetic("+", A, V)), (C, Arithmetic("-", C, V))), remove=(B,))


SYNTAX = [
    (" ", "<EOF>", " "),
    ("a", "<EOF>", "a"),
    ("a = ", "<EOF>", "= "),
    ("a = :v b", "b", ":v b"),
    ("a = b c d e", "c", "b c d"),
    ("a b ~", "b", "a b ~"),
    ("  ~a", "~", "  ~a"),
    ("a = :v~ ", "~", ":v~ "),
    ("a-b = :v", "-", "a-b"),
    ("a[01] = :v", "1", "01]"),
    ("a[-1] = :v", "-", "[-1"),
    ("a[] = :v", "]", "[] ="),
    ("_a = :v", "_", "_a"),
    ("é = :v", "é", "é ="),
    ("\u00a0a = :v", "\u00a0", "\u00a0a"),
    ("a = : v", ":", "= : v"),
    ("a =< :v", "<", "=< :v"),
    ("a = :v = b", "=", ":v = b"),
    ("(a = :v", "<EOF>", ":v"),
    ("a = :v)))", ")", ":v))"),
    ("()", ")", "()"),
    ("(a = b) = c", "=", ") = c"),
    ("a = (b = c)", "=", "b = c"),
    ("a IN ()", ")", "()"),
    ("a IN ((b, c))", ",", "b, c"),
    ("a BETWEEN :v OR b", "OR", ":v OR b"),
    ("a.size(b) = :v", "(", "size(b"),
    ("a.set = :v", "set", ".set ="),
    ("between = :v", "between", "between ="),
    ("size()", ")", "()"),
    ("name", "<EOF>", "name"),
    ("a", "<EOF>", "a"),
]


@pytest.mark.parametrize(("text", "token", "near"), SYNTAX)
def test_syntax_errors_of_conditions(text: str, token: str, near: str) -> None:
    """The token that cannot stand there, and its neighbours."""
    assert refusal(parse_condition, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("a = :v", "a", "a ="),
        ("SET", "<EOF>", "SET"),
        ("SET a = :v b = :v", "b", ":v b ="),
        ("SET a = :v, SET b = :v", "SET", ", SET b"),
        ("SET a = b + c + a", "+", "c + a"),
        ("SET a = (b + c) + a", "+", ") + a"),
        ("SET a = b + (b + c)", "+", "b + c"),
        ("SET a = if_not_exists(a, b + c)", "+", "b + c"),
        ("SET (a) = :v", "(", "SET (a"),
        ("SET size(a) = :v", "(", "size(a"),
        ("SET and = :v", "and", "SET and ="),
        ("REMOVE :v", ":v", "REMOVE :v"),
        ("ADD a b", "b", "a b"),
        ("SET a = (b", "<EOF>", "b"),
    ],
)
def test_syntax_errors_of_updates(text: str, token: str, near: str) -> None:
    """Updates have a grammar of their own."""
    assert refusal(parse_update, text) == f'Syntax error; token: "{token}", near: "{near}"'


def test_syntax_errors_of_projections() -> None:
    """A projection has paths and commas, nothing else."""
    assert refusal(parse_projection, "a, (b)") == 'Syntax error; token: "(", near: ", (b"'
    assert refusal(parse_projection, "a,") == 'Syntax error; token: "<EOF>", near: ","'


FIRST = "The first operand must be distinct from the remaining operands for this operator or function; operator: "
MANY_OPERATORS = "The expression contains too many operators; operator count: 301"
REDUNDANT = "The expression has redundant parentheses;"
MISUSED = "The function is not allowed to be used this way in an expression; function: "
UNDEFINED = "An expression attribute value used in expression is not defined; attribute value: "
UNNAMED = "An expression attribute name used in the document path is not defined; attribute name: "
OPERAND = "Incorrect operand type for operator or function; operator or function: "
COUNT = "Incorrect number of operands for operator or function; operator or function: "
BETWEEN = "The BETWEEN operator requires "
MANY = " AND ".join(["a=b"] * 151)
DEEP = ".".join("a" * 33)
VALUES: dict[str, dict[str, Any]] = {
    ":s": {"S": "a"},
    ":z": {"S": "z"},
    ":n": {"N": "1"},
    ":m": {"N": "10"},
    ":x": {"N": "9"},
    ":b": {"B": "YQ=="},
    ":c": {"B": "Yg=="},
    ":t": {"BOOL": True},
    ":l": {"L": []},
    ":set": {"SS": ["a"]},
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("((a = :s))", REDUNDANT),
        ("((a)) = :s", REDUNDANT),
        ("NOT ((a = b))", REDUNDANT),
        ("((attribute_exists(a)))", REDUNDANT),
        ("begins_with(((a)), :s)", REDUNDANT),
        ("a = a", f"{FIRST}=, first operand: [a]"),
        ("a.b[0] = #a.b[0]", f"{FIRST}=, first operand: [a, b, [0]]"),
        ("a IN (b, a)", f"{FIRST}IN, first operand: [a]"),
        ("a BETWEEN b AND a", f"{FIRST}BETWEEN, first operand: [a]"),
        ("contains(a, a)", f"{FIRST}contains, first operand: [a]"),
        ("foo(a)", "Invalid function name; function: foo"),
        ("SIZE(a) = :n", "Invalid function name; function: SIZE"),
        ("if_not_exists(a, b)", "The function is not allowed in a condition expression; function: if_not_exists"),
        ("size(a)", f"{MISUSED}size"),
        ("attribute_exists(a) = :s", f"{MISUSED}attribute_exists"),
        ("begins_with(a, begins_with(b, :s))", f"{MISUSED}begins_with"),
        ("name = :s", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("a.Name = :s", "Attribute name is a reserved keyword; reserved keyword: Name"),
        ("#z = :s", f"{UNNAMED}#z"),
        ("a = :zz", f"{UNDEFINED}:zz"),
        ("a[2147483648] = :s", "List index is not within the allowable range; index: [2147483648]"),
        ("begins_with(a)", f"{COUNT}begins_with, number of operands: 1"),
        ("size(a, b) = :n", f"{COUNT}size, number of operands: 2"),
        ("begins_with(a, :n)", f"{OPERAND}begins_with, operand type: N"),
        ("begins_with(a, size(b))", f"{OPERAND}begins_with, operand type: N"),
        ("a < :t", f"{OPERAND}<, operand type: BOOL"),
        ("a BETWEEN :l AND :l", f"{OPERAND}BETWEEN, operand type: L"),
        ("size(:n) = :n", f"{OPERAND}size, operand type: N"),
        ("size(size(a)) = :n", f"{OPERAND}size, operand type: N"),
        ("attribute_type(a, :n)", f"{OPERAND}attribute_type, operand type: N"),
        ("attribute_type(a, b)", f"{OPERAND}attribute_type, operand type: {{NS,SS,L,BS,N,M,B,BOOL,NULL,S}}"),
        (
            "attribute_type(a, :s)",
            "Invalid attribute type name found; type: a, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "a BETWEEN :s AND :n",
            f"{BETWEEN}same data type for lower and upper bounds; lower bound operand: AttributeValue: {{S:a}}, "
            "upper bound operand: AttributeValue: {N:1}",
        ),
        (
            "a BETWEEN :m AND :x",
            f"{BETWEEN}upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: "
            "{N:10}, upper bound operand: AttributeValue: {N:9}",
        ),
        (
            "a BETWEEN :c AND :b",
            f"{BETWEEN}upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: "
            "{B:java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]}, upper bound operand: AttributeValue: "
            "{B:java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]}",
        ),
        (
            f"a IN ({','.join(['b'] * 101)})",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
        (f"{DEEP} = :s", "The document path has too many nesting levels; nesting levels: 33"),
        (MANY, MANY_OPERATORS),
        ("NOT " * 300 + "a=b", MANY_OPERATORS),
        (
            "a = :s" + " " * 4091,
            "Expression size has exceeded the maximum allowed size; expression size: 4097",
        ),
        ("é" * 2049, "Expression size has exceeded the maximum allowed size; expression size: 4098"),
    ],
)
def test_refused_conditions(text: str, message: str) -> None:
    """What the grammar allows but the service does not."""
    assert refusal(parse_condition, text, {"#a": "a"}, VALUES) == message


@pytest.mark.parametrize(
    "text",
    [
        "NOT " * 299 + "a=b",
        "a IN (" + ",".join(["b"] * 100) + ")",
        ".".join("a" * 32) + " = :s",
        "a = :s" + " " * 4090,
        "a[2147483647] = :s",
        "((a = :s) AND (b = :n))",
        "((a) = (:s))",
        "a BETWEEN b AND b",
        "a BETWEEN :b AND :c",
        "a IN (b, b)",
        ":s = :s",
        "size(a) = size(a)",
        "size(:s) = :n",
        "attribute_type(a, :z)".replace(":z", ":type"),
        "contains(:n, a)",
        "begins_with(:s, :s)",
    ],
)
def test_accepted_conditions(text: str) -> None:
    """At the limits, and what looks refusable but is not."""
    parse_condition(text, {}, {**VALUES, ":type": {"S": "NULL"}})


CLASH = "with each other; must remove or rewrite one of these paths; path one: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET a = :n SET b = :n", 'The "SET" section can only be used once in an update expression;'),
        ("ADD a :n DELETE b :set DELETE c :set", 'The "DELETE" section can only be used once in an update expression;'),
        ("SET a = ((b))", REDUNDANT),
        ("SET a = ((b + c))", REDUNDANT),
        ("SET a = (b) + ((c))", REDUNDANT),
        ("SET a = size(b)", "The function is not allowed in an update expression; function: size"),
        ("SET a = foo(b)", "Invalid function name; function: foo"),
        ("SET a = list_append(list_append(b, b), b)", f"{MISUSED}list_append"),
        ("SET a = b + list_append(b, b)", f"{MISUSED}list_append"),
        ("SET a = (list_append(b, b)) + b", f"{MISUSED}list_append"),
        ("SET a = list_append(b)", f"{COUNT}list_append, number of operands: 1"),
        ("SET a = list_append(b, :n)", f"{OPERAND}list_append, operand type: N"),
        ("SET a = :s + :n", f"{OPERAND}+, operand type: S"),
        ("SET a = b - :l", f"{OPERAND}-, operand type: L"),
        (
            "SET a = if_not_exists(:s, b)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        ("SET a = if_not_exists(a, a)", f"{FIRST}if_not_exists, first operand: [a]"),
        (
            "ADD a :s",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :n",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, "
            "typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        ("SET a = :zz", f"{UNDEFINED}:zz"),
        ("REMOVE #z", f"{UNNAMED}#z"),
        ("SET a = :n, a.b = :n", f"Two document paths overlap {CLASH}[a], path two: [a, b]"),
        ("SET a.b = :n REMOVE a", f"Two document paths overlap {CLASH}[a, b], path two: [a]"),
        ("SET a[1] = :n, #a[1] = :n", f"Two document paths overlap {CLASH}[a, [1]], path two: [a, [1]]"),
        ("SET a.b = :n, a[0] = :n", f"Two document paths conflict {CLASH}[a, b], path two: [a, [0]]"),
        ("SET a=b+b" + "".join(f",a{i}=b+b" for i in range(300)), MANY_OPERATORS),
    ],
)
def test_refused_updates(text: str, message: str) -> None:
    """What the grammar of updates allows but the service does not."""
    assert refusal(parse_update, text, {"#a": "a"}, VALUES) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("a, b, a", f"Two document paths overlap {CLASH}[a], path two: [a]"),
        ("a.b.c, a.b", f"Two document paths overlap {CLASH}[a, b, c], path two: [a, b]"),
        ("a.b, a[0]", f"Two document paths conflict {CLASH}[a, b], path two: [a, [0]]"),
        ("a, name", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("#x, #y", f"{UNNAMED}#y"),
    ],
)
def test_refused_projections(text: str, message: str) -> None:
    """Paths are read from the last to the first."""
    assert refusal(parse_projection, text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{MANY} AND", 'Syntax error; token: "<EOF>", near: "AND"'),
        ("name = :zz AND ((a = b))", REDUNDANT),
        ("a = :zz AND foo(name)", "Invalid function name; function: foo"),
        ("name = :zz AND foo(a)", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("size(name) AND a = b", f"{MISUSED}size"),
        ("a = :zz AND #z = b", f"{UNDEFINED}:zz"),
        ("#z = b AND a = :zz", f"{UNNAMED}#z"),
        ("a = a AND a = :zz", f"{FIRST}=, first operand: [a]"),
        ("begins_with(:zz)", f"{UNDEFINED}:zz"),
        ("begins_with(a, :n) AND a = a", f"{OPERAND}begins_with, operand type: N"),
        (f"{MANY} AND a = a", f"{FIRST}=, first operand: [a]"),
    ],
)
def test_the_order_of_refusals(text: str, message: str) -> None:
    """Syntax, parentheses, words, then each operator after its operands, and the count of operators at last."""
    assert refusal(parse_condition, text, {}, VALUES) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET a = :zz, b = :n, b = :n", f"Two document paths overlap {CLASH}[b], path two: [b]"),
        ("SET b = :n, b = :n, #z = :n", f"{UNNAMED}#z"),
        ("SET a = :zz, #z = :n", f"{UNNAMED}#z"),
        ("SET c = :zz ADD a :s", "Incorrect operand type for operator or function; operator: ADD"),
        ("SET a = name SET a = b", "Attribute name is a reserved keyword; reserved keyword: name"),
    ],
)
def test_the_order_of_refusals_of_updates(text: str, message: str) -> None:
    """The paths to be changed come first, from the last to the first; then the operands likewise."""
    assert refusal(parse_update, text, {}, VALUES).startswith(message)


def test_values_are_checked_when_they_come() -> None:
    """An expression parsed without values refuses unfit ones later, with the same words."""
    parsed = parse_condition("a < :v AND b BETWEEN :low AND :high", {})
    parsed.check({":v": {"N": "1"}, ":low": {"N": "1"}, ":high": {"N": "2"}})
    with pytest.raises(ExpressionError, match="operand type: BOOL"):
        parsed.check({":v": {"BOOL": True}, ":low": {"N": "1"}, ":high": {"N": "2"}})
    with pytest.raises(ExpressionError, match="requires upper bound"):
        parsed.check({":v": {"N": "1"}, ":low": {"N": "2"}, ":high": {"N": "1"}})
    with pytest.raises(ExpressionError, match="not defined; attribute value: :high"):
        parsed.check({":v": {"N": "1"}, ":low": {"N": "2"}})
    with pytest.raises(ExpressionError, match="ALLOWED_FOR_ADD_OPERAND"):
        parse_update("ADD a :v", {}).check({":v": {"S": "x"}})


def test_bind_needs_every_value() -> None:
    """A placeholder without a value is named."""
    with pytest.raises(ExpressionError, match="not defined; attribute value: :v"):
        bind(parse_condition("a = :v", {}).node, {})


def test_reserved_words() -> None:
    """The guide lists 573 of them; letters of either case are meant."""
    assert len(RESERVED_WORDS) == 573
    assert {"NAME", "STATUS", "TTL", "SIZE", "ZONE", "ABORT"} <= RESERVED_WORDS
    for word in RESERVED_WORDS:
        with pytest.raises(ExpressionError):
            parse_projection(word.lower(), {})


WORDS = st.lists(
    st.sampled_from(
        [
            *("(", ")", "[", "]", ".", ",", "=", "<", ">", "<>", "<=", ">=", "+", "-", "#", ":", "~", " ", "é"),
            *("AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"),
            *("a", "b", "name", "#a", "#z", ":s", ":n", ":zz", "0", "12"),
            *("size(", "contains(", "if_not_exists(", "list_append(", "attribute_exists(", "begins_with(", "foo("),
        ]
    ),
    max_size=40,
).map(" ".join)


@given(st.text(max_size=60) | WORDS)
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but the error of expressions comes out, whatever goes in."""
    for parse in (parse_condition, parse_update, parse_projection):
        for values in (None, VALUES):
            try:
                parsed = parse(text, {"#a": "a"}, values)
            except ExpressionError:
                continue
            assert parsed.values <= VALUES.keys() or values is None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4096,
        "(" * 2000 + "a=b" + ")" * 2000,
        "NOT " * 1000 + "a=b",
        "(a=b AND " * 400 + "a=b" + ")" * 400,
        "NOT (" * 500 + "a=b" + ")" * 500,
        "size(" * 800 + "a" + ")" * 80,
        "size(" * 600 + "a" + ")" * 600 + "=b",
        "f(" * 2000,
        "f((" * 1300,
        "SET a = " + "(" * 4000,
        "SET a = " + "if_not_exists(a," * 200 + "b" + ")" * 200,
        "SET a = " + "f(" * 2000,
        "a" + "[0]" * 1300,
        "a" + ".a" * 2000,
        "a," * 2000 + "a",
        "a[" + "9" * 4000 + "]",
        "REMOVE " + ",".join(f"a[{index}]" for index in range(450)),
    ],
)
def test_depth_is_bounded(text: str) -> None:
    """Deep and long texts are answered, not followed until the stack ends."""
    for parse in (parse_condition, parse_update, parse_projection):
        try:
            parse(text, {})
        except ExpressionError:
            continue


def refusal(parse: Any, text: str, names: dict[str, str] | None = None, values: Any = None) -> str:
    """The message with which a text is refused."""
    with pytest.raises(ExpressionError) as caught:
        parse(text, names or {}, values)
    return str(caught.value)
