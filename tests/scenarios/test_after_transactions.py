"""What instances show and what is left on them after a transaction, made or not, on every place."""

import itertools
from typing import Any

import pytest
from bank import Account, Customer, balances, cancelled, create_bank, of, reload, transact

import dynamix

pytestmark = pytest.mark.usefixtures("place")


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
