"""Blocks that store and delete any number of items: what is given is gathered, and sent a round at a time.

    gathered    up to 1,000 writes or 16 MB wait, and of several with one key only the last stands
    a round     is sent when so much waits: 25 writes a request, several requests beside each other
    the next    begins when that has ended, so a key never has two requests under way, and the last write of it stands

A round that an interrupt ended (a key pressed, a cancelled task) is sent again by whatever sends next: its writes are
whole items and deletions, which repeating does no harm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, overload

from dynamix.codec.names import Key
from dynamix.codec.state import STATE, State
from dynamix.connection import Connection
from dynamix.errors import DynamixError, InvalidUpdateError, UnknownNameError, WrongTypeError
from dynamix.model.reading import Reading
from dynamix.model.running import connection_of, refuse_base, schema_of
from dynamix.operations import batch
from dynamix.operations.gathered import Gathered
from dynamix.operations.pace import Pace
from dynamix.schema.table import Table
from dynamix.watch import checked_progress
from dynamix.wire import Flow, Item

if TYPE_CHECKING:
    import asyncio

M = TypeVar("M")
N = TypeVar("N", bound=Reading)
T = TypeVar("T")

_BLOCKING, _ASYNC = "with", "async with"


class Batch(Generic[M]):
    """The writes of one block of `dynamix.batch()` or `Model.batch()`, sent a round at a time while it runs and at its
    end. In an `async with` block its methods are `aput` and `adelete`.

    What the service refuses or does not take in the end raises PartlyAppliedError or BatchIncompleteError, from the
    write that filled the round or from the end of the block. It holds every write of its round: instances, and of
    deletions what was given. `applied` is "partly" where anything of the block was made. An exception that leaves the
    block drops what was not sent; a note on it says how many.
    """

    def __init__(self, model: type[M] | None, progress: Callable[[int], object] | None) -> None:
        self._model = model
        self._progress = checked_progress(progress)
        self._way: str | None = None  # by which the block was entered
        self._has_ended = False
        self._connection: Connection | None = None
        self._pace = Pace()
        self._gathered = Gathered()
        self._round: Gathered | None = None  # what is being sent, or was when an interrupt came
        self._given = self._made = self._unknown = 0
        self._adding = threading.RLock()
        self._turn = threading.RLock()
        self._is_sending = False
        self._aturn: asyncio.Lock | None = None

    @overload
    def put(self, what: type[N], /, **values: Any) -> N: ...
    @overload
    def put(self, what: N, /) -> N: ...
    @overload
    def put(self, what: Mapping[str, Any], /) -> M: ...
    def put(self, what: Any, /, **values: Any) -> Any:
        """Store a whole item: an instance, what a model makes of values, or in `Model.batch()` a dict of values.
        Returns the instance, which is stored as it is now, and takes no changes and commits until it was.

        Raises FieldValidationException or UnknownNameError; then nothing of it is sent.
        """
        return self._run(partial(self._put, what, values))

    @overload
    async def aput(self, what: type[N], /, **values: Any) -> N: ...
    @overload
    async def aput(self, what: N, /) -> N: ...
    @overload
    async def aput(self, what: Mapping[str, Any], /) -> M: ...
    async def aput(self, what: Any, /, **values: Any) -> Any:
        """See `put`."""
        return await self._arun(partial(self._put, what, values))

    @overload
    def delete(self, what: type[Reading], /, **key: Any) -> None: ...
    @overload
    def delete(self, what: Reading | Mapping[str, Any], /) -> None: ...
    def delete(self, what: Any, /, **key: Any) -> None:
        """Delete an item: that of an instance, the one with a key that knows its model (`Model.key_of(...)`), the one
        of a model with this key, or in `Model.batch()` the one with a dict as its key. One that is gone is no error.
        """
        return self._run(partial(self._delete, what, key))

    @overload
    async def adelete(self, what: type[Reading], /, **key: Any) -> None: ...
    @overload
    async def adelete(self, what: Reading | Mapping[str, Any], /) -> None: ...
    async def adelete(self, what: Any, /, **key: Any) -> None:
        """See `delete`."""
        return await self._arun(partial(self._delete, what, key))

    def update(self, *args: object, **kw: object) -> NoReturn:
        """Batches take no updates: always raises InvalidUpdateError, which names what does."""
        raise InvalidUpdateError(
            "a batch stores whole items and deletes them, and cannot change them; change each item by "
            "Model.update_by_key(*actions, **key), or up to 100 together in a dynamix.transaction() block"
        )

    def __enter__(self) -> Self:
        self._enter(_BLOCKING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._ending(error):
            if error is None:
                self._send(whole=True)

    async def __aenter__(self) -> Self:
        import asyncio  # a program that does not use it starts in half the time

        self._enter(_ASYNC)
        self._aturn = asyncio.Lock()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._ending(error):
            if error is None:
                await self._asend(whole=True)

    def _run(self, add: Callable[[], T]) -> T:
        self._refuse_outside(_BLOCKING)
        added = add()
        self._send(whole=False)
        return added

    async def _arun(self, add: Callable[[], T]) -> T:
        self._refuse_outside(_ASYNC)
        added = add()
        await self._asend(whole=False)
        return added

    def _send(self, *, whole: bool) -> None:
        """Sends what waits, once it is a round's worth; with `whole`, all, after what is under way."""
        while whole or self._is_due():
            with self._turn:
                if self._is_sending:  # a signal's handler in the middle of it: what it added is sent later
                    return
                gathered = self._next(whole)
                if gathered is None:
                    return
                with self._sending(gathered) as connection:
                    connection.run(self._flow(connection, gathered))
            self._tell()

    async def _asend(self, *, whole: bool) -> None:
        """The same."""
        assert self._aturn is not None  # noqa: S101 - the block was entered
        while whole or self._is_due():
            async with self._aturn:
                gathered = self._next(whole)
                if gathered is None:
                    return
                with self._sending(gathered) as connection:
                    await connection.arun(self._flow(connection, gathered))
            self._tell()

    def _flow(self, connection: Connection, gathered: Gathered) -> Flow[None]:
        return batch.write_round(connection.retry, gathered, self._pace, self._made)

    def _is_due(self) -> bool:
        return self._gathered.is_full or self._was_interrupted

    @property
    def _was_interrupted(self) -> bool:
        return self._round is not None and not self._is_sending

    def _next(self, whole: bool) -> Gathered | None:
        """The round to be sent next, None where too little waits; with `whole` nothing can be added after that."""
        with self._adding:
            if self._round is None and (self._gathered.is_full or (whole and len(self._gathered.writes))):
                self._round, self._gathered = self._gathered, Gathered(self._given)
            self._has_ended |= whole and self._round is None
            return self._round

    @contextmanager
    def _sending(self, gathered: Gathered) -> Iterator[Connection]:
        """Counts a round that is sent in the block, also where an error ended it; keeps what an interrupt ended."""
        assert self._connection is not None  # noqa: S101 - there is something to send
        try:
            self._is_sending = True
            yield self._connection
        except DynamixError:
            self._count(gathered)
            self._round = None
            raise
        except BaseException:
            gathered.writes.interrupted()
            raise
        else:
            self._count(gathered)
            self._round = None
        finally:
            self._is_sending = False

    def _count(self, gathered: Gathered) -> None:
        """Counts what became of a round that is over."""
        gathered.end()
        self._made += len(gathered.writes.numbers("yes"))
        self._unknown += len(gathered.writes.numbers("maybe"))

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._made)

    def _enter(self, way: str) -> None:
        if self._way is not None:
            raise InvalidUpdateError("a batch is used for one block; call dynamix.batch() for each")
        self._way = way

    @contextmanager
    def _ending(self, error: BaseException | None) -> Iterator[None]:
        """Ends the block, in which the rest is sent where no error ended it before."""
        try:
            yield
        except BaseException as failure:
            error = failure
            raise
        finally:
            with self._adding:
                self._has_ended = True
            if self._round is not None and self._was_interrupted:
                self._count(self._round)
            self._count(self._gathered)
            if error is not None and self._made < self._given:
                not_made = self._given - self._made - self._unknown
                error.add_note(
                    f"of {self._given} writes that were given to the batch, {self._made} were made, "
                    f"{self._unknown} may have been, and {not_made} were not"
                )

    def _refuse_outside(self, way: str) -> None:
        if self._way is None:
            raise InvalidUpdateError("a batch is made in a block: with dynamix.batch() as b: ...")
        self._refuse_ended()
        if self._way != way:
            verbs = "await b.aput(...) and await b.adelete(...)" if way == _BLOCKING else "b.put(...) and b.delete(...)"
            raise InvalidUpdateError(f"this batch was entered by {self._way!r}; there, call {verbs}")

    def _refuse_ended(self) -> None:
        if self._has_ended:
            raise InvalidUpdateError("the block of this batch has ended, so nothing can be added to it")

    def _put(self, what: Any, values: dict[str, Any]) -> Any:
        if isinstance(what, type):
            table = self._table(what)
            instance = what(**values)
        else:
            _refuse_values(what, values)
            table = self._table(type(what) if isinstance(what, Reading) else self._own_model(what))
            instance = as_whole(table.schema.model, what)
        schema = table.schema
        if schema.version is not None:
            raise unlooked(schema.model, "store each by save() or create(), or many by batch_write(unchecked=True)")
        if schema.hooks.before_save is not None:
            schema.hooks.before_save(instance)
        refuse_conditions(instance)
        times = schema.times.whole(vars(instance), datetime.now(UTC)) if instance is what else {}
        with self._adding:
            self._refuse_ended()
            self._gathered.put(table, instance, times)
            self._given += 1
        return instance

    def _delete(self, what: Any, key: dict[str, Any]) -> None:
        if isinstance(what, type):
            table = self._table(what)
            what = Key(what, key)
        else:
            _refuse_values(what, key)
            known = type(what) if isinstance(what, Reading) else what.model if isinstance(what, Key) else None
            table = self._table(known or self._own_model(what))
        wire: Item = table.schema.key.of(vars(what)) if isinstance(what, Reading) else table.schema.key.from_names(what)
        if isinstance(what, Reading):
            if table.schema.version is not None:
                raise unlooked(table.schema.model, "delete each instance by delete(), or give keys")
            if table.schema.hooks.before_delete is not None:
                table.schema.hooks.before_delete(what)
            refuse_conditions(what)
        refuse_foreign_key(table.schema.model, wire)
        with self._adding:
            self._refuse_ended()
            self._gathered.delete(table, wire, what)
            self._given += 1

    def _own_model(self, what: object) -> type[Any]:
        """The model of `Model.batch()`, for a dict."""
        if self._model is not None and isinstance(what, Mapping):
            return self._model
        if isinstance(what, Mapping):
            raise WrongTypeError(
                f"{what!r} does not say of which model it is; give an instance, Model.key_of(...), a model with "
                "values, or use Model.batch()",
                field="",
                value=what,
            )
        raise WrongTypeError(f"{what!r} is neither a model nor an instance or a key of one", field="", value=what)

    def _table(self, model: type[Any]) -> Table[Any]:
        """The table of a model on the connection of this batch."""
        if not (isinstance(model, type) and issubclass(model, Reading)):
            raise WrongTypeError(f"{model!r} is not a model", field="", value=model)
        if self._model is not None and not issubclass(model, self._model):
            raise WrongTypeError(
                f"this is the batch of {self._model.__name__}, and {model.__name__} is another model; "
                "dynamix.batch() takes any",
                field="",
                value=model,
            )
        connection = connection_of(model)
        self._connection = self._connection or connection
        if self._connection is not connection:
            raise InvalidUpdateError(
                f"{model.__name__} uses another connection than what was given to this batch before; open a batch "
                "for each place"
            )
        refuse_unguarded(model)
        return schema_of(model).at(connection.table_prefix)


