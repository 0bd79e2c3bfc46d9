"""The flow that reads an item, has the caller change it, and writes it, again where others were first."""

from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any, NamedTuple, TypeVar

from dynamix.codec.state import state_of
from dynamix.errors import ConditionalCheckFailedError, WrongTypeError
from dynamix.operations import saving
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.wire import Apply, Flow, Item, Pause

M = TypeVar("M")


class Modification(NamedTuple):
    """What is to be done to the item with a key, and how often it is tried."""

    key: Item
    function: Callable[[Any], Awaitable[Any] | Any]
    attempts: int


def modify(policy: RetryPolicy, table: Table[M], asked: Modification) -> Flow[M]:
    """Read the item, call the function with the instance, and store what it has become; the result is the instance.

    It is stored at the version that was read, or where items have none, if every changed field is stored as it was
    read. Where others were first, all is done anew, with another instance. Raises ItemNotFoundError where there is no
    item, and the last conflict when all attempts have met one.
    """
    schema = table.schema
    attempt = 1
    while True:
        instance = yield from saving.get_or_raise(policy, table, asked.key, True, for_write=True)
        answer = yield Apply(asked.function, instance)
        if answer is not None and answer is not instance:
            raise _strange(answer, schema.model_name)
        if state_of(vars(instance)).new:  # the function deleted it
            return instance
        try:
            return (yield from saving.save(policy, table, instance, False, schema.version is None, None))
        except ConditionalCheckFailedError as error:
            if not error.changed or attempt >= asked.attempts:
                raise
            why = f"attempt {attempt} to modify an item of {table.name} failed with {type(error).__name__}"
        yield Pause(policy.delay(attempt - 1, throttled=False), why)
        attempt += 1


def _strange(answer: object, model: str) -> WrongTypeError:
    """Why nothing is stored of what a function did."""
    advice = f"it has to change the {model} that it is given, and return that or None"
    if isinstance(answer, CoroutineType):
        answer.close()  # lest Python warn that nobody awaited it
        advice = "an async function is for amodify"
    return WrongTypeError(
        f"the function given to modify answered {answer!r}; {advice}; nothing was stored",
        field="function",
        value=answer,
    )
