"""When a message leaves, in words: the quick picks, and the sentences under them. Pure; the product's voice."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from domain import civil, limits
from domain.draft import Chosen
from domain.zones import city

MORNING: Final = time(9)
EVENING: Final = time(19)
WINDOWS: Final = ((0, "Exactly"), (300, "About, 5 min"), (1800, "About, 30 min"))
"""How exactly a message leaves: the choices, in seconds after its time and in words."""
LATE: Final = ((300, "5 minutes"), (1800, "30 minutes"), (limits.LATE_DEFAULT_S, "2 hours"), (24 * 3600, "a day"))
"""How late it may be: the choices, in seconds and in words."""
SOON_S: Final = 3600
"""What leaves sooner than this is told in minutes too."""


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A quick choice: `due` as `draft.chosen` takes it, and its name."""

    due: str
    name: str


def picks(now: datetime, zone: ZoneInfo) -> list[Pick]:
    """The quick choices of somebody in `zone`, soonest first."""
    here = now.astimezone(zone)
    today, tomorrow = here.date(), here.date() + timedelta(days=1)
    monday = today + timedelta(days=7 - today.weekday())
    found = [Pick(due="+10", name="In 10 min"), Pick(due="+120", name="In 2 h")]
    if here.time() < EVENING:
        found.append(Pick(due=f"{today}T{EVENING:%H:%M}", name="Tonight 19:00"))
    found.append(Pick(due=f"{tomorrow}T{MORNING:%H:%M}", name="Tomorrow 9:00"))
    if monday != tomorrow:
        found.append(Pick(due=f"{monday}T{MORNING:%H:%M}", name="Monday 9:00"))
    return found


def leaves(chosen: Chosen, zone: ZoneInfo, now: datetime, window_s: int = 0) -> str:
    """ "Leaves tomorrow at 9:00." in the writer's zone; with a window "at about 9:00, by 9:05 at the latest." """
    here = chosen.at.astimezone(zone)
    left_s = (chosen.at - now).total_seconds()
    if left_s <= 0:
        return "Leaves now."
    if window_s:
        latest = (chosen.at + timedelta(seconds=window_s)).astimezone(zone)
        day = civil.day_words(here.date(), now.astimezone(zone).date())
        return f"Leaves {day} at about {clock_words(here)}, by {clock_words(latest)} at the latest."
    day = civil.day_words(here.date(), now.astimezone(zone).date())
    soon = f", in {civil.span_words(left_s)}" if left_s < SOON_S else ""
    return f"Leaves {day} at {clock_words(here)}{soon}."


def there(chosen: Chosen, zone: ZoneInfo, other: str) -> str:
    """ "In Lisbon it is noon." in the recipient's zone, whose name may be "": then nothing."""
    if not other or other == zone.key:
        return ""
    here, away = chosen.at.astimezone(zone), chosen.at.astimezone(civil.zone(other))
    named = "noon" if away.time() == time(12) else "midnight" if away.time() == time(0) else clock_words(away)
    if here.utcoffset() == away.utcoffset():
        return f"In {city(other)} it is {named} too."
    day = f"{civil.WEEKDAYS[away.weekday()]}, {named}" if here.date() != away.date() else named
    return f"In {city(other)} it is {day}."


def quirk(chosen: Chosen, zone: ZoneInfo) -> str:
    """What the clocks do to the chosen time: skip it, show it twice; "" for nothing."""
    if not chosen.quirk:
        return ""
    day = f"{chosen.wall.day} {civil.MONTHS[chosen.wall.month - 1]}"
    if chosen.quirk == "fold":
        return f"{chosen.wall:%H:%M} happens twice on {day}. We send once, at the first."
    sent = chosen.at.astimezone(zone)
    return f"{chosen.wall:%H:%M} does not exist on {day}. We send at {sent:%H:%M}."


def clock_words(here: datetime) -> str:
    """A time of day inside a sentence: "9:00"; with seconds where there are any."""
    return f"{here.hour}:{here:%M:%S}" if here.second else f"{here.hour}:{here:%M}"
