"""Renews what expires: ownership of accounts, slots, what is shown. Takes over from nodes that are dead."""

from domain import limits
from domain.account import RunEvent
from supervisor import standing
from supervisor.actors import Actors
from supervisor.loops.turning import Turn


class LeaseLoop:
    """Every `limits.LEASE_TICK_S`; sooner while a node seems to be dead."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._context = actors.context

    async def run_once(self) -> Turn:
        """Raises `Unavailable`, but only after everything was done that can be done without Postgres."""
        renewed = await self._context.ownership.renew()
        lost = await self._actors.lose(renewed.lost)
        for actor in list(self._actors.by_account.values()):
            if actor.session is None:
                continue
            if not await standing.keep_slot(actor):
                actor.post(RunEvent.SLOT_LOST)
            await standing.show(actor)
        await self._look_at_fleet()
        orphans, dead = await self._context.ownership.orphans()
        adopted = await self._actors.adopt(orphans, dead) if orphans else []
        again_s = limits.LOCK_LOOK_S if self._context.ownership.suspects else None
        return Turn(counts={"lost": lost, "adopted": len(adopted)}, again_s=again_s)

    async def _look_at_fleet(self) -> None:
        await standing.look_at_fleet(self._context)
