"""Transactions on every place: what is stored, and why one was cancelled."""

import asyncio
import contextlib
import contextvars
import threading
import uuid
from typing import Any

import pytest
from bank import Account, Customer, balances, cancelled, create_bank, of, reload, transact

import dynamix
from dynamix import FieldValidationException, TransactionCanceledError

pytestmark = pytest.mark.usefixtures("place")


def test_all_verbs_in_one_transaction() -> None:
    """Creates, puts, saves, updates, deletes and checks of two models are made together; verbs return instances."""
    old, loaded, gone, _ = create_bank(4)
    loaded.balance = 7
    with dynamix.transaction() as tx:
        made = tx.create(Account, **of(10), balance=1)
        assert tx.create(given := Account(**of(11), balance=2)) is given
        assert tx.put(old) is old
        assert tx.save(loaded) is loaded
        assert tx.put(Customer, email="e", condition="good").condition == "good"
        tx.update(Account, Account.balance.add(5), Account.owner.set("me"), **of(3))
        tx.delete(gone)
        tx.delete(Account, **of(99))
        tx.check(Account, Account.balance.not_exists(), **of(98))
        assert reload(1).balance == 100  # nothing is sent before the end
    assert {a.number: a.balance for a in Account.scan().consistent()} == {0: 100, 1: 7, 3: 105, 10: 1, 11: 2}
    assert reload(3).owner == "me"
    assert made == reload(10)
    found = Customer.get(email="e")
    assert found is not None
    assert found.condition == "good"


def test_a_put_stores_what_the_instance_is_at_the_end() -> None:
    """Whatever was done to it since it was given, by assignment, in place or by a change, is stored or refused."""
    create_bank(0)
    with dynamix.transaction() as tx:
        first, second, third, fourth, fifth = [
            tx.put(Account(**of(number), tags={"a"}, log=["a"], data={"a": {"b": 1}})) for number in range(5)
        ]
        first.owner = "me"
        second.data["a"]["b"] = 2
        third.tags.add("b")
        fourth.log.append("b")
        fifth.append_to_listfield(Account.log, "c")
    stored = [reload(number) for number in range(5)]
    assert stored == [first, second, third, fourth, fifth]
    assert stored[0].owner == "me"
    assert (stored[1].data, stored[2].tags) == ({"a": {"b": 2}}, {"a", "b"})
    assert (stored[3].log, stored[4].log) == (["a", "b"], ["a", "c"])
    wrong, conditional = Account(**of(7), log=[]), Account(**of(8))
    with pytest.raises(FieldValidationException, match=r"Account\.log"):
        transact(lambda tx: tx.put(wrong), lambda tx: wrong.log.append(object()))
    met = Account.balance == 5
    error = cancelled(lambda tx: tx.put(conditional), lambda tx: conditional.set_modify_conditions(met))
    assert "does not meet the condition" in str(error)


def test_nothing_is_sent_on_an_exception() -> None:
    """A block that ends by an exception sends nothing; instances and what is queued on them are as before."""
    (account,) = create_bank(1)
    account.add_to_field(Account.balance, 1)
    with pytest.raises(ZeroDivisionError):
        transact(lambda tx: tx.save(account), lambda tx: tx.create(Account, **of(5)), lambda tx: 1 / 0)
    assert balances() == [100]
    account.commit_changes()
    assert (account.balance, balances()) == (101, [101])


def test_the_block_of_a_task() -> None:
    """`async with` does the same."""
    account, other = create_bank(2)

    async def main(*asked: Any) -> None:
        async with dynamix.transaction() as tx:
            for each in asked:
                each(tx)

    account.balance = 50
    asyncio.run(
        main(
            lambda tx: tx.save(account, condition=Account.balance == 100),
            lambda tx: tx.update(Account, Account.balance.add(50), **of(1)),
        )
    )
    assert balances() == [50, 150]
    with pytest.raises(TransactionCanceledError, match=r"by save: .*number=1 does not meet"):
        asyncio.run(main(lambda tx: tx.delete(account), lambda tx: tx.save(other, condition=Account.balance == 100)))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(main(lambda tx: tx.delete(account), lambda tx: 1 / 0))
    assert balances() == [50, 150]


