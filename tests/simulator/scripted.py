"""A client of our own, without sockets, that can be told to misbehave where the real one cannot.

It stands where a websocket would: stanzas go straight to the dispatcher, answers land in a list.
"""

import base64
import os
from collections import deque
from collections.abc import Callable, Iterable

from simulator import pairing, xeddsa
from simulator.adv import DEVICE_PREFIX
from simulator.curve import KeyPair
from simulator.hub import Hub, Link
from simulator.login import login_or_pair
from simulator.node import SERVER, Jid, Node, Value, node
from simulator.protobufs import adv, e2e, wa6
from simulator.signal.keys import Bundle
from simulator.signal.party import Party
from simulator.stanzas.dispatch import dispatch
from simulator.world import Phone, World

PREKEYS = 30


class Later:
    """Stands for the loop's clock: what is due runs when `settle` is called, in order."""

    def __init__(self) -> None:
        self.due: deque[Callable[[], None]] = deque()

    def __call__(self, delay_s: float, do: Callable[[], None]) -> None:
        self.due.append(do)

    def settle(self) -> None:
        for _ in range(10_000):
            if not self.due:
                return
            self.due.popleft()()
        raise AssertionError("the hub never comes to rest")


class Stage:
    """A hub with its clock."""

    def __init__(self, seed: int = 0) -> None:
        self.later = Later()
        self.hub = Hub(World(os.urandom), self.later, seed)

    def phone(self, number: str, name: str) -> Phone:
        return self.hub.world.make(number, name)

    def client(self, phone: Phone) -> "Client":
        client = Client(self, phone)
        client.pair()
        client.log_in()
        return client


