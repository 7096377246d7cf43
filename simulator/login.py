"""After the handshake: a known device logs in, an unknown client gets codes to scan (docs/whatsapp.md §4, §17)."""

from typing import Any

from simulator import pairing
from simulator.faults import PAIRING, Fault, failure, read_fault, stream_error
from simulator.hub import STREAM_END_DELAY_S, Hub, Link, now_s
from simulator.node import PN, Jid, node
from simulator.protobufs import wa6
from simulator.world import Companion, Phone

FAILURE_END_DELAY_S = 0.3
"""Closing at once races: the client would see the end before the reason."""
LOGGED_OUT = Fault("login", reason=401)
REFUSED = Fault("login", reason=400)
"""What a share of logins gets, if so ordered: the client stays down and says so (docs/whatsapp.md §5)."""


def login_or_pair(hub: Hub, link: Link, payload: wa6.ClientPayload, noise: bytes) -> None:
    """Continue with the client's first payload; ``noise`` is its static key as the handshake proved it."""
    if payload.HasField("devicePairingData"):
        if (fault := hub.faults.take(PAIRING, "login")) is not None:
            _refuse(hub, link, PAIRING, fault)
            return
        pairing.offer(hub, link, payload, noise)
        return
    phone = hub.world.find(Jid(str(payload.username), PN))
    companion = phone.companions.get(payload.device) if phone else None
    settings = hub.settings
    delay_s = settings.login_delay_s + hub.dice.random() * settings.login_jitter_s
    if delay_s > 0:
        hub.call_later(delay_s, lambda: _log_in(hub, link, phone, companion, noise))
    else:
        _log_in(hub, link, phone, companion, noise)


def _refuse(hub: Hub, link: Link, number: str, fault: Fault) -> None:
    hub.journal.add("login_refused", number, reason=fault.reason)
    link.write(failure(fault))
    link.end(FAILURE_END_DELAY_S)


def _log_in(hub: Hub, link: Link, phone: Phone | None, companion: Companion | None, noise: bytes) -> None:
    if link not in hub.links:
        return
    number = phone.number if phone else ""
    if phone is not None and (fault := hub.faults.take(number, "login")) is not None:
        if fault.reason in (401, 403, 406) and companion is not None:
            pairing.remove_companion(hub, phone, companion.device)
        _refuse(hub, link, number, fault)
        return
    if (share := hub.settings.refused_logins) and hub.dice.random() < share:
        _refuse(hub, link, number, REFUSED)
        return
    known = phone is not None and companion is not None and phone.companions.get(companion.device) is companion
    if phone is None or companion is None or not known or companion.noise != noise:
        _refuse(hub, link, number, LOGGED_OUT)
        return
    hub.log_in(link, phone, companion)
    link.write(
        node(
            "success",
            {"t": now_s(), "lid": phone.lid.at(companion.device), "display_name": phone.name, "location": "sim"},
        )
    )
    if (fault := hub.faults.take(phone.number, "after_login")) is not None:
        hub.call_later(fault.after_s, lambda: strike(hub, link, fault))


def kick(hub: Hub, phone: Phone, order: dict[str, Any]) -> int:
    """Strike a phone's live connections now (fields as of an ``after_login`` fault); gives how many. FaultError."""
    fault = read_fault({**order, "when": "after_login"})
    links = hub.online_links(phone)
    for link in links:
        strike(hub, link, fault)
    return len(links)


def strike(hub: Hub, link: Link, fault: Fault) -> None:
    """Carry out a fault of the stream on a live connection."""
    if link not in hub.links:
        return
    number = link.phone.number if link.phone else ""
    hub.journal.add("struck", number, code=fault.code, conflict=fault.conflict, abort=fault.abort)
    if fault.conflict == "device_removed" and link.phone and link.companion:
        link.phone.companions.pop(link.companion.device, None)
        hub.world.changed(link.phone)
    if fault.code or fault.conflict:
        link.write(stream_error(fault.code, fault.conflict))
    if fault.abort:
        link.abort()
    else:
        link.end(STREAM_END_DELAY_S)
        hub.forget(link)
