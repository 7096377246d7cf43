"""Asks every moment what the supervisor needs whether it answers. Nothing decides by it: it is for those who watch."""

import asyncio
from collections.abc import Awaitable, Callable

from domain import limits
from domain.readiness import SUPERVISOR_NEEDS, Answer, Dependency, Readiness, readiness
from domain.refusal import Unavailable
from store import nodes
from store.engine import EngineStore
from supervisor.doorway import Doorway
from supervisor.log import emit


class Lookout:
    """`answers` are those of the last look; what has changed since the one before is logged."""

    def __init__(self, store: EngineStore, door: Doorway) -> None:
        """Nobody was asked yet."""
        self.answers: dict[Dependency, Answer] = dict.fromkeys(SUPERVISOR_NEEDS, Answer.UNKNOWN)
        self.working = False
        """The whole tree works."""
        self._store = store
        self._door = door

    def readiness(self) -> Readiness:
        """As of the last look."""
        return readiness(SUPERVISOR_NEEDS, self.answers, working=self.working)

    async def run(self, started: Callable[[], None]) -> None:
        """Looks until cancelled."""
        started()
        while True:
            await asyncio.sleep(limits.LOOKOUT_TICK_S)  # first: the door is only being opened
            await self.look()

    async def look(self) -> None:
        """One look."""
        redis = self._store.redis
        postgres_up, redis_up = await asyncio.gather(
            _answers(nodes.living(self._store.pool)), _answers(redis.ask(redis.client.ping()))
        )
        self._see(Dependency.POSTGRES, up=postgres_up)
        self._see(Dependency.ENCLAVE, up=bool(self._door.boot))
        self._see(Dependency.REDIS, up=redis_up)

    def _see(self, dependency: Dependency, *, up: bool) -> None:
        answer = Answer.UP if up else Answer.AWAY
        before = self.answers[dependency]
        if answer is not before and (before is not Answer.UNKNOWN or not up):
            emit("dependency_back" if up else "dependency_away", dependency=dependency)
        self.answers[dependency] = answer


async def _answers(asked: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(limits.READINESS_PATIENCE_S):
            await asked
    except (Unavailable, TimeoutError):
        return False
    return True
