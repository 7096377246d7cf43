"""What a person does with a phone beyond writing: reads, sends a picture, shows or hides the own one.

Read receipts leave a phone only by such an act (docs/whatsapp.md §21).
"""

from collections.abc import Sequence

from simulator import group_delivery, pairing, people, presence
from simulator.attachments import image_message, open_image
from simulator.hub import Hub, now_s
from simulator.node import GROUP, Jid, node
from simulator.notices import identity_changed, picture_changed
from simulator.signal.party import Party
from simulator.stanzas.usync import picture_id
from simulator.world import Phone

CHAT_STATES = ("composing", "paused")


def read(hub: Hub, phone: Phone, chat: str, ids: Sequence[str] | None = None) -> list[str]:
    """Read what others wrote in a chat (a number or a group's address; all, or some ids): gives the unread ids."""
    unread = [
        entry
        for entry in phone.entries
        if not entry.own and entry.chat == chat and not entry.error and entry.status != "read"
        if ids is None or entry.id in ids
    ]
    by_device: dict[tuple[str, int, str], list[str]] = {}
    for entry in unread:
        entry.status = "read"
        by_device.setdefault((entry.sender, entry.device, entry.server), []).append(entry.id)
    for (sender, device, server), found in by_device.items():
        to = hub.world.phone(sender)
        if server == GROUP:
            group = Jid(chat.partition("@")[0], GROUP)
            group_delivery.send_receipt(hub, phone, group, to, device, found, "read")
        else:
            people.send_receipt(hub, phone, to, device, found, "read", server)
    hub.world.changed(phone)
    return [entry.id for entry in unread]


def say_image(hub: Hub, phone: Phone, to: str, data: bytes, caption: str = "") -> str:
    """The person sends a picture to a number or a group's address; gives the message id.

    WorldError for a bad image or an unknown number, Refused for an unknown group."""
    message = image_message(hub, data, caption)
    file = open_image(hub, message.imageMessage)
    if to.endswith(f"@{GROUP}"):
        group = hub.world.groups.get(to.partition("@")[0])
        return group_delivery.send(hub, phone, group, message, caption or None, "imageMessage", file)
    other, message_id = hub.world.phone(to), hub.new_id()
    people.send(hub, phone, other, message_id, message, "media")
    people.note_said(hub, phone, other, message_id, caption or None, "imageMessage", file)
    return message_id


def set_picture(hub: Hub, phone: Phone, state: str) -> None:
    """Show ("shown"), hide ("hidden") or remove ("") the profile picture; who knows the phone is told."""
    if phone.picture == state:
        return
    phone.picture = state
    hub.world.changed(phone)
    for other in hub.world:
        if phone.number in other.contacts or phone.number in other.peers:
            for companion in other.companions.values():
                shown = picture_id(phone) if state == "shown" else ""
                hub.push(other, companion, picture_changed(phone.pn, shown, hub.new_id(), now_s()))


def set_available(hub: Hub, phone: Phone, available: bool) -> None:
    """Open or close the app: subscribers are told, nobody else."""
    phone.available = available
    presence.tell_subscribers(hub, phone)


def type_to(hub: Hub, phone: Phone, number: str, state: str) -> None:
    """Begin or pause typing: the other's devices that are online see it. WorldError for an unknown number."""
    for link in hub.online_links(hub.world.phone(number)):
        link.write(node("chatstate", {"from": phone.lid}, [node(state)]))


def reinstall(hub: Hub, phone: Phone) -> None:
    """The person installs the app anew: another identity, no sessions, no devices; who knows the phone is told."""
    for device in list(phone.companions):
        pairing.unlink(hub, phone, device)
    phone.party = Party.new(hub.world.random_bytes)
    phone.app_state, phone.trusts, phone.sent = {}, {}, {}
    hub.world.changed(phone)
    hub.journal.add("reinstalled", phone.number)
    for other in hub.world:
        if other is not phone and (phone.number in other.contacts or phone.number in other.peers):
            for companion in other.companions.values():
                hub.push(other, companion, identity_changed(phone.lid, hub.new_id(), now_s()))
