"""Any transactions, one after another, leave what they leave in plain Python, and tell which actions failed."""

import os
from collections.abc import Callable
from typing import Any

from bank import Account, create_bank, of, transact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynamix
from places import Place

EXAMPLES = int(os.environ.get("DYNAMIX_TRANSACTIONS", "0"))
PATIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

Stored = dict[int, dict[str, Any]]
"""What is stored of each account, by number."""

Act = tuple[str, int, int]
"""A verb, the number of an account, and an amount."""

numbers = st.integers(0, 3)
amounts = st.integers(0, 3)
verbs = ["create", "put", "delete", "delete if", "add", "upsert", "append", "check", "check not", "save", "save if"]
acts = st.tuples(st.sampled_from(verbs), numbers, amounts)
programs = st.lists(st.lists(acts, min_size=1, max_size=6), min_size=1, max_size=6)


def once(asked: list[Act]) -> list[Act]:
    """The same without second writes of an item."""
    written: set[int] = set()
    kept = []
    for act in asked:
        verb, number, _ = act
        if verb.startswith("check") or number not in written:
            kept.append(act)
            written.update([] if verb.startswith("check") else [number])
    return kept


def in_python(stored: Stored, asked: list[Act]) -> tuple[Stored, set[int]]:
    """What is stored afterwards, and the numbers of the accounts whose conditions were not met."""
    after = {number: dict(item) for number, item in stored.items()}
    failed: set[int] = set()
    for verb, number, amount in asked:
        item = stored.get(number)
        balance = None if item is None else item.get("balance")
        match verb:
            case "create" | "put":
                holds = verb == "put" or item is None
                after[number] = {"balance": amount}
            case "delete" | "delete if":
                holds = verb == "delete" or (balance is not None and balance >= amount)
                after.pop(number, None)
            case "add" | "upsert":
                holds = verb == "upsert" or item is not None
                after[number] = {**(item or {}), "balance": (balance or 0) + amount}
            case "append":
                holds = item is not None
                after[number] = {**(item or {}), "log": [*(item or {}).get("log", []), amount]}
            case "check":
                holds = balance is not None and balance >= amount
            case "check not":
                holds = item is None or balance is None or balance != amount
            case _:  # a loaded instance, saved: its balance is set, and its log has one more
                holds = item is not None and (verb == "save" or balance == amount)
                after[number] = {**(item or {}), "balance": amount, "log": [*(item or {}).get("log", []), amount]}
        if not holds:
            failed.add(number)
    return (stored if failed else after), failed


def asking(act: Act, loaded: dict[int, Account]) -> Callable[[dynamix.Transaction], Any]:
    """The same as an action of a transaction; `loaded` has the instances to save."""
    verb, number, amount = act
    key, enough = of(number), Account.balance >= amount
    match verb:
        case "create":
            return lambda tx: tx.create(Account, **key, balance=amount)
        case "put":
            return lambda tx: tx.put(Account(**key, balance=amount))
        case "delete":
            return lambda tx: tx.delete(Account, **key)
        case "delete if":
            return lambda tx: tx.delete(Account, condition=enough, **key)
        case "add" | "upsert":
            return lambda tx: tx.update(Account, Account.balance.add(amount), upsert=verb == "upsert", **key)
        case "append":
            return lambda tx: tx.update(Account, Account.log.append(amount), **key)
        case "check":
            return lambda tx: tx.check(Account, enough, **key)
        case "check not":
            return lambda tx: tx.check(Account, Account.balance.not_exists() | (Account.balance != amount), **key)
    condition = Account.balance == amount if verb == "save if" else None
    account = loaded[number] = Account.get(**key, consistent=True) or ghost(number)
    account.balance = amount
    account.append_to_listfield(Account.log, amount)
    return lambda tx: tx.save(account, condition=condition)


def ghost(number: int) -> Account:
    """A loaded instance whose item is gone."""
    made = Account.create(**of(number))
    Account.delete_by_key(**of(number))
    return made


def obeyed(program: list[list[Act]]) -> None:
    """Runs a program in both, and compares after each transaction."""
    stored: Stored = {}
    for raw in program:
        asked, loaded = once(raw), {}
        calls = [asking(act, loaded) for act in asked]
        shown = {number: (account.balance, account.log) for number, account in loaded.items()}
        expected, failed = in_python(stored, asked)
        told: set[int] = set()
        try:
            transact(*calls)
            for account in loaded.values():
                account.refresh()
        except dynamix.TransactionCanceledError as error:
            told = {act[1] for act, reason in zip(asked, error.reasons, strict=True) if reason.code is not None}
        assert told == failed, asked
        if failed:
            assert {number: (account.balance, account.log) for number, account in loaded.items()} == shown
        found = Account.query().consistent().where(Account.bank == "b")
        assert {account.number: account for account in found} == {
            number: Account(**of(number), **item) for number, item in expected.items()
        }
        stored = expected


@settings(max_examples=EXAMPLES or 40, suppress_health_check=PATIENT)
@given(program=programs)
def test_transactions_do_what_they_do_in_python(program: list[list[Act]]) -> None:
    """All actions start from what was stored before; all are made, or none and each failed item is told."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        create_bank(0)
        obeyed(program)


@settings(max_examples=4, suppress_health_check=PATIENT)
@given(program=programs)
def test_transactions_do_the_same_on_every_place(place: Place, program: list[list[Act]]) -> None:
    """So they do on each place."""
    create_bank(0)
    Account.batch_delete(list(Account.scan().consistent()))
    obeyed(program)
