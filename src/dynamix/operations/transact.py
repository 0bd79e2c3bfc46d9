"""Flows that write or read several items at once, all or none.

A transaction is one TransactWriteItems. A client token, with which the service makes it once however often it is sent,
lets every repeat be safe: of a lost answer, of a conflict with other requests, of one that is still running.

Where an update was planned for another item than is stored, the cancelled transaction brings that along, and the plan
is made anew. The new one has another body and so another token; no attempt of the old one can be applied any more, for
the service refused it while no answer was outstanding. Under a token that the caller gave nothing is planned anew: the
caller may come back with it, and what it stands for must not change.

Where items have unique values, their guards are written with them (see `dynamix.operations.guards`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from dynamix.codec import sizes
from dynamix.errors import (
    CancellationReason,
    DynamixError,
    IdempotentParameterMismatchError,
    InvalidRequestError,
    InvalidUpdateError,
    StoredValueError,
    TableNotFoundError,
    TransactionCanceledError,
)
from dynamix.limits import TRANSACT_ACTIONS, TRANSACT_BYTES
from dynamix.operations import requests
from dynamix.operations.asked import Asked, place
from dynamix.operations.explained import explained, explaining
from dynamix.operations.failures import shown_key
from dynamix.operations.guards import Guard, Holder, actions
from dynamix.operations.items import nothing
from dynamix.operations.parts import Check, Part, shown_reason
from dynamix.operations.retry import PASSING_REASONS, RetryPolicy, request, send_write, transaction
from dynamix.operations.update import TOO_LARGE
from dynamix.schema.table import Table
from dynamix.updates.pending import Sender, pending_of
from dynamix.wire import Call, Flow, Item, Together

M = TypeVar("M")

_MOST_PLANS = 10
_NOT_ANEW = (
    "; under a token of your own nothing is planned anew: refresh() what you save, replace no item with unique values "
    "by put(), set a missing map or list whole, and use a new token"
)


class Get(NamedTuple):
    """An item to be read."""

    table: Table[Any]
    key: Item

    @property
    def place(self) -> bytes:
        """What two keys of the same item have in common."""
        return place(self.table, self.key)


def written_twice(first: Asked, second: Asked, key: Item) -> InvalidUpdateError:
    """The error for two writes of the item with this key."""
    return InvalidUpdateError(
        f"{second.table.schema.model_name} with {shown_key(second.table, key)} is written twice in this transaction, "
        f"by {first.action} and by {second.action}; one item takes one write"
    )


def write(policy: RetryPolicy, asked: Sequence[Asked], token: str | None) -> Flow[None]:
    """Do all that is asked for, or nothing. Then the instances show that it is stored, as after their own verbs.

    Raises ValidationException before anything is sent, and TransactionCanceledError where nothing was stored: then the
    instances are as before.
    """
    sender, now = Sender(), datetime.now(UTC)
    for one in asked:
        one.prepare()
    pendings = [pending_of(vars(one.instance)) for one in asked if one.instance is not None]
    try:
        for pending in pendings:
            pending.begin(sender)
        batch = _Batch(asked, [one.made(now) for one in asked])
        if batch.parts:
            yield from batch.read(policy, token)
            yield from _send(policy, batch, token)
            for part in batch.parts:
                part.settle()
    finally:
        for pending in pendings:
            pending.end(sender)


def write_one(policy: RetryPolicy, part: Part, action: str, *, whole: bool = False) -> Flow[Item]:
    """Do one action on an item with unique values, as the method `action` of its model does. With `whole` the result is
    the item as it was before, which is read.

    Raises what the method raises, NotUniqueError among it; then nothing was stored.
    """
    batch = _Batch([Asked(action, part.table, part.key, lambda now: part)], [part], whole=whole)
    try:
        yield from batch.read(policy, None)
        yield from _send(policy, batch, None)
    except TransactionCanceledError as error:
        why = next((reason.error for reason in error.reasons if reason.error is not None), None)
        if why is None:
            raise
        why.applied = error.applied
        raise why from error
    return (batch.holders[0].before or {}) if whole else {}


class _Batch:
    """The parts of one request, each of another item, and for each of the caller's actions which part it became.

    `holders` are those that change guards, and `sent` is what the last body had: the parts, and behind them the guards.
    """

    def __init__(self, asked: Sequence[Asked], made: Sequence[Part | None], *, whole: bool = False) -> None:
        self.asked = asked
        self.parts: list[Part] = []
        self._places: list[int | None] = []
        at: dict[bytes, int] = {}
        for one, part in zip(asked, made, strict=True):
            if part is None:
                self._places.append(None)
                continue
            number = at.setdefault(one.place_of(part), len(self.parts))
            self._places.append(number)
            if number == len(self.parts):
                self.parts.append(part)
            else:
                self._merge(number, one, part)
        guarded = (part for part in self.parts if part.table.schema.guards is not None)
        self.holders = [holder for part in guarded if (holder := Holder.of(part, whole=whole)) is not None]
        self.guards: list[Guard] = []

    @property
    def sent(self) -> list[Part]:
        """What the last body had: the parts, and behind them the guards."""
        return [*self.parts, *self.guards]

    def read(self, policy: RetryPolicy, token: str | None) -> Flow[None]:
        """Read what must be known of items whose unique values change and which nobody loaded.

        Raises InvalidUpdateError under a token of the caller's: what it stands for would depend on what was read.
        """
        unknown = [holder for holder in self.holders if holder.before is None]
        if unknown and token is not None:
            raise InvalidUpdateError(
                f"{_named(unknown[0].part)} has unique values, which are read before they are changed, and under a "
                "token of your own nothing is; get the item and save or delete its instance, or give no token"
            )
        reads = [explaining(holder.read, policy, holder.part.table) for holder in unknown]
        if len(reads) == 1:
            yield from reads[0]
        elif reads:
            yield Together(reads)

    def _merge(self, number: int, asked: Asked, part: Part) -> None:
        """Make one of a check and what else is done with its item."""
        there = self.parts[number]
        if isinstance(part, Check):
            there.checks = (*there.checks, *part.given)
        elif not isinstance(there, Check):
            raise written_twice(self.asked[self._places.index(number)], asked, part.key)
        else:
            part.checks = there.given
            self.parts[number] = part

    def body(self, token: str) -> bytes:
        """The request. Raises ValidationException where it is more than the service takes."""
        parts = [part.encoded() for part in self.parts]
        if self.holders:
            self.guards = actions(self.holders)
            parts += [guard.encoded() for guard in self.guards]
        if len(parts) > TRANSACT_ACTIONS:
            first = self.sent[TRANSACT_ACTIONS]
            guards = f", {len(self.guards)} of them guards of unique values" if self.guards else ""
            raise InvalidUpdateError(
                f"a transaction takes {TRANSACT_ACTIONS} items, and this one has {len(parts)}{guards}; "
                f"{_named(first)} is the first too many"
            )
        if sum(map(len, parts)) > TRANSACT_BYTES:
            self._refuse_too_large()
        return msgspec.json.encode({"TransactItems": parts, "ClientRequestToken": token})

    def _refuse_too_large(self) -> None:
        total = 0
        for part in self.sent:
            total += _size(part.body())
            if total > TRANSACT_BYTES:
                raise InvalidUpdateError(
                    f"a transaction takes {TRANSACT_BYTES} bytes, and with {_named(part)} this one has {total}; make "
                    "several of it"
                )

    def renew(self, reasons: Sequence[CancellationReason]) -> bool:
        """Whether what failed is planned anew, apart from what may succeed a moment later."""
        passing = {None, *PASSING_REASONS}
        failed = [(part, reason) for part, reason in zip(self.sent, reasons, strict=True) if reason.code not in passing]
        items = [(part, reason) for part, reason in failed if not isinstance(part, Guard)]
        anew = [self._renew(part, reason) for part, reason in items or failed]  # guards follow from what items are
        return bool(anew) and all(anew)

    def _renew(self, part: Part, reason: CancellationReason) -> bool:
        stored = None if isinstance(part, Guard) else reason.stored_item
        if stored is not None and part.table.schema.existence.foreign(stored) is not None:
            return False
        looked = [holder.look(reason) for holder in self.holders if holder.part is part]
        return part.renew(reason) or any(looked)

    def guess(self) -> bool:
        """Whether some parts are planned anew, since one of them may change a NULL."""
        return any([part.guess() for part in self.parts])  # noqa: C419 - each of them

    def told(self, error: TransactionCanceledError, advice: str = "") -> TransactionCanceledError:
        """The same error, with a reason for each of the caller's actions and in words that name the first item."""
        causes = self._causes(error.reasons)
        reasons = [
            CancellationReason(None, None, None, one.table.schema.model, one.action)
            if number is None
            else shown_reason(*self._failure(number, causes), one.action)
            for one, number in zip(self.asked, self._places, strict=True)
        ]
        failed = [reason for reason in reasons if reason.code is not None]
        first = failed[0] if failed else None
        why = str(error) if first is None else f"{first.action}: {first.message}"
        more = f" ({len(failed) - 1} more failed, see .reasons)" if len(failed) > 1 else ""
        told = TransactionCanceledError(
            f"the transaction was cancelled by {why}{more}{advice}",
            code=error.code,
            status=error.status,
            request_id=error.request_id,
        )
        told.reasons = tuple(reasons)
        return told

    def _causes(self, reasons: Sequence[CancellationReason]) -> Sequence[CancellationReason]:
        """The same without the guards that would be left alone the next time, where anything else failed."""
        causes = [
            CancellationReason(None, None, None) if isinstance(part, Guard) and part.given_up(reason) else reason
            for part, reason in zip(self.sent, reasons, strict=True)
        ]
        return causes if any(cause.code for cause in causes) else reasons

    def _failure(self, number: int, reasons: Sequence[CancellationReason]) -> tuple[Part, CancellationReason]:
        """Why a part failed, itself or a guard on its behalf: rather for what lasts than for what may pass."""
        own = self.parts[number], reasons[number]
        guards = zip(self.guards, reasons[len(self.parts) :], strict=True)
        causes = [own, *(cause for cause in guards if cause[0].wish.holder.part is own[0])]
        lasting = (cause for cause in causes if cause[1].code not in {None, *PASSING_REASONS})
        return next(lasting, next((cause for cause in causes if cause[1].code is not None), own))


