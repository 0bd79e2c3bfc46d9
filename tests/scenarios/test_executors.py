"""Segments of a scan on executors of other libraries, where these are installed."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

import dynamix
from dynamix import CharField, IntegerField, Model
from dynamix.scan import Scan

ITEMS = 400


class Event(Model):
    """An item of a table that is exported."""

    name = CharField(hash_key=True)
    amount = IntegerField()


def library(name: str, what: str) -> Any:
    """A library, or the test is skipped."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{what} is not installed, on which segments would run; `pip install {what}` has this test run")


@pytest.fixture
def address(engine_http: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """A server with a table of events, where only the workers look."""
    with dynamix.Connection(is_local_endpoint=engine_http, table_prefix="executors-") as connection:
        with dynamix.use_connection(connection):
            dynamix.create_table(Event, force=True)
            Event.batch_write({"name": f"event{n}", "amount": n} for n in range(ITEMS))
        yield engine_http


def total(address: tuple[str, int], segment: Scan[Event]) -> int:
    """The sum of a segment: what a worker does, over a connection of its own."""
    with (
        dynamix.Connection(is_local_endpoint=address, table_prefix="executors-") as connection,
        dynamix.use_connection(connection),
    ):
        return sum(event.amount for event in segment)


def test_dask_runs_segments(address: tuple[str, int]) -> None:
    """`Client.map` of Dask runs segments in processes of its own, and together they find everything."""
    distributed = library("distributed", "distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", processes=True
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        sums = client.gather(client.map(total, [address] * 4, Event.scan().split(4)))
    assert (len(sums), sum(sums)) == (4, sum(range(ITEMS)))


def test_ray_runs_segments(address: tuple[str, int]) -> None:
    """A remote function of Ray runs segments in processes of its own, and together they find everything."""
    ray = library("ray", "ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    try:
        remote = ray.remote(total)
        sums = ray.get([remote.remote(address, segment) for segment in Event.scan().split(4)])
    finally:
        ray.shutdown()
    assert (len(sums), sum(sums)) == (4, sum(range(ITEMS)))
