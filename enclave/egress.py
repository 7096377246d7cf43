"""The enclave's only way out: an HTTP CONNECT proxy on loopback for the WhatsApp client, with an allowlist in the code.

What passes goes to the host's relay over a Unix socket (`enclave.wire.tunnel`); the enclave resolves no names and dials
nothing itself.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

from enclave.wire.tunnel import CONNECT_S, IDLE_S, OK, TUNNELS_MAX, Stream, close, encode_request, splice

HEAD_BYTES_MAX: Final = 8 * 1024
PORT: Final = 443

# Names only: an address cannot end in these letters.
_ALLOWED: Final = re.compile(r"web\.whatsapp\.com|([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,6}whatsapp\.net")
_REQUEST: Final = re.compile(rb"CONNECT ([A-Za-z0-9.-]{1,253}):([0-9]{1,5}) HTTP/1\.[01]\r\n")

_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_FORBIDDEN: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
_NO_WAY: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def allowed(host: str, port: int) -> bool:
    """Whether the enclave may talk to `host` (lower case) on `port`: WhatsApp's hosts by name, TLS only."""
    return port == PORT and _ALLOWED.fullmatch(host) is not None


class Egress:
    """The proxy. `relay`: path of the host's socket."""

    def __init__(self, relay: Path, idle_s: float = IDLE_S) -> None:
        """Listen to nothing yet."""
        self._relay = relay
        self._idle_s = idle_s
        self._tunnels: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1; return the proxy's URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End the listener and every tunnel."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tunnels)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = Stream(reader, writer)
        self._tunnels.add(task)
        try:
            if len(self._tunnels) > TUNNELS_MAX:
                writer.write(_FULL)
            else:
                await self._tunnel(client)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was has gone or talks nonsense
        except asyncio.CancelledError:
            pass  # we shut down
        finally:
            self._tunnels.discard(task)
            await close(client)

    async def _tunnel(self, client: Stream) -> None:
        async with asyncio.timeout(CONNECT_S):
            head = await client.reader.readuntil(b"\r\n\r\n")
            request = _REQUEST.match(head)
            host, port = (request[1].decode("ascii").lower(), int(request[2])) if request else ("", 0)
            if not allowed(host, port):
                client.writer.write(_FORBIDDEN)
                return
            relay = await self._through_relay(host, port)
        if relay is None:
            client.writer.write(_NO_WAY)
            return
        try:
            client.writer.write(_ESTABLISHED)
            await splice(client, relay, self._idle_s)
        finally:
            await close(relay)

    async def _through_relay(self, host: str, port: int) -> Stream | None:
        try:
            relay = Stream(*await asyncio.open_unix_connection(self._relay))
        except OSError:
            return None
        try:
            relay.writer.write(encode_request(host, port))
            if await relay.reader.readexactly(len(OK)) == OK:
                return relay
        except (OSError, asyncio.IncompleteReadError):
            pass
        except BaseException:
            relay.writer.transport.abort()
            raise
        await close(relay)
        return None
