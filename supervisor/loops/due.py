"""What must leave soon is claimed, armed and handed to its actor. Redis says it sooner; Postgres alone suffices."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from domain import limits
from domain.account import Link
from domain.message import BLOCK_REASONS, MessageEvent, Reason
from domain.refusal import Unavailable
from store import keys
from store.messages import Looked
from supervisor import clock, standing
from supervisor.actors import Actors
from supervisor.loops.turning import Turn


class DueLoop:
    """Looks `limits.LOOK_AHEAD_S` ahead, so that the wake fits before the due instant."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._context = actors.context
        self._store = actors.context.store

    async def run_once(self) -> Turn:
        """Claims, arms, hands over. Raises `Unavailable` if Postgres is away."""
        now_ms = clock.now_ms()
        until_ms = now_ms + int(limits.LOOK_AHEAD_S * 1000)
        until = clock.instant(until_ms)
        hinted = await self._claim(until_ms, now_ms)
        found = await self._store.messages.due_ids(until, self._context.ownership.node, limits.CLAIM_BATCH_MAX)
        ids = list(dict.fromkeys([*hinted, *found]))
        armed, spaced = await self._arm(ids) if ids else (0, {})
        await self._forget(hinted)
        await self._hint(spaced)
        full = len(found) == limits.CLAIM_BATCH_MAX or len(hinted) == limits.CLAIM_BATCH_MAX
        again_s = 0.0 if full and armed else await self._next_s(until_ms)
        return Turn(counts={"claimed": len(hinted), "armed": armed, "spaced": len(spaced)}, again_s=again_s)

    async def _arm(self, ids: list[UUID]) -> tuple[int, dict[UUID, int]]:
        """How many were armed, and which leave later than that, when (Unix ms)."""
        looked = await self._store.messages.look(ids)
        node = self._context.ownership.node
        ours = [one for one in looked if not one.owned or one.owner in ("", node)]
        actors = await self._actors.reach(list(dict.fromkeys(one.account for one in ours)))
        try:
            until = clock.now() + timedelta(seconds=limits.LOOK_AHEAD_S)
            unplanned, spaced = await self._space(ours, until)
            armed = await self._store.messages.arm([one.id for one in ours if one.id not in unplanned], node, until)
            self._actors.take_in_hand(armed)
            self._block_unlinked(ours)
        finally:
            for actor in actors:
                actor.pins -= 1
        self._context.wake_hot()
        return len(armed), spaced

    async def _space(self, ours: list[Looked], until: datetime) -> tuple[set[UUID], dict[UUID, int]]:
        """Which of them must not be armed now, and when those leave (Unix ms) that have to wait for others."""
        paced = {one.id for one in ours if one.paced}
        if not paced:
            return set(), {}
        now = clock.now()
        found = await self._store.pacing.plan(list({one.account for one in ours if one.paced}), now, until)
        later = {message: one for message, one in found.items() if one.planned.cause is not None}
        missed = {message: one for message, one in later.items() if one.planned.at_ms > one.last_ms}
        for account in {one.account for one in missed.values()}:
            actor = self._actors.by_account.get(account)
            if actor is not None:
                own = [message for message, one in missed.items() if one.account == account]
                await self._store.messages.move(actor.epoch, own, MessageEvent.LATE, Reason.SPACED)
        at_ms = {message: one.planned.at_ms for message, one in later.items() if message not in missed}
        if at_ms:
            await self._store.pacing.defer({message: clock.instant(ms) for message, ms in at_ms.items()})
        return (paced - set(found)) | set(missed), at_ms

    async def _hint(self, at_ms: dict[UUID, int]) -> None:
        """What leaves later and soon is hinted again; what is far is found by reconcile."""
        near_ms = clock.now_ms() + int(limits.NEAR_HORIZON_S * 1000)
        near = [(message, ms) for message, ms in at_ms.items() if ms < near_ms]
        try:
            await self._store.due.add(near) if near else None
        except Unavailable:
            return

    def _block_unlinked(self, ours: list[Looked]) -> None:
        """Messages made while the device was being removed: they cannot leave."""
        for account in {one.account for one in ours if one.link != Link.LINKED}:
            actor = self._actors.by_account.get(account)
            if actor is not None and actor.link is not Link.LINKED:
                standing.block(actor, BLOCK_REASONS[actor.link])

    async def _claim(self, until_ms: int, now_ms: int) -> list[UUID]:
        try:
            return await self._store.due.claim(until_ms, now_ms)
        except Unavailable:
            return []  # Postgres has them all

    async def _forget(self, hinted: list[UUID]) -> None:
        """What is armed is Postgres' business; what is not is found there again."""
        try:
            await self._store.due.forget(hinted)
        except Unavailable:
            return

    async def _next_s(self, until_ms: int) -> float | None:
        try:
            next_ms = await self._store.due.next_ms()
        except Unavailable:
            next_ms = await self._store.messages.next_due_ms(clock.instant(until_ms))
        return None if next_ms is None else (next_ms - until_ms) / 1000


async def listen_due(actors: Actors, wake: Callable[[], None], started: Callable[[], None]) -> None:
    """Wakes the due loop when somebody adds near work. Raises `Unavailable` when Redis is away."""
    started()
    channel = await actors.context.store.redis.channel()
    try:
        await actors.context.store.redis.ask(channel.subscribe(keys.DUE_CHANGED))
        while True:
            heard = await actors.context.store.redis.ask(channel.get_message(timeout=limits.RECONCILE_TICK_S))
            if heard is not None:
                wake()
    finally:
        await asyncio.shield(_close(channel))


async def _close(channel: object) -> None:
    close = getattr(channel, "aclose", None)
    if close is not None:
        await close()
