"""The flight check: whether a message will leave, and if not, why and what to do. Pure, and only from what is known.

The words are the product's voice. `{at}` and `{time}` in them stand for the finding's instant, which a page writes in
the reader's zone: `{at}` as "at 03:12" or "tomorrow at 09:00", `{time}` as "03:12" or "tomorrow, 09:00".
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from domain import limits
from domain.account import Link


class Lamp(StrEnum):
    """What a message's lamp shows, worst last."""

    CLEAR = "clear"
    CHECKING = "checking"
    WATCH = "watch"
    STOP = "stop"


class To(StrEnum):
    """Where a remedy is; "" for nowhere on our pages."""

    NOWHERE = ""
    PAIRING = "pairing"
    ACCOUNT = "account"
    MESSAGE = "message"


class Cause(StrEnum):
    """What the check finds, worst first: in this order the reasons are told."""

    NOT_LINKED = "not_linked"
    LOGGED_OUT = "logged_out"
    LOCKED = "locked"
    RESTRICTED = "restricted"
    RESTRICTED_LONGER = "restricted_longer"
    STOPPED = "stopped"
    NOT_IN_GROUP = "not_in_group"
    GROUP_CLOSED = "group_closed"
    SEAL_ENDS = "seal_ends"
    SPACED_TOO_LATE = "spaced_too_late"
    LINKING = "linking"
    PHONE_GONE = "phone_gone"
    PHONE_AWAY = "phone_away"
    RESTRICTION_ENDS = "restriction_ends"
    PARKED = "parked"
    RESTING = "resting"
    SPACED_LATE = "spaced_late"
    STRANGER = "stranger"
    OVERDUE = "overdue"
    NAMES_COMING = "names_coming"
    SPACED = "spaced"
    FIRST_WORD = "first_word"
    PHONE_SEEN = "phone_seen"
    WRITTEN_BEFORE = "written_before"


class Said(msgspec.Struct, frozen=True):
    """How a cause is told: its lamp, the word beside it, a sentence, the remedy's name ("" for none) and place."""

    lamp: Lamp
    word: str
    sentence: str
    remedy: str = ""
    to: To = To.NOWHERE


CLEAR_WORD: Final = "Clear"

