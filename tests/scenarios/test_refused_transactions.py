"""What is refused before anything is sent, and what no transaction can do, on every place."""

import asyncio
from typing import Any

import pytest
from bank import Account, Customer, balances, create_bank, of, transact

import dynamix

pytestmark = pytest.mark.usefixtures("place")


def test_what_is_stored_cannot_be_changed_like_this() -> None:
    """Where a plan meets a value that its field does not hold, the error names table and field; nothing is stored."""
    create_bank(2)
    connection = dynamix.current.current()
    table = connection.table_prefix + "account"
    item = {"bank": {"S": "b"}, "number": {"N": "0"}, "data": {"S": "no map"}, "balance": {"N": "5"}}
    connection.request("PutItem", {"TableName": table, "Item": item})
    add = Account.balance.add(1)
    with pytest.raises(dynamix.StoredValueError, match=r"Account.data.* is stored as S, which is not a map") as caught:
        transact(
            lambda tx: tx.update(Account, add, **of(1)),
            lambda tx: tx.update(Account, Account.data["a"]["b"].set(1), **of(0)),
        )
    assert (caught.value.table, caught.value.field, caught.value.applied) == (table, "data", "no")
    assert balances() == [5, 100]


def test_what_is_refused_where_it_is_written() -> None:
    """Wrong values, keys, models and conditions are refused by the method that was given them; nothing is sent."""
    (account,) = create_bank(1)
    wrong: list[tuple[type[Exception], str, Any]] = [
        (
            dynamix.WrongTypeError,
            "Account.balance cannot hold 'x'",
            lambda tx: tx.create(Account, balance="x", **of(5)),
        ),
        (dynamix.WrongTypeError, "Account.balance cannot", lambda tx: tx.put(Account(balance="x", **of(5)))),
        (dynamix.MissingKeyError, "Account.number", lambda tx: tx.create(Account, bank="b")),
        (dynamix.MissingKeyError, "Account.number", lambda tx: tx.delete(Account, bank="b")),
        (dynamix.UnknownNameError, "balanse", lambda tx: tx.put(Account, balanse=1, **of(5))),
        (dynamix.UnknownNameError, "beside an instance", lambda tx: tx.put(account, balance=1)),
        (dynamix.UnknownNameError, "beside an instance", lambda tx: tx.delete(account, number=1)),
        (dynamix.UnknownNameError, "is not part of the key", lambda tx: tx.delete(Account, balance=1, **of(5))),
        (dynamix.WrongTypeError, "is not a condition", lambda tx: tx.check(Account, True, **of(5))),
        (dynamix.WrongTypeError, "None is not a condition", lambda tx: tx.check(Account, None, **of(5))),
        (dynamix.WrongTypeError, "is not a condition", lambda tx: tx.save(account, condition=True)),
        (dynamix.InvalidQueryError, "is not a field", lambda tx: tx.check(Account, Customer.condition == "x", **of(5))),
        (
            dynamix.InvalidUpdateError,
            "was not loaded",
            lambda tx: tx.check(Account, Account.owner.unchanged(), **of(5)),
        ),
        (
            dynamix.InvalidUpdateError,
            "compares with what was loaded",
            lambda tx: tx.put(Account, condition=Account.balance.unchanged(), **of(5)),
        ),
        (dynamix.WrongTypeError, "neither a model nor", lambda tx: tx.save({"bank": "b"})),
        (dynamix.WrongTypeError, "neither a model nor", lambda tx: tx.delete(None)),
        (dynamix.WrongTypeError, "is not a model", lambda tx: tx.create(dict, a=1)),
        (dynamix.WrongTypeError, "is not a model", lambda tx: tx.update(account, Account.balance.add(1))),
        (dynamix.InvalidUpdateError, "without actions", lambda tx: tx.update(Account, **of(5))),
        (
            dynamix.FieldValidationException,
            "no Unicode|cannot be written",
            lambda tx: tx.delete(Account, bank="\ud800", number=1),
        ),
    ]
    for kind, message, act in wrong:
        with pytest.raises(kind, match=message):
            transact(lambda tx: tx.update(Account, Account.balance.add(1), **of(0)), act)
    assert balances() == [100]


