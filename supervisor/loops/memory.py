"""Follows the memory that there is: more slots while it is free, fewer when something waits for it."""

from domain.slots import next_slots
from supervisor import machine
from supervisor.actors import Actors
from supervisor.log import emit
from supervisor.loops.turning import Turn


class MemoryLoop:
    """Every `limits.MEMORY_TICK_S`, when slots are `auto`."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors

    async def run_once(self) -> Turn:
        """One look."""
        context = self._actors.context
        live = sum(actor.session is not None for actor in self._actors.by_account.values())
        memory = machine.memory()
        slots = next_slots(context.slots, live, memory)
        if slots < context.slots:
            emit("slots_fewer", slots=slots, live=live, pressure=memory.pressure)
        context.slots = slots
        context.wake_hot()
        return Turn()
