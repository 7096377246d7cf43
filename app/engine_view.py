"""The engine room as it stands: figures, the map of tiles, who holds which slot. Pure, from boards and rows.

The map has a place for every account. The cold ones are one shape filled with dots, however many they are; only those
that live, wait or are about to wake are elements of their own.
"""

import math
from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.amounts import duration, lasting
from app.clock import Moment, moment
from app.engine_words import Trouble, late_loops, numbered, tile_of, trouble, why
from domain import limits
from store.boards import Board, Held
from store.engine_room import Crowded, Place, Record

CELL: Final = 24
"""Units of the map from one tile to the next; a tile is 18 of them."""
TILE: Final = 18
DENSE_TILE: Final = 36
COLUMNS_MIN: Final = 22
COLUMNS_MAX: Final = 64
DENSE_COLUMNS: Final = 32
"""From here on cells are so small that what lives is drawn larger than its own, and what is due soon as large."""
WORDS: Final[dict[str, str]] = {
    "cold": "Cold",
    "soon": "Cold, due within 15 min",
    "connecting": "Connecting",
    "hot": "Hot",
    "sending": "Sending",
    "closing": "Disconnecting",
    "resting": "Backoff",
    "parked": "Parked",
}
"""What each tile says, in the order of the legend."""
_ORDER: Final = ("sending", "hot", "connecting", "closing")


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """An account on the map, in units of it: a square of `size`."""

    number: int
    name: str
    x: int
    y: int
    size: int


class TileMap(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts. `ground`: the path around the places of all of them; `dot`: the radius of a cold one's."""

    columns: int
    width: int
    height: int
    ground: str
    dot: float
    tiles: list[Tile]


class SlotRow(msgspec.Struct, frozen=True, kw_only=True):
    """A slot, who holds it, why, and for how long."""

    tile: str
    name: str
    number: int
    why: str
    lasting: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the view is made of. `boards` None: Redis is away."""

    boards: list[Board] | None
    crowded: Crowded
    places: dict[UUID, Place]
    record: Record


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The engine room. `legend`: tile, its word, how many. `slots`: the busiest; `more` of them are not shown."""

    line: str
    updated: Moment
    loops: str
    loops_tone: str
    trouble: Trouble | None
    figures: list[tuple[str, str, str]]
    legend: list[tuple[str, str, str]]
    map: TileMap
    living: list[Tile]
    slots: list[SlotRow]
    more: int
    free: str


def room(facts: Facts, zone: ZoneInfo, now: datetime) -> Room:
    """The whole of it."""
    boards, now_ms = facts.boards or [], int(now.timestamp() * 1000)
    held = {UUID(one.account): one for board in boards for one in board.held}
    names = _names(facts, held)
    counts = Counter(names.values())
    counts["soon"] = max(counts["soon"], facts.crowded.soon_size - sum(one in held for one in facts.crowded.soon))
    counts["cold"] = max(0, facts.crowded.size - sum(counts.values()))
    late = late_loops(boards, now_ms)
    loops = sum(len(board.loops) for board in boards)
    tiles = _map(facts, names)
    rows = _slots(facts, held, zone, now_ms)
    slots = sum(board.slots for board in boards if not board.draining)
    return Room(
        line=f"{_count(len(boards), 'node')} · {_count(facts.crowded.size, 'account')}",
        updated=moment(now, zone, now),
        loops=(late[0] if late else f"All {_count(loops, 'loop')} on time") if boards else "",
        loops_tone="watch" if late else "good",
        trouble=trouble(facts.boards, zone),
        figures=_figures(facts, len(held), slots),
        legend=[(name, word, f"{counts[name]:,}") for name, word in WORDS.items()],
        map=tiles,
        living=tiles.tiles[: limits.LIVING_SHOWN_MAX],
        slots=rows[: limits.SLOTS_SHOWN_MAX],
        more=max(0, len(rows) - limits.SLOTS_SHOWN_MAX),
        free=_free(slots - len(held)) if boards else "",
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _names(facts: Facts, held: dict[UUID, Held]) -> dict[UUID, str]:
    """The tile of each account that is more than cold; who has a slot first, then who rests, then who is due soon."""
    names = {account: tile_of(one) for account, one in held.items()}
    for one in facts.crowded.resting:
        names.setdefault(one.id, "parked" if one.parked or one.stopped else "resting")
    for account in facts.crowded.soon:
        names.setdefault(account, "soon")
    return names


def _map(facts: Facts, names: dict[UUID, str]) -> TileMap:
    size = max(1, facts.crowded.size, *(place.place + 1 for place in facts.places.values()))
    columns = min(COLUMNS_MAX, max(COLUMNS_MIN, math.isqrt(size * 2 // 5)))
    rows = -(-size // columns)
    dense = columns > DENSE_COLUMNS
    drawn = list(names.items())[: limits.TILES_MAX]
    tiles = [
        _tile(place, name, columns, (CELL if name == "soon" else DENSE_TILE) if dense else TILE)
        for account, name in drawn
        if (place := facts.places.get(account)) is not None
    ]
    full, rest = divmod(size, columns)
    width = columns * CELL
    ground = f"M0 0H{width}V{full * CELL}H{rest * CELL}V{rows * CELL}H0z"
    dot = 3 if dense else 1.6
    return TileMap(columns=columns, width=width, height=rows * CELL, ground=ground, dot=dot, tiles=tiles)


def _tile(place: Place, name: str, columns: int, size: int) -> Tile:
    inset = (CELL - size) // 2
    row, column = divmod(place.place, columns)
    return Tile(number=place.number, name=name, x=column * CELL + inset, y=row * CELL + inset, size=size)


def _slots(facts: Facts, held: dict[UUID, Held], zone: ZoneInfo, now_ms: int) -> list[SlotRow]:
    found = sorted(held.items(), key=lambda pair: (_ORDER.index(tile_of(pair[1])), pair[1].idle, -pair[1].since_ms))
    return [
        SlotRow(
            tile=tile_of(one),
            name=numbered(place.number),
            number=place.number,
            why=why(one, zone),
            lasting=lasting(now_ms - one.since_ms),
        )
        for account, one in found
        if (place := facts.places.get(account)) is not None
    ]


def _free(free: int) -> str:
    if free <= 0:
        return "none is free"
    return "1 free, kept for due sends" if free == 1 else f"{free} free, one kept for due sends"


def _figures(facts: Facts, live: int, slots: int) -> list[tuple[str, str, str]]:
    record, boards = facts.record, facts.boards or []
    half, most = duration(record.half_ms), duration(record.most_ms)
    seen = bool(boards)
    memory, room = live * limits.SESSION_BYTES / 1e9, slots * limits.SESSION_BYTES / 1e9
    per_s = sum(board.per_s for board in boards if not board.draining)
    nothing = ("–", "")
    return [
        ("Late, half within", *(half if record.sent else nothing)),
        ("Late, 99 in 100", *(most if record.sent else nothing)),
        ("Missed, 30 days", f"{record.missed:,}", f"of {record.sent + record.missed:,}"),
        ("Slots used", *((str(live), f"of {slots}") if seen else nothing)),
        ("Session memory", *((f"{memory:.1f}", f"of {room:.1f} GB") if seen else nothing)),
        ("Connect rate", *((f"{per_s:.1f}", "per s") if seen else nothing)),
    ]
