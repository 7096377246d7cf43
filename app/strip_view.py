"""The strip of one message: when it was due, when it left and arrived, on a scale. Pure; in percent of the width.

The scale reaches from one step before the due instant to four after it. A step is half a second, or longer when the
message left later than that shows; the same steps everywhere, so that strips compare.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.clock import moment

ON_TIME_S: Final = 1.0
"""A message that left within this of its instant left on time."""

STEPS_S: Final = (0.5, 5.0, 30.0, 300.0, 1800.0, 18000.0)
"""What a fifth of the strip may stand for, in seconds."""
BEFORE: Final = 1
AFTER: Final = 4
_ROOM: Final = 0.92
"""How far along the part after the due instant a dot may stand, so that its label fits."""
_BEHIND: Final = 38.0
_BEFORE: Final = 68.0
"""Up to the first a label stands behind its mark, from the second on before it, else over it; percent."""


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the scale. `minor`: its label is left out where there is little room."""

    x: str
    label: str
    anchor: str
    minor: bool


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `anchor`: on which side of it the label stands."""

    x: str
    label: str
    anchor: str


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """All that is drawn. `band_x`, `band_width`: where it is still on time; `words`: the same for who cannot see it."""

    ticks: list[Tick]
    due_x: str
    band_width: str
    left: Mark
    arrived: Mark | None
    late: bool
    words: str


def span(seconds: float) -> str:
    """A time between two instants, as short as it is exact: 31 ms, 4.1 s, 71 s, 12 min, 3.5 h, 2 days."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = seconds / 3600
    return f"{hours:.1f} h".replace(".0 h", " h") if hours < 48 else f"{round(hours / 24)} days"


def strip(due_at: datetime, left_at: datetime, arrived_at: datetime | None, zone: ZoneInfo) -> Strip:
    """The strip of a message that left at `left_at`. `arrived_at` None, or off the scale: only when it left."""
    left_s = max((left_at - due_at).total_seconds(), 0.0)
    step_s = next((step for step in STEPS_S if left_s <= AFTER * step * _ROOM), STEPS_S[-1])
    left_s = min(left_s, AFTER * step_s)
    arrived_s = (arrived_at - due_at).total_seconds() if arrived_at else None
    if arrived_s is not None and not left_s <= arrived_s <= AFTER * step_s:
        arrived_s = None
    late = left_s >= ON_TIME_S
    due = moment(due_at, zone).seconds
    words = f"Left {span(left_s)} after {due}."
    if arrived_at and arrived_at >= left_at:
        words += f" Arrived {span((arrived_at - due_at).total_seconds())} after it."
    return Strip(
        ticks=[_tick(number, step_s, due_at, zone) for number in range(-BEFORE, AFTER + 1)],
        due_x=_x(0, step_s),
        band_width=_percent(min(ON_TIME_S / step_s, AFTER) * 100 / (BEFORE + AFTER)),
        left=_mark(left_s, step_s, "left"),
        arrived=None if arrived_s is None else _mark(arrived_s, step_s, "arrived"),
        late=late,
        words=words,
    )


def _tick(number: int, step_s: float, due_at: datetime, zone: ZoneInfo) -> Tick:
    at_s = number * step_s
    label = moment(due_at, zone).seconds if number == 0 else _scale(at_s)
    if step_s > STEPS_S[2] and number:
        label = moment(due_at + timedelta(seconds=at_s), zone).time
    anchor = {-BEFORE: "start", AFTER: "end"}.get(number, "middle")
    return Tick(x=_x(at_s, step_s), label=label, anchor=anchor, minor=number in (-1, 1, 3))


def _scale(at_s: float) -> str:
    sign = "−" if at_s < 0 else "+"
    figure = f"{abs(at_s):g}" if abs(at_s) >= 5 else f"{abs(at_s):.1f}"
    return f"{sign}{figure}" + (" s" if at_s in (1.0, 10.0, 60.0) else "")


def _mark(at_s: float, step_s: float, word: str) -> Mark:
    x = _along(at_s, step_s)
    return Mark(
        x=_percent(x),
        label=f"{word} +{span(at_s)}",
        anchor="start" if x < _BEHIND else "end" if x > _BEFORE else "middle",
    )


def _along(at_s: float, step_s: float) -> float:
    return (at_s / step_s + BEFORE) * 100 / (BEFORE + AFTER)


def _x(at_s: float, step_s: float) -> str:
    return _percent(_along(at_s, step_s))


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