def _send(policy: RetryPolicy, batch: _Batch, token: str | None) -> Flow[None]:
    """Send the parts, and where some were planned for other items than are stored, the parts planned anew."""
    plans = 0
    while True:
        body, plans = batch.body(token or os.urandom(16).hex()), plans + 1
        try:
            return (yield from send_write(policy, transaction(policy, body, nothing)))
        except TransactionCanceledError as error:
            if len(error.reasons) != len(batch.sent):
                raise
            if not batch.renew(error.reasons):
                raise batch.told(error) from error
            if token is not None:
                raise batch.told(error, _NOT_ANEW) from error
            if plans == _MOST_PLANS:
                raise batch.told(error, "; others changed it before each attempt: try again") from error
        except InvalidRequestError as error:  # some servers do not say which part they mean
            if token is not None or plans == _MOST_PLANS or TOO_LARGE in str(error) or not batch.guess():
                raise
        except IdempotentParameterMismatchError as error:
            raise _mismatch(token, error) from error
        except TableNotFoundError as error:
            tables = [part.table for part in batch.parts]
            guarding = [guarding for table in tables if (guarding := table.guarding) is not None]
            raise explained([*tables, *guarding], error) from error
        except DynamixError as error:
            if error._doubt is not None:
                error._doubt.about(part.table for part in batch.parts)
            raise


