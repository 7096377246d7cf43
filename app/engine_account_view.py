"""One account in the engine room: how it stands, what it did lately and why, what may be ordered. Pure, and masked."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from app.amounts import lasting
from app.clock import Moment, moment, within
from app.engine_view import WORDS
from app.engine_words import FAILED_BEFORE, cause, numbered, tile_of, why
from app.timeline_view import Step
from domain import limits
from domain.account import Link, RunEvent
from domain.hotset import WantKind
from store.boards import Held
from store.engine_room import Account, Late
from store.orders import Act, Order
from store.wakes import Wake

WOKEN: Final[dict[WantKind, str]] = {
    WantKind.DUE: "Woken to send",
    WantKind.PAIRING: "Linking",
    WantKind.WISH: "Woken by its owner",
    WantKind.STICKY: "Woken for its first sync",
    WantKind.HEALTH: "Woken so that WhatsApp keeps the link",
}
ENDING: Final[dict[RunEvent, str]] = {
    RunEvent.RELEASED: "put to sleep",
    RunEvent.RESTARTED: "515, WhatsApp asked to begin anew",
    RunEvent.REFUSED: "WhatsApp refused the login",
    RunEvent.OVERDUE: "WhatsApp did not answer",
    RunEvent.FLAPPED: "the connection kept breaking",
    RunEvent.LOGGED_OUT: "WhatsApp unlinked it",
    RunEvent.LOCKED: "WhatsApp locked it",
    RunEvent.BANNED: "WhatsApp restricts it",
    RunEvent.REPLACED: "the same link was in use from elsewhere",
    RunEvent.OUTDATED: "WhatsApp wanted a newer client",
    RunEvent.SLOT_LOST: "its slot was lost",
    RunEvent.PAIR_FAILED: "linking failed",
}
LINKS: Final[dict[Link, str]] = {
    Link.UNLINKED: "Not linked",
    Link.PAIRING: "Linking",
    Link.LINKED: "Linked",
    Link.LOGGED_OUT: "Unlinked by WhatsApp",
    Link.BANNED: "Restricted by WhatsApp",
    Link.LOCKED: "Locked by WhatsApp",
}
DONE: Final[dict[Act, str]] = {
    Act.SLEEP: "sent {} to sleep",
    Act.PARK: "parked {}",
    Act.UNPARK: "let {} go on",
    Act.DRAIN: "emptied node {}",
    Act.UNDRAIN: "let node {} take accounts again",
}


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `tile` and `state`: what it does; `rows`: keys and values; `can`: what may be ordered."""

    number: int
    name: str
    tile: str
    state: str
    rows: list[tuple[str, str]]
    steps: list[Step]
    can: list[Act]


class TrailRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order, as a sentence."""

    at: Moment
    said: str
    number: int | None


def sheet(
    account: Account,
    held: Held | None,
    wakes: list[Wake],
    late: list[Late],
    orders: list[Order],
    zone: ZoneInfo,
    now: datetime,
) -> Sheet:
    """The account and its history, newest first."""
    tile, state = _state(account, held, zone, now)
    return Sheet(
        number=account.number,
        name=numbered(account.number),
        tile=tile,
        state=state,
        rows=_rows(account, zone, now),
        steps=history(wakes, late, orders, zone, now, awake=held is not None),
        can=[
            *([Act.SLEEP] if held is not None else []),
            Act.UNPARK if account.stopped_at is not None or tile in ("parked", "resting") else Act.PARK,
        ],
    )


def history(
    wakes: list[Wake], late: list[Late], orders: list[Order], zone: ZoneInfo, now: datetime, *, awake: bool
) -> list[Step]:
    """Wakes, late messages and orders, newest first. `awake`: the newest wake goes on."""
    found: list[tuple[datetime, Step]] = []
    for index, wake in enumerate(wakes):
        goes_on = awake and index == 0 and wake.slept_at is None
        said, tone = _said(wake, wakes[index - 1] if index else None, goes_on=goes_on)
        found.append((wake.woken_at, _step(wake.woken_at, zone, now, WOKEN[wake.reason], said, tone, "sunrise")))
    for one in late:
        said = cause(one).partition(" ")[2].capitalize()
        found.append((one.gone_at, _step(one.gone_at, zone, now, "A message left late", said, "watch", "hourglass")))
    for order in orders:
        found.append((order.at, _step(order.at, zone, now, "Ordered", order_said(order), "wax", "hand")))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [step for _, step in found[: limits.HISTORY_WAKES]]


def order_said(order: Order) -> str:
    """Who ordered what: "ana@example.org parked #2087"."""
    about = numbered(order.number) if order.number is not None else order.node
    return f"{order.admin or 'An admin who has left'} {DONE[order.act].format(about)}."


def trail(orders: list[Order], zone: ZoneInfo, now: datetime) -> list[TrailRow]:
    """All orders as sentences."""
    return [TrailRow(at=moment(one.at, zone, now), said=order_said(one), number=one.number) for one in orders]


def _state(account: Account, held: Held | None, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    if held is not None:
        tile = tile_of(held)
        said = why(held, zone)
        return tile, f"{said[0].upper()}{said[1:]}."
    if account.stopped_at is not None:
        return "parked", "Parked by an admin, until one lets it go on."
    for tile, until in (("parked", account.parked_until), ("resting", account.backoff_until)):
        if until is not None and until > now:
            tries = f", after {account.failures} failed connects in a row" if account.failures else ""
            return tile, f"{WORDS[tile]} until {moment(until, zone, now).seconds}{tries}."
    return "cold", "Cold: nothing needs it now."


def _rows(account: Account, zone: ZoneInfo, now: datetime) -> list[tuple[str, str]]:
    since = within(moment(account.link_changed_at, zone, now).full)
    rows = [
        ("Link", f"{LINKS[account.link]}, {since}"),
        ("Node", account.owner or "none has it now"),
        ("Messages waiting", f"{account.waiting:,}"),
        ("Wake takes", lasting(account.lead_ms)),
    ]
    if account.next_at is not None:
        rows.append(("Next is due", within(moment(account.next_at, zone, now).full)))
    if account.last_hot_at is not None:
        rows.append(("Last awake", within(moment(account.last_hot_at, zone, now).full)))
    return rows


def _said(wake: Wake, following: Wake | None, *, goes_on: bool) -> tuple[str, str]:
    """What a wake came to, and its colour."""
    parts = []
    if wake.ready_at is not None:
        parts.append(f"ready after {lasting(_ms(wake.woken_at, wake.ready_at))}")
    if wake.slept_at is None:
        parts.append("still awake" if goes_on else "nobody saw its end")
        return f"{', '.join(parts).capitalize()}.", "live" if goes_on else "watch"
    held = f"held its slot for {lasting(_ms(wake.woken_at, wake.slept_at))}"
    ending = ENDING.get(wake.ending or RunEvent.DIED, "the session died")
    said = f"{', '.join([*parts, held]).capitalize()}, then {ending}."
    if wake.ending in FAILED_BEFORE:
        if following is not None:
            because = FAILED_BEFORE[str(wake.ending)].format(lasting(_ms(wake.slept_at, following.woken_at)))
            said += f" {because[0].upper()}{because[1:]}."
        return said, "watch"
    return said, "calm" if wake.ready_at is not None else "watch"


def _step(at: datetime, zone: ZoneInfo, now: datetime, title: str, said: str, tone: str, icon: str) -> Step:
    seen = msgspec.structs.replace(moment(at, zone, now), ms="")
    day = "" if seen.day == "Today" else f"{seen.day}. "
    return Step(at=seen, title=title, sentence=day + said, tone=tone, icon=icon)


def _ms(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds() * 1000)
