"""The Kinesis streams to which the changes of a table are to go.

They are kept and told. Nothing goes to them: there is no Kinesis here. The words of the refusals are those that other
emulators have captured.
"""

from typing import Any

from dynamix.engine.faults import invalid
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.phases import check_made
from dynamix.engine.tables.record import Destination
from dynamix.engine.tables.table import Table, fresh_record

_PRECISION = "ApproximateCreationDateTimePrecision"
_MISPLACED = "Table is not in a valid state to {} Kinesis Streaming Destination: "


def enable_kinesis_streaming_destination(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Begin with a destination. It is done at once; only this answer calls it ENABLING."""
    configuration = request.get("EnableKinesisStreamingConfiguration", {})
    precision = configuration.get(_PRECISION, "MILLISECOND")
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        check_made(table.name, table.phase)
        old = table.record.destinations.get(_stream_of(request))
        if old is not None and old.active:
            raise invalid(
                _MISPLACED.format("enable")
                + "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation."
            )
        _keep(catalog, table, request, Destination(active=True, precision=precision))
    answer = _told(table, request, "ENABLING")
    if configuration:
        answer["EnableKinesisStreamingConfiguration"] = configuration
    return answer


def disable_kinesis_streaming_destination(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """End a destination. It is told as disabled from then on."""
    if request.get("EnableKinesisStreamingConfiguration"):
        raise invalid("EnableKinesisStreamingConfiguration is not for DisableKinesisStreamingDestination: leave it out")
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        old = table.record.destinations.get(_stream_of(request))
        if old is None or not old.active:
            raise invalid(
                _MISPLACED.format("disable")
                + "DisableKinesisStreamingDestination must be ACTIVE to perform DISABLE operation."
            )
        _keep(catalog, table, request, Destination(active=False, precision=old.precision))
    return _told(table, request, "DISABLING")


def update_kinesis_streaming_destination(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Change how precisely a destination is told times."""
    configuration = request.get("UpdateKinesisStreamingConfiguration", {})
    precision = configuration.get(_PRECISION)
    if precision is None:
        raise invalid(
            "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot "
            "be null or contain only null values"
        )
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        stream = _stream_of(request)
        old = table.record.destinations.get(stream)
        if old is None or not old.active:
            raise invalid(
                f"{_MISPLACED.format('update')}No streaming destination with streamArn: {stream} found for table with "
                f"tableName: {table.name}"
            )
        if old.precision == precision:
            raise invalid(
                f"Invalid Request: Precision is already set to the desired value of {precision} for tableId: "
                f"{table.record.description['TableId']}, kdsArn: {stream}"
            )
        _keep(catalog, table, request, Destination(active=True, precision=precision))
    return {**_told(table, request, "UPDATING"), "UpdateKinesisStreamingConfiguration": configuration}


def describe_kinesis_streaming_destination(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The destinations of a table, also those that have been ended."""
    with storage.reading() as catalog:
        table = catalog.named(request["TableName"])
    destinations = [
        {
            "StreamArn": stream,
            "DestinationStatus": "ACTIVE" if destination.active else "DISABLED",
            _PRECISION: destination.precision,
        }
        for stream, destination in table.record.destinations.items()
    ]
    return {"TableName": table.name, "KinesisDataStreamDestinations": destinations}


def _stream_of(request: dict[str, Any]) -> str:
    arn: str = request["StreamArn"]
    if not arn.startswith("arn:") or ":kinesis:" not in arn or ":stream/" not in arn:
        raise invalid(f"Invalid StreamArn: {arn} is not the ARN of a Kinesis stream")
    return arn


def _keep(catalog: Catalog, table: Table, request: dict[str, Any], destination: Destination) -> None:
    record = fresh_record(table)
    record.destinations[request["StreamArn"]] = destination
    catalog.save(table, record)


def _told(table: Table, request: dict[str, Any], status: str) -> dict[str, Any]:
    return {"TableName": table.name, "StreamArn": request["StreamArn"], "DestinationStatus": status}
