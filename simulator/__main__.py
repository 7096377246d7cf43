"""``python -m simulator --state FOLDER``: run until TERM or INT. Prints one JSON line when ready.

The same line goes to the descriptor that AUTOSENDR_READY_FD names, where there is one (docs/operations.md).
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from simulator.server import Simulator, SimulatorError

READY_FD = "AUTOSENDR_READY_FD"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="A local WhatsApp on loopback.")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps its world and keys")
    parser.add_argument("--port", type=int, default=0, help="proxy and control port (0: a free one)")
    parser.add_argument("--tls-port", type=int, default=0, help="the service directly over TLS (0: a free one)")
    parser.add_argument("--seed", type=int, default=0, help="decides orders and jitter")
    parser.add_argument("--login-delay-s", type=float, default=0.0)
    parser.add_argument("--login-jitter-s", type=float, default=0.0)
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Simulator(arguments.state, arguments.port, arguments.tls_port, arguments.seed) as simulator:
        simulator.hub.settings.login_delay_s = arguments.login_delay_s
        simulator.hub.settings.login_jitter_s = arguments.login_jitter_s
        ready = {
            "ready": True,
            "proxy": simulator.proxy,
            "control": simulator.proxy,
            "port": simulator.port,
            "tls_port": simulator.tls_port,
            "ca_file": str(simulator.ca_file),
            "root_key": simulator.root_key.hex(),
        }
        line = json.dumps(ready)
        print(line, flush=True)
        if (descriptor := os.environ.get(READY_FD)) is not None:
            with os.fdopen(int(descriptor), "w") as pipe:
                pipe.write(f"{line}\n")
        await stopped.wait()


if __name__ == "__main__":
    try:
        asyncio.run(_run(_arguments()))
    except (SimulatorError, OSError) as error:
        sys.exit(f"simulator: {error}")
