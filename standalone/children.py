"""Starts child processes that cannot outlive us, and stops them.

Call from the main thread only: the kernel's parent-death signal belongs to the *thread* that forked (prctl(2)).
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from standalone.home import CannotStart

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOP_S = 15.0
READY_LOOK_S = 0.01
LOG_BYTES_MAX = 10 * 1024 * 1024
#: All that a database server gets of our environment; ours may hold secrets and odd locales.
SERVER_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes the kernel send `how` to the child when we die; None where none can.

    `Popen` changes the uid before it calls the function, and that order is needed: a uid change clears the flag.
    """
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl: no signal will ever come
            os._exit(1)

    return arm


def spawn(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    on_parent_death: signal.Signals,
    environment: Mapping[str, str] = SERVER_ENVIRONMENT,
    cwd: Path = Path("/"),
    user: pwd.struct_passwd | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (Ctrl-C reaches only us), its output appended to `log`.

    `user` is whom it runs as (None: as we do). Raises OSError when the program cannot be executed.
    """
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    # Opened by us, not by the child: the log stays ours when the child runs as nobody.
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            preexec_fn=die_with_parent(on_parent_death),
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def stop(child: subprocess.Popen[bytes], how: signal.Signals, stop_s: float = STOP_S) -> bool:
    """Ask `child` to stop with `how`, wait `stop_s` seconds, then kill it. Returns whether it stopped by itself."""
    if child.poll() is not None:
        return True
    with suppress(ProcessLookupError):
        child.send_signal(how)
    try:
        child.wait(stop_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return False
    return True


def tail(log: Path, characters: int = 800) -> str:
    """Return the last `characters` of a log file; empty when there is none."""
    try:
        return log.read_text(errors="replace")[-characters:].strip()
    except FileNotFoundError:
        return ""


class Service(Protocol):
    """Something that runs beside us: a server or one of the product's programs."""

    name: str
    log: Path
    ready_s: float

    def launch(self) -> None:
        """Start it; it need not be ready yet. Raises CannotStart when it cannot be started."""

    def ready(self) -> bool:
        """Say whether it does its work by now, without waiting."""

    def exit_code(self) -> int | None:
        """Return its exit code if it has ended."""

    def stop(self) -> None:
        """Stop it cleanly, or kill it after a deadline; harmless when it never ran."""


def bring_up(service: Service, pause: Callable[[float], None] = time.sleep) -> None:
    """Launch `service` and wait until it is ready, calling `pause(seconds)` between looks.

    Raises CannotStart with the end of its log when it ends or is not ready within its `ready_s`; it is stopped then.
    An exception from `pause` stops it too.
    """
    try:
        service.launch()
        deadline = time.monotonic() + service.ready_s
        while not service.ready():
            if (code := service.exit_code()) is not None:
                raise CannotStart(f"{service.name} ended with {code} instead of starting{_last_words(service.log)}")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{service.name} is not ready after {service.ready_s:.0f} s{_last_words(service.log)}"
                )
            pause(READY_LOOK_S)
    except BaseException:
        service.stop()
        raise


def _last_words(log: Path) -> str:
    words = tail(log)
    return f"; the end of {log}:\n{words}" if words else f"; {log} is empty"
