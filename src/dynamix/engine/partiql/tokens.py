"""The words of a statement.

A word is a name or a keyword, which are told apart by where they stand. Keywords are not case-sensitive, names are. A
text in single quotes is a string, one in double quotes a name; a quote inside is written twice.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from dynamix.engine.faults import Fault, invalid

Kind = Literal["word", "name", "string", "number", "mark", "end"]

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<word>[A-Za-z_$][\w$]*)
    |"(?P<name>(?:[^"]|"")*)"
    |'(?P<string>(?:[^']|'')*)'
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<mark><<|>>|<>|!=|<=|>=|[-+*=<>(){}\[\],.:?;])""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One word of a statement; `text` is without quotes."""

    kind: Kind
    text: str

    @property
    def keyword(self) -> str:
        """The word in capitals where it may be a keyword, else nothing."""
        return self.text.upper() if self.kind == "word" else ""


def malformed(statement: str) -> Fault:
    """The refusal of a statement that cannot be read."""
    return invalid(f"Statement wasn't well formed, can't be processed: {statement}")


def tokens(statement: str) -> Iterator[Token]:
    """The words of a statement, and an end. Raises Fault for what is none."""
    position = 0
    while position < len(statement):
        found = _TOKEN.match(statement, position)
        if found is None:
            raise malformed(statement)
        position = found.end()
        kind = found.lastgroup
        text = found[kind or 0]
        match kind:
            case "word" | "number" | "mark":
                yield Token(kind, text)
            case "name":
                yield Token("name", text.replace('""', '"'))
            case "string":
                yield Token("string", text.replace("''", "'"))
    yield Token("end", "")
