"""From a decoded stanza to its handler. A stanza that nothing here understands is counted, never an end of the
connection."""

from collections.abc import Callable

from simulator import delivery, linking, presence, receipts
from simulator.hub import Hub, Link
from simulator.node import Malformed, Node
from simulator.stanzas.answer import BAD_REQUEST, Call, Refusal, error, result
from simulator.stanzas.table import TABLE

REASONS = {401: "not-authorized", 403: "forbidden", 404: "item-not-found", 429: "rate-overlimit", 500: "internal-error"}


def _iq(hub: Hub, link: Link, iq: Node) -> None:
    kind, iq_id = iq.text("type"), iq.text("id")
    if kind in ("result", "error"):
        then = link.answers.pop(iq_id, None)
        if then is None:
            raise Malformed("an answer that nobody waits for")
        then(iq)
        return
    if link.phone is None or link.companion is None:
        _unpaired_iq(hub, link, iq)
        return
    xmlns, child = iq.text_or("xmlns"), iq.children[0].tag if iq.children else ""
    hub.journal.counts[f"iq {xmlns} {kind} {child}".rstrip()] += 1
    if (fault := hub.faults.take(link.phone.number, "iq", xmlns)) is not None:
        hub.journal.add("iq_refused", link.phone.number, xmlns=xmlns, code=fault.code)
        link.write(error(iq, fault.code, REASONS.get(fault.code, "ordered")))
        return
    entry = TABLE.get((xmlns, kind, child)) or TABLE.get((xmlns, kind, ""))
    try:
        content = entry.handler(Call(hub, link, link.phone, link.companion, iq)) if entry else ()
        link.write(result(iq, content))
    except Refusal as refusal:
        link.write(error(iq, refusal.code, refusal.text))
    except Malformed as malformed:
        hub.journal.add("malformed", link.phone.number, why=str(malformed))
        link.write(error(iq, *BAD_REQUEST))


def _unpaired_iq(hub: Hub, link: Link, iq: Node) -> None:
    """Before pairing a client may only link by code, and keep the connection alive."""
    if iq.text_or("xmlns") == "w:p":
        link.write(result(iq, ()))
        return
    try:
        link.write(result(iq, linking.take(hub, link, iq)))
    except Malformed as malformed:
        hub.journal.add("malformed", why=str(malformed))
        link.write(error(iq, *BAD_REQUEST))


def _ignore(hub: Hub, link: Link, stanza: Node) -> None:
    del hub, link, stanza


HANDLERS: dict[str, Callable[[Hub, Link, Node], None]] = {
    "iq": _iq,
    "message": delivery.take_message,
    "receipt": receipts.take_receipt,
    "ack": receipts.take_ack,
    "presence": presence.take_presence,
    "chatstate": presence.take_chatstate,
    "ib": _ignore,
    "call": _ignore,
}


def dispatch(hub: Hub, link: Link, stanza: Node) -> None:
    """Handle one stanza of a client. Malformed where it is to be ignored."""
    handler = HANDLERS.get(stanza.tag)
    if handler is None:
        raise Malformed(f"<{stanza.tag}> is no stanza of a client")
    if link.phone is None and stanza.tag != "iq":
        raise Malformed(f"an unpaired client sends <{stanza.tag}>")
    handler(hub, link, stanza)
