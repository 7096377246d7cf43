"""The account page: what is beside the statement. Pure, from rows to words and SVG numbers."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.account_view import AccountState, name_of
from app.clock import MONTHS, moment
from app.flight_view import time_words
from app.phone_view import ago
from app.timeline_view import Step
from app.views import LoginRow
from domain import limits
from domain.account import RunEvent
from domain.hotset import WantKind
from domain.zones import city
from store.pages import Account, Leaving
from store.record import Record
from store.users import Settings
from store.wakes import Wake

BARS: Final = 30
BAR_HIGH: Final = 60
"""Units of the picture; its height on the page is the stylesheet's."""
ON_TIME_MS: Final = 1000

WOKEN: Final[dict[WantKind, str]] = {
    WantKind.DUE: "For a message.",
    WantKind.PAIRING: "You linked it.",
    WantKind.WISH: "Because you asked.",
    WantKind.STICKY: "To fetch names and pictures.",
    WantKind.HEALTH: "So that WhatsApp keeps the link.",
}
ASLEEP: Final[dict[RunEvent, tuple[str, str]]] = {
    RunEvent.RELEASED: ("Nothing more was due.", "calm"),
    RunEvent.LOGGED_OUT: ("WhatsApp unlinked the phone.", "bad"),
    RunEvent.LOCKED: ("WhatsApp wants to see you.", "bad"),
    RunEvent.BANNED: ("WhatsApp restricts this number.", "bad"),
    RunEvent.REPLACED: ("The same link was in use from elsewhere.", "watch"),
    RunEvent.OUTDATED: ("WhatsApp wanted a newer version of us.", "watch"),
    RunEvent.RESTARTED: ("WhatsApp asked to begin anew.", "watch"),
    RunEvent.OVERDUE: ("WhatsApp did not answer.", "watch"),
    RunEvent.REFUSED: ("WhatsApp did not let us in.", "watch"),
    RunEvent.FLAPPED: ("The connection kept breaking.", "watch"),
}
BROKEN: Final = ("The connection ended by itself.", "watch")
UNSEEN: Final = ("We did not see how it ended.", "watch")


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """When the phone was seen: `ago` in words; `days`, oldest first, the last one today. `warning`: "" for none."""

    ago: str
    days: list[bool]
    warning: str


class Punctuality(msgspec.Struct, frozen=True, kw_only=True):
    """The on-time record. `bars`: height and tone of each day's slowest message, oldest first; `said`: in words."""

    figures: list[tuple[str, str, str]]
    bars: list[tuple[int, str]]
    said: str


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """What is closed, and to whom. `recovery`: since when there is a code, in words."""

    attested: bool
    recovery: str


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What the user has set, in words where it is shown. `theme`: "" for the system's."""

    zone: str
    city: str
    time: str
    theme: str
    letter_keys: bool


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """One account with all that belongs to its user. `others`: the switch between accounts, empty with one.

    `pause`: what waits because WhatsApp refused something, and why; both "" for nothing.
    """

    state: AccountState
    others: list[tuple[str, str, bool]]
    pause: tuple[str, str]
    phone: Phone | None
    record: Punctuality | None
    privacy: Privacy
    lately: list[Step]
    logins: list[LoginRow]
    preferences: Preferences
    may_add: bool
    new_id: str


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of somebody without an account, and an id for the first one."""

    new_id: str
    logins: list[LoginRow]
    preferences: Preferences


def phone(account: Account, zone: ZoneInfo, now: datetime) -> Phone | None:
    """When the account's phone was seen; None for one that never was linked."""
    if account.phone_seen_at is None:
        return None
    today, newest = now.astimezone(zone).date(), account.phone_seen_at.astimezone(zone).date()
    behind = max(0, (today - newest).days)
    days = [
        bool(account.phone_days >> (ago - behind) & 1) if ago >= behind else False for ago in range(limits.PHONE_DAYS)
    ]
    away = (now - account.phone_seen_at).days
    warning = ""
    if away >= limits.PHONE_WARN_DAYS:
        left = limits.PHONE_DAYS - away
        warning = f"We have not seen your phone for {away} days. Open WhatsApp on it" + (
            f" within {left} day{'s' if left > 1 else ''}." if left > 0 else " now."
        )
    return Phone(ago=ago(account.phone_seen_at, now), days=days[::-1], warning=warning)


