"""Empties this node when an admin wants it so, and lets it take accounts again afterwards."""

from store import orders
from supervisor.actors import Actors
from supervisor.log import emit
from supervisor.loops.turning import Turn


class DrainLoop:
    """Every `limits.DRAIN_TICK_S`. A loop of its own: while sessions end, leases must go on being renewed."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._context = actors.context

    async def run_once(self) -> Turn:
        """Raises `Unavailable`."""
        context = self._context
        wanted = await orders.is_drained(context.store.pool, context.ownership.node)
        if wanted != context.draining:
            context.draining = wanted
            emit("node_draining", node=context.ownership.node, draining=wanted)
            context.wake_board()
            context.wake_due()
        if wanted and self._actors.by_account:
            return Turn(counts={"emptied": await self._actors.empty()})
        return Turn()
