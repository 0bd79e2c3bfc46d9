"""Exports: what a table held, or how it changed, as files below a folder that stands for a bucket."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from engine.database import Clock, Database, wire
from engine.restored import TABLE, described, held, switch

NOW = 1_800_000_000
DAY = 24 * 3600
HOUR = 3600


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(params=["memory", "file"])
def database(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Database]:
    path = None if request.param == "memory" else tmp_path / "file.db"
    (tmp_path / "bucket").mkdir()
    buckets = {"mine": tmp_path / "bucket"}
    database = Database(Engine(path, clock=clock, sweep_seconds=None, buckets=buckets))
    database.create("a:S")
    switch(database)
    yield database
    database.engine.close()


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def export(database: Database, **more: Any) -> dict[str, Any]:
    """What is told of a new export."""
    request = {"TableArn": TABLE, "S3Bucket": "mine", **more}
    begun = database.call("ExportTableToPointInTime", **request)["ExportDescription"]
    told: dict[str, Any] = database.call("DescribeExport", ExportArn=begun["ExportArn"])["ExportDescription"]
    assert begun["ExportStatus"] == "IN_PROGRESS"
    assert told["ExportStatus"] == "COMPLETED"
    return told


def increment(database: Database, start: float, end: float | None = None, **more: Any) -> dict[str, Any]:
    times = {"ExportFromTime": start} | ({} if end is None else {"ExportToTime": end})
    return export(database, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=times | more)


def lines(bucket: Path, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of an export, whose files are as its lists say."""
    summary = json.loads((bucket / told["ExportManifest"]).read_text())
    listed = bucket / summary["manifestFilesS3Key"]
    for path in (bucket / told["ExportManifest"], listed):
        digest = base64.b64encode(hashlib.md5(path.read_bytes()).digest())
        assert path.with_suffix(".checksum").read_bytes() == digest
    found = []
    for entry in map(json.loads, listed.read_text().splitlines()):
        packed = (bucket / entry["dataFileS3Key"]).read_bytes()
        digest = hashlib.md5(packed)
        assert entry["md5Checksum"] == base64.b64encode(digest.digest()).decode()
        assert entry["etag"] == f"{digest.hexdigest()}-1"
        own = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
        assert entry["itemCount"] == len(own)
        found += own
    assert summary["itemCount"] == told["ItemCount"] == len(found)
    return found


def test_a_full_export(database: Database, clock: Clock, bucket: Path) -> None:
    """The items as they were at the time given, under the names and with the summary that the service writes."""
    database.put(a="x", n=1)
    database.put(a="y", n={"L": [{"B": "AA=="}, {"NULL": True}]})
    past = held(database, "tab")
    clock.now += 100
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "x"}))
    database.put(a="z")
    told = export(database, S3Prefix="some/where", ExportTime=NOW + 99, S3SseAlgorithm="AES256", ClientToken="t")
    number = told["ExportArn"].removeprefix(f"{TABLE}/export/")
    assert number.startswith(f"0{NOW + 100}000-")
    folder = f"some/where/AWSDynamoDB/{number}"
    assert told == {
        "ExportArn": f"{TABLE}/export/{number}",
        "ExportStatus": "COMPLETED",
        "ExportType": "FULL_EXPORT",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportManifest": f"{folder}/manifest-summary.json",
        "ExportTime": NOW + 99,
        "StartTime": NOW + 100,
        "EndTime": NOW + 100,
        "TableArn": TABLE,
        "TableId": described(database, "tab")["TableId"],
        "S3Bucket": "mine",
        "S3Prefix": "some/where",
        "S3SseAlgorithm": "AES256",
        "ClientToken": "t",
        "ItemCount": 2,
        "BilledSizeBytes": 5 + 2 + 1 + 3 + 1 + 2 + 1,
    }
    assert sorted(json.dumps(line["Item"], sort_keys=True) for line in lines(bucket, told)) == past
    assert json.loads((bucket / told["ExportManifest"]).read_text()) == {
        "version": "2020-06-30",
        "exportArn": told["ExportArn"],
        "startTime": "2027-01-15T08:01:40.000Z",
        "endTime": "2027-01-15T08:01:40.000Z",
        "tableArn": TABLE,
        "tableId": told["TableId"],
        "exportTime": "2027-01-15T08:01:39.000Z",
        "s3Bucket": "mine",
        "s3Prefix": "some/where",
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{folder}/manifest-files.json",
        "billedSizeBytes": told["BilledSizeBytes"],
        "itemCount": 2,
        "outputFormat": "DYNAMODB_JSON",
    }
    found = sorted(path.name for path in (bucket / folder).iterdir())
    assert found == [
        "_started",
        "data",
        "manifest-files.checksum",
        "manifest-files.json",
        "manifest-summary.checksum",
        "manifest-summary.json",
    ]
    assert (bucket / folder / "_started").read_bytes() == b""


