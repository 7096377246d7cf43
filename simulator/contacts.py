"""The address book on its way to linked devices: history, app-state key, patches (docs/whatsapp.md §19)."""

import time
import zlib

from simulator import tokens
from simulator.appstate import AppStateKey, Collection
from simulator.hub import Hub, now_s
from simulator.node import PN, Jid
from simulator.notices import collection_changed
from simulator.protobufs import action, e2e, history
from simulator.world import Companion, Phone, WorldError

COLLECTIONS = ("critical_block", "critical_unblock_low", "regular_low", "regular", "regular_high")
NAME_ACTION_VERSION = 1
CONTACT_ACTION_VERSION = 2
NAME_CHARS_MAX = 100
KEY_ID_BYTES, KEY_DATA_BYTES = 6, 32

_Protocol = e2e.ProtocolMessage


def collections(hub: Hub, phone: Phone) -> dict[str, Collection]:
    """The phone's synced collections; made with its name and contacts at the first call."""
    if phone.app_state:
        return phone.app_state
    random = hub.world.random_bytes
    key = AppStateKey(random(KEY_ID_BYTES), random(KEY_DATA_BYTES))
    phone.app_state = {name: Collection(name, key, random) for name in COLLECTIONS}
    name = action.SyncActionValue(pushNameSetting=action.PushNameSetting(name=phone.name))
    now_ms = int(time.time() * 1000)
    phone.app_state["critical_block"].set(["setting_pushName"], name, NAME_ACTION_VERSION, now_ms)
    values = [contact_value(hub, number, full_name) for number, full_name in phone.contacts.items()]
    if values:
        phone.app_state["critical_unblock_low"].set_many(values, now_ms)
    hub.world.changed(phone)
    return phone.app_state


def contact_value(hub: Hub, number: str, full_name: str) -> tuple[list[str], action.SyncActionValue, int]:
    """Index, value and version of one contact's mutation."""
    known = hub.world.find(Jid(number, PN))
    contact = action.ContactAction(fullName=full_name, firstName=full_name.split(" ")[0])
    if known is not None:
        contact.lidJID = str(known.lid)
    value = action.SyncActionValue(contactAction=contact)
    return ["contact", f"{number}@s.whatsapp.net"], value, CONTACT_ACTION_VERSION


def set_contact(hub: Hub, phone: Phone, number: str, full_name: str) -> None:
    """Write a contact into the address book ("" removes it); linked devices are told. WorldError for a bad name."""
    if len(full_name) > NAME_CHARS_MAX:
        raise WorldError("bad_name", f"a name has at most {NAME_CHARS_MAX} characters")
    if phone.contacts.get(number, "") == full_name:
        return
    if full_name:
        phone.contacts[number] = full_name
    else:
        del phone.contacts[number]
    hub.world.changed(phone)
    if not phone.app_state:
        return
    collection = phone.app_state["critical_unblock_low"]
    index, value, version = contact_value(hub, number, full_name)
    if full_name:
        collection.set(index, value, version, int(time.time() * 1000))
    else:
        collection.remove(index)
    tell_synced(hub, phone, collection)


def tell_synced(hub: Hub, phone: Phone, collection: Collection) -> None:
    """``<notification type=server_sync>``: the devices fetch what is new."""
    for companion in phone.companions.values():
        hub.push(phone, companion, collection_changed(collection.name, collection.version, hub.new_id(), now_s()))


def key_share(hub: Hub, phone: Phone, companion: Companion) -> e2e.Message:
    """The phone's app-state key for a device."""
    key = collections(hub, phone)["critical_block"].key
    fingerprint = e2e.AppStateSyncKeyFingerprint(rawID=1, currentIndex=1, deviceIndexes=[0, companion.device])
    data = e2e.AppStateSyncKeyData(keyData=key.data, timestamp=int(time.time() * 1000), fingerprint=fingerprint)
    shared = e2e.AppStateSyncKey(keyID=e2e.AppStateSyncKeyId(keyID=key.id), keyData=data)
    share = e2e.AppStateSyncKeyShare(keys=[shared])
    message = _Protocol(type=_Protocol.APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare=share)
    return e2e.Message(protocolMessage=message)


def _notification(synced: history.HistorySync, kind: "e2e.HistorySyncType.ValueType") -> e2e.Message:
    inline = zlib.compress(synced.SerializeToString())
    notice = e2e.HistorySyncNotification(syncType=kind, initialHistBootstrapInlinePayload=inline, progress=100)
    message = _Protocol(type=_Protocol.HISTORY_SYNC_NOTIFICATION, historySyncNotification=notice)
    return e2e.Message(protocolMessage=message)


def _conversation(phone: Phone, other: Phone) -> history.Conversation:
    """One chat; with the other's trusted-contact token if the phone has one."""
    chat = history.Conversation(ID=str(other.pn), name=phone.contacts.get(other.number, ""))
    if (at_s := other.trusts.get(phone.number)) is not None:
        chat.tcToken = tokens.issue(other.party.identity.private, phone.lid_user, at_s)
        chat.tcTokenTimestamp = at_s
    return chat


def history_messages(hub: Hub, phone: Phone) -> list[e2e.Message]:
    """Bootstrap (hidden numbers and chats) and push names of everybody whom the phone knows and who exists."""
    known = [other for other in hub.world if other.number in phone.contacts or other.number in phone.peers]
    mappings = [history.PhoneNumberToLIDMapping(pnJID=str(other.pn), lidJID=str(other.lid)) for other in known]
    chats = [_conversation(phone, other) for other in known]
    kinds = history.HistorySync
    bootstrap = kinds(syncType=kinds.INITIAL_BOOTSTRAP, conversations=chats, phoneNumberToLidMappings=mappings)
    names = [history.Pushname(ID=str(other.pn), pushname=other.name) for other in [*known, phone]]
    push_names = kinds(syncType=kinds.PUSH_NAME, pushnames=names)
    return [
        _notification(bootstrap, e2e.HistorySyncType.INITIAL_BOOTSTRAP),
        _notification(push_names, e2e.HistorySyncType.PUSH_NAME),
    ]


def take_protocol_message(hub: Hub, phone: Phone, sender: Phone, device: int, message: e2e.ProtocolMessage) -> None:
    """A device's word to its own phone, or an edit or revocation by anybody: noted, no text."""
    kind = _Protocol.Type.Name(message.type)
    hub.journal.add("protocol_message", phone.number, sender=sender.number, device=device, type=kind)