def as_whole(model: type[M], item: M | Mapping[str, Any]) -> M:
    """The instance to store: one that was given, or what the model makes of a dict."""
    if isinstance(item, model):
        if type(item) is not model and (lost := _unknown_to(model, type(item))):
            raise WrongTypeError(
                f"{item!r} is of the model {type(item).__name__}, and {model.__name__} does not store its "
                f"{', '.join(lost)}; give it to {type(item).__name__}.batch_write() or a dynamix.batch()",
                field="",
                value=item,
            )
        return item
    if not isinstance(item, Mapping):
        raise WrongTypeError(f"{item!r} is neither a dict nor a {model.__name__}", field="", value=item)
    return model(**item)


def _unknown_to(model: type[Any], derived: type[Any]) -> list[str]:
    """The fields of a derived model that its base does not have."""
    own = {id(field) for field in schema_of(model).fields.values()}
    return [str(field) for field in schema_of(derived).fields.values() if id(field) not in own]


def unlooked(model: type[Any], advice: str) -> InvalidUpdateError:
    """Why a batch is refused that would have to look at versions."""
    return InvalidUpdateError(f"a batch takes no conditions, so it cannot look at {schema_of(model).version}; {advice}")


def refuse_conditions(instance: object) -> None:
    """Raise InvalidUpdateError for an instance that is to be stored or deleted on conditions of its own."""
    state: State | None = vars(instance).get(STATE)
    if state is not None and state.pending is not None and state.pending.conditions:
        raise InvalidUpdateError(
            f"a batch takes no conditions, and this {type(instance).__name__} has some that were set; store or delete "
            "it on its own, or in a dynamix.transaction() block, or drop them by set_modify_conditions()"
        )