# fmt: off
SAID: Final[dict[Cause, Said]] = {
    Cause.NOT_LINKED:        Said(Lamp.STOP, "Won't leave: not linked",
                                  "No phone is linked. Link one, and this message leaves as planned.",
                                  "Link your phone", To.PAIRING),
    Cause.LOGGED_OUT:        Said(Lamp.STOP, "Won't leave: not linked",
                                  "WhatsApp unlinked this phone {at}. Link again, and this message leaves as planned.",
                                  "Link again", To.PAIRING),
    Cause.LOCKED:            Said(Lamp.STOP, "Won't leave: WhatsApp wants to see you",
                                  "Open WhatsApp on the phone and follow what it asks, then link again.",
                                  "See the account", To.ACCOUNT),
    Cause.RESTRICTED:        Said(Lamp.STOP, "Won't leave: WhatsApp restricts this number",
                                  "WhatsApp restricts this number and did not say until when.",
                                  "See the account", To.ACCOUNT),
    Cause.STOPPED:           Said(Lamp.STOP, "Won't leave: stopped by us",
                                  "We stopped this account and look after something. It leaves when we let it go on, "
                                  "unless it is too late by then.",
                                  "See the account", To.ACCOUNT),
    Cause.RESTRICTED_LONGER: Said(Lamp.STOP, "Won't leave: WhatsApp restricts this number",
                                  "WhatsApp restricts this number until {time}. Choose a later time.",
                                  "Choose a later time", To.MESSAGE),
    Cause.NOT_IN_GROUP:      Said(Lamp.STOP, "Won't leave: you are not in this group",
                                  "Your phone is not in this group any more. Ask somebody in it to let you in."),
    Cause.GROUP_CLOSED:      Said(Lamp.STOP, "Won't leave: only admins write there",
                                  "Only admins write in this group. Ask one of them to open it, or to make you one."),
    Cause.SEAL_ENDS:         Said(Lamp.STOP, "Won't leave: its seal ends before",
                                  "The seal of this text ends {at}. Open the message and seal it again.",
                                  "Open the message", To.MESSAGE),
    Cause.SPACED_TOO_LATE:   Said(Lamp.STOP, "Won't leave: not in time",
                                  "It could leave {at} at the earliest, later than you allow: {why}.",
                                  "Choose a later time", To.MESSAGE),
    Cause.LINKING:           Said(Lamp.WATCH, "Finish linking first",
                                  "The phone is being linked. When that is done, this message leaves as planned.",
                                  "Show the code", To.PAIRING),
    Cause.PHONE_GONE:        Said(Lamp.WATCH, "Open WhatsApp on your phone now",
                                  "Your phone was last seen {at}. WhatsApp unlinks us when it stays away for 14 days.",
                                  "See the account", To.ACCOUNT),
    Cause.PHONE_AWAY:        Said(Lamp.WATCH, "Open WhatsApp on your phone first",
                                  "This won't leave unless you open WhatsApp on your phone before {time}: "
                                  "WhatsApp unlinks us when the phone stays away for 14 days.",
                                  "See the account", To.ACCOUNT),
    Cause.RESTRICTION_ENDS:  Said(Lamp.WATCH, "Waits: WhatsApp restricts this number",
                                  "WhatsApp restricts this number until {time}. This message is later; "
                                  "it leaves as planned if that holds.",
                                  "See the account", To.ACCOUNT),
    Cause.PARKED:            Said(Lamp.WATCH, "Late: stopped by us until {time}",
                                  "We stopped this account until {time}. It goes on by itself, and this leaves then.",
                                  "See the account", To.ACCOUNT),
    Cause.RESTING:           Said(Lamp.WATCH, "Late: resting until {time}",
                                  "The connection rests until {time}. It goes on by itself, and this leaves then.",
                                  "See the account", To.ACCOUNT),
    Cause.SPACED_LATE:       Said(Lamp.WATCH, "Late: leaves {time}",
                                  "It leaves {at} and not before, for your number's sake: {why}."),
    Cause.STRANGER:          Said(Lamp.WATCH, "Ask them to write first",
                                  "They are not among your contacts. WhatsApp often refuses the first word to "
                                  "somebody who never wrote to you."),
    Cause.OVERDUE:           Said(Lamp.CHECKING, "Late, still trying",
                                  "Its time has passed and it has not left yet. It leaves as soon as it can."),
    Cause.NAMES_COMING:      Said(Lamp.CHECKING, "Checking",
                                  "Names are still arriving from your phone."),
    Cause.SPACED:            Said(Lamp.CLEAR, CLEAR_WORD,
                                  "It leaves some seconds later, for your number's sake: {why}."),
    Cause.FIRST_WORD:        Said(Lamp.CLEAR, CLEAR_WORD,
                                  "The first message from here. If they never wrote to you, WhatsApp may refuse it."),
    Cause.PHONE_SEEN:        Said(Lamp.CLEAR, CLEAR_WORD, "Your phone was seen {at}."),
    Cause.WRITTEN_BEFORE:    Said(Lamp.CLEAR, CLEAR_WORD, "You have written to them from here before."),
}
"""The literal table of everything that the check can say."""
# fmt: on

RANK: Final = {cause: rank for rank, cause in enumerate(Cause)}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a message and its account. Instants are aware.

    `link_changed_at`: since when the link is as it is. `phone_seen_at` None: never told. `named`: the account's names
    have arrived once. `known`: the recipient is among the contacts; `established`: written to from here before;
    `can_send`: false in a group where only admins write. `seal_until`: when the text's seal ends, None: not sealed yet.
    `leaves_at`: when it leaves if that is not at its time, `leaves_why`: and why; `last_at`: later it is missed.
    `stopped`: by us, until we say otherwise.
    """

    link: Link
    link_changed_at: datetime
    banned_until: datetime | None
    phone_seen_at: datetime | None
    backoff_until: datetime | None
    parked_until: datetime | None
    named: bool
    group: bool
    known: bool
    established: bool
    can_send: bool
    due_at: datetime
    seal_until: datetime | None = None
    leaves_at: datetime | None = None
    leaves_why: str = ""
    last_at: datetime | None = None
    stopped: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: what was found, the instant that its words are about, and `{why}` in them."""

    cause: Cause
    at: datetime | None = None
    why: str = ""

    @property
    def said(self) -> Said:
        """Its words."""
        return SAID[self.cause]


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """The check's result: the reasons worst first, the good ones last. Never without one that decides the lamp."""

    reasons: tuple[Finding, ...]

    @property
    def lamp(self) -> Lamp:
        """The worst reason's lamp."""
        return self.reasons[0].said.lamp if self.reasons else Lamp.CLEAR

    @property
    def word(self) -> str:
        """The worst reason's word: the remedy or the cause, never the category."""
        return self.reasons[0].said.word if self.reasons else CLEAR_WORD


