"""What a process of the enclave does to itself at start: no dumps, no orphans, no borrowed descriptors.

Linux does all of it; elsewhere the calls that the system lacks are left out, and end of file on the pipe still ends
the process. Sources: prctl(2), getrlimit(2).
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_DESCRIPTORS_MAX: Final = 65536
_ON_LINUX: Final = sys.platform == "linux"
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if _ON_LINUX else None


def _prctl(option: int, value: int) -> None:
    """One prctl(2) call. Raises OSError."""
    if _LIBC is not None and _LIBC.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that forked it ends; `parent` is that process's id.

    The parent may have ended before the call, which the kernel would never tell: then leave now.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def refuse_dumps() -> None:
    """No core file, and no /proc/<pid>/mem or ptrace for processes of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def close_descriptors_except(kept: Iterable[int]) -> None:
    """Close every descriptor above 2 that is not in `kept`."""
    first = 3
    for descriptor in sorted(number for number in kept if number >= first):
        os.closerange(first, descriptor)
        first = descriptor + 1
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(first, _DESCRIPTORS_MAX if limit == resource.RLIM_INFINITY else max(limit, first))


def silence(descriptors: Iterable[int] = (0, 1, 2)) -> None:
    """Point `descriptors` at /dev/null: what the Go library prints may hold phone numbers and QR texts."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


@cache
def environment_at_exec() -> dict[str, str]:
    """The environment that this process was exec'd with, which is all that the Go library sees (docs/whatsapp.md §2).

    Read once, and kept over fork: after `refuse_dumps` a normal user may no longer open the file. Where there is no
    /proc, the present environment stands in for it.
    """
    if not _ON_LINUX:
        return dict(os.environ)
    pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)