def test_an_incremental_export(database: Database, clock: Clock, bucket: Path) -> None:
    """Of each item that changed within the time, its end included only by the next one, what it was and became."""
    for name in ("changed", "removed", "same"):
        database.put(a=name, n=1)
    clock.now = NOW + HOUR
    database.put(a="changed", n=2)
    clock.now += 1
    database.put(a="changed", n=3)
    database.put(a="new", n=1)
    database.put(a="gone", n=1)
    for name in ("removed", "gone"):
        database.call("DeleteItem", TableName="tab", Key=wire({"a": name}))
    clock.now = NOW + 2 * HOUR
    database.put(a="changed", n=4)
    micros = {"WriteTimestampMicros": {"N": f"{NOW + HOUR + 1}000000"}}
    told = increment(database, NOW + HOUR, NOW + 2 * HOUR)
    assert told["IncrementalExportSpecification"] == {
        "ExportFromTime": NOW + HOUR,
        "ExportToTime": NOW + 2 * HOUR,
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    }
    found = {line["Keys"]["a"]["S"]: line for line in lines(bucket, told)}
    assert found == {
        "changed": {
            "Metadata": micros,
            "Keys": wire({"a": "changed"}),
            "OldImage": wire({"a": "changed", "n": 1}),
            "NewImage": wire({"a": "changed", "n": 3}),
        },
        "new": {"Metadata": micros, "Keys": wire({"a": "new"}), "NewImage": wire({"a": "new", "n": 1})},
        "removed": {"Metadata": micros, "Keys": wire({"a": "removed"}), "OldImage": wire({"a": "removed", "n": 1})},
    }
    assert json.loads((bucket / told["ExportManifest"]).read_text())["outputView"] == "NEW_AND_OLD_IMAGES"
    clock.now += HOUR
    told = increment(database, NOW + 2 * HOUR, ExportViewType="NEW_IMAGE")
    assert [list(line) for line in lines(bucket, told)] == [["Metadata", "Keys", "NewImage"]]
    assert (bucket / "AWSDynamoDB" / "data").is_dir()


def test_a_filter_chooses_what_is_exported(database: Database, bucket: Path) -> None:
    """Key condition, filter and projection are those of a query or scan."""
    for number in range(5):
        database.put(a=str(number), n=number, other="o")
    values = {":n": {"N": "3"}}
    wanted: dict[str, Any] = {"FilterExpression": "n >= :n", "ExpressionAttributeValues": values}
    told = export(database, FilterSpecification=wanted | {"ProjectionExpression": "a, n"})
    assert sorted(line["Item"]["n"]["N"] for line in lines(bucket, told)) == ["3", "4"]
    assert {tuple(sorted(line["Item"])) for line in lines(bucket, told)} == {("a", "n")}
    key = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "2"}}}
    assert [line["Item"]["n"] for line in lines(bucket, export(database, FilterSpecification=key))] == [{"N": "2"}]
    request = {"TableArn": TABLE, "S3Bucket": "mine"}
    wrong = key | {"FilterExpression": "attribute_exists(a)"}
    code, message = database.refusal("ExportTableToPointInTime", FilterSpecification=wrong, **request)
    assert (code, message.partition(":")[0]) == (
        "ValidationException",
        "Filter Expression can only contain non-primary key attributes",
    )


def test_what_cannot_be_exported_is_refused(database: Database, clock: Clock, bucket: Path, tmp_path: Path) -> None:
    """A table, a bucket, a prefix, a time or a format that is none, each with its own error; nothing is written."""
    clock.now += 2 * DAY
    request: dict[str, Any] = {"TableArn": TABLE, "S3Bucket": "mine"}
    increments = {"ExportType": "INCREMENTAL_EXPORT"}
    for wrong, code, said in (
        ({"TableArn": f"{TABLE}s"}, "TableNotFoundException", f"Table not found: {TABLE}s"),
        ({"S3Bucket": "other"}, "ValidationException", "--bucket other=DIR"),
        ({"ExportFormat": "ION"}, "ValidationException", "ION is not available"),
        ({"S3Prefix": "../up"}, "ValidationException", "'..'"),
        ({"S3Prefix": "/tmp"}, "ValidationException", "S3Prefix"),
        ({"ExportTime": NOW - 1}, "InvalidExportTimeException", "outside of the point in time recovery window"),
        ({"ExportTime": clock.now + 2}, "InvalidExportTimeException", "outside"),
        (increments, "ValidationException", "IncrementalExportSpecification"),
        (increments | {"IncrementalExportSpecification": {}}, "ValidationException", "ExportFromTime"),
        ({"IncrementalExportSpecification": {"ExportFromTime": NOW}}, "ValidationException", "ExportType"),
        (increments | {"IncrementalExportSpecification": {"ExportFromTime": NOW}}, "ValidationException", "24 hours"),
    ):
        found = database.refusal("ExportTableToPointInTime", **{**request, **wrong})
        assert found[0] == code, (wrong, found)
        assert said in found[1], found
    assert list(bucket.iterdir()) == []
    switch(database, on=False)
    refusal = database.refusal("ExportTableToPointInTime", **request)
    assert refusal[0] == "PointInTimeRecoveryUnavailableException"
    code, _ = database.refusal("DescribeExport", ExportArn=f"{TABLE}/export/01234567890123-a1b2c3d4")
    assert code == "ExportNotFoundException"


