"""The words of an expression's text, and the error that every later step raises too."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<name>\#[A-Za-z0-9_]+)
    | (?P<value>:[A-Za-z0-9_]+)
    | (?P<index>0|[1-9][0-9]*)
    | (?P<symbol><>|<=|>=|[][=<>().,+-])
    | (?P<strange>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})


class ExpressionError(ValueError):
    """An expression that the service refuses, in its words: what follows "Invalid ConditionExpression: "."""


class Token(NamedTuple):
    """One word of an expression. `kind` is word, name, value, index, end, strange, or the keyword or symbol itself."""

    kind: str
    text: str
    start: int


class Tokens:
    """The tokens of a text, read from left to right.

    Looking past the last one gives a token of the kind "end", as often as wanted.
    """

    __slots__ = ("_tokens", "position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._tokens = list(_scan(text))

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self._tokens[self.position].kind

    @property
    def following(self) -> str:
        """The kind of the token after the next."""
        return self._tokens[min(self.position + 1, len(self._tokens) - 1)].kind

    def take(self) -> str:
        """The text of the next token, which is passed over."""
        text = self._tokens[self.position].text
        self.position += 1
        return text

    def accept(self, kind: str) -> bool:
        """Pass over the next token if it is of this kind; says whether it was."""
        if self._tokens[self.position].kind != kind:
            return False
        self.position += 1
        return True

    def expect(self, kind: str) -> str:
        """The text of the next token, which must be of this kind."""
        if self._tokens[self.position].kind != kind:
            raise self.unexpected()
        return self.take()

    def kinds(self) -> list[str]:
        """The kinds of all tokens."""
        return [token.kind for token in self._tokens]

    def unexpected(self) -> ExpressionError:
        """The error that points at the next token, with its neighbours."""
        token = self._tokens[self.position]
        start = self._tokens[self.position - 1].start if self.position else 0
        after = self._tokens[min(self.position + 1, len(self._tokens) - 1)]
        near = self.text[start : after.start + len(after.text)] if after.kind != "end" else self.text[start:]
        shown = token.text if token.kind != "end" else "<EOF>"
        return ExpressionError(f'Syntax error; token: "{shown}", near: "{near}"')


def _scan(text: str) -> list[Token]:
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        word = match[0]
        if kind == "word" and word.upper() in _KEYWORDS:
            kind = word.upper()
        elif kind == "symbol":
            kind = word
        if kind != "space":
            tokens.append(Token(kind, word, match.start()))
    tokens.append(Token("end", "", len(text)))
    return tokens
