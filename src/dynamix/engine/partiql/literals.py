"""The literals of a statement: strings, numbers, truth, null, lists, maps, sets, and parameters, written `?`."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from dynamix.engine.data.values import check_value
from dynamix.engine.faults import invalid
from dynamix.engine.partiql.tokens import Token, malformed, tokens
from dynamix.limits import NESTING_LEVELS
from dynamix.wire import AttributeValue

T = TypeVar("T")

_WORDS: dict[str, AttributeValue] = {"TRUE": {"BOOL": True}, "FALSE": {"BOOL": False}, "NULL": {"NULL": True}}
_SETS = {"S": "SS", "N": "NS", "B": "BS"}


class LiteralReader:
    """Reads a statement word by word, and the literals in it."""

    def __init__(self, statement: str, parameters: Sequence[AttributeValue]) -> None:
        self.text = statement
        self._tokens = list(tokens(statement))
        self._position = 0
        self._parameters = [check_value(parameter) for parameter in parameters]
        self._used = 0

    @property
    def token(self) -> Token:
        """The word that comes next."""
        return self._tokens[self._position]

    @property
    def following(self) -> Token:
        """The word after that."""
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next word, which is passed."""
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def passed(self, *texts: str) -> bool:
        """Whether these keywords or marks come next; then they are passed."""
        ahead = self._tokens[self._position : self._position + len(texts)]
        for token, text in zip(ahead, texts, strict=False):
            if text not in (token.keyword, token.text if token.kind == "mark" else ""):
                return False
        if len(ahead) < len(texts):
            return False
        self._position += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        """Pass these keywords or marks. Raises Fault where something else stands there."""
        if not self.passed(*texts):
            raise malformed(self.text)

    def end(self) -> None:
        """Raises Fault unless the statement ends here and has used all its parameters."""
        self.passed(";")
        if self.token.kind != "end":
            raise malformed(self.text)
        if self._used != len(self._parameters):
            raise _wrong_number()

    def starts_literal(self) -> bool:
        """Whether a literal comes next."""
        token = self.token
        if token.kind == "mark":
            return token.text in ("?", "[", "{", "<<", "-", "+")
        return token.kind in ("string", "number") or token.keyword in _WORDS

    def literal(self, levels: int = NESTING_LEVELS) -> AttributeValue:
        """The literal that comes next, checked. `levels` is how deep it may nest, itself included."""
        if levels < 1:
            raise invalid("Nesting Levels have exceeded supported limits")
        token = self.take()
        match token.kind, token.keyword or token.text:
            case "string", text:
                return {"S": text}
            case "number", text:
                return check_value({"N": text})
            case "mark", ("-" | "+") as sign if self.token.kind == "number":
                return check_value({"N": self.take().text if sign == "+" else f"-{self.take().text}"})
            case "mark", "?":
                return self._parameter()
            case "mark", "[":
                return {"L": self._elements("]", lambda: self.literal(levels - 1))}
            case "mark", "<<":
                return self._set(self._elements(">>", lambda: self.literal(1)))
            case "mark", "{":
                return {"M": self._members(levels - 1)}
            case "word", word if word in _WORDS:
                return _WORDS[word]
        raise malformed(self.text)

    def _parameter(self) -> AttributeValue:
        if self._used == len(self._parameters):
            raise _wrong_number()
        self._used += 1
        return self._parameters[self._used - 1]

    def _elements(self, closing: str, element: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while not self.passed(closing):
            if found:
                self.expect(",")
            found.append(element())
        return found

    def _members(self, levels: int) -> dict[str, AttributeValue]:
        members: dict[str, AttributeValue] = {}
        for name, value in self._elements("}", lambda: self._member(levels)):
            if name in members:
                raise invalid(f"Duplicate keys in tuple. Key: {name}")
            members[name] = value
        return members

    def _member(self, levels: int) -> tuple[str, AttributeValue]:
        token = self.take()
        if token.kind != "string":
            raise invalid("Tuple keys must be of type String.")
        self.expect(":")
        return token.text, self.literal(levels)

    def _set(self, elements: list[AttributeValue]) -> AttributeValue:
        kinds = {kind for element in elements for kind in element}
        if not kinds:
            raise invalid("Empty bags are not supported")
        if len(kinds) > 1 or not kinds <= _SETS.keys():
            raise invalid("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
        (kind,) = kinds
        return check_value({_SETS[kind]: [element[kind] for element in elements]})


def _wrong_number() -> Exception:
    return invalid("Number of parameters in request and statement don't match.")
