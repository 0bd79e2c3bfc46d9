"""What is told of a transaction is true, whatever happens on the way, and one token is made once.

Behind a server stands an engine; the test says which answers are lost, and what the service says instead.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bank import Account, Customer, balances, create_bank, of, transact

import dynamix
from dynamix.engine import Engine
from dynamix.engine.http.server import Server

Answer = tuple[int, bytes]
Step = Callable[[Callable[[], Answer]], Answer]


def refusal(code: str, status: int = 400, **members: Any) -> Answer:
    """An answer that says what DynamoDB says."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "said here", **members}
    return status, json.dumps(body).encode()


def cancelled(*codes: str) -> Step:
    """Nothing is made, and these are the reasons."""
    reasons = [{"Code": code} for code in codes]
    return lambda make: refusal("TransactionCanceledException", CancellationReasons=reasons)


def lost(make: Callable[[], Answer]) -> Answer:
    """The transaction is made and its answer lost."""
    assert make()[0] == 200
    return refusal("InternalServerError", 500)


def not_made(make: Callable[[], Answer]) -> Answer:
    """It is not made, and nobody says so."""
    return refusal("InternalServerError", 500)


def running(make: Callable[[], Answer]) -> Answer:
    """The same transaction is still running."""
    return refusal("TransactionInProgressException")


class Unlucky:
    """An engine whose answers to the next transactions are the test's own."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.steps: list[Step] = []
        self.bodies: list[bytes] = []

    def handle(self, target: str, body: bytes) -> Answer:
        """Called by the server."""
        if not target.startswith("Transact"):
            return self.engine.handle(target, body)
        self.bodies.append(body)
        step = self.steps.pop(0) if self.steps else None
        return self.engine.handle(target, body) if step is None else step(lambda: self.engine.handle(target, body))

    @property
    def tokens(self) -> list[str]:
        """The token of each transaction."""
        return [json.loads(body)["ClientRequestToken"] for body in self.bodies]


@pytest.fixture
def unlucky() -> Iterator[Unlucky]:
    """The server, set as the connection of the test."""
    handler = Unlucky()
    options: Any = {"retry_delay": 0.001, "throttle_delay": 0.001}
    with contextlib.ExitStack() as stack:
        stack.callback(handler.engine.close)
        server = stack.enter_context(Server(handler, port=0))
        connection = stack.enter_context(dynamix.Connection(is_local_endpoint=server.address, **options))
        stack.enter_context(dynamix.use_connection(connection))
        yield handler


def add(number: int = 0, amount: int = 1) -> Callable[[dynamix.Transaction], object]:
    """Something that must not be made twice."""
    return lambda tx: tx.update(Account, Account.balance.add(amount), **of(number))


def test_a_lost_answer(unlucky: Unlucky) -> None:
    """The same bytes are sent again, with the same token, and are made once."""
    create_bank(1)
    unlucky.steps = [lost, not_made, lost]
    transact(add())
    assert balances() == [101]
    assert len(set(unlucky.bodies)) == 1
    assert len(unlucky.bodies) == 4
    transact(add())
    assert balances() == [102]
    assert len(set(unlucky.tokens)) == 2

    async def main() -> None:
        async with dynamix.transaction() as tx:
            add()(tx)

    unlucky.steps = [lost]
    asyncio.run(main())
    assert balances() == [103]


def test_an_outcome_that_stays_unknown(unlucky: Unlucky) -> None:
    """Where all attempts are lost, the error says "maybe"; with a token of the caller's it is safe to come back."""
    (account,) = create_bank(1)
    account.add_to_field(Account.balance, 1)
    unlucky.steps = [not_made, lost, not_made, not_made]
    with pytest.raises(dynamix.ServiceUnavailableError) as caught:
        transact(lambda tx: tx.save(account), token="mine")
    assert caught.value.applied == "maybe"
    assert account.balance == 101
    transact(lambda tx: tx.save(account), token="mine")
    assert balances() == [101]
    assert set(unlucky.tokens) == {"mine"}


def test_a_refusal_after_a_lost_answer(unlucky: Unlucky) -> None:
    """A first attempt may still be on its way, so that a refused repeat does not settle the outcome."""
    create_bank(1)
    unlucky.steps = [not_made]
    with pytest.raises(dynamix.OutcomeUnknownError, match="its repeat was refused") as caught:
        transact(lambda tx: tx.create(Account, **of(0)))
    assert caught.value.applied == "maybe"
    unlucky.steps = [not_made]
    with pytest.raises(dynamix.OutcomeUnknownError):  # a new plan would be a new token beside the old one
        transact(lambda tx: tx.update(Account, Account.data["a"].set(1), **of(0)))
    assert len(unlucky.bodies) == 4


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_what_passes_is_repeated(unlucky: Unlucky, code: str) -> None:
    """A transaction that was cancelled for a conflict or a throttle alone is sent again, the same bytes, bounded."""
    create_bank(2)
    unlucky.steps = [cancelled("None", code), lost, cancelled(code, code)]
    transact(add(0), add(1))
    assert balances() == [101, 101]
    assert len(set(unlucky.bodies)) == 1
    unlucky.steps = [cancelled(code, "None")] * 20
    with pytest.raises(dynamix.TransactionCanceledError, match="the transaction was cancelled by update: ") as caught:
        transact(add(0), add(1))
    assert (caught.value.applied, [reason.code for reason in caught.value.reasons]) == ("no", [code, None])
    assert len(unlucky.bodies) == 8
    unlucky.steps = [not_made, *[cancelled(code, "None")] * 20]
    with pytest.raises(dynamix.OutcomeUnknownError, match="its repeat was refused"):
        transact(add(0), add(1))
    assert balances() == [101, 101]


