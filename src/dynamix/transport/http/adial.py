"""The same as dial.py under asyncio: a connection to the first address of a host that answers."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, cast

from dynamix.errors import ConnectionException
from dynamix.transport import aside
from dynamix.transport.deadlines import TimeUpError, seconds_until
from dynamix.transport.http import dial
from dynamix.transport.http.asynchronous import AsyncConnection
from dynamix.transport.http.dial import HEAD_START_SECONDS, Address
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.proxy import Proxy, Tunnel

if TYPE_CHECKING:
    from ssl import SSLContext


async def connect(
    endpoint: Endpoint,
    proxy: Proxy | None,
    context: "SSLContext | None",
    connect_timeout: float,
    timeout: float,
    deadline: float,
) -> AsyncConnection:
    """A new connection, with TLS where a context is given, whose exchanges take `timeout` seconds at most.

    Raises ConnectError, or DeadlineExceededError if the deadline comes first.
    """
    loop = asyncio.get_running_loop()
    connection = AsyncConnection(loop, timeout)
    limit = asyncio.timeout(None)
    until = min(time.monotonic() + connect_timeout, deadline)
    host, port = (endpoint.host, endpoint.port) if proxy is None else (proxy.host, proxy.port)
    try:
        async with limit:
            limit.reschedule(loop.time() + seconds_until(until))
            found = dial.known_addresses(host, port)
            connected = await _race(found or await aside.acall(partial(dial.addresses, host, port), until))
            try:
                if proxy is not None and context is not None:
                    await _connect_through(proxy, endpoint, context, connected, connection)
                else:
                    name = None if context is None else endpoint.host
                    await loop.create_connection(lambda: connection, sock=connected, ssl=context, server_hostname=name)
            except BaseException:
                connected.close()
                raise
    except BaseException as error:
        connection.abort()
        late = isinstance(error, TimeoutError) and limit.expired()
        dial.refuse(endpoint, proxy, TimeUpError() if late else error, connect_timeout, bound=until == deadline)
        raise
    return connection


async def _race(addresses: Sequence[Address]) -> socket:
    """The socket that is connected first. Raises the error of the first address where none can be."""
    rest = deque(addresses)
    racing: set[asyncio.Task[socket]] = set()
    errors: list[BaseException] = []
    try:
        while rest or racing:
            if rest:
                racing.add(asyncio.create_task(_attempt(rest.popleft())))
            head_start = HEAD_START_SECONDS if rest else None
            done, _ = await asyncio.wait(racing, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                racing.discard(task)
                if (error := task.exception()) is None:
                    return task.result()
                errors.append(error)
    finally:
        for loser in racing:
            loser.add_done_callback(_give_up)
            loser.cancel()
    raise errors[0] if errors else OSError("the name has no address")


async def _attempt(address: Address) -> socket:
    """A socket that is connected to one address."""
    runner = dial.opened(address)
    try:
        await asyncio.get_running_loop().sock_connect(runner, address.of_socket)
    except BaseException:
        runner.close()
        raise
    return runner


def _give_up(loser: "asyncio.Task[socket]") -> None:
    """Closes what an attempt may have come to all the same."""
    if not loser.cancelled() and loser.exception() is None:
        loser.result().close()


async def _connect_through(
    proxy: Proxy, endpoint: Endpoint, context: "SSLContext", connected: socket, connection: AsyncConnection
) -> None:
    """Opens a tunnel at the proxy, and TLS to the endpoint inside it."""
    loop = asyncio.get_running_loop()
    transport, opener = await loop.create_connection(lambda: _Opener(loop, Tunnel(proxy, endpoint)), sock=connected)
    try:
        await opener.stands
        secured = await loop.start_tls(transport, connection, context, server_hostname=endpoint.host)
    except BaseException:
        transport.abort()
        raise
    if secured is None:
        raise ConnectionResetError("the proxy closed the connection")
    connection.connection_made(secured)


class _Opener(asyncio.Protocol):
    """Asks a proxy for a tunnel."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self.stands: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._tunnel.request)

    def data_received(self, data: bytes) -> None:
        self._feed(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._feed(b"")

    def _feed(self, data: bytes) -> None:
        if self.stands.done():
            return
        try:
            if self._tunnel.feed(data):
                self.stands.set_result(None)
        except ConnectionException as error:
            self.stands.set_exception(error)
            self.stands.exception()  # nobody may wait for it any more, which is no cause for complaint
