"""The private protocols of the enclave: broker ↔ session process, and broker ↔ zygote.

Both run over Unix stream sockets in the door's framing: u32 big-endian length, then one MessagePack value.

Broker ↔ session (a socketpair; the session's end came by the zygote's fork):
  * the broker sends `Order(id, task)`; the first is always `Start`, id 1, and nothing else may come before its answer;
  * the session answers every order with exactly one `Answered(id, result)` or `Refusal(id, code)`, in any order;
  * unasked it tells `Told(notice)`.
  A store crosses as the path of a plain SQLite file in the account's folder on tmpfs: the broker reads it, then
  unlinks it. End of file on the pipe makes the session process leave at once.

Broker ↔ zygote: the broker sends one `Fork`, with the session's end of a socketpair as SCM_RIGHTS, and waits for
`Forked` before the next; `Exited` comes unasked. End of file makes the zygote leave, and its children die with it.
"""

import asyncio
import struct
from typing import Final

import msgspec

from enclave.wire.answers import ContactPage, Done, GroupList, NotSent, NumberChecked, Picture
from enclave.wire.envelope import Code
from enclave.wire.news import (
    Banned,
    Connected,
    ConnectFailed,
    ContactsChanged,
    Drained,
    DrainStarted,
    Dropped,
    KeepAliveLost,
    LoggedOut,
    Outdated,
    PairCodeShown,
    PairFailed,
    PhoneSeen,
    QrShown,
    Receipt,
    Replaced,
    Restarted,
    StreamFailed,
)

PIPE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest frame on the pipe: a list of groups is the largest thing that crosses it."""

_LENGTH: Final = struct.Struct(">I")


class BadFrame(Exception):
    """The peer sent something that is no frame of this protocol."""


# --- broker → session ------------------------------------------------------------------------------------------------


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """First order → `Started`. `driver` is "neonize" or "null"; `folder` the account's own folder on tmpfs.

    For a wake `jid` is the full device JID and `folder/store.db` (with its `-journal`, if one lies there) the store;
    for pairing `jid` is "", there is no store file, and `phone` (international digits) asks for a code, "" for QR.
    `proxy_url`: the CONNECT proxy on loopback, required. `drop_ratchets`: the store may be stale, so its Signal
    sessions are deleted before use (docs/whatsapp.md §13).
    """

    driver: str
    folder: str
    jid: str
    phone: str
    proxy_url: str
    drop_ratchets: bool


class SendText(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sends `text` (UTF-8) to `recipient` (PN or group JID) → `SentText` or `NotSent`.

    `secret`: 32 bytes, the attempt's. After `NotSent` by deadline the process ends by itself.
    """

    recipient: str
    secret: bytes
    text: memoryview


