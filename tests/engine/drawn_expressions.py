"""Random expressions of all kinds, for the requests of random programs."""

import random
from typing import Any, Protocol

from engine.pools import TYPES, USUAL_TYPE, AttributeValue, Table, order


class Source(Protocol):
    """What expressions are drawn with: the generator of requests."""

    rng: random.Random
    table: Table

    def chance(self, probability: float) -> bool: ...
    def mistake(self, probability: float) -> bool: ...
    def value(self, kind: str = "?") -> AttributeValue: ...
    def key_value(self, name: str) -> AttributeValue: ...


class Expressions:
    """Draws the expressions of one request, which share their placeholders."""

    def __init__(self, generator: Source) -> None:
        self.g = generator
        self.rng = generator.rng
        self.names: dict[str, str] = {}
        self.values: dict[str, AttributeValue] = {}

    def add_to(self, request: dict[str, Any]) -> None:
        """Adds the placeholders; rarely one too many or one too few."""
        if self.g.mistake(0.005):
            self.names["#unused"] = "x"
        if self.g.mistake(0.005):
            self.values[":unused"] = {"S": "x"}
        if self.names and self.g.mistake(0.005):
            self.names.popitem()
        if self.values and self.g.mistake(0.005):
            self.values.popitem()
        if self.names:
            request["ExpressionAttributeNames"] = self.names
        if self.values:
            request["ExpressionAttributeValues"] = self.values

    def name(self, name: str) -> str:
        if self.g.chance(0.3):
            self.names[f"#{name}"] = name
            return f"#{name}"
        return name

    def path(self, name: str | None = None) -> str:
        chosen = name or self.rng.choice([*USUAL_TYPE, "map_", "list_", *self.g.table.types])
        text = self.name(chosen)
        depth = self.rng.choice([1, 1, 1, 2]) if chosen in ("map_", "list_", "any_") and self.g.chance(0.6) else 0
        for _ in range(depth):
            if (chosen == "list_") != self.g.chance(0.1):
                text += f"[{self.rng.choice([0, 0, 1, 2, 5])}]"
                chosen = "?"
            else:
                chosen = self.rng.choice(["x", "y", "num", "list_", "map_"])
                text += f".{self.name(chosen)}"
        return text

    def placeholder(self, value: AttributeValue) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def value(self, kind: str = "?") -> str:
        """A value of a type, or by mistake of another."""
        return self.placeholder(self.g.value("?" if self.g.mistake(0.03) else kind))

    def usual(self, name: str) -> AttributeValue:
        """A value as the attribute usually has it."""
        if name in self.g.table.types and self.g.chance(0.7):
            return self.g.key_value(name)
        return self.g.value(USUAL_TYPE.get(name) or self.g.table.types.get(name, "?"))

    def condition(self, names: list[str] | None = None) -> str:
        names = names or [*USUAL_TYPE, *self.g.table.types]
        return self.damaged(self._condition(0, names))

    def _condition(self, depth: int, names: list[str]) -> str:
        if depth < 3 and self.g.chance(0.35):
            kind = self.rng.choice(["AND", "OR", "NOT", "()"])
            first = self._condition(depth + 1, names)
            if kind == "NOT":
                return f"NOT {first}"
            if kind == "()":
                return first if first.startswith("(") and not self.g.mistake(0.1) else f"({first})"
            return f"{first} {kind} {self._condition(depth + 1, names)}"
        return self._simple_condition(self.rng.choice(names))

    def _simple_condition(self, name: str) -> str:
        path = self.path(name)
        value = self.g.value() if "." in path or "[" in path else self.usual(name)
        ordered = next(iter(value), "") in ("S", "N", "B") or self.g.mistake(0.05)
        kinds = ["equal", "equal", "in", "exists", "type", "begins", "contains", "size"]
        match self.rng.choice([*kinds, "order", "order", "between"] if ordered else kinds):
            case "order":
                return f"{path} {self.rng.choice(['<', '<=', '>', '>='])} {self.placeholder(value)}"
            case "between":
                other = self.g.value(next(iter(value), "S"))
                pair = [value, other] if self.g.mistake(0.05) else sorted([value, other], key=order)
                return f"{path} BETWEEN {self.placeholder(pair[0])} AND {self.placeholder(pair[1])}"
            case "in":
                options = [self.placeholder(value), *(self.value() for _ in range(self.rng.choice([0, 1, 2])))]
                return f"{path} IN ({', '.join(options)})"
            case "exists":
                return f"{self.rng.choice(['attribute_exists', 'attribute_not_exists'])}({path})"
            case "type":
                kind = "X" if self.g.mistake(0.05) else self.rng.choice(TYPES)
                return f"attribute_type({path}, {self.placeholder({'S': kind})})"
            case "begins":
                return f"begins_with({path}, {self.value(self.rng.choice(['S', 'S', 'B']))})"
            case "contains":
                return f"contains({path}, {self.value(self.rng.choice(['S', 'N', 'B']))})"
            case "size":
                return f"size({path}) {self.rng.choice(['=', '<', '>='])} {self.value('N')}"
        other = self.path() if self.g.chance(0.1) else ""
        return f"{path} {self.rng.choice(['=', '<>'])} {other if other not in ('', path) else self.placeholder(value)}"

    def update(self) -> str:
        clauses = []
        used: set[str] = set()
        for keyword in self.rng.sample(["SET", "REMOVE", "ADD", "DELETE"], self.rng.choice([1, 1, 1, 2, 3])):
            actions = []
            for _ in range(self.rng.choice([1, 1, 1, 2])):
                name = self._target(keyword)
                if name not in used or self.g.mistake(0.05):
                    actions.append(getattr(self, f"_{keyword.lower()}")(name))
                used.add(name)
            if actions:
                clauses.append(f"{keyword} {', '.join(actions)}")
        return self.damaged(" ".join(clauses))

    def _target(self, keyword: str) -> str:
        if self.g.mistake(0.02):
            return self.rng.choice(self.g.table.keys)
        if keyword == "ADD":
            return self.rng.choice(["num", "num", "strs", "nums", "bins"])
        if keyword == "DELETE":
            return self.rng.choice(["strs", "nums", "bins"])
        return self.rng.choice([*USUAL_TYPE, *(name for name in self.g.table.types if name not in self.g.table.keys)])

    def _set(self, name: str) -> str:
        path = self.path(name)
        return f"{path} = {self._set_operand(name, '.' in path or '[' in path)}"

    def _set_operand(self, name: str, nested: bool) -> str:
        plain = self.g.value() if nested else self.usual(name)
        match self.rng.choice(["value"] * 3 + ["path", "+", "-", "if_not_exists", "list_append"]):
            case "path":
                return self.path()
            case "+" | "-" as sign:
                return f"{self.path('num')} {sign} {self.value('N')}"
            case "if_not_exists":
                return f"if_not_exists({self.path()}, {self.placeholder(plain)})"
            case "list_append":
                pair = [self.path("list_"), self.value("L")]
                self.rng.shuffle(pair)
                return f"list_append({pair[0]}, {pair[1]})"
        return self.placeholder(plain)

    def _remove(self, name: str) -> str:
        return self.path(name)

    def _add(self, name: str) -> str:
        return f"{self.path(name)} {self.value(USUAL_TYPE.get(name, 'S'))}"

    def _delete(self, name: str) -> str:
        return f"{self.path(name)} {self.value(USUAL_TYPE.get(name, 'S'))}"

    def projection(self, names: list[str]) -> str:
        chosen = self.rng.sample(names, min(len(names), self.rng.choice([1, 2, 2, 3])))
        if self.g.mistake(0.03):
            chosen.append(chosen[0])
        return self.damaged(", ".join(map(self.path, dict.fromkeys(chosen) if len(set(chosen)) > 1 else chosen)))

    def key_condition(self, keys: list[str]) -> str:
        parts = [f"{self.name(keys[0])} {'<' if self.g.mistake(0.01) else '='} {self._key(keys[0])}"]
        if len(keys) > 1 and self.g.chance(0.7):
            parts.append(self._sort_condition(keys[1]))
        if self.g.chance(0.1):
            parts.reverse()
        return self.damaged(" AND ".join(parts))

    def _sort_condition(self, key: str) -> str:
        kinds = ["=", "<", "<=", ">", ">=", "BETWEEN"]
        if self.g.table.types[key] != "N" or self.g.mistake(0.05):
            kinds.append("begins_with")
        kind = "<>" if self.g.mistake(0.02) else self.rng.choice(kinds)
        name = self.name(key)
        if kind == "BETWEEN":
            pair = [self.g.key_value(key), self.g.key_value(key)]
            low, high = map(self.placeholder, pair if self.g.mistake(0.05) else sorted(pair, key=order))
            return f"{name} BETWEEN {low} AND {high}"
        if kind == "begins_with":
            return f"begins_with({name}, {self._key(key)})"
        return f"{name} {kind} {self._key(key)}"

    def _key(self, name: str) -> str:
        return self.placeholder(self.g.key_value(name))

    def damaged(self, text: str) -> str:
        """The text, now and then written otherwise, rarely wrong."""
        if not self.g.mistake(0.03):
            return text
        words = text.split(" ")
        position = self.rng.randrange(len(words))
        match self.rng.choice(["drop", "double", "lower", "space", "insert"]):
            case "drop":
                del words[position]
            case "double":
                words.insert(position, words[position])
            case "lower":
                words = [
                    word.lower() if word in ("AND", "OR", "NOT", "SET", "REMOVE", "IN", "BETWEEN") else word
                    for word in words
                ]
            case "space":
                return text.replace(" ", "  ").replace(",", " , ").replace("(", "( ")
            case _:
                words.insert(
                    position,
                    self.rng.choice(["(", ")", ",", "=", "AND", "status", ":nope", "#nope", "foo(num)", "[0]", "."]),
                )
        return " ".join(words)
