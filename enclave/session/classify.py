"""What the client says, in our words: literal tables, nothing else decides what an event or an error text means.

Sources: docs/whatsapp.md §3 (enums that it does not know), §4 (login statuses), §5 (codes), §9 and §11 (send errors).
"""

from typing import Any, Final

from enclave.session.pipe import SessionNotice
from enclave.wire.answers import Certainty, NotSent, SendTrouble
from enclave.wire.news import (
    Banned,
    Connected,
    ConnectFailed,
    Drained,
    DrainStarted,
    Dropped,
    KeepAliveLost,
    LoggedOut,
    Outdated,
    PairTrouble,
    PhoneSeen,
    Receipt,
    ReceiptKind,
    Replaced,
    Restarted,
    StreamFailed,
)

PAIR_STATUS: Final = 2
CONNECTED: Final = 3
KEEP_ALIVE_TIMEOUT: Final = 4
LOGGED_OUT: Final = 6
STREAM_REPLACED: Final = 7
TEMPORARY_BAN: Final = 8
CONNECT_FAILURE: Final = 9
CLIENT_OUTDATED: Final = 10
STREAM_ERROR: Final = 11
DISCONNECTED: Final = 12
RECEIPT: Final = 18
DRAIN_PREVIEW: Final = 26
DRAIN_COMPLETED: Final = 27

EVENT_MESSAGES: Final[dict[int, str]] = {
    PAIR_STATUS: "PairStatus",
    CONNECTED: "Connected",
    KEEP_ALIVE_TIMEOUT: "KeepAliveTimeout",
    LOGGED_OUT: "LoggedOut",
    STREAM_REPLACED: "StreamReplaced",
    TEMPORARY_BAN: "TemporaryBan",
    CONNECT_FAILURE: "ConnectFailure",
    CLIENT_OUTDATED: "ClientOutdated",
    STREAM_ERROR: "StreamError",
    DISCONNECTED: "Disconnected",
    RECEIPT: "Receipt",
    DRAIN_PREVIEW: "OfflineSyncPreview",
    DRAIN_COMPLETED: "OfflineSyncCompleted",
}
"""Event numbers that we subscribe to, and their protobuf messages. Never 17 (message contents) or 13 (history)."""

FAILURE_CODES: Final[dict[str, int]] = {
    "GENERIC": 400,
    "LOGGED_OUT": 401,
    "TEMP_BANNED": 402,
    "MAIN_DEVICE_GONE": 403,
    "CLIENT_OUTDATED": 405,
    "UNKNOWN_LOGOUT": 406,
    "BAD_USER_AGENT": 409,
    "INTERNAL_SERVER_ERROR": 500,
    "EXPERIMENTAL": 501,
    "SERVICE_UNAVAILABLE": 503,
}
"""Names of neonize's ConnectFailureReason."""

OUTDATED_CODES: Final = frozenset({405, 409})

BAN_CODES: Final[dict[str, int]] = {
    "SEND_TO_TOO_MANY_PEOPLE": 101,
    "BLOCKED_BY_USERS": 102,
    "CREATED_TOO_MANY_GROUPS": 103,
    "SENT_TOO_MANY_SAME_MESSAGE": 104,
    "BROADCAST_LIST": 106,
}
"""Names of neonize's TempBanReason."""

RECEIPT_KINDS: Final[dict[str, ReceiptKind]] = {
    "DELIVERED": ReceiptKind.DELIVERED,
    "INACTIVE": ReceiptKind.DELIVERED,
    "READ": ReceiptKind.READ,
    "PLAYED": ReceiptKind.READ,
    "SENDER": ReceiptKind.SENDER,
    "RETRY": ReceiptKind.RETRY,
    "SERVER_ERROR": ReceiptKind.SERVER_ERROR,
}
"""Names of neonize's ReceiptType; those not named here say nothing about what we sent."""

PAIR_TROUBLES: Final[dict[str, PairTrouble]] = {
    "timeout": PairTrouble.EXPIRED,
    "error": PairTrouble.OTHER,
    "err-client-outdated": PairTrouble.OUTDATED,
    "err-scanned-without-multidevice": PairTrouble.NO_MULTIDEVICE,
    "err-unexpected-state": PairTrouble.OTHER,
    "passkey-request": PairTrouble.PASSKEY,
    "passkey-confirmation": PairTrouble.PASSKEY,
}
"""Login statuses that end a pairing. "success" does not."""

CONFLICT_CODE: Final = "409"
RESTART_LOG_LINE: Final = "Got 515 code"

