"""The tree: order, reverse order, budgets, the world's absence."""

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping

import pytest

from domain.refusal import Unavailable
from supervisor import tree as trees
from supervisor.log import listen
from supervisor.tree import Budget, Child, Tree, TreeFailed
from tests.waiting import Signals


class _Diary:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.signals = Signals()

    def child(self, name: str) -> Child:
        async def run(started: Callable[[], None]) -> None:
            self.note(f"{name} starts")
            started()
            try:
                await asyncio.Event().wait()
            finally:
                self.note(f"{name} ends")

        return Child(name, run)

    def failing(self, name: str, error: Exception, times: int) -> Child:
        async def run(started: Callable[[], None]) -> None:
            self.note(f"{name} starts")
            if self.lines.count(f"{name} starts") <= times:
                raise error
            started()
            await asyncio.Event().wait()

        return Child(name, run)

    def note(self, line: str) -> None:
        self.lines.append(line)
        self.signals.notify()


async def test_children_start_in_order_and_stop_in_reverse() -> None:
    diary = _Diary()
    tree = Tree([diary.child("a"), diary.child("b"), diary.child("c")])
    await tree.start()
    await tree.stop_one("b")
    await tree.stop()
    assert diary.lines == ["a starts", "b starts", "c starts", "b ends", "c ends", "a ends"]


async def test_a_child_that_fails_is_started_again_inside_the_budget() -> None:
    diary = _Diary()
    tree = Tree([diary.failing("a", ValueError(), 2), diary.child("b")], Budget(restarts=2))
    await tree.start()
    assert diary.lines == ["a starts", "a starts", "a starts", "b starts"]
    assert not tree.failed.is_set()
    await tree.stop()


async def test_a_spent_budget_fails_the_tree() -> None:
    diary = _Diary()
    tree = Tree([diary.child("a"), diary.failing("b", ValueError(), 9)], Budget(restarts=2))
    with pytest.raises(TreeFailed):
        await tree.start()
    assert diary.lines.count("b starts") == 3
    await tree.stop()
    assert diary.lines[-1] == "a ends"


@contextlib.contextmanager
def unwritable(*events: str) -> Generator[None]:
    """Log lines of these events raise."""

    def refuse(event: str, fields: Mapping[str, object]) -> None:
        if event in events:
            raise OSError("no space is left")

    unlisten = listen(refuse)
    try:
        yield
    finally:
        unlisten()


async def test_a_failure_that_cannot_even_be_logged_fails_the_tree() -> None:
    diary = _Diary()
    tree = Tree([diary.child("a"), diary.failing("b", ValueError(), 9)])
    with unwritable("child_failed"), pytest.raises(TreeFailed):
        async with asyncio.timeout(10):
            await tree.start()
    await tree.stop()
    assert diary.lines == ["a starts", "b starts", "a ends"]


async def test_a_child_that_ends_for_good_while_all_run_fails_the_tree() -> None:
    gone = asyncio.Event()

    async def run(started: Callable[[], None]) -> None:
        started()
        await gone.wait()

    tree = Tree([Child("a", run)])
    await tree.start()
    with unwritable("child_failed"):
        gone.set()
        async with asyncio.timeout(10):
            await tree.failed.wait()
    await tree.stop()


async def test_all_children_are_stopped_though_that_cannot_be_logged() -> None:
    diary = _Diary()
    tree = Tree([diary.child("a"), diary.child("b")])
    await tree.start()
    with unwritable("child_stopped"), pytest.raises(OSError, match="no space"):
        await tree.stop()
    assert diary.lines[2:] == ["b ends", "a ends"]


async def test_a_world_that_is_away_costs_no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "WORLD_WAIT_S", 0.001)
    diary = _Diary()
    tree = Tree([diary.failing("a", Unavailable("gone"), 9)], Budget(restarts=1))
    await tree.start()
    assert diary.lines.count("a starts") == 10
    await tree.stop()


async def test_an_outage_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "WORLD_WAIT_S", 0.001)
    told: list[str] = []
    unlisten = listen(lambda event, fields: told.append(f"{event} {fields.get('part')}"))
    tree = Tree([_Diary().failing("a", Unavailable("gone"), 9)])
    await tree.start()
    await tree.stop()
    unlisten()
    assert told.count("world_failed a") == 1


async def test_a_child_that_swallows_a_cancellation_is_stopped_all_the_same() -> None:
    swallowed = asyncio.Event()

    async def run(started: Callable[[], None]) -> None:
        started()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    tree = Tree([Child("deaf", run)])
    await tree.start()
    async with asyncio.timeout(10):
        await tree.stop()
    assert swallowed.is_set()


def test_a_budget_is_for_a_window() -> None:
    budget = Budget(restarts=2, window_s=10)
    assert [budget.spend(second) for second in (0, 1, 2, 11.5)] == [True, True, False, True]


def test_a_trace_names_places_and_never_the_message() -> None:
    try:
        raise ValueError("the secret")
    except ValueError as error:
        trace = trees.places(error)
    assert "test_tree.py" in trace
    assert "secret" not in trace
