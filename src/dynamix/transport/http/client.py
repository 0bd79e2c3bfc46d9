"""Signed HTTP: the transport to Amazon DynamoDB and to everything that speaks its protocol.

asyncio, and the pool that is made for it, are imported at the first request from an event loop.
"""

import contextlib
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from dynamix import forks
from dynamix.transport.credentials import FixedCredentials, Source
from dynamix.transport.http import blocking, proxy, sockets
from dynamix.transport.http.endpoint import Endpoint, tls_context
from dynamix.transport.http.sigv4 import Signer
from dynamix.wire import Response

if TYPE_CHECKING:
    import asyncio

    from dynamix.transport.http import asynchronous


class HttpTransport:
    """Sends signed requests over pooled connections: one pool for all threads, and one for each event loop.

    Times are in seconds; `read_timeout` bounds the whole of an answer. `max_connections` holds for each pool.
    `environ` may name a proxy and certificates.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        region: str,
        source: Source,
        environ: Mapping[str, str],
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int,
    ) -> None:
        self.endpoint = endpoint
        self._region = region
        self._source = source
        self._signer: Signer | None = None
        self._fresh_until = 0.0
        self._renewals: dict[asyncio.AbstractEventLoop, asyncio.Task[Signer]] = {}
        self._proxy = proxy.find(endpoint, environ)
        tls = tls_context(environ) if endpoint.scheme == "https" else None
        self._way = endpoint, self._proxy, tls, connect_timeout
        self._timeout, self._limit = read_timeout, max_connections
        self._pool = blocking.Pool(partial(sockets.connect, *self._way), timeout=read_timeout, limit=max_connections)
        self._pools: dict[asyncio.AbstractEventLoop, asynchronous.Pool] = {}
        self._of_parent: list[object] = []
        forks.register(self)
        if isinstance(source, FixedCredentials):
            self._renew()

    def send(self, target: str, body: bytes, repeatable: bool = True) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        signer = self._signer
        if signer is None or time.monotonic() > self._fresh_until:
            signer = self._renew()
        return self._checked(self._pool.exchange(signer.request(target, body)))

    async def asend(self, target: str, body: bytes, repeatable: bool = True) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        import asyncio

        signer = self._signer
        if signer is None or time.monotonic() > self._fresh_until:
            signer = await self._arenew()
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop) or self._pool_of(loop)
        return self._checked(await pool.exchange(signer.request(target, body)))

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        self._pool.close()
        for loop, pool in list(self._pools.items()):
            with contextlib.suppress(RuntimeError):  # the loop may be closed, and its connections with it
                loop.call_soon_threadsafe(pool.close)

    async def aclose(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        import asyncio

        self.close()
        await asyncio.sleep(0)  # for the pool of this loop to be closed
        await asyncio.sleep(0)  # for its connections to be

    def _checked(self, response: Response) -> Response:
        """The same answer, if it is not a proxy's own."""
        if response.status == 407 and self._proxy is not None:
            raise self._proxy.unauthorized()
        return response

    def _after_fork(self) -> None:
        """Leaves the pools of the parent's loops alone: ending them would be felt in loops that both share."""
        self._of_parent += (self._pools, self._renewals)
        self._pools, self._renewals = {}, {}

    def _pool_of(self, loop: "asyncio.AbstractEventLoop") -> "asynchronous.Pool":
        """The pool of the running loop; those of loops that are closed are forgotten."""
        from dynamix.transport.http import asynchronous

        for other in [other for other in list(self._pools) if other.is_closed()]:
            self._pools.pop(other, None)
        connect = partial(asynchronous.connect, *self._way, self._timeout)
        return self._pools.setdefault(loop, asynchronous.Pool(connect, timeout=self._timeout, limit=self._limit))

    def _renew(self) -> Signer:
        """Asks for the credentials as of now; may block. The signer stays the same while they do."""
        fresh_until = time.monotonic() + self._source.recheck
        credentials = self._source.get()
        signer = self._signer
        if signer is None or signer.credentials != credentials:
            way = self._proxy if self.endpoint.scheme == "http" else None
            signer = Signer(
                credentials,
                self._region,
                self.endpoint.authority,
                path=self.endpoint.path,
                request_target=self.endpoint.path if way is None else self.endpoint.url,
                extra_head="" if way is None else way.head,
            )
        self._signer, self._fresh_until = signer, fresh_until
        return signer

    async def _arenew(self) -> Signer:
        """The same in a thread, once for all tasks of the loop that come meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        renewal = self._renewals.get(loop)
        if renewal is None:
            renewal = self._renewals[loop] = loop.create_task(asyncio.to_thread(self._renew))
            renewal.add_done_callback(self._renewed)
        return await asyncio.shield(renewal)

    def _renewed(self, renewal: "asyncio.Task[Signer]") -> None:
        self._renewals.pop(renewal.get_loop(), None)
        if not renewal.cancelled():
            renewal.exception()  # which may be nobody's any more, and is no cause for complaint then
