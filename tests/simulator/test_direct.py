"""The service without the proxy: a client of our own speaks TLS, websocket and Noise to the plain listener."""

import asyncio
import os
import ssl

from simulator import binary, frames, websocket
from simulator.curve import KeyPair
from simulator.node import SERVER, Node, node
from simulator.noise import Initiator, Session
from simulator.protobufs import cert, wa6
from simulator.server import Simulator
from simulator.signal.party import Party
from simulator.websocket import Opcode, Receiver
from simulator.xeddsa import verify

DEADLINE_S = 20.0
MASK = b"\x11\x22\x33\x44"


class Wire:
    """A websocket client with frames on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._receiver = Receiver(from_client=False)
        self._buffer = b""
        self._intro = frames.INTRO
        self.closed_with = b""

    @classmethod
    async def open(cls, simulator: Simulator) -> "Wire":
        context = ssl.create_default_context(cafile=str(simulator.ca_file))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", simulator.tls_port, ssl=context, server_hostname="web.whatsapp.com"
        )
        head = (
            "GET /ws/chat HTTP/1.1\r\nHost: web.whatsapp.com\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n\r\n"
        )
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b"101" in answer
        assert websocket.accept_key("a2V5").encode() in answer
        return cls(reader, writer)

    def send(self, payload: bytes) -> None:
        self.send_raw(self._intro + frames.frame(payload))
        self._intro = b""

    def send_raw(self, data: bytes, opcode: Opcode = Opcode.BINARY) -> None:
        self._writer.write(websocket.encode(opcode, data, MASK))

    async def receive(self) -> bytes:
        """The next frame; empty once the server has closed."""
        while len(self._buffer) < 3 or len(self._buffer) < 3 + int.from_bytes(self._buffer[:3]):
            async with asyncio.timeout(DEADLINE_S):
                data = await self._reader.read(65536)
            if not data:
                return b""
            for message in self._receiver.feed(data):
                if message.opcode is Opcode.BINARY:
                    self._buffer += message.data
                else:
                    self.closed_with = message.data
        end = 3 + int.from_bytes(self._buffer[:3])
        frame, self._buffer = self._buffer[3:end], self._buffer[end:]
        return frame

    def close(self) -> None:
        self._writer.transport.abort()


def payload(*, signature: bytes | None = None) -> bytes:
    bundle = Party.new(os.urandom).bundle()
    data = wa6.ClientPayload.DevicePairingRegistrationData(
        eRegid=bundle.registration_id.to_bytes(4),
        eIdent=bundle.identity,
        eSkeyID=bundle.signed_prekey_id.to_bytes(3),
        eSkeyVal=bundle.signed_prekey,
        eSkeySig=signature or bundle.signature,
    )
    return wa6.ClientPayload(devicePairingData=data).SerializeToString()


async def shake_hands(wire: Wire, sent: bytes) -> Session:
    initiator = Initiator(KeyPair.new(), frames.INTRO)
    wire.send(initiator.hello())
    finish, session = initiator.finish(await wire.receive(), sent)
    wire.send(finish)
    return session


async def stanza(wire: Wire, session: Session) -> Node:
    return binary.decode(session.receiving.decrypt(await wire.receive()))


async def test_the_chain_leads_from_the_root_to_the_servers_key_and_codes_are_offered(simulator: Simulator) -> None:
    wire = await Wire.open(simulator)
    session = await shake_hands(wire, payload())
    chain = cert.CertChain.FromString(session.payload)
    middle = cert.CertChain.NoiseCertificate.Details.FromString(chain.intermediate.details)
    leaf = cert.CertChain.NoiseCertificate.Details.FromString(chain.leaf.details)
    assert verify(simulator.root_key, chain.intermediate.details, chain.intermediate.signature)
    assert verify(middle.key, chain.leaf.details, chain.leaf.signature)
    assert (leaf.key, leaf.issuerSerial, middle.issuerSerial) == (session.peer_static, middle.serial, 0)
    offered = await stanza(wire, session)
    assert [child.tag for child in offered.child("pair-device").children] == ["ref"] * 6
    wire.close()


async def test_a_bad_stanza_does_not_end_the_connection(simulator: Simulator) -> None:
    wire = await Wire.open(simulator)
    session = await shake_hands(wire, payload())
    await stanza(wire, session)
    ping = node("iq", {"id": "after", "type": "get", "xmlns": "w:p", "to": SERVER})
    for plain in (b"", b"\x00\xff\xff", b"\x02nonsense", binary.encode(node("nonsense")), binary.encode(ping)):
        wire.send(session.sending.encrypt(plain))
    assert (await stanza(wire, session)).text("id") == "after"
    assert simulator.hub.journal.counts["malformed"] == 4
    wire.send_raw(b"\x03\xe8", Opcode.CLOSE)
    assert await wire.receive() == b""
    assert wire.closed_with == b"\x03\xe8"


async def test_broken_transport_ends_that_connection_only(simulator: Simulator) -> None:
    for broken in (b"GET / HTTP/1.1\r\n\r\n", frames.INTRO + frames.frame(b"\xff\xff"), os.urandom(200)):
        wire = await Wire.open(simulator)
        wire.send_raw(broken)
        assert await wire.receive() == b""
    wire = await Wire.open(simulator)
    session = await shake_hands(wire, payload(signature=bytes(64)))
    del session
    assert await wire.receive() == b""
    assert not simulator.hub.links
    wire = await Wire.open(simulator)
    await shake_hands(wire, payload())
    assert await wire.receive()
    wire.close()


async def test_a_login_of_nobody_is_refused(simulator: Simulator) -> None:
    wire = await Wire.open(simulator)
    session = await shake_hands(wire, wa6.ClientPayload(username=491511000001, device=1).SerializeToString())
    refusal = await stanza(wire, session)
    assert (refusal.tag, refusal.text("reason")) == ("failure", "401")
    wire.close()
