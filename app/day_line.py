"""The line of a day: where its messages stand, as percentages for SVG attributes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.clock import moment
from domain.flight import Lamp
from domain.message import MessageState
from store.upcoming import OnDay

NIGHT_ENDS: Final = time(6, 0)
NIGHT_BEGINS: Final = time(19, 30)
HOURS: Final = (6, 12, 18)
CROWDED: Final = 12
"""More than this many in one hour are one ring with the count."""
APART_S: Final = 6300.0
"""Rings that are links stand 24 px apart on the narrowest line (330 px): this much of the day."""

_DONE: Final = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ})
_NEEDS: Final = frozenset(
    {MessageState.HELD, MessageState.BLOCKED, MessageState.UNCONFIRMED, MessageState.MISSED, MessageState.FAILED}
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One mark: `kind` done, go, next or needs; `x` in percent; `count` above 1: a crowded hour; `href` "": no link."""

    x: str
    kind: str
    count: int
    href: str
    label: str


class DayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A day: its marks, hours and nights in percent, and its first and last instant for whoever moves the now mark."""

    starts: str
    ends: str
    now: str
    morning: str
    evening: str
    night: str
    hours: list[tuple[str, str]]
    marks: list[Mark]
    label: str


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of a day in a zone, and that of the next."""
    return _at(day, time.min, zone), _at(day + timedelta(days=1), time.min, zone)


def day_line(
    messages: Sequence[OnDay], lamps: Mapping[UUID, Lamp], lead: UUID | None, zone: ZoneInfo, now: datetime
) -> DayLine:
    """The line of today. `lamps`: of those messages whose flight was checked; `lead`: the next to leave."""
    day = now.astimezone(zone).date()
    start, end = bounds(day, zone)
    whole_s = (end - start).total_seconds()

    def x(instant: datetime) -> str:
        return f"{100 * (instant - start).total_seconds() / whole_s:.2f}%"

    morning, evening = _at(day, NIGHT_ENDS, zone), _at(day, NIGHT_BEGINS, zone)
    by_hour: dict[datetime, list[OnDay]] = {}
    for one in messages:
        by_hour.setdefault(one.due_at.replace(minute=0, second=0, microsecond=0), []).append(one)
    marks = []
    for hour, ones in by_hour.items():
        if len(ones) > CROWDED:
            label = f"{len(ones)} messages from {moment(hour, zone, now).time}"
            marks.append(Mark(x=x(hour + timedelta(minutes=30)), kind="go", count=len(ones), href="", label=label))
            continue
        for one in ones:
            kind = _kind(one, lamps, lead)
            alone = all(
                other is one or abs((other.due_at - one.due_at).total_seconds()) >= APART_S for other in messages
            )
            when = moment(one.due_at, zone, now).time
            href = f"/messages/{one.id}" if alone else ""
            marks.append(Mark(x=x(one.due_at), kind=kind, count=1, href=href, label=f"{when}, {_WORD[kind]}"))
    done = sum(one.state in _DONE for one in messages)
    return DayLine(
        starts=moment(start, zone, now).iso,
        ends=moment(end, zone, now).iso,
        now=x(now),
        morning=x(morning),
        evening=x(evening),
        night=f"{100 * (end - evening).total_seconds() / whole_s:.2f}%",
        hours=[(x(_at(day, time(hour), zone)), f"{hour:02}") for hour in HOURS],
        marks=sorted(marks, key=lambda mark: mark.kind == "next"),  # the next one lies on top
        label=f"Today: {len(messages)} {'message' if len(messages) == 1 else 'messages'}, {done} sent",
    )


_WORD: Final = {"done": "sent", "go": "to go", "next": "next to leave", "needs": "needs you"}


def _kind(one: OnDay, lamps: Mapping[UUID, Lamp], lead: UUID | None) -> str:
    if one.state in _DONE:
        return "done"
    if one.state in _NEEDS or lamps.get(one.id) in (Lamp.WATCH, Lamp.STOP):
        return "needs"
    return "next" if one.id == lead else "go"


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    # In UTC: between two instants of one zone Python counts what its clocks show, not what passes.
    return datetime.combine(day, clock, zone).astimezone(UTC)
