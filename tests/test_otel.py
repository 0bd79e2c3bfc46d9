"""What OpenTelemetry is told of requests, seen by its own exporters that keep what they get in memory."""

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from peer import Conversation, answer, peer, refusal

import dynamix
from dynamix import CharField, Connection, Model
from dynamix.contrib.otel import Telemetry


class Note(Model):
    """An item with things that no span may tell."""

    name = CharField(hash_key=True)


class Told:
    """A Telemetry and what it tells."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemetry = Telemetry(self.provider, MeterProvider([self.reader]))

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self) -> list[Any]:
        data = self.reader.get_metrics_data()
        assert data is not None
        ((metric,),) = [scope.metrics for resource in data.resource_metrics for scope in resource.scope_metrics]
        assert (metric.name, metric.unit) == ("db.client.operation.duration", "s")
        return list(metric.data.data_points)


def test_a_request_is_a_span_and_a_measurement() -> None:
    """Named by operation and table, with the conventions' attributes, and nothing of the item."""
    told = Told()
    with Connection(embedded=True, on_response=told.telemetry) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Note)
        told.exporter.clear()
        Note.create(name="hush")
    (span,) = told.spans()
    assert (span.name, span.kind, span.status.status_code) == ("PutItem Note", SpanKind.CLIENT, StatusCode.UNSET)
    attributes = dict(span.attributes or {})
    attributes.pop("aws.request_id", None)
    assert attributes == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "PutItem",
        "db.collection.name": "Note",
        "db.response.status_code": "200",
        "aws.dynamodb.table_names": ("Note",),
    }
    assert span.start_time is not None
    assert span.end_time is not None
    assert 0 < span.end_time - span.start_time < 60e9
    assert "hush" not in span.to_json()
    point = next(point for point in told.points() if point.attributes["db.operation.name"] == "PutItem")
    assert point.count == 1
    assert dict(point.attributes) == {name: value for name, value in attributes.items() if name.startswith("db.")}
    assert list(point.explicit_bounds)[:2] == [0.001, 0.005]


def test_failures_and_repeats() -> None:
    """Each attempt is a span; one that failed has the error's class, and a repeat says which it is."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        if conversation.number == 1:
            conversation.send(refusal("ThrottlingException", 400, "x-amzn-RequestId: R1"))
            conversation.read()
        if conversation.number > 0:
            conversation.send(answer())

    told = Told()
    options: Any = {"retry_delay": 0.001, "throttle_delay": 0.001, "on_response": told.telemetry}
    with (
        peer(talk) as there,
        Connection(is_local_endpoint=there.address, **options) as connection,
        dynamix.use_connection(connection),
    ):
        Note.create(name="hush")
    attributes = [dict(span.attributes or {}) for span in told.spans()]
    names = ("error.type", "db.response.status_code", "http.request.resend_count", "aws.request_id")
    assert [tuple(each.get(name) for name in names) for each in attributes] == [
        ("ConnectionLostError", None, None, None),
        ("ThrottledError", "400", 1, "R1"),
        (None, "200", 2, None),
    ]
    assert [span.status.status_code for span in told.spans()] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
def test_spans_are_children_of_the_callers(is_async: bool) -> None:
    """Also those of requests that overlap, in threads or tasks; one that names several tables tells them all."""
    told = Told()
    keys = [{"name": str(number)} for number in range(250)]
    with Connection(embedded=True, on_response=told.telemetry) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Note)
        told.exporter.clear()
        with told.provider.get_tracer("test").start_as_current_span("job") as job:
            if is_async:
                asyncio.run(Note.abatch_get(*keys))
            else:
                Note.batch_get(*keys)
    spans = [span for span in told.spans() if span.name != "job"]
    assert [span.name for span in spans] == ["BatchGetItem Note"] * 3
    assert {span.parent and span.parent.span_id for span in spans} == {job.get_span_context().span_id}
