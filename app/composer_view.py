"""The composer as its page shows it: pure, from what was chosen to when it leaves, in words, and whether it will."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from app.account_view import AccountState
from app.clock import zone_or_utc
from app.flight_view import FlightView, facts_of, flight_view
from app.forecast import Departure, late_at
from app.views import ContactList, ContactRow
from domain import departure, draft, limits
from domain.departure import Pick
from domain.flight import flight
from domain.refusal import Refused
from domain.zones import city, zone_of_number
from store.pages import Account, Contact


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says under the chosen time. No text of a message is known here.

    `asked`: time, zone, window, how late (s) and recipient that this answers, as they were asked for, spaced.
    `line`, `there`, `note`: when it leaves, what time it is for the recipient then, what clocks do to it. `error`,
    `field`: why the time cannot be ("due", "zone"); then the three are "". `day`, `clock`: the chosen time as the
    fields show it, "" when it is not one; `sent`: the time of day at which it leaves. `city`: what the zone is called.
    `today`: the date in the zone; the picks are of that day. `flight`: None without a recipient or a time. `stranger`:
    whom the person has to confirm, "" for nobody, and `stranger_hint` why.
    """

    asked: str
    line: str = ""
    there: str = ""
    note: str = ""
    error: str = ""
    field: str = ""
    day: str = ""
    clock: str = ""
    sent: str = ""
    city: str
    today: str
    flight: FlightView | None = None
    stranger: str = ""
    stranger_hint: str = (
        "WhatsApp counts first words to strangers against a number and restricts those that send many. "
        f"{limits.STRANGERS_PER_DAY} leave a day, {limits.STRANGERS_PER_WEEK} a week. We ask once for each."
    )


class Picks(msgspec.Struct, frozen=True, kw_only=True):
    """The quick choices, `chosen` one of their `due` or "" for a time of one's own."""

    picks: list[Pick]
    chosen: str


class Compose(msgspec.Struct, frozen=True, kw_only=True):
    """The page on which one writes. `schedule` is the id that the seal will be bound to; `to`: already chosen.

    `zone_known`: the person's zone is one that they or their browser said. `again`: a message to be written again.
    `windows`, `late`: how exactly it leaves and how late it may be, in seconds and in words.
    """

    schedule: str
    account: str
    accounts: list[AccountState]
    contacts: ContactList
    to: ContactRow | None
    picks: Picks
    next: Next
    zone: str
    zone_known: bool
    attested: bool
    chars_max: int
    windows: tuple[tuple[int, str], ...] = departure.WINDOWS
    late: tuple[tuple[int, str], ...] = departure.LATE
    late_usual: int = limits.LATE_DEFAULT_S
    again: str


class NextAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What changes on the page with the chosen time. `picks` None: they stay."""

    next: Next
    picks: Picks | None


def next_view(
    due: str,
    zone_name: str,
    to: str,
    account: Account | None,
    contact: Contact | None,
    now: datetime,
    leaves: Departure | None = None,
    *,
    window_s: int = 0,
    late_limit_s: int = limits.LATE_DEFAULT_S,
    stranger: bool = False,
) -> Next:
    """What follows from a chosen time (`due`, as `draft.chosen` takes it), a zone, and a recipient ("": none yet).

    `leaves`: when it would leave, if not at the chosen time. `window_s`, `late_limit_s`: as a schedule has them.
    `stranger`: the recipient has to be confirmed.
    """
    asked = f"{due} {zone_name} {window_s} {late_limit_s} {to}"
    zone = zone_or_utc(zone_name)
    today = f"{now.astimezone(zone).date()}"
    try:
        chosen = draft.chosen(due, zone_name, now)
    except Refused as refused:
        day, typed = _typed(due)
        return Next(
            asked=asked,
            error=refused.sentence,
            field=refused.field,
            day=day,
            clock=typed,
            city=city(zone.key),
            today=today,
            stranger=to if stranger else "",
        )
    on_time_until = chosen.at + timedelta(seconds=window_s)
    found = None
    if to and account is not None:
        facts = facts_of(
            account, contact, group=to.endswith("@g.us"), due_at=on_time_until, leaves=leaves, late_limit_s=late_limit_s
        )
        found = flight_view(flight(facts, now), zone, now, account=str(account.id))
    said = chosen
    late = late_at(on_time_until, leaves)
    if late and late <= on_time_until + timedelta(seconds=late_limit_s):
        said, window_s = msgspec.structs.replace(chosen, at=late), 0
    return Next(
        asked=asked,
        line=departure.leaves(said, zone, now, window_s),
        there=departure.there(said, zone, zone_of(to)),
        note=departure.quirk(chosen, zone),
        day=f"{chosen.wall:%Y-%m-%d}",
        clock=f"{chosen.wall:%H:%M:%S}" if chosen.wall.second else f"{chosen.wall:%H:%M}",
        sent=f"{said.at.astimezone(zone):%H:%M}",
        city=city(zone.key),
        today=today,
        flight=found,
        stranger=to if stranger else "",
    )


def _typed(due: str) -> tuple[str, str]:
    # A time that has passed is one all the same, and is shown as one.
    day, _, typed = due.partition("T")
    try:
        return day, f"{draft.clock(typed):%H:%M}"
    except Refused:
        return "", ""


def picks_view(zone: ZoneInfo, now: datetime, chosen: str = "") -> Picks:
    """The quick choices of somebody in `zone`; one of them is chosen if `chosen` is its `due`."""
    return Picks(picks=departure.picks(now, zone), chosen=chosen)


def proposed(now: datetime, zone: ZoneInfo) -> str:
    """What is chosen before anything is: tomorrow at nine."""
    return f"{now.astimezone(zone).date() + timedelta(days=1)}T{departure.MORNING:%H:%M}"


def wanted(due: str, zone: ZoneInfo, now: datetime) -> str:
    """The time that a link asks for: a day, or a day and a time, in the person's zone; tomorrow at nine for others."""
    asked = due if "T" in due else f"{due}T{departure.MORNING:%H:%M}"
    try:
        chosen = draft.chosen(asked, zone.key, now)
    except Refused:
        return proposed(now, zone)
    return f"{chosen.wall:%Y-%m-%dT%H:%M}"


def zone_of(to: str) -> str:
    """The zone in which a recipient is, as far as the number tells; "" for groups and others."""
    digits, _, server = to.partition("@")
    return zone_of_number(digits) if server == "s.whatsapp.net" else ""
