"""ImportTable, DescribeImport, ListImports: a new table with the items of files.

All is done when the request is answered, though the answer says IN_PROGRESS as that of the service does. Lines that are
no items, or no items of the table, are counted and left out; of two items with one key the later stays. Where too many
are wrong, or a file is broken, the import has failed and there is no table.

Source: DynamoDB Developer Guide, "DynamoDB data import from Amazon S3".
"""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from dynamix.engine.actions.put import Put
from dynamix.engine.buckets import compression, imported
from dynamix.engine.buckets.bucket import Bucket, BucketError
from dynamix.engine.data.values import measured_item
from dynamix.engine.faults import Fault, invalid, unable
from dynamix.engine.operations.exports import bucket_of
from dynamix.engine.operations.making import Step, made
from dynamix.engine.operations.tables import added, new_record
from dynamix.engine.requests.shapes import AttributeValue
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import definitions, transfers
from dynamix.engine.tables.catalog import PIECE_BYTES, Catalog
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.unfinished import Unfinished
from dynamix.limits import ITEM_BYTES
from dynamix.wire import Item

_INVALID = "One or more parameter values were invalid: "
_MOST_ERRORS = 10_000
_MOST_LISTED = 25
_TOKEN_DIGITS = 112
_KEPT = ("ClientToken", "S3BucketSource", "InputFormat", "InputFormatOptions", "TableCreationParameters")
"""What is told of a request as it was given."""

_log = logging.getLogger(__name__)


class _Line(msgspec.Struct):
    """A line of DynamoDB's JSON."""

    item: dict[str, AttributeValue] = msgspec.field(name="Item")


class _Failed(Exception):  # noqa: N818 - what has failed is the import
    """The import cannot go on: a code and what happened."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Counts(msgspec.Struct):
    """What became of what was read."""

    size: int = 0
    processed: int = 0
    stored: int = 0
    errors: int = 0


_decode_line = msgspec.json.Decoder(_Line).decode


def import_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Make a table of the items in the files of a bucket whose keys begin with a prefix."""
    parameters = request["TableCreationParameters"]
    _check(request)
    definitions.check_table(parameters)
    with storage.writing() as catalog:
        told = _repeated(catalog, request)
        if told is not None:
            return {"ImportTableDescription": told}
        bucket = bucket_of(catalog, request["S3BucketSource"]["S3Bucket"])
        unfinished = _unfinished(catalog, parameters)
        begun = _begun(catalog, request, unfinished)
    counts = _Counts()

    def finish(catalog: Catalog) -> None:
        added(catalog, unfinished.finish(catalog))
        _keep(catalog, request, begun, counts, {"ImportStatus": "COMPLETED"})

    try:
        made(storage, unfinished, _steps(bucket, request, unfinished.table, counts), finish)
    except _Failed as failed:
        with storage.writing() as catalog:
            ending = {"ImportStatus": "FAILED", "FailureCode": failed.code, "FailureMessage": str(failed)}
            _keep(catalog, request, begun, counts, ending)
    except BucketError as error:
        raise invalid(f"{_INVALID}S3KeyPrefix {error}") from error
    except OSError as error:
        source = request["S3BucketSource"]["S3Bucket"]
        raise unable(f"the folder of the bucket {source!r} cannot be read: {error.strerror}") from error
    return {"ImportTableDescription": begun | {"ImportStatus": "IN_PROGRESS"}}


