"""Linking a device: codes to scan, the phone's signature, the new companion (docs/whatsapp.md §4).

Provenance: stanzas as the client's parser reads them. Assumed: business name and platform, and that all six codes of
one connection stay valid for the 160 s in which the client shows them.
"""

import base64
import time
from urllib.parse import urlsplit

from simulator import xeddsa
from simulator.adv import BadIdentity, sign_device, verify_client_identity
from simulator.hub import REMOVED, STREAM_END_DELAY_S, Hub, Link, Registration, now_s
from simulator.node import Jid, Malformed, Node, node
from simulator.notices import device_changed, own_devices
from simulator.protobufs import wa6
from simulator.world import Companion, Phone, WorldError

REFS = 6
REF_BYTES = 90
REFS_VALID_S = 160.0
QR_PARTS_MIN = 4
KEY_BYTES, SIGNATURE_BYTES, REGISTRATION_BYTES, KEY_ID_BYTES = 32, 64, 4, 3
RESTART = node("stream:error", {"code": 515})


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Malformed("a registration key has the wrong size")
    return data


def offer(hub: Hub, link: Link, payload: wa6.ClientPayload, noise: bytes) -> None:
    """Send six codes to an unpaired client. Malformed where its keys have wrong sizes or its prekey is not signed."""
    data = payload.devicePairingData
    link.registration = Registration(
        registration=_sized(data.eRegid, REGISTRATION_BYTES),
        identity=_sized(data.eIdent, KEY_BYTES),
        signed_id=_sized(data.eSkeyID, KEY_ID_BYTES),
        signed_key=_sized(data.eSkeyVal, KEY_BYTES),
        signature=_sized(data.eSkeySig, SIGNATURE_BYTES),
        noise=noise,
        platform=payload.userAgent.osVersion,
    )
    if not xeddsa.verify(data.eIdent, b"\x05" + data.eSkeyVal, data.eSkeySig):
        raise Malformed("the signed prekey's signature does not verify")
    refs = tuple("2@" + base64.b64encode(hub.world.random_bytes(REF_BYTES)).decode() for _ in range(REFS))
    link.refs, link.refs_until = refs, time.monotonic() + REFS_VALID_S
    children = [node("ref", {}, ref.encode()) for ref in refs]
    link.ask({"type": "set", "xmlns": "md"}, [node("pair-device", {}, children)], lambda answer: None)
    hub.journal.add("codes_offered")


def scan(hub: Hub, phone: Phone, qr_text: str) -> int:
    """The phone's camera sees a code: link that client; gives the new device's number.

    WorldError: ``bad_code`` (no such text), ``code_expired`` (nobody shows it any more), ``too_many_devices``.
    """
    parts = (urlsplit(qr_text).fragment or qr_text).strip().split(",")
    if len(parts) < QR_PARTS_MIN:
        raise WorldError("bad_code", "this is no code of a device that wants to be linked")
    link = next((link for link in hub.links if parts[0] in link.refs and link.refs_until > time.monotonic()), None)
    if link is None or link.registration is None:
        raise WorldError("code_expired", "the code is not valid any more; show a new one")
    try:
        identity, secret = base64.b64decode(parts[2], validate=True), base64.b64decode(parts[3], validate=True)
    except ValueError:
        raise WorldError("bad_code", "a part of the code is not base64") from None
    if identity != link.registration.identity or len(secret) != KEY_BYTES:
        raise WorldError("bad_code", "the code does not belong to the client that shows it")
    return link_device(hub, phone, link, secret)


def link_device(hub: Hub, phone: Phone, link: Link, adv_secret: bytes) -> int:
    """Sign the client's identity under the secret it shared, and send it; gives the new device's number."""
    registration = link.registration
    assert registration is not None
    device = phone.new_device_number()
    link.refs = ()
    box = sign_device(phone.party.identity.private, adv_secret, registration.identity, device, now_s())
    children = [
        node("device-identity", {}, box),
        node("biz", {"name": ""}),
        node("device", {"jid": phone.pn.at(device), "lid": phone.lid.at(device)}),
        node("platform", {"name": "android"}),
    ]
    attrs: dict[str, str | Jid] = {"type": "set", "xmlns": "md", "t": str(now_s())}
    link.ask(attrs, [node("pair-success", {}, children)], lambda answer: _signed(hub, phone, link, device, answer))
    hub.journal.add("scanned", phone.number, device=device)
    return device


def _signed(hub: Hub, phone: Phone, link: Link, device: int, answer: Node) -> None:
    """The client's answer: its own signature makes the device real; then it must come back as a login."""
    if answer.text("type") != "result":
        error = answer.find("error")
        hub.journal.add("pairing_refused", phone.number, code=error.text_or("code") if error else "")
        link.end(STREAM_END_DELAY_S)
        return
    registration = link.registration
    assert registration is not None
    signed = answer.child("pair-device-sign").child("device-identity")
    try:
        verify_client_identity(signed.data, phone.party.identity_public, registration.identity, device)
    except BadIdentity as error:
        hub.journal.add("pairing_refused", phone.number, code="bad-identity")
        link.end(STREAM_END_DELAY_S)
        raise Malformed(str(error)) from error
    phone.companions[device] = Companion(
        device=device,
        registration=registration.registration,
        identity=registration.identity,
        signed_id=registration.signed_id,
        signed_key=registration.signed_key,
        signature=registration.signature,
        noise=registration.noise,
        device_identity=signed.data,
        platform=registration.platform,
    )
    hub.world.changed(phone)
    hub.journal.add("paired", phone.number, device=device)
    tell_devices_changed(hub, phone, device, "add")
    if hub.faults.take(phone.number, "paired") is not None:
        link.abort()
        return
    link.write(RESTART)
    link.end(STREAM_END_DELAY_S)


def remove_companion(hub: Hub, phone: Phone, device: int) -> None:
    """Unlink a device in the world; the others and those who know the phone learn it."""
    if phone.companions.pop(device, None) is None:
        return
    hub.world.changed(phone)
    hub.journal.add("unlinked", phone.number, device=device)
    tell_devices_changed(hub, phone, device, "remove")


def unlink(hub: Hub, phone: Phone, device: int) -> None:
    """The person unlinks a device on the phone: it is told so and cut off."""
    link = hub.online(phone, device)
    remove_companion(hub, phone, device)
    if link is not None:
        hub.end_stream(link, REMOVED)


def tell_devices_changed(hub: Hub, phone: Phone, device: int, change: str) -> None:
    """Tell whoever knows the phone of its new device list, and the own devices of theirs."""
    devices = phone.devices()
    for other in hub.world:
        if other is not phone and phone.number not in other.contacts and phone.number not in other.peers:
            continue
        for companion in other.companions.values():
            if other is phone and companion.device == device:
                continue
            notice = device_changed(phone.pn, phone.lid, change, device, devices, hub.new_id(), now_s())
            if other is phone:
                notice = own_devices(phone.pn, devices, hub.new_id(), now_s())
            hub.push(other, companion, notice)
