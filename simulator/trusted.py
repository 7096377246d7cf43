"""Who trusts whom: tokens reach the devices of whoever was written to, and a locked account needs one to write.

Provenance: docs/whatsapp.md §11; stanzas as the client sends and parses them. Assumed: that a phone trusts
whom it writes to, once a week, and that the lock asks for a token in every message to another person.
"""

from collections.abc import Sequence

from simulator import tokens
from simulator.hub import Hub, now_s
from simulator.node import Malformed, Node
from simulator.notices import privacy_token
from simulator.stanzas.answer import Call
from simulator.world import Phone

LOCKED = 463
ONCE_AT_MOST = 64


def issued(call: Call) -> Sequence[Node]:
    """A client trusts people: their devices get the tokens. The answer is empty."""
    entries = call.iq.child("tokens").all("token")
    if not entries or len(entries) > ONCE_AT_MOST:
        raise Malformed("tokens for nobody, or for too many")
    for entry in entries:
        peer, at_s = call.hub.world.find(entry.jid("jid")), entry.count("t")
        if entry.text("type") != "trusted_contact":
            raise Malformed("an unknown kind of token")
        if peer is not None and peer is not call.phone:
            trust(call.hub, call.phone, peer, min(at_s, now_s()))
    return []


def trust(hub: Hub, phone: Phone, peer: Phone, at_s: int) -> None:
    """From now on `peer` may write to `phone` as no stranger; its devices are told, once a bucket."""
    if phone.trusts.get(peer.number, 0) // tokens.BUCKET_S == at_s // tokens.BUCKET_S:
        return
    phone.trusts[peer.number] = at_s
    hub.world.changed(phone)
    token = tokens.issue(phone.party.identity.private, peer.lid_user, at_s)
    for companion in peer.companions.values():
        hub.push(peer, companion, privacy_token(phone.pn, phone.lid, token, at_s, hub.new_id(), now_s()))


def refusal(phone: Phone, peer: Phone, stanza: Node) -> int:
    """463 where a locked account writes to somebody whose valid token it does not show; else 0."""
    if not phone.reachout_locked or peer is phone:
        return 0
    shown = stanza.find("tctoken")
    if shown is not None and tokens.valid(shown.data, peer.party.identity.private, phone.lid_user, now_s()):
        return 0
    return LOCKED
