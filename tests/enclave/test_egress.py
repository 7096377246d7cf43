"""The enclave's way out, with the host's side replaced by one that lets everything pass."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from enclave.egress import Egress, allowed
from enclave.wire.tunnel import NO, OK
from tests.waiting import Signals

WAIT_S = 10.0


class Relay:
    """A host that refuses nothing: it answers `word` and echoes."""

    def __init__(self, word: bytes = OK) -> None:
        self.word = word
        self.asked: list[bytes] = []
        self.ended = Signals()
        self.ends = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\n"))
        writer.write(self.word)
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()
        self.ends += 1
        self.ended.notify()


@asynccontextmanager
async def proxied(folder: Path, relay: Relay, idle_s: float = 60.0) -> AsyncGenerator[int]:
    egress = Egress(folder / "relay", idle_s)
    async with await asyncio.start_unix_server(relay.serve, folder / "relay"):
        url = await egress.start()
        assert url.startswith("http://127.0.0.1:")
        yield int(url.rpartition(":")[2])
        await egress.close()


async def ask(port: int, request: bytes) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(WAIT_S):
        head = await reader.readuntil(b"\r\n\r\n")
    return head.split(b" ")[1], reader, writer


def connect(name: str) -> bytes:
    return f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["web.whatsapp.com", "mmg.whatsapp.net", "media-fra3-1.cdn.whatsapp.net"])
def test_whatsapps_hosts_are_allowed(host: str) -> None:
    assert allowed(host, 443)
    assert not allowed(host, 80)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "whatsapp.net",
        ".whatsapp.net",
        "whatsapp.com",
        "web.whatsapp.com.evil.example",
        "evilwhatsapp.net",
        "a..whatsapp.net",
        "-a.whatsapp.net",
        "web.whatsapp.com\n",
        "x_y.whatsapp.net",
        "127.0.0.1",
        "10.0.0.1",
        "[::1]",
        "::1",
        "localhost",
        "WEB.WHATSAPP.COM",
        "kms.eu-central-1.amazonaws.com",
    ],
)
def test_everything_else_is_not(host: str) -> None:
    assert not allowed(host, 443)


async def test_an_allowed_host_is_asked_of_the_relay_and_bytes_pass_both_ways(tmp_path: Path) -> None:
    relay = Relay()
    async with proxied(tmp_path, relay) as port:
        status, reader, writer = await ask(port, connect("web.whatsapp.com:443"))
        assert status == b"200"
        assert relay.asked == [b"CONNECT web.whatsapp.com 443\n"]
        sent = bytes(range(256)) * 4000
        writer.write(sent)
        async with asyncio.timeout(WAIT_S):
            assert await reader.readexactly(len(sent)) == sent
        writer.close()
        await relay.ended.until(lambda: relay.ends, "the relay's end of the tunnel")


@pytest.mark.parametrize(
    "request_head",
    [
        connect("127.0.0.1:443"),
        connect("web.whatsapp.com:80"),
        connect("web.whatsapp.com:99999"),
        connect("example.org:443"),
        connect("web.whatsapp.com:443 HTTP/1.1\r\nX: y"),
        b"GET http://web.whatsapp.com/ HTTP/1.1\r\n\r\n",
        b"CONNECT web.whatsapp.com:443\r\n\r\n",
        b"\r\n\r\n",
    ],
)
async def test_other_requests_are_forbidden_without_asking_the_relay(tmp_path: Path, request_head: bytes) -> None:
    relay = Relay()
    async with proxied(tmp_path, relay) as port:
        status, *_ = await ask(port, request_head)
    if request_head.startswith(b"CONNECT web.whatsapp.com:443 HTTP/1.1"):
        assert status == b"200"  # what follows the request line says nothing
    else:
        assert status == b"403"
        assert relay.asked == []


async def test_a_relay_that_refuses_or_is_absent_is_a_bad_gateway(tmp_path: Path) -> None:
    async with proxied(tmp_path, Relay(NO)) as port:
        status, *_ = await ask(port, connect("web.whatsapp.com:443"))
        assert status == b"502"
    egress = Egress(tmp_path / "absent")
    port = int((await egress.start()).rpartition(":")[2])
    status, *_ = await ask(port, connect("web.whatsapp.com:443"))
    assert status == b"502"
    await egress.close()


async def test_a_head_without_end_is_dropped(tmp_path: Path) -> None:
    async with proxied(tmp_path, Relay()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"A" * 100_000)
        async with asyncio.timeout(WAIT_S):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(1)


async def test_a_tunnel_without_traffic_ends(tmp_path: Path) -> None:
    relay = Relay()
    async with proxied(tmp_path, relay, idle_s=0.05) as port:
        status, reader, _ = await ask(port, connect("web.whatsapp.com:443"))
        assert status == b"200"
        async with asyncio.timeout(WAIT_S):
            assert await reader.read() == b""
        await relay.ended.until(lambda: relay.ends, "the relay's end of the tunnel")
