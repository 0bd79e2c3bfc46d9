"""A proxy between a client and a server of DynamoDB's protocol that hurts some of the requests on the way.

It works request by request, over HTTP/1.1. Each fault is a function that is given one exchange; what it is called says
what it does, and whether the server has executed the request ("after", "late") or not ("before").

As a program it prints its port, serves until its standard input ends, waits for what is executed late, and prints as
JSON how often it did what:

    python tests/faults/proxy.py HOST PORT --seed 1 --rate 0.35 --patience 0.25
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from zlib import crc32

Fault: TypeAlias = Callable[["Exchange"], Awaitable[bool]]
"""Deals with one request; the result says whether the connection goes on."""

FAULTS: dict[str, Fault] = {}


def fault(function: Fault) -> Fault:
    """Registers a fault by the name of its function."""
    FAULTS[function.__name__] = function  # type: ignore[attr-defined]
    return function


@dataclass
class Exchange:
    """One request, and the ways to it and back."""

    request: bytes
    writer: asyncio.StreamWriter
    proxy: "Proxy"

    async def execute(self) -> bytes:
        """The server's answer to the request."""
        reader, writer = await asyncio.open_connection(*self.proxy.server, limit=1 << 24)
        try:
            writer.write(self.request)
            return await read_message(reader)
        finally:
            writer.close()

    async def answer(self, data: bytes) -> bool:
        """Sends bytes to the client."""
        self.writer.write(data)
        await self.writer.drain()
        return True

    async def refuse(self, status: int, code: str) -> bool:
        """Answers as the service does when it fails."""
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "said by the proxy"})
        return await self.answer(message(status, body.encode()))

    def reset(self) -> bool:
        """Ends the connection the hard way."""
        endpoint = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        return False


def message(status: int, body: bytes) -> bytes:
    """A whole answer with its checksum."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nx-amz-crc32: {crc32(body)}\r\n\r\n"
    return head.encode() + body


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer that announces its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


async def none(exchange: Exchange) -> bool:
    """Passes request and answer on."""
    return await exchange.answer(await exchange.execute())


@fault
async def close_before(exchange: Exchange) -> bool:
    return False


@fault
async def reset_before(exchange: Exchange) -> bool:
    return exchange.reset()


@fault
async def throttle_before(exchange: Exchange) -> bool:
    return await exchange.refuse(400, "ProvisionedThroughputExceededException")


@fault
async def throttle_otherwise_before(exchange: Exchange) -> bool:
    return await exchange.refuse(400, "ThrottlingException")


@fault
async def fail_before(exchange: Exchange) -> bool:
    return await exchange.refuse(500, "InternalServerError")


@fault
async def unavailable_before(exchange: Exchange) -> bool:
    return await exchange.refuse(503, "ServiceUnavailable")


@fault
async def garbage_before(exchange: Exchange) -> bool:
    await exchange.answer(b"\x00\xff garbage\r\n\r\n")
    return False


@fault
async def page_before(exchange: Exchange) -> bool:
    return await exchange.answer(message(200, b"<html>welcome</html>"))


@fault
async def close_after(exchange: Exchange) -> bool:
    await exchange.execute()
    return False


@fault
async def reset_after(exchange: Exchange) -> bool:
    await exchange.execute()
    return exchange.reset()


@fault
async def cut_after(exchange: Exchange) -> bool:
    answer = await exchange.execute()
    await exchange.answer(answer[: exchange.proxy.chance.randrange(1, len(answer))])
    return False


@fault
async def delay_after(exchange: Exchange) -> bool:
    answer = await exchange.execute()
    await asyncio.sleep(exchange.proxy.patience * 1.5)
    return await exchange.answer(answer)


@fault
async def fail_after(exchange: Exchange) -> bool:
    await exchange.execute()
    return await exchange.refuse(500, "InternalServerError")


@fault
async def gateway_after(exchange: Exchange) -> bool:
    await exchange.execute()
    return await exchange.answer(message(502, b"<html>bad gateway</html>"))


@fault
async def gateway_unavailable_after(exchange: Exchange) -> bool:
    await exchange.execute()
    return await exchange.answer(message(503, b"<html>busy</html>"))


@fault
async def garbage_after(exchange: Exchange) -> bool:
    await exchange.execute()
    await exchange.answer(b"\x00\xff garbage\r\n\r\n")
    return False


@fault
async def damage_after(exchange: Exchange) -> bool:
    answer = await exchange.execute()
    return await exchange.answer(re.sub(rb"(?i)(x-amz-crc32: *)\d+", rb"\g<1>12345", answer))


@fault
async def twice_after(exchange: Exchange) -> bool:
    return await exchange.answer(2 * await exchange.execute())


@fault
async def drip_after(exchange: Exchange) -> bool:
    answer = await exchange.execute()
    step = max(1, len(answer) // 7)
    for start in range(0, len(answer), step):
        await exchange.answer(answer[start : start + step])
        await asyncio.sleep(0.002)
    return True


@fault
async def close_idle_after(exchange: Exchange) -> bool:
    await exchange.answer(await exchange.execute())
    return False


@fault
async def late(exchange: Exchange) -> bool:
    exchange.proxy.later(exchange)
    await asyncio.sleep(exchange.proxy.patience * 1.2)
    return False


class Proxy:
    """Stands before `server`. A request is hurt with the chance `rate`; `patience` is the client's timeout in seconds.
    With `only`, some kinds of faults alone."""

    def __init__(
        self, server: tuple[str, int], *, seed: int, rate: float, patience: float, only: tuple[str, ...] = ()
    ) -> None:
        self.server = server
        self.patience = patience
        self.chance = random.Random(seed)
        self.count: Counter[str] = Counter()
        self._rate = rate
        self._faults = [FAULTS[name] for name in only or FAULTS]
        self._late: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def later(self, exchange: Exchange) -> None:
        """Executes a request after the client has given it up."""

        async def execute() -> None:
            await asyncio.sleep(self.patience * self.chance.uniform(1.2, 3))
            await exchange.execute()

        task = asyncio.ensure_future(execute())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        if (task := asyncio.current_task()) is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            goes_on = True
            while goes_on:
                request = await read_message(reader)
                chosen = self.chance.choice(self._faults) if self.chance.random() < self._rate else none
                self.count[chosen.__name__] += 1  # type: ignore[attr-defined]
                goes_on = await chosen(Exchange(request, writer, self))
        writer.close()

    async def end(self) -> None:
        """Lets go the connections, and waits for what is executed late."""
        for task in self._serving:
            task.cancel()
        while waiting := self._late | self._serving:
            await asyncio.wait(waiting)


async def main(arguments: argparse.Namespace) -> None:
    """Serves until standard input ends."""
    proxy = Proxy(
        (arguments.host, arguments.port),
        seed=arguments.seed,
        rate=arguments.rate,
        patience=arguments.patience,
        only=tuple(arguments.only),
    )
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 24, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()
    await proxy.end()
    print(json.dumps(proxy.count), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Hurts requests on their way.")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.35)
    parser.add_argument("--patience", type=float, default=0.25)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(FAULTS))
    asyncio.run(main(parser.parse_args()))
