"""The supervisor as a process. TERM and INT drain and end, HUP begins anew with fresh configuration, USR1 reports."""

import asyncio
import os
import signal
import sys

import uvloop

from supervisor.log import start_logging
from supervisor.process import Told, live
from supervisor.settings import CannotStart


async def _main() -> int:
    loop = asyncio.get_running_loop()
    told = Told()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.stop.set)
    loop.add_signal_handler(signal.SIGHUP, told.again.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: told.report())
    return await live(os.environ, told)


def main() -> int:
    """The command."""
    start_logging()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # its timers keep an instant better
            return runner.run(_main())
    except CannotStart as reason:
        print(f"supervisor: {reason}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
