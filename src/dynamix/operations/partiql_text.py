"""What a PartiQL statement does, as far as that has to be known before it is sent: its verb, its table, what it
selects, and whether its conditions name the partition key.

The service parses statements; this reads their words alone. Where it is not sure, it takes a statement for one without
a key. Source: DynamoDB Developer Guide, "PartiQL select statements for DynamoDB".
"""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<quoted>"(?:[^"]|"")*")"""
    r"""|(?P<word>[^\W\d]\w*)"""
    r"""|(?P<number>\d[\w.]*)"""
    r"""|(?P<sign><<|>>|<>|[<>!=]=|[^\s\w])"""
)
_OPENING, _CLOSING = frozenset("([{") | {"<<"}, frozenset(")]}") | {">>"}


class Token(NamedTuple):
    """A word of a statement: its kind, its text as written, and how many brackets are open before it."""

    kind: str
    text: str
    depth: int

    @property
    def keyword(self) -> str:
        """The word in capitals, if it may be a keyword; else nothing."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str | None:
        """The attribute or table that it may name."""
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"')
        return self.text if self.kind == "word" else None


def tokens(statement: str) -> list[Token]:
    """The words of a statement."""
    found = []
    depth = 0
    for match in _TOKEN.finditer(statement):
        text = match.group()
        depth -= text in _CLOSING
        found.append(Token(match.lastgroup or "", text, depth))
        depth += text in _OPENING
    return found


def verb(words: list[Token]) -> str:
    """The statement's first word, in capitals."""
    return words[0].keyword if words else ""


def parameters(words: list[Token]) -> int:
    """How many parameters a statement takes."""
    return sum(word.text == "?" for word in words)


def place(words: list[Token]) -> tuple[str, str | None] | None:
    """The table that a SELECT reads, and the index, if it names one."""
    start = _find(words, "FROM")
    rest = words[start + 1 :]
    if start < 0 or not rest or rest[0].name is None:
        return None
    index = rest[2].name if len(rest) > 2 and rest[1].text == "." else None
    return rest[0].name, index


def selected(words: list[Token]) -> list[str] | None:
    """The attributes that a SELECT asks for, None for all. Raises ValueError for what is no attribute of the item."""
    listed = words[1 : _find(words, "FROM")]
    if [word.text for word in listed] == ["*"]:
        return None
    names = []
    for part in _parts(listed, ","):
        if len(part) != 1 or part[0].name is None:
            raise ValueError(" ".join(word.text for word in part))
        names.append(part[0].name)
    return names


def chooses(words: list[Token], key: str) -> bool:
    """Whether a SELECT has a condition, which every item found must meet, that the attribute `key` equals a value or
    one of several."""
    start = _find(words, "WHERE")
    if start < 0:
        return False
    end = _find(words, "ORDER", start)
    condition = words[start + 1 : end if end >= 0 else len(words)]
    if any(word.keyword == "OR" and word.depth == 0 for word in condition):
        return False
    return any(_equals(part, key) for part in _parts(condition, "AND"))


def _equals(part: list[Token], key: str) -> bool:
    if len(part) < 3 or part[0].name != key:
        return False
    if part[1].text == "=":
        return len(part) == 3 and (part[2].text == "?" or part[2].kind in ("text", "number"))
    return part[1].keyword == "IN" and part[2].text in _OPENING and part[-1].text in _CLOSING


def _find(words: list[Token], keyword: str, start: int = 0) -> int:
    """The first place of a keyword outside of brackets, -1 for none."""
    places = (n for n in range(start, len(words)) if words[n].keyword == keyword and words[n].depth == 0)
    return next(places, -1)


def _parts(words: list[Token], separator: str) -> list[list[Token]]:
    """Words cut at a separator that is outside of brackets."""
    parts: list[list[Token]] = [[]]
    for word in words:
        if word.depth == 0 and separator in (word.keyword, word.text):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
