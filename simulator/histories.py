"""Synthetic history for linked devices: many chats at once, inline or as a file on the media host.

Source: docs/whatsapp.md §8 and §19 and the client's download code. Texts and numbers are counters.
"""

import zlib

from simulator import media, people
from simulator.hub import Hub, now_s
from simulator.media import Kind
from simulator.protobufs import e2e, history
from simulator.world import Phone, WorldError

CONVERSATIONS_MAX = 2_000
MESSAGES_MAX = 200
SECRET_BYTES = 32
_FIRST_NUMBER = 4_917_000_000_000
_SECONDS_APART = 60


def share(hub: Hub, phone: Phone, conversations: int, messages: int, by_media: bool) -> int:
    """Send one chunk of recent history to every linked device; its size in bytes before encryption.

    WorldError for counts out of bounds."""
    if not 1 <= conversations <= CONVERSATIONS_MAX or not 0 <= messages <= MESSAGES_MAX:
        raise WorldError("bad_history", f"1 to {CONVERSATIONS_MAX} conversations of at most {MESSAGES_MAX} messages")
    packed = zlib.compress(_chunk(hub, conversations, messages).SerializeToString())
    notice = _by_media(hub, packed) if by_media else e2e.HistorySyncNotification()
    if not by_media:
        notice.initialHistBootstrapInlinePayload = packed
    notice.syncType = e2e.HistorySyncType.RECENT
    notice.chunkOrder, notice.progress = 1, 100
    protocol = e2e.ProtocolMessage(type=e2e.ProtocolMessage.HISTORY_SYNC_NOTIFICATION, historySyncNotification=notice)
    message, message_id = e2e.Message(protocolMessage=protocol), hub.new_id()
    phone.remember_sent(message_id, phone.number, message.SerializeToString())
    for companion in phone.companions.values():
        people.send_to_device(hub, phone, phone, companion, message_id, message, peer=True)
    hub.journal.add("history", phone.number, conversations=conversations, messages=messages, bytes=len(packed))
    return len(packed)


def _chunk(hub: Hub, conversations: int, messages: int) -> history.HistorySync:
    chunk = history.HistorySync(syncType=history.HistorySync.RECENT, chunkOrder=1, progress=100)
    start_s = now_s() - messages * _SECONDS_APART
    for chat in range(conversations):
        jid = f"{_FIRST_NUMBER + chat}@s.whatsapp.net"
        conversation = chunk.conversations.add(ID=jid, name=f"Chat {chat}", conversationTimestamp=now_s())
        for index in range(messages):
            info = conversation.messages.add(msgOrderID=index + 1).message
            info.key.remoteJID, info.key.fromMe = jid, index % 2 == 0
            info.key.ID = f"HIST{chat:05X}{index:05X}"
            info.messageTimestamp = start_s + index * _SECONDS_APART
            info.messageSecret = hub.world.random_bytes(SECRET_BYTES)
            info.message.conversation = f"message {index} of chat {chat}"
    return chunk


def _by_media(hub: Hub, packed: bytes) -> e2e.HistorySyncNotification:
    """Encrypted and uploaded, as phones send all but the first chunks."""
    sealed = media.encrypt(packed, Kind.HISTORY, hub.world.random_bytes)
    path = f"/v/t62.77/{sealed.file_enc_sha256.hex()}"
    hub.media.put(path, sealed.blob)
    return e2e.HistorySyncNotification(
        directPath=f"{path}?ccb=11-4",
        mediaKey=sealed.media_key,
        fileSHA256=sealed.file_sha256,
        fileEncSHA256=sealed.file_enc_sha256,
        fileLength=sealed.file_length,
    )
