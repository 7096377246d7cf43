"""What simulated phones do: decrypt what comes, say something, read, answer retry receipts, bring a new device up to
date.

Source: docs/whatsapp.md §19 to §21. A phone delivers by itself but reads only when told to.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from simulator import attachments, contacts, trusted
from simulator.adv import BadIdentity, verify_client_identity
from simulator.hub import Hub, now_s
from simulator.media import BadMedia
from simulator.node import LID, PN, Jid, Node, node
from simulator.protobufs import e2e
from simulator.signal.errors import NoSession, OldCounter, SignalError, UnknownPrekey
from simulator.stanzas import encrypt
from simulator.world import Companion, Entry, Phone, WorldError

RETRIES_MAX = 5
TEXT_CHARS_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to a phone: who sent it with which device, payloads, and the stanza around them."""

    sender: Phone
    device: int
    id: str
    encs: Sequence[Node]
    identity: Node | None
    stanza: Node
    attrs: dict[str, str | Jid | int | None]


def address(phone: Phone, device: int) -> str:
    """The name of a device in Signal state."""
    return f"{phone.lid_user}.{device}"


def receive(hub: Hub, phone: Phone, letter: Letter) -> None:
    """Decrypt at the phone; note the text or the error; confirm delivery, or ask for a retry."""
    try:
        for enc in letter.encs:
            _take(hub, phone, letter, _decrypt(phone, letter, enc))
    except (SignalError, BadIdentity, BadMedia, DecodeError) as error:
        _failed(hub, phone, letter, error)
    hub.world.changed(phone)


def _decrypt(phone: Phone, letter: Letter, enc: Node) -> e2e.Message:
    kind = enc.text("type")
    companion = letter.sender.companions.get(letter.device)
    if kind == "pkmsg":
        if letter.identity is None or companion is None:
            raise BadIdentity("a first message without its device identity")
        root = letter.sender.party.identity_public
        verify_client_identity(letter.identity.data, root, companion.identity, letter.device)
    known = companion.identity if companion else None
    plain = phone.party.decrypt(address(letter.sender, letter.device), kind, enc.data, known)
    return e2e.Message.FromString(plain)


def kind_and_text(message: e2e.Message) -> tuple[str, str | None]:
    """What a message is, and its text or caption if it has one."""
    if message.conversation:
        return "text", message.conversation
    if message.HasField("extendedTextMessage"):
        return "text", message.extendedTextMessage.text
    fields = [field.name for field, _ in message.ListFields() if field.name != "messageContextInfo"]
    kind = fields[0] if fields else "empty"
    inner = getattr(message, kind, None)
    return kind, getattr(inner, "caption", None) or None


def _take(hub: Hub, phone: Phone, letter: Letter, message: e2e.Message) -> None:
    own = letter.sender is phone
    chat = letter.sender.number
    if message.HasField("deviceSentMessage") and own:
        peer = _peer_of(hub, message.deviceSentMessage.destinationJID)
        chat, message = (peer.number if peer else ""), message.deviceSentMessage.message
    if message.HasField("protocolMessage"):
        contacts.take_protocol_message(hub, phone, letter.sender, letter.device, message.protocolMessage)
        return
    kind, text = kind_and_text(message)
    file = attachments.open_image(hub, message.imageMessage) if kind == "imageMessage" else ""
    earlier = next((entry for entry in phone.entries if entry.id == letter.id and entry.error), None)
    if earlier is not None:
        phone.entries.remove(earlier)
    server = LID if letter.attrs["addressing_mode"] == "lid" else PN
    bot = letter.stanza.find("bot") is not None
    sender, at = letter.sender.number, time.time()
    phone.add_entry(Entry(letter.id, chat, sender, letter.device, at, text, None, own, kind, bot, "", server, file))
    hub.journal.add("inbox", phone.number, id=letter.id, sender=sender, text=text, kind_of=kind, own=own)
    if own:
        return
    send_receipt(hub, phone, letter.sender, letter.device, [letter.id], "", server)
    if phone.auto_reply:
        hub.call_later(0.0, lambda: _auto_reply(hub, phone, letter.sender))


