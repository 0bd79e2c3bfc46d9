"""Transactions: several items written at once, or read as of one moment.

    with dynamix.transaction() as tx:
        tx.update(Account, Account.balance.add(-10), condition=Account.balance >= 10, number="a")
        tx.update(Account, Account.balance.add(10), number="b")

What is asked for in the block is checked there, and sent as one request when the block ends.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, overload
from weakref import ref

from dynamix import context
from dynamix.codec.names import Key
from dynamix.connection import Connection
from dynamix.current import current
from dynamix.errors import InvalidQueryError, InvalidUpdateError, UnknownNameError, WrongTypeError
from dynamix.expressions.nodes import Condition
from dynamix.limits import TRANSACT_ACTIONS
from dynamix.model.changing import asked_update
from dynamix.model.declaration import Model
from dynamix.model.running import check_condition, checked, connection_of, schema_of
from dynamix.model.writing import by_key, new_instance, unclaimed
from dynamix.operations import parts, transact
from dynamix.operations.asked import Asked
from dynamix.schema.table import Table
from dynamix.updates.actions import Action
from dynamix.updates.unchanged import resolved
from dynamix.wire import Item

M = TypeVar("M", bound=Model)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


def transaction(*, token: str | None = None) -> "Transaction":
    """A block whose writes are made together or not at all, with `with` or `async with`.

    They are sent when the block ends; where it ends by an exception, nothing is. A `token` (1 to 36 characters) makes
    the service take the same transaction once within 10 minutes, from whatever program; without one each has its own.
    """
    if token is not None and not (isinstance(token, str) and 1 <= len(token) <= 36):
        raise WrongTypeError(f"token={token!r} is not a text of 1 to 36 characters", field="token", value=token)
    return Transaction(token)


class Transaction:
    """The writes of one `transaction()` block. Its methods check what they are given, and send nothing.

    At the end of the block one request is sent, and an instance is stored as it is then. Raises InvalidUpdateError
    where no one request can do it, and TransactionCanceledError where the service did not: nothing was stored, all
    instances are as before, and `reasons` says why, action by action. After success, instances show what is stored; a
    field whose new value only the service knows is not loaded.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._asked: list[Asked] = []
        self._written: dict[bytes, Asked] = {}
        self._connection: Connection | None = None
        self._block: Any = None
        self._ended = False

    @overload
    def create(self, what: type[M], /, *, condition: Condition | None = None, **values: Any) -> M: ...
    @overload
    def create(self, what: M, /, *, condition: Condition | None = None) -> M: ...
    def create(self, what: M | type[M], /, *, condition: Condition | None = None, **values: Any) -> M:
        """Store a new item, if none has its key: an instance, or what a model makes of values. Returns the instance."""
        return self._put("create", what, condition, values, absent=True)

    @overload
    def put(self, what: type[M], /, *, condition: Condition | None = None, **values: Any) -> M: ...
    @overload
    def put(self, what: M, /, *, condition: Condition | None = None) -> M: ...
    def put(self, what: M | type[M], /, *, condition: Condition | None = None, **values: Any) -> M:
        """Store a whole item, in the place of one that has its key. Returns the instance."""
        return self._put("put", what, condition, values, absent=False)

    def save(self, instance: M, /, *, if_unchanged: bool = False, condition: Condition | None = None) -> M:
        """Store what an instance has become, as its own `save()` does: a new one whole, of a loaded one what differs.
        Where nothing differs, only the conditions are looked at. Returns the instance."""
        model = _model_of(instance)
        table = self._table(model)
        make = partial(parts.save, table, instance, if_unchanged, checked(model, condition))
        self._write(Asked("save", table, _key_of(table, instance), make, instance))
        return instance

    @overload
    def delete(self, what: type[Model], /, *, condition: Condition | None = None, **key: Any) -> None: ...
    @overload
    def delete(self, what: Model, /, *, condition: Condition | None = None) -> None: ...
    def delete(self, what: Model | type[Model], /, *, condition: Condition | None = None, **key: Any) -> None:
        """Delete an item: that of an instance, or the one of a model with this key. One that is gone is no error where
        there is no condition."""
        if isinstance(what, type):
            table = self._table(what)
            wire, given, _ = by_key(what, key, condition, None)
            part = parts.Delete(table, wire, given)
            self._write(Asked("delete", table, wire, lambda now: part))
            return
        model = _model_of(what)
        _refuse_values(model, key)
        table = self._table(model)
        wire = table.schema.key.of(vars(what))
        given = checked(model, condition)
        self._write(Asked("delete", table, wire, lambda now: parts.Delete(table, wire, given, what), what))

    def update(
        self,
        model: type[Model],
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        **key: Any,
    ) -> None:
        """Change an item without loading it, as `update_by_key` does."""
        table = self._table(model)
        asked = asked_update(model, actions, condition, upsert, None, key)
        part = parts.Update(table, asked.key, asked.terms.conditions, asked.changes, upsert=asked.terms.upsert)
        self._write(Asked("update", table, asked.key, lambda now: part))

    def check(self, model: type[Model], condition: Condition, /, **key: Any) -> None:
        """Have the item with this key meet a condition, without changing it. A check of an item that is written in the
        same transaction becomes a condition of that write."""
        table = self._table(model)
        wire = table.schema.key.from_names(key)
        part = parts.Check(table, wire, resolved({}, check_condition(model, condition)))
        self._ask(Asked("check", table, wire, lambda now: part))

    def __enter__(self) -> Self:
        if self._block is not None or self._ended:
            raise InvalidUpdateError("a transaction is used for one block; call dynamix.transaction() for each")
        begun: ref[Transaction] | None = context.in_force().transaction
        outer = None if begun is None else begun()
        if outer is not None and not outer._ended:
            raise InvalidUpdateError(
                "this block is inside the block of another transaction, of which it would be no part: end that one "
                "first, or use its object for these writes too"
            )
        self._block = context.changed(transaction=ref(self))  # one that an interrupt kept from beginning just goes
        self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asked = self._end(kind)
        if asked:
            connection = self._connection or current()
            connection.run(transact.write(connection.retry, asked, self._token))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asked = self._end(kind)
        if asked:
            connection = self._connection or current()
            await connection.arun(transact.write(connection.retry, asked, self._token))

    def _end(self, kind: type[BaseException] | None) -> list[Asked]:
        """What is to be sent at the end of the block: nothing where an exception ended it."""
        self._ended = True
        self._block.__exit__(None, None, None)
        return [] if kind is not None else self._asked

    def _put(
        self, action: str, what: M | type[M], condition: Condition | None, values: dict[str, Any], *, absent: bool
    ) -> M:
        if isinstance(what, type):
            table = self._table(what)
            instance = new_instance(what, values, condition)
            condition = unclaimed(what, condition)
        else:
            _refuse_values(_model_of(what), values)
            table = self._table(type(what))
            instance, condition = what, checked(type(what), condition)
        make = partial(parts.put, table, instance, condition, absent, not isinstance(what, type))
        asked = Asked(action, table, _key_of(table, instance), make, instance)
        if asked.key is not None:
            asked.make_ahead(datetime.now(UTC))  # a wrong value is refused where it was given
        self._write(asked)
        return instance

    def _table(self, model: type[M]) -> Table[M]:
        """The table of a model on the connection of this transaction."""
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise WrongTypeError(f"{model!r} is not a model", field="", value=model)
        if self._block is None:
            raise InvalidUpdateError("a transaction is made in a block: with dynamix.transaction() as tx: ...")
        if self._ended:
            raise InvalidUpdateError("the block of this transaction has ended, so nothing can be added to it")
        connection = connection_of(model)
        self._connection = self._connection or connection
        if self._connection is not connection:
            raise InvalidUpdateError(
                f"{model.__name__} uses another connection than what was given to this transaction before, and a "
                "transaction is one request to one place"
            )
        return schema_of(model).at(connection.table_prefix)

    def _write(self, asked: Asked) -> None:
        if asked.key is not None:
            first = self._written.setdefault(asked.place, asked)
            if first is not asked:
                raise transact.written_twice(first, asked, asked.key)
        self._ask(asked)

    def _ask(self, asked: Asked) -> None:
        self._asked.append(asked)


