"""A program that keeps the ready contract, notes its start and its stop in a file, and runs until SIGTERM.

Arguments: a name, and the file.
"""

import json
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    name, notes = sys.argv[1], Path(sys.argv[2])

    def note(what: str) -> None:
        with notes.open("a") as file:
            file.write(f"{what} {name} {os.getpid()}\n")

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    note("start")
    ready = int(os.environ["AUTOSENDR_READY_FD"])
    os.write(ready, json.dumps({"name": name, "told": os.environ.get("AUTOSENDR_STATE")}).encode() + b"\n")
    os.close(ready)
    signal.sigwait([signal.SIGTERM])
    note("stop")
