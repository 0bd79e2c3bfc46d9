"""Making a connected socket: the addresses of a host, tried in turn, then a proxy's tunnel and TLS.

A host may have several addresses, of which the first may be one that answers nothing. Each next one is tried when the
one before has failed, or has had a head start; the first that stands wins. All has one deadline, the lookup of the
name included. Reference: RFC 8305, "Happy Eyeballs Version 2".
"""

import contextlib
import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dynamix.errors import ConnectError
from dynamix.interrupts import is_foreign
from dynamix.transport import aside
from dynamix.transport.deadlines import TimeUpError, late
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.proxy import Proxy, Tunnel
from dynamix.transport.http.sockets import Watch

if TYPE_CHECKING:
    from ssl import SSLContext

HEAD_START_SECONDS = 0.25
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK))


class Address(NamedTuple):
    """Where a socket of a family connects to."""

    family: int
    of_socket: Any


def connect(
    endpoint: Endpoint, proxy: Proxy | None, context: "SSLContext | None", timeout: float, deadline: float
) -> tuple[socket.socket, Watch]:
    """A connected socket that does not block, with TLS where a context is given, within `timeout` seconds.

    With it comes what watches it.

    Raises ConnectError, or DeadlineExceededError if the deadline comes first.
    """
    until = min(time.monotonic() + timeout, deadline)
    host, port = (endpoint.host, endpoint.port) if proxy is None else (proxy.host, proxy.port)
    connected: socket.socket | None = None
    try:
        connected = _race(known_addresses(host, port) or aside.call(partial(addresses, host, port), until), until)
        watch = Watch(connected.fileno())
        if context is not None:
            from dynamix.transport.http import tls

            if proxy is not None:
                _open_tunnel(connected, watch, Tunnel(proxy, endpoint), until)
            connected = secured = tls.wrapped(connected, context, endpoint.host)
            watch = tls.shake_hands(secured, until)
        return connected, watch
    except BaseException as error:
        if connected is not None:
            connected.close()
        refuse(endpoint, proxy, error, timeout, bound=until == deadline)
        raise


def known_addresses(host: str, port: int) -> list[Address]:
    """The address of a host that is given as one, which nobody needs to be asked for; else none."""
    try:
        return addresses(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return []


def addresses(host: str, port: int, flags: int = 0) -> list[Address]:
    """The addresses of a host, best first, families by turns. May block for long."""
    found: dict[int, list[Address]] = {}
    name = host.encode() if host.isascii() else host  # of a str the codec of IDNA would be loaded
    for family, _, _, _, of_socket in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags):
        found.setdefault(family, []).append(Address(family, of_socket))
    return [address for address in chain.from_iterable(zip_longest(*found.values())) if address is not None]


def opened(address: Address) -> socket.socket:
    """A socket for an address, which neither blocks nor waits for more to send."""
    made = socket.socket(address.family, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def refuse(endpoint: Endpoint, proxy: Proxy | None, error: BaseException, timeout: float, *, bound: bool) -> None:
    """Raises what is to be told of a connection that could not be made; nothing, if the error is not about that.

    `bound` says whether the operation's deadline comes before the timeout of connecting.
    """
    by_way_of = "" if proxy is None else f" by way of the proxy {proxy.host}:{proxy.port}"
    what = f"cannot connect to {endpoint.url}{by_way_of}"
    if isinstance(error, TimeUpError):
        if bound:
            raise late(sent=False) from error
        raise ConnectError(f"{what}: not within {timeout:g} s") from error
    if isinstance(error, OSError) and not is_foreign(error):
        raise ConnectError(f"{what}: {error or type(error).__name__}") from error


def _race(addresses: Sequence[Address], until: float) -> socket.socket:
    """The socket that is connected first. Raises TimeUpError, or the error of the first address."""
    rest = deque(addresses)
    racing: set[socket.socket] = set()
    errors: list[OSError] = []
    next_start = 0.0
    with selectors.DefaultSelector() as selector:
        try:
            while rest or racing:
                now = time.monotonic()
                if now >= until:
                    raise TimeUpError
                if rest and (not racing or now >= next_start):
                    next_start = now + HEAD_START_SECONDS
                    try:
                        runner = _started(rest.popleft())
                    except OSError as error:
                        if is_foreign(error):
                            raise
                        errors.append(error)
                        next_start = now
                        continue
                    racing.add(runner)
                    selector.register(runner, selectors.EVENT_WRITE)
                for key, _ in selector.select((min(until, next_start) if rest else until) - now):
                    runner = cast(socket.socket, key.fileobj)
                    selector.unregister(runner)
                    racing.discard(runner)
                    code = runner.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return runner
                    errors.append(OSError(code, os.strerror(code)))
                    runner.close()
                    next_start = now
        finally:
            for loser in racing:
                loser.close()
    raise errors[0] if errors else OSError("the name has no address")


def _started(address: Address) -> socket.socket:
    """A socket on its way to an address."""
    runner = opened(address)
    code = runner.connect_ex(address.of_socket)
    if code not in _UNDER_WAY:
        runner.close()
        raise OSError(code, os.strerror(code))
    return runner


def _open_tunnel(connected: socket.socket, watch: Watch, tunnel: Tunnel, until: float) -> None:
    rest = tunnel.request
    while rest:
        try:
            rest = rest[connected.send(rest) :]
        except watch.wants_write:
            watch.until_writable(until)
    stands = False
    while not stands:
        watch.until_readable(until)
        with contextlib.suppress(*watch.wants_read):
            stands = tunnel.feed(connected.recv(4096))
