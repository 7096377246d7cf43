"""Small answers around an account: privacy, blocklist, pictures, media hosts, properties, unlinking.

Source: docs/whatsapp.md §18; contents of ``abt``, ``privacy`` and ``blocklist`` are assumed.
"""

import base64
import hashlib
from collections.abc import Sequence

from simulator import pairing
from simulator.media_store import picture_path, profile_picture
from simulator.node import Malformed, Node, node
from simulator.stanzas.answer import NOT_FOUND, Call, Refusal
from simulator.stanzas.usync import picture_id

PRIVACY = ("readreceipts", "groupadd", "last", "status", "profile", "online", "calladd")
MEDIA_TTL_S = 300
AUTH_TTL_S = 21_600


def nothing(call: Call) -> Sequence[Node]:
    """An empty result."""
    del call
    return []


def privacy(call: Call) -> Sequence[Node]:
    """All is open to all."""
    del call
    return [node("privacy", {}, [node("category", {"name": name, "value": "all"}) for name in PRIVACY])]


def blocklist(call: Call) -> Sequence[Node]:
    """Nobody is blocked."""
    del call
    return [node("list", {"dhash": "sim"})]


def properties(call: Call) -> Sequence[Node]:
    """No experiment is on."""
    del call
    return [node("props", {"protocol": 1, "refresh": 86_400, "hash": "sim"})]


def media(call: Call) -> Sequence[Node]:
    """The media host: behind the tunnel the service's name, else the listener's own address (docs/whatsapp.md §14)."""
    attrs = {"auth": "sim", "ttl": MEDIA_TTL_S, "auth_ttl": AUTH_TTL_S, "max_buckets": 12, "id": 1}
    return [node("media_conn", attrs, [node("host", {"hostname": call.link.media_host, "type": "primary"})])]


def picture(call: Call) -> Sequence[Node]:
    """A profile picture's address: 404 where there is none, 401 where it is hidden (docs/whatsapp.md §18)."""
    wanted = call.iq.child("picture")
    jid = call.iq.jid_or_none("target") or wanted.jid_or_none("jid") or call.iq.jid("to")
    phone = call.hub.world.find(jid)
    if phone is None or not phone.picture:
        raise Refusal(*NOT_FOUND)
    if phone.picture == "hidden" and phone is not call.phone:
        raise Refusal(401, "not-authorized")
    kind = wanted.text_or("type", "image")
    if wanted.text_or("id") == picture_id(phone):
        return []
    path = picture_path(phone.lid_user, kind)
    digest = base64.b64encode(hashlib.sha256(profile_picture(phone.lid_user, kind)).digest()).decode()
    url = f"https://{call.link.media_host}{path}"
    attrs = {"id": picture_id(phone), "url": url, "direct_path": path, "type": kind, "hash": digest}
    return [node("picture", attrs)]


def remove_device(call: Call) -> Sequence[Node]:
    """A device unlinks itself (or, as the service allows, another of the same account)."""
    jid = call.iq.child("remove-companion-device").jid("jid")
    if call.hub.world.find(jid) is not call.phone or not jid.device:
        raise Malformed("only a device of the own account can be removed")
    link, phone, device = call.link, call.phone, jid.device
    if device == call.companion.device:
        pairing.remove_companion(call.hub, phone, device)
        call.hub.call_later(0.0, lambda: call.hub.end_stream(link, pairing.REMOVED))
    else:
        pairing.unlink(call.hub, phone, device)
    return []
