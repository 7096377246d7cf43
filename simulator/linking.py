"""Linking by phone code: the person types eight characters that the client shows (docs/whatsapp.md §4).

Assumed: that a code lives as long as the codes to scan do, and what exactly the service checks in a hello.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import pairing
from simulator.hub import STREAM_END_DELAY_S, Hub, Link, now_s
from simulator.linkcode import WRAPPED_KEY_BYTES, BadCode, Linking, answer, finish, read_code
from simulator.node import Malformed, Node, node
from simulator.notices import code_pairing
from simulator.world import Phone, WorldError

REF_BYTES = 12
TAG = "link_code_companion_reg"
_DISPLAY = re.compile(r"\w[\w .]{0,40} \(\w[\w .]{0,40}\)")
"""The service wants `Browser (System)` (docs/whatsapp.md §4); that the letters' case is free is assumed."""


@dataclass(slots=True)
class Offer:
    """A client that waits for its code to be typed on a phone."""

    link: Link
    phone: Phone
    ref: bytes
    wrapped_ephemeral: bytes
    until: float
    linking: Linking | None = None


def take(hub: Hub, link: Link, iq: Node) -> Sequence[Node]:
    """``companion_hello`` and ``companion_finish`` of an unpaired client. Malformed where it asks for nobody's
    number."""
    request = iq.child(TAG)
    stage = request.text("stage")
    if stage == "companion_hello":
        return [_hello(hub, link, request)]
    if stage == "companion_finish":
        _finish(hub, link, request)
        return []
    raise Malformed("an unknown stage of linking")


def _hello(hub: Hub, link: Link, request: Node) -> Node:
    phone = hub.world.find(request.jid("jid"))
    if phone is None or link.registration is None:
        raise Malformed("no such number")
    ref = hub.world.random_bytes(REF_BYTES)
    wrapped = request.child("link_code_pairing_wrapped_companion_ephemeral_pub").sized(WRAPPED_KEY_BYTES)
    display = request.child("companion_platform_display").data.decode(errors="replace")
    noise = request.child("companion_server_auth_key_pub").data
    if noise != link.registration.noise or not _DISPLAY.fullmatch(display) or not request.find("companion_platform_id"):
        raise Malformed("another client than the connected one, or one that does not say what it is")
    hub.codes[phone.number] = Offer(link, phone, ref, wrapped, time.monotonic() + pairing.REFS_VALID_S)
    hub.journal.add("code_shown", phone.number)
    return node(TAG, {}, [node("link_code_pairing_ref", {}, ref)])


def enter_code(hub: Hub, phone: Phone, typed: str) -> None:
    """The person types the code. WorldError where it is no code, or no client waits for this phone.

    Whether it was the right one shows only in the client's next message."""
    offer = hub.codes.get(phone.number)
    if offer is None or offer.link not in hub.links or offer.until < time.monotonic():
        raise WorldError("no_code_shown", "no device waits for a code of this phone")
    try:
        offer.linking, wrapped = answer(read_code(typed), offer.wrapped_ephemeral, hub.world.random_bytes)
    except BadCode as bad:
        raise WorldError("bad_code", str(bad)) from bad
    offer.link.write(code_pairing(offer.ref, wrapped, phone.party.identity_public, hub.new_id(), now_s()))


def _finish(hub: Hub, link: Link, request: Node) -> None:
    ref = request.child("link_code_pairing_ref").data
    offer = next((offer for offer in hub.codes.values() if offer.link is link and offer.ref == ref), None)
    if offer is None or offer.linking is None:
        raise Malformed("no code was typed for this client")
    identity = request.child("companion_identity_public").sized(32)
    bundle = request.child("link_code_pairing_wrapped_key_bundle").data
    del hub.codes[offer.phone.number]
    if link.registration is None or identity != link.registration.identity:
        raise Malformed("another identity than the registered one")
    try:
        secret = finish(offer.linking, offer.phone.party.identity, identity, bundle)
    except BadCode as bad:
        hub.journal.add("pairing_refused", offer.phone.number, code="bad-code")
        raise Malformed(str(bad)) from bad
    hub.call_later(0.0, lambda: _link(hub, offer, secret))


def _link(hub: Hub, offer: Offer, secret: bytes) -> None:
    if offer.link not in hub.links:
        return
    try:
        pairing.link_device(hub, offer.phone, offer.link, secret)
    except WorldError as refused:
        hub.journal.add("pairing_refused", offer.phone.number, code=refused.code)
        offer.link.end(STREAM_END_DELAY_S)