def refuse_unguarded(model: type[Any], unchecked: bool = False) -> None:
    """Raise InvalidUpdateError where items have unique values, which no batch can guard, or unless `unchecked`, where
    their keys may be those of another model's items."""
    refuse_base(model)
    schema = schema_of(model)
    if schema.kinds is not None and not schema.kinds.sure(schema.table) and not unchecked:
        raise InvalidUpdateError(
            f"a batch takes no conditions, and the key of a {model.__name__} may be that of another model's item in "
            "the table; store and delete each on its own, tell the models by KeyField templates, or give batch_write() "
            "or batch_delete() unchecked=True"
        )
    guards = schema.guards
    if guards is not None:
        raise InvalidUpdateError(
            f"a batch takes no conditions, so it cannot keep {guards.uniques[0]} unique; store each by create() or "
            "save() and delete it by delete() or delete_by_key(), or several together in a dynamix.transaction() block"
        )


def refuse_foreign_key(model: type[Any], key: Item) -> None:
    """Raise InvalidUpdateError for a key that is not of the model's own form, so that a batch might delete another
    model's item."""
    schema = schema_of(model)
    if not schema.existence.is_own(key):
        raise InvalidUpdateError(
            f"{schema.key.shown(key)} is no key of {model.__name__}, but perhaps another model's, and a batch "
            "takes no conditions; delete it by that model"
        )


def _refuse_values(what: object, values: dict[str, Any]) -> None:
    if values:
        raise UnknownNameError(
            f"{', '.join(values)} was given beside {what!r}, which has its own values; give values beside a model only"
        )
