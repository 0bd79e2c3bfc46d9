"""Signed HTTP: the transport to Amazon DynamoDB and to everything that speaks its protocol.

asyncio, and the pool that is made for it, are imported at the first request from an event loop.
"""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from dynamix import forks
from dynamix.transport import aside
from dynamix.transport.credentials import FixedCredentials, Source
from dynamix.transport.deadlines import TimeUpError, late, seconds_until
from dynamix.transport.hidden import Variables
from dynamix.transport.http import blocking, dial, proxy
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.sigv4 import Signer
from dynamix.wire import Response

if TYPE_CHECKING:
    import asyncio
    from ssl import SSLContext

    from dynamix.transport.http import asynchronous


_TIME_REFUSED = (b"InvalidSignatureException", b"RequestTimeTooSkewed", b"RequestExpired")
"""What an answer names when a signature's time is refused; the first stands for other reasons as well."""

_CLOCK_TOLERANCE_SECONDS = 240.0
"""The service takes signatures whose time is at most five minutes wrong."""


class HttpTransport:
    """Sends signed requests over pooled connections: one pool for all threads, and one for each event loop.

    Times are in seconds; `read_timeout` bounds the whole of an answer. `max_connections` holds for each pool.
    `environ` may name a proxy and certificates. `elsewhere` gives the transports of operations that have an endpoint of
    their own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        region: str,
        source: Source,
        environ: Variables,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int,
        elsewhere: "Mapping[str, Callable[[], HttpTransport]] | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self._region = region
        self._source = source
        self._signer: Signer | None = None
        self._fresh_until = 0.0
        self._ahead = 0  # seconds by which the service's clock is ahead of this machine's, where that matters
        self._renewals: dict[asyncio.AbstractEventLoop, asyncio.Task[Signer]] = {}
        self._proxy = proxy.find(endpoint, environ)
        self._way = endpoint, self._proxy, _tls_of(endpoint, environ), connect_timeout
        self._timeout, self._limit = read_timeout, max_connections
        self._pool = blocking.BlockingPool(
            partial(dial.connect, *self._way), timeout=read_timeout, limit=max_connections
        )
        self._pools: dict[asyncio.AbstractEventLoop, asynchronous.AsyncPool] = {}
        self._elsewhere = elsewhere or {}
        self._others: set[HttpTransport] = set()
        self._of_parent: list[object] = []
        forks.register(self)
        if isinstance(source, FixedCredentials):
            self._renew()

    def send(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        if target in self._elsewhere:
            return self._transport_of(target).send(target, body, repeatable, deadline=deadline)
        signer = self._signer
        if signer is None or time.monotonic() > self._fresh_until:
            signer = self._renew_by(deadline)
        ahead = signer.ahead
        response = self._pool.exchange(signer.request(target, body), deadline)
        if response.status != 200 and self._is_to_be_signed_anew(signer, response, ahead):
            response = self._pool.exchange(signer.request(target, body), deadline)
        return response

    async def asend(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Sends one request and returns its answer. Raises ConnectionException."""
        import asyncio

        if target in self._elsewhere:
            return await self._transport_of(target).asend(target, body, repeatable, deadline=deadline)
        signer = self._signer
        if signer is None or time.monotonic() > self._fresh_until:
            signer = await self._arenew_by(deadline)
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop) or self._pool_of(loop)
        ahead = signer.ahead
        response = await pool.exchange(signer.request(target, body), deadline)
        if response.status != 200 and self._is_to_be_signed_anew(signer, response, ahead):
            response = await pool.exchange(signer.request(target, body), deadline)
        return response

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        for other in list(self._others):
            other.close()
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

    def _transport_of(self, target: str) -> "HttpTransport":
        """The transport of an operation that has an endpoint of its own."""
        transport = self._elsewhere[target]()
        self._others.add(transport)
        return transport

    def _is_to_be_signed_anew(self, signer: Signer, response: Response, signed_ahead: int) -> bool:
        """Whether an error answer says that the clock here is wrong; the signer goes by the answer's time then.

        `signed_ahead` is how far ahead the clock was taken to be for the request; others may have learnt better since.
        Raises ConnectError for an answer of a proxy's own.
        """
        if response.status == 407 and self._proxy is not None:
            raise self._proxy.unauthorized()
        from email.utils import parsedate_to_datetime  # takes a while to import, and few programs need it

        if response.date is None or not any(code in response.body for code in _TIME_REFUSED):
            return False
        try:
            ahead = parsedate_to_datetime(response.date).timestamp() - time.time()
        except ValueError:
            return False
        if abs(ahead - signed_ahead) < _CLOCK_TOLERANCE_SECONDS:
            return False
        signer.ahead = self._ahead = round(ahead)
        return True

    def _after_fork(self) -> None:
        """Leaves the pools of the parent's loops alone: ending them would be felt in loops that both share."""
        self._of_parent += (self._pools, self._renewals)
        self._pools, self._renewals = {}, {}

    def _pool_of(self, loop: "asyncio.AbstractEventLoop") -> "asynchronous.AsyncPool":
        """The pool of the running loop; those of loops that are closed are forgotten."""
        from dynamix.transport.http import adial, asynchronous

        for other in [other for other in list(self._pools) if other.is_closed()]:
            self._pools.pop(other, None)
        connect = partial(adial.connect, *self._way, self._timeout)
        return self._pools.setdefault(loop, asynchronous.AsyncPool(connect, timeout=self._timeout, limit=self._limit))

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
                ahead=self._ahead,
            )
        self._signer, self._fresh_until = signer, fresh_until
        return signer

    def _renew_by(self, deadline: float) -> Signer:
        """The same; raises DeadlineExceededError at the deadline."""
        if deadline == math.inf:
            return self._renew()
        try:
            return aside.call(self._renew, deadline)
        except TimeUpError as error:
            raise late(sent=False) from error

    async def _arenew_by(self, deadline: float) -> Signer:
        """The same in a thread, once for all tasks of the loop that come meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        renewal = self._renewals.get(loop)
        if renewal is None:
            renewal = self._renewals[loop] = loop.create_task(aside.in_pool(self._renew))
            renewal.add_done_callback(self._renewed)
        done, _ = await asyncio.wait((renewal,), timeout=None if deadline == math.inf else seconds_until(deadline))
        if not done:
            raise late(sent=False)
        return renewal.result()

    def _renewed(self, renewal: "asyncio.Task[Signer]") -> None:
        self._renewals.pop(renewal.get_loop(), None)
        if not renewal.cancelled():
            renewal.exception()  # which may be nobody's any more, and is no cause for complaint then


def _tls_of(endpoint: Endpoint, environ: Variables) -> "SSLContext | None":
    if endpoint.scheme != "https":
        return None
    from dynamix.transport.http.tls import tls_context

    return tls_context(environ)
