"""The life of a message and of a schedule."""

from enum import StrEnum
from typing import Final

from domain.account import Link
from domain.machine import sources, targets


class MessageState(StrEnum):
    """Where a message is. UNCONFIRMED: it may have been sent; it is never resent blindly."""

    SCHEDULED = "SCHEDULED"
    HELD = "HELD"
    BLOCKED = "BLOCKED"
    ARMED = "ARMED"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    UNCONFIRMED = "UNCONFIRMED"
    MISSED = "MISSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class MessageEvent(StrEnum):
    """What happens to a message."""

    CLAIMED = "claimed"  # taken by a node, a little ahead of its time
    DISARMED = "disarmed"  # given back unsent: no slot, backoff, node gone
    BEGUN = "begun"  # the gate: an attempt is committed
    RETURNED = "returned"  # the attempt certainly did not reach the wire
    ACCEPTED = "accepted"  # WhatsApp acknowledged it, or the person's own phone got its copy
    REFUSED = "refused"  # WhatsApp said no, for good
    DOUBTED = "doubted"  # nobody can say whether it was sent
    DELIVERED = "delivered"
    READ = "read"
    HELD = "held"
    LET_GO = "let_go"
    BLOCKED = "blocked"  # the account cannot send
    UNBLOCKED = "unblocked"
    LATE = "late"  # older than its late limit
    CANCELLED = "cancelled"
    MOVED = "moved"  # the user chose another time
    RESTORED = "restored"  # the user takes the cancelling back
    RESENT = "resent"  # the user says: send it again


_S, _E = MessageState, MessageEvent

# fmt: off
MESSAGE_TABLE: Final[dict[tuple[MessageState, MessageEvent], tuple[MessageState, tuple[MessageEvent, ...]]]] = {
    (_S.SCHEDULED,   _E.CLAIMED):   (_S.ARMED,       ()),
    (_S.SCHEDULED,   _E.HELD):      (_S.HELD,        ()),
    (_S.SCHEDULED,   _E.BLOCKED):   (_S.BLOCKED,     ()),
    (_S.SCHEDULED,   _E.LATE):      (_S.MISSED,      ()),
    (_S.SCHEDULED,   _E.CANCELLED): (_S.CANCELLED,   ()),
    (_S.SCHEDULED,   _E.MOVED):     (_S.SCHEDULED,   ()),

    (_S.ARMED,       _E.BEGUN):     (_S.SENDING,     ()),
    (_S.ARMED,       _E.DISARMED):  (_S.SCHEDULED,   ()),
    (_S.ARMED,       _E.BLOCKED):   (_S.BLOCKED,     ()),
    (_S.ARMED,       _E.LATE):      (_S.MISSED,      ()),
    (_S.ARMED,       _E.CANCELLED): (_S.CANCELLED,   ()),
    (_S.ARMED,       _E.MOVED):     (_S.SCHEDULED,   ()),

    (_S.SENDING,     _E.ACCEPTED):  (_S.SENT,        ()),
    (_S.SENDING,     _E.RETURNED):  (_S.SCHEDULED,   ()),
    (_S.SENDING,     _E.REFUSED):   (_S.FAILED,      ()),
    (_S.SENDING,     _E.DOUBTED):   (_S.UNCONFIRMED, ()),
    (_S.SENDING,     _E.DELIVERED): (_S.DELIVERED,   ()),
    (_S.SENDING,     _E.READ):      (_S.READ,        ()),

    (_S.SENT,        _E.DELIVERED): (_S.DELIVERED,   ()),
    (_S.SENT,        _E.READ):      (_S.READ,        ()),
    (_S.DELIVERED,   _E.READ):      (_S.READ,        ()),

    (_S.UNCONFIRMED, _E.ACCEPTED):  (_S.SENT,        ()),
    (_S.UNCONFIRMED, _E.DELIVERED): (_S.DELIVERED,   ()),
    (_S.UNCONFIRMED, _E.READ):      (_S.READ,        ()),
    (_S.UNCONFIRMED, _E.RESENT):    (_S.SCHEDULED,   ()),

    (_S.HELD,        _E.LET_GO):    (_S.SCHEDULED,   ()),
    (_S.HELD,        _E.LATE):      (_S.MISSED,      ()),
    (_S.HELD,        _E.CANCELLED): (_S.CANCELLED,   ()),
    (_S.HELD,        _E.MOVED):     (_S.SCHEDULED,   ()),
    (_S.BLOCKED,     _E.UNBLOCKED): (_S.SCHEDULED,   ()),
    (_S.BLOCKED,     _E.LATE):      (_S.MISSED,      ()),
    (_S.BLOCKED,     _E.CANCELLED): (_S.CANCELLED,   ()),
    (_S.BLOCKED,     _E.MOVED):     (_S.SCHEDULED,   ()),

    (_S.CANCELLED,   _E.RESTORED):  (_S.SCHEDULED,   ()),

    (_S.MISSED,      _E.RESENT):    (_S.SCHEDULED,   ()),
    (_S.FAILED,      _E.RESENT):    (_S.SCHEDULED,   ()),
}
# fmt: on

