"""Puts sessions to sleep that nobody needs soon, and lets go of accounts that need nothing."""

from domain.account import Run, RunEvent
from domain.hotset import may_sleep
from domain.message import MessageEvent, Reason
from domain.sending import is_late
from supervisor import clock, unlinking, wanting
from supervisor.actor import Actor
from supervisor.actors import Actors
from supervisor.loops.turning import Turn


class IdleLoop:
    """Woken when a session may have become evictable, when a slot was returned."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors

    async def run_once(self) -> Turn:
        """Raises `Unavailable`."""
        slept = missed = 0
        for actor in list(self._actors.by_account.values()):
            missed += await self._miss_late(actor)
            if unlinking.is_hopeless(actor) and actor.state is Run.COLD:
                await unlinking.unlink_cold(actor)
            slept += await self._put_to_sleep(actor)
        return Turn(counts={"slept": slept, "missed": missed, "retired": await self._actors.retire()})

    async def _put_to_sleep(self, actor: Actor) -> bool:
        holder = wanting.holder(actor)
        if holder is None or not holder.evictable or actor.session is None:
            return False
        session = actor.session
        session.next_use_ms = await actor.context.store.messages.next_of_account_ms(actor.account)
        holder = wanting.holder(actor)  # it may have been put to use meanwhile
        if holder is None or actor.session is not session or not may_sleep(clock.now_ms(), holder):
            return False
        if actor.wish or len(actor.outbox):
            return False
        actor.post(RunEvent.RELEASED)
        return True

    async def _miss_late(self, actor: Actor) -> int:
        """What waits in hand while the account cannot connect may become too late there."""
        now_ms = clock.now_ms()
        late = [one.id for one in actor.outbox.messages() if is_late(now_ms, one.due_ms, one.late_limit_s)]
        if not late or actor.state is not Run.COLD:
            return 0
        for message in late:
            actor.outbox.remove(message)
        return len(await actor.context.store.messages.move(actor.epoch, late, MessageEvent.LATE, Reason.TOO_LATE))
