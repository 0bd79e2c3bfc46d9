"""What every test may ask for: DynamoDB Local, and the places that a model runs on (places.py)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import dynamodb_local as local
import places
from dynamix import Connection, use_connection

REQUIRED = "DYNAMIX_REQUIRE_DYNAMODB_LOCAL"
RUN = "DYNAMIX_TEST_RUN"

# No test is timed: a slow machine is not a failure. "repeatable" tries the same examples in every run.
hypothesis.settings.register_profile("dynamix", deadline=None)
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dynamix"))


def pytest_configure(config: pytest.Config) -> None:
    """Makes the folder that all processes of this run share; the first of them holds its lock until it ends."""
    if hasattr(config, "workerinput"):
        return
    run = Path(tempfile.mkdtemp(prefix="dynamix-tests-"))
    os.environ[RUN] = str(run)
    alive = local.locked(run / "alive")
    alive.__enter__()

    def end() -> None:
        if not (run / "port").exists():
            shutil.rmtree(run)
        alive.__exit__(None, None, None)

    config.add_cleanup(end)


@pytest.fixture(scope="session")
def _dynamodb_local() -> tuple[str, int] | str:
    """The address of DynamoDB Local, or the sentence that says why there is none."""
    try:
        return local.shared(Path(os.environ[RUN]))
    except local.DynamoDBLocalUnavailableError as error:
        return str(error)


@pytest.fixture
def dynamodb_local(_dynamodb_local: tuple[str, int] | str) -> tuple[str, int]:
    """The address (host, port) of Amazon's DynamoDB Local, which all tests of the run share.

    Skips the test where java or npm is missing; fails it instead under DYNAMIX_REQUIRE_DYNAMODB_LOCAL=1.
    """
    if isinstance(_dynamodb_local, str):
        if os.environ.get(REQUIRED, "") not in ("", "0"):
            pytest.fail(f"{_dynamodb_local} ({REQUIRED} is set)")
        pytest.skip(_dynamodb_local)
    return _dynamodb_local


@pytest.fixture(scope="session")
def engine_http() -> Iterator[tuple[str, int]]:
    """The address of the embedded engine behind `dynamix serve`, in a process of its own."""
    with places.served_engine() as address:
        yield address


@pytest.fixture(params=places.NAMES)
def place(request: pytest.FixtureRequest) -> Iterator[places.Place]:
    """Each place in turn, set as the connection of the test, with table names of the test's own."""
    prefix = places.fresh_prefix()
    match request.param:
        case "dynamodb-local":
            connection = Connection(is_local_endpoint=request.getfixturevalue("dynamodb_local"), table_prefix=prefix)
        case "engine-http":
            connection = Connection(is_local_endpoint=request.getfixturevalue("engine_http"), table_prefix=prefix)
        case _:
            connection = Connection(embedded=True, table_prefix=prefix)
    with connection, use_connection(connection):
        yield places.Place(request.param, prefix, connection)
    if request.param == "dynamodb-local":
        places.delete_expiring(request.getfixturevalue("dynamodb_local"), prefix)
