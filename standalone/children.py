"""Starts child processes that cannot outlive us, and stops them.

Call from the main thread only: the kernel's parent-death signal belongs to the *thread* that forked (prctl(2)).
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOP_S = 15.0
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