def pause(account: Account, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    """What waits because WhatsApp refused something, until when, and why; two "" for nothing."""
    if account.sends_until is not None and account.sends_until > now:
        return (
            f"Nothing leaves until {time_words(account.sends_until, zone, now)}.",
            "WhatsApp refused two messages in a row. We wait, so that it does not restrict this number.",
        )
    if account.cold_until is not None and account.cold_until > now:
        return (
            f"New chats wait until {time_words(account.cold_until, zone, now)}.",
            "WhatsApp refused a first word to somebody who never wrote to you. People you know still get theirs.",
        )
    return "", ""


def punctuality(record: Record, zone: ZoneInfo, now: datetime) -> Punctuality | None:
    """The record in figures and bars; None where nothing has left or been missed."""
    if not record.sent and not record.missed:
        return None
    figures = [
        ("half within", *_duration(record.half_ms)),
        ("99 in 100 within", *_duration(record.most_ms)),
        ("sent", f"{record.sent:,}", ""),
        ("missed", f"{record.missed:,}", ""),
    ]
    if not record.sent:
        return Punctuality(figures=figures[2:], bars=[], said="")
    slowest = {day.day: day.slowest_ms for day in record.days}
    today = now.astimezone(zone).date()
    values = [slowest.get(today - timedelta(days=ago)) for ago in reversed(range(BARS))]
    tallest_ms = max(slowest.values())
    scale_ms = max(tallest_ms, 1)
    bars = [
        (0, "")
        if value is None
        else (max(4, round(BAR_HIGH * value / scale_ms)), "watch" if value > ON_TIME_MS else "")
        for value in values
    ]
    day = next(one for one in reversed(list(slowest)) if slowest[one] == tallest_ms)
    figure, unit = _duration(tallest_ms)
    said = f"Slowest message of each day. Tallest: {day.day} {MONTHS[day.month - 1][:3]}, {figure} {unit}."
    return Punctuality(figures=figures, bars=bars, said=said)


def lately(wakes: list[Wake], left: list[Leaving], zone: ZoneInfo, now: datetime, *, awake: bool) -> list[Step]:
    """What the account did last, newest first. `awake`: the newest wake still goes on."""
    found: list[tuple[datetime, Step]] = []
    for index, wake in enumerate(wakes):
        found.append((wake.woken_at, _step(wake.woken_at, zone, now, "Woken", WOKEN[wake.reason], "calm", "sunrise")))
        if wake.slept_at is not None:
            said, tone = ASLEEP.get(wake.ending or RunEvent.DIED, BROKEN)
            found.append((wake.slept_at, _step(wake.slept_at, zone, now, "Asleep", said, tone, "bed")))
        elif index or not awake:
            said, tone = UNSEEN
            seen_at = wake.ready_at or wake.woken_at
            found.append((seen_at, _step(seen_at, zone, now, "Gone", said, tone, "power")))
    for one in left:
        late_ms = max(0, int((one.left_at - one.due_at).total_seconds() * 1000)) if one.left_at else 0
        figure, unit = _duration(late_ms)
        said = "On the second." if late_ms < ON_TIME_MS else f"{figure} {unit} late."
        at = one.left_at or one.due_at
        step = _step(at, zone, now, f"Message to {name_of(one)} left", said, "good", "arrow-up-right")
        found.append((at, step))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [step for _, step in found[: limits.LATELY_MAX]]


def preferences(settings: Settings, zone: ZoneInfo, now: datetime) -> Preferences:
    """The user's settings in words."""
    return Preferences(
        zone=settings.zone,
        city=city(settings.zone),
        time=f"{now.astimezone(zone):%H:%M}",
        theme=settings.theme,
        letter_keys=settings.letter_keys,
    )


def _step(at: datetime, zone: ZoneInfo, now: datetime, title: str, said: str, tone: str, icon: str) -> Step:
    seen = msgspec.structs.replace(moment(at, zone, now), ms="")  # to the second: the message's own page has the rest
    day = "" if seen.day == "Today" else f"{seen.day}. "
    return Step(at=seen, title=title, sentence=day + said, tone=tone, icon=icon)


def _duration(ms: int) -> tuple[str, str]:
    if ms < 1000:
        return str(ms), "ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f}", "s"
    return f"{ms / 60_000:.0f}", "min"
