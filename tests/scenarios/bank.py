"""A bank: what transactions are about."""

from collections.abc import Callable
from typing import Any

import pytest

import dynamix


class Account(dynamix.Model):
    """One field of each kind."""

    __table_name__ = "account"

    bank = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)
    balance = dynamix.IntegerField(default=0)
    owner = dynamix.CharField(name="held_by")
    tags = dynamix.SetField()
    log = dynamix.ListField()
    data = dynamix.DictField()
    rate = dynamix.FloatField()


class Customer(dynamix.Model):
    """Another table, with fields that have the names of options."""

    __table_name__ = "customer"

    email = dynamix.CharField(hash_key=True)
    condition = dynamix.CharField()
    seen = dynamix.DateTimeField(auto_now=True)


def of(number: int) -> dict[str, Any]:
    """The key of an account."""
    return {"bank": "b", "number": number}


def create_bank(accounts: int, balance: int = 100) -> list[Account]:
    """Both tables, and so many accounts."""
    dynamix.create_table(Account)
    dynamix.create_table(Customer)
    return [Account.create(**of(number), balance=balance) for number in range(accounts)]


def balances() -> list[int]:
    """What is stored in all accounts."""
    accounts = Account.query().consistent().where(Account.bank == "b")
    return [account.balance for account in accounts]


def transact(*asked: Callable[[dynamix.Transaction], object], token: str | None = None) -> None:
    """One transaction, of which each is asked."""
    with dynamix.transaction(token=token) as tx:
        for each in asked:
            each(tx)


def reload(number: int) -> Account:
    """What is stored."""
    return Account.get_or_raise(**of(number), consistent=True)


def cancelled(*asked: Any) -> dynamix.TransactionCanceledError:
    """The error of a transaction that is not made. Each of what is asked is called with it."""
    before = Account.scan().consistent().count()
    with pytest.raises(dynamix.TransactionCanceledError) as caught:
        transact(*asked)
    assert caught.value.applied == "no"
    assert Account.scan().consistent().count() == before
    return caught.value