def test_a_file_in_the_way_is_told(database: Database, bucket: Path) -> None:
    """What the disk refuses is an error of the engine's own, and no export."""
    (bucket / "AWSDynamoDB").write_bytes(b"")
    code, message = database.refusal("ExportTableToPointInTime", TableArn=TABLE, S3Bucket="mine")
    assert code == "StorageException"
    assert "'mine' cannot be written" in message
    assert database.call("ListExports")["ExportSummaries"] == []
    assert [path.name for path in bucket.iterdir()] == ["AWSDynamoDB"]


def test_exports_are_listed_and_repeated(database: Database, clock: Clock, bucket: Path) -> None:
    """The newest come first, page by page, for 90 days; a token makes a repeat the same export for eight hours."""
    arns = []
    for _ in range(5):
        arns.append(export(database)["ExportArn"])
        clock.now += 1
    told: list[str] = []
    page: dict[str, Any] = {}
    while True:
        start = {"NextToken": page["NextToken"]} if page else {}
        page = database.call("ListExports", TableArn=TABLE, MaxResults=2, **start)
        told += [summary["ExportArn"] for summary in page["ExportSummaries"]]
        if "NextToken" not in page:
            break
    assert told == arns[::-1]
    assert database.call("ListExports", TableArn=f"{TABLE}s")["ExportSummaries"] == []
    request = {"TableArn": TABLE, "S3Bucket": "mine", "ClientToken": "token"}
    first = database.call("ExportTableToPointInTime", **request)["ExportDescription"]
    files = set(bucket.rglob("*"))
    again = database.call("ExportTableToPointInTime", **request)["ExportDescription"]
    assert again["ExportArn"] == first["ExportArn"]
    assert set(bucket.rglob("*")) == files
    other = {**request, "S3Prefix": "other"}
    assert database.refusal("ExportTableToPointInTime", **other)[0] == "ExportConflictException"
    clock.now += 8 * HOUR + 1
    later = database.call("ExportTableToPointInTime", **other)["ExportDescription"]
    assert later["ExportArn"] != first["ExportArn"]
    clock.now += 90 * DAY + 1
    assert database.call("ListExports")["ExportSummaries"] == []
    assert database.refusal("DescribeExport", ExportArn=arns[0])[0] == "ExportNotFoundException"


def test_an_export_that_fails_leaves_no_file(database: Database, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the table is gone half-way, what was written is removed and the export is refused."""
    for number in range(20):
        database.put(a=str(number))
    monkeypatch.setattr("dynamix.engine.tables.catalog.PIECE_ROWS", 5)
    monkeypatch.setattr("dynamix.engine.buckets.exported._FILE_BYTES", 1)
    session_type = type(database.engine._session())
    begin = session_type.reading
    begun = []

    def reading(self: Any) -> Any:
        begun.append(1)
        if len(begun) == 3:
            monkeypatch.setattr(session_type, "reading", begin)
            database.call("DeleteTable", TableName="tab")
        return begin(self)

    monkeypatch.setattr(session_type, "reading", reading)
    code, _ = database.refusal("ExportTableToPointInTime", TableArn=TABLE, S3Bucket="mine")
    assert code == "TableNotFoundException"
    assert [path for path in bucket.rglob("*") if path.is_file()] == []


_WRITES = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "wait"]), st.sampled_from("abc"), st.integers(0, 3)), max_size=15
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(_WRITES)
def test_increments_make_of_one_export_the_next(
    tmp_path_factory: pytest.TempPathFactory, program: list[tuple[str, str, int]]
) -> None:
    """A full export with the increments after it, each image put in place, is the table of the end."""
    clock = Clock(NOW)
    bucket = tmp_path_factory.mktemp("bucket")
    database = Database(Engine(clock=clock, sweep_seconds=None, buckets={"mine": bucket}))
    database.create("a:S")
    switch(database)
    database.put(a="a", n=0)
    items = {line["Item"]["a"]["S"]: line["Item"] for line in lines(bucket, export(database))}
    start = clock.now = clock.now + 0.001
    for kind, name, number in [*program, ("wait", "", 0)]:
        if kind == "put":
            database.put(a=name, n=number)
        elif kind == "delete":
            database.call("DeleteItem", TableName="tab", Key=wire({"a": name}))
        else:
            clock.now += HOUR
            for line in lines(bucket, increment(database, start, clock.now)):
                key = line["Keys"]["a"]["S"]
                assert items.get(key) == line.get("OldImage")
                items[key] = line.get("NewImage")
            start = clock.now
    now = {item["a"]["S"]: item for item in database.call("Scan", TableName="tab")["Items"]}
    assert {key: item for key, item in items.items() if item is not None} == now
    database.engine.close()
