"""Notifications that the service sends of its own accord, as stanzas. Pure; `id` and `now_s` (Unix seconds) are given.

Provenance: each function names where its shape comes from; "client" is the parser of the client under test.
"""

from collections.abc import Iterable

from simulator.groups import participants_hash
from simulator.node import SERVER, Jid, Node, node


def _notice(kind: str, sender: Jid, id: str, now_s: int, content: Iterable[Node], **more: Jid | str | None) -> Node:
    return node("notification", {"from": sender, "type": kind, "id": id, "t": now_s, **more}, content)


def prekeys_low(count: int, id: str, now_s: int) -> Node:
    """The server holds only `count` one-time prekeys: the client uploads more. Source: client; threshold unknown."""
    return _notice("encrypt", SERVER, id, now_s, [node("count", {"value": count})])


def identity_changed(who: Jid, id: str, now_s: int) -> Node:
    """A peer registered anew; sessions with it are void. Source: client."""
    return _notice("encrypt", who, id, now_s, [node("identity")])


def collection_changed(name: str, version: int, id: str, now_s: int) -> Node:
    """An app-state collection moved on. Source: both client libraries; sender assumed."""
    return _notice("server_sync", SERVER, id, now_s, [node("collection", {"name": name, "version": version})])


def device_changed(pn: Jid, lid: Jid, action: str, device: int, devices: Iterable[int], id: str, now_s: int) -> Node:
    """A peer linked (`add`) or unlinked (`remove`) a device; `devices` is its list afterwards.

    Source: client, which checks the hashes against the list that it has."""
    numbers = list(devices)
    attrs = {
        "device_hash": participants_hash(pn.at(number) for number in numbers),
        "device_lid_hash": participants_hash(lid.at(number) for number in numbers),
    }
    changed = node("device", {"jid": pn.at(device), "lid": lid.at(device), "key-index": device})
    return _notice("devices", pn, id, now_s, [node(action, attrs, [changed])], lid=lid)


def own_devices(account: Jid, devices: Iterable[int], id: str, now_s: int) -> Node:
    """The account's own device list changed. Source: client."""
    jids = [account.at(number) for number in devices]
    content = [node("device", {"jid": jid, "key-index": jid.device or None}) for jid in jids]
    return _notice("account_sync", account, id, now_s, [node("devices", {"dhash": participants_hash(jids)}, content)])


def privacy_token(pn: Jid, lid: Jid, token: bytes, issued_s: int, id: str, now_s: int) -> Node:
    """A peer trusts this account: later messages to it carry the token. Source: client."""
    content = node("token", {"type": "trusted_contact", "t": issued_s}, token)
    return _notice("privacy_token", pn, id, now_s, [node("tokens", {}, [content])], sender_lid=lid)


def picture_changed(who: Jid, picture_id: str, id: str, now_s: int) -> Node:
    """A profile picture was set, or (empty id) deleted. Source: client."""
    content = node("set" if picture_id else "delete", {"jid": who, "id": picture_id, "author": who})
    return _notice("picture", who, id, now_s, [content])


def code_pairing(ref: bytes, wrapped_ephemeral: bytes, phone_identity: bytes, id: str, now_s: int) -> Node:
    """The phone typed the code. Source: client."""
    content = node(
        "link_code_companion_reg",
        {"stage": "primary_hello"},
        [
            node("link_code_pairing_ref", {}, ref),
            node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, wrapped_ephemeral),
            node("primary_identity_pub", {}, phone_identity),
        ],
    )
    return _notice("link_code_companion_reg", SERVER, id, now_s, [content])


def group_created(group: Jid, by: Jid, by_pn: Jid, described: Node, id: str, now_s: int) -> Node:
    """A group that the account is in was made; `described` is its `<group>`. Source: client; attributes assumed."""
    content = node("create", {"type": "new", "key": id}, [described])
    return _notice("w:gp2", group, id, now_s, [content], participant=by, participant_pn=by_pn, addressing_mode="lid")


def group_changed(group: Jid, by: Jid, by_pn: Jid, change: Node, id: str, now_s: int) -> Node:
    """A group's subject, description or members changed. Source: client; attributes assumed."""
    return _notice("w:gp2", group, id, now_s, [change], participant=by, participant_pn=by_pn, addressing_mode="lid")
