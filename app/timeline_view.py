"""What happened to a message, in order, to the millisecond, with the reasons. Pure, from its history and its wake."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app import words
from app.clock import WEEKDAYS, Moment, moment
from app.strip_view import ON_TIME_S, span
from domain.hotset import WantKind
from domain.message import CREATED, EDITED, MessageEvent, MessageState, Reason
from store.pages import Change, Message
from store.wakes import Wake

HEARD_S: Final = 3.0
"""A receipt that is no older than this when it comes was heard at once; its own time has whole seconds only."""
WAKE_S: Final = 180.0
"""A session that was woken longer before the message than this was not woken for it."""
SHORT_S: Final = 20.0
"""Whoever chooses a time that is nearer than this leaves less than a wake may take."""

_E, _S = MessageEvent, MessageState
_WHEN: Final = frozenset({_E.CLAIMED, _E.DISARMED})
"""Steps of ours that say nothing once the message has gone on."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a message's history. `ahead`: still to come."""

    at: Moment
    title: str
    sentence: str
    tone: str
    icon: str
    ahead: bool = False


class _Happening(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    title: str
    tone: str
    icon: str
    sentence: str = ""
    exact: bool = True
    ahead: bool = False


def steps(
    message: Message,
    changes: list[Change],
    wake: Wake | None,
    body_bytes: int,
    zone: ZoneInfo,
    now: datetime,
    leaves_at: datetime | None = None,
) -> list[Step]:
    """The history by when it happened. What we learnt later says so; what is to come stands last.

    `leaves_at`: when it leaves, if that is later than its time.
    """
    found = [*_of_changes(message, changes, body_bytes, zone, now), *_of_wake(message, wake)]
    found.sort(key=lambda one: one.at)
    found += _ahead(message, leaves_at or message.due_at)
    day = message.due_at.astimezone(zone).date()
    shown = []
    for one in found:
        at = moment(one.at, zone, now)
        sentence = one.sentence
        here = one.at.astimezone(zone).date()
        if here != day:
            named = WEEKDAYS[here.weekday()] if abs((here - day).days) < 7 else at.day
            sentence = f"{named}. {sentence}".strip()
        if not one.exact:
            at = msgspec.structs.replace(at, ms="")
        shown.append(Step(at=at, title=one.title, sentence=sentence, tone=one.tone, icon=one.icon, ahead=one.ahead))
    return shown


def why_late(message: Message, changes: list[Change], wake: Wake | None, zone: ZoneInfo) -> str:
    """Why a message left later than its time, as far as we know; "" if we do not."""
    if message.left_at is None:
        return ""
    before = [change for change in changes if change.at < message.left_at]
    for change in reversed(before):
        if change.event == _E.RETURNED:
            return words.sentence(f"the first try did not get out: {words.reason(change.reason)}")
        if change.event in (_E.UNBLOCKED, _E.LET_GO) and change.at > message.due_at:
            return "It waited until the account could send again."
        chosen = change.event in (CREATED, _E.MOVED, _E.RESENT, _E.RESTORED)
        if chosen and (message.due_at - change.at).total_seconds() < SHORT_S:
            return "It was asked for at short notice: we had to wake up first."
    if wake is not None and wake.ready_at is not None and wake.ready_at > message.on_time_until:
        ready = moment(wake.ready_at, zone)
        return f"We were woken late, or WhatsApp was slow to let us in: ready at {ready.seconds}{ready.ms}."
    return ""


def _of_changes(
    message: Message, changes: list[Change], body_bytes: int, zone: ZoneInfo, now: datetime
) -> list[_Happening]:
    found: list[_Happening] = []
    last = changes[-1].event if changes else ""
    accepted = max((number for number, one in enumerate(changes) if one.event == _E.ACCEPTED), default=-1)
    begun = max((number for number, one in enumerate(changes[:accepted]) if one.event == _E.BEGUN), default=-1)
    for number, change in enumerate(changes):
        if change.event in _WHEN and change.event != last:
            continue
        if number == begun and message.left_at is not None:
            found.append(_left(message.left_at, its_time(message, message.left_at)))
            continue
        icon, title, tone = words.CHANGE.get(change.event, ("clock", change.event.replace("_", " "), "calm"))
        if change.event == last and change.event in (_E.CLAIMED, _E.BEGUN) and message.state in (_S.ARMED, _S.SENDING):
            icon, tone = "loader-circle", "live"
        happened, exact, learnt = _when(message, change, zone, now)
        reason = words.reason(change.reason) if change.reason != Reason.BY_USER else ""
        sentence = learnt or words.sentence(reason)
        if change.event in (CREATED, EDITED):
            stored = f"In your browser. We stored {body_bytes} sealed bytes."
            sentence = stored if change.event == _sealing(changes) else ""
        found.append(_Happening(at=happened, title=title, tone=tone, icon=icon, sentence=sentence, exact=exact))
    return found


def _sealing(changes: list[Change]) -> str:
    """The event whose seal is the present one: its size is the one that we know."""
    return EDITED if any(change.event == EDITED for change in changes) else CREATED


def _when(message: Message, change: Change, zone: ZoneInfo, now: datetime) -> tuple[datetime, bool, str]:
    """When it happened, whether that is exact, and when we learnt it if that was later."""
    happened = {
        _E.ACCEPTED: message.sent_at,
        _E.DELIVERED: message.delivered_at,
        _E.READ: message.read_at,
    }.get(change.event)
    if happened is None or (change.at - happened).total_seconds() <= HEARD_S:
        return change.at, True, ""
    learnt = moment(change.at, zone, now)
    same_day = change.at.astimezone(zone).date() == happened.astimezone(zone).date()
    return happened, False, f"We learnt it at {learnt.seconds}." if same_day else f"We learnt it later: {learnt.full}."


def its_time(message: Message, left_at: datetime) -> datetime:
    """Its due instant; of a message with a window the instant inside it that is nearest to when it left."""
    return min(max(left_at, message.due_at), message.on_time_until)


def _left(left_at: datetime, due_at: datetime) -> _Happening:
    late_s = (left_at - due_at).total_seconds()
    late = late_s >= ON_TIME_S
    sentence = f"{span(late_s)} after {'its time' if late else 'the second'}."
    return _Happening(
        at=left_at,
        title="Handed to WhatsApp",
        tone="watch" if late else "good",
        icon="arrow-up-right",
        sentence=sentence,
    )


def _of_wake(message: Message, wake: Wake | None) -> list[_Happening]:
    """The session around the message, if it was woken for what was due then."""
    if wake is None or wake.reason is not WantKind.DUE:
        return []
    found = []
    ahead_s = (message.due_at - wake.woken_at).total_seconds()
    if ahead_s <= WAKE_S:
        sentence = f"{span(ahead_s)} early, so that it is ready in time." if ahead_s > 0 else ""
        found.append(
            _Happening(at=wake.woken_at, title="Session woken", tone="calm", icon="sunrise", sentence=sentence)
        )
        if wake.ready_at is not None:
            took = span((wake.ready_at - wake.woken_at).total_seconds())
            found.append(
                _Happening(
                    at=wake.ready_at,
                    title="Ready",
                    tone="calm",
                    icon="circle-check",
                    sentence=f"Connected and caught up in {took}.",
                )
            )
    if wake.slept_at is not None and wake.slept_at - message.due_at < timedelta(seconds=WAKE_S):
        awake = span((wake.slept_at - wake.woken_at).total_seconds())
        found.append(
            _Happening(
                at=wake.slept_at, title="Session back to sleep", tone="calm", icon="bed", sentence=f"Awake for {awake}."
            )
        )
    return found


def _ahead(message: Message, at: datetime) -> list[_Happening]:
    if message.state not in (_S.SCHEDULED, _S.ARMED):
        return []
    return [_Happening(at=at, title="Leaves", tone="calm", icon="arrow-up-right", exact=False, ahead=True)]