def test_reasons_are_in_the_callers_order() -> None:
    """Each action has its reason, with model, action, code, message and the stored instance; the error names the first
    item."""
    _, _, third = create_bank(3)
    third.balance = 1
    error = cancelled(
        lambda tx: tx.update(Account, Account.balance.add(1), **of(1)),
        lambda tx: tx.check(Customer, Customer.condition == "good", email="e"),
        lambda tx: tx.create(Account, **of(0)),
        lambda tx: tx.update(Account, Account.balance.add(1), **of(7)),
        lambda tx: tx.save(third),
        lambda tx: tx.delete(Account, condition=Account.balance == 5, **of(8)),
    )
    assert str(error) == (
        "the transaction was cancelled by check: Customer with email='e' does not meet the condition "
        "Customer.condition = 'good', as there is no such item; nothing was stored (3 more failed, see .reasons)"
    )
    failed = "ConditionalCheckFailed"
    assert [(reason.model, reason.action, reason.code) for reason in error.reasons] == [
        (Account, "update", None),
        (Customer, "check", failed),
        (Account, "create", failed),
        (Account, "update", failed),
        (Account, "save", None),
        (Account, "delete", failed),
    ]
    assert error.reasons[2].item == Account(**of(0), balance=100)
    assert error.reasons[2].stored_item == {"bank": {"S": "b"}, "number": {"N": "0"}, "balance": {"N": "100"}}
    assert [reason.message for reason in error.reasons] == [
        None,
        "Customer with email='e' does not meet the condition Customer.condition = 'good', as there is no such item; "
        "nothing was stored",
        "Account with bank='b', number=0 exists already; it was left alone",
        "Account with bank='b', number=7 does not exist; nothing was stored",
        None,
        "Account with bank='b', number=8 does not meet the condition Account.balance = 5, as there is no such item; "
        "nothing was stored",
    ]


def test_a_check_and_a_write_of_one_item_are_one() -> None:
    """They are merged, in either order, and several checks too; each of the caller's actions has the reason."""
    account, *_ = create_bank(3)
    account.owner = "me"
    with dynamix.transaction() as tx:
        tx.check(Account, Account.balance == 100, **of(0))
        tx.save(account, condition=Account.owner.not_exists())
        tx.check(Account, Account.tags.not_exists(), **of(0))
        tx.check(Account, Account.balance >= 100, **of(1))
        tx.check(Account, Account.balance <= 100, **of(1))
        tx.update(Account, Account.balance.add(1), **of(2))
    assert (reload(0).owner, balances()) == ("me", [100, 100, 101])
    error = cancelled(
        lambda tx: tx.delete(account, condition=Account.owner == "me"),
        lambda tx: tx.check(Account, Account.balance == 5, **of(2)),
        lambda tx: tx.check(Account, Account.balance == 6, **of(0)),
        lambda tx: tx.check(Account, Account.balance == 101, **of(2)),
    )
    assert [(reason.action, reason.code is not None) for reason in error.reasons] == [
        ("delete", True),
        ("check", True),
        ("check", True),
        ("check", True),
    ]
    assert error.reasons[0].item == error.reasons[2].item == account


def test_a_check_before_the_write() -> None:
    """It is a condition of the write that comes later, beside that one's own."""
    account, _ = create_bank(2)
    error = cancelled(
        lambda tx: tx.check(Account, Account.balance == 5, **of(0)),
        lambda tx: tx.delete(account, condition=Account.balance == 100),
    )
    assert "Account.balance = 100 and Account.balance = 5" in str(error).replace("AND", "and")
    assert balances() == [100, 100]


def test_a_save_without_changes_is_its_conditions() -> None:
    """Nothing is sent for it; where it has a condition, that one is looked at, and has a reason."""
    account, other = create_bank(2)
    with dynamix.transaction() as tx:
        tx.save(account)
    with dynamix.transaction() as tx:
        tx.save(account, condition=Account.balance == 100)
        tx.update(Account, Account.balance.add(1), **of(1))
    error = cancelled(
        lambda tx: tx.save(other),
        lambda tx: tx.save(account, condition=Account.balance == 1),
    )
    assert [reason.code for reason in error.reasons] == [None, "ConditionalCheckFailed"]
    with dynamix.transaction():
        pass
    assert balances() == [100, 101]