def test_other_reasons_beside_a_conflict(unlucky: Unlucky) -> None:
    """A condition that is not met does not pass, whatever stands beside it."""
    create_bank(2)
    unlucky.steps = [cancelled("TransactionConflict", "ConditionalCheckFailed")]
    with pytest.raises(dynamix.TransactionCanceledError) as caught:
        transact(add(0), add(1))
    assert [reason.message for reason in caught.value.reasons] == [
        "Account with bank='b', number=0 is being changed by another request; nothing was stored",
        "Account with bank='b', number=1 does not exist; nothing was stored",
    ]
    assert len(unlucky.bodies) == 1


def test_a_plan_made_anew_beside_a_conflict(unlucky: Unlucky) -> None:
    """Where one action met a conflict and another was planned for another item, the new plan is sent."""
    create_bank(2)
    reasons = [
        {"Code": "TransactionConflict"},
        {"Code": "ConditionalCheckFailed", "Item": {"bank": {"S": "b"}, "number": {"N": "1"}}},
    ]
    unlucky.steps = [lambda make: refusal("TransactionCanceledException", CancellationReasons=reasons)]
    transact(add(0), lambda tx: tx.update(Account, Account.data["a"].set(1), **of(1)))
    assert (balances(), Account.get_or_raise(**of(1)).data) == ([101, 100], {"a": 1})
    assert len(set(unlucky.tokens)) == 2


def test_what_no_new_plan_can_mend(unlucky: Unlucky) -> None:
    """Where others changed what an edit was made in, nothing is planned anew, whatever else would be."""
    (account,) = create_bank(1)
    account.log = [1, 2]
    account.save()
    account.update_to_dict_field(Account.data, {"a": 1})
    (account.log or [])[0] = 5
    Account.update_by_key(Account.log.append(3), Account.data.set({"b": 1}), **of(0))
    with pytest.raises(dynamix.TransactionCanceledError, match=r"changed by others since it was loaded: Account\.log"):
        transact(lambda tx: tx.save(account))
    assert len(unlucky.bodies) == 1


def test_a_transaction_in_progress(unlucky: Unlucky) -> None:
    """One that still runs is waited for; where it does not end, it may have been applied."""
    create_bank(1)
    unlucky.steps = [running, running, lost]
    transact(add())
    assert balances() == [101]
    assert len(set(unlucky.bodies)) == 1
    unlucky.steps = [running] * 4
    with pytest.raises(dynamix.TransactionInProgressError) as caught:
        transact(add(), token="mine")
    assert caught.value.applied == "maybe"


def test_a_token_of_the_callers(unlucky: Unlucky) -> None:
    """The same actions under it are made once; others are refused, and nothing is planned anew under it."""
    create_bank(2)
    for _ in range(3):
        transact(add(), token="mine")
    assert balances() == [101, 100]
    with pytest.raises(dynamix.IdempotentParameterMismatchError, match="the token 'mine' was used for another"):
        transact(add(1), token="mine")
    with pytest.raises(
        dynamix.TransactionCanceledError, match="under a token of your own nothing is planned anew"
    ) as caught:
        transact(lambda tx: tx.update(Account, Account.data["a"].set(1), **of(0)), token="other")
    assert caught.value.applied == "no"
    transact(lambda tx: tx.update(Account, Account.data["a"].set(1), **of(0)))
    assert Account.get_or_raise(**of(0)).data == {"a": 1}
    for wrong in ("", "x" * 37, 5):
        with pytest.raises(dynamix.WrongTypeError, match="1 to 36 characters"):
            dynamix.transaction(token=wrong)  # type: ignore[arg-type]


