"""A caller's own client: moto's mock, a Stubber, and boto3 and aiobotocore clients against the engine over HTTP."""

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from typing import Any, ClassVar

import aiobotocore.session
import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from loops import runner
from moto import mock_aws
from peer import SECONDS, Conversation, always, answer, peer, refusal

import dynamix
import places
from dynamix import Connection, current, use_connection
from dynamix.operations.retry import request
from dynamix.transport.boto import BotoTransport, method_name, parameters
from dynamix.wire import Call, Flow

AWS: Any = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


class Note(dynamix.Model):
    """An item of each kind of value, with an index."""

    __table_name__ = "note"
    __secondary_indexes__: ClassVar = {"by_owner": {"hash_key": "owner", "projections": ["rank"]}}

    name = dynamix.CharField(hash_key=True)
    part = dynamix.IntegerField(range_key=True)
    owner = dynamix.CharField()
    rank = dynamix.IntegerField(indexed=True)
    count = dynamix.IntegerField()
    tags = dynamix.SetField()
    lines = dynamix.ListField()
    data = dynamix.DictField()


BYTES = [b"", b"\0", b"\xff" * 3, bytes(range(256)), random.Random(1).randbytes(1000)]


@pytest.fixture(params=["moto", "engine", "DynamoDB Local"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A boto3 client of each kind of place in turn, and a connection over it that the test uses."""
    with contextlib.ExitStack() as stack:
        if request.param == "moto":
            stack.enter_context(mock_aws())
            made = boto3.client("dynamodb", **AWS)
        else:
            host, port = request.getfixturevalue("engine_http" if request.param == "engine" else "dynamodb_local")
            made = boto3.client("dynamodb", endpoint_url=f"http://{host}:{port}", **AWS)
        stack.callback(made.close)
        stack.enter_context(use_connection(Connection(boto_client=made, table_prefix=places.fresh_prefix())))
        yield made


def table_name() -> str:
    """The table of the connection in force."""
    return current.current().table_prefix + Note.__table_name__


def item(number: int) -> dict[str, Any]:
    """The values of an item."""
    return {
        "name": "a",
        "part": number,
        "owner": f"owner{number % 2}",
        "rank": -number,
        "tags": {b"x", b"\xff", bytes([number])},
        "lines": [b"\0", [number, None, "é"], {"B": b"\x01", "BS": "text", "S": {"B": [b"\x02"]}}],
        "data": {"B": "no binary", "BS": ["neither"], "N": 1.5, "deep": {"B": b"binary"}},
    }


def test_every_operation_of_a_model(client: Any) -> None:
    """Tables, items, queries, scans, batches and commits run over a boto3 client as they do without."""
    dynamix.create_table(Note)
    dynamix.create_table(Note)
    notes = [Note(**item(number)) for number in range(60)]
    Note.batch_write(notes[:-1])
    assert Note.create(**item(59)) == notes[59]
    assert Note.get(name="a", part=3) == notes[3]
    assert Note.get(name="a", part=99) is None
    assert Note.exists(name="a", part=3)
    assert Note.batch_get({"name": "a", "part": 5}, {"name": "b", "part": 1}, {"name": "a", "part": 4}) == [
        notes[5],
        notes[4],
    ]
    query = Note.query().where(Note.name == "a", Note.part.between(10, 19))
    items, cursor = query.limit(4).get_items()
    assert items == notes[10:14]
    assert query.start_key(cursor).get_items()[0] == notes[14:20]
    assert list(query.use_index(asc=False)) == notes[19:9:-1]
    assert Note.query().where(Note.owner == "owner1").use_index("by_owner").count() == 30
    assert sorted(note.part for note in Note.scan().where(Note.rank <= -50)) == list(range(50, 60))
    assert isinstance(Note.item_count(), int)
    note = notes[7]
    note.set_field(Note.owner, "me")
    note.add_to_field(Note.count, 2)
    note.add_to_setfield(Note.tags, {b"new"})
    note.append_to_listfield(Note.lines, b"last")
    note.update_to_dict_field(Note.data, {"more": b"\xfe"})
    note.commit_changes()
    assert Note.get(name="a", part=7) == note
    assert (note.owner, note.count, (note.lines or [])[-1]) == ("me", 2, b"last")
    note.delete()
    assert not Note.exists(name="a", part=7)
    Note.batch_delete(keys=[{"name": "a", "part": number} for number in range(60)])
    assert list(Note.scan()) == []
    dynamix.create_table(Note, force=True)


@pytest.mark.parametrize("value", BYTES)
def test_binary_values_are_exact(client: Any, value: bytes) -> None:
    """Bytes come back as they went, in fields, sets, lists and maps, and are bytes for another client too."""
    dynamix.create_table(Note)
    tags = {value or b"x"}
    note = Note.create(name="bytes", part=1, lines=[value, {"B": value}], tags=tags, data={"BS": [value]})
    assert Note.get(name="bytes", part=1) == note
    stored = client.get_item(TableName=table_name(), Key={"name": {"S": "bytes"}, "part": {"N": "1"}})["Item"]
    assert stored["lines"] == {"L": [{"B": value}, {"M": {"B": {"B": value}}}]}
    assert stored["tags"] == {"BS": [*tags]}


def test_errors_are_those_of_every_place(client: Any) -> None:
    """What the service refuses has its class, code, status and request id."""
    with pytest.raises(dynamix.TableNotFoundError) as missing:
        Note.get(name="a", part=1)
    assert (missing.value.code, missing.value.status) == ("ResourceNotFoundException", 400)
    assert missing.value.request_id
    dynamix.create_table(Note)
    Note.create(name="a", part=1)
    with pytest.raises(dynamix.ItemExistsError):
        Note.create(name="a", part=1, overwrite=False)
    ghost = Note(name="ghost", part=1)
    ghost.add_to_field(Note.count, 1)
    with pytest.raises(dynamix.ItemNotFoundError):
        ghost.commit_changes()
    note = Note(name="a", part=1)
    note.set_modify_conditions(Note.count == 5)
    note.set_field(Note.owner, "me")
    with pytest.raises(dynamix.ConditionalCheckFailedError) as failed:
        note.commit_changes()
    assert failed.value.code == "ConditionalCheckFailedException"


def call(target: str, **body: Any) -> Flow[Any]:
    """One request past all of the mapper."""
    answer: Any = yield Call(target, json.dumps(body).encode(), json.loads)
    return answer


def test_a_failed_condition_brings_the_item(client: Any) -> None:
    """ALL_OLD on a failed condition, and a transaction's reasons, come through, binary values as base64."""
    dynamix.create_table(Note)
    table, run = table_name(), current.current().run
    stored = {"name": {"S": "a"}, "part": {"N": "1"}, "data": {"M": {"x": {"B": "/wA="}}}}
    condition = {
        "ConditionExpression": "attribute_not_exists(#n)",
        "ExpressionAttributeNames": {"#n": "name"},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    run(call("PutItem", TableName=table, Item=stored))
    with pytest.raises(dynamix.ConditionalCheckFailedError) as failed:
        run(call("PutItem", TableName=table, Item=stored, **condition))
    assert failed.value.stored_item == stored
    put = {"TableName": table, "Item": {"name": {"S": "b"}, "part": {"N": "1"}}}
    actions = [{"Put": put}, {"Put": {"TableName": table, "Item": stored, **condition}}]
    with pytest.raises(dynamix.TransactionCanceledError) as cancelled:
        run(call("TransactWriteItems", TransactItems=actions))
    none, reason = cancelled.value.reasons
    assert (none.code, none.stored_item) == (None, None)
    assert (reason.code, reason.stored_item) == ("ConditionalCheckFailed", stored)
    assert reason.message


# A Stubber


@pytest.fixture
def stubbed() -> Iterator[tuple[Stubber, Connection]]:
    """A client whose answers are the test's."""
    client = boto3.client("dynamodb", **AWS)
    with Stubber(client) as stub, use_connection(Connection(boto_client=client)) as connection:
        yield stub, connection
    stub.assert_no_pending_responses()


def test_a_stubber_sees_what_a_client_would_send(stubbed: tuple[Stubber, Connection]) -> None:
    """The parameters are a client's, with bytes for binary values; the answer may hold bytes too."""
    stub, _ = stubbed
    stub.add_response(
        "put_item",
        {},
        {"TableName": "note", "Item": {"name": {"S": "a"}, "part": {"N": "1"}, "tags": {"BS": [b"\xff"]}}},
    )
    stub.add_response(
        "get_item",
        {"Item": {"name": {"S": "a"}, "part": {"N": "1"}, "lines": {"L": [{"B": b"\xfe"}]}}},
        {"TableName": "note", "Key": {"name": {"S": "a"}, "part": {"N": "1"}}, "ConsistentRead": True},
    )
    Note.create(name="a", part=1, tags={b"\xff"})
    assert Note.get(name="a", part=1, consistent=True) == Note(name="a", part=1, lines=[b"\xfe"])


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ValidationException", 400, dynamix.InvalidRequestError),
        ("ThrottlingException", 400, dynamix.ThrottledError),
        ("InternalServerError", 500, dynamix.ServiceUnavailableError),
        ("AccessDeniedException", 400, dynamix.AccessDeniedError),
        ("BrandNewException", 400, dynamix.ClientException),
    ],
)
def test_an_error_of_the_service(
    code: str, status: int, kind: type[dynamix.ClientException], stubbed: tuple[Stubber, Connection]
) -> None:
    """A ClientError has the class of its code; the client has repeated what it wanted to, so it is asked once."""
    stub, _ = stubbed
    stub.add_client_error("get_item", code, "said by the stub", status, response_meta={"RequestId": "REQUEST1"})
    with pytest.raises(kind, match="said by the stub") as caught:
        Note.get(name="a", part=1)
    error = caught.value
    assert (error.code, error.status, error.request_id) == (code, status, "REQUEST1")


def test_an_error_with_all_that_it_brings(stubbed: tuple[Stubber, Connection]) -> None:
    """The members of an error that botocore models come through, bytes included."""
    stub, connection = stubbed
    stored = {"name": {"S": "a"}, "x": {"B": b"\xff\0"}}
    stub.add_client_error("put_item", "ConditionalCheckFailedException", "no", modeled_fields={"Item": stored})
    with pytest.raises(dynamix.ConditionalCheckFailedError) as failed:
        connection.run(call("PutItem", TableName="note", Item={"name": {"S": "a"}}))
    assert failed.value.stored_item == {"name": {"S": "a"}, "x": {"B": "/wA="}}
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "no", "Item": stored}]
    stub.add_client_error(
        "transact_write_items", "TransactionCanceledException", modeled_fields={"CancellationReasons": reasons}
    )
    check = {"TableName": "note", "Key": {"name": {"S": "a"}}, "ConditionExpression": "x"}
    with pytest.raises(dynamix.TransactionCanceledError) as cancelled:
        connection.run(call("TransactWriteItems", TransactItems=[{"ConditionCheck": check}]))
    assert [reason.code for reason in cancelled.value.reasons] == [None, "ConditionalCheckFailed"]
    assert cancelled.value.reasons[1].stored_item == failed.value.stored_item


