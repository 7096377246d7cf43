"""Puts sessions to sleep that nobody needs soon, and lets go of accounts that need nothing."""

from domain import limits
from domain.account import Run, RunEvent
from domain.hotset import may_sleep
from domain.message import MessageEvent, Reason
from domain.sending import is_late
from supervisor import clock, unlinking, wanting
from supervisor.actor import Actor
from supervisor.actors import Actors
from supervisor.loops.turning import Turn
from supervisor.session import LiveSession


class IdleLoop:
    """Woken when a session may have become evictable, when a slot was returned."""

    def __init__(self, actors: Actors) -> None:
        """`run_once` is one turn."""
        self._actors = actors
        self._store = actors.context.store

    async def run_once(self) -> Turn:
        """Raises `Unavailable`."""
        actors = list(self._actors.by_account.values())
        missed = 0
        for actor in actors:
            if actor.state is Run.COLD:
                missed += await self._miss_late(actor)
                if unlinking.is_hopeless(actor):
                    await unlinking.unlink_cold(actor)
        idle = [(actor, actor.session) for actor in actors if actor.session is not None and actor.session.evictable]
        await self._learn_next_use(idle)
        slept = sum(self._put_to_sleep(actor, session) for actor, session in idle)
        return Turn(counts={"slept": slept, "missed": missed, "retired": await self._actors.retire()})

    async def _learn_next_use(self, idle: list[tuple[Actor, LiveSession]]) -> None:
        """Asks for those of whom it is not known, or has not been asked for a while."""
        now_s = clock.loop_s()
        asked = [one for one in idle if one[1].next_use_asked_s + limits.IDLE_TICK_S <= now_s]
        if not asked:
            return
        found = await self._store.messages.next_of_accounts_ms([actor.account for actor, _ in asked])
        for actor, session in asked:
            session.next_use_ms, session.next_use_asked_s = found.get(actor.account), now_s

    def _put_to_sleep(self, actor: Actor, session: LiveSession) -> bool:
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
        if not late:
            return 0
        for message in late:
            actor.outbox.remove(message)
        return len(await self._store.messages.move(actor.epoch, late, MessageEvent.LATE, Reason.TOO_LATE))
