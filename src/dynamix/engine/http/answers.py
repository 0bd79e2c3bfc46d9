"""Answers as bytes: the head that SDKs look at, and the body."""

import os
import time
import zlib
from base64 import b32encode
from http import HTTPStatus

from dynamix.engine.faults import Fault

JSON = "application/x-amz-json-1.0"
BLANK_LINE = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ID_LETTERS = 52
_IDS_AT_ONCE = 100  # asking the system for randomness takes longer than what else there is to an id
_REASONS = {status.value: status.phrase for status in HTTPStatus}


def answer(status: int, body: bytes, content_type: str = JSON, *, keep_alive: bool = True, more: str = "") -> bytes:
    """A whole answer. `more` are further lines of its head."""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        f"Server: Server\r\n"
        f"Date: {_date()}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        f"x-amzn-RequestId: {_request_id()}\r\n"
        f"x-amz-crc32: {zlib.crc32(body)}\r\n{more}\r\n"
    )
    return head.encode("latin-1") + body


def refusal(fault: Fault) -> bytes:
    """An answer after which the connection ends."""
    return answer(fault.status, fault.body(), keep_alive=False)


def _request_id() -> str:
    try:
        return _ids.pop()
    except IndexError:
        letters = b32encode(os.urandom(_IDS_AT_ONCE * _ID_LETTERS * 5 // 8)).decode()
        _ids.extend(letters[at : at + _ID_LETTERS] for at in range(_ID_LETTERS, len(letters), _ID_LETTERS))
        return letters[:_ID_LETTERS]


def _date() -> str:
    """The time now as HTTP writes it; one text serves a whole second."""
    global _last_date
    now = int(time.time())
    if _last_date[0] != now:
        year, month, day, hour, minute, second, weekday, *_ = time.gmtime(now)
        clock = f"{hour:02}:{minute:02}:{second:02}"
        _last_date = now, f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {clock} GMT"
    return _last_date[1]


_ids: list[str] = []
_last_date = 0, ""
