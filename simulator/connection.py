"""One client's websocket: bytes to nodes and back. Everything after the handshake is the handlers' business."""

import asyncio
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError

from simulator import binary, frames, websocket
from simulator.certificates import Trust
from simulator.http import Answer, Request
from simulator.hub import Hub, Link
from simulator.login import login_or_pair
from simulator.node import Malformed, Node
from simulator.noise import Responder, Session
from simulator.protobufs import wa6
from simulator.stanzas.dispatch import dispatch
from simulator.websocket import Message, Opcode, WebsocketError

READ_BYTES = 1 << 16
HANDSHAKE_TIMEOUT_S = 20.0
IDLE_TIMEOUT_S = 300.0
WRITE_BUFFER_BYTES_MAX = 64 << 20
CLOSE_NORMAL, CLOSE_PROTOCOL = 1000, 1002


def is_upgrade(request: Request) -> bool:
    """Whether a request asks for the client's websocket."""
    return request.headers.get("upgrade", "").lower() == "websocket" and urlsplit(request.target).path == "/ws/chat"


class Connection:
    """Runs one websocket until either side ends it. Writes are made whole, in one step each, so they need no lock."""

    def __init__(
        self, hub: Hub, trust: Trust, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, media_host: str
    ) -> None:
        self._hub = hub
        self._trust = trust
        self._reader = reader
        self._writer = writer
        self._receiver = websocket.Receiver(from_client=True)
        self._frames = frames.FrameReader()
        self._responder: Responder | None = Responder(trust.static, trust.chain, frames.INTRO)
        self._said_hello = False
        self._session: Session | None = None
        self._closing = False
        self.link = Link(self.write, self.end, self.abort, media_host)

    async def run(self, request: Request) -> None:
        """Answer the upgrade, then serve until the end."""
        accept = websocket.accept_key(request.headers.get("sec-websocket-key", ""))
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
        self._writer.write(Answer(101, headers=headers).encode())
        self._hub.links.add(self.link)
        self._hub.journal.add("connection")
        try:
            await self._serve()
        except (Malformed, WebsocketError) as error:
            self._hub.journal.add("protocol_error", self._number(), why=str(error))
            self._send(Opcode.CLOSE, CLOSE_PROTOCOL.to_bytes(2))
        except (ConnectionError, TimeoutError):
            pass  # the client went away, or is silent for longer than its keepalive allows
        finally:
            self._hub.forget(self.link)
            self._closing = True

    def _number(self) -> str:
        return self.link.phone.number if self.link.phone else ""

    async def _serve(self) -> None:
        while True:
            limit = IDLE_TIMEOUT_S if self._session else HANDSHAKE_TIMEOUT_S
            async with asyncio.timeout(limit):
                data = await self._reader.read(READ_BYTES)
            if not data:
                return
            for message in self._receiver.feed(data):
                if not self._take_message(message):
                    return
            async with asyncio.timeout(limit):
                await self._writer.drain()

    def _take_message(self, message: Message) -> bool:
        if message.opcode is Opcode.PING:
            self._send(Opcode.PONG, message.data)
        elif message.opcode is Opcode.CLOSE:
            self._send(Opcode.CLOSE, message.data[:2])
            return False
        elif message.opcode is Opcode.BINARY:
            for frame in self._frames.feed(message.data):
                self._take_frame(frame)
        return True

    def _take_frame(self, frame: bytes) -> None:
        if self._session is not None:
            plain = self._session.receiving.decrypt(frame)
            if not self._closing:
                self._take_stanza(plain)
            return
        assert self._responder is not None
        if not self._said_hello:
            self._send(Opcode.BINARY, frames.frame(self._responder.hello(frame)))
            self._said_hello = True
            return
        self._session = self._responder.finish(frame)
        self._responder = None
        try:
            payload = wa6.ClientPayload.FromString(self._session.payload)
        except DecodeError:
            raise Malformed("the client's payload is no protobuf") from None
        login_or_pair(self._hub, self.link, payload, self._session.peer_static)

    def _take_stanza(self, plain: bytes) -> None:
        """A bad stanza is counted and ignored; it does not end the connection (docs/whatsapp.md §18)."""
        try:
            stanza = binary.decode(plain)
            dispatch(self._hub, self.link, stanza)
        except Malformed as error:
            self._hub.journal.add("malformed", self._number(), why=str(error))

    def write(self, stanza: Node) -> None:
        """Send a stanza; nothing once the end has begun. A client that reads nothing is cut off."""
        if self._closing or self._session is None:
            return
        if self._writer.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES_MAX:
            self.abort()
            return
        self._send(Opcode.BINARY, frames.frame(self._session.sending.encrypt(binary.encode(stanza))))

    def _send(self, opcode: Opcode, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(websocket.encode(opcode, data))

    def end(self, delay_s: float) -> None:
        """Write nothing more and close after ``delay_s``: a client that sees the end first takes it for a lost
        network."""
        if not self._closing:
            self._closing = True
            self._hub.call_later(delay_s, self._close)

    def _close(self) -> None:
        self._send(Opcode.CLOSE, CLOSE_NORMAL.to_bytes(2))
        self._writer.close()

    def abort(self) -> None:
        """Cut the connection as a lost network does."""
        self._closing = True
        self._hub.forget(self.link)
        self._writer.transport.abort()