def test_a_new_plan_has_a_new_token(unlucky: Unlucky) -> None:
    """What is planned anew is another request; the number of plans is bounded."""
    create_bank(2)
    transact(lambda tx: tx.update(Account, Account.data["a"].set(1), **of(0)), add(1))
    assert len(set(unlucky.tokens)) == len(unlucky.tokens) == 2
    assert balances() == [100, 101]
    connection = dynamix.current.current()

    def changing(make: Callable[[], Answer]) -> Answer:
        with dynamix.use_connection(connection):
            Account.update_by_key(Account.log.set(["x"] * (len(unlucky.bodies) % 2 + 1)), **of(1))
        return make()

    account = Account.get_or_raise(**of(1))
    account.append_to_listfield(Account.log, ["a", "b"]).replace_by_index_in_listfield(Account.log, 2, "c")
    unlucky.steps, unlucky.bodies = [changing] * 100, []
    with pytest.raises(
        dynamix.TransactionCanceledError, match=r"is stored otherwise than its update .* others changed it before"
    ) as caught:
        transact(lambda tx: tx.save(account))
    assert (len(unlucky.bodies), len(set(unlucky.tokens))) == (10, 10)
    assert caught.value.reasons[0].item.log == ["x"]


def test_a_get_meets_a_conflict(unlucky: Unlucky) -> None:
    """A transactional read that meets a write is made again, bounded; the reasons are in the order of the keys."""
    first, second = create_bank(2)
    keys = [Account.key_of(**of(number)) for number in (0, 1, 0)]
    unlucky.steps = [cancelled("TransactionConflict", "None"), not_made]
    assert dynamix.transact_get(*keys) == (first, second, first)
    unlucky.steps = [cancelled("TransactionConflict", "None")] * 4
    with pytest.raises(dynamix.TransactionCanceledError) as caught:
        dynamix.transact_get(*keys)
    assert [(r.model, r.action, r.code is None) for r in caught.value.reasons] == [
        (Account, "get", False),
        (Account, "get", True),
        (Account, "get", False),
    ]
    unlucky.steps = [lambda make: (200, b'{"Responses": [{}]}')] * 4
    with pytest.raises(dynamix.InvalidAnswerError, match="it has 1 items of 2"):
        dynamix.transact_get(*keys)


def test_an_instance_takes_no_changes_meanwhile(unlucky: Unlucky) -> None:
    """While a transaction is under way its instances refuse changes; afterwards they take them, however it ended."""
    (account,) = create_bank(1)
    refused = []

    def meanwhile(make: Callable[[], Answer]) -> Answer:
        try:
            account.balance = 5
        except dynamix.InvalidUpdateError as error:
            refused.append(str(error))
        return make()

    unlucky.steps = [meanwhile, meanwhile]
    transact(lambda tx: tx.put(account))
    with pytest.raises(dynamix.TransactionCanceledError):
        transact(lambda tx: tx.delete(account, condition=Account.balance == 1))
    assert len(refused) == 2
    account.balance = 6
    account.save()
    assert balances() == [6]


def test_single_writes_meet_a_transaction(unlucky: Unlucky) -> None:
    """A single write that meets a transaction is made again."""
    create_bank(1)
    answers = [refusal("TransactionConflictException")] * 2
    handle = unlucky.engine.handle
    unlucky.handle = (  # type: ignore[method-assign]
        lambda target, body: answers.pop() if target == "UpdateItem" and answers else handle(target, body)
    )
    Account.update_by_key(Account.balance.add(1), **of(0))
    assert balances() == [101]


def move(source: int, target: int, amount: int, name: str) -> None:
    """Moves money, and notes that in another table."""
    enough = Account.balance >= amount
    with dynamix.transaction() as tx:
        tx.update(Account, Account.balance.add(-amount), condition=enough, **of(source))
        tx.update(Account, Account.balance.add(amount), **of(target))
        tx.create(Customer, email=name)


def test_threads_move_money(unlucky: Unlucky) -> None:
    """Whatever is lost on the way, money is neither made nor lost, none is overdrawn, and what is told is true."""
    accounts, moves, workers = 5, 12, 6
    create_bank(accounts)
    unlucky.steps = [unreliable(number) for number in range(10_000)]
    connection = dynamix.current.current()
    made: set[str] = set()
    unknown: set[str] = set()
    strange: list[BaseException] = []

    def work(worker: int) -> None:
        for number in range(moves):
            name, source = f"{worker}-{number}", (worker + number) % accounts
            try:
                with dynamix.use_connection(connection):
                    move(source, (source + 1 + number % 3) % accounts, 20 + 5 * worker, name)
                made.add(name)
            except dynamix.TransactionCanceledError as error:
                if (error.applied, error.reasons[0].code) != ("no", "ConditionalCheckFailed"):
                    strange.append(error)
            except dynamix.DynamixError as error:
                if error.applied != "maybe":
                    strange.append(error)
                unknown.add(name)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert strange == []
    assert sum(balances()) == accounts * 100
    assert min(balances()) >= 0
    noted = {customer.email for customer in Customer.scan().consistent()}
    assert made <= noted <= made | unknown
    assert made


def unreliable(number: int) -> Step:
    """Every fourth answer is lost, every seventh request is throttled."""

    def step(make: Callable[[], Answer]) -> Answer:
        answer = refusal("ThrottlingException") if number % 7 == 6 else make()
        return refusal("InternalServerError", 500) if number % 4 == 3 else answer

    return step
