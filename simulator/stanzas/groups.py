"""Group iqs (`w:g2`): list, info, creation and changes; whoever is in the group learns of each change.

Provenance: as the client asks and parses (docs/whatsapp.md §23). Error codes of single
refusals are assumed where `simulator.groups` says so.
"""

from collections.abc import Callable, Sequence

from simulator.groups import CHANGES, Group, Refused, group_node
from simulator.hub import Hub, now_s
from simulator.node import GROUP, LID, PN, Jid, Node, node
from simulator.notices import group_changed, group_created
from simulator.stanzas.answer import Call, Refusal
from simulator.world import Phone

GROUPS_JID = Jid("", GROUP)
DESCRIPTION_CHARACTERS_MAX = 2_048
_FLAGS = {
    "announcement": ("announcement", True),
    "not_announcement": ("announcement", False),
    "locked": ("locked", True),
    "unlocked": ("locked", False),
}


def get(call: Call) -> Sequence[Node]:
    """`<participating>` to the group server, `<query>` to a group: 403 for strangers, 404 for no group."""
    return _asked(lambda: _get(call))


def change(call: Call) -> Sequence[Node]:
    """Create, leave, rename, describe, members and flags; refusals as the group's rules say."""
    return _asked(lambda: _change(call))


def _asked(answer: Callable[[], Sequence[Node]]) -> Sequence[Node]:
    try:
        return answer()
    except Refused as refused:
        raise Refusal(refused.code, refused.text) from refused


def _get(call: Call) -> Sequence[Node]:
    hub, user, to = call.hub, call.phone.lid_user, call.iq.jid("to")
    if to == GROUPS_JID:
        call.iq.child("participating")
        return [node("groups", {}, [describe(hub, group) for group in hub.world.groups.of(user)])]
    call.iq.child("query")
    group = group_of(hub, to)
    group.admits(user)
    return [describe(hub, group)]


def _change(call: Call) -> Sequence[Node]:
    hub, phone, order, to = call.hub, call.phone, call.only, call.iq.jid("to")
    if to == GROUPS_JID:
        if order.tag == "create":
            members = [known(hub, child) for child in order.all("participant")]
            return [describe(hub, create(hub, phone, order.text_or("subject"), members))]
        if order.tag == "leave":
            group = group_of(hub, order.child("group").jid("id"))
            leave(hub, group, phone)
            return [node("leave", {}, [node("group", {"id": group.jid})])]
        raise Refused(400, "bad-request")
    group = group_of(hub, to)
    if order.tag in CHANGES:
        return [_change_members(hub, group, phone, order)]
    edited = _edit(group, phone, order)
    hub.world.groups_changed()
    tell(hub, group, phone, edited)
    return []


def create(hub: Hub, by: Phone, subject: str, members: list[Phone]) -> Group:
    """A person makes a group with others; all of them learn it. Raises Refused."""
    group_id = f"1203{int.from_bytes(hub.world.random_bytes(6)) % 10**14:014}"
    group = hub.world.groups.create(group_id, by.lid_user, subject, [m.lid_user for m in members], now_s())
    hub.world.groups_changed()
    hub.journal.add("group_created", by.number, group=str(group.jid))
    _push_all(hub, group, lambda id: group_created(group.jid, by.lid, by.pn, describe(hub, group), id, now_s()))
    return group


def leave(hub: Hub, group: Group, phone: Phone) -> None:
    """A person leaves; the others learn it. Raises Refused."""
    group.leave(phone.lid_user)
    _new_keys(hub, group)
    hub.world.groups_changed()
    tell(hub, group, phone, _members("remove", group, [phone]))


def describe(hub: Hub, group: Group) -> Node:
    """The group's `<group>`, with the members' numbers."""
    members = ((user, hub.world.find(Jid(user, LID))) for user in group.roles)
    return group_node(group, {user: phone.number for user, phone in members if phone is not None})