def describe_import(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """What an import was like."""
    with storage.reading() as catalog:
        told = transfers.find(catalog, "import", request["ImportArn"])
    if told is None:
        raise Fault("ImportNotFoundException", f"Import not found: {request['ImportArn']}")
    return {"ImportTableDescription": told}


def list_imports(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The imports into one table or into all, the newest first."""
    limit = request.get("PageSize", _MOST_LISTED)
    shown = ("ImportArn", "ImportStatus", "TableArn", "S3BucketSource", "InputFormat", "StartTime", "EndTime")
    summaries: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"ImportSummaryList": summaries}
    last = ""
    with storage.reading() as catalog:
        before = _label(request["NextToken"]) if "NextToken" in request else "~"
        for label, told in transfers.listed(catalog, "import", request.get("TableArn"), before):
            if len(summaries) == limit:
                answer["NextToken"] = last.encode().hex().rjust(_TOKEN_DIGITS, "0")
                break
            last = label
            summaries.append({member: told[member] for member in shown})
    return answer


def _label(token: str) -> str:
    """The label that a token of ours stands for."""
    try:
        return bytes.fromhex(token).lstrip(b"\0").decode("ascii")
    except (ValueError, UnicodeDecodeError):
        raise invalid("NextToken is not one that was given") from None


def _check(request: dict[str, Any]) -> None:
    """Refuse what is wrong with a request by itself."""
    kind = request["InputFormat"]
    if kind == "ION":
        raise invalid("InputFormat ION is not available in the embedded engine: give DYNAMODB_JSON or CSV")
    if request.get("InputCompressionType") == "ZSTD" and compression.zstd() is None:
        raise invalid(f"InputCompressionType ZSTD needs a package that is not installed: {compression.INSTALL}")
    if kind != "CSV" and "Csv" in request.get("InputFormatOptions", {}):
        raise invalid(f"{_INVALID}Csv of InputFormatOptions is for an InputFormat of CSV")


def _repeated(catalog: Catalog, request: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return transfers.repeated(catalog, "import", request)
    except transfers.MismatchError:
        raise Fault(
            "ImportConflictException",
            "The ClientToken was used for an import with other parameters less than 8 hours ago",
        ) from None


def _unfinished(catalog: Catalog, parameters: dict[str, Any]) -> Unfinished:
    """The new table, without items; nobody knows of it yet."""
    name = parameters["TableName"]
    if catalog.find(name) is not None:
        raise Fault("ResourceInUseException", f"Table already exists: {name}")
    return Unfinished(catalog, new_record(catalog, parameters), refusal="ResourceInUseException")


def _begun(catalog: Catalog, request: dict[str, Any], unfinished: Unfinished) -> dict[str, Any]:
    """What is told of the import from its begin on."""
    table = unfinished.record.description
    return {
        "ImportArn": f"{table['TableArn']}/import/{transfers.new_label(catalog)}",
        "TableArn": table["TableArn"],
        "TableId": table["TableId"],
        "InputCompressionType": request.get("InputCompressionType", "NONE"),
        "StartTime": round(catalog.now(), 3),
    } | {member: request[member] for member in _KEPT if member in request}


def _keep(
    catalog: Catalog, request: dict[str, Any], begun: dict[str, Any], counts: _Counts, ending: dict[str, Any]
) -> None:
    """Keep what is told of an import that has ended."""
    label = begun["ImportArn"].rpartition("/")[2]
    counted = {
        "ProcessedSizeBytes": counts.size,
        "ProcessedItemCount": counts.processed,
        "ImportedItemCount": counts.stored,
        "ErrorCount": counts.errors,
    }
    transfers.add(catalog, "import", label, request, begun | counted | {"EndTime": round(catalog.now(), 3)} | ending)


def _steps(bucket: Bucket, request: dict[str, Any], table: Table, counts: _Counts) -> Iterator[Step]:
    """What stores the items of all files in a new table, some at a time. Raises _Failed, BucketError and OSError."""
    prefix = request["S3BucketSource"].get("S3KeyPrefix", "")
    keys = bucket.keys(prefix)
    if not keys:
        raise _Failed("S3NoSuchKey", f"there is no file in the bucket whose key begins with {prefix!r}")
    for key in keys:
        counts.size += bucket.size(key)
        ready: list[tuple[Item, int]] = []
        size = 0
        for given in _items(bucket, key, request):
            counts.processed += 1
            try:
                item, item_bytes = _checked(given)
            except Fault as fault:
                _count_error(counts, key, fault)
                continue
            ready.append((item, item_bytes))
            size += item_bytes
            if len(ready) == table.piece_rows or size > PIECE_BYTES:
                yield partial(_put_all, table, ready, key, counts)
                ready, size = [], 0
        yield partial(_put_all, table, ready, key, counts)


def _checked(given: Item | None) -> tuple[Item, int]:
    """An item and its size. Raises Fault for what is none."""
    if given is None:
        raise invalid("it is no item")
    item, size = measured_item(given)
    if size > ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    return item, size


def _put_all(table: Table, items: list[tuple[Item, int]], key: str, counts: _Counts, catalog: Catalog) -> None:
    """Store items, but for those that the table cannot have. Raises _Failed."""
    for item, size in items:
        try:
            Put(table, table.keys.encode_item(item), item, size).run(catalog)
            counts.stored += 1
        except Fault as fault:
            _count_error(counts, key, fault)


def _count_error(counts: _Counts, key: str, fault: Fault) -> None:
    counts.errors += 1
    _log.info("an item of %r was left out of the import, the error number %d: %s", key, counts.errors, fault.code)
    if counts.errors > _MOST_ERRORS:
        raise _Failed("TooManyErrors", f"more than {_MOST_ERRORS} items could not be imported") from None


def _items(bucket: Bucket, key: str, request: dict[str, Any]) -> Iterator[Item | None]:
    """What is in a file: items, and None for what is none. Raises _Failed where the file is broken."""
    unreadable: tuple[type[Exception], ...] = (imported.HeaderError, *compression.broken())
    try:
        with bucket.open(key) as packed, compression.unpacked(packed, request.get("InputCompressionType", "")) as file:
            if request["InputFormat"] == "CSV":
                options = request.get("InputFormatOptions", {}).get("Csv", {})
                rows = imported.rows(file, options.get("Delimiter", ","), options.get("HeaderList"))
                types, indexed = _types(request["TableCreationParameters"])
                for row in rows:
                    yield None if row is None else _item_of(row, types, indexed)
            else:
                for line in imported.lines(file):
                    yield None if line is None else _item_in(line)
    except unreadable as error:
        raise _Failed("UnreadableFile", f"{key!r} cannot be read as it was said to be: {error}") from error


def _item_in(line: bytes) -> Item | None:
    try:
        return _decode_line(line).item  # type: ignore[return-value]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _types(parameters: dict[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """The types of the attributes that are defined, and which of them are keys of indexes only."""
    types = definitions.attribute_types(parameters["AttributeDefinitions"])
    return types, frozenset(types) - set(definitions.key_attributes(parameters))


def _item_of(row: dict[str, str], types: dict[str, str], indexed: frozenset[str]) -> Item | None:
    """A row of CSV as an item: what is not defined is text. An empty cell is no key of an index."""
    item = {name: {types.get(name, "S"): text} for name, text in row.items() if text or name not in indexed}
    try:
        return msgspec.convert(item, dict[str, AttributeValue])  # type: ignore[return-value]
    except msgspec.ValidationError:
        return None
