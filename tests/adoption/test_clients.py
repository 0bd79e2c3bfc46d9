"""Clients without models, and dynamix on one table: aiodynamo, boto3's resource and client."""

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import boto3
from aiodynamo.client import Client
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.http.aiohttp import AIOHTTP
from yarl import URL

import dynamix
from dynamix import (
    AnyField,
    BinaryField,
    BooleanField,
    CharField,
    DecimalField,
    DictField,
    FloatField,
    ListField,
    SetField,
)


class Thing(dynamix.Model):
    """Values of each type."""

    __table_name__ = "client-things"
    pk = CharField(hash_key=True)
    sk = DecimalField(range_key=True)
    s = CharField()
    dec = DecimalField()
    f = FloatField()
    b = BinaryField()
    t = BooleanField()
    nul = AnyField(null=True)
    ss = SetField(of=str)
    ns = SetField(numbers=Decimal)
    bs = SetField(of=bytes)
    l = ListField(numbers=Decimal)  # noqa: E741 - as it is stored
    m = DictField(numbers=Decimal)


ONE = {
    "pk": "a",
    "sk": Decimal("1.5"),
    "s": "x",
    "dec": Decimal("12345678901234567890.123456789012345678"),
    "f": Decimal("0.1"),
    "b": b"\x00\xff",
    "t": True,
    "nul": None,
    "ss": {"a"},
    "ns": {Decimal(2), Decimal("1.1")},
    "bs": {b"\x01"},
    "l": ["a", Decimal("0.1"), None, [], {"k": [[]]}],
    "m": {"d": Decimal("1E-100"), "bin": b"x"},
}


def test_boto3(engine_http: tuple[str, int]) -> None:
    """What its resource stores is read as the same values, and what dynamix stores is read by it."""
    options: dict[str, Any] = {
        "aws_access_key_id": "x",
        "aws_secret_access_key": "x",
        "region_name": "eu-west-1",
        "endpoint_url": "http://{}:{}".format(*engine_http),
    }
    resource: Any = boto3.resource("dynamodb", **options)
    with dynamix.Connection(is_local_endpoint=engine_http) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Thing)
        table = resource.Table("client-things")
        table.put_item(Item={**ONE, "more": {"kept": [Decimal(1)]}})
        thing = Thing.get_or_raise(pk="a", sk=Decimal("1.5"))
        assert thing.to_dict() == Thing.from_dict({**ONE, "more": {"kept": [1]}}).to_dict()
        assert (thing.f, thing.b, thing.l, thing.undeclared) == (0.1, b"\x00\xff", ONE["l"], {"more": {"kept": [1]}})
        thing.s = "y"
        thing.save(overwrite=True)
        stored = table.get_item(Key={"pk": "a", "sk": Decimal("1.5")})["Item"]
        assert Thing.from_dict(stored).to_dict() == {**thing.to_dict(), "s": "y"}
        assert stored["more"] == {"kept": [1]}

        client: Any = resource.meta.client
        Thing.create(pk="b", sk=2, dec=Decimal("1E-130"), b=b"")
        assert client.get_item(TableName="client-things", Key={"pk": "b", "sk": 2})["Item"]["dec"] == Decimal("1E-130")
        Thing.delete_table()


def test_aiodynamo(engine_http: tuple[str, int]) -> None:
    """The same of items whose numbers are floats."""

    async def use_both() -> None:
        async with aiohttp.ClientSession() as session:
            url = URL("http://{}:{}".format(*engine_http))
            client = Client(AIOHTTP(session), StaticCredentials(Key("x", "x")), "eu-west-1", endpoint=url)
            table = client.table("client-things")
            item = {"pk": "a", "sk": 1.0, "s": "x", "f": 1.5, "b": b"\x00", "ns": {1.0, 2.5}, "l": [1.0, [], None]}
            await table.put_item({**item, "nul": None})
            thing = await Thing.aget_or_raise(pk="a", sk=1)
            assert (thing.f, thing.ns, thing.l, thing.sk) == (1.5, {1, Decimal("2.5")}, [1, [], None], 1)
            thing.f = 2.5
            await thing.asave()
            assert await table.get_item({"pk": "a", "sk": 1}) == {**item, "nul": None, "f": 2.5}

    with dynamix.Connection(is_local_endpoint=engine_http) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Thing)
        asyncio.run(use_both())
        Thing.delete_table()
