"""Receipts and confirmations from clients (docs/whatsapp.md §21)."""

from simulator import group_delivery, people
from simulator.hub import Hub, Link, now_s
from simulator.node import GROUP, Jid, Node, node
from simulator.world import Phone

KEPT_BY_SERVER = ("inactive", "sender", "peer_msg", "hist_sync", "server-error", "read-self", "played-self")
ITEMS_MAX = 1_000


def take_receipt(hub: Hub, link: Link, stanza: Node) -> None:
    """Acknowledge a receipt, take the messages out of the queue, and pass it on to the one device it is for."""
    phone, companion = link.phone, link.companion
    assert phone is not None
    assert companion is not None
    to, first, type_ = stanza.jid("to"), stanza.text("id"), stanza.text_or("type")
    participant = stanza.jid_or_none("participant")
    items = stanza.find("list")
    ids = [first, *([item.text("id") for item in items.all("item")][:ITEMS_MAX] if items else [])]
    link.write(node("ack", {"class": "receipt", "id": first, "from": to, "type": type_, "participant": participant}))
    hub.confirm(link, "message", ids, None, "")
    hub.journal.add("client_receipt", phone.number, ids=ids, type=type_, device=companion.device)
    if type_ in KEPT_BY_SERVER:
        return
    addressee = participant or to
    target = hub.world.find(addressee)
    if target is None:
        return
    devices = [addressee.device]
    if not addressee.device and (origin := hub.origin(target, first)) is not None:
        devices = [origin]
    for device in devices:
        _pass_on(hub, link, stanza, target, device, ids)


def _pass_on(hub: Hub, link: Link, stanza: Node, target: Phone, device: int, ids: list[str]) -> None:
    phone, own = link.phone, link.companion
    assert phone is not None
    assert own is not None
    type_ = stanza.text_or("type")
    to = stanza.jid("to")
    if device == 0 and to.server == GROUP:
        if type_ == "retry":
            group_delivery.answer_retry(hub, target, phone, own.device, stanza)
        else:
            group_delivery.note_receipt(hub, target, phone, to, ids, type_)
        return
    if device == 0:
        if type_ == "retry":
            people.answer_retry(hub, target, phone, own.device, stanza)
        else:
            people.note_receipt(hub, target, phone, ids, type_)
        return
    companion = target.companions.get(device)
    if companion is None:
        return
    sender = phone.address(to.server).at(own.device)
    source: dict[str, Jid | None] = {"from": sender, "recipient": stanza.jid_or_none("recipient")}
    if to.server == GROUP:
        source = {"from": to, "participant": phone.lid.at(own.device)}
    attrs = {**source, "id": stanza.text("id"), "t": now_s(), "type": type_}
    hub.push(target, companion, node("receipt", attrs, stanza.children))


def take_ack(hub: Hub, link: Link, stanza: Node) -> None:
    """The client confirms a message, receipt or notification."""
    kind, jid, participant = stanza.text("class"), stanza.jid_or_none("to"), stanza.jid_or_none("participant")
    hub.confirm(link, kind, [stanza.text("id")], jid, stanza.text_or("type"), participant)
