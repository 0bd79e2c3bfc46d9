"""Any operation as the service has it: its name and the members of its request in, those of its answer out."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from dynamix.errors import ValidationException, WrongTypeError
from dynamix.operations.retry import RetryPolicy, request
from dynamix.wire import Call, Flow

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def send(policy: RetryPolicy, operation: str, body: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """The answer to one request. Nothing is known of the operation, so only one that reads is repeated when its outcome
    is unknown."""
    if not isinstance(operation, str) or re.fullmatch("[A-Z][A-Za-z0-9]*", operation) is None:
        raise ValidationException(f"{operation!r} is not the name of an operation, such as 'DescribeTable'")
    if not isinstance(body, Mapping):
        raise WrongTypeError(f"the body of {operation} must be a dict, not {body!r}", field="body", value=body)
    try:
        encoded = msgspec.json.encode(dict(body))
    except (TypeError, ValueError) as error:
        raise WrongTypeError(f"the body of {operation} cannot be JSON: {error}", field="body") from error
    call: Call[dict[str, Any]] = Call(operation, encoded, _members)
    if call.writes:
        call = msgspec.structs.replace(call, repeatable=False)
    return (yield from request(policy, call))


def _members(answer: bytes) -> dict[str, Any]:
    """The members of an answer; some operations answer with nothing at all."""
    return _decode(answer) if answer else {}