_NOT_SENT: Final = Certainty.NOT_SENT
_MAYBE: Final = Certainty.MAYBE
SEND_ERRORS: Final[tuple[tuple[str, Certainty, SendTrouble], ...]] = (
    ("no LID found for", _NOT_SENT, SendTrouble.NOT_ON_WHATSAPP),
    ("you're not participating", _NOT_SENT, SendTrouble.NOT_IN_GROUP),
    ("failed to send message node: websocket not connected", _NOT_SENT, SendTrouble.NOT_CONNECTED),
    ("failed to send message node", _MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT),
    ("timed out waiting for message send response", _MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT),
    ("websocket disconnected before message send", _MAYBE, SendTrouble.NO_ACKNOWLEDGEMENT),
    ("client is nil", _NOT_SENT, SendTrouble.NOT_CONNECTED),
    ("the store doesn't contain a device JID", _NOT_SENT, SendTrouble.NOT_CONNECTED),
    ("websocket not connected", _NOT_SENT, SendTrouble.NOT_CONNECTED),
    ("failed to get device list", _NOT_SENT, SendTrouble.LOOKUP_FAILED),
    ("failed to get user info", _NOT_SENT, SendTrouble.LOOKUP_FAILED),
    ("failed to get LID", _NOT_SENT, SendTrouble.LOOKUP_FAILED),
    ("failed to get group members", _NOT_SENT, SendTrouble.LOOKUP_FAILED),
    ("info query timed out", _NOT_SENT, SendTrouble.LOOKUP_FAILED),
    ("failed to marshal", _NOT_SENT, SendTrouble.OTHER),
    ("failed to encrypt", _NOT_SENT, SendTrouble.OTHER),
    ("message recipient must be", _NOT_SENT, SendTrouble.OTHER),
)
"""Parts of the client's error texts, first match wins: the permanent ones first, the ambiguous before the harmless."""

NO_PICTURE_TEXTS: Final = ("the user has hidden their profile picture", "does not have a profile picture")
"""Parts of the error texts that mean that there is no picture for us; any other is a failed lookup."""

RATE_LIMIT_TEXT: Final = "status 429"
"""Part of the error text of a request that was one too many (docs/whatsapp.md §10)."""

SERVER_ERROR_TEXT: Final = "server returned error "


def of_send_error(text: str) -> NotSent:
    """What a failed send tells. A text that no row knows is MAYBE: nothing is resent on a guess."""
    _, found, rest = text.partition(SERVER_ERROR_TEXT)
    if found:
        digits = rest.split()[0].rstrip(".,:;") if rest.split() else ""
        code = int(digits) if digits.isdecimal() else 0
        if code:
            return NotSent(certainty=Certainty.REFUSED, trouble=SendTrouble.SERVER_REFUSED, server_code=code)
    for part, certainty, trouble in SEND_ERRORS:
        if part in text:
            return NotSent(certainty=certainty, trouble=trouble, server_code=0)
    return NotSent(certainty=_MAYBE, trouble=SendTrouble.OTHER, server_code=0)


def of_login_status(status: str) -> PairTrouble | None:
    """Why the pairing ended, or None if it did not. An unknown status ends it: the client has stopped showing codes."""
    return None if status == "success" else PAIR_TROUBLES.get(status, PairTrouble.OTHER)


def of_log_line(text: str) -> SessionNotice | None:
    """The one thing that only the client's log says."""
    return Restarted() if RESTART_LOG_LINE in text else None


def of_event(code: int, event: Any, own_users: frozenset[str]) -> list[SessionNotice]:
    """Notices for event number `code`, a protobuf message of `EVENT_MESSAGES`; PairStatus is the driver's own.

    `own_users`: the user parts of the account's JID and LID.
    """
    match code:
        case 3:
            return [Connected()]
        case 4:
            return [KeepAliveLost(count=event.ErrorCount)]
        case 6:
            return [LoggedOut(code=_failure_code(event))]
        case 7:
            return [Replaced()]
        case 8:
            return [Banned(code=BAN_CODES[_enum_name(event, "Code")], expire_s=event.Expire)]
        case 9:
            failure = _failure_code(event)
            return [Outdated(code=failure) if failure in OUTDATED_CODES else ConnectFailed(code=failure)]
        case 10:
            return [Outdated(code=405)]
        case 11:
            if event.Code == CONFLICT_CODE:
                return [Replaced()]
            return [StreamFailed(code=int(event.Code) if event.Code.isdecimal() else 0)]
        case 12:
            return [Dropped()]
        case 18:
            return _of_receipt(event, own_users)
        case 26:
            return [DrainStarted(total=event.Total)]
        case 27:
            return [Drained()]
    return []


def _of_receipt(event: Any, own_users: frozenset[str]) -> list[SessionNotice]:
    """The receipt, and a sign of life if the account's own phone (device 0) gave it."""
    notices: list[SessionNotice] = []
    source = event.MessageSource
    kind = RECEIPT_KINDS.get(_enum_name(event, "Type"))
    if kind is not None:
        chat = f"{source.Chat.User}@{source.Chat.Server}"
        notices.append(Receipt(kind=kind, wa_ids=list(event.MessageIDs), chat=chat, at_s=event.Timestamp))
    if source.Sender.User in own_users and source.Sender.Device == 0:
        notices.append(PhoneSeen(at_s=event.Timestamp))
    return notices


def _failure_code(event: Any) -> int:
    return FAILURE_CODES[_enum_name(event, "Reason")]


def _enum_name(event: Any, field: str) -> str:
    """Name of an enum field's value, as the protobuf schema calls it."""
    return event.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(event, field)].name
