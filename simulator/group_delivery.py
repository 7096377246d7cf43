"""Messages to groups: from clients (checked, fanned out, taken by phones) and from phones (docs/whatsapp.md §23).

Every device of every member gets the one `skmsg`; the sender's key comes to each device in a payload of its own.
Provenance: attributes as the client's parser reads them (last section row 18). Assumed: the codes of refusals.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from google.protobuf.message import DecodeError

from simulator import attachments, people
from simulator.adv import BadIdentity, verify_client_identity
from simulator.groups import Group, Refused, participants_hash
from simulator.hub import Hub, Link, now_s
from simulator.media import BadMedia
from simulator.node import GROUP, LID, PN, Jid, Malformed, Node, node
from simulator.protobufs import e2e
from simulator.signal.errors import NoSession, OldCounter, SignalError, UnknownPrekey
from simulator.stanzas import encrypt
from simulator.world import Companion, Entry, Phone, WorldError

BAD_REQUEST = 400
PAIRWISE = ("pkmsg", "msg")
COPIED = ("type", "edit")
RETRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Post:
    """A client's message to a group on its way to the members."""

    group: Group
    sender: Phone
    companion: Companion
    stanza: Node

    @property
    def id(self) -> str:
        return self.stanza.text("id")

    @property
    def address(self) -> str:
        """The sending device in Signal state."""
        return people.address(self.sender, self.companion.device)


def deliver(hub: Hub, link: Link, stanza: Node) -> tuple[int, str]:
    """Take a client's `<message to=group>`: the error code (0 if accepted), and the phash if its device list was stale.

    Malformed where a payload or an address is missing."""
    phone, companion = link.phone, link.companion
    assert phone is not None
    assert companion is not None
    try:
        group = hub.world.groups.get(stanza.jid("to").user)
        group.may_write(phone.lid_user)
    except Refused as refused:
        return refused.code, ""
    post = Post(group, phone, companion, stanza)
    participants = stanza.find("participants")
    if participants is None:
        return _resend(hub, post)
    sealed = _checked(stanza.all("enc"), ("skmsg",))
    keys = {to.jid("jid"): _checked(to.all("enc"), PAIRWISE)[0] for to in participants.all("to")}
    if {PN, LID} <= {jid.server for jid in keys}:
        return BAD_REQUEST, ""
    if companion.saw(post.id):
        hub.journal.add("message_repeated", phone.number, id=post.id)
        return 0, ""
    hub.world.changed(phone)
    hub.note_origin(phone, post.id, companion.device)
    by_device = {(member.lid_user, jid.device): enc for jid, enc in keys.items() if (member := hub.world.find(jid))}
    for member, device in devices_of(hub, group):
        if (member, device) != (phone, companion.device):
            key = by_device.get((member.lid_user, device))
            _hand_over(hub, post, member, device, [key, sealed[0]] if key else sealed)
    due = participants_hash(member.lid.at(device) for member, device in devices_of(hub, group))
    stale = stanza.text_or("phash") != due
    hub.journal.add("message", phone.number, id=post.id, resend=False, group=str(group.jid), stale=stale)
    return 0, due if stale else ""


def _checked(encs: Sequence[Node], types: tuple[str, ...]) -> Sequence[Node]:
    """The one payload that belongs here. Malformed where there is none, more than one, or another kind."""
    if len(encs) != 1 or encs[0].text("v") != "2" or encs[0].text("type") not in types or not encs[0].data:
        raise Malformed(f"one payload of type {' or '.join(types)} is wanted")
    return encs


def devices_of(hub: Hub, group: Group) -> Iterator[tuple[Phone, int]]:
    """All devices of all members, the phones included."""
    for user in list(group.roles):
        member = hub.world.find(Jid(user, LID))
        for device in member.devices() if member else []:
            assert member is not None
            yield member, device


def _resend(hub: Hub, post: Post) -> tuple[int, str]:
    """An answer to a retry receipt: one payload for the one device that `participant` names."""
    encs = _checked(post.stanza.all("enc"), PAIRWISE)
    to = post.stanza.jid("participant")
    member = hub.world.find(to)
    if member is None or member.lid_user not in post.group.roles:
        return 403, ""
    hub.note_origin(post.sender, post.id, post.companion.device)
    _hand_over(hub, post, member, to.device, encs)
    hub.journal.add("message", post.sender.number, id=post.id, resend=True, group=str(post.group.jid))
    return 0, ""


def _hand_over(hub: Hub, post: Post, member: Phone, device: int, encs: Sequence[Node]) -> None:
    identity = post.stanza.find("device-identity")
    if device == 0:
        hub.reach(member, lambda: _take(hub, post, member, encs, identity))
        return
    children = list(encs)
    if identity is not None and any(enc.text("type") == "pkmsg" for enc in encs):
        children.append(identity)
    attrs: dict[str, str | Jid | int | None] = {name: post.stanza.text_or(name) for name in COPIED}
    attrs |= _sent_by(post.group, post.sender, post.companion.device, post.id)
    if (companion := member.companions.get(device)) is not None:
        hub.push(member, companion, node("message", attrs, children))


