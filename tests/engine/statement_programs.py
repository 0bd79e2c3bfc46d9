"""Random statements, and the requests by expressions that ask for the same.

The table has the key (p, s), a global index on g and a local one on l. Values come from small pools, so that statements
find, miss and collide.
"""

import random
import re
from typing import Any, NamedTuple

from engine.pools import Index, Table


def table(name: str) -> Table:
    """The table of all programs."""
    whole = {"ProjectionType": "ALL"}
    indexes = [Index("by-group", ["g", "s"], False, whole), Index("by-label", ["p", "l"], True, whole)]
    return Table(name, ["p", "s"], {"p": "S", "s": "N", "g": "S", "l": "S"}, indexes)


INDEXES = (None, None, None, "by-group", "by-label")
PARTITIONS = ("a", "b", "c")
LABELS = ("x", "xy", "y", "")
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


class Asked(NamedTuple):
    """One wish, as a statement and as an operation by expressions."""

    statement: str
    parameters: list[dict[str, Any]]
    operation: str
    request: dict[str, Any]


class Drawn:
    """Draws from `rng`. Literals are written out or given as parameters."""

    def __init__(self, rng: random.Random, table: str) -> None:
        self.rng = rng
        self.table = table
        self.parameters: list[dict[str, Any]] = []
        self.values: dict[str, dict[str, Any]] = {}
        self.keys: set[str] = set()
        """The placeholders that a request has no use for, since it gives its key apart."""

    def item(self) -> dict[str, Any]:
        """An item, by attribute."""
        rng = self.rng
        item: dict[str, Any] = {"p": {"S": rng.choice(PARTITIONS)}, "s": {"N": str(rng.randrange(4))}}
        if rng.random() < 0.7:
            item["g"] = {"S": rng.choice("GH")}
        if rng.random() < 0.7:
            item["l"] = {"S": rng.choice(LABELS[:3])}
        if rng.random() < 0.8:
            item["n"] = {"N": str(rng.randrange(5))}
        if rng.random() < 0.5:
            item["m"] = {"M": {"x": {"S": rng.choice(LABELS)}, "y": {"L": [{"N": "1"}, {"S": "z"}]}}}
        if rng.random() < 0.5:
            item["t"] = {"SS": rng.sample(["u", "v", "w"], rng.randint(1, 3))}
        if rng.random() < 0.3:
            item["z"] = {"NULL": True}
        return item

    def literal(self, value: dict[str, Any]) -> tuple[str, str]:
        """A value in a statement, and its placeholder in an expression."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        if self.rng.random() < 0.3:
            self.parameters.append(value)
            return "?", placeholder
        return text_of(value), placeholder

    def key_literal(self, name: str) -> tuple[str, str]:
        pool = {"p": PARTITIONS, "g": ("G", "H"), "l": LABELS[:3]}
        return self.literal({"N": str(self.rng.randrange(4))} if name == "s" else {"S": self.rng.choice(pool[name])})

    def predicate(self) -> tuple[str, str]:
        """A condition on other attributes than keys, as PartiQL and as an expression."""
        rng = self.rng
        path = rng.choice(["n", "m.x", "m.y[0]", "t", "z", "none"])
        match rng.randrange(8):
            case 0 | 1:
                operator = rng.choice(OPERATORS)
                literal, placeholder = self.literal(
                    rng.choice([{"N": str(rng.randrange(5))}, {"S": rng.choice(LABELS)}])
                )
                return f"{path} {operator} {literal}", f"{name(path)} {operator} {placeholder}"
            case 2:
                low, high = sorted(str(rng.randrange(5)) for _ in range(2))
                (a, b), (c, d) = self.literal({"N": low}), self.literal({"N": high})
                return f"{path} BETWEEN {a} AND {c}", f"{name(path)} BETWEEN {b} AND {d}"
            case 3:
                options = [self.literal({"N": str(number)}) for number in rng.sample(range(5), 2)]
                texts, placeholders = zip(*options, strict=True)
                return f"{path} IN [{', '.join(texts)}]", f"{name(path)} IN ({', '.join(placeholders)})"
            case 4:
                literal, placeholder = self.literal({"S": rng.choice(("u", "x", "z"))})
                return f"contains({path}, {literal})", f"contains({name(path)}, {placeholder})"
            case 5:
                literal, placeholder = self.literal({"S": "x"})
                return f"begins_with({path}, {literal})", f"begins_with({name(path)}, {placeholder})"
            case 6:
                word, function = rng.choice([("MISSING", "attribute_not_exists"), ("NOT MISSING", "attribute_exists")])
                return f"{path} IS {word}", f"{function}({name(path)})"
        literal, placeholder = self.literal({"N": "1"})
        return f"size({path}) >= {literal}", f"size({name(path)}) >= {placeholder}"

    def filter(self) -> tuple[str, str]:
        """A condition of one to three predicates."""
        text, expression = self.predicate()
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            word = self.rng.choice(["AND", "OR"])
            more, other = self.predicate()
            text, expression = f"{text} {word} {more}", f"{expression} {word} {other}"
        if self.rng.random() < 0.2:
            return f"NOT ({text})", f"NOT ({expression})"
        return f"({text})", f"({expression})"

    def asked(self) -> Asked:
        """Any wish."""
        drawn: Asked = self.rng.choice([self.read, self.read, self.insert, self.update, self.update, self.delete])()
        return drawn

    def read(self) -> Asked:
        """A SELECT: a query where it gives a partition key, else a scan."""
        rng = self.rng
        used = rng.choice(INDEXES)
        partition, sort = {None: ("p", "s"), "by-group": ("g", "s"), "by-label": ("p", "l")}[used]
        place = f'"{self.table}"' + ("" if used is None else f'."{used}"')
        request: dict[str, Any] = {"TableName": self.table} | ({} if used is None else {"IndexName": used})
        parts: list[str] = []
        if keyed := rng.random() < 0.7:
            literal, placeholder = self.key_literal(partition)
            parts.append(f"{partition} = {literal}")
            request["KeyConditionExpression"] = f"{name(partition)} = {placeholder}"
            if rng.random() < 0.5:
                operator = rng.choice(["=", "<", "<=", ">", ">="])
                literal, placeholder = self.key_literal(sort)
                parts.append(f"{sort} {operator} {literal}")
                request["KeyConditionExpression"] += f" AND {name(sort)} {operator} {placeholder}"
        if rng.random() < 0.5:
            text, request["FilterExpression"] = self.filter()
            parts.append(text)
        statement = f"SELECT * FROM {place}" + (f" WHERE {' AND '.join(parts)}" if parts else "")
        return self._made(statement, "Query" if keyed else "Scan", request)

    def insert(self) -> Asked:
        item = self.item()
        text = ", ".join(f"'{attribute}': {self.literal(value)[0]}" for attribute, value in item.items())
        self.keys.update(self.values)
        request = {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(#p)"}
        return self._made(f'INSERT INTO "{self.table}" VALUE {{{text}}}', "PutItem", request)

    def update(self) -> Asked:
        rng = self.rng
        sets, removes, clauses = [], [], []
        for path in rng.sample(["n", "m.x", "w", "g"], rng.randint(1, 2)):
            kind = rng.choice(["set", "set", "add", "remove"]) if path != "g" else "set"
            if kind == "remove":
                clauses.append(f"REMOVE {path}")
                removes.append(name(path))
                continue
            value = {"S": rng.choice("GH")} if path == "g" else {"N": str(rng.randrange(3))}
            literal, placeholder = self.literal(value)
            if kind == "add" and path == "n":
                clauses.append(f"SET n = n + {literal}")
                sets.append(f"#n = #n + {placeholder}")
            else:
                clauses.append(f"SET {path} = {literal}")
                sets.append(f"{name(path)} = {placeholder}")
        where, request = self._one()
        request["ConditionExpression"] = "attribute_exists(#p)" + request.get("ConditionExpression", "")
        expression = (f"SET {', '.join(sets)}" if sets else "") + (f" REMOVE {', '.join(removes)}" if removes else "")
        request["UpdateExpression"] = expression.strip()
        mode, returned = rng.choice([("", "NONE"), ("ALL OLD", "ALL_OLD"), ("ALL NEW", "ALL_NEW")])
        request["ReturnValues"] = returned
        returning = f" RETURNING {mode} *" if mode else ""
        statement = f'UPDATE "{self.table}" {" ".join(clauses)} WHERE {where}{returning}'
        return self._made(statement, "UpdateItem", request)

    def delete(self) -> Asked:
        where, request = self._one()
        if "ConditionExpression" in request:
            request["ConditionExpression"] = request["ConditionExpression"].removeprefix(" AND ")
        returning, request["ReturnValues"] = self.rng.choice([("", "NONE"), (" RETURNING ALL OLD *", "ALL_OLD")])
        return self._made(f'DELETE FROM "{self.table}" WHERE {where}{returning}', "DeleteItem", request)

    def _one(self) -> tuple[str, dict[str, Any]]:
        """The WHERE that names one item, in any order, and the request's key and condition."""
        rng = self.rng
        key = {"p": {"S": rng.choice(PARTITIONS)}, "s": {"N": str(rng.randrange(4))}}
        request: dict[str, Any] = {"TableName": self.table, "Key": key}
        parts = []
        for attribute, value in key.items():
            literal, placeholder = self.literal(value)
            parts.append(f"{attribute} = {literal}")
            self.keys.add(placeholder)
        if rng.random() < 0.3:
            text, expression = self.filter()
            parts.append(text)
            request["ConditionExpression"] = f" AND {expression}"
        return " AND ".join(parts), request

    def _made(self, statement: str, operation: str, request: dict[str, Any]) -> Asked:
        text = " ".join(value for member, value in request.items() if member.endswith("Expression"))
        names = {placeholder: placeholder[1:] for placeholder in re.findall(r"#\w+", text)}
        if names:
            request["ExpressionAttributeNames"] = names
        values = {placeholder: value for placeholder, value in self.values.items() if placeholder not in self.keys}
        if values:
            request["ExpressionAttributeValues"] = values
        return Asked(statement, self.parameters, operation, request)


def program(rng: random.Random, table: str, length: int) -> list[tuple[str, dict[str, Any]]]:
    """Requests that store some items and then execute statements."""
    requests: list[tuple[str, dict[str, Any]]] = [
        ("PutItem", {"TableName": table, "Item": Drawn(rng, table).item()}) for _ in range(length)
    ]
    for _ in range(length):
        asked = Drawn(rng, table).asked()
        parameters = {"Parameters": asked.parameters} if asked.parameters else {}
        requests.append(("ExecuteStatement", {"Statement": asked.statement, **parameters}))
    return requests


def name(path: str) -> str:
    """A path in an expression: each name by its placeholder."""
    return "#" + path.replace(".", ".#")


def text_of(value: dict[str, Any]) -> str:
    """A value as a literal of a statement."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return "'" + content.replace("'", "''") + "'"
        case "NULL":
            return "null"
        case "L":
            return f"[{', '.join(map(text_of, content))}]"
        case "M":
            return "{" + ", ".join(f"'{key}': {text_of(inner)}" for key, inner in content.items()) + "}"
        case "SS":
            return "<<" + ", ".join(text_of({"S": element}) for element in content) + ">>"
    return str(content)
