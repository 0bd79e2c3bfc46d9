"""Sockets: making a connected one, and waiting for it with a deadline.

Sockets never block here: a request is handed over in one system call where it fits, and every wait has the deadline
of the whole exchange, so that a server which drips bytes cannot stretch it. Works alike for plain sockets and TLS.
"""

import select
import socket
import ssl
import time

from dynamix.errors import ConnectError
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.proxy import Proxy, Tunnel

WANTS_READ = (BlockingIOError, ssl.SSLWantReadError)
WANTS_WRITE = (BlockingIOError, ssl.SSLWantWriteError)


class Watch:
    """Tells whether a socket can be read or written, now or before a deadline."""

    __slots__ = ("_number", "_poll")

    def __init__(self, number: int) -> None:
        self._number = number
        self._poll = None
        if hasattr(select, "poll"):  # not on Windows; elsewhere select() knows only the first 1024 files
            self._poll = select.poll()
            self._poll.register(number, select.POLLIN)

    def is_readable(self) -> bool:
        """Whether something has arrived, the end of the connection included."""
        if self._poll is not None:
            return bool(self._poll.poll(0))
        return bool(select.select([self._number], (), (), 0)[0])

    def until_readable(self, deadline: float) -> None:
        """Waits for something to arrive. Raises TimeoutError at the deadline."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self._poll is not None:
            ready = bool(self._poll.poll(seconds * 1000))
        else:
            ready = bool(select.select([self._number], (), (), seconds)[0])
        if not ready:
            raise TimeoutError

    def until_writable(self, deadline: float) -> None:
        """Waits for room to write. Raises TimeoutError at the deadline."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self._poll is None:
            ready = bool(select.select((), [self._number], (), seconds)[1])
        else:
            self._poll.modify(self._number, select.POLLOUT)
            ready = bool(self._poll.poll(seconds * 1000))
            self._poll.modify(self._number, select.POLLIN)
        if not ready:
            raise TimeoutError


def connect(endpoint: Endpoint, proxy: Proxy | None, context: ssl.SSLContext | None, timeout: float) -> socket.socket:
    """A connected socket that does not block, with TLS where a context is given. Raises ConnectError."""
    deadline = time.monotonic() + timeout
    address = (endpoint.host, endpoint.port) if proxy is None else (proxy.host, proxy.port)
    try:
        connected = socket.create_connection(address, timeout)
    except OSError as error:
        raise refused(endpoint, proxy, error, timeout) from error
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            if proxy is not None:
                _open_tunnel(connected, Tunnel(proxy, endpoint), deadline)
            connected.settimeout(max(deadline - time.monotonic(), 0.001))
            connected = context.wrap_socket(connected, server_hostname=endpoint.host)
        connected.setblocking(False)
    except OSError as error:
        connected.close()
        raise refused(endpoint, proxy, error, timeout) from error
    except BaseException:
        connected.close()
        raise
    return connected


def _open_tunnel(connected: socket.socket, tunnel: Tunnel, deadline: float) -> None:
    connected.sendall(tunnel.request)
    stands = False
    while not stands:
        connected.settimeout(max(deadline - time.monotonic(), 0.001))
        stands = tunnel.feed(connected.recv(4096))


def refused(endpoint: Endpoint, proxy: Proxy | None, error: OSError, timeout: float) -> ConnectError:
    """The error for a connection that could not be made."""
    by_way_of = "" if proxy is None else f" by way of the proxy {proxy.host}:{proxy.port}"
    in_vain = isinstance(error, TimeoutError) and error.errno is None
    reason = f"not within {timeout:g} s" if in_vain else error or type(error).__name__
    return ConnectError(f"cannot connect to {endpoint.url}{by_way_of}: {reason}")
