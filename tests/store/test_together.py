"""What is asked in one moment is done in one batch; nobody waits for another's lock, or fails for another's bug."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.refusal import Unavailable
from store.together import APART, Apart, Together


class Work:
    """Doubles numbers, in batches that it notes; `gate` holds it up."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[int], bool]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.away = False

    async def do(self, numbers: Sequence[int], wait: bool) -> list[int | Apart]:
        self.batches.append((list(numbers), wait))
        self.begun.set()
        await self.gate.wait()
        if self.away:
            raise Unavailable("away")
        if 13 in numbers:
            raise ZeroDivisionError
        return [APART if number < 0 and not wait else 2 * number for number in numbers]


async def test_what_is_asked_in_one_moment_is_one_batch_and_what_comes_meanwhile_the_next() -> None:
    work = Work()
    together = Together(work.do, most=3, at_once=1)
    work.gate.clear()
    first = [asyncio.create_task(together.ask(number)) for number in (1, 2)]
    await work.begun.wait()
    later = [asyncio.create_task(together.ask(number)) for number in (3, 4, 5, 6)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8, 10, 12]
    assert [numbers for numbers, _ in work.batches] == [[1, 2], [3, 4, 5], [6]]


async def test_what_would_make_others_wait_is_done_by_itself() -> None:
    work = Work()
    together = Together(work.do, most=9, at_once=2)
    assert await asyncio.gather(*(together.ask(number) for number in (1, -1, 2))) == [2, -2, 4]
    assert work.batches == [([1, -1, 2], False), ([-1], True)]


async def test_a_bug_in_one_part_is_no_other_parts() -> None:
    together = Together(Work().do, most=9, at_once=1)
    results = await asyncio.gather(*(together.ask(number) for number in (1, 13, 2)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], ZeroDivisionError)
    assert results[2] == 4
    assert together.broken == 1


async def test_an_absent_world_is_told_to_all_and_the_next_batch_is_tried() -> None:
    work = Work()
    together = Together(work.do, most=9, at_once=1)
    work.away = True
    results = await asyncio.gather(*(together.ask(number) for number in (1, 2)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    work.away = False
    assert await together.ask(3) == 6


async def test_who_has_given_up_is_not_worked_for() -> None:
    work = Work()
    together = Together(work.do, most=1, at_once=1)
    work.gate.clear()
    first = asyncio.create_task(together.ask(1))
    await work.begun.wait()
    second = asyncio.create_task(together.ask(2))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    work.gate.set()
    assert await first == 2
    assert await together.ask(3) == 6
    assert [numbers for numbers, _ in work.batches if numbers] == [[1], [3]]
