"""Group commit: what many ask for in the same moment is done in one transaction, so that many share one commit.

Nobody waits for company: while no batch is under way, one begins at once; what is asked meanwhile is the next one.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Generic, TypeVar

from domain.refusal import Unavailable

A = TypeVar("A")
R = TypeVar("R")


class Apart:
    """The result of a part that has to be done by itself: it would have made the others wait."""


APART: Final = Apart()

Do = Callable[[Sequence[A], bool], Coroutine[Any, Any, Sequence[R | Apart]]]
"""Does all parts in one transaction; one result each, in order. Told whether it may wait for locks: in company it must
not, and answers `APART` for what is locked."""


class Together(Generic[A, R]):
    """Gathers the parts that callers ask for, at most `most` in a batch and `at_once` batches under way."""

    def __init__(self, do: Do[A, R], *, most: int, at_once: int) -> None:
        """Nothing is under way."""
        self._do = do
        self._most = most
        self._at_once = at_once
        self.broken = 0
        """Batches that failed by a bug, since the start."""
        self._waiting: list[tuple[A, asyncio.Future[R | Apart]]] = []
        self._working: set[asyncio.Task[None]] = set()

    async def ask(self, part: A) -> R:
        """The result of one part. Raises what doing it raises; a failure that is another part's is nobody else's."""
        answer: asyncio.Future[R | Apart] = asyncio.get_running_loop().create_future()
        self._waiting.append((part, answer))
        if len(self._working) < self._at_once:
            task = asyncio.create_task(self._work())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        result = await answer
        if isinstance(result, Apart):
            (result,) = await self._do([part], True)
            assert not isinstance(result, Apart)
        return result

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            wanted = [(part, answer) for part, answer in batch if not answer.done()]
            if wanted:
                await self._carry_out(wanted)

    async def _carry_out(self, batch: Sequence[tuple[A, asyncio.Future[R | Apart]]]) -> None:
        try:
            (outcome,) = await asyncio.gather(self._do([part for part, _ in batch], False), return_exceptions=True)
        except asyncio.CancelledError:  # nobody is left waiting
            for _, answer in batch:
                answer.cancel()
            raise
        away = isinstance(outcome, Unavailable)
        self.broken += isinstance(outcome, BaseException) and not away
        for place, (_, answer) in enumerate(batch):
            if answer.done():
                continue
            if away:
                answer.set_exception(Unavailable(str(outcome)))
            elif isinstance(outcome, BaseException):
                answer.set_result(APART)  # whose bug it is shows when each is done by itself
            else:
                answer.set_result(outcome[place])
