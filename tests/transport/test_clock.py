"""A machine whose clock is wrong: the service refuses the time of its signatures, and says its own."""

import threading
import time
from calendar import timegm
from email.utils import formatdate
from typing import Any

import pytest
from peer import SECONDS, Conversation, always, answer, peer, refusal
from sides import KEYS, Side

import dynamix
from dynamix import Connection


class Service:
    """Takes signatures whose time is at most five minutes away from its own clock. The first requests are answered
    when as many have come as are to meet."""

    def __init__(self, ahead: int, meeting: threading.Barrier | None = None) -> None:
        self.ahead = ahead
        self._meeting = meeting

    def talk(self, conversation: Conversation) -> None:
        """What is done on each connection."""
        while (request := conversation.read()) is not None:
            if self._meeting is not None:
                self._meeting.wait(SECONDS)
                self._meeting = None
            now = time.time() + self.ahead
            signed = time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
            date = f"Date: {formatdate(now, usegmt=True)}"
            if abs(timegm(signed) - now) > 300:
                conversation.send(refusal("InvalidSignatureException", 400, date))
            else:
                conversation.send(answer(b'{"n": 1}', date))


@pytest.mark.parametrize("ahead", [3600, -7200, 86400])
def test_a_signature_is_made_anew_by_the_services_clock(ahead: int, side: Side) -> None:
    """A request that was refused for its time is signed once more, also a write; later ones are right at once."""
    service = Service(ahead)
    with (
        peer(service.talk) as there,
        Connection(endpoint_url=f"http://127.0.0.1:{there.port}", max_attempts=1, **KEYS) as connection,
    ):
        assert side.write(connection) == {"n": 1}
        assert len(there.requests) == 2
        assert there.requests[0].body == there.requests[1].body
        assert side.write(connection) == side.ask(connection) == {"n": 1}
        assert len(there.requests) == 4
        service.ahead = 0  # the clock here is set right
        assert side.write(connection) == {"n": 1}
        assert len(there.requests) == 6
        side.close(connection)


def test_requests_at_once_are_all_signed_anew(side: Side) -> None:
    """What one of them has learnt of the clock is not taken for a reason to refuse the others."""
    service = Service(3600, threading.Barrier(8))
    with (
        peer(service.talk) as there,
        Connection(endpoint_url=f"http://127.0.0.1:{there.port}", max_attempts=1, **KEYS) as connection,
    ):
        asked = [side.start(connection, "UpdateItem", repeatable=False) for _ in range(8)]
        assert [one.result(SECONDS) for one in asked] == [{"n": 1}] * 8
        side.close(connection)


def test_new_credentials_go_by_the_same_clock(side: Side) -> None:
    """What was learnt of the clock is kept when the credentials change."""
    with (
        peer(Service(3600).talk) as there,
        Connection(endpoint_url=f"http://127.0.0.1:{there.port}", **KEYS) as connection,
    ):
        side.write(connection)
        transport: Any = connection._transport
        transport._signer = None
        side.write(connection)
        assert len(there.requests) == 3
        side.close(connection)


@pytest.mark.parametrize(
    ("code", "date"),
    [
        ("InvalidSignatureException", None),
        ("InvalidSignatureException", ["Date: some time ago"]),
        ("InvalidSignatureException", ["Date:"]),
        ("InvalidSignatureException", []),
        ("AccessDeniedException", [f"Date: {formatdate(0, usegmt=True)}"]),
    ],
    ids=["the clock is right", "no date", "empty", "none", "another reason"],
)
def test_other_refusals_are_final(code: str, date: list[str] | None, side: Side) -> None:
    """A signature that is refused for another reason, or with no time to go by, is not made anew."""
    now = [f"Date: {formatdate(usegmt=True)}"]
    with (
        peer(always(refusal(code, 400, *(now if date is None else date)))) as there,
        Connection(endpoint_url=f"http://127.0.0.1:{there.port}", **KEYS) as connection,
    ):
        with pytest.raises(dynamix.AccessDeniedError):
            side.write(connection)
        assert len(there.requests) == 1
        side.close(connection)


def test_a_service_that_refuses_again(side: Side) -> None:
    """The request is signed anew once, whatever comes then."""
    said = [
        refusal("InvalidSignatureException", 400, f"Date: {formatdate(time.time() + n, usegmt=True)}")
        for n in (9e3, 9e4)
    ]
    with (
        peer(always(*said)) as there,
        Connection(endpoint_url=f"http://127.0.0.1:{there.port}", **KEYS) as connection,
    ):
        with pytest.raises(dynamix.AccessDeniedError):
            side.write(connection)
        assert len(there.requests) == 2
        side.close(connection)