def _key_of(table: Table[Any], instance: object) -> Item | None:
    """The key by which an instance will be stored; None where the model's own `before_save` has yet to complete it."""
    return table.schema.key.of(vars(instance)) if table.schema.hooks.before_save is None else None


def _model_of(instance: object) -> type[Any]:
    if not isinstance(instance, Model):
        raise WrongTypeError(f"{instance!r} is neither a model nor an instance of one", field="", value=instance)
    return type(instance)


def _refuse_values(model: type[Any], values: dict[str, Any]) -> None:
    if values:
        raise UnknownNameError(
            f"{', '.join(values)} was given beside an instance of {model.__name__}, which has its own values; set them "
            "on the instance"
        )


@overload
def transact_get() -> tuple[()]: ...
@overload
def transact_get(first: Key[A], /) -> tuple[A | None]: ...
@overload
def transact_get(first: Key[A], second: Key[B], /) -> tuple[A | None, B | None]: ...
@overload
def transact_get(first: Key[A], second: Key[B], third: Key[C], /) -> tuple[A | None, B | None, C | None]: ...
@overload
def transact_get(
    first: Key[A], second: Key[B], third: Key[C], fourth: Key[D], /
) -> tuple[A | None, B | None, C | None, D | None]: ...
@overload
def transact_get(
    first: Key[A], second: Key[B], third: Key[C], fourth: Key[D], fifth: Key[E], /
) -> tuple[A | None, B | None, C | None, D | None, E | None]: ...
@overload
def transact_get(*keys: Key[A]) -> tuple[A | None, ...]: ...
def transact_get(*keys: Key[Any]) -> tuple[Any, ...]:
    """The instances with these keys of any models, in order, all as of one moment; None for what does not exist.

    `Model.key_of(...)` and `get_primary_key_dict()` make keys. Of a key that is given twice the same instance is
    returned twice. Raises InvalidQueryError for more than 100 keys, and for models of two connections.
    """
    connection, gets = _gets(keys)
    return connection.run(transact.read(connection.retry, gets))


