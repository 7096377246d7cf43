"""What the enclave tells unasked: the life of a session, in a closed set of notices."""

from enum import StrEnum

import msgspec

from enclave.wire.answers import SealedStore


class QrShown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A QR text to show, valid for `valid_s` from now (60 s for the first, 20 s for the others). Never logged."""

    text: str
    valid_s: int


class PairCodeShown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The eight-character code to type on the phone. Never logged."""

    code: str


class Paired(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The phone accepted the device. `jid` with its device number; persist the store that comes with it."""

    jid: str
    lid: str
    platform: str
    store: SealedStore


class PairTrouble(StrEnum):
    """Why linking ended without a device."""

    EXPIRED = "expired"
    PASSKEY = "passkey"
    REFUSED = "refused"
    OUTDATED = "outdated"
    NO_MULTIDEVICE = "no_multidevice"
    UNREACHABLE = "unreachable"
    BROKEN_OFF = "broken_off"  # the connection ended while a code was good
    OTHER = "other"


class PairFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Linking ended without a device; the process has ended too."""

    trouble: PairTrouble


class Connected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp accepted the login. A second one in one session means that the library reconnected."""


class DrainStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp has `total` queued stanzas for us."""

    total: int


class Drained(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The queued stanzas have come."""


class Dropped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The connection broke; the library tries again by itself."""


class Restarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp asked for a reconnect (stream error 515), which the library does by itself."""


class KeepAliveLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`count` keep-alives in a row went unanswered."""

    count: int


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The device is no longer linked; `code` 401, 403, 406. Its store is destroyed."""

    code: int


class Banned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A temporary ban: `code` 101 to 106, for `expire_s` more seconds."""

    code: int
    expire_s: int


class Replaced(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The same device connected elsewhere: two owners, a bug of ours or a stolen store."""


class Outdated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """WhatsApp refuses this client version (405) or user agent (409): a matter of the whole fleet."""

    code: int


class ConnectFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The login failed with `code`, or could not be tried (0)."""

    code: int


class StreamFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A stream error with a code that nothing above covers; 0 if unreadable."""

    code: int


class ReceiptKind(StrEnum):
    """What a receipt says."""

    DELIVERED = "delivered"
    READ = "read"
    SENDER = "sender"  # the person's own phone got its copy
    RETRY = "retry"  # a device could not decrypt it
    SERVER_ERROR = "server_error"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A receipt for messages `wa_ids` in `chat`."""

    kind: ReceiptKind
    wa_ids: list[str]
    chat: str
    at_s: int


class PhoneSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account's own phone (device 0) gave a sign of life."""

    at_s: int


class ContactsChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Names or numbers changed in the session's store; at most one a second."""


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The session process has ended unasked. What was in flight is ambiguous.

    `status`: its exit code, or minus the signal that ended it. `store`: the clean closing store to persist, when the
    enclave itself ended the session in order because it shuts down; else None.
    """

    status: int
    store: SealedStore | None = None


Notice = (
    QrShown
    | PairCodeShown
    | Paired
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
    | Ended
)
