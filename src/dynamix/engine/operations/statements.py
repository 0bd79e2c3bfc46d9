"""ExecuteStatement, BatchExecuteStatement, ExecuteTransaction: PartiQL.

Each statement of a batch stands alone: one that fails has its error in its place of the answer. Those of a transaction
are done together or not at all. Neither mixes reads and writes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from dynamix.engine.actions import throughput
from dynamix.engine.actions.capacity import Charge, read_units, report, reports
from dynamix.engine.actions.lag import past_of
from dynamix.engine.actions.throughput import THROTTLED, carry_out, carry_out_alone
from dynamix.engine.data.rows import decode_item
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations.transact import (
    Placed,
    add_charge,
    check_once,
    reading_charge,
    repeats,
    run_all,
    take_all,
)
from dynamix.engine.partiql.keys import single
from dynamix.engine.partiql.parse import parse
from dynamix.engine.partiql.reading import Selection, project
from dynamix.engine.partiql.statements import Exists, Select, Statement
from dynamix.engine.partiql.writing import Located, Writing, locate
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item

_NO_EXISTS = "EXISTS can only be used in ExecuteTransaction write requests."
_NOT_SINGLE = "Only single item select is supported"
_NOT_SINGLE_IN_ALL = "Select statements within ExecuteTransaction must specify the primary key in the where clause."
_NO_INDEX_IN_ALL = "Reads on indices are not supported within transactions."
_CONSISTENT = {"ConsistentRead": True}
_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
    "ResourceNotFoundException": "ResourceNotFound",
    "ValidationException": "ValidationError",
    **THROTTLED,
}


def execute_statement(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """One statement: a page of what a SELECT finds, or what a write has to give back."""
    statement = _parsed(request)
    if isinstance(statement, Select):
        with storage.reading() as catalog:
            selection = Selection(catalog, statement, request)
            page = selection.page(catalog)
            throughput.read(catalog, selection.table, page.charge)
        answer: dict[str, Any] = {"Items": page.items}
        if page.last is not None:
            answer |= {"NextToken": page.token, "LastEvaluatedKey": page.last}
        return _with_charge(answer, request, selection.table, page.charge)
    if isinstance(statement, Exists):
        raise invalid(_NO_EXISTS)
    with storage.writing() as catalog:
        located = locate(catalog, statement, request)
        outcome = carry_out(catalog, located)
    returned = located.returned(outcome)
    return _with_charge({"Items": [] if returned is None else [returned]}, request, located.table, outcome.charge)


def batch_execute_statement(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Up to 25 statements, all reads of one item or all writes."""
    parts = request["Statements"]
    parsed: list[Statement | Fault] = [_tried(partial(_parsed, part)) for part in parts]
    reads = {isinstance(statement, Select) for statement in parsed if not isinstance(statement, Fault | Exists)}
    if len(reads) > 1:
        raise invalid("Read and write requests together in the same batch is not supported.")
    charges: dict[int, tuple[Table, Charge]] = {}
    if reads == {True}:
        responses = _read_each(storage, parts, parsed, charges)
    else:
        responses = _write_each(storage, parts, parsed, charges)
    answer: dict[str, Any] = {"Responses": responses}
    consumed = reports(request, charges.values())
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer


