"""usync: who has WhatsApp, with which devices, hidden number, picture, about (docs/whatsapp.md §18)."""

import hashlib
from collections.abc import Sequence

from simulator.adv import key_index_list
from simulator.hub import now_s
from simulator.node import LID, PN, Jid, Malformed, Node, node
from simulator.stanzas.answer import Call
from simulator.world import Phone

COPIED = ("sid", "mode", "context", "index", "last")


def picture_id(phone: Phone) -> str:
    """The number of a phone's picture: changes with the person's name, for want of a real picture."""
    return str(int.from_bytes(hashlib.sha256(phone.name.encode()).digest()[:4]))


def _details(phone: Phone, wanted: Sequence[Node]) -> list[Node]:
    details = []
    for query in wanted:
        if query.tag == "contact":
            details.append(node("contact", {"type": "in"}))
        elif query.tag == "lid":
            details.append(node("lid", {"val": phone.lid}))
        elif query.tag == "status":
            details.append(node("status", {}, phone.about.encode()))
        elif query.tag == "picture" and phone.picture == "shown":
            details.append(node("picture", {"id": picture_id(phone)}))
        elif query.tag == "devices":
            devices = [node("device", {"id": 0})]
            devices += [node("device", {"id": n, "key-index": n}) for n in phone.companions]
            listed = [node("device-list", {}, devices)]
            if phone.companions:
                signed = key_index_list(phone.party.identity.private, phone.companions, now_s())
                listed.append(node("key-index-list", {"ts": now_s()}, signed))
            details.append(node("devices", {}, listed))
    return details


def _by_number(call: Call, contact: Node, wanted: Sequence[Node]) -> Node:
    """A number as typed: the answer names the hidden number only where the query says so (docs/whatsapp.md §18)."""
    text = contact.data.decode(errors="replace")
    digits = "".join(letter for letter in text.split("@")[0] if letter.isdigit())
    pn = Jid(digits, PN)
    phone = call.hub.world.find(pn)
    query = next((query for query in wanted if query.tag == "contact"), None)
    if phone is None:
        return node("user", {"pn_jid": pn}, [node("contact", {"type": "out"}, contact.data)])
    by_lid = query is not None and query.text_or("addressing_mode") == LID
    details = [child for child in _details(phone, wanted) if child.tag != "contact"]
    attrs = {"jid": phone.lid if by_lid else phone.pn, "pn_jid": phone.pn}
    return node("user", attrs, [node("contact", {"type": "in"}, contact.data), *details])


def _user(call: Call, user: Node, wanted: Sequence[Node]) -> Node | None:
    contact = user.find("contact")
    if contact is not None and contact.content is not None:
        return _by_number(call, contact, wanted)
    jid = user.jid("jid").bare()
    phone = call.hub.world.find(jid)
    return None if phone is None else node("user", {"jid": jid}, _details(phone, wanted))


def answer(call: Call) -> Sequence[Node]:
    """Details of each user that exists; strangers asked for by address are left out."""
    request = call.iq.child("usync")
    wanted = request.child("query").children
    if not wanted:
        raise Malformed("nothing is asked for")
    users = [_user(call, user, wanted) for user in request.child("list").all("user")]
    copied = {name: request.attrs[name] for name in COPIED if name in request.attrs}
    found = node("list", {}, [user for user in users if user is not None])
    return [node("usync", copied, [node("result"), found])]
