"""Imports: a new table of the items in files below a folder that stands for a bucket."""

import gzip
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynamix.cli import main
from dynamix.engine import Engine
from dynamix.engine.buckets import compression
from engine.database import Clock, Database, index, keys_of, wire
from engine.restored import TABLE, described, held, switch

NOW = 1_800_000_000
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
    yield database
    database.engine.close()


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def asked(keys: str = "a:S", *, prefix: str = "", kind: str = "DYNAMODB_JSON", **more: Any) -> dict[str, Any]:
    definitions, schema = keys_of(keys)
    parameters: dict[str, Any] = {"TableName": "tab", "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema}
    indexes = more.pop("indexes", [])
    for each in indexes:
        definitions += [entry for entry in each.pop("definitions") if entry not in definitions]
        parameters["GlobalSecondaryIndexes"] = indexes
    parameters["AttributeDefinitions"] = definitions
    source = {"S3Bucket": "mine", "S3KeyPrefix": prefix}
    return {"S3BucketSource": source, "InputFormat": kind, "TableCreationParameters": parameters, **more}


def imported(database: Database, request: dict[str, Any], status: str = "COMPLETED") -> dict[str, Any]:
    """What is told of a new import."""
    begun = database.call("ImportTable", **request)["ImportTableDescription"]
    told: dict[str, Any] = database.call("DescribeImport", ImportArn=begun["ImportArn"])["ImportTableDescription"]
    assert begun["ImportStatus"] == "IN_PROGRESS"
    assert told["ImportStatus"] == status, told
    return told


def counted(told: dict[str, Any]) -> tuple[int, int, int]:
    """How many items were read, stored, and wrong."""
    return told["ProcessedItemCount"], told["ImportedItemCount"], told["ErrorCount"]


def line(**item: Any) -> str:
    return json.dumps({"Item": wire(item)}) + "\n"


def test_lines_of_json_become_items(database: Database, bucket: Path) -> None:
    """Files whose keys begin with the prefix are read in order: of two items with one key the later stays."""
    (bucket / "in").mkdir()
    (bucket / "in" / "1.json").write_text(line(a="x", n=1) + "\n" + line(a="y", n={"L": [{"NULL": True}]}))
    (bucket / "in" / "2.json").write_text("\ufeff" + line(a="x", n=2).rstrip())
    (bucket / "other").write_text(line(a="z"))
    request = asked(prefix="in/", indexes=[index("by-n", "n:N")], ClientToken="t")
    told = imported(database, request)
    assert counted(told) == (3, 2, 1)  # n is a list in y
    assert held(database, "tab") == held(database, "tab", IndexName="by-n") == [json.dumps(wire({"a": "x", "n": 2}))]
    table = described(database, "tab")
    assert (table["ItemCount"], table["TableSizeBytes"], table["TableStatus"]) == (1, 5, "ACTIVE")
    for member in ("S3BucketSource", "InputFormat", "TableCreationParameters", "ClientToken"):
        assert told[member] == request[member]
    assert told["ImportArn"].startswith(f"{TABLE}/import/0{NOW}000-")
    assert (told["TableArn"], told["TableId"]) == (TABLE, table["TableId"])
    assert (told["StartTime"], told["EndTime"], told["InputCompressionType"]) == (NOW, NOW, "NONE")
    assert told["ProcessedSizeBytes"] == sum(path.stat().st_size for path in (bucket / "in").iterdir())


def test_wrong_lines_are_counted_and_left_out(
    database: Database, bucket: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no item, or no item of the table, is an error each, told in the log without what the line holds."""
    wrong = [
        '{"Item": {"a": {"S": "x"}',
        '{"a": {"S": "secret"}}',
        "[]",
        '{"Item": {"a": {"N": "1"}}}',
        '{"Item": {"b": {"S": "no key"}}}',
        '{"Item": {"a": {"S": "x"}, "n": {"N": "secret"}}}',
        '{"Item": {"a": {"S": "x"}, "n": {"B": "="}}}',
        '{"Item": {"a": {"S": "x", "N": "1"}}}',
        line(a="x", big="b" * 410_000).strip(),
        '{"Item": {"a": {"S": "%s"}}}' % ("x" * 17_000_000),
    ]
    (bucket / "file").write_bytes("\n".join([*wrong, line(a="fine")]).encode() + b"\xff\n" + line(a="last").encode())
    with caplog.at_level(logging.INFO, "dynamix.engine"):
        told = imported(database, asked())
    assert counted(told) == (len(wrong) + 3, 2, len(wrong) + 1)
    assert [json.loads(item)["a"]["S"] for item in held(database, "tab")] == ["fine", "last"]
    assert "an item of 'file' was left out of the import, the error number 1: ValidationException" in caplog.text
    assert "secret" not in caplog.text


def test_rows_of_csv_become_items(database: Database, bucket: Path) -> None:
    """The first line names the attributes; keys have the types of their definitions, all others are text."""
    (bucket / "file").write_bytes(
        '\ufeffa,b,n,text\r\nx,1,5,"a ""b"",\nc"\r\ny,2,,\r\n\r\nz,no,1,t\r\nw,3,1\r\né,4,7,ü\r\n'.encode()
        + b"\xff,5,1,t\r\n"
    )
    told = imported(database, asked("a:S b:N", kind="CSV", indexes=[index("by-n", "n:N", "KEYS_ONLY")]))
    assert counted(told) == (6, 3, 3)
    assert database.get(a="x", b=1) == wire({"a": "x", "b": 1, "n": 5, "text": 'a "b",\nc'})
    assert database.get(a="y", b=2) == wire({"a": "y", "b": 2, "text": ""})
    assert database.get(a="é", b=4) == wire({"a": "é", "b": 4, "n": 7, "text": "ü"})
    assert len(held(database, "tab", IndexName="by-n")) == 2


def test_the_columns_of_csv_may_be_given(database: Database, bucket: Path) -> None:
    """With a list of headers the first line is a row like the others; the delimiter may be another."""
    (bucket / "file").write_text("x;AAE=\ny;no base64\n")
    csv = {"Csv": {"Delimiter": ";", "HeaderList": ["a", "b"]}}
    told = imported(database, asked("a:S b:B", kind="CSV", InputFormatOptions=csv))
    assert counted(told) == (2, 1, 1)
    assert held(database, "tab") == [json.dumps(wire({"a": "x", "b": {"B": "AAE="}}))]


def test_a_cell_may_be_as_large_as_an_item(database: Database, bucket: Path) -> None:
    """A text of 300 KB is an attribute like others."""
    (bucket / "file").write_text(f"a,b\nx,{'b' * 300_000}\n")
    assert counted(imported(database, asked(kind="CSV"))) == (1, 1, 0)


def test_an_export_is_imported(database: Database, clock: Clock, bucket: Path) -> None:
    """What was exported makes the same table again, from files in gzip."""
    database.create("a:S")
    for number in range(20):
        database.put(a=str(number), n=number, s={"SS": ["x", "y"]})
    switch(database)
    database.call("ExportTableToPointInTime", TableArn=TABLE, S3Bucket="mine", S3Prefix="x")
    before = held(database, "tab")
    database.call("DeleteTable", TableName="tab")
    (data,) = bucket.rglob("data")
    prefix = data.relative_to(bucket).as_posix() + "/"
    told = imported(database, asked(prefix=prefix, InputCompressionType="GZIP"))
    assert counted(told) == (20, 20, 0)
    assert held(database, "tab") == before


def test_zstandard_is_read_where_it_can_be(database: Database, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the module of newer Pythons, or its package for older ones; else the request says what to install."""
    request = asked(InputCompressionType="ZSTD")
    module = compression.zstd()
    if module is not None:
        (bucket / "file").write_bytes(module.compress(line(a="x").encode()))
        assert counted(imported(database, request)) == (1, 1, 0)
        (bucket / "file").write_bytes(b"not packed")
        request["TableCreationParameters"]["TableName"] = "other"
        assert imported(database, request, "FAILED")["FailureCode"] == "UnreadableFile"
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    code, message = database.refusal("ImportTable", **request)
    assert code == "ValidationException"
    assert "pip install dynamix-orm[zstd]" in message


def test_a_file_that_is_broken_fails_the_import(database: Database, bucket: Path) -> None:
    """Half a file in gzip, or columns without names: the import has failed, says why, and there is no table."""
    (bucket / "file").write_bytes(gzip.compress(line(a="x" * 1000).encode() * 1000)[:-20])
    told = imported(database, asked(InputCompressionType="GZIP"), "FAILED")
    assert told["FailureCode"] == "UnreadableFile"
    assert told["FailureMessage"].startswith("'file' cannot be read as it was said to be")
    (bucket / "file").write_bytes(b"not packed")
    assert imported(database, asked(InputCompressionType="GZIP"), "FAILED")["FailureCode"] == "UnreadableFile"
    (bucket / "file").write_bytes(b"a,a\nx,y\n")
    assert "the same" in imported(database, asked(kind="CSV"), "FAILED")["FailureMessage"]
    (bucket / "file").write_bytes(b"a,\xff\nx,y\n")
    assert "first line" in imported(database, asked(kind="CSV"), "FAILED")["FailureMessage"]
    (bucket / "file").unlink()
    assert imported(database, asked(), "FAILED")["FailureCode"] == "S3NoSuchKey"
    assert database.call("ListTables")["TableNames"] == []
    with database.engine._session().reading() as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM stores").fetchone() == (0,)


def test_too_many_errors_fail_the_import(database: Database, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another kind is not read to its end."""
    monkeypatch.setattr("dynamix.engine.operations.imports._MOST_ERRORS", 10)
    (bucket / "file").write_text(line(a="x") + "{}\n" * 100)
    told = imported(database, asked(), "FAILED")
    assert (told["FailureCode"], counted(told)) == ("TooManyErrors", (12, 0, 11))
    assert database.call("ListTables")["TableNames"] == []


def test_what_cannot_be_imported_is_refused(database: Database, bucket: Path) -> None:
    """A format, a bucket, a prefix, a definition or a table that is there, each with its own error."""
    (bucket / "file").write_text(line(a="x"))
    schema = [{"AttributeName": "b", "KeyType": "HASH"}]
    unused = {**asked()["TableCreationParameters"], "KeySchema": schema}
    for wrong, code, said in (
        ({"InputFormat": "ION"}, "ValidationException", "ION is not available"),
        ({"S3BucketSource": {"S3Bucket": "other"}}, "ValidationException", "--bucket other=DIR"),
        ({"S3BucketSource": {"S3Bucket": "mine", "S3KeyPrefix": "../x/"}}, "ValidationException", "'..'"),
        ({"InputFormatOptions": {"Csv": {}}}, "ValidationException", "InputFormat of CSV"),
        ({"TableCreationParameters": unused}, "ValidationException", "not defined in AttributeDefinitions"),
    ):
        found = database.refusal("ImportTable", **{**asked(), **wrong})
        assert found[0] == code, (wrong, found)
        assert said in found[1], found
    database.create("a:S")
    assert database.refusal("ImportTable", **asked()) == ("ResourceInUseException", "Table already exists: tab")
    code, _ = database.refusal("DescribeImport", ImportArn=f"{TABLE}/import/01234567890123-a1b2c3d4")
    assert code == "ImportNotFoundException"


def test_imports_are_listed_and_repeated(database: Database, clock: Clock, bucket: Path) -> None:
    """The newest come first, page by page; a token makes a repeat the same import for eight hours."""
    (bucket / "file").write_text(line(a="x"))
    arns = []
    for number in range(5):
        request = asked(ClientToken=str(number))
        request["TableCreationParameters"]["TableName"] = f"t-{number}"
        arns.append(imported(database, request)["ImportArn"])
        clock.now += 1
    again = database.call("ImportTable", **request)["ImportTableDescription"]
    assert (again["ImportArn"], again["ImportStatus"]) == (arns[-1], "COMPLETED")
    assert database.refusal("ImportTable", **request | {"InputFormat": "CSV"})[0] == "ImportConflictException"
    told: list[str] = []
    page: dict[str, Any] = {}
    while True:
        start = {"NextToken": page["NextToken"]} if page else {}
        page = database.call("ListImports", PageSize=2, **start)
        told += [summary["ImportArn"] for summary in page["ImportSummaryList"]]
        if "NextToken" not in page:
            break
    assert told == arns[::-1]
    assert database.call("ListImports", TableArn=f"{TABLE}s")["ImportSummaryList"] == []
    assert len(database.call("ListImports", TableArn="t-1")["ImportSummaryList"]) == 1
    assert database.refusal("ListImports", NextToken="f" * 112)[0] == "ValidationException"


def test_the_command_is_given_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`dynamix serve --bucket` refuses what is no name and folder."""
    for wrong in ("name", f"name={tmp_path / 'missing'}", f"={tmp_path}"):
        with pytest.raises(SystemExit):
            main(["serve", "--bucket", wrong])
        assert "give a name and a folder that is there: NAME=DIR" in capsys.readouterr().err
