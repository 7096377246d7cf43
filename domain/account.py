"""The two machines of an account.

`Link` is whether WhatsApp has accepted our device: durable, a column in Postgres.
`Run` is whether a session is live: owned by one actor, never stored; after a crash every account is COLD.
BACKOFF and PARKED are not states but reasons not to leave COLD: keys whose TTL is the wait (`store/keys.py`).
"""

from enum import StrEnum
from typing import Final

from domain import limits
from domain.machine import sources, targets


class Link(StrEnum):
    """Whether the account has a linked device."""

    UNLINKED = "UNLINKED"
    PAIRING = "PAIRING"
    LINKED = "LINKED"
    LOGGED_OUT = "LOGGED_OUT"
    BANNED = "BANNED"
    LOCKED = "LOCKED"


class LinkEvent(StrEnum):
    """What happens to a link."""

    REQUESTED = "requested"  # the user wants to link (again)
    ABANDONED = "abandoned"  # expired, refused, cancelled
    PAIRED = "paired"
    LOGGED_OUT = "logged_out"  # the phone or WhatsApp removed the device
    BANNED = "banned"
    BAN_ENDED = "ban_ended"
    LOCKED = "locked"
    UNLINKED = "unlinked"  # the user unlinked here


# fmt: off
LINK_TABLE: Final[dict[tuple[Link, LinkEvent], tuple[Link, tuple[LinkEvent, ...]]]] = {
    (Link.UNLINKED,   LinkEvent.REQUESTED):  (Link.PAIRING,    ()),
    (Link.LOGGED_OUT, LinkEvent.REQUESTED):  (Link.PAIRING,    ()),
    (Link.LOCKED,     LinkEvent.REQUESTED):  (Link.PAIRING,    ()),
    (Link.PAIRING,    LinkEvent.REQUESTED):  (Link.PAIRING,    ()),  # again, or by the other method

    (Link.PAIRING,    LinkEvent.ABANDONED):  (Link.UNLINKED,   ()),
    (Link.PAIRING,    LinkEvent.PAIRED):     (Link.LINKED,     ()),

    (Link.LINKED,     LinkEvent.LOGGED_OUT): (Link.LOGGED_OUT, ()),
    (Link.LINKED,     LinkEvent.BANNED):     (Link.BANNED,     ()),
    (Link.LINKED,     LinkEvent.LOCKED):     (Link.LOCKED,     ()),
    (Link.LINKED,     LinkEvent.UNLINKED):   (Link.UNLINKED,   ()),

    (Link.BANNED,     LinkEvent.BAN_ENDED):  (Link.LINKED,     ()),
    (Link.BANNED,     LinkEvent.LOGGED_OUT): (Link.LOGGED_OUT, ()),
    (Link.BANNED,     LinkEvent.LOCKED):     (Link.LOCKED,     ()),
    (Link.BANNED,     LinkEvent.UNLINKED):   (Link.UNLINKED,   ()),
    (Link.LOGGED_OUT, LinkEvent.UNLINKED):   (Link.UNLINKED,   ()),
    (Link.LOCKED,     LinkEvent.UNLINKED):   (Link.UNLINKED,   ()),
}
# fmt: on


class Run(StrEnum):
    """Whether a session of the account is live."""

    COLD = "COLD"
    CONNECTING = "CONNECTING"
    HOT = "HOT"
    DISCONNECTING = "DISCONNECTING"


class RunEvent(StrEnum):
    """What the actor hears, already classified (`supervisor/news.py`)."""

    SLOT_GRANTED = "slot_granted"
    CONNECTED = "connected"  # WhatsApp accepted the login
    DROPPED = "dropped"  # the connection broke; the library redials by itself
    FLAPPED = "flapped"  # it broke too often
    RESTARTED = "restarted"  # stream error 515 outside pairing
    REFUSED = "refused"  # the login or the stream failed with a code that passes
    LOGGED_OUT = "logged_out"
    LOCKED = "locked"  # 403, 406
    BANNED = "banned"
    OUTDATED = "outdated"  # 405, 409: the whole fleet
    REPLACED = "replaced"  # the same device elsewhere
    PAIR_FAILED = "pair_failed"
    RELEASED = "released"  # idle, preempted, draining, or the user's wish
    SLOT_LOST = "slot_lost"  # slot or ownership could not be renewed
    CLOSED = "closed"  # the session has ended because we asked
    DIED = "died"  # the session process or the enclave ended unasked
    OVERDUE = "overdue"  # the state outlived its deadline


class RunEffect(StrEnum):
    """What the actor does. An effect starts something; its outcome returns as an event."""

    OPEN = "open"
    CLOSE = "close"
    KILL = "kill"
    RETURN_SLOT = "return_slot"
    CLEAR_BACKOFF = "clear_backoff"
    BACK_OFF = "back_off"
    BACK_OFF_RESTART = "back_off_restart"
    PARK = "park"
    STOP_FLEET = "stop_fleet"
    MARK_LOGGED_OUT = "mark_logged_out"
    MARK_LOCKED = "mark_locked"
    MARK_BANNED = "mark_banned"
    MARK_UNPAIRED = "mark_unpaired"


_C, _N, _H, _D = Run.COLD, Run.CONNECTING, Run.HOT, Run.DISCONNECTING
_E, _F = RunEvent, RunEffect

