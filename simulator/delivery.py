"""Messages from clients: checked, fanned out to devices, acknowledged (docs/whatsapp.md §21).

Groups have a delivery of their own. Assumed: the error codes for unknown recipients (404), the value of ``phash``.
"""

from collections.abc import Sequence

from simulator import group_delivery, people, trusted
from simulator.faults import Fault
from simulator.groups import participants_hash
from simulator.hub import Hub, Link, now_s
from simulator.node import GROUP, LID, PN, Jid, Malformed, Node, node
from simulator.world import Phone

PASSED_ON = ("meta", "bot", "biz", "reporting", "multicast", "tctoken")
COPIED = ("type", "category", "edit", "push_priority")
ENC_TYPES = ("pkmsg", "msg")
UNKNOWN_RECIPIENT, BAD_REQUEST, BAD_FANOUT = 404, 400, 479


def take_message(hub: Hub, link: Link, stanza: Node) -> None:
    """Handle a client's ``<message>``. Malformed where it has no id or no address: it is then ignored."""
    phone = link.phone
    assert phone is not None
    message_id, to = stanza.text("id"), stanza.jid("to")
    fault = hub.faults.take(phone.number, "message")
    if fault is not None and fault.op == "drop":
        hub.journal.add("message_dropped", phone.number, id=message_id)
        link.abort()
        return
    if fault is not None and fault.op == "error":
        hub.journal.add("message_refused", phone.number, id=message_id, code=fault.code)
        acknowledge(hub, link, message_id, to, {"error": fault.code})
        return
    accept(hub, link, stanza, message_id, to, fault)


def accept(hub: Hub, link: Link, stanza: Node, message_id: str, to: Jid, fault: Fault | None) -> None:
    """Deliver and acknowledge, unless a fault keeps the acknowledgement back."""
    if to.server == GROUP:
        error, phash = group_delivery.deliver(hub, link, stanza)
    else:
        error, phash = _deliver(hub, link, stanza, message_id, to)
    if error:
        assert link.phone is not None
        hub.journal.add("message_refused", link.phone.number, id=message_id, code=error)
    if fault is not None and fault.op == "drop_after":
        link.abort()
    elif fault is None or fault.op != "mute":
        acknowledge(hub, link, message_id, to, {"error": error or None, "phash": phash or None})


def acknowledge(hub: Hub, link: Link, message_id: str, to: Jid, more: dict[str, str | int | None]) -> None:
    """``<ack class=message>``, late if so ordered."""
    ack = node("ack", {"class": "message", "id": message_id, "from": to, "t": now_s(), **more})
    if hub.settings.ack_delay_s > 0:
        hub.call_later(hub.settings.ack_delay_s, lambda: link.write(ack))
    else:
        link.write(ack)


def encs_of(parent: Node) -> list[Node]:
    """The encrypted payloads directly in a node, checked; Malformed for unknown types or versions."""
    encs = parent.all("enc")
    for enc in encs:
        if enc.text("v") != "2" or enc.text("type") not in (*ENC_TYPES, "skmsg") or not enc.data:
            raise Malformed("an encrypted payload of an unknown kind")
    return encs


def _deliver(hub: Hub, link: Link, stanza: Node, message_id: str, to: Jid) -> tuple[int, str]:
    """Error code (0 if accepted) and phash ("" if the client's device list was right)."""
    phone, companion = link.phone, link.companion
    assert phone is not None
    assert companion is not None
    peer = hub.world.find(to)
    if peer is None:
        return UNKNOWN_RECIPIENT, ""
    direct, participants = encs_of(stanza), stanza.find("participants")
    if participants is None:
        if not direct:
            raise Malformed("a message without a payload")
        hub.note_origin(phone, message_id, companion.device)
        hand_over(hub, link, stanza, peer, to.device, direct)
        hub.journal.add("message", phone.number, id=message_id, resend=True)
        return 0, ""
    if direct:
        return BAD_FANOUT, ""
    targets = [(entry.jid("jid"), encs_of(entry)) for entry in participants.all("to")]
    if {PN, LID} <= {jid.server for jid, _ in targets}:
        return BAD_REQUEST, ""
    if (locked := trusted.refusal(phone, peer, stanza)) != 0:
        return locked, ""
    if companion.saw(message_id):
        hub.journal.add("message_repeated", phone.number, id=message_id)
        return 0, ""
    hub.world.changed(phone)
    hub.note_origin(phone, message_id, companion.device)
    for jid, encs in targets:
        target = hub.world.find(jid)
        if target in (peer, phone) and encs:
            hand_over(hub, link, stanza, target, jid.device, encs)
    phash = _phash(phone, peer, companion.device, [jid for jid, _ in targets])
    hub.journal.add("message", phone.number, id=message_id, resend=False, stale=bool(phash))
    return 0, phash


def _phash(phone: Phone, peer: Phone, device: int, sent_to: Sequence[Jid]) -> str:
    """Empty where the message went to exactly the devices that exist; else the hash of these and the sender."""
    server = sent_to[0].server if sent_to else LID
    due = {peer.address(server).at(n) for n in peer.devices()} | {phone.address(server).at(n) for n in phone.devices()}
    if due - {phone.address(server).at(device)} == set(sent_to):
        return ""
    return participants_hash(due)


def delivered_attrs(
    sender: Phone, device: int, stanza: Node, target: Phone, t: int, chat: Jid | None = None
) -> dict[str, str | Jid | int | None]:
    """A message's attributes as a device receives it: addressing follows the stanza's ``to`` (docs/whatsapp.md §21)."""
    to = chat or stanza.jid("to")
    mode = LID if to.server == LID else PN
    attrs: dict[str, str | Jid | int | None] = {name: stanza.text_or(name) for name in COPIED}
    attrs |= {"from": sender.address(mode).at(device), "id": stanza.text("id"), "t": t, "notify": sender.name}
    attrs["addressing_mode"] = "lid" if mode == LID else "pn"
    if target is sender:
        attrs["recipient"] = to.bare()
        recipient = stanza.jid_or_none("peer_recipient_pn" if mode == LID else "peer_recipient_lid")
        attrs["peer_recipient_pn" if mode == LID else "peer_recipient_lid"] = recipient
    else:
        attrs["sender_pn" if mode == LID else "sender_lid"] = sender.pn if mode == LID else sender.lid
    return attrs


def hand_over(hub: Hub, link: Link, stanza: Node, target: Phone, device: int, encs: Sequence[Node]) -> None:
    """Give one device its payloads: the phone decrypts here, a companion gets a stanza. Unknown devices get nothing."""
    sender, own = link.phone, link.companion
    assert sender is not None
    assert own is not None
    identity = stanza.find("device-identity")
    attrs = delivered_attrs(sender, own.device, stanza, target, now_s())
    if device == 0:
        letter = people.Letter(sender, own.device, stanza.text("id"), encs, identity, stanza, attrs)
        hub.reach(target, lambda: people.receive(hub, target, letter))
        return
    companion = target.companions.get(device)
    if companion is None:
        return
    children = list(encs)
    if identity is not None and any(enc.text("type") == "pkmsg" for enc in encs):
        children.append(identity)
    children += [child for child in stanza.children if child.tag in PASSED_ON]
    hub.push(target, companion, node("message", attrs, children))