def test_a_plan_is_made_anew_for_what_is_stored() -> None:
    """An update that was planned for another item than is stored is planned again, as a commit is."""
    account, other, third = create_bank(3)
    account.update_to_dict_field(Account.data, {"a": 1})
    account.append_to_listfield(Account.log, ["a", "b"]).replace_by_index_in_listfield(Account.log, 1, "c")
    other.update_to_dict_field(Account.data, {"a": 1})
    Account.update_by_key(Account.data.set({"b": 2}), Account.log.set([]), **of(1))
    Account.update_by_key(Account.log.set(["z"]), **of(0))
    with dynamix.transaction() as tx:
        tx.save(account)
        tx.save(other)
        tx.update(Account, Account.data["x"].set(1), **of(2))
    assert (reload(0).data, reload(0).log) == ({"a": 1}, ["z", "c", "b"])
    assert reload(1).data == {"a": 1, "b": 2}
    assert third.refresh().data == {"x": 1}


def test_adding_to_and_deleting_from_one_set() -> None:
    """No single update does both, so the set is replaced whole, while it is what is stored: no member is lost."""
    account, other = create_bank(2)
    account.tags = other.tags = {"x"}
    account.save()
    other.save()
    for each in (account, other):
        each.add_to_setfield(Account.tags, {"y"}).delete_from_setfield(Account.tags, {"x"})
    Account.update_by_key(Account.tags.add({"z"}), **of(1))
    with dynamix.transaction() as tx:
        tx.save(account)
        tx.save(other)
    assert (reload(0).tags, reload(1).tags) == ({"y"}, {"y", "z"})
    assert (account.tags, other.tags) == ({"y"}, {"y", "z"})


def test_edits_that_others_broke() -> None:
    """An edit in place of what others changed cancels the transaction, and names the field."""
    account, _ = create_bank(2)
    account.log = [1, 2]
    account.save()
    (account.log or [])[0] = 5
    Account.update_by_key(Account.log.append(3), **of(0))
    error = cancelled(lambda tx: tx.update(Account, Account.balance.add(1), **of(1)), lambda tx: tx.save(account))
    assert "was changed by others since it was loaded: Account.log" in str(error)
    assert error.reasons[1].item.log == [1, 2, 3]
    assert account.log == [5, 2]


def test_updates_of_a_null() -> None:
    """A change of a stored NULL, at which the service refuses, is planned anew for that."""
    create_bank(1)
    table = dynamix.current.current().table_prefix + "account"
    item = {"bank": {"S": "b"}, "number": {"N": "0"}, "data": {"NULL": True}, "balance": {"NULL": True}}
    dynamix.current.current().request("PutItem", {"TableName": table, "Item": item})
    loaded = reload(0)
    loaded.update_to_dict_field(Account.data, {"a": 1})
    with dynamix.transaction() as tx:
        tx.update(Account, Account.balance.add(5), condition=Account.owner.not_exists(), **of(0))
    with dynamix.transaction() as tx:
        tx.save(loaded)
    assert (reload(0).balance, reload(0).data) == (5, {"a": 1})


def test_a_change_that_changes_nothing_is_a_check() -> None:
    """Where a plan changes nothing of what is stored, what it relies on is looked at, and the conditions are."""
    account, _ = create_bank(2)
    account.log = [1]
    account.save()
    account.remove_by_index_from_listfield(Account.log, 5)
    transact(lambda tx: tx.save(account), lambda tx: tx.update(Account, Account.balance.add(1), **of(1)))
    assert (account.refresh().log, balances()) == ([1], [100, 101])
    account.remove_by_index_from_listfield(Account.log, 5)
    transact(lambda tx: tx.save(account, if_unchanged=True))
    assert account.log == [1]
    account.remove_by_index_from_listfield(Account.log, 1)
    Account.update_by_key(Account.log.append(2), **of(0))
    transact(lambda tx: tx.save(account))
    assert reload(0).log == [1]


