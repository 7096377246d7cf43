"""Proposes what is nice to have: first syncs that were cut short, health wakes of accounts that sleep for days."""

from datetime import timedelta

from domain import limits
from domain.hotset import WantKind
from supervisor import clock
from supervisor.actors import Actors
from supervisor.loops.turning import Turn
from supervisor.wanting import wants_sync


class StickyLoop:
    """A few wait at a time; the planner gives them what sends leave. Those that have a slot are its business."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._store = actors.context.store

    async def run_once(self) -> Turn:
        """Raises `Unavailable`."""
        node = self._actors.context.ownership.node
        open_now = sum(
            wants_sync(actor) or actor.health_due
            for actor in self._actors.by_account.values()
            if actor.session is None and not actor.lost
        )
        room = limits.SYNCS_MAX - open_now
        if room <= 0:
            return Turn()
        syncs = await self._actors.propose(await self._store.accounts.unsynced(node, room), WantKind.STICKY)
        since = clock.now() - timedelta(seconds=limits.HEALTH_S)
        room -= syncs
        sleepers = await self._store.accounts.unhealthy(node, since, room) if room > 0 else []
        return Turn(counts={"syncs": syncs, "health": await self._actors.propose(sleepers, WantKind.HEALTH)})