@overload
async def atransact_get() -> tuple[()]: ...
@overload
async def atransact_get(first: Key[A], /) -> tuple[A | None]: ...
@overload
async def atransact_get(first: Key[A], second: Key[B], /) -> tuple[A | None, B | None]: ...
@overload
async def atransact_get(first: Key[A], second: Key[B], third: Key[C], /) -> tuple[A | None, B | None, C | None]: ...
@overload
async def atransact_get(
    first: Key[A], second: Key[B], third: Key[C], fourth: Key[D], /
) -> tuple[A | None, B | None, C | None, D | None]: ...
@overload
async def atransact_get(
    first: Key[A], second: Key[B], third: Key[C], fourth: Key[D], fifth: Key[E], /
) -> tuple[A | None, B | None, C | None, D | None, E | None]: ...
@overload
async def atransact_get(*keys: Key[A]) -> tuple[A | None, ...]: ...
async def atransact_get(*keys: Key[Any]) -> tuple[Any, ...]:
    """See `transact_get`."""
    connection, gets = _gets(keys)
    return await connection.arun(transact.read(connection.retry, gets))


def _gets(keys: Sequence[Key[Any]]) -> tuple[Connection, list[transact.Get]]:
    """The connection, and what is to be read over it."""
    connection: Connection | None = None
    gets: list[transact.Get] = []
    for position, key in enumerate(keys):
        if not isinstance(key, Key):
            raise WrongTypeError(
                f"{key!r}, at position {position}, does not say of which model it is; give such as Model.key_of(...), "
                "or the get_primary_key_dict() of an instance",
                field="",
                value=key,
            )
        own = connection_of(key.model)
        connection = connection or own
        if own is not connection:
            raise InvalidQueryError(
                f"{key.model.__name__} uses another connection than the models before it, and transact_get is one "
                "request to one place"
            )
        schema = schema_of(key.model)
        gets.append(transact.Get(schema.at(own.table_prefix), schema.key.from_names(key)))
    distinct = dict.fromkeys(get.place for get in gets)
    if len(distinct) > TRANSACT_ACTIONS:
        raise InvalidQueryError(
            f"transact_get takes {TRANSACT_ACTIONS} keys, and {len(distinct)} were given; several requests see several "
            "moments: use batch_get for each model, or ask for fewer"
        )
    return connection or current(), gets
