"""The way out: what the enclave's egress and the host's relay say to each other, and the copying that both do.

Over a Unix socket (or vsock): the enclave writes one line, "CONNECT host port\\n"; the host answers "OK\\n" and the
bytes of the connection follow both ways, or "NO\\n" and closes. Each side has an allowlist of its own.
"""

import asyncio
from typing import Final, NamedTuple

CONNECT_S: Final = 20.0
"""From the request to an open connection."""

IDLE_S: Final = 180.0
"""A tunnel without a byte either way ends; WhatsApp's keep-alives come every 20 to 30 s."""

TUNNELS_MAX: Final = 2048
"""Tunnels at one time: a few for each live session."""

LINE_BYTES_MAX: Final = 300
OK: Final = b"OK\n"
NO: Final = b"NO\n"
_COPY_BYTES: Final = 64 * 1024


class Stream(NamedTuple):
    """Both directions of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def encode_request(host: str, port: int) -> bytes:
    """The enclave's line."""
    return f"CONNECT {host} {port}\n".encode("ascii")


def decode_request(line: bytes) -> tuple[str, int]:
    """Host and port of the enclave's line. Raises ValueError."""
    verb, host, port = line.decode("ascii").removesuffix("\n").split(" ")
    if verb != "CONNECT" or not port.isdigit() or len(port) > 5:
        raise ValueError("no CONNECT line")
    return host, int(port)


async def splice(one: Stream, other: Stream, idle_s: float = IDLE_S) -> None:
    """Copy both ways until either side ends, breaks, or nothing has come for `idle_s`. Closes neither."""
    loop = asyncio.get_running_loop()
    last_s = loop.time()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal last_s
        while data := await reader.read(_COPY_BYTES):
            last_s = loop.time()
            writer.write(data)
            await writer.drain()

    async def watch() -> None:
        while (left_s := last_s + idle_s - loop.time()) > 0:  # noqa: ASYNC110 - sleeps until the deadline, which moves
            await asyncio.sleep(left_s)

    tasks = [
        asyncio.create_task(copy(one.reader, other.writer)),
        asyncio.create_task(copy(other.reader, one.writer)),
        asyncio.create_task(watch()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        if isinstance(error := task.exception(), Exception) and not isinstance(error, OSError):
            raise error


async def close(stream: Stream, flush_s: float = 2.0) -> None:
    """Close, giving what is written `flush_s` to leave."""
    stream.writer.close()
    try:
        async with asyncio.timeout(flush_s):
            await stream.writer.wait_closed()
    except (OSError, TimeoutError):
        stream.writer.transport.abort()
