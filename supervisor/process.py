"""The process: one supervisor after another, each with the configuration of its time; what the signals ask for."""

import asyncio
import os
from collections.abc import Callable, Mapping

import msgspec

from domain import limits
from domain.refusal import Unavailable
from store.engine import EngineStore
from supervisor.life import Supervisor
from supervisor.log import emit
from supervisor.metrics import Metrics
from supervisor.settings import CannotStart, Settings, read_settings
from supervisor.tree import TreeFailed


class Told:
    """What signals have asked for. `stop`: end in order (TERM); `again`: begin anew (HUP); `report`: USR1."""

    def __init__(self) -> None:
        """Nothing."""
        self.stop = asyncio.Event()
        self.again = asyncio.Event()
        self.report: Callable[[], None] = lambda: None


async def live(environ: Mapping[str, str], told: Told) -> int:
    """Runs supervisors, one after another, until it is told to stop. Raises `CannotStart` before the first.

    Returns the exit code: 0 after a stop, 1 when the tree failed.
    """
    settings, metrics, ready = read_settings(environ), Metrics(), False
    while True:
        store = await _open_store(settings, told)
        if store is None:
            if told.stop.is_set():
                return 0
            settings = _fresh(environ, told) or settings
            continue
        supervisor = Supervisor(settings, store, metrics)
        told.report = supervisor.report
        try:
            starting = asyncio.create_task(supervisor.start())
            await _first(starting, told.stop, told.again, supervisor.ended)
            if starting.done():
                starting.result()
                if not ready:
                    tell_ready(settings.ready_fd)
                    ready = True
                fresh = await _until_told(environ, told, supervisor)
            else:
                starting.cancel()
                await asyncio.wait([starting])
                fresh = _fresh(environ, told)
            why = "TERM" if told.stop.is_set() else "none" if _has_ended(supervisor) else "HUP"
            emit("supervisor_stopping", node=supervisor.ownership.node, signal=why)
            await supervisor.stop()
        except TreeFailed:
            await supervisor.tree.stop()
            return 1
        except Exception:  # a bug, or a log that cannot be written: nothing may run on behind it
            await supervisor.tree.stop()
            raise
        finally:
            await store.close()
        if told.stop.is_set():
            return 0
        if _has_ended(supervisor):
            return 1
        settings = fresh or settings


def tell_ready(descriptor: int | None) -> None:
    """Writes the one line of the ready contract (docs/operations.md)."""
    if descriptor is None:
        return
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(msgspec.json.encode({"ready": True}) + b"\n")


async def _until_told(environ: Mapping[str, str], told: Told, supervisor: Supervisor) -> Settings | None:
    """Returns what the next supervisor is to go by; None at an end. What cannot be read changes nothing."""
    while True:
        await _first(None, told.stop, told.again, supervisor.ended, supervisor.tree.failed)
        if told.stop.is_set() or _has_ended(supervisor):
            return None
        fresh = _fresh(environ, told)
        if fresh is not None:
            return fresh


def _fresh(environ: Mapping[str, str], told: Told) -> Settings | None:
    """What HUP asks for; None if it cannot be read."""
    told.again.clear()
    try:
        return read_settings(environ)
    except CannotStart as reason:
        emit("settings_refused", problem=str(reason))
        return None


def _has_ended(supervisor: Supervisor) -> bool:
    return supervisor.ended.is_set() or supervisor.tree.failed.is_set()


async def _open_store(settings: Settings, told: Told) -> EngineStore | None:
    """The store, once Postgres is there; None when a signal came first."""
    said = False
    while not told.stop.is_set() and not told.again.is_set():
        try:
            return await EngineStore.open(settings.database_url, settings.redis_url)
        except Unavailable as unavailable:
            if not said:
                emit("world_failed", part="postgres", error=str(unavailable))
            said = True
            await asyncio.sleep(limits.WORLD_RETRY_S)
    return None


async def _first(task: asyncio.Task[None] | None, *events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait([*waits, *([task] if task is not None else [])], return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)