MESSAGE_END_STATES: Final = (_S.READ,)

EDITABLE: Final = (_S.SCHEDULED, _S.HELD, _S.BLOCKED)
"""Where the text can still be another one: nobody has the message in hand."""

WAITING: Final = (*EDITABLE, _S.ARMED, _S.SENDING)
"""Where a message is still to leave; its schedule is not finished before none of its messages is in one of these."""

CREATED: Final = "created"
EDITED: Final = "edited"
"""Two steps of a message's history that change no state: it was made, and its text became another one."""


def starts(event: MessageEvent) -> list[str]:
    """The states from which `event` may happen, as SQL takes them."""
    return [str(state) for state in sources(MESSAGE_TABLE, event)]


def outcome(event: MessageEvent) -> MessageState:
    """The one state that `event` leads to. Every message event has exactly one (held by a test)."""
    (state,) = targets(MESSAGE_TABLE, event)
    return state


class ScheduleState(StrEnum):
    """Whether a schedule still makes messages."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


class ScheduleEvent(StrEnum):
    """What happens to a schedule."""

    PAUSED = "paused"
    RESUMED = "resumed"
    EXHAUSTED = "exhausted"  # its last message has its end
    CANCELLED = "cancelled"
    RESTORED = "restored"  # one of its messages waits again


_SS, _SE = ScheduleState, ScheduleEvent

# fmt: off
SCHEDULE_TABLE: Final[dict[tuple[ScheduleState, ScheduleEvent], tuple[ScheduleState, tuple[ScheduleEvent, ...]]]] = {
    (_SS.ACTIVE,    _SE.PAUSED):    (_SS.PAUSED,    ()),
    (_SS.PAUSED,    _SE.RESUMED):   (_SS.ACTIVE,    ()),
    (_SS.ACTIVE,    _SE.EXHAUSTED): (_SS.FINISHED,  ()),
    (_SS.ACTIVE,    _SE.CANCELLED): (_SS.CANCELLED, ()),
    (_SS.PAUSED,    _SE.CANCELLED): (_SS.CANCELLED, ()),
    (_SS.CANCELLED, _SE.RESTORED):  (_SS.ACTIVE,    ()),
    (_SS.FINISHED,  _SE.RESTORED):  (_SS.ACTIVE,    ()),
}
# fmt: on


class Reason(StrEnum):
    """Why a message is BLOCKED, MISSED, FAILED, UNCONFIRMED or back in SCHEDULED. Sentences: `domain/words.py`."""

    NONE = ""
    NOT_LINKED = "not_linked"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    LOCKED = "locked"
    TOO_LATE = "too_late"
    SPACED = "spaced"  # so that WhatsApp does not take the number for a machine's
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    NOT_IN_GROUP = "not_in_group"
    REACH_OUT_LIMIT = "reach_out_limit"  # 463
    SERVER_REFUSED = "server_refused"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    SEAL_EXPIRED = "seal_expired"
    SEAL_UNREADABLE = "seal_unreadable"
    NO_ACKNOWLEDGEMENT = "no_acknowledgement"
    SESSION_DIED = "session_died"
    ENCLAVE_DIED = "enclave_died"
    NO_CONNECTION = "no_connection"
    BY_USER = "by_user"


BLOCK_REASONS: Final[dict[Link, Reason]] = {
    Link.UNLINKED: Reason.NOT_LINKED,
    Link.PAIRING: Reason.NOT_LINKED,
    Link.LOGGED_OUT: Reason.LOGGED_OUT,
    Link.BANNED: Reason.BANNED,
    Link.LOCKED: Reason.LOCKED,
}
"""Why messages of an account with such a link cannot leave."""