def _auto_reply(hub: Hub, phone: Phone, to: Phone) -> None:
    say(hub, phone, to.number, phone.auto_reply)


def _peer_of(hub: Hub, text: str) -> Phone | None:
    user, _, server = text.partition("@")
    return hub.world.find(Jid(user.split(":")[0], server))


def _failed(hub: Hub, phone: Phone, letter: Letter, error: Exception) -> None:
    """Note the failure. An old counter is taken for a duplicate and stays silent; what a new session can heal is
    asked again."""
    name = type(error).__name__
    sender, server = letter.sender.number, LID if letter.attrs["addressing_mode"] == "lid" else PN
    phone.add_entry(Entry(letter.id, sender, sender, letter.device, time.time(), None, name, server=server))
    hub.journal.add("inbox_error", phone.number, id=letter.id, sender=sender, error=name)
    if isinstance(error, OldCounter) or not isinstance(error, SignalError):
        return
    failures = sum(1 for entry in phone.entries if entry.id == letter.id and entry.error)
    if failures > RETRIES_MAX:
        return
    children = [
        node("retry", {"count": failures, "id": letter.id, "t": now_s(), "v": 1}),
        node("registration", {}, phone.party.registration_id.to_bytes(4)),
    ]
    if failures > 1 or isinstance(error, NoSession | UnknownPrekey):
        bundle = phone.party.bundle()
        children.append(node("keys", {}, encrypt.key_nodes(bundle)))
    send_receipt(hub, phone, letter.sender, letter.device, [letter.id], "retry", server, children)


def send_receipt(
    hub: Hub,
    phone: Phone,
    to: Phone,
    device: int,
    ids: Sequence[str],
    type_: str,
    server: str = LID,
    children: Sequence[Node] = (),
) -> None:
    """The phone confirms messages of one device (0 = the other's phone, which notes the status)."""
    if device == 0:
        note_receipt(hub, to, phone, ids, type_)
        return
    companion = to.companions.get(device)
    if companion is None:
        return
    attrs = {"from": phone.address(server), "id": ids[0], "t": now_s(), "type": type_}
    more = [node("list", {}, [node("item", {"id": other}) for other in ids[1:]])] if len(ids) > 1 else []
    hub.push(to, companion, node("receipt", attrs, [*more, *children]))


def note_receipt(hub: Hub, phone: Phone, reader: Phone, ids: Sequence[str], type_: str) -> None:
    """A receipt reached the phone for messages that it sent itself."""
    status = {"": "delivered", "read": "read"}.get(type_)
    if status is None:
        return
    for entry in phone.entries:
        if entry.own and entry.id in ids and entry.chat == reader.number and entry.status != "read":
            entry.status = status
    hub.world.changed(phone)
    hub.journal.add("receipt", phone.number, ids=list(ids), sender=reader.number, status=status)


def say(hub: Hub, phone: Phone, number: str, text: str) -> str:
    """The person writes to another; gives the message id. WorldError for an unknown number or an empty or over-long
    text."""
    if not text or len(text) > TEXT_CHARS_MAX:
        raise WorldError("bad_text", f"a text has 1 to {TEXT_CHARS_MAX} characters")
    to, message_id = hub.world.phone(number), hub.new_id()
    send(hub, phone, to, message_id, e2e.Message(conversation=text))
    note_said(hub, phone, to, message_id, text)
    return message_id


def note_said(
    hub: Hub, phone: Phone, to: Phone, message_id: str, text: str | None, kind: str = "text", file: str = ""
) -> None:
    """The line in both phones' chats. Phone to phone nothing can go wrong: it is there once the other is online."""
    phone.add_entry(Entry(message_id, to.number, phone.number, 0, time.time(), text, None, True, kind, file=file))
    hub.world.changed(phone)

    def arrive() -> None:
        now = time.time()
        to.add_entry(Entry(message_id, phone.number, phone.number, 0, now, text, None, False, kind, file=file))
        hub.journal.add("inbox", to.number, id=message_id, sender=phone.number, text=text, kind_of=kind, own=False)
        note_receipt(hub, phone, to, [message_id], "")
        hub.world.changed(to)

    if to is not phone:
        hub.reach(to, arrive)


