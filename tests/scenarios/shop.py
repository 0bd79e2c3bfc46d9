"""A shop whose models stand in one table: told by their keys (Shop), and by their discriminators alone (Plain)."""

import datetime
from typing import ClassVar

import dynamix
from dynamix import CharField, DateField, DiscriminatorField, IntegerField, KeyField


class Shop(dynamix.Model):
    """The table that customers, orders and products share."""

    __table_name__ = "shop"
    __secondary_indexes__: ClassVar = {
        "by_state": {"hash_key": "state_key", "range_key": "state_sort", "projections": ["kind"]},
        "by_kind": {"hash_key": "kind", "range_key": "sk", "projections": "ALL"},
    }

    kind = DiscriminatorField()
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    state_key = CharField()
    state_sort = CharField()


class Customer(Shop):
    """One customer."""

    __discriminator__ = "CUSTOMER"

    customer_id = CharField(required=True)
    name = CharField()
    pk = KeyField("CUSTOMER#{customer_id}", hash_key=True)
    sk = KeyField("PROFILE", range_key=True)


class Order(Shop):
    """An order of a customer, in the same partition."""

    __discriminator__ = "ORDER"

    customer_id = CharField(required=True)
    number = IntegerField(required=True)
    day = DateField(default=datetime.date(2026, 11, 1))
    state = CharField()
    total = IntegerField(default=0)
    pk = KeyField("CUSTOMER#{customer_id}", hash_key=True)
    sk = KeyField("ORDER#{number:06d}", range_key=True)
    state_key = KeyField("STATE#{state}")
    state_sort = KeyField("{day:%Y-%m-%d}#{number:06d}")


class Product(Shop):
    """A product, in a partition of its own."""

    __discriminator__ = "PRODUCT"

    sku = CharField(required=True)
    state = CharField()
    pk = KeyField("PRODUCT#{sku}", hash_key=True)
    sk = KeyField("PRODUCT", range_key=True)
    state_key = KeyField("STATE#{state}")
    state_sort = KeyField("{sku}")


class Plain(dynamix.Model):
    """A table whose keys do not tell its models apart."""

    __table_name__ = "plain"

    kind = DiscriminatorField(name="type")
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)


class Note(Plain):
    """One of its models."""

    __discriminator__ = "note"

    value = IntegerField()


class Mark(Plain):
    """Another one, which stores something else under the same name."""

    __discriminator__ = "mark"

    value = CharField()


def fill() -> None:
    """The table of the shop, with two customers, one of whom has three orders."""
    dynamix.create_table(Shop)
    Customer.create(customer_id="1", name="Ann")
    Customer.create(customer_id="2", name="Bob")
    for number, state in ((1, "open"), (10, "sent"), (11, "open")):
        Order.create(customer_id="1", number=number, state=state, total=number)
    Product.create(sku="tea", state="open")