def _sent_by(group: Group, sender: Phone, device: int, message_id: str) -> dict[str, str | Jid | int | None]:
    return {
        "from": group.jid,
        "participant": sender.lid.at(device),
        "participant_pn": sender.pn.at(device),
        "addressing_mode": "lid",
        "id": message_id,
        "t": now_s(),
        "notify": sender.name,
    }


def _take(hub: Hub, post: Post, phone: Phone, encs: Sequence[Node], identity: Node | None) -> None:
    """A member's phone decrypts: the sender's key first, then the text. What fails is noted, and asked for again."""
    try:
        for enc in encs:
            message = _decrypted(post, phone, enc, identity)
            key = message.senderKeyDistributionMessage
            if key.axolotlSenderKeyDistributionMessage and key.groupID == str(post.group.jid):
                phone.party.take_sender_key(key.groupID, post.address, key.axolotlSenderKeyDistributionMessage)
            message.ClearField("senderKeyDistributionMessage")
            kind, text = people.kind_and_text(message)
            if kind != "empty":
                file = attachments.open_image(hub, message.imageMessage) if kind == "imageMessage" else ""
                _note(hub, post, phone, kind, text, file)
    except (SignalError, BadIdentity, BadMedia, DecodeError) as error:
        _failed(hub, post, phone, error)
    hub.world.changed(phone)


def _decrypted(post: Post, phone: Phone, enc: Node, identity: Node | None) -> e2e.Message:
    kind = enc.text("type")
    if kind == "skmsg":
        plain = phone.party.decrypt_group(str(post.group.jid), post.address, enc.data)
        return e2e.Message.FromString(plain)
    if kind == "pkmsg":
        if identity is None:
            raise BadIdentity("a first message without its device identity")
        root = post.sender.party.identity_public
        verify_client_identity(identity.data, root, post.companion.identity, post.companion.device)
    return e2e.Message.FromString(phone.party.decrypt(post.address, kind, enc.data, post.companion.identity))


def _note(hub: Hub, post: Post, phone: Phone, kind: str, text: str | None, file: str) -> None:
    chat, sender, own = str(post.group.jid), post.sender.number, post.sender is phone
    phone.entries = [entry for entry in phone.entries if not (entry.id == post.id and entry.error)]
    entry = Entry(
        post.id, chat, sender, post.companion.device, time.time(), text, None, own, kind, server=GROUP, file=file
    )
    phone.add_entry(entry)
    hub.journal.add("inbox", phone.number, id=post.id, sender=sender, text=text, kind_of=kind, own=own, group=chat)
    if not own:
        send_receipt(hub, phone, post.group.jid, post.sender, post.companion.device, [post.id], "")


def _failed(hub: Hub, post: Post, phone: Phone, error: Exception) -> None:
    chat, sender, name = str(post.group.jid), post.sender.number, type(error).__name__
    device = post.companion.device
    phone.add_entry(Entry(post.id, chat, sender, device, time.time(), None, name, server=GROUP))
    hub.journal.add("inbox_error", phone.number, id=post.id, sender=sender, error=name, group=chat)
    failures = sum(1 for entry in phone.entries if entry.id == post.id and entry.error)
    if isinstance(error, OldCounter) or not isinstance(error, SignalError) or failures > RETRIES_MAX:
        return
    children = [
        node("retry", {"count": failures, "id": post.id, "t": now_s(), "v": 1}),
        node("registration", {}, phone.party.registration_id.to_bytes(4)),
    ]
    if failures > 1 or isinstance(error, NoSession | UnknownPrekey):
        children.append(node("keys", {}, encrypt.key_nodes(phone.party.bundle())))
    send_receipt(hub, phone, post.group.jid, post.sender, device, [post.id], "retry", children)


def send_receipt(
    hub: Hub,
    phone: Phone,
    group: Jid,
    to: Phone,
    device: int,
    ids: Sequence[str],
    type_: str,
    children: Sequence[Node] = (),
) -> None:
    """A member's phone confirms messages of one device (0 = the other's phone, which notes the status)."""
    if device == 0:
        note_receipt(hub, to, phone, group, ids, type_)
        return
    companion = to.companions.get(device)
    if companion is None:
        return
    attrs = {"from": group, "participant": phone.lid, "id": ids[0], "t": now_s(), "type": type_}
    more = [node("list", {}, [node("item", {"id": other}) for other in ids[1:]])] if len(ids) > 1 else []
    hub.push(to, companion, node("receipt", attrs, [*more, *children]))


