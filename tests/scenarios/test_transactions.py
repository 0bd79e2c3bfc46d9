"""Transactions on every place: what is stored, what instances show then, what is refused, and why one was cancelled."""

import asyncio
import contextlib
import contextvars
import itertools
import threading
import uuid
from typing import Any

import pytest
from bank import Account, Customer, balances, create_bank, of, transact

import dynamix
from dynamix import TransactionCanceledError

pytestmark = pytest.mark.usefixtures("place")


def reload(number: int) -> Account:
    """What is stored."""
    return Account.get_or_raise(**of(number), consistent=True)


def cancelled(*asked: Any) -> TransactionCanceledError:
    """The error of a transaction that is not made. Each of what is asked is called with it."""
    before = Account.scan().consistent().count()
    with pytest.raises(TransactionCanceledError) as caught:
        transact(*asked)
    assert caught.value.applied == "no"
    assert Account.scan().consistent().count() == before
    return caught.value


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


def test_instances_are_clean_after_success() -> None:
    """What was stored is what the next `save()` starts from: it sends nothing, and later edits alone."""
    (account,) = create_bank(1)
    account.data, account.log, account.tags = {"a": {"b": 1}}, [1], {"x"}
    with dynamix.transaction() as tx:
        tx.save(account)
        new = tx.create(Account, **of(1), data={"a": 1})
    Account.update_by_key(Account.owner.set("other"), **of(0))
    account.save()
    new.save()
    assert account == Account(**of(0), balance=100, data={"a": {"b": 1}}, log=[1], tags={"x"})
    (account.data or {})["a"]["b"] = 2
    with dynamix.transaction() as tx:
        tx.save(account, if_unchanged=True)
    assert (account.data, reload(0).data) == ({"a": {"b": 2}}, {"a": {"b": 2}})
    assert reload(0).owner == "other"


def test_a_deleted_instance_is_new() -> None:
    """After a delete an instance can be stored again, and its queued changes have no item to go to."""
    (account,) = create_bank(1)
    with dynamix.transaction() as tx:
        tx.delete(account, condition=Account.balance == 100)
    assert balances() == []
    with pytest.raises(dynamix.InvalidUpdateError, match="was deleted"):
        account.add_to_field(Account.balance, 1).commit_changes()
    account.discard_changes()
    with dynamix.transaction() as tx:
        tx.save(account)
    assert balances() == [100]


COMPUTED = (Account.balance, lambda a: a.change(Account.balance.set(Account.balance + 1)), 101)
UNTOLD = [
    (Account.balance, lambda a: a.add_to_field(Account.balance, 1), 101),
    (Account.log, lambda a: a.append_to_listfield(Account.log, 3), [1, 2, 3]),
    (Account.log, lambda a: a.log.append(3), [1, 2, 3]),
    (Account.log, lambda a: a.replace_by_index_in_listfield(Account.log, 0, 3), [3, 2]),
    (Account.tags, lambda a: a.add_to_setfield(Account.tags, {"y"}), {"x", "y"}),
    (Account.tags, lambda a: a.tags.add("y"), {"x", "y"}),
    (Account.tags, lambda a: a.delete_from_setfield(Account.tags, {"x"}), None),
    (Account.data, lambda a: a.update_to_dict_field(Account.data, {"b": 2}), {"a": 1, "b": 2}),
    (Account.data, lambda a: a.change(Account.data["a"].set(2)), {"a": 2}),
    (Account.data, lambda a: a.data.pop("a"), {}),
    COMPUTED,
    (Account.log, lambda a: a.change(Account.log.prepend(0)), [0, 1, 2]),
]


@pytest.mark.parametrize(("field", "change", "result"), UNTOLD)
def test_what_the_service_does_not_tell(field: Any, change: Any, result: Any) -> None:
    """A field changed in place of being set is not loaded after a transaction; `refresh()` loads it. Others show."""
    (account,) = create_bank(1)
    account.log, account.tags, account.data = [1, 2], {"x"}, {"a": 1}
    account.save()
    change(account)
    account.owner = "me"
    with dynamix.transaction() as tx:
        tx.save(account)
    with pytest.raises(dynamix.FieldNotLoadedError, match=r"a transaction changed it.*refresh\(\)"):
        getattr(account, field.attribute)
    assert account.owner == "me"
    with pytest.raises(dynamix.InvalidUpdateError, match="was loaded without"):
        account.save(overwrite=True)
    with dynamix.transaction() as tx:
        account.owner = "you"
        tx.save(account)
    assert getattr(account.refresh(), field.attribute) == result
    assert account == reload(0)
    assert account.owner == "you"