def execute_transaction(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Up to 100 statements, all reads of one item or all writes, that happen together or not at all."""
    parts = request["TransactStatements"]
    parsed = [_of_transaction(number, part) for number, part in enumerate(parts)]
    reads = {isinstance(statement, Select) for statement in parsed}
    if len(reads) > 1:
        raise invalid("ExecuteTransaction API does not support both read and write operations in the same request.")
    charges: dict[int, tuple[Table, Charge]] = {}
    if reads == {True}:
        responses, kind = _read_all(storage, parsed, charges), "Read"
    else:
        responses, kind = [], _write_all(storage, request, parsed, charges)
    answer: dict[str, Any] = {"Responses": responses}
    consumed = reports(request, charges.values(), kind=kind)
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer


class _One:
    """A SELECT of one item, whose WHERE gives its key and nothing else."""

    def __init__(
        self, catalog: Catalog, select: Select, several: str = _NOT_SINGLE, indexed: str = _NOT_SINGLE
    ) -> None:
        if select.index is not None:
            raise invalid(indexed)
        self.table = catalog.table(select.table)
        try:
            self.given, rest = single(select.where, self.table.keys)
        except Fault as fault:
            raise invalid(several) from fault
        if rest is not None:
            raise invalid(several)
        self.key = self.table.keys.encode_key(self.given)
        self._select = select
        self.size = 0

    def read(self, catalog: Catalog, request: dict[str, Any]) -> dict[str, Any]:
        """The member that shows the item, nothing where it does not exist."""
        row = self.table.store.get(catalog.execute, self.key)
        past = past_of(catalog, self.table, None, request)
        if past is not None:
            row = past.row(self.key, row)
        if row is None:
            return {}
        self.size = row[0]
        item: Item = decode_item(row[1])
        return {"Item": project(self._select, item)}


def _parsed(part: dict[str, Any]) -> Statement:
    return parse(part["Statement"], part.get("Parameters", ()))


def _of_transaction(number: int, part: dict[str, Any]) -> Statement:
    with _said_of(number):
        statement = _parsed(part)
        if getattr(statement, "returning", "NONE") != "NONE":
            raise invalid("RETURNING clause is not supported in ExecuteTransaction.")
        return statement


@contextmanager
def _said_of(number: int) -> Iterator[None]:
    """Say of which statement of a transaction a refusal is."""
    try:
        yield
    except Fault as fault:
        if fault.code != "ValidationException":
            raise
        raise invalid(f"Validation failed in TransactStatements[{number}]: {fault.message}", fault.kind) from fault


def _tried(step: Callable[[], Any]) -> Any:
    """What a step gives, or the Fault that it raises."""
    try:
        return step()
    except Fault as fault:
        return fault


def _error(fault: Fault) -> dict[str, Any]:
    return {"Code": _CODES.get(fault.code, fault.code), "Message": fault.message, **fault.item}


def _read_each(
    storage: Storage, parts: list[dict[str, Any]], parsed: list[Any], charges: dict[int, Any]
) -> list[dict[str, Any]]:
    responses: list[dict[str, Any]] = []
    with storage.reading() as catalog:
        ones: list[_One | Fault] = [
            statement if isinstance(statement, Fault) else _tried(partial(_single_read, catalog, statement))
            for statement in parsed
        ]
        _check_apart([one for one in ones if not isinstance(one, Fault)])
        for part, one in zip(parts, ones, strict=True):
            if isinstance(one, Fault):
                responses.append({"Error": _error(one)})
                continue
            shown = one.read(catalog, part)
            charge = Charge(read_units(one.size, part))
            throttled = _tried(partial(throughput.read, catalog, one.table, charge))
            if throttled is not None:
                responses.append({"Error": _error(throttled), "TableName": one.table.name})
                continue
            responses.append({"TableName": one.table.name, **shown})
            add_charge(charges, one.table, charge)
    return responses


def _write_each(
    storage: Storage, parts: list[dict[str, Any]], parsed: list[Any], charges: dict[int, Any]
) -> list[dict[str, Any]]:
    responses = []
    with storage.writing() as catalog:
        located: list[Located | Fault] = [
            statement if isinstance(statement, Fault) else _tried(partial(_located, catalog, statement, part))
            for part, statement in zip(parts, parsed, strict=True)
        ]
        _check_apart([each for each in located if not isinstance(each, Fault)])
        for each in located:
            outcome = each if isinstance(each, Fault) else _tried(partial(carry_out_alone, catalog, each))
            response: dict[str, Any] = {} if isinstance(each, Fault) else {"TableName": each.table.name}
            if isinstance(outcome, Fault):
                response = {"Error": _error(outcome), **response}
            elif not isinstance(each, Fault):
                returned = each.returned(outcome)
                response |= {} if returned is None else {"Item": returned}
                add_charge(charges, each.table, outcome.charge)
            responses.append(response)
    return responses


def _check_apart(found: Sequence[Placed]) -> None:
    if len({(each.table.id, each.key) for each in found}) < len(found):
        raise invalid("Provided list of item keys contains duplicates")


def _single_read(catalog: Catalog, statement: Select | Exists) -> _One:
    if isinstance(statement, Exists):
        raise invalid(_NO_EXISTS)
    return _One(catalog, statement)


def _located(catalog: Catalog, statement: Writing, part: dict[str, Any]) -> Located:
    if isinstance(statement, Exists):
        raise invalid(_NO_EXISTS)
    return locate(catalog, statement, part)


def _read_all(storage: Storage, parsed: list[Any], charges: dict[int, Any]) -> list[dict[str, Any]]:
    with storage.reading() as catalog:
        ones = []
        for number, statement in enumerate(parsed):
            with _said_of(number):
                ones.append(_One(catalog, statement, _NOT_SINGLE_IN_ALL, _NO_INDEX_IN_ALL))
        check_once(ones)
        responses = [one.read(catalog, _CONSISTENT) for one in ones]
        taken = [Charge(read_units(one.size, _CONSISTENT)) for one in ones]
        take_all(catalog, ones, taken)
        for one, charge in zip(ones, taken, strict=True):
            add_charge(charges, one.table, charge)
    return responses


def _write_all(storage: Storage, request: dict[str, Any], parsed: list[Any], charges: dict[int, Any]) -> str:
    """Do all; the kind of units that were taken, which of a repeated request are those of reading."""
    parts = request["TransactStatements"]
    with storage.writing() as catalog:
        located: list[Located] = []
        for number, (statement, part) in enumerate(zip(parsed, parts, strict=True)):
            with _said_of(number):
                located.append(locate(catalog, statement, part))
        check_once(located)
        repeated = repeats(catalog, request, "TransactStatements")
        if repeated:
            taken = [reading_charge(each.table.store.get(catalog.execute, each.key)) for each in located]
        else:
            taken = run_all(catalog, located)
        for each, charge in zip(located, taken, strict=True):
            add_charge(charges, each.table, charge)
    return "Read" if repeated else "Write"


def _with_charge(answer: dict[str, Any], request: dict[str, Any], table: Table, charge: Charge) -> dict[str, Any]:
    consumed = report(request, table, charge)
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer
