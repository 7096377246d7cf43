"""Going active: what waited is delivered, and a new device gets its first sync (docs/whatsapp.md §17)."""

from collections import Counter
from collections.abc import Sequence

from simulator import binary, people
from simulator.hub import Hub, Link
from simulator.node import SERVER, Node, node
from simulator.stanzas.answer import Call

PREVIEWED = ("message", "notification", "receipt")


def activate(call: Call) -> Sequence[Node]:
    """The client is ready. The queue follows after the empty result, because the client waits for that first."""
    call.link.active = True
    call.hub.call_later(0.0, lambda: _deliver_waiting(call.hub, call.link))
    return []


def deactivate(call: Call) -> Sequence[Node]:
    """The client wants to hear nothing but answers."""
    call.link.active = False
    return []


def _deliver_waiting(hub: Hub, link: Link) -> None:
    phone, companion = link.phone, link.companion
    if link not in hub.links or phone is None or companion is None:
        return
    waiting = [binary.decode(stanza) for stanza in companion.queue.values()]
    counts = Counter(stanza.tag for stanza in waiting)
    if waiting:
        numbers = {tag: counts[tag] for tag in PREVIEWED}
        preview = {"count": len(waiting), **numbers, "appdata": 0}
        link.write(node("ib", {"from": SERVER}, [node("offline_preview", preview)]))
    for stanza in waiting:
        link.write(Node(stanza.tag, {**stanza.attrs, "offline": "0"}, stanza.content))
    link.write(node("ib", {"from": SERVER}, [node("offline", {"count": len(waiting)})]))
    hub.journal.add("active", phone.number, device=companion.device, waiting=len(waiting))
    if not companion.synced and companion.prekeys:
        companion.synced = True
        hub.reach(phone, lambda: people.first_sync(hub, phone, companion))
