"""From a host's name to a connection: several addresses, some of which are of no use, and resolvers that take long."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from black_holes import black_hole
from peer import SECONDS, Peer, always, answer, peer
from sides import Side, asked

import dynamix
from dynamix import Connection
from dynamix.transport.http import dial

HOST = "tables.example"
Found = list[tuple[Any, ...]]


def entry(address: tuple[Any, ...], family: int = socket.AF_INET) -> tuple[Any, ...]:
    """What a resolver says of one address."""
    return (family, socket.SOCK_STREAM, 6, "", address)


def resolve(monkeypatch: pytest.MonkeyPatch, answer_: Callable[[], Found]) -> None:
    """Has the name resolved like this in the test."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, flags: int = 0, **more: Any) -> Any:
        if host == HOST.encode() and not flags & socket.AI_NUMERICHOST:
            return answer_()
        return real(host, *arguments, flags=flags, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def closed_port() -> tuple[str, int]:
    """An address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
    return address


@pytest.fixture
def there() -> Any:
    """A peer that answers."""
    with peer(always(answer(b'{"there": true}'))) as made:
        yield made


def test_the_first_address_may_be_a_black_hole(side: Side, there: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next address is tried while the first has not answered; writes are not applied twice."""
    with black_hole() as nowhere:
        resolve(monkeypatch, lambda: [entry(nowhere), entry(nowhere), entry(there.address)])
        options: Any = {"connect_timeout": SECONDS, "max_attempts": 1}
        with Connection(is_local_endpoint=(HOST, 80), **options) as connection:
            assert side.write(connection) == {"there": True}
            assert len(there.requests) == 1
            side.close(connection)


@pytest.mark.parametrize("first", [("127.0.0.1", 0), None], ids=["unreachable", "closed"])
def test_the_first_address_may_refuse(
    first: tuple[str, int] | None, side: Side, there: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next address is tried when one cannot be reached."""
    resolve(monkeypatch, lambda: [entry(first or closed_port()), entry(there.address)])
    with Connection(is_local_endpoint=(HOST, 80), max_attempts=1) as connection:
        assert side.ask(connection) == {"there": True}
        side.close(connection)


def test_no_address_is_of_use(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no address can be reached, the error is that of the first; a name may also have none at all."""
    answers = [[entry(closed_port()), entry(("127.0.0.1", 0))], []]
    resolve(monkeypatch, lambda: answers.pop(0))
    with Connection(is_local_endpoint=(HOST, 80), max_attempts=1) as connection:
        with pytest.raises(dynamix.ConnectError, match=r"cannot connect to http://tables\.example/: ") as caught:
            side.ask(connection)
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)
        with pytest.raises(dynamix.ConnectError, match="has no address"):
            side.ask(connection)
        side.close(connection)


def test_a_resolver_takes_too_long(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup of a name counts as a part of `connect_timeout`, and does not hold up what needs no lookup."""
    over = threading.Event()

    def never() -> Found:
        assert over.wait(SECONDS)
        return []

    resolve(monkeypatch, never)
    with Connection(is_local_endpoint=(HOST, 80), connect_timeout=0.1, max_attempts=1) as connection:
        for _ in range(3):
            with pytest.raises(dynamix.ConnectError, match=r"not within 0\.1 s") as caught:
                side.write(connection)
            assert not caught.value.sent
        side.close(connection)
    over.set()


def test_a_program_does_not_wait_for_a_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio.run ends though a lookup that was given up goes on."""
    over = threading.Event()

    def never() -> Found:
        assert over.wait(SECONDS)
        return []

    async def main() -> None:
        with pytest.raises(dynamix.ConnectError):
            await connection.arun(asked(connection, "GetItem", {}, repeatable=True))
        await connection.aclose()

    resolve(monkeypatch, never)
    with Connection(is_local_endpoint=(HOST, 80), connect_timeout=0.1, max_attempts=1) as connection:
        asyncio.run(main())
    assert not over.is_set()
    over.set()


def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that leads nowhere does not come before all addresses of the other one."""
    six = [entry((f"2001:db8::{n}", 80, 0, 0), socket.AF_INET6) for n in (1, 2)]
    four = [entry((f"192.0.2.{n}", 80)) for n in (1, 2, 3)]
    resolve(monkeypatch, lambda: [*six, *four])
    hosts = [address.of_socket[0] for address in dial.addresses(HOST, 80)]
    assert hosts == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]
    assert dial.known_addresses("127.0.0.1", 80) == [dial.Address(socket.AF_INET, ("127.0.0.1", 80))]
    assert dial.known_addresses(HOST, 80) == []
