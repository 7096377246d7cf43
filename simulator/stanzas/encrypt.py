"""Prekeys: count, upload, hand out, digest (docs/whatsapp.md §17, §18)."""

import hashlib
from collections.abc import Sequence

from simulator import xeddsa
from simulator.hub import Hub, now_s
from simulator.node import Jid, Malformed, Node, node
from simulator.notices import prekeys_low
from simulator.signal.keys import Bundle
from simulator.stanzas.answer import NOT_FOUND, Call, Refusal
from simulator.world import Companion, Phone

CURVE = b"\x05"
LOW_PREKEYS = 10
"""Assumed: the service's threshold is not known."""
PREKEYS_MAX = 5_000


def count(call: Call) -> Sequence[Node]:
    """How many one-time prekeys are left."""
    return [node("count", {"value": len(call.companion.prekeys)})]


def upload(call: Call) -> Sequence[Node]:
    """Take one-time prekeys and the signed one. Refused (406) where the signature does not verify."""
    iq, companion = call.iq, call.companion
    if iq.child("identity").sized(32) != companion.identity or iq.child("type").data != CURVE:
        raise Refusal(406, "not-acceptable")
    skey = iq.child("skey")
    key, signature = skey.child("value").sized(32), skey.child("signature").sized(64)
    if (key, signature) != (companion.signed_key, companion.signature) and not xeddsa.verify(
        companion.identity, CURVE + key, signature
    ):
        raise Refusal(406, "not-acceptable")
    fresh = {entry.child("id").sized(3): entry.child("value").sized(32) for entry in iq.child("list").all("key")}
    if len(fresh) + len(companion.prekeys) > PREKEYS_MAX:
        raise Refusal(406, "not-acceptable")
    companion.registration = iq.child("registration").sized(4)
    companion.signed_id, companion.signed_key, companion.signature = skey.child("id").sized(3), key, signature
    companion.prekeys |= fresh
    call.hub.world.changed(call.phone)
    call.hub.journal.add("prekeys", call.phone.number, device=companion.device, left=len(companion.prekeys))
    return []


def take_prekey(hub: Hub, phone: Phone, companion: Companion) -> tuple[bytes, bytes] | None:
    """Hand out a one-time prekey, each once; the device is told when few are left."""
    if not companion.prekeys:
        return None
    key_id = next(iter(companion.prekeys))
    value = companion.prekeys.pop(key_id)
    hub.world.changed(phone)
    if len(companion.prekeys) < LOW_PREKEYS:
        tell_low(hub, phone, companion)
    return key_id, value


def tell_low(hub: Hub, phone: Phone, companion: Companion) -> None:
    """``<notification type=encrypt>`` with the count."""
    hub.push(phone, companion, prekeys_low(len(companion.prekeys), hub.new_id(), now_s()))


def bundle_of(hub: Hub, phone: Phone, device: int) -> Bundle | None:
    """Keys to start a session with a device (0 = the phone); None where there is no such device."""
    if device == 0:
        bundle = phone.party.bundle()
        hub.world.changed(phone)
        return bundle
    companion = phone.companions.get(device)
    if companion is None:
        return None
    prekey = take_prekey(hub, phone, companion)
    return Bundle(
        registration_id=int.from_bytes(companion.registration),
        identity=companion.identity,
        signed_prekey_id=int.from_bytes(companion.signed_id),
        signed_prekey=companion.signed_key,
        signature=companion.signature,
        prekey_id=int.from_bytes(prekey[0]) if prekey else None,
        prekey=prekey[1] if prekey else None,
    )


def bundle_nodes(bundle: Bundle) -> list[Node]:
    """A bundle as stanza children."""
    nodes = [
        node("registration", {}, bundle.registration_id.to_bytes(4)),
        node("type", {}, CURVE),
        node("identity", {}, bundle.identity),
        node(
            "skey",
            {},
            [
                node("id", {}, bundle.signed_prekey_id.to_bytes(3)),
                node("value", {}, bundle.signed_prekey),
                node("signature", {}, bundle.signature),
            ],
        ),
    ]
    if bundle.prekey_id is not None and bundle.prekey is not None:
        id_, value = node("id", {}, bundle.prekey_id.to_bytes(3)), node("value", {}, bundle.prekey)
        nodes.append(node("key", {}, [id_, value]))
    return nodes


def key_nodes(bundle: Bundle) -> list[Node]:
    """A bundle as the ``<keys>`` of a retry receipt."""
    return [child for child in bundle_nodes(bundle) if child.tag != "registration"]


def _user(hub: Hub, jid: Jid) -> Node:
    phone = hub.world.find(jid)
    bundle = bundle_of(hub, phone, jid.device) if phone else None
    if bundle is None:
        code, text = NOT_FOUND
        return node("user", {"jid": jid}, [node("error", {"code": code, "text": text})])
    return node("user", {"jid": jid}, bundle_nodes(bundle))


def fetch(call: Call) -> Sequence[Node]:
    """Bundles for the devices asked for, an error in the place of those that do not exist."""
    users = call.iq.child("key").all("user")
    if not users:
        raise Malformed("no user is asked for")
    return [node("list", {}, [_user(call.hub, user.jid("jid")) for user in users])]


def digest(call: Call) -> Sequence[Node]:
    """What the server holds for the device itself; 404 without prekeys (assumed: the order under the hash)."""
    companion = call.companion
    if not companion.prekeys:
        raise Refusal(*NOT_FOUND)
    parts = [companion.identity, companion.signed_key, companion.signature, *companion.prekeys.values()]
    skey = [
        node("id", {}, companion.signed_id),
        node("value", {}, companion.signed_key),
        node("signature", {}, companion.signature),
    ]
    children = [
        node("registration", {}, companion.registration),
        node("type", {}, CURVE),
        node("identity", {}, companion.identity),
        node("skey", {}, skey),
        node("list", {}, [node("id", {}, key_id) for key_id in companion.prekeys]),
        node("hash", {}, hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()),
    ]
    return [node("digest", {}, children)]
