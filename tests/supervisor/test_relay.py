"""The host's relay, with an enclave that would let everything pass: a raw socket."""

import asyncio
import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from enclave.wire.tunnel import LINE_BYTES_MAX, NO, OK
from supervisor.destinations import Chain, Demo, Dial, Live, Mode, decide, demo_of, public
from supervisor.relay import Relay

WAIT_S = 10.0
FRONT = Demo("127.0.0.1", 4430)


class Front:
    """A CONNECT front: answers with `status`, then echoes."""

    def __init__(self, status: bytes = b"200") -> None:
        self.status = status
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + self.status + b" Whatever\r\n\r\n")
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@asynccontextmanager
async def relayed(folder: Path, mode: Mode, idle_s: float = 60.0) -> AsyncGenerator[Path]:
    relay = Relay(folder / "egress", mode, idle_s)
    await relay.start()
    try:
        yield folder / "egress"
    finally:
        await relay.close()
        assert not (folder / "egress").exists()


@asynccontextmanager
async def fronted(front: Front) -> AsyncGenerator[Demo]:
    async with await asyncio.start_server(front.serve, "127.0.0.1", 0) as server:
        yield Demo("127.0.0.1", server.sockets[0].getsockname()[1])


async def ask(path: Path, line: bytes) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    async with asyncio.timeout(WAIT_S):
        return await reader.readexactly(len(OK)), reader, writer


def test_a_live_run_dials_and_a_demo_chains() -> None:
    assert decide("web.whatsapp.com", 443, Live()) == Dial("web.whatsapp.com", 443)
    assert decide("mmg.whatsapp.net", 443, Live()) == Dial("mmg.whatsapp.net", 443)
    assert decide("web.whatsapp.com", 443, FRONT) == Chain(FRONT, "web.whatsapp.com", 443)


@pytest.mark.parametrize("mode", [Live(), FRONT])
@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("web.whatsapp.com", 80),
        ("whatsapp.net", 443),
        (".whatsapp.net", 443),
        ("a..whatsapp.net", 443),
        ("evilwhatsapp.net", 443),
        ("web.whatsapp.com.evil.example", 443),
        ("example.org", 443),
        ("127.0.0.1", 443),
        ("127.0.0.1", 4430),
        ("localhost", 443),
        ("::1", 443),
        ("", 443),
        ("a/b.whatsapp.net", 443),
        ("WEB.whatsapp.net", 443),
    ],
)
def test_nothing_else_goes_anywhere(host: str, port: int, mode: Mode) -> None:
    assert decide(host, port, mode) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_a_live_run_dials_no_address_that_is_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["157.240.1.60", "2a03:2880:f003:c07:face:b00c::167"])
def test_public_addresses_are_dialled(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("simulator", ["10.0.0.1:443", "157.240.1.60:443", "web.whatsapp.com:443", "127.0.0.1:0", "x"])
def test_a_demo_refuses_a_simulator_off_loopback(simulator: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        demo_of(simulator)
    assert demo_of("127.0.0.1:4430") == FRONT


async def test_a_demo_carries_everything_to_the_front(tmp_path: Path) -> None:
    front = Front()
    async with fronted(front) as mode, relayed(tmp_path, mode) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        word, reader, writer = await ask(path, b"CONNECT web.whatsapp.com 443\n")
        assert word == OK
        writer.write(b"hello" * 50_000)
        async with asyncio.timeout(WAIT_S):
            assert await reader.readexactly(250_000) == b"hello" * 50_000
        writer.close()
    assert front.heads == [b"CONNECT web.whatsapp.com:443 HTTP/1.1\r\nHost: web.whatsapp.com:443\r\n\r\n"]


async def test_a_demo_refuses_what_is_not_whatsapp_though_the_front_would_take_it(tmp_path: Path) -> None:
    front = Front()
    async with fronted(front) as mode, relayed(tmp_path, mode) as path:
        for line in (b"CONNECT example.org 443\n", b"CONNECT 127.0.0.1 443\n", b"GET / 443\n", b"\n", b"\xff\n"):
            word, *_ = await ask(path, line)
            assert word == NO
    assert front.heads == []


async def test_a_live_run_does_not_reach_this_machine_even_if_the_name_leads_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer)

    def hosts_file(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        monkeypatch.setattr("supervisor.destinations.TLS_PORT", server.sockets[0].getsockname()[1])
        monkeypatch.setattr(socket, "getaddrinfo", hosts_file)
        async with relayed(tmp_path, Live()) as path:
            port = server.sockets[0].getsockname()[1]
            word, *_ = await ask(path, b"CONNECT web.whatsapp.com %d\n" % port)
            assert word == NO
            # The control: the same rule without the address check does reach it.
            monkeypatch.setattr("supervisor.relay.public", lambda _: True)
            word, *_ = await ask(path, b"CONNECT web.whatsapp.com %d\n" % port)
            assert word == OK
    assert len(reached) == 1


async def test_a_front_that_refuses_or_is_absent_means_no(tmp_path: Path) -> None:
    async with fronted(Front(b"403")) as mode, relayed(tmp_path, mode) as path:
        word, *_ = await ask(path, b"CONNECT web.whatsapp.com 443\n")
        assert word == NO
    async with relayed(tmp_path, mode) as path:
        word, *_ = await ask(path, b"CONNECT web.whatsapp.com 443\n")
        assert word == NO


async def test_a_line_without_end_means_no(tmp_path: Path) -> None:
    async with relayed(tmp_path, FRONT) as path:
        word, *_ = await ask(path, b"C" * (3 * LINE_BYTES_MAX))
        assert word == NO


async def test_a_tunnel_without_traffic_ends(tmp_path: Path) -> None:
    async with fronted(Front()) as mode, relayed(tmp_path, mode, idle_s=0.05) as path:
        word, reader, _ = await ask(path, b"CONNECT web.whatsapp.com 443\n")
        assert word == OK
        async with asyncio.timeout(WAIT_S):
            assert await reader.read() == b""
