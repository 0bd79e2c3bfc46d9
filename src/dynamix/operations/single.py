"""Writes of one item, sent so that they are repeated as the policy says.

Under "token" each is sent as a transaction of one action, with a token of its own: the service makes it once, however
often it is sent within ten minutes, so every repeat is safe. What the answer of a transaction lacks is made up for. A
failed condition brings the stored item along as the reason of its action, and becomes the error that the write alone
would have met. The new item is read afterwards, consistently; it may have what others wrote since.
"""

import os
from typing import TypeVar

import msgspec

from dynamix.errors import (
    ClientException,
    ConditionalCheckFailedError,
    DynamixError,
    InvalidRequestError,
    InvalidUpdateError,
    ItemCollectionSizeLimitExceededError,
    ThrottledError,
    TransactionCanceledError,
    TransactionConflictError,
)
from dynamix.operations.requests import Returns
from dynamix.operations.retry import RetryPolicy, request, send_write, transaction
from dynamix.wire import Call, Flow

T = TypeVar("T")

_ACTIONS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_ERRORS: dict[str | None, tuple[type[ClientException], str]] = {
    "ConditionalCheckFailed": (ConditionalCheckFailedError, "ConditionalCheckFailedException"),
    "ItemCollectionSizeLimitExceeded": (
        ItemCollectionSizeLimitExceededError,
        "ItemCollectionSizeLimitExceededException",
    ),
    "ProvisionedThroughputExceeded": (ThrottledError, "ProvisionedThroughputExceededException"),
    "ThrottlingError": (ThrottledError, "ThrottlingException"),
    "TransactionConflict": (TransactionConflictError, "TransactionConflictException"),
    "ValidationError": (InvalidRequestError, "ValidationException"),
}
"""What the reasons of a transaction's only action are called where that is written alone."""


class UntoldError(DynamixError):
    """The write was made, and what is stored now could not be read. It is caught by who asked for that."""


def send(policy: RetryPolicy, call: Call[T]) -> Flow[T]:
    """Send a put, an update or a delete of one item, and return the decoded answer. Raises what `request` raises."""
    which = policy.block().repeat_writes or policy.repeat_writes  # what `repeats` says, without a call for each write
    if which == "safe":
        return request(policy, call)
    return _by_token(policy, call) if which == "token" else send_write(policy, call)


def refuse_returns(policy: RetryPolicy, returns: Returns) -> None:
    """Refuse to tell of an item what this very write found or made, where a transaction does not tell it.

    What is read afterwards may be the work of others: two callers that count would be told the same number.
    """
    if policy.repeats == "token":
        given = "new" if returns == "ALL_NEW" else "old"
        raise InvalidUpdateError(
            f"returns={given!r} asks what this very write found or made, and a write under repeat_writes='token' is a "
            "transaction, which does not tell; leave it out and get the item, or make this write in a block of "
            "dynamix.repeat_writes('safe')"
        )


def _by_token(policy: RetryPolicy, call: Call[T]) -> Flow[T]:
    """The same as a transaction. Raises UntoldError where the new item is asked for and cannot be read."""
    members = msgspec.json.decode(call.body, type=dict[str, msgspec.Raw])
    returns = members.pop("ReturnValues", None)
    action = _ACTIONS[call.target]
    if action == "Update" and "UpdateExpression" not in members:  # it only looks whether its condition is met
        action = "ConditionCheck"
    body = {"TransactItems": [{action: members}], "ClientRequestToken": os.urandom(16).hex()}
    try:
        yield from request(policy, transaction(policy, msgspec.json.encode(body), _nothing))
    except TransactionCanceledError as error:
        alone = _alone(error)
        if alone is None:
            raise
        raise alone from error
    if returns is None:
        return call.decode(b"{}")
    wanted = {"TableName": members["TableName"], "Key": members["Key"], "ConsistentRead": True}
    try:
        item = yield from request(policy, Call("GetItem", msgspec.json.encode(wanted), _item, for_write=True))
    except DynamixError as error:
        raise UntoldError("the write was made, and reading the item failed") from error
    if item is None:
        raise UntoldError("the write was made, and the item was deleted since")
    return call.decode(msgspec.json.encode({"Attributes": item}))


def _alone(error: TransactionCanceledError) -> ClientException | None:
    """The error for the only action of a transaction, as if it had been written alone; None for what has none."""
    (reason,) = error.reasons if len(error.reasons) == 1 else (None,)
    if reason is None or reason.code not in _ERRORS:
        return None
    kind, code = _ERRORS[reason.code]
    alone = kind(reason.message or str(error), code=code, status=error.status, request_id=error.request_id)
    if isinstance(alone, ConditionalCheckFailedError):
        alone.stored_item = reason.stored_item
    return alone


def _item(body: bytes) -> msgspec.Raw | None:
    return _decode(body).get("Item")


def _nothing(body: bytes) -> None:
    _decode(body)


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
