"""The product's own programs as children of the runner: how each is started, and how it says that it is ready.

The ready contract: a child finds the number of an open descriptor in AUTOSENDR_READY_FD, writes one line of JSON (an
object; what is in it is the program's own affair) to it when it does its work, and closes it.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from standalone.children import STOP_S, Service
from standalone.home import REPOSITORY

READY_FD = "AUTOSENDR_READY_FD"
READY_S = 60.0
READY_BYTES_MAX = 65_536
#: What a program keeps of the person's environment; everything else it gets is in the settings table.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")

#: Module behind each command that runs one process of the product.
MODULES: Mapping[str, str] = {
    "web": "app",
    "supervisor": "supervisor",
    "enclave": "enclave",
    "migrate": "store.migrate",
    "simulator": "simulator",
}


def become(module: str, arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Turn this process into `python -m MODULE ARGUMENTS` in the repository, with the environment `environ`."""
    os.chdir(REPOSITORY)
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environ)  # noqa: S606 - a list, no shell


class Program(Service):
    """One of the product's programs: `python -m MODULE ARGUMENTS`.

    `variables` is asked at each launch, because what a program needs may be known only when others are ready.
    `once`: the program does one thing and ends; it is ready when it has ended with 0.
    """

    def __init__(
        self,
        name: str,
        module: str,
        log: Path,
        variables: Callable[[], Mapping[str, str]],
        arguments: Sequence[str] = (),
        *,
        once: bool = False,
        ready_s: float = READY_S,
        stop_s: float = STOP_S,
    ) -> None:
        """Describe the program; nothing starts yet."""
        super().__init__(name, log, signal.SIGTERM, ready_s=ready_s, stop_s=stop_s)
        self.once = once
        #: What the program said when it became ready.
        self.facts: dict[str, Any] = {}
        self._command = [sys.executable, "-m", module, *arguments]
        self.variables = variables
        self._line = b""
        self._ready_end: int | None = None

    def launch(self) -> None:
        """Start the program with a fresh pipe for its ready line."""
        self._forget_pipe()
        self.facts, self._line = {}, b""
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        self._ready_end = ours
        try:
            self._spawn(
                self._command,
                environment={
                    **{name: os.environ[name] for name in KEPT if name in os.environ},
                    **self.variables(),
                    READY_FD: str(theirs),
                },
                cwd=REPOSITORY,
                pass_fds=(theirs,),
            )
        finally:
            os.close(theirs)

    def ready(self) -> bool:
        """Say whether the ready line has come (or, for a program that runs once, whether it has ended well)."""
        if self.once:
            return self.exit_code() == 0
        if self._ready_end is None:
            return bool(self.facts)
        with suppress(BlockingIOError):
            while chunk := os.read(self._ready_end, 4096):
                self._line = (self._line + chunk)[:READY_BYTES_MAX]
        if b"\n" not in self._line:
            return False
        facts = json.loads(self._line.split(b"\n", 1)[0])
        self.facts = facts if isinstance(facts, dict) and facts else {"ready": facts}
        self._forget_pipe()
        return True

    def ask_to_stop(self) -> None:
        """See `Service`; its ready line is of no interest any more."""
        self._forget_pipe()
        super().ask_to_stop()

    def _forget_pipe(self) -> None:
        if self._ready_end is not None:
            os.close(self._ready_end)
            self._ready_end = None
