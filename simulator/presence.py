"""Presence and typing (docs/whatsapp.md §21). Shapes: the client's parser."""

from simulator.hub import Hub, Link, now_s
from simulator.node import GROUP, Malformed, Node, node
from simulator.world import Phone


def take_presence(hub: Hub, link: Link, stanza: Node) -> None:
    """Available, unavailable, or a subscription to another's presence."""
    phone = link.phone
    assert phone is not None
    kind = stanza.text_or("type", "available")
    if kind in ("available", "unavailable"):
        link.available = kind == "available"
        hub.journal.add("presence", phone.number, type=kind)
        tell_subscribers(hub, phone)
    elif kind == "subscribe":
        target = hub.world.find(stanza.jid("to"))
        if target is not None:
            link.subscriptions.add(target.number)
            link.write(_presence(hub, target))
    else:
        raise Malformed("an unknown presence")


def _presence(hub: Hub, phone: Phone) -> Node:
    available = phone.available or any(link.available for link in hub.online_links(phone))
    away = {} if available else {"type": "unavailable", "last": str(now_s())}
    return node("presence", {"from": phone.lid, **away})


def tell_subscribers(hub: Hub, phone: Phone) -> None:
    """Tell who asked for it whether the person is there."""
    for link in hub.links:
        if phone.number in link.subscriptions:
            link.write(_presence(hub, phone))


def take_chatstate(hub: Hub, link: Link, stanza: Node) -> None:
    """Typing or pausing: passed to the other's online devices, and noted."""
    phone, to = link.phone, stanza.jid("to")
    assert phone is not None
    if not stanza.children:
        raise Malformed("a chat state says nothing")
    hub.journal.add("chatstate", phone.number, to=str(to), state=stanza.children[0].tag)
    target = hub.world.find(to)
    if to.server == GROUP or target is None:
        return
    for other in hub.online_links(target):
        other.write(node("chatstate", {"from": phone.address(to.server)}, stanza.children))
