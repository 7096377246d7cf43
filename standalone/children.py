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
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

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


def tail(log: Path, characters: int = 800) -> str:
    """Return the last `characters` of a log file; empty when there is none."""
    try:
        return log.read_text(errors="replace")[-characters:].strip()
    except FileNotFoundError:
        return ""


class Service(ABC):
    """Something that runs beside us as one child process: a server, or one of the product's programs.

    `stop_signal` asks it to stop, ours to send or the kernel's when we die; `stop_s` later it is killed.
    """

    def __init__(
        self, name: str, log: Path, stop_signal: signal.Signals, *, ready_s: float, stop_s: float = STOP_S
    ) -> None:
        """Describe it; nothing starts yet."""
        self.name = name
        self.log = log
        self.ready_s = ready_s
        self.stop_s = stop_s
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None
        self._kill_at: float | None = None

    @abstractmethod
    def launch(self) -> None:
        """Start it; it need not be ready yet. Raises CannotStart when it cannot be started."""

    @abstractmethod
    def ready(self) -> bool:
        """Say whether it does its work by now, without waiting. Raises CannotStart when it never will."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def exit_code(self) -> int | None:
        """Return its exit code if it has ended."""
        return None if self._child is None else self._child.poll()

    def ask_to_stop(self) -> None:
        """Ask it to stop and return at once; harmless when it does not run."""
        if self._child is not None and self._kill_at is None:
            self._kill_at = time.monotonic() + self.stop_s
            with suppress(ProcessLookupError):
                self._child.send_signal(self._stop_signal)

    def stopped(self) -> bool:
        """Say whether it is down by now; it is killed here when its time is up."""
        if self._child is None or self._child.poll() is not None:
            return True
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._child.kill()
            self._child.wait()
            return True
        return False

    def stop(self) -> None:
        """Stop it cleanly, or kill it after its deadline; harmless when it does not run."""
        self.ask_to_stop()
        while self._child is not None and not self.stopped():
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(max(0.0, (self._kill_at or 0.0) - time.monotonic()))

    def _spawn(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str] = SERVER_ENVIRONMENT,
        cwd: Path = Path("/"),
        user: pwd.struct_passwd | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Make the child. Arguments as for `spawn`."""
        self._kill_at = None
        self._child = spawn(
            arguments,
            log=self.log,
            on_parent_death=self._stop_signal,
            environment=environment,
            cwd=cwd,
            user=user,
            pass_fds=pass_fds,
        )


class Rise:
    """One service on its way up: launched when this is made. Raises CannotStart as `Service.launch` does."""

    def __init__(self, service: Service) -> None:
        """Launch it."""
        self.service = service
        self.begun = time.monotonic()
        service.launch()

    def over(self) -> bool:
        """Say whether it is ready. Raises CannotStart with the end of its log when it ended instead, or is too late."""
        service = self.service
        if service.ready():
            return True
        if (code := service.exit_code()) is not None:
            raise CannotStart(f"{service.name} ended with {code} instead of starting{_last_words(service.log)}")
        if time.monotonic() > self.begun + service.ready_s:
            raise CannotStart(f"{service.name} is not ready after {service.ready_s:.0f} s{_last_words(service.log)}")
        return False


def bring_up(service: Service, pause: Callable[[float], None] = time.sleep) -> None:
    """Launch `service` and wait until it is ready, calling `pause(seconds)` between looks.

    Raises CannotStart as `Rise` does; it is stopped then. An exception from `pause` stops it too.
    """
    try:
        rise = Rise(service)
        while not rise.over():
            pause(READY_LOOK_S)
    except BaseException:
        service.stop()
        raise


def _last_words(log: Path) -> str:
    words = tail(log)
    return f"; the end of {log}:\n{words}" if words else f"; {log} is empty"
