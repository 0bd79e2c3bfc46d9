"""Flows of PartiQL statements."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from dynamix.errors import (
    ConditionalCheckFailedError,
    DynamixError,
    InvalidCursorError,
    InvalidQueryError,
    InvalidRequestError,
    ItemExistsError,
    StatementsFailedError,
    TableNotFoundError,
    ThrottledError,
    TransactionCanceledError,
    from_code,
)
from dynamix.limits import BATCH_STATEMENTS, TRANSACT_ACTIONS
from dynamix.operations import retry
from dynamix.operations.explained import explained
from dynamix.operations.indexes import LiveIndexes
from dynamix.operations.retry import RetryPolicy, request, send_write
from dynamix.operations.statement import Plan
from dynamix.wire import Call, Flow, Item, Pause, Together

M = TypeVar("M")


class Rows(list[M], Generic[M]):
    """What a statement found. `cursor` says where the next page begins; None where there is nothing more."""

    cursor: str | None = None


def execute(
    policy: RetryPolicy, live: LiveIndexes, asked: Plan, limit: int | None, cursor: str | None
) -> Flow[Rows[Any]]:
    """Run a statement, page after page, until it has found `limit` rows or there are no more. Raises InvalidCursorError
    for a cursor that the service does not take."""
    if asked.table is not None and asked.index is not None:
        asked = asked.knowing((yield from live.held(policy, asked.table, asked.index)))
    rows: Rows[Any] = Rows()
    body = dict(_telling(asked))
    while True:
        if cursor is not None:
            body["NextToken"] = cursor
        if limit is not None:
            body["Limit"] = limit - len(rows)
        call = Call("ExecuteStatement", msgspec.json.encode(body), _decode_page, repeatable=asked.reads)
        try:
            page = yield from request(policy, call)
        except DynamixError as error:
            if cursor is not None and isinstance(error, InvalidRequestError) and "NextToken" in str(error):
                raise InvalidCursorError(
                    f"the cursor cannot continue this statement; pass rows.cursor only to the one that gave it: {error}"
                ) from error
            raise _explained(error, [asked]) from error
        rows += [row for row in map(asked.parse, page.Items) if row is not None]
        rows.cursor = cursor = page.NextToken
        if cursor is None or (limit is not None and len(rows) >= limit):
            return rows


def _explained(error: DynamixError, plans: Sequence[Plan]) -> DynamixError:
    """The same error, which knows that reading stores nothing, which table does not exist, which item is stored."""
    if all(asked.reads for asked in plans):
        error.applied = "no"
    tables = [asked.table for asked in plans if asked.table is not None]
    if isinstance(error, TableNotFoundError) and tables:
        return explained(tables, error)
    if isinstance(error, ConditionalCheckFailedError) and len(plans) == 1:
        return _met(error, plans[0])
    return error


def _met(error: ConditionalCheckFailedError, asked: Plan) -> ConditionalCheckFailedError:
    """The same error with the stored instance. An INSERT fails where there is one, by whichever name the server has."""
    if asked.verb == "INSERT" and not isinstance(error, ItemExistsError):
        told = ItemExistsError(str(error), code=error.code, status=error.status, request_id=error.request_id)
        told.stored_item = error.stored_item
        error = told
    if error.stored_item is not None:
        error.item = _stored(asked, error.stored_item)
    return error


def _stored(asked: Plan, item: Item) -> Any:
    """The instance of a stored item, None where it cannot be read."""
    if asked.table is None:
        return None
    try:
        return asked.table.schema.codec.reader(asked.table.name).instance(item)
    except DynamixError:
        return None


def transaction(policy: RetryPolicy, plans: Sequence[Plan], token: str | None) -> Flow[list[Any]]:
    """Run statements together or not at all; one row or None for each."""
    if len(plans) > TRANSACT_ACTIONS:
        raise InvalidQueryError(f"a transaction takes {TRANSACT_ACTIONS} statements, and {len(plans)} were given")
    if not plans:
        return []
    body = {
        "TransactStatements": [_telling(asked) for asked in plans],
        "ClientRequestToken": token or os.urandom(16).hex(),
    }
    try:
        send = request if all(asked.reads for asked in plans) else send_write
        decode = partial(_responses, len(plans), True)
        call = retry.transaction(policy, msgspec.json.encode(body), decode, "ExecuteTransaction")
        answer = yield from send(policy, call)
    except TransactionCanceledError as error:
        if len(error.reasons) == len(plans):
            error.reasons = tuple(map(_reason, error.reasons, plans))
        raise _explained(error, plans) from error
    except DynamixError as error:
        raise _explained(error, plans) from error
    return [_row(asked, response) for asked, response in zip(plans, answer, strict=True)]


def _reason(reason: Any, asked: Plan) -> Any:
    """The same reason with the model, and with the stored instance as far as it can be read."""
    model = None if asked.table is None else asked.table.schema.model
    item = None if reason.stored_item is None else _stored(asked, reason.stored_item)
    return msgspec.structs.replace(reason, model=model, action="statement", item=item)


def batch(policy: RetryPolicy, plans: Sequence[Plan]) -> Flow[list[Any]]:
    """Run any number of statements, each for itself; one row or None for each. A request has reads only or writes only.

    Raises StatementsFailedError where some failed.
    """
    chunks = []
    for reads in (True, False):
        numbered = [(number, asked) for number, asked in enumerate(plans) if asked.reads is reads]
        chunks += [numbered[start : start + BATCH_STATEMENTS] for start in range(0, len(numbered), BATCH_STATEMENTS)]
    outcomes: dict[int, Any] = {}
    yield Together([_chunk(policy, chunk, outcomes) for chunk in chunks], lets_finish=True)
    failed = {number: outcome for number, outcome in sorted(outcomes.items()) if isinstance(outcome, DynamixError)}
    results = [None if number in failed else outcomes[number] for number in range(len(plans))]
    if failed:
        raise _failed(plans, failed, results)
    return results


def _chunk(policy: RetryPolicy, chunk: list[tuple[int, Plan]], outcomes: dict[int, Any]) -> Flow[None]:
    """Run the statements of one request; those that were throttled again, as often as the policy says."""
    for repeat in range(policy.attempts):
        body = {"Statements": [_telling(asked) for _, asked in chunk]}
        call = Call(
            "BatchExecuteStatement",
            msgspec.json.encode(body),
            partial(_responses, len(chunk), False),
            repeatable=chunk[0][1].reads,
        )
        try:
            responses = yield from request(policy, call)
        except DynamixError as error:
            for number, asked in chunk:
                outcomes[number] = _explained(error, [asked]) if asked.reads else error
            return
        for (number, asked), response in zip(chunk, responses, strict=True):
            outcomes[number] = _outcome(asked, response)
        chunk = [(number, asked) for number, asked in chunk if isinstance(outcomes[number], ThrottledError)]
        if not chunk or repeat == policy.attempts - 1:
            return
        yield Pause(policy.delay(repeat, throttled=True), f"{len(chunk)} statements were throttled", True)


def _telling(asked: Plan) -> dict[str, Any]:
    """The members of a statement, which brings the stored item where a condition of its fails."""
    return asked.body if asked.reads else {**asked.body, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _row(asked: Plan, response: "_Response") -> Any:
    return None if response.Item is None else asked.parse(response.Item)


def _outcome(asked: Plan, response: "_Response") -> Any:
    if response.Error is None:
        return _row(asked, response)
    error = from_code(response.Error.Code, response.Error.Message, response.Error.Item)
    if response.Error.Code == "InternalServerError" and not asked.reads:
        error.applied = "maybe"
    return _explained(error, [asked])


def _failed(plans: Sequence[Plan], failed: dict[int, DynamixError], results: list[Any]) -> StatementsFailedError:
    first = next(iter(failed))
    error = StatementsFailedError(
        f"{len(failed)} of {len(plans)} statements failed; the first of them, {plans[first].body['Statement']!r}, with "
        f"{type(failed[first]).__name__}: {failed[first]}"
    )
    error.errors, error.results = failed, tuple(results)
    writes = [failed[number].applied if number in failed else "yes" for number, p in enumerate(plans) if not p.reads]
    if "maybe" in writes:
        error.applied = "maybe"
    elif "yes" in writes:
        error.applied = "partly"
    error.__cause__ = failed[first]
    return error


class _Page(Struct):
    Items: list[Item] = []
    NextToken: str | None = None


class _Error(Struct):
    Code: str = ""
    Message: str = ""
    Item: dict[str, Any] | None = None


class _Response(Struct):
    Item: dict[str, Any] | None = None
    Error: _Error | None = None


class _Responses(Struct):
    Responses: list[_Response] = []


_decode_page = msgspec.json.Decoder(_Page).decode
_responses_of = msgspec.json.Decoder(_Responses).decode


def _responses(number: int, may_lack: bool, body: bytes) -> list[_Response]:
    """The responses to so many statements. Writes of a transaction may have none."""
    responses = _responses_of(body).Responses
    if len(responses) != number and (responses or not may_lack):
        raise msgspec.DecodeError(f"it has {len(responses)} responses to {number} statements")
    return responses or [_Response()] * number