def read(policy: RetryPolicy, gets: Sequence[Get]) -> Flow[tuple[Any, ...]]:
    """The instances with these keys, in order, all as of one moment; None for what does not exist."""
    places = [get.place for get in gets]
    distinct = dict(zip(places, gets, strict=True))
    if not distinct:
        return ()
    body = {"TransactItems": [{"Get": requests.get(get.table.name, get.key)} for get in distinct.values()]}
    # one item may be asked for as that of several models, and is given as each of them has it
    given = {(place, get.table.schema.model): get for place, get in zip(places, gets, strict=True)}

    def answer(body: bytes) -> dict[tuple[bytes, type[Any]], Any]:
        entries = _decode(body).Responses
        if len(entries) != len(distinct):
            raise msgspec.DecodeError(f"it has {len(entries)} items of {len(distinct)}")
        told = dict(zip(distinct, entries, strict=True))
        return {which: _instance(get, told[which[0]]) for which, get in given.items()}

    try:
        found = yield from request(policy, Call("TransactGetItems", msgspec.json.encode(body), answer))
    except TransactionCanceledError as error:
        if len(error.reasons) == len(distinct):
            why = dict(zip(distinct, error.reasons, strict=True))
            error.reasons = tuple(_get_reason(get, why[place]) for place, get in zip(places, gets, strict=True))
        raise
    except TableNotFoundError as error:
        raise explained((get.table for get in gets), error) from error
    for which, get in given.items():
        if found[which] is not None and get.table.schema.hooks.after_load is not None:
            get.table.schema.hooks.after_load(found[which])
    return tuple(found[place, get.table.schema.model] for place, get in zip(places, gets, strict=True))


def _instance(get: Get, entry: msgspec.Raw) -> Any:
    try:
        found = get.table.schema.codec.reader(get.table.name).item(bytes(entry))
    except StoredValueError as error:
        error.table = get.table.name
        raise
    return None if found is None or get.table.schema.existence.hides(vars(found)) else found


def _get_reason(get: Get, reason: CancellationReason) -> CancellationReason:
    return msgspec.structs.replace(reason, model=get.table.schema.model, action="get")


class _Answer(msgspec.Struct):
    Responses: list[msgspec.Raw]


_decode = msgspec.json.Decoder(_Answer).decode


def _named(part: Part) -> str:
    return f"{part.table.schema.model_name} with {shown_key(part.table, part.key)}"


def _size(body: requests.Body) -> int:
    """The bytes that the service counts for an action: its item or key, its expressions, their names and values."""
    total = sizes.item_size(body["Item"] if "Item" in body else body["Key"])
    total += sum(sizes.text_size(body[name]) for name in ("UpdateExpression", "ConditionExpression") if name in body)
    total += sum(map(sizes.text_size, body.get("ExpressionAttributeNames", {}).values()))
    return total + sum(map(sizes.value_size, body.get("ExpressionAttributeValues", {}).values()))


def _mismatch(token: str | None, error: IdempotentParameterMismatchError) -> IdempotentParameterMismatchError:
    return IdempotentParameterMismatchError(
        f"the token {token!r} was used for another transaction within the last 10 minutes, and nothing was stored for "
        "this one; use a token for one transaction, with the same actions and values, or give none",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
