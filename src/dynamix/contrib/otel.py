"""Spans and metrics for OpenTelemetry, by its conventions for database clients and DynamoDB. Needs the extra `otel`.

Each attempt of a request is a span, a child of the one that is current where the operation was called. Source of the
names: OpenTelemetry Semantic Conventions, "Database client spans", "Database client metrics" and "AWS DynamoDB".
"""

import time

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from dynamix.version import __version__
from dynamix.wire import ResponseInfo

_SYSTEM = "aws.dynamodb"
_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
"""The bounds that the conventions advise for `db.client.operation.duration`."""


class Telemetry:
    """A callback for the `on_response` of a connection, which makes a span and a measurement of each request.

    Without providers, those of the process are used. Spans tell operation, tables, status, request id, and the class of
    an error; nothing of keys and values.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("dynamix", __version__, tracer_provider)
        self._duration = metrics.get_meter("dynamix", __version__, meter_provider).create_histogram(
            "db.client.operation.duration",
            "s",
            "Duration of database client operations.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def __call__(self, response: ResponseInfo) -> None:
        ended = time.time_ns()
        operation, tables = response.request.operation, response.request.table.split(", ")
        common: dict[str, AttributeValue] = {"db.system.name": _SYSTEM, "db.operation.name": operation}
        name = operation
        if tables != ["-"] and len(tables) == 1:
            common["db.collection.name"] = tables[0]
            name = f"{operation} {tables[0]}"
        if response.error is not None:
            common["error.type"] = response.error
        if response.status is not None:
            common["db.response.status_code"] = str(response.status)
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            attributes={**common, **_details(response, tables)},
            start_time=ended - int(response.seconds * 1e9),
        )
        if response.error is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)
        self._duration.record(response.seconds, common)


def _details(response: ResponseInfo, tables: list[str]) -> dict[str, AttributeValue]:
    """What a span tells beside what a measurement has."""
    details: dict[str, AttributeValue] = {}
    if tables != ["-"]:
        details["aws.dynamodb.table_names"] = tables
    if response.request_id is not None:
        details["aws.request_id"] = response.request_id
    if response.request.attempt > 1:
        details["http.request.resend_count"] = response.request.attempt - 1
    return details
