"""What is sent again, over real connections: by the error's code, on both sides."""

import gzip
import json
from typing import Any

import pytest
from peer import Conversation, always, answer, peer, refusal
from sides import Side

import dynamix
from dynamix import Connection

QUICK: Any = {"retry_delay": 0.001, "throttle_delay": 0.001, "max_attempts": 3}
FOUND = answer(b'{"found": true}')


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("ThrottlingException", 400),
        ("Throttling", 400),
        ("RequestLimitExceeded", 400),
        ("TransactionConflictException", 400),
        ("LimitExceededException", 400),
        ("ReplicatedWriteConflictException", 400),
        ("ServiceUnavailable", 503),
    ],
)
def test_what_was_surely_not_applied_is_sent_again(code: str, status: int, side: Side) -> None:
    """Where the service says that it did nothing, a write too is repeated, on the same connection."""
    refused = refusal(code, status, "x-amzn-RequestId: REQUEST1")
    with peer(always(refused, refused, FOUND)) as there:
        with Connection(is_local_endpoint=there.address, **QUICK) as connection:
            assert side.write(connection) == {"found": True}
            side.close(connection)
        assert (there.connections, len(there.requests)) == (1, 3)
        assert len({request.body for request in there.requests}) == 1
    with peer(always(refused)) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        with pytest.raises(dynamix.ClientException, match="said by the peer") as caught:
            side.write(connection)
        assert (caught.value.code, caught.value.status, caught.value.request_id) == (code, status, "REQUEST1")
        assert len(there.requests) == 3
        side.close(connection)


@pytest.mark.parametrize(
    "failure",
    [
        refusal("InternalServerError", 500),
        refusal("TransactionInProgressException", 400),
        answer(b"<html>bad gateway", status=502),
        answer(b"<html>no backend", status=503),
        answer(b"", status=504),
        answer(b"{}").replace(b"{}", b"[]"),
        answer(b"no JSON"),
        answer(gzip.compress(b"{}"), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\n" + b"X-Large: header\r\n" * 10_000 + b"\r\n",
    ],
    ids=["500", "in progress", "502", "503", "504", "wrong checksum", "no JSON", "gzip", "large headers"],
)
def test_what_was_perhaps_applied(failure: bytes, side: Side) -> None:
    """A failure or a damaged answer is repeated where that is harmless; of another write the outcome is unknown."""
    number = 0

    def talk(conversation: Conversation) -> None:
        nonlocal number
        while conversation.read() is not None:
            number += 1
            conversation.send(FOUND if number == 3 else failure)

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        assert side.ask(connection) == {"found": True}
        assert len(there.requests) == 3
        with pytest.raises(dynamix.OutcomeUnknownError) as caught:
            side.write(connection)
        assert caught.value.__cause__ is not None
        assert len(there.requests) == 4
        side.close(connection)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ValidationException", dynamix.InvalidRequestError),
        ("ConditionalCheckFailedException", dynamix.ConditionalCheckFailedError),
        ("ResourceNotFoundException", dynamix.TableNotFoundError),
        ("ResourceInUseException", dynamix.TableInUseError),
        ("ItemCollectionSizeLimitExceededException", dynamix.ItemCollectionSizeLimitExceededError),
        ("IdempotentParameterMismatchException", dynamix.IdempotentParameterMismatchError),
        ("TransactionCanceledException", dynamix.TransactionCanceledError),
        ("DuplicateItemException", dynamix.ItemExistsError),
        ("SerializationException", dynamix.ClientException),
    ],
)
def test_what_cannot_be_helped_is_sent_once(code: str, kind: type[dynamix.ClientException], side: Side) -> None:
    """An error that would be the same again is raised at once, with code, status and request id."""
    refused = refusal(code, 400, "x-amzn-requestid: REQUEST1")
    with peer(always(refused)) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        with pytest.raises(kind, match="said by the peer") as caught:
            side.ask(connection)
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.status, caught.value.request_id) == (code, 400, "REQUEST1")
        assert len(there.requests) == 1
        side.close(connection)


@pytest.mark.parametrize("spelling", ["message", "Message"])
def test_both_spellings_of_the_message(spelling: str, side: Side) -> None:
    """The service spells the member both ways."""
    body = json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", spelling: "spelt"}).encode()
    refused = answer(body, status=400)
    with peer(always(refused)) as there, Connection(is_local_endpoint=there.address) as connection:
        with pytest.raises(dynamix.AccessDeniedError, match=r"^spelt$"):
            side.ask(connection)
        side.close(connection)


def test_one_attempt_is_one_request(side: Side) -> None:
    """With `max_attempts=1` nothing is repeated."""
    with peer(always(refusal("ThrottlingException"))) as there:
        with Connection(is_local_endpoint=there.address, max_attempts=1) as connection:
            with pytest.raises(dynamix.ThrottledError):
                side.ask(connection)
            side.close(connection)
        assert len(there.requests) == 1