class Client:
    """One linked device of a phone, driven by the test."""

    def __init__(self, stage: Stage, phone: Phone) -> None:
        self.stage, self.hub, self.phone = stage, stage.hub, phone
        self.party = Party.new(os.urandom)
        self.noise, self.secret = KeyPair.from_private(os.urandom(32)), os.urandom(32)
        self.written: list[Node] = []
        self.ended = False
        self.device = 0
        self.identity = b""
        self.asked = 0
        self.link = self.new_link()

    def new_link(self) -> Link:
        self.ended = False

        def end(delay_s: float = 0.0) -> None:
            self.ended = True

        link = Link(self.written.append, end, end, "media.test")
        self.hub.links.add(link)
        return link

    @property
    def lid(self) -> Jid:
        return self.phone.lid.at(self.device)

    def tell(self, stanza: Node) -> None:
        """Send a stanza and let everything that follows happen."""
        dispatch(self.hub, self.link, stanza)
        self.stage.later.settle()

    def got(self, tag: str, **attrs: str) -> list[Node]:
        """What was written to this client with that tag and these attributes (compared as text)."""
        return [
            one
            for one in self.written
            if one.tag == tag and all(str(one.attrs.get(name, "")) == value for name, value in attrs.items())
        ]

    def ask(self, kind: str, xmlns: str, content: Iterable[Node], to: Value = SERVER) -> Node:
        """An iq and its answer."""
        self.asked += 1
        iq_id = f"q{self.asked}"
        self.tell(node("iq", {"id": iq_id, "type": kind, "xmlns": xmlns, "to": to}, content))
        answers = self.got("iq", id=iq_id)
        assert len(answers) == 1
        return answers[0]

    def offer(self) -> None:
        """Connect as an unpaired client."""
        bundle = self.party.bundle()
        data = wa6.ClientPayload.DevicePairingRegistrationData(
            eRegid=bundle.registration_id.to_bytes(4),
            eIdent=bundle.identity,
            eSkeyID=bundle.signed_prekey_id.to_bytes(3),
            eSkeyVal=bundle.signed_prekey,
            eSkeySig=bundle.signature,
        )
        login_or_pair(self.hub, self.link, wa6.ClientPayload(devicePairingData=data), self.noise.public)
        self.written.clear()

    def pair(self) -> None:
        self.offer()
        parts = [self.noise.public, self.party.identity_public, self.secret]
        text = ",".join([self.link.refs[0], *(base64.b64encode(part).decode() for part in parts), "1"])
        self.device = pairing.scan(self.hub, self.phone, text)
        self.accept_pairing()

    def accept_pairing(self) -> None:
        """Answer `pair-success` as an honest client."""
        success = self.got("iq", type="set")[-1]
        box = adv.ADVSignedDeviceIdentityHMAC.FromString(success.child("pair-success").child("device-identity").data)
        identity = adv.ADVSignedDeviceIdentity.FromString(box.details)
        text = DEVICE_PREFIX + identity.details + self.party.identity_public + identity.accountSignatureKey
        identity.deviceSignature = xeddsa.sign(self.party.identity.private, text)
        identity.ClearField("accountSignatureKey")
        self.identity = identity.SerializeToString()
        self.device = adv.ADVDeviceIdentity.FromString(identity.details).keyIndex
        signed = node("pair-device-sign", {}, [node("device-identity", {"key-index": self.device}, self.identity)])
        self.tell(node("iq", {"id": success.text("id"), "type": "result", "to": SERVER}, [signed]))
        self.hub.forget(self.link)

    def log_in(self, prekeys: int = PREKEYS) -> None:
        """Log in, upload prekeys if there are none, go active."""
        self.written.clear()
        self.link = self.new_link()
        payload = wa6.ClientPayload(username=int(self.phone.number), device=self.device)
        login_or_pair(self.hub, self.link, payload, self.noise.public)
        if not self.phone.companions[self.device].prekeys and prekeys:
            self.ask("set", "encrypt", upload([self.party.bundle() for _ in range(prekeys)]))
        self.ask("set", "passive", [node("active")])

    def bundle(self, jid: Jid) -> Bundle:
        """Fetch a device's keys as any client does."""
        answer = self.ask("get", "encrypt", [node("key", {}, [node("user", {"jid": jid})])])
        user = answer.child("list").child("user")
        skey, key = user.child("skey"), user.find("key")
        return Bundle(
            int.from_bytes(user.child("registration").data),
            user.child("identity").data,
            int.from_bytes(skey.child("id").data),
            skey.child("value").data,
            skey.child("signature").data,
            int.from_bytes(key.child("id").data) if key else None,
            key.child("value").data if key else None,
        )

    def encrypted(self, jid: Jid, message: e2e.Message) -> Node:
        """`<enc>` for one device; a session is begun where there is none."""
        address = f"{jid.user}.{jid.device}"
        bundle = None if self.party.has_session(address) else self.bundle(jid)
        kind, data = self.party.encrypt(address, message.SerializeToString(), bundle)
        return node("enc", {"v": "2", "type": kind}, data)

    def message(self, to: Jid, encs: Iterable[tuple[Value, Node]], id: str, more: Iterable[Node] = ()) -> Node:
        """A `<message>` with one `<to>` for each pair."""
        participants = node("participants", {}, [node("to", {"jid": jid}, [enc]) for jid, enc in encs])
        identity = node("device-identity", {}, self.identity)
        return node("message", {"id": id, "to": to, "type": "text"}, [participants, identity, *more])

    def send(self, to: Phone, text: str, id: str) -> Node:
        """A text to a phone's device 0, as an honest client sends it; the acknowledgement."""
        enc = self.encrypted(to.lid, e2e.Message(conversation=text))
        self.tell(self.message(to.lid, [(to.lid, enc)], id))
        return self.ack(id)

    def ack(self, id: str) -> Node:
        """The one acknowledgement of a message."""
        acks = self.got("ack", id=id)
        assert len(acks) == 1
        return acks[0]


def upload(bundles: list[Bundle]) -> list[Node]:
    """The children of a prekey upload."""
    first = bundles[0]

    def pair(tag: str, key_id: int, value: bytes, *more: Node) -> Node:
        return node(tag, {}, [node("id", {}, key_id.to_bytes(3)), node("value", {}, value), *more])

    keys = [pair("key", b.prekey_id, b.prekey) for b in bundles if b.prekey_id is not None and b.prekey is not None]
    signature = node("signature", {}, first.signature)
    return [
        node("registration", {}, first.registration_id.to_bytes(4)),
        node("type", {}, b"\x05"),
        node("identity", {}, first.identity),
        node("list", {}, keys),
        pair("skey", first.signed_prekey_id, first.signed_prekey, signature),
    ]