def send(hub: Hub, phone: Phone, to: Phone, message_id: str, message: e2e.Message, type_: str = "text") -> None:
    """Encrypt a message for all devices of ``to`` and, wrapped, for the own ones."""
    phone.remember_sent(message_id, to.number, message.SerializeToString())
    if to is not phone:
        trusted.trust(hub, phone, to, now_s())
    for companion in to.companions.values():
        send_to_device(hub, phone, to, companion, message_id, message, type_)
    if to is phone:
        return
    for companion in phone.companions.values():
        wrapped = wrap_for_own(to, message)
        more: dict[str, str | Jid] = {"recipient": to.lid, "peer_recipient_pn": to.pn}
        send_to_device(hub, phone, phone, companion, message_id, wrapped, type_, more=more)


def wrap_for_own(to: Phone, message: e2e.Message) -> e2e.Message:
    """The copy of an own message for the other own devices."""
    inner = e2e.DeviceSentMessage(destinationJID=str(to.lid), message=message)
    return e2e.Message(deviceSentMessage=inner)


def send_to_device(
    hub: Hub,
    phone: Phone,
    to: Phone,
    companion: Companion,
    message_id: str,
    message: e2e.Message,
    type_: str = "text",
    *,
    more: dict[str, str | Jid] | None = None,
    peer: bool = False,
    fresh: bool = False,
    count: int | None = None,
) -> None:
    """One device's copy. ``peer`` marks the phone's word to its own device; ``fresh`` starts a new session."""
    name = address(to, companion.device)
    bundle = None
    if fresh or not phone.party.has_session(name):
        bundle = encrypt.bundle_of(hub, to, companion.device)
    try:
        kind, sealed = phone.party.encrypt(name, message.SerializeToString(), bundle)
    except SignalError as error:  # the device published keys that nobody can use
        hub.journal.add("not_encrypted", phone.number, device=companion.device, error=type(error).__name__)
        return
    attrs: dict[str, str | Jid | int | None] = {"id": message_id, "t": now_s(), "type": type_, "notify": phone.name}
    if peer:
        attrs |= {"from": phone.pn, "category": "peer"}
    else:
        attrs |= {"from": phone.lid, "addressing_mode": "lid", **(more or {})}
        attrs["sender_pn"] = phone.pn if to is not phone else None
    enc = {"v": 2, "type": kind, "count": count, "mediatype": "image" if type_ == "media" else None}
    hub.push(to, companion, node("message", attrs, [node("enc", enc, sealed)]))
    hub.world.changed(phone)


def answer_retry(hub: Hub, phone: Phone, asker: Phone, device: int, receipt: Node) -> None:
    """A device could not decrypt the phone's message: send it again in a new session, under the same id."""
    retry = receipt.child("retry")
    known, companion = phone.sent.get(retry.text("id")), asker.companions.get(device)
    if known is None or companion is None or retry.count("count") > RETRIES_MAX:
        hub.journal.add("retry_lost", phone.number, id=retry.text("id"))
        return
    number, image = known
    message, count, message_id = e2e.Message.FromString(image), retry.count("count"), retry.text("id")
    peer = number == phone.number and asker is phone
    if asker is phone and not peer:
        message = wrap_for_own(hub.world.phone(number), message)
    hub.journal.add("retry", phone.number, id=message_id, count=count)
    send_to_device(hub, phone, asker, companion, message_id, message, peer=peer, fresh=True, count=count)


def first_sync(hub: Hub, phone: Phone, companion: Companion) -> None:
    """History and the app-state key, in an order that the seed decides: both occur (docs/whatsapp.md §19)."""
    messages = [*contacts.history_messages(hub, phone), contacts.key_share(hub, phone, companion)]
    if hub.dice.random() < 0.5:
        messages.reverse()
    for message in messages:
        message_id = hub.new_id()
        phone.remember_sent(message_id, phone.number, message.SerializeToString())
        send_to_device(hub, phone, phone, companion, message_id, message, peer=True)
    hub.journal.add("first_sync", phone.number, device=companion.device)