def note_receipt(hub: Hub, phone: Phone, reader: Phone, group: Jid, ids: Sequence[str], type_: str) -> None:
    """A receipt reached the phone for its own group messages; the first member's counts for the tick."""
    status = {"": "delivered", "read": "read"}.get(type_)
    if status is None:
        return
    for entry in phone.entries:
        if entry.own and entry.id in ids and entry.chat == str(group) and entry.status != "read":
            entry.status = status
    hub.world.changed(phone)
    hub.journal.add("receipt", phone.number, ids=list(ids), sender=reader.number, status=status, group=str(group))


def say(hub: Hub, phone: Phone, group: Group, text: str) -> str:
    """The person writes to the group; gives the message id. WorldError for a text or a group that cannot be."""
    if not text or len(text) > people.TEXT_CHARS_MAX:
        raise WorldError("bad_text", f"a text has 1 to {people.TEXT_CHARS_MAX} characters")
    return send(hub, phone, group, e2e.Message(conversation=text), text)


def send(
    hub: Hub, phone: Phone, group: Group, message: e2e.Message, text: str | None, kind: str = "text", file: str = ""
) -> str:
    """Encrypt a message once for the group and its key for each device; gives the id. WorldError for a stranger."""
    try:
        group.may_write(phone.lid_user)
    except Refused as refused:
        raise WorldError("not_allowed", "this phone may not write to that group") from refused
    message_id, chat = hub.new_id(), str(group.jid)
    phone.remember_sent(message_id, chat, message.SerializeToString())
    told = e2e.Message(senderKeyDistributionMessage=_own_key(phone, group))
    sealed = phone.party.encrypt_group(chat, message.SerializeToString())
    media = kind == "imageMessage"
    shared = node("enc", {"v": 2, "type": "skmsg", "mediatype": "image" if media else None}, sealed)
    attrs = {**_sent_by(group, phone, 0, message_id), "type": "media" if media else "text"}
    for member, device in devices_of(hub, group):
        if device:
            companion = member.companions[device]
            own = _enc(hub, phone, member, companion, told, fresh=False)
            hub.push(member, companion, node("message", attrs, [*own, shared]))
        else:
            line = Entry(message_id, chat, phone.number, 0, time.time(), text, None, False, kind)
            hub.reach(member, partial(_is_there, hub, member, line, file))
    return message_id


def _is_there(hub: Hub, member: Phone, entry: Entry, file: str) -> None:
    """Phone to phone nothing can go wrong, so the line is simply there."""
    entry = replace(entry, own=member.number == entry.sender, server=GROUP, file=file)
    member.add_entry(entry)
    if not entry.own:
        details = {"id": entry.id, "sender": entry.sender, "text": entry.text, "kind_of": entry.kind}
        hub.journal.add("inbox", member.number, own=False, group=entry.chat, **details)
    hub.world.changed(member)


def _own_key(phone: Phone, group: Group) -> e2e.SenderKeyDistributionMessage:
    chat = str(group.jid)
    key = phone.party.sender_key_distribution(chat)
    return e2e.SenderKeyDistributionMessage(groupID=chat, axolotlSenderKeyDistributionMessage=key)


def _enc(
    hub: Hub, phone: Phone, member: Phone, companion: Companion, message: e2e.Message, fresh: bool, count: int = 0
) -> list[Node]:
    """The payload for one device; none where the keys that it published cannot be used."""
    name = people.address(member, companion.device)
    begin = fresh or not phone.party.has_session(name)
    bundle = encrypt.bundle_of(hub, member, companion.device) if begin else None
    try:
        kind, sealed = phone.party.encrypt(name, message.SerializeToString(), bundle)
    except SignalError as error:
        hub.journal.add("not_encrypted", phone.number, device=companion.device, error=type(error).__name__)
        return []
    hub.world.changed(phone)
    return [node("enc", {"v": 2, "type": kind, "count": count or None}, sealed)]


def answer_retry(hub: Hub, phone: Phone, asker: Phone, device: int, receipt: Node) -> None:
    """A member's device could not read the phone's group message: it gets text and key in one, in a new session."""
    retry, group_jid = receipt.child("retry"), receipt.jid("to")
    message_id, count = retry.text("id"), retry.count("count")
    known, companion = phone.sent.get(message_id), asker.companions.get(device)
    group = next((g for g in hub.world.groups.of(asker.lid_user) if g.jid == group_jid), None)
    if known is None or companion is None or group is None or known[0] != str(group_jid) or count > RETRIES_MAX:
        hub.journal.add("retry_lost", phone.number, id=message_id)
        return
    message = e2e.Message.FromString(known[1])
    message.senderKeyDistributionMessage.CopyFrom(_own_key(phone, group))
    enc = _enc(hub, phone, asker, companion, message, fresh=True, count=count)
    hub.journal.add("retry", phone.number, id=message_id, count=count)
    attrs = {**_sent_by(group, phone, 0, message_id), "type": "text"}
    if enc:
        hub.push(asker, companion, node("message", attrs, enc))
