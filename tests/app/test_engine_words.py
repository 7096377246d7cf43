"""What the engine room says: why a slot is held, why a message was late, where a tile stands, when the wall is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.engine_view import CELL, COLUMNS_MAX, COLUMNS_MIN, Facts, room
from app.engine_words import cause, why
from app.queue_view import STEPS_MS, outlook
from domain.forecast import Fleet, Minute
from store.boards import Held
from store.engine_room import Crowded, Late, Place, Record, Resting

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 8, 0, 5, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"run": "CONNECTING", "kind": "due"}, "connecting"),
        ({"run": "CONNECTING", "kind": "pairing"}, "linking"),
        ({"run": "CONNECTING", "kind": "health"}, "connecting, health wake"),
        ({"run": "HOT", "phase": "draining"}, "taking in what had waited"),
        ({"run": "HOT", "phase": "sending"}, "sending, 1 message"),
        ({"run": "HOT", "phase": "sending", "in_hand": 3}, "sending, 3 more in hand"),
        ({"run": "HOT", "phase": "ready", "fires_ms": NOW_MS + 25_000}, "ready, fires 09:00:30"),
        ({"run": "HOT", "phase": "ready", "kind": "sticky", "sticky_left_ms": 11_520_000}, "first sync, budget 3 h"),
        ({"run": "HOT", "phase": "lingering"}, "lingering for receipts"),
        ({"run": "HOT", "phase": "ready", "idle": True}, "idle, nobody needs its slot"),
        ({"run": "DISCONNECTING"}, "persisting store"),
    ],
)
def test_a_slot_says_why_it_is_held(columns: dict[str, object], said: str) -> None:
    held = Held(**{"account": "a", "phase": "", "kind": "due", "since_ms": 0, **columns})  # ty: ignore[invalid-argument-type]
    assert why(held, BERLIN) == said


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"woken_at": later(4), "linking": 77}, "#2087 4.5 s late: slot busy by linking of #0077."),
        ({"woken_at": later(4)}, "#2087 4.5 s late: waited 4.0 s for a slot."),
        (
            {"woken_at": later(4), "before_at": later(-26), "before_ending": "restarted", "linking": 77},
            "#2087 4.5 s late: backoff 30 s after 515.",
        ),
        ({"woken_at": later(-2), "ready_at": later(4)}, "#2087 4.5 s late: connecting took 6.0 s."),
        ({"woken_at": later(-9), "ready_at": later(-5), "attempts": 3}, "#2087 4.5 s late: left at try 3."),
        ({"woken_at": later(-9), "ready_at": later(-5)}, "#2087 4.5 s late: it stood behind others of its account."),
        ({}, "#2087 4.5 s late: nobody saw the wake in which it left."),
    ],
)
def test_a_late_message_has_a_cause(columns: dict[str, object], said: str) -> None:
    known = {"woken_at": None, "ready_at": None, "before_at": None, "before_ending": "", "linking": None, "attempts": 1}
    late = Late(number=2087, due_at=NOW, gone_at=later(4.5), **{**known, **columns})  # ty: ignore[invalid-argument-type]
    assert cause(late) == said


def _room(size: int, *places: int, soon: int = 0):
    ids = [UUID(int=place + 1) for place in places]
    resting = [Resting(id=one, number=9, stopped=True, parked=False, until=None) for one in ids]
    facts = Facts(
        boards=[],
        crowded=Crowded(size=size, soon=[], soon_size=soon, resting=resting),
        places={one: Place(number=place + 1, place=place) for one, place in zip(ids, places, strict=True)},
        record=Record(sent=0, missed=0, half_ms=0, most_ms=0),
    )
    return room(facts, BERLIN, NOW)


def test_a_small_map_has_a_tile_a_cell_and_a_staircase_around_all() -> None:
    seen = _room(50, 0, 23)
    assert seen.map.columns == COLUMNS_MIN
    assert [(tile.number, tile.x // CELL, tile.y // CELL) for tile in seen.map.tiles] == [(1, 0, 0), (24, 1, 1)]
    assert seen.map.ground == f"M0 0H{22 * CELL}V{2 * CELL}H{6 * CELL}V{3 * CELL}H0z"


def test_what_lives_on_a_large_map_is_larger_than_its_cell_and_in_its_middle() -> None:
    seen = _room(10_000, 65)
    assert seen.map.columns == min(COLUMNS_MAX, 63)
    (tile,) = seen.map.tiles
    assert tile.size > CELL
    assert (tile.x + tile.size / 2) / CELL == 65 % seen.map.columns + 0.5


def test_the_legend_counts_everybody_once() -> None:
    counts = {name: int(count.replace(",", "")) for name, _, count in _room(1000, 1, 2, 3, soon=40).legend}
    assert (counts["parked"], counts["soon"], counts["cold"]) == (3, 40, 957)
    assert sum(counts.values()) == 1000


def test_the_wall_is_the_minute_that_is_latest_and_says_by_how_much() -> None:
    minutes = [
        Minute(begins_ms=NOW_MS // 60_000 * 60_000 + 3_600_000, messages=412, late_ms=38_000),
        Minute(begins_ms=NOW_MS // 60_000 * 60_000 + 7_200_000, messages=500, late_ms=0),
    ]
    spread = [0] * (len(STEPS_MS) + 1)
    seen = outlook(minutes, Fleet(slots=60, per_s=6.2), spread, [], BERLIN, NOW)
    text = "412 messages in one minute; the last leaves 38 s late at 6.2 connects per second and 60 slots."
    assert seen.wall == ("10:00 is the wall.", text)
    assert [tone for high, tone in seen.queue if high] == ["watch", ""]
    assert "912 messages in all" in seen.queue_said
    calm = outlook(minutes[1:], Fleet(slots=60, per_s=6.2), spread, [], BERLIN, NOW)
    assert calm.wall is None
    assert outlook([], Fleet(slots=0, per_s=0), spread, [], BERLIN, NOW).queue_said.startswith("Nothing waits")
