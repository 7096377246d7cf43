"""A demo in a scratch folder, with somebody's people in it, and hands that reach behind the pages."""

import json
import shutil
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import redis

from standalone.children import bring_up
from standalone.demo_world import OWN_NAME, OWN_NUMBER, Phones
from standalone.home import open_home_at
from standalone.plan import Plan, scratch_folder
from standalone.postgres import Postgres
from standalone.programs import Program
from standalone.settings import SUPERVISOR
from standalone.valkey import Valkey
from store import keys
from store.run_state import PairingShown

PAIRING_SHOWN_MS: Final = 600_000
MORNING_H: Final = 7.5
"""The day is furnished for a person whose morning it is: from half past seven on, for an hour."""
FICTION: Final = "447700900"
ZONES: Final = {
    "Europe/London": FICTION,
    "America/New_York": "121255501",
    "America/Chicago": "131255501",
    "America/Denver": "130355501",
    "America/Los_Angeles": "121355501",
    "America/Halifax": "190255501",
    "America/Anchorage": "190755501",
    "Pacific/Honolulu": "180855501",
    "Europe/Berlin": FICTION,
    "America/Sao_Paulo": FICTION,
    "America/Noronha": FICTION,
    "Atlantic/Azores": FICTION,
    "Atlantic/Cape_Verde": FICTION,
    "Europe/Athens": FICTION,
    "Europe/Istanbul": FICTION,
    "Asia/Dubai": FICTION,
    "Asia/Karachi": FICTION,
    "Asia/Dhaka": FICTION,
    "Asia/Bangkok": FICTION,
    "Asia/Singapore": FICTION,
    "Asia/Tokyo": FICTION,
    "Australia/Brisbane": FICTION,
    "Pacific/Guadalcanal": FICTION,
    "Pacific/Auckland": FICTION,
    "Pacific/Fiji": FICTION,
    "Pacific/Tongatapu": FICTION,
    "Pacific/Pago_Pago": FICTION,
    "Pacific/Gambier": FICTION,
}
"""Places for every hour of the day, the likelier ones first, and what numbers of people there begin with.

Those numbers are set aside for fiction, where there are such numbers; else they are British ones (Ofcom, 07700 900000).
"""
NEIGHBOURS: Final = (
    "Grandma",
    "Ben",
    "Dr. Okafor's practice",
    "Anna Müller",
    "Leo, plumber",
    "Mum",
    "Priya",
)
FAR_AWAY: Final = (("33639980017", "Camille"), ("61491570156", "Hana"), ("35315550143", "Maya Lindqvist"))
"""Paris, Sydney, Dublin; of fiction too."""
GROUP: Final = "Sunday lunch"


@dataclass(frozen=True, slots=True)
class Desk:
    """The running demo. `zone`: where it is morning; `people`: numbers by name; `query` runs SQL text through psql."""

    plan: Plan
    phones: Phones
    phones_url: str
    query: Callable[[str], str]
    cache: redis.Redis
    redis_url: str
    zone: str
    people: Mapping[str, str]

    def today_at(self, clock: str, days: int = 0) -> datetime:
        """The instant at which the person's clock shows `clock` (HH:MM) today, or `days` later."""
        day = datetime.now(ZoneInfo(self.zone)).date() + timedelta(days=days)
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def stop_engine(self) -> None:
        """Stop the supervisor: from here on rows stay as they are put."""
        next(one for one in self.plan.services if isinstance(one, Program) and one.name == SUPERVISOR).stop()

    def show_pairing(self, account: str, shown: PairingShown) -> None:
        """Do what the supervisor does: show how far a linking is."""
        self.cache.set(keys.pairing(account), msgspec.json.encode(shown), px=PAIRING_SHOWN_MS)

    def tell(self, user: str, kind: str, thing: str) -> None:
        """Tell the pages of a user that something has changed."""
        self.cache.publish(keys.news_of(user), json.dumps([[kind, thing]]))


@contextmanager
def open_desk() -> Generator[Desk]:
    """Run a demo with its own PostgreSQL and Valkey; nothing is left at the end. Main thread only."""
    folder = scratch_folder()
    try:
        with open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
            plan = Plan(home, {}, demo=True, port=0, durable=False)
            running = []
            try:
                for service in plan.services:
                    bring_up(service)
                    running.append(service)
                yield from _furnished(plan)
            finally:
                for service in reversed(running):
                    service.stop()
                plan.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def morning_zone(now: datetime) -> str:
    """Return a zone in which it is morning at `now`."""

    def since_morning_h(zone: str) -> float:
        here = now.astimezone(ZoneInfo(zone))
        return (here.hour + here.minute / 60 - MORNING_H) % 24

    return min(ZONES, key=lambda zone: int(since_morning_h(zone)))


def people_in(zone: str) -> dict[str, str]:
    """Return the people of somebody who lives there: numbers by name."""
    near = {name: f"{ZONES[zone]}{turn:0{12 - len(ZONES[zone])}}" for turn, name in enumerate(NEIGHBOURS, start=11)}
    return near | {name: number for number, name in FAR_AWAY}


def _furnished(plan: Plan) -> Generator[Desk]:
    assert plan.simulator is not None
    control = str(plan.simulator.facts["control"])
    phones = Phones(control)
    postgres = next(one for one in plan.services if isinstance(one, Postgres))
    valkey = next(one for one in plan.services if isinstance(one, Valkey))
    cache = redis.Redis.from_url(valkey.url)
    try:
        zone = morning_zone(datetime.now(UTC))
        people = people_in(zone)
        for name, number in people.items():
            phones.make(number, name, knows=[(OWN_NUMBER, OWN_NAME)], picture="shown")
        known = [(number, name) for name, number in people.items()]
        phones.make(OWN_NUMBER, OWN_NAME, knows=known, picture="shown", own=True)
        phones.make_group(OWN_NUMBER, GROUP, [people[name] for name in NEIGHBOURS[:4]])
        yield Desk(plan, phones, control, postgres.query, cache, valkey.url, zone, people)
    finally:
        cache.close()
        phones.close()


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