def tell(hub: Hub, group: Group, by: Phone, change: Node) -> None:
    """Tell all members' devices of a change."""
    hub.journal.add("group_changed", by.number, group=str(group.jid), change=change.tag)
    _push_all(hub, group, lambda id: group_changed(group.jid, by.lid, by.pn, change, id, now_s()))


def group_of(hub: Hub, jid: Jid) -> Group:
    """The group at an address. Raises Refused 404."""
    if jid.server != GROUP or not jid.user:
        raise Refused(404, "item-not-found")
    return hub.world.groups.get(jid.user)


def known(hub: Hub, participant: Node) -> Phone:
    """Whom a `<participant>` names. Raises Refused 404, Malformed."""
    jid = participant.jid("jid")
    phone = hub.world.find(jid)
    if phone is None or jid.server not in (PN, LID):
        raise Refused(404, "item-not-found")
    return phone


def _push_all(hub: Hub, group: Group, stanza: Callable[[str], Node]) -> None:
    for user in group.roles:
        phone = hub.world.find(Jid(user, LID))
        for companion in list(phone.companions.values()) if phone else []:
            assert phone is not None
            hub.push(phone, companion, stanza(hub.new_id()))


def _new_keys(hub: Hub, group: Group) -> None:
    """Somebody left: the remaining phones write under keys that the leaver does not have."""
    for user in group.roles:
        phone = hub.world.find(Jid(user, LID))
        if phone is not None:
            phone.party.rotate_sender_key(str(group.jid))


def _members(action: str, group: Group, phones: list[Phone]) -> Node:
    version = {"v_id": str(group.changes), "prev_v_id": str(group.changes - 1)}
    return node(action, version, [node("participant", {"jid": p.lid, "phone_number": p.pn}) for p in phones])


def _change_members(hub: Hub, group: Group, by: Phone, order: Node) -> Node:
    results, changed, before = [], [], dict(group.roles)
    for participant in order.all("participant"):
        phone = known(hub, participant)
        code = group.change(by.lid_user, order.tag, phone.lid_user)
        attrs = {"jid": phone.lid, "phone_number": phone.pn, "error": None if code == 200 else code}
        results.append(node("participant", attrs))
        if code == 200:
            changed.append(phone)
    if changed:
        if order.tag == "remove":
            _new_keys(hub, group)
        hub.world.groups_changed()
        change = _members(order.tag, group, changed)
        tell(hub, group, by, change)
        for phone in changed:
            # Whoever was removed is no member any more, and learns that this once.
            if phone.lid_user in before and phone.lid_user not in group.roles:
                for companion in phone.companions.values():
                    notice = group_changed(group.jid, by.lid, by.pn, change, hub.new_id(), now_s())
                    hub.push(phone, companion, notice)
    return node(order.tag, {}, results)


def _edit(group: Group, by: Phone, order: Node) -> Node:
    """Change the group itself; the child of the notification."""
    user = by.lid_user
    if order.tag == "subject":
        group.rename(user, order.data.decode(errors="replace"), now_s())
        attrs = {"subject": group.subject, "s_t": group.subject_s, "s_o": by.lid, "s_o_pn": by.pn}
        return node("subject", attrs)
    if order.tag == "description":
        body = order.find("body")
        text = body.data.decode(errors="replace") if body else ""
        if len(text) > DESCRIPTION_CHARACTERS_MAX:
            raise Refused(406, "not-acceptable")
        group.describe(user, text, now_s())
        child = node("body", {}, text.encode()) if text else node("delete")
        return node("description", {"id": order.text_or("id") or f"{now_s():X}"}, [child])
    if order.tag in _FLAGS:
        flag, value = _FLAGS[order.tag]
        group.may_edit(user)
        if group.roles[user] == "member":
            raise Refused(401, "not-authorized")
        setattr(group, flag, value)
        group.changes += 1
        return node(order.tag, {"v_id": str(group.changes)})
    if order.tag in ("ephemeral", "not_ephemeral"):
        group.may_edit(user)
        group.ephemeral_s = order.count("expiration") if order.tag == "ephemeral" else 0
        return node(order.tag, {"expiration": group.ephemeral_s or None})
    raise Refused(400, "bad-request")
