"""The forms in which other programs store times, by name, and those that two functions make.

    pynamodb      2024-03-01T12:30:15.250000+0000     always six digits
    bloop         2024-03-01T12:30:15.250000+00:00    always six digits
    pydantic      2024-03-01T12:30:15.250000Z         no digits where there is no fraction; offsets are kept
    pydynox       2024-03-01T12:30:15.250000+00:00    the same as Python prints it; offsets are kept
    javascript    2024-03-01T12:30:15.250Z            always three digits
    seconds       1709296215                          a number
    milliseconds  1709296215250                       a number

A time without an offset is taken to be in UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from dynamix.codec.forms import Form, Number, Text
from dynamix.codec.numbers import EXACT
from dynamix.codec.values import UnstorableError, encode
from dynamix.errors import ModelDefinitionError
from dynamix.interrupts import let_pass

Name: TypeAlias = Literal["pynamodb", "bloop", "pydantic", "pydynox", "javascript", "seconds", "milliseconds"]
Functions: TypeAlias = tuple[Callable[[datetime], str | int | Decimal], Callable[[Any], datetime]]
"""What makes a text or a number of a time in UTC, and a time of it. A number is read as int, or else as Decimal."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def in_utc(moment: datetime) -> datetime:
    """A datetime in UTC; one without an offset is taken to be that."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)


def _with_offset(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment


class Moments(NamedTuple):
    """How times are stored: as `tag`, "S" or "N", whether that sorts as they do, the two ways, and whether all that is
    read is in UTC."""

    tag: str
    sorts: bool
    write: Callable[[datetime], str]
    read: Callable[[str], datetime]
    in_utc: bool = True

    def kept(self, moment: datetime) -> datetime:
        """The time that is left of one once it is stored."""
        return self.read(self.write(moment))

    def exact(self, moment: datetime) -> str:
        """What is stored of a time. Raises UnstorableError where that would lose a part of it."""
        text = self.write(moment)
        if in_utc(self.read(text)) != in_utc(moment):
            raise UnstorableError(f"it would be stored as {text}, which loses a part of it; cut it to what that holds")
        return text

    @property
    def form(self) -> Form:
        """How generated code reads and writes it."""
        struct, read, write = Number if self.tag == "N" else Text, f"read_{id(self.read)}", f"write_{id(self.read)}"
        names = {read: self.read, write: self.exact, "datetime": datetime}
        written = f'{{"{self.tag}": {write}(v)}}'
        return Form(struct, f"{read}(v.{self.tag})", "type(v) is datetime", written, names, frozen=True)


def _read_text(text: str) -> datetime:
    return in_utc(datetime.fromisoformat(text))


def _read_offset(text: str) -> datetime:
    return _with_offset(datetime.fromisoformat(text))


def _pynamodb(moment: datetime) -> str:
    return f"{in_utc(moment).isoformat(timespec='microseconds')[:-6]}+0000"


def _bloop(moment: datetime) -> str:
    return in_utc(moment).isoformat(timespec="microseconds")


def _pydantic(moment: datetime) -> str:
    text = _with_offset(moment).isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _pydynox(moment: datetime) -> str:
    return _with_offset(moment).isoformat()


def _javascript(moment: datetime) -> str:
    return f"{in_utc(moment).isoformat(timespec='milliseconds')[:-6]}Z"


def _since_epoch(microseconds: int) -> Moments:
    """A number of units of so many microseconds since 1970."""
    unit = timedelta(microseconds=microseconds)

    def read(text: str) -> datetime:
        count = EXACT.multiply(Decimal(text), microseconds)
        if count != count.to_integral_value(context=EXACT):
            raise UnstorableError("it has a part of a microsecond")
        return _EPOCH + int(count) * _MICROSECOND

    return Moments("N", True, lambda moment: str((in_utc(moment) - _EPOCH) // unit), read)


_NAMED = {
    "pynamodb": Moments("S", True, _pynamodb, _read_text),
    "bloop": Moments("S", True, _bloop, _read_text),
    "pydantic": Moments("S", False, _pydantic, _read_offset, in_utc=False),
    "pydynox": Moments("S", False, _pydynox, _read_offset, in_utc=False),
    "javascript": Moments("S", True, _javascript, _read_text),
    "seconds": _since_epoch(1_000_000),
    "milliseconds": _since_epoch(1_000),
}


def moments(stored: Any) -> Moments:
    """The form of this name, or that two functions make. Raises ModelDefinitionError."""
    if isinstance(stored, tuple) and len(stored) == 2 and all(map(callable, stored)):
        return _made_by(*stored)
    if not isinstance(stored, str) or stored not in _NAMED:
        raise ModelDefinitionError(
            f"stored={stored!r} is neither one of {', '.join(_NAMED)} nor two functions, which write and read"
        )
    return _NAMED[stored]


@cache
def _made_by(write: Callable[[datetime], Any], read: Callable[[Any], datetime]) -> Moments:
    """The form that two functions make. Whether it sorts is tried out."""

    def content(moment: datetime) -> Any:
        ((tag, text),) = encode(write(in_utc(moment))).items()
        if tag not in ("S", "N"):
            raise UnstorableError(f"the function that writes times made {tag} of it, not a text or a number")
        return tag, text

    def value(text: str) -> datetime:
        number = Decimal(text) if tag == "N" else None
        moment = read(text if number is None else int(number) if number == int(number) else number)
        if not isinstance(moment, datetime):
            raise UnstorableError(f"the function that reads times made {moment!r} of it, which is no datetime")
        return _with_offset(moment)

    try:
        tag = content(datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC))[0]
        contents = [content(moment) for moment in samples()]
    except Exception as error:
        let_pass(error)
        raise ModelDefinitionError(f"the function that writes times fails: {type(error).__name__}: {error}") from error
    texts = [Decimal(text) if tag == "N" else text.encode() for _, text in contents]
    return Moments(tag, texts == sorted(texts), lambda moment: str(content(moment)[1]), value, in_utc=False)


def samples() -> list[datetime]:
    """Times in order, among them neighbours that differ in each part, and in the number of digits of each."""
    start = datetime(1999, 12, 31, 9, 59, 59, tzinfo=UTC)
    steps = [timedelta(microseconds=10**power) for power in range(13)]
    late = datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)  # 2 * 10**9 seconds since 1970
    moments = {base + sign * step for base in (start, late) for step in steps for sign in (-1, 0, 1)}
    return sorted(moments | {datetime(2010, 2, 1, tzinfo=UTC), datetime(2010, 11, 1, tzinfo=UTC)})
