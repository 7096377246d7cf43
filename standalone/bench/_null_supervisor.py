"""The product's supervisor as a process of its own, with an enclave that does nothing: for benches that look at it."""

import asyncio
import os
import signal

import uvloop

from standalone.bench._null_door import NullDoor
from store.engine import EngineStore
from supervisor.life import Supervisor
from supervisor.log import start_logging
from supervisor.process import tell_ready
from supervisor.settings import read_settings


async def _main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = read_settings(os.environ)
    store = await EngineStore.open(settings.database_url, settings.redis_url)
    supervisor = Supervisor(settings, store, open_door=NullDoor().open)
    await supervisor.start()
    tell_ready(settings.ready_fd)
    await stop.wait()
    await supervisor.stop()
    await store.close()


if __name__ == "__main__":
    start_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
