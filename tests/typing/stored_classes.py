"""What must be inferred of repositories, models in pydantic, and what must be rejected."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, assert_type

import msgspec
import pydantic
from forum import ForumThread

import dynamix
from dynamix import DecimalField, Repository, ValuesOf, repository


@dataclass
class Order:
    id: str
    total: Annotated[Decimal, DecimalField(places=2)]


class Event(msgspec.Struct):
    id: str


class User(pydantic.BaseModel):
    id: str
    threads: list[ForumThread]


orders = repository(Order, table_name="orders", hash_key="id")
assert_type(orders, Repository[Order])
assert_type(repository(Event, table_name="events", hash_key="id").get(id="1"), Event | None)
assert_type(repository(User, table_name="users", hash_key="id").get_or_raise(id="1"), User)
order = Order("1", Decimal(1))
assert_type(orders.create(order), Order)
assert_type(orders.save(order, loaded=order), Order)
assert_type(orders.update_by_key(orders["total"].add(1), id="1", returns="new"), Order)
assert_type(orders.delete_by_key(id="1", returns="old"), Order | None)
assert_type(orders.batch_get({"id": "1"}), list[Order])
assert_type(orders.batch_write([order]), list[Order])
assert_type(orders.query().where(orders["id"] == "1").first(), Order | None)
assert_type(list(orders.scan()), list[Order])
assert_type(User(id="1", threads=[]).threads[0].title, str | None)

orders.create(Event("1"))  # rejected: arg-type, reportArgumentType
orders.save(order)  # rejected: call-arg, reportCallIssue
orders.gett(id="1")  # rejected: attr-defined, reportAttributeAccessIssue
repository(Order, table_name="orders")  # rejected: call-arg, reportCallIssue
ValuesOf(Order)  # rejected: arg-type, reportArgumentType


async def twins() -> AsyncIterator[Order]:
    assert_type(await orders.aget(id="1"), Order | None)
    async for found in orders.query().where(orders["id"] == "1"):
        yield found


def change(thread: ForumThread, changes: Annotated[dict[str, Any], ValuesOf(ForumThread, partial=True)]) -> ForumThread:
    return thread.replace(**changes)


dynamix.create_table(orders.model)