def test_an_attempt_may_be_repeated_where_asked_for(stubbed: tuple[Stubber, Connection]) -> None:
    """With `max_attempts` the connection repeats what the client has given up."""
    stub, _ = stubbed
    stub.add_client_error("get_item", "ThrottlingException")
    stub.add_response("get_item", {})
    with use_connection(Connection(boto_client=stub.client, max_attempts=2, throttle_delay=0.001)):
        assert Note.get(name="a", part=1) is None


def test_a_request_that_is_not_stubbed(stubbed: tuple[Stubber, Connection]) -> None:
    """What a Stubber says of a request that it does not expect is in the error."""
    with pytest.raises(dynamix.ConnectionException, match="GetItem"):
        Note.get(name="a", part=1)


def test_what_the_client_refuses_is_a_refused_request() -> None:
    """The client checks parameters before it sends them."""
    connection = Connection(boto_client=boto3.client("dynamodb", **AWS))
    with pytest.raises(dynamix.ValidationException, match="the boto client refused the request"):
        connection.run(call("GetItem", TableName="note", Key={"name": {"S": 5}}))


def test_answers_are_left_as_they_were() -> None:
    """An answer may be shared by the caller's own code, and is not changed."""

    class Client:
        given: ClassVar = {"Item": {"x": {"B": b"\xff"}}, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "R"}}

        def get_item(self, **_: Any) -> dict[str, Any]:
            return self.given

        def batch_get_item(self, **_: Any) -> dict[str, Any]:
            return {"Responses": {"x": [{"y": {1, 2}}]}}

    with pytest.warns(RuntimeWarning, match="Client given has no botocore events"):
        transport = BotoTransport(Client())
    for _ in range(2):
        response = transport.send("GetItem", b"{}")
        assert (response.status, response.body, response.request_id) == (200, b'{"Item":{"x":{"B":"/w=="}}}', "R")
    with pytest.raises(dynamix.InvalidAnswerError, match="a set, which JSON has no form for") as caught:
        transport.send("BatchGetItem", b"{}")
    assert caught.value.sent