class Odd(dynamix.Model):
    """A key of the names of options."""

    condition = dynamix.CharField(hash_key=True)
    returns = dynamix.CharField(range_key=True)
    upsert = dynamix.IntegerField()


class Odder(dynamix.Model):
    """A key of others."""

    upsert = dynamix.IntegerField(hash_key=True)
    count = dynamix.IntegerField()


def test_keys_that_have_the_names_of_options() -> None:
    """They are meant as keys, as in the methods of models."""
    dynamix.create_table(Odd)
    dynamix.create_table(Odder)
    odd: dict[str, Any] = {"condition": "a", "returns": "b"}
    transact(lambda tx: tx.create(Odd, upsert=1, **odd), lambda tx: tx.put(Odder, upsert=0, count=1))
    transact(
        lambda tx: tx.update(Odd, Odd.upsert.add(1), **odd),
        lambda tx: tx.check(Odd, Odd.upsert == 1, **odd),
        lambda tx: tx.update(Odder, Odder.count.add(1), upsert=0),  # type: ignore[arg-type]
    )
    assert dynamix.transact_get(Odd.key_of(**odd), Odder.key_of(upsert=0)) == (
        Odd(upsert=2, **odd),
        Odder(upsert=0, count=2),
    )
    transact(lambda tx: tx.delete(Odd, **odd), lambda tx: tx.delete(Odder, upsert=0))
    assert Odd.scan().consistent().count() == Odder.scan().consistent().count() == 0


def test_upserts() -> None:
    """`upsert=True` makes the item that is missing; without it the transaction is cancelled."""
    create_bank(1)
    with dynamix.transaction() as tx:
        tx.update(Account, Account.balance.add(5), upsert=True, **of(0))
        tx.update(Account, Account.balance.add(5), upsert=True, **of(1))
    assert balances() == [105, 5]


def test_a_token_is_made_once() -> None:
    """The same actions under one token are made once; others are refused."""
    create_bank(2)
    token = uuid.uuid4().hex
    for _ in range(2):
        transact(lambda tx: tx.update(Account, Account.balance.add(1), **of(0)), token=token)
    with pytest.raises(dynamix.IdempotentParameterMismatchError, match=f"the token '{token}' was used for another"):
        transact(lambda tx: tx.update(Account, Account.balance.add(2), **of(0)), token=token)
    assert balances() == [101, 100]
    for _ in range(2):  # each block has a token of its own
        transact(lambda tx: tx.update(Account, Account.balance.add(1), **of(1)))
    assert balances() == [101, 102]


MOVES = [(source, (source + step) % 4, 10 * step) for step in (1, 2, 3) for source in range(4)] * 2
"""From which account to which, and how much."""


def moving(source: int, target: int, amount: int) -> list[Any]:
    """The actions of one transfer."""
    enough = Account.balance >= amount
    return [
        lambda tx: tx.update(Account, Account.balance.add(-amount), condition=enough, **of(source)),
        lambda tx: tx.update(Account, Account.balance.add(amount), **of(target)),
    ]


def test_threads_and_tasks_race() -> None:
    """However transfers meet, money is neither made nor lost, none is overdrawn, and a reader sees no half of one."""
    create_bank(4)
    seen: list[int] = []

    async def move(source: int, target: int, amount: int) -> None:
        with contextlib.suppress(TransactionCanceledError):
            async with dynamix.transaction() as tx:
                for act in moving(source, target, amount):
                    act(tx)

    async def look() -> None:
        found = await dynamix.atransact_get(*[Account.key_of(**of(number)) for number in range(4)])
        seen.append(sum(account.balance for account in found if account is not None))

    async def main() -> None:
        await asyncio.gather(*(task for each in MOVES for task in (move(*each), look())))

    def work() -> None:
        for each in MOVES[::3]:
            with contextlib.suppress(TransactionCanceledError):
                transact(*moving(*each))

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    assert set(seen) == {400}
    assert sum(balances()) == 400
    assert min(balances()) >= 0
