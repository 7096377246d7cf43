"""What the engine room says of the next day and of today: the queue with its wall, and how late what left was. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.amounts import lasting
from app.clock import moment
from app.engine_words import at_ms, cause
from domain import limits
from domain.forecast import Fleet, Minute
from store.engine_room import Late

HIGH: Final = 60
"""Units of a bar; its height on the page is the stylesheet's."""
QUARTER_MS: Final = 900_000
QUARTERS: Final = 96
ON_TIME_MS: Final = 1000
STEPS: Final = 16
STEPS_MS: Final = tuple(5 * 1000 ** (step / (STEPS - 1)) for step in range(STEPS))
"""From 5 ms to 5 s, each half as long again as the one before."""
BAD_MS: Final = 4900
LATENESS_AXIS: Final = (
    ("0%", "start", "5 ms"),
    ("35%", "middle", "50 ms"),
    ("65%", "middle", "0.5 s"),
    ("100%", "end", "5 s"),
)


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Bars as part "bars" takes them, axes as part "axis" does. `wall`: title and text of the worst minute, or None."""

    queue: list[tuple[int, str]]
    queue_axis: list[tuple[str, str, str]]
    queue_said: str
    wall: tuple[str, str] | None
    spread: list[tuple[int, str]]
    spread_axis: list[tuple[str, str, str]]
    sent: str
    causes: list[str]


def outlook(
    minutes: list[Minute], fleet: Fleet, spread: list[int], latest: list[Late], zone: ZoneInfo, now: datetime
) -> Outlook:
    """The next day and the last one."""
    begins_ms = int(now.timestamp() * 1000) // QUARTER_MS * QUARTER_MS
    waiting = sum(minute.messages for minute in minutes)
    busiest = max(minutes, key=lambda one: one.messages, default=None)
    latest_minute = max(minutes, key=lambda one: one.late_ms, default=None)
    wall = latest_minute if latest_minute is not None and latest_minute.late_ms >= ON_TIME_MS else None
    sent = sum(spread)
    return Outlook(
        queue=_queue(minutes, begins_ms, wall),
        queue_axis=_hours(begins_ms, zone),
        queue_said=_said(waiting, busiest, zone),
        wall=None if wall is None else _wall(wall, fleet, zone, now),
        spread=_bars(spread),
        spread_axis=list(LATENESS_AXIS),
        sent=f"{sent:,} sent",
        causes=[cause(one) for one in latest],
    )


def _queue(minutes: list[Minute], begins_ms: int, wall: Minute | None) -> list[tuple[int, str]]:
    """A bar for each quarter of an hour: its busiest minute. What is overdue stands in the first one."""
    most = [0] * QUARTERS
    for minute in minutes:
        quarter = min(QUARTERS - 1, max(0, (minute.begins_ms - begins_ms) // QUARTER_MS))
        most[quarter] = max(most[quarter], minute.messages)
    walled = -1 if wall is None else min(QUARTERS - 1, max(0, (wall.begins_ms - begins_ms) // QUARTER_MS))
    scale = max(most, default=0) or 1
    return [
        (max(2, HIGH * count // scale) if count else 0, "watch" if place == walled else "live" if place == 0 else "")
        for place, count in enumerate(most)
    ]


def _hours(begins_ms: int, zone: ZoneInfo) -> list[tuple[str, str, str]]:
    """Every sixth hour of the wall clock, where it falls."""
    axis = []
    for quarter in range(QUARTERS):
        here = at_ms(begins_ms + quarter * QUARTER_MS).astimezone(zone)
        if here.minute == 0 and here.hour % 6 == 0 and 2 <= quarter <= QUARTERS - 3:
            axis.append((f"{100 * quarter / QUARTERS:.1f}%", "middle", f"{here:%H}"))
    return axis


def _said(waiting: int, busiest: Minute | None, zone: ZoneInfo) -> str:
    if busiest is None:
        return "Nothing waits to leave in the next 24 hours."
    at = moment(at_ms(busiest.begins_ms), zone).time
    tallest = f"the tallest, {at}, has {busiest.messages:,}"
    return f"{_messages(waiting)} in all. Each bar is the busiest minute of 15; {tallest}."


def _wall(wall: Minute, fleet: Fleet, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    if fleet.slots <= 0:
        return "Nothing can leave.", f"No node has a slot; {_messages(wall.messages)} wait in one minute."
    at = at_ms(wall.begins_ms)
    title = "Now is the wall." if at <= now + timedelta(minutes=1) else f"{moment(at, zone).time} is the wall."
    text = (
        f"{_messages(wall.messages)} in one minute; the last leaves {lasting(wall.late_ms)} late at "
        f"{fleet.per_s:.1f} connects per second and {fleet.slots} slots."
    )
    return title, text


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _bars(spread: list[int]) -> list[tuple[int, str]]:
    scale = max(spread, default=0) or 1
    bounds = [0.0, *STEPS_MS]
    return [
        (
            max(2, HIGH * count // scale) if count else 0,
            "bad" if bounds[place] >= BAD_MS else "watch" if bounds[place] >= ON_TIME_MS * 0.9 else "good",
        )
        for place, count in enumerate(spread)
    ]


def horizon(now: datetime) -> datetime:
    """The end of the queue that is shown."""
    return now + timedelta(seconds=limits.QUEUE_S)