def flight(facts: Facts, now: datetime) -> Flight:
    """Checks whether the message will leave at its time, as far as can be known at `now`."""
    found = [*_link(facts), *_pauses(facts), *_phone(facts, now), *_recipient(facts), *_message(facts, now)]
    return Flight(reasons=tuple(sorted(found, key=lambda finding: RANK[finding.cause])))


def _link(facts: Facts) -> list[Finding]:
    match facts.link:
        case Link.LINKED:
            return []
        case Link.UNLINKED:
            return [Finding(cause=Cause.NOT_LINKED)]
        case Link.PAIRING:
            return [Finding(cause=Cause.LINKING)]
        case Link.LOGGED_OUT:
            return [Finding(cause=Cause.LOGGED_OUT, at=facts.link_changed_at)]
        case Link.LOCKED:
            return [Finding(cause=Cause.LOCKED)]
        case Link.BANNED:
            until = facts.banned_until
            if until is None:
                return [Finding(cause=Cause.RESTRICTED)]
            longer = until >= facts.due_at
            return [Finding(cause=Cause.RESTRICTED_LONGER if longer else Cause.RESTRICTION_ENDS, at=until)]


def _pauses(facts: Facts) -> list[Finding]:
    # A pause that ends before the wake delays nothing, and needs no word.
    wake_at = facts.due_at - timedelta(seconds=limits.LEAD_DEFAULT_S)
    if facts.stopped:
        return [Finding(cause=Cause.STOPPED)]
    pauses = ((Cause.PARKED, facts.parked_until), (Cause.RESTING, facts.backoff_until))
    return [Finding(cause=cause, at=until) for cause, until in pauses if until and until > wake_at]


def _phone(facts: Facts, now: datetime) -> list[Finding]:
    if facts.link is not Link.LINKED or facts.phone_seen_at is None:
        return []
    ends = facts.phone_seen_at + timedelta(days=limits.PHONE_DAYS)
    if ends <= now:
        return [Finding(cause=Cause.PHONE_GONE, at=facts.phone_seen_at)]
    if ends < facts.due_at:
        return [Finding(cause=Cause.PHONE_AWAY, at=ends)]
    return [Finding(cause=Cause.PHONE_SEEN, at=facts.phone_seen_at)]


def _recipient(facts: Facts) -> list[Finding]:
    if not facts.known:
        if not facts.named:
            return [Finding(cause=Cause.NAMES_COMING)]
        return [Finding(cause=Cause.NOT_IN_GROUP if facts.group else Cause.STRANGER)]
    if facts.group:
        return [] if facts.can_send else [Finding(cause=Cause.GROUP_CLOSED)]
    return [Finding(cause=Cause.WRITTEN_BEFORE if facts.established else Cause.FIRST_WORD)]


def _message(facts: Facts, now: datetime) -> list[Finding]:
    found = []
    if facts.seal_until is not None and facts.seal_until < facts.due_at:
        found.append(Finding(cause=Cause.SEAL_ENDS, at=facts.seal_until))
    if facts.leaves_at is not None:
        found.append(Finding(cause=_spaced(facts, facts.leaves_at), at=facts.leaves_at, why=facts.leaves_why))
    elif now - facts.due_at > timedelta(seconds=limits.OVERDUE_S):
        found.append(Finding(cause=Cause.OVERDUE))
    return found


def _spaced(facts: Facts, leaves_at: datetime) -> Cause:
    if facts.last_at is not None and leaves_at > facts.last_at:
        return Cause.SPACED_TOO_LATE
    late = leaves_at - facts.due_at >= timedelta(seconds=limits.SOON_AFTER_S)
    return Cause.SPACED_LATE if late else Cause.SPACED
