"""ExportTableToPointInTime, DescribeExport, ListExports: what a table held at a moment, or how it changed, as files.

The files are written when the request is answered, though the answer says IN_PROGRESS as that of the service does.
While they are written nobody waits: each piece of the table is read for itself, as it was at the moment in question.

Source: DynamoDB Developer Guide, "DynamoDB data export to Amazon S3".
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dynamix.engine.buckets.bucket import Bucket, BucketError
from dynamix.engine.buckets.exported import Exported
from dynamix.engine.data.rows import FIRST, LAST
from dynamix.engine.evaluate.ranges import key_range
from dynamix.engine.faults import Fault, invalid, unable
from dynamix.engine.operations.export_lines import BOTH_IMAGES, Export, changed_lines, item_lines
from dynamix.engine.operations.recovery import recoverable
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import recovery, transfers
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.past import TrimmedError
from dynamix.engine.tables.table import Table

_INVALID = "One or more parameter values were invalid: "
_INCREMENTAL = "INCREMENTAL_EXPORT"
_LEAST_SECONDS, _MOST_SECONDS = 15 * 60, 24 * 3600
_MOST_LISTED = 25
_KEPT = (
    "ClientToken",
    "S3Bucket",
    "S3BucketOwner",
    "S3Prefix",
    "S3SseAlgorithm",
    "S3SseKmsKeyId",
    "FilterSpecification",
)
"""What is told of a request as it was given."""


def export_table_to_point_in_time(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Write what a table held at a moment, or what changed between two, below the folder of a bucket."""
    _check(request)
    expressions, low_high = _filter(request)
    with storage.reading() as catalog:
        told = _repeated(catalog, request)
        if told is not None:
            return {"ExportDescription": told}
        export = _begun(catalog, request)
        low, high = low_high(export.table)
    try:
        if request.get("ExportType") == _INCREMENTAL:
            count = export.files.write(changed_lines(storage, export, request["IncrementalExportSpecification"]))
        else:
            count = export.files.write(item_lines(storage, export, expressions, low, high))
        return {"ExportDescription": _concluded(storage, request, export, count)}
    except TrimmedError:
        raise _untimely() from None
    except BucketError as error:
        raise invalid(f"{_INVALID}S3Prefix {error}") from error
    except OSError as error:
        raise _unwritable(request["S3Bucket"], error) from error


