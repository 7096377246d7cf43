"""Proposes what is nice to have: first syncs that were cut short, health wakes of accounts that sleep for days."""

from collections.abc import Callable

from domain import limits
from domain.hotset import WantKind
from supervisor import clock
from supervisor.actor import Actor
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
        node, accounts = self._actors.context.ownership.node, self._store.accounts
        room = limits.SYNCS_MAX - self._waiting(wants_sync)
        unsynced = await accounts.unsynced(node, room) if room > 0 else []
        room = limits.HEALTH_WAKES_MAX - self._waiting(lambda actor: actor.health_due)
        sleepers = await accounts.unhealthy(node, clock.now(), room) if room > 0 else []
        return Turn(
            counts={
                "syncs": await self._actors.propose(unsynced, WantKind.STICKY),
                "health": await self._actors.propose(sleepers, WantKind.HEALTH),
            }
        )

    def _waiting(self, wants: Callable[[Actor], bool]) -> int:
        actors = self._actors.by_account.values()
        return sum(wants(actor) for actor in actors if actor.session is None and not actor.lost)