def test_what_is_refused_at_the_end() -> None:
    """What only the end of the block can know is refused there, before anything is sent, and names the item."""
    (account,) = create_bank(1)
    account.log = [1]
    large = "x" * 390_000

    def fill(tx: dynamix.Transaction, numbers: range, owner: str = "me") -> None:
        for number in numbers:
            tx.put(Account, owner=owner, **of(number))

    def edit(tx: dynamix.Transaction) -> None:
        tx.save(account).log.append(object())  # type: ignore[union-attr]

    refused: list[tuple[type[Exception], str, Any]] = [
        (
            dynamix.InvalidUpdateError,
            "takes 100 items, and this one has 101; Account .*number=110 is the",
            lambda tx: fill(tx, range(10, 111)),
        ),
        (
            dynamix.InvalidUpdateError,
            "takes 4194304 bytes, and with Account .*number=20 this one has",
            lambda tx: fill(tx, range(10, 21), large),
        ),
        (
            dynamix.ItemTooLargeError,
            "Account .*number=5 has 780.* bytes",
            lambda tx: fill(tx, range(5, 6), large + large),
        ),
        (dynamix.FieldValidationException, "Account.owner cannot", lambda tx: fill(tx, range(5, 6), "\ud800")),
        (dynamix.FieldValidationException, "Account.log cannot hold", edit),
    ]
    for kind, message, act in refused:
        with pytest.raises(kind, match=message):
            transact(act)
    assert balances() == [100]


def test_a_hundred_items() -> None:
    """So many are taken; a check of one of them is no further one."""
    create_bank(0)
    with dynamix.transaction() as tx:
        for number in range(100):
            tx.put(Account, balance=number, **of(number))
        tx.check(Account, Account.balance.not_exists(), **of(0))
    assert balances() == list(range(100))


def test_two_writes_of_one_item() -> None:
    """They are refused by the second one, which names the item and both."""
    account, _ = create_bank(2)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"number=0 is written twice .* by save and by delete"):
        transact(lambda tx: tx.save(account), lambda tx: tx.delete(Account, **of(0)))
    with pytest.raises(dynamix.InvalidUpdateError, match=r"number=1 is written twice .* by put and by update"):
        transact(lambda tx: tx.put(Account, **of(1)), lambda tx: tx.update(Account, Account.balance.add(1), **of(1)))
    assert balances() == [100, 100]


def test_models_of_two_connections() -> None:
    """A transaction is one request, so a model of another connection is refused."""
    create_bank(1)
    with dynamix.Connection(embedded=True) as other:

        class Elsewhere(dynamix.Model):
            key = dynamix.CharField(hash_key=True)
            __connection__ = other

        dynamix.create_table(Elsewhere)
        with pytest.raises(dynamix.InvalidUpdateError, match="Elsewhere uses another connection"):
            transact(lambda tx: tx.delete(Account, **of(0)), lambda tx: tx.put(Elsewhere, key="a"))
        with pytest.raises(dynamix.InvalidQueryError, match="Elsewhere uses another connection"):
            dynamix.transact_get(Account.key_of(**of(0)), Elsewhere.key_of(key="a"))
        transact(lambda tx: tx.put(Elsewhere, key="a"))
        assert Elsewhere.get(key="a") is not None
    assert balances() == [100]


def test_blocks() -> None:
    """A block inside another is refused, and a transaction outside of its block, or after it."""
    create_bank(1)
    add = Account.balance.add(1)
    with pytest.raises(dynamix.InvalidUpdateError, match="inside the block of another"):
        transact(lambda tx: tx.update(Account, add, **of(0)), lambda tx: transact())
    with dynamix.transaction() as first:
        first.update(Account, add, **of(0))
    with pytest.raises(dynamix.InvalidUpdateError, match="has ended"):
        first.put(Account, **of(1))
    with pytest.raises(dynamix.InvalidUpdateError, match="used for one block"), first:
        pass
    with pytest.raises(dynamix.InvalidUpdateError, match="is made in a block"):
        dynamix.transaction().put(Account, **of(1))
    assert balances() == [101]


def test_a_task_of_a_block_that_has_ended() -> None:
    """A task that was started in a block may have transactions of its own once that one has ended."""
    create_bank(1)

    async def main() -> None:
        begun = asyncio.Event()

        async def later() -> None:
            await begun.wait()
            async with dynamix.transaction() as tx:
                tx.update(Account, Account.balance.add(1), **of(0))

        async with dynamix.transaction():
            task = asyncio.create_task(later())
        begun.set()
        await task

    asyncio.run(main())
    assert balances() == [101]


def test_a_missing_table() -> None:
    """The error names the tables, since the service does not say which one is missing."""
    dynamix.create_table(Customer)
    with pytest.raises(dynamix.TableNotFoundError, match=r"the table '.*account' of Account does not exist; create it"):
        transact(lambda tx: tx.put(Account, **of(1)))
    with pytest.raises(dynamix.TableNotFoundError, match=r"one of the tables '.*account' of Account, '.*customer' of"):
        transact(lambda tx: tx.put(Account, **of(1)), lambda tx: tx.put(Customer, email="e"))
    with pytest.raises(dynamix.TableNotFoundError, match="create_table"):
        dynamix.transact_get(Account.key_of(**of(0)))
