"""Each answer of the service becomes the error that it stands for, with all that was told."""

import json
from typing import Any

import pytest

from dynamix import errors
from dynamix.wire import Response

PREFIX = "com.amazonaws.dynamodb.v20120810#"


def error_of(status: int, body: dict[str, Any] | bytes) -> errors.DynamixError:
    """The error of an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return errors.from_response(Response(status, raw, "REQUEST1"))


@pytest.mark.parametrize(("code", "kind"), sorted(errors._CLASS_BY_CODE.items()))
def test_every_code_has_its_class(code: str, kind: type[errors.ClientException]) -> None:
    """A code gives its class, with or without the service's prefix, in both spellings of the message."""
    for body in ({"__type": PREFIX + code, "message": "said"}, {"__type": code, "Message": "said"}):
        error = error_of(400, body)
        assert type(error) is kind
        assert isinstance(error, errors.ClientException)
        assert (str(error), error.code, error.status, error.request_id) == ("said", code, 400, "REQUEST1")


def test_an_unknown_code_is_kept() -> None:
    """A code that dynamix does not know is a ClientException that carries it; a 5xx is a service failure."""
    error = error_of(400, {"__type": PREFIX + "BrandNewException"})
    assert type(error) is errors.ClientException
    assert (str(error), error.code) == ("BrandNewException", "BrandNewException")
    assert type(error_of(500, {"__type": "BrandNew"})) is errors.ServiceUnavailableError


def test_an_answer_that_is_not_dynamodbs() -> None:
    """A web page, or JSON of another service, says that the address may be wrong; a broken 5xx is a failure."""
    for body in (b"<html>hello</html>", b"{}", b"[]", b""):
        assert isinstance(error_of(404, body), errors.InvalidAnswerError)
        assert isinstance(error_of(503, body), errors.ServiceUnavailableError)


def test_a_failed_condition_brings_the_item() -> None:
    """Where the request asked for it, the stored item is in the error."""
    item = {"key": {"S": "k"}}
    error = error_of(400, {"__type": "ConditionalCheckFailedException", "message": "no", "Item": item})
    assert isinstance(error, errors.ConditionalCheckFailedError)
    assert error.stored_item == item
    bare = error_of(400, {"__type": "ConditionalCheckFailedException", "message": "no"})
    assert isinstance(bare, errors.ConditionalCheckFailedError)
    assert bare.item is None


def test_a_cancelled_transaction_gives_its_reasons() -> None:
    """There is a reason for each action, in order; the literal "None" is no reason."""
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "no", "Item": {"key": {"S": "k"}}},
        {"Code": "TransactionConflict", "message": "busy"},
    ]
    error = error_of(400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons})
    assert isinstance(error, errors.TransactionCanceledError)
    assert error.reasons == (
        errors.CancellationReason(None),
        errors.CancellationReason("ConditionalCheckFailed", "no", {"key": {"S": "k"}}),
        errors.CancellationReason("TransactionConflict", "busy"),
    )


def test_misuse_is_also_pythons_own_error() -> None:
    """Errors of misuse are ValueErrors or TypeErrors too, so that general code can catch them."""
    assert issubclass(errors.ValidationException, ValueError)
    assert issubclass(errors.WrongTypeError, TypeError)
    assert issubclass(errors.UnknownNameError, TypeError)
    assert issubclass(errors.FieldNotLoadedError, AttributeError)
    assert issubclass(errors.RequestTimeoutError, TimeoutError)
