"""What the engine room reads, kept for a while: any number of admins who look cost what one does."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from app.engine_view import Facts
from app.kept import Kept
from app.queue_view import ON_TIME_MS, STEPS_MS, horizon
from domain import limits
from domain.forecast import Fleet, Minute, forecast
from domain.refusal import Unavailable
from store import engine_room
from store.boards import Board, Boards
from store.database import Pool
from store.redis import Redis


class Outlooking(msgspec.Struct, frozen=True, kw_only=True):
    """The next day as it will be with the nodes that there are now, and the last 24 hours as they were."""

    minutes: list[Minute]
    fleet: Fleet
    spread: list[int]
    latest: list[engine_room.Late]


class EngineFeed:
    """One for a web process."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        """Nothing is asked until somebody looks."""
        self._pool = pool
        self._boards = Boards(redis)
        self._crowded = Kept(self._read_crowded, limits.ROOM_SLOW_S)
        self._record = Kept(self._read_record, limits.ROOM_RECORD_S)
        self._outlook = Kept(self._read_outlook, limits.ROOM_QUEUE_S)

    async def boards(self) -> list[Board] | None:
        """What each node shows, never older than the news of it; None when Redis is away."""
        try:
            return await self._boards.read()
        except Unavailable:
            return None

    async def facts(self) -> Facts:
        """The room as it stands. Raises Unavailable when Postgres is away."""
        boards, crowded = await self.boards(), await self._crowded.get()
        shown = [UUID(one.account) for board in boards or () for one in board.held]
        shown += [one.id for one in crowded.resting]
        shown += crowded.soon[: max(0, limits.TILES_MAX - len(shown))]
        return Facts(
            boards=boards,
            crowded=crowded,
            places=await engine_room.places(self._pool, shown),
            record=await self._record.get(),
        )

    async def outlook(self) -> Outlooking:
        """The queue and what left. Raises Unavailable when Postgres is away."""
        return await self._outlook.get()

    async def resting(self) -> list[engine_room.Resting]:
        """Accounts that may not wake now. Raises Unavailable."""
        return (await self._crowded.get()).resting

    def forget(self) -> None:
        """Something was done that changes it: the next look asks anew."""
        self._crowded.forget()

    async def _read_crowded(self) -> engine_room.Crowded:
        return await engine_room.crowded(self._pool, datetime.now(UTC) + timedelta(seconds=limits.SOON_S))

    async def _read_record(self) -> engine_room.Record:
        return await engine_room.record(self._pool, datetime.now(UTC) - timedelta(seconds=limits.RECORD_S))

    async def _read_outlook(self) -> Outlooking:
        now = datetime.now(UTC)
        crowds, lead_ms = await engine_room.crowds(self._pool, horizon(now))
        since = now - timedelta(days=1)
        boards = [board for board in await self.boards() or [] if not board.draining]
        fleet = Fleet(
            slots=sum(board.slots for board in boards), per_s=sum(board.per_s for board in boards), lead_ms=lead_ms
        )
        minutes = await asyncio.to_thread(forecast, crowds, int(now.timestamp() * 1000), fleet)
        return Outlooking(
            minutes=minutes,
            fleet=fleet,
            spread=await engine_room.spread(self._pool, since, STEPS_MS),
            latest=await engine_room.latest(self._pool, since, ON_TIME_MS, limits.LATEST_SHOWN),
        )