def test_every_operation_has_its_method() -> None:
    """Each operation of the service is called by the name that boto3 gives its method."""
    client = boto3.client("dynamodb", **AWS)
    names = client.meta.method_to_api_mapping
    assert {method_name(target): target for target in names.values()} == names


def test_only_values_are_taken_for_binary() -> None:
    """Attributes that are called B or BS are left alone."""
    body = {"Item": {"B": {"S": "x"}, "BS": {"L": [{"B": "/w=="}]}}, "Key": {"BS": {"BS": ["/w==", ""]}}}
    assert parameters(json.dumps(body).encode()) == {
        "Item": {"B": {"S": "x"}, "BS": {"L": [{"B": b"\xff"}]}},
        "Key": {"BS": {"BS": [b"\xff", b""]}},
    }


# Failures on the way


def hang(conversation: Conversation) -> None:
    """Reads a request and never answers."""
    conversation.read()
    conversation.wait_for_end()


@pytest.mark.parametrize(
    ("talk", "kind", "is_sent"),
    [
        (hang, dynamix.RequestTimeoutError, True),
        (lambda conversation: conversation.read(), dynamix.ConnectionLostError, True),
        (always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-crc32: 1\r\n\r\n{}"), dynamix.InvalidAnswerError, True),
        (None, dynamix.ConnectError, False),
    ],
    ids=["hangs", "closes", "wrong checksum", "refused"],
)
@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_a_failure_on_the_way(by: str, talk: Any, kind: type[dynamix.ConnectionException], is_sent: bool) -> None:
    """botocore's errors become what they stand for; a write that may have arrived has an unknown outcome."""
    with peer(talk or hang) as there:
        once = Config(retries={"total_max_attempts": 1}, read_timeout=0.1 if talk is hang else SECONDS)
        options = {"endpoint_url": f"http://127.0.0.1:{there.port}", "config": once, **AWS}
        if talk is None:
            there.close()
        for repeatable in (True, False):
            expected = dynamix.OutcomeUnknownError if is_sent and not repeatable else kind
            with pytest.raises(expected) as caught:
                (send if by == "boto3" else asend)(options, repeatable)
            assert caught.value.sent is is_sent


def write(connection: Connection, *, repeatable: bool) -> Flow[Any]:
    """One write by the connection's retry rules."""
    call = Call("PutItem", b'{"TableName": "note", "Item": {"name": {"S": "a"}}}', json.loads, repeatable)
    return request(connection.retry, call)


def send(options: dict[str, Any], repeatable: bool) -> None:
    """Writes over boto3."""
    connection = Connection(boto_client=boto3.client("dynamodb", **options))
    connection.run(write(connection, repeatable=repeatable))


def asend(options: dict[str, Any], repeatable: bool) -> None:
    """Writes over aiobotocore."""

    async def main() -> None:
        async with aiobotocore.session.get_session().create_client("dynamodb", **options) as client:
            connection = Connection(aboto_client=client)
            await connection.arun(write(connection, repeatable=repeatable))

    asyncio.run(main())


def test_a_client_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that finds no credentials is a place that is not configured."""
    client = boto3.Session(region_name="eu-west-1").client("dynamodb")
    with use_connection(Connection(boto_client=client)), pytest.raises(dynamix.NotConfiguredError, match="credentials"):
        Note.get(name="a", part=1)


def test_closing_leaves_the_client_open() -> None:
    """The client is its owner's: a connection over it is closed, and the client goes on."""
    with peer(always(answer(b'{"Item": {"name": {"S": "a"}, "part": {"N": "1"}}}'))) as there:
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", **AWS)
        with Connection(boto_client=client) as connection, use_connection(connection):
            assert Note.exists(name="a", part=1)
        with use_connection(connection), pytest.raises(dynamix.ConnectionException, match="was closed"):
            Note.exists(name="a", part=1)
        assert client.get_item(TableName="note", Key={"name": {"S": "a"}})["Item"]["name"] == {"S": "a"}
        client.close()


# Asyncio


@pytest.mark.parametrize("place", ["engine", "DynamoDB Local"])
def test_every_twin_over_an_aiobotocore_client(place: str, request: pytest.FixtureRequest) -> None:
    """Tables, items, queries, batches, commits and errors run over an aiobotocore client as they do without."""
    host, port = request.getfixturevalue("engine_http" if place == "engine" else "dynamodb_local")
    prefix = places.fresh_prefix()

    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            making = aiobotocore.session.get_session().create_client(
                "dynamodb", endpoint_url=f"http://{host}:{port}", **AWS
            )
            client = await stack.enter_async_context(making)
            connection = await stack.enter_async_context(Connection(aboto_client=client, table_prefix=prefix))
            stack.enter_context(use_connection(connection))
            await dynamix.acreate_table(Note, force=True)
            notes = [Note(**item(number)) for number in range(60)]
            await Note.abatch_write(notes)
            assert await Note.aget(name="a", part=3) == notes[3]
            assert await asyncio.gather(*(Note.aget(name="a", part=n) for n in range(60))) == notes
            assert await Note.abatch_get(*({"name": "a", "part": n} for n in (9, 8))) == [notes[9], notes[8]]
            assert [note async for note in Note.query().where(Note.name == "a", Note.part < 20)] == notes[:20]
            assert len([note async for note in Note.scan()]) == 60
            notes[0].add_to_setfield(Note.tags, {b"new"})
            notes[0].append_to_listfield(Note.lines, b"last")
            await notes[0].acommit_changes()
            assert await Note.aget(name="a", part=0) == notes[0]
            with pytest.raises(dynamix.ItemExistsError):
                await Note.acreate(name="a", part=1, overwrite=False)
            with pytest.raises(dynamix.NotConfiguredError, match="boto_client="):
                Note.get(name="a", part=1)
            with pytest.raises(dynamix.TableNotFoundError) as missing:
                await connection.arun(call("GetItem", TableName="nowhere", Key={"name": {"S": "a"}}))
            assert (missing.value.status, bool(missing.value.request_id)) == (400, True)
            await client.delete_table(TableName=f"{prefix}note")

    asyncio.run(main())


def test_a_blocking_client_from_asyncio_does_not_block() -> None:
    """Over a boto3 client alone, asynchronous operations run in threads: the event loop goes on, and they overlap."""
    arrived, released = asyncio.Event(), asyncio.Event()
    count = 0

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def talk(conversation: Conversation) -> None:
            assert conversation.read() is not None
            loop.call_soon_threadsafe(arrive)
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
            conversation.send(answer(b'{"Item": {"name": {"S": "a"}, "part": {"N": "1"}}}'))
            conversation.wait_for_end()

        def arrive() -> None:
            nonlocal count
            count += 1
            if count == 2:
                arrived.set()

        with peer(talk) as there:
            client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", **AWS)
            with use_connection(Connection(boto_client=client)):
                tasks = [asyncio.create_task(Note.aget(name="a", part=1)) for _ in range(2)]
                await arrived.wait()
                released.set()
                assert await asyncio.gather(*tasks) == [Note(name="a", part=1)] * 2
            client.close()

    runner("asyncio")(main)


def test_an_asynchronous_client_in_the_place_of_a_blocking_one() -> None:
    """An aiobotocore client that is given as `boto_client` is refused by name; nothing is sent."""

    async def main() -> None:
        options = {"endpoint_url": f"http://127.0.0.1:{there.port}", **AWS}
        async with aiobotocore.session.get_session().create_client("dynamodb", **options) as client:
            connection = Connection(boto_client=client)
            with pytest.raises(dynamix.NotConfiguredError, match="aboto_client="):
                connection.run(call("ListTables"))
            with pytest.raises(dynamix.NotConfiguredError, match="aboto_client="):
                await connection.arun(call("ListTables"))

    with peer(always(refusal("ValidationException"))) as there:
        runner("asyncio")(main)
        assert there.requests == []


def test_both_clients_serve_their_own_side(engine_http: tuple[str, int]) -> None:
    """With both clients, blocking operations use the one and asynchronous ones the other."""
    options = {"endpoint_url": f"http://{engine_http[0]}:{engine_http[1]}", **AWS}
    used: list[str] = []

    async def main() -> None:
        async with aiobotocore.session.get_session().create_client("dynamodb", **options) as client:
            client.meta.events.register("before-call", lambda **_: used.append("async"))
            blocking = boto3.client("dynamodb", **options)
            blocking.meta.events.register("before-call", lambda **_: used.append("blocking"))
            connection = Connection(boto_client=blocking, aboto_client=client)
            await connection.arun(call("ListTables"))
            connection.run(call("ListTables"))
            blocking.close()

    asyncio.run(main())
    assert used == ["async", "blocking"]