@pytest.mark.parametrize(("field", "change", "result"), [row for row in UNTOLD if row is not COMPUTED])
def test_what_a_transaction_is_conditioned_on_is_known(field: Any, change: Any, result: Any) -> None:
    """Where the transaction had the old value as its condition, the instance shows the new one, as it is stored."""
    (account,) = create_bank(1)
    account.log, account.tags, account.data = [1, 2], {"x"}, {"a": 1}
    account.save()
    change(account)
    with dynamix.transaction() as tx:
        tx.save(account, if_unchanged=True)
    assert getattr(account, field.attribute) == result
    assert account == reload(0)
    account.save(overwrite=True)
    assert account == reload(0)


def test_a_condition_of_the_callers_tells_the_old_value() -> None:
    """A condition on equality counts, whatever was loaded; so does the check of the same item."""
    account, other = create_bank(2)
    Account.update_by_key(Account.balance.set(7), **of(0))
    account.add_to_field(Account.balance, 1)
    other.add_to_field(Account.balance, 1).append_to_listfield(Account.log, 1)
    with dynamix.transaction() as tx:
        tx.save(account, condition=(Account.balance == 7) & Account.owner.not_exists())
        tx.save(other)
        tx.check(Account, (Account.balance == 100) & Account.log.not_exists(), **of(1))
    assert (account.balance, other.balance, other.log) == (8, 101, [1])
    assert [account, other] == [reload(0), reload(1)]


def test_after_failure_all_is_as_before() -> None:
    """Changes, edits in place and conditions are still there, and the next attempt sends them."""
    account, other = create_bank(2)
    account.add_to_field(Account.balance, 1)
    account.data = {"a": 1}
    account.set_modify_conditions(Account.balance >= 100)
    new = Account(**of(5), balance=5)
    customer = Customer(email="e")
    seen = customer.seen
    for _ in range(2):
        error = cancelled(
            lambda tx: tx.save(account),
            lambda tx: tx.create(new),
            lambda tx: tx.put(customer),
            lambda tx: tx.delete(other, condition=Account.balance == 1),
        )
        assert [reason.code for reason in error.reasons] == [None, None, None, "ConditionalCheckFailed"]
        assert (account.balance, account.data, customer.seen) == (101, {"a": 1}, seen)
    with dynamix.transaction() as tx:
        tx.save(account)
        tx.create(new)
        tx.delete(other)
    assert balances() == [101, 5]


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


class Player(dynamix.Model):
    """Fields with defaults, one of which is another each time."""

    name = dynamix.CharField(hash_key=True)
    lives = dynamix.IntegerField(default=3)
    seed = dynamix.IntegerField(default=lambda: next(SEALS))
    moves = dynamix.ListField(default=["begin"])


class Bare(dynamix.Model):
    """The same table, without them."""

    __table_name__ = "Player"

    name = dynamix.CharField(hash_key=True)


def test_defaults_that_show() -> None:
    """A change starts from the default that shows; what is removed shows the default that it has shown."""
    dynamix.create_table(Player)
    Bare.create(name="a")
    player = Player.get_or_raise(name="a", consistent=True)
    seed = player.seed
    player.add_to_field(Player.lives, 1).append_to_listfield(Player.moves, "on").set_field(Player.seed, None)
    transact(lambda tx: tx.save(player, if_unchanged=True))
    assert (player.lives, player.moves, player.seed) == (4, ["begin", "on"], seed)
    stored = Player.get_or_raise(name="a", consistent=True)
    assert (stored.lives, stored.moves) == (4, ["begin", "on"])
    player.lives, player.seed = None, 7  # type: ignore[assignment]
    transact(lambda tx: tx.save(player))
    assert (player.lives, player.seed) == (3, 7)
    assert player == Player.get(name="a", consistent=True)


