"""Makes hints agree with the truth: the due set is filled from Postgres, what fell through is picked up."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from domain import limits
from domain.account import LinkEvent
from domain.refusal import Unavailable
from store import farewell, orders, wakes
from supervisor import clock, standing
from supervisor.actors import Actors
from supervisor.loops.turning import Turn


class ReconcileLoop:
    """At the start, then every `limits.RECONCILE_TICK_S`."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._store = actors.context.store

    async def run_once(self) -> Turn:
        """Raises `Unavailable`."""
        store, node = self._store, self._actors.context.ownership.node
        adopted = await self._actors.adopt([*await store.accounts.left_in_hand(), *await store.accounts.wishes(node)])
        await self._look_at_stopped()
        ended = await self._end_bans(await store.accounts.ended_bans(node))
        missed = await store.messages.miss_waiting(clock.now(), limits.CLAIM_BATCH_MAX)
        await store.receipts.purge(clock.now() - timedelta(seconds=limits.STRAY_RECEIPT_S))
        await wakes.purge(store.pool, clock.now() - timedelta(seconds=limits.WAKES_KEPT_S), limits.WAKES_PURGED_MAX)
        await orders.purge(store.pool, clock.now() - timedelta(seconds=limits.ORDERS_KEPT_S))
        gone = await farewell.go_on(store.pool, limits.FAREWELLS_MAX)
        hinted = await self._fill()
        return Turn(
            counts={"adopted": len(adopted), "bans_ended": ended, "missed": missed, "gone": gone, "hinted": hinted}
        )

    async def _look_at_stopped(self) -> None:
        """What admins stopped or let go on, and nobody heard of."""
        actors = self._actors.by_account
        stopped = set(await self._store.accounts.stopped(self._actors.context.ownership.node))
        for account in [one for one, actor in actors.items() if actor.row.stopped != (one in stopped)]:
            await self._actors.look_at_wish(account)

    async def _fill(self) -> int:
        """Adds the near horizon to the due set."""
        until = clock.now() + timedelta(seconds=limits.NEAR_HORIZON_S)
        after: tuple[datetime, UUID] | None = None
        added = 0
        while True:
            page = await self._store.messages.horizon(until, after, limits.CLAIM_BATCH_MAX)
            try:
                added += await self._store.due.add(page.due_ms_by_id) if page.due_ms_by_id else 0
            except Unavailable:
                return added  # the due loop reads Postgres meanwhile
            after = page.after
            if after is None:
                return added

    async def _end_bans(self, accounts: list[UUID]) -> int:
        await self._actors.adopt([one for one in accounts if one not in self._actors.by_account])
        ended = 0
        for account in accounts:
            actor = self._actors.by_account.get(account)
            if actor is not None:
                standing.move_link(actor, LinkEvent.BAN_ENDED)
                standing.unblock(actor)
                actor.health_due = True
                ended += 1
        return ended


async def listen_wishes(actors: Actors, started: Callable[[], None]) -> None:
    """Looks at each account that Postgres notifies of. Raises `Unavailable`, and is started again, when it is away."""
    waiting: asyncio.Queue[UUID] = asyncio.Queue(limits.CLAIM_BATCH_MAX)
    listening = asyncio.Event()

    def heard(account: UUID) -> None:
        if not waiting.full():  # what does not fit is found by reconcile
            waiting.put_nowait(account)

    async def look() -> None:
        await listening.wait()  # first, or what is wished between the look and the listening is heard by nobody
        started()
        for account in await actors.context.store.accounts.wishes(actors.context.ownership.node):
            await actors.look_at_wish(account)
        while True:
            await actors.look_at_wish(await waiting.get())

    listens = actors.context.store.accounts.listen(heard, listening.set)
    tasks = [asyncio.create_task(listens), asyncio.create_task(look())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