class FindSecret(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Whether a message with this secret reached the client's sending stage → `SecretFound`."""

    secret: bytes


class TakeSnapshot(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Copies the live store, pruned and vacuumed → `Snapshot`, not clean."""


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Disconnects, copies the store → `Stopped`; then the process ends with status 0."""


class Logout(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Logs the device out at WhatsApp → `Done`; then the process ends with status 0."""


class ReadContacts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A page of contacts by JID → `ContactPage`."""

    after: str
    limit: int


class ReadGroups(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All groups → `GroupList`."""


class ReadPicture(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A preview picture → `Picture`."""

    jid: str
    known_id: str


class LookUpNumber(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Whether a number (international digits) is on WhatsApp → `NumberChecked`."""

    phone: str


Task = (
    Start
    | SendText
    | FindSecret
    | TakeSnapshot
    | Stop
    | Logout
    | ReadContacts
    | ReadGroups
    | ReadPicture
    | LookUpNumber
)


class Order(msgspec.Struct, frozen=True, array_like=True):
    """Broker to session. `id` is chosen by the broker, unique among its unanswered orders."""

    id: int
    task: Task


# --- session → broker ------------------------------------------------------------------------------------------------


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The client runs and tries to connect; what becomes of that is told."""


class SentText(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp acknowledged `wa_id` at `server_time_s`. Take a snapshot before you tell it."""

    wa_id: str
    server_time_s: int


class SecretFound(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`wa_id` of the message with that secret, "" when the store has no trace of it."""

    wa_id: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A copy of the store lies at `path` (plain SQLite, `store_bytes` long). Read it, then unlink it."""

    path: str
    store_bytes: int


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The client is closed. `snapshot` is clean; None without a linked device."""

    snapshot: Snapshot | None


Result = (
    Started
    | SentText
    | NotSent
    | SecretFound
    | Snapshot
    | Stopped
    | Done
    | ContactPage
    | GroupList
    | Picture
    | NumberChecked
)


class DevicePaired(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The phone accepted the device; `news.Paired` without its sealed store, which is `snapshot`."""

    jid: str
    lid: str
    platform: str
    snapshot: Snapshot


SessionNotice = (
    QrShown
    | PairCodeShown
    | DevicePaired
    | PairFailed
    | Connected
    | DrainStarted
    | Drained
    | Dropped
    | Restarted
    | KeepAliveLost
    | LoggedOut
    | Banned
    | Replaced
    | Outdated
    | ConnectFailed
    | StreamFailed
    | Receipt
    | PhoneSeen
    | ContactsChanged
)


class Answered(msgspec.Struct, frozen=True, array_like=True, tag="answered"):
    """Order `id` is done."""

    id: int
    result: Result


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag="refusal"):
    """Order `id` failed. A refused `Start` ends the process."""

    id: int
    code: Code


class Told(msgspec.Struct, frozen=True, array_like=True, tag="told"):
    """Something happened in the session."""

    notice: SessionNotice


Report = Answered | Refusal | Told


# --- broker ↔ zygote -------------------------------------------------------------------------------------------------


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Fork a session process on the descriptor that comes with this frame → `Forked`."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The zygote has imported everything; its first word."""


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The new session process."""

    pid: int


class Exited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Session process `pid` ended: `status` is its exit code, or minus the signal that ended it."""

    pid: int
    status: int


ZygoteWord = Ready | Forked | Exited

ORDERS: Final = msgspec.msgpack.Decoder(Order)
REPORTS: Final = msgspec.msgpack.Decoder(Report)
ZYGOTE_ORDERS: Final = msgspec.msgpack.Decoder(Fork)
ZYGOTE_WORDS: Final = msgspec.msgpack.Decoder(ZygoteWord)
_ENCODER: Final = msgspec.msgpack.Encoder()


def frame(value: msgspec.Struct) -> bytearray:
    """The bytes of one frame; zero them after writing where they hold a text."""
    buffer = bytearray(_LENGTH.size)
    _ENCODER.encode_into(value, buffer, _LENGTH.size)
    if len(buffer) - _LENGTH.size > PIPE_BYTES_MAX:
        raise ValueError("a frame is larger than the pipe takes")
    _LENGTH.pack_into(buffer, 0, len(buffer) - _LENGTH.size)
    return buffer


def payload_bytes(head: bytes) -> int:
    """Length of the payload that follows the 4-byte `head`. Raises BadFrame out of bounds."""
    (size,) = _LENGTH.unpack(head)
    if not 1 <= size <= PIPE_BYTES_MAX:
        raise BadFrame("length out of bounds")
    return size


async def read_payload(reader: asyncio.StreamReader) -> bytearray | None:
    """The next payload, or None at an orderly end of file. Raises BadFrame when it ends inside a frame."""
    try:
        head = await reader.readexactly(_LENGTH.size)
        return bytearray(await reader.readexactly(payload_bytes(head)))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadFrame("ended inside a frame") from None
        return None
    except ConnectionResetError:
        return None


async def read_report(reader: asyncio.StreamReader) -> Report | None:
    """The session's next report, or None when it has gone. Raises BadFrame."""
    payload = await read_payload(reader)
    if payload is None:
        return None
    try:
        return REPORTS.decode(payload)
    except msgspec.MsgspecError:
        raise BadFrame("no report") from None