def test_a_partly_loaded_instance() -> None:
    """What was set counts as loaded afterwards; what was neither loaded nor set does not."""
    create_bank(1)
    account = Account.get(Account.owner, consistent=True, **of(0))
    assert account is not None
    account.balance = 5
    transact(lambda tx: tx.save(account))
    assert account.balance == 5
    account.balance = 6
    transact(lambda tx: tx.save(account, if_unchanged=True))
    assert (account.balance, balances()) == (6, [6])
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = account.log


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


def test_automatic_times() -> None:
    """The time of the last write is that of the transaction; a cancelled one leaves the instance its time."""
    create_bank(1)
    first, second = Customer.create(email="1"), Customer.create(email="2")
    times = first.seen, second.seen
    first.condition = "good"
    refused = [lambda tx: tx.save(first), lambda tx: tx.put(second), lambda tx: tx.create(Account, **of(0))]
    cancelled(*refused)
    assert (first.seen, second.seen) == times
    transact(*refused[:2])
    assert first.seen == second.seen != times[0]
    assert dynamix.transact_get(first.get_primary_key_dict(), second.get_primary_key_dict()) == (first, second)
    transact(lambda tx: tx.save(first))
    assert first == Customer.get(email="1", consistent=True)


def test_conditions_that_were_set_on_an_instance() -> None:
    """They hold for its action, also where nothing else is sent of it, and are spent afterwards."""
    account, other = create_bank(2)
    for each in (account, other):
        each.set_modify_conditions(Account.balance == 1)
    for act in (lambda tx: tx.save(account), lambda tx: tx.put(account), lambda tx: tx.delete(account)):
        assert "Account.balance = 1" in str(cancelled(act))
    Account.update_by_key(Account.balance.set(1), **of(0))
    transact(lambda tx: tx.save(account))
    Account.update_by_key(Account.balance.set(2), **of(0))
    transact(lambda tx: tx.put(account))
    assert balances() == [100, 100]


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


class Sealed(dynamix.CharField):
    """Text that is stored otherwise each time."""

    def to_wire(self, value: str) -> dict[str, str]:
        """With a number that nobody has used before."""
        return {"S": f"{next(SEALS)}:{value}"}

    def from_wire(self, wire: dict[str, str]) -> str:
        """Without the number."""
        return wire["S"].split(":", 1)[1]


SEALS = itertools.count()


class Letter(dynamix.Model):
    """What is sealed, and what has to be there."""

    name = dynamix.CharField(hash_key=True)
    text = Sealed()
    read = dynamix.IntegerField(required=True)


def test_what_is_stored_otherwise_each_time() -> None:
    """An instance keeps the form that was sent, so that a later condition is met by it."""
    dynamix.create_table(Letter)
    letter = Letter.create(name="a", text="one", read=0)
    for number, text in enumerate(("two", "three")):
        letter.text, letter.read = text, number
        transact(lambda tx: tx.save(letter, if_unchanged=True))
        assert letter.text == text
    assert letter == Letter.get(name="a", consistent=True)


def test_a_required_field_that_only_the_service_knows() -> None:
    """It counts as not loaded like others: storing the instance whole is refused, and says so."""
    dynamix.create_table(Letter)
    letter = Letter.create(name="a", read=0).add_to_field(Letter.read, 1)
    transact(lambda tx: tx.save(letter))
    with pytest.raises(dynamix.InvalidUpdateError, match="was loaded without read"):
        transact(lambda tx: tx.put(letter))
    transact(lambda tx: tx.put(letter.refresh()))
    assert Letter.get(name="a", consistent=True) == Letter(name="a", read=1)


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


def test_upserts() -> None:
    """`upsert=True` makes the item that is missing; without it the transaction is cancelled."""
    create_bank(1)
    with dynamix.transaction() as tx:
        tx.update(Account, Account.balance.add(5), upsert=True, **of(0))
        tx.update(Account, Account.balance.add(5), upsert=True, **of(1))
    assert balances() == [105, 5]


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
