"""Several items of any models, read as of one moment."""

import asyncio
import copy
import pickle

import pytest
from bank import Account, Customer, create_bank, of

import dynamix
from dynamix import Key, atransact_get, transact_get

pytestmark = pytest.mark.usefixtures("place")


def test_items_come_in_order() -> None:
    """They come in the order of their keys, None for what does not exist, and one that is asked for twice is one."""
    first, second = create_bank(2)
    customer = Customer.create(email="e", condition="good")
    keys = [second.get_primary_key_dict(), Customer.key_of(email="e"), Account.key_of(**of(9)), Account.key_of(**of(1))]
    found = transact_get(*keys)
    assert found == (second, customer, None, second)
    assert found[0] is found[3]
    assert transact_get() == ()
    assert transact_get(first.get_primary_key_dict()) == (first,)
    assert asyncio.run(atransact_get(*keys)) == found


def test_a_hundred_keys() -> None:
    """So many different ones are taken; more are refused before anything is sent."""
    create_bank(1)
    keys = [Account.key_of(**of(number)) for number in range(101)]
    assert len([item for item in transact_get(*keys[:100], *keys[:100]) if item is not None]) == 2
    with pytest.raises(dynamix.InvalidQueryError, match="takes 100 keys, and 101 were given"):
        transact_get(*keys)


def test_a_key_has_to_say_its_model() -> None:
    """A plain dict does not say of which model it is; it is refused with what to give."""
    create_bank(1)
    for wrong in (of(0), None, Account(**of(0))):
        with pytest.raises(dynamix.WrongTypeError, match=r"position 1, does not say of which model .* Model.key_of"):
            transact_get(Account.key_of(**of(0)), wrong)  # type: ignore[call-overload]
    with pytest.raises(dynamix.FieldValidationException, match=r"Customer.email cannot hold"):
        transact_get(Customer.key_of(email="e\ud800"))


def test_a_key_is_like_any_dict() -> None:
    """It equals a plain dict, is given as `**key`, and copies and pickles know their model."""
    (account,) = create_bank(1)
    key = account.get_primary_key_dict()
    assert key == of(0) == Account.key_of(**of(0))
    assert Account.get(**key) == account
    assert Account.batch_get(key) == [account]
    for twin in (copy.copy(key), copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert (type(twin), twin, twin.model) == (Key, key, Account)
        assert transact_get(twin) == (account,)

    class Hidden(dynamix.Model):
        """A model that a pickle cannot name."""

        name = dynamix.CharField(hash_key=True)

    hidden = Hidden.key_of(name="a")
    assert (type(copy.deepcopy(hidden)), copy.deepcopy(hidden).model) == (Key, Hidden)
    assert type(pickle.loads(pickle.dumps(hidden))) is dict
    assert pickle.loads(pickle.dumps(hidden)) == hidden


def test_keys_as_they_are_stored() -> None:
    """A key that another program spelled otherwise reaches its item."""

    class Meeting(dynamix.Model):
        """An item by its time."""

        at = dynamix.DateTimeField(hash_key=True)

    dynamix.create_table(Meeting)
    connection = dynamix.current.current()
    stored = {"at": {"S": "2026-11-26T01:00:00Z"}}
    connection.request("PutItem", {"TableName": connection.table_prefix + "Meeting", "Item": stored})
    (meeting,) = Meeting.scan().consistent()
    (found,) = transact_get(meeting.get_primary_key_dict())
    assert found == meeting
    assert transact_get(Meeting.key_of(at="2026-11-26T01:00:00Z")) == (meeting,)
    with dynamix.transaction() as tx:
        tx.delete(Meeting, **meeting.get_primary_key_dict())
    assert Meeting.scan().consistent().count() == 0


def test_an_item_that_cannot_be_read() -> None:
    """The error says which one it is, and of which table."""
    create_bank(1)
    connection = dynamix.current.current()
    table = connection.table_prefix + "account"
    item = {"bank": {"S": "b"}, "number": {"N": "5"}, "balance": {"S": "much"}}
    connection.request("PutItem", {"TableName": table, "Item": item})
    with pytest.raises(dynamix.StoredValueError, match=r"Account.balance") as caught:
        transact_get(Account.key_of(**of(0)), Account.key_of(**of(5)))
    assert (caught.value.table, caught.value.key) == (table, of(5))