def describe_export(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """What an export was like."""
    with storage.reading() as catalog:
        told = transfers.find(catalog, "export", request["ExportArn"])
    if told is None:
        raise Fault("ExportNotFoundException", f"Export not found: {request['ExportArn']}")
    return {"ExportDescription": told}


def list_exports(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The exports of one table or of all, the newest first."""
    limit = request.get("MaxResults", _MOST_LISTED)
    summaries: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"ExportSummaries": summaries}
    last = ""
    with storage.reading() as catalog:
        before = request.get("NextToken", "~")
        for label, told in transfers.listed(catalog, "export", request.get("TableArn"), before):
            if len(summaries) == limit:
                answer["NextToken"] = last
                break
            last = label
            summaries.append({member: told[member] for member in ("ExportArn", "ExportStatus", "ExportType")})
    return answer


def bucket_of(catalog: Catalog, name: str) -> Bucket:
    """The folder that stands for a bucket. Raises Fault where none does."""
    if name not in catalog.buckets:
        raise invalid(
            f"No folder stands for the bucket {name!r}: give it one, by --bucket {name}=DIR of dynamix serve or by "
            f"Engine(buckets={{{name!r}: DIR}})"
        )
    return catalog.buckets[name]


def _check(request: dict[str, Any]) -> None:
    """Refuse what is wrong with a request by itself."""
    if request.get("ExportFormat") == "ION":
        raise invalid("ExportFormat ION is not available in the embedded engine: ask for DYNAMODB_JSON")
    incremental = request.get("ExportType") == _INCREMENTAL
    specification = request.get("IncrementalExportSpecification")
    if incremental != (specification is not None):
        raise invalid(
            f"{_INVALID}IncrementalExportSpecification is for an ExportType of {_INCREMENTAL}, which needs it"
        )
    if not incremental:
        return
    for member in ("ExportTime", "FilterSpecification"):
        if member in request:
            raise invalid(f"{_INVALID}{member} cannot be specified for an ExportType of {_INCREMENTAL}")
    if "ExportFromTime" not in (specification or {}):
        raise invalid(f"{_INVALID}ExportFromTime must be specified in IncrementalExportSpecification")


def _filter(request: dict[str, Any]) -> tuple[Expressions, Callable[[Table], tuple[bytes, bytes]]]:
    """Which items are wanted, and what finds the range of their keys in a table."""
    specification = request.get("FilterSpecification", {})
    target = "Query" if "KeyConditionExpression" in specification else "Scan"
    check_parameters(target, specification)
    expressions = read(target, specification)

    def within(table: Table) -> tuple[bytes, bytes]:
        table.check_scalars(expressions.entered_by_projection | expressions.entered)
        tests = expressions.key_tests
        if tests is None:
            return FIRST, LAST
        for name in table.keys.names & expressions.filter_attributes:
            refusal = "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
            raise invalid(refusal + name)
        return key_range(table.keys, tests)

    return expressions, within


def _begun(catalog: Catalog, request: dict[str, Any]) -> Export:
    table, period = recoverable(catalog, request["TableArn"])
    bucket = bucket_of(catalog, request["S3Bucket"])
    earliest, latest = recovery.window(catalog, period)
    incremental = request.get("IncrementalExportSpecification")
    if incremental is None:
        moments = (earliest, _moment(request, "ExportTime", earliest, latest))
        first, last = 0, recovery.number_at(catalog, table, moments[1])
    else:
        start = _moment(incremental, "ExportFromTime", earliest, latest)
        moments = (start, _moment(incremental, "ExportToTime", earliest, latest))
        if not _LEAST_SECONDS * 1000 <= moments[1] - moments[0] <= _MOST_SECONDS * 1000:
            raise invalid(f"{_INVALID}The time from ExportFromTime to ExportToTime must be 15 minutes to 24 hours")
        first, last = (recovery.number_at(catalog, table, moment - 1) for moment in moments)
        first += 1
    label = transfers.new_label(catalog)
    try:
        files = Exported(bucket, request.get("S3Prefix", ""), label, shared=incremental is not None)
    except BucketError as error:
        raise invalid(f"{_INVALID}S3Prefix {error}") from error
    return Export(table, files, label, first, last, moments, catalog.now())


def _moment(given: dict[str, Any], member: str, earliest: int, latest: int) -> int:
    """A moment that a request names, or the latest, in milliseconds. Raises Fault where it cannot be exported."""
    if member not in given:
        return latest
    moment = recovery.within(recovery.milliseconds(given[member]), earliest, latest)
    if moment is None:
        raise _untimely()
    return moment


def _untimely() -> Fault:
    return Fault(
        "InvalidExportTimeException", "The specified ExportTime is outside of the point in time recovery window."
    )


def _unwritable(bucket: str, error: OSError) -> Fault:
    return unable(f"the folder of the bucket {bucket!r} cannot be written: {error.strerror}; nothing was exported")


def _repeated(catalog: Catalog, request: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return transfers.repeated(catalog, "export", request)
    except transfers.MismatchError:
        raise Fault(
            "ExportConflictException",
            "The ClientToken was used for an export with other parameters less than 8 hours ago",
        ) from None


def _concluded(storage: Storage, request: dict[str, Any], export: Export, count: int) -> dict[str, Any]:
    """Conclude the files, and keep what is told of the export. What was told before is told where it was repeated."""
    with storage.writing() as catalog:
        told = _repeated(catalog, request)
        if told is not None:
            export.files.remove()
            return told
        description = _description(request, export, count, catalog.now())
        export.files.conclude(_summary(description, export))
        transfers.add(catalog, "export", export.label, request, description)
    ended = ("EndTime", "ExportManifest", "ItemCount", "BilledSizeBytes")
    begun = {member: value for member, value in description.items() if member not in ended}
    return begun | {"ExportStatus": "IN_PROGRESS"}


def _description(request: dict[str, Any], export: Export, count: int, ended: float) -> dict[str, Any]:
    table = export.table.record.description
    description = {
        "ExportArn": f"{table['TableArn']}/export/{export.label}",
        "ExportStatus": "COMPLETED",
        "StartTime": round(export.started, 3),
        "EndTime": round(ended, 3),
        "ExportManifest": export.files.summary_key,
        "TableArn": table["TableArn"],
        "TableId": table["TableId"],
        "ExportFormat": "DYNAMODB_JSON",
        "BilledSizeBytes": export.size,
        "ItemCount": count,
        "ExportType": request.get("ExportType", "FULL_EXPORT"),
    } | {member: request[member] for member in _KEPT if member in request}
    incremental = request.get("IncrementalExportSpecification")
    if incremental is None:
        description["ExportTime"] = export.moments[1] / 1000
    else:
        description["IncrementalExportSpecification"] = {
            "ExportFromTime": export.moments[0] / 1000,
            "ExportToTime": export.moments[1] / 1000,
            "ExportViewType": incremental.get("ExportViewType", BOTH_IMAGES),
        }
    return description


def _summary(description: dict[str, Any], export: Export) -> dict[str, Any]:
    """The summary of an export, as it lies beside its files."""
    incremental = description.get("IncrementalExportSpecification")
    times: dict[str, Any] = {"exportTime": _text(export.moments[1] / 1000)}
    if incremental is not None:
        times = {f"export{end}Time": _text(incremental[f"Export{end}Time"]) for end in ("From", "To")}
    summary: dict[str, Any] = {
        "version": "2020-06-30" if incremental is None else "2023-08-01",
        "exportArn": description["ExportArn"],
        "startTime": _text(description["StartTime"]),
        "endTime": _text(description["EndTime"]),
        "tableArn": description["TableArn"],
        "tableId": description["TableId"],
        **times,
        "s3Bucket": description["S3Bucket"],
        "s3Prefix": description.get("S3Prefix"),
        "s3SseAlgorithm": description.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": description.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": export.files.list_key,
        "billedSizeBytes": description["BilledSizeBytes"],
        "itemCount": description["ItemCount"],
        "outputFormat": description["ExportFormat"],
    }
    if incremental is not None:
        summary |= {"outputView": incremental["ExportViewType"], "exportType": _INCREMENTAL}
    return summary


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