# fmt: off
RUN_TABLE: Final[dict[tuple[Run, RunEvent], tuple[Run, tuple[RunEffect, ...]]]] = {
    (_C, _E.SLOT_GRANTED): (_N, (_F.OPEN,)),

    (_N, _E.CONNECTED):    (_H, ()),                      # a login proves nothing: it may break right after it
    (_H, _E.DROPPED):      (_N, ()),                      # the library redials; our patience is CONNECTING's deadline

    (_N, _E.OVERDUE):      (_D, (_F.BACK_OFF, _F.CLOSE)),
    (_N, _E.REFUSED):      (_D, (_F.BACK_OFF, _F.CLOSE)),
    (_H, _E.REFUSED):      (_D, (_F.BACK_OFF, _F.CLOSE)),
    (_N, _E.FLAPPED):      (_D, (_F.BACK_OFF, _F.CLOSE)),
    (_H, _E.FLAPPED):      (_D, (_F.BACK_OFF, _F.CLOSE)),
    (_N, _E.RESTARTED):    (_D, (_F.BACK_OFF_RESTART, _F.CLOSE)),
    (_H, _E.RESTARTED):    (_D, (_F.BACK_OFF_RESTART, _F.CLOSE)),
    (_N, _E.OUTDATED):     (_D, (_F.STOP_FLEET, _F.BACK_OFF, _F.CLOSE)),
    (_H, _E.OUTDATED):     (_D, (_F.STOP_FLEET, _F.BACK_OFF, _F.CLOSE)),
    (_N, _E.REPLACED):     (_D, (_F.PARK, _F.KILL)),
    (_H, _E.REPLACED):     (_D, (_F.PARK, _F.KILL)),

    (_N, _E.LOGGED_OUT):   (_D, (_F.MARK_LOGGED_OUT, _F.CLOSE)),
    (_H, _E.LOGGED_OUT):   (_D, (_F.MARK_LOGGED_OUT, _F.CLOSE)),
    (_N, _E.LOCKED):       (_D, (_F.MARK_LOCKED, _F.CLOSE)),
    (_H, _E.LOCKED):       (_D, (_F.MARK_LOCKED, _F.CLOSE)),
    (_N, _E.BANNED):       (_D, (_F.MARK_BANNED, _F.CLOSE)),
    (_H, _E.BANNED):       (_D, (_F.MARK_BANNED, _F.CLOSE)),
    (_N, _E.PAIR_FAILED):  (_D, (_F.MARK_UNPAIRED, _F.CLOSE)),

    (_N, _E.RELEASED):     (_D, (_F.CLOSE,)),
    (_H, _E.RELEASED):     (_D, (_F.CLEAR_BACKOFF, _F.CLOSE)),  # it lasted until we let it go
    (_N, _E.SLOT_LOST):    (_D, (_F.KILL,)),
    (_H, _E.SLOT_LOST):    (_D, (_F.KILL,)),
    (_N, _E.DIED):         (_C, (_F.BACK_OFF, _F.RETURN_SLOT)),
    (_H, _E.DIED):         (_C, (_F.BACK_OFF, _F.RETURN_SLOT)),

    (_D, _E.CLOSED):       (_C, (_F.RETURN_SLOT,)),
    (_D, _E.DIED):         (_C, (_F.RETURN_SLOT,)),
    (_D, _E.OVERDUE):      (_C, (_F.KILL, _F.RETURN_SLOT)),
}
# fmt: on

RUN_IGNORED: Final[frozenset[tuple[Run, RunEvent]]] = frozenset(
    {
        # Late news of a session that has ended, or that we are ending.
        *((Run.COLD, event) for event in RunEvent if event is not RunEvent.SLOT_GRANTED),
        *(
            (Run.DISCONNECTING, event)
            for event in RunEvent
            if event not in (RunEvent.CLOSED, RunEvent.DIED, RunEvent.OVERDUE, RunEvent.SLOT_GRANTED)
        ),
        # The library's own redialling.
        (Run.CONNECTING, RunEvent.DROPPED),
        (Run.HOT, RunEvent.CONNECTED),
    }
)

RUN_DEADLINE_S: Final[dict[Run, float | None]] = {
    Run.COLD: None,
    Run.CONNECTING: limits.CONNECT_DEADLINE_S,
    Run.HOT: None,
    Run.DISCONNECTING: limits.CLOSE_DEADLINE_S,
}
"""How long a state may last; a pairing session has `limits.PAIR_DEADLINE_S` instead of CONNECTING's."""


class PairPhase(StrEnum):
    """How far a linking has come, for display: the page's words for each are in `app/words.py`."""

    ASKING = "asking"  # a session starts, and asks WhatsApp for codes
    SHOWN = "shown"  # there is a code to scan or to type
    FOUND = "found"  # the phone has accepted us
    RESTARTING = "restarting"  # WhatsApp restarts the connection: part of every linking
    NAMES = "names"  # logged in; the address book is on its way
    READY = "ready"  # the address book has arrived


class Phase(StrEnum):
    """Where a HOT session is. A display and a guard for sending, moved only by the actor."""

    DRAINING = "draining"
    READY = "ready"
    SENDING = "sending"
    LINGERING = "lingering"


def link_starts(event: LinkEvent) -> list[str]:
    """The links from which `event` may happen, as SQL takes them."""
    return [str(link) for link in sources(LINK_TABLE, event)]


def link_outcome(event: LinkEvent) -> Link:
    """The one link that `event` leads to. Every link event has exactly one (held by a test)."""
    (link,) = targets(LINK_TABLE, event)
    return link
