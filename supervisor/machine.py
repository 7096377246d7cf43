"""What this machine has: processors and memory, as the kernel says. Where it says nothing, the cautious answer."""

import os
from pathlib import Path
from typing import Final

from domain.slots import Memory, first_slots

_MEMINFO: Final = Path("/proc/meminfo")
_PRESSURE: Final = Path("/proc/pressure/memory")
_GROUP: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")


def processors() -> int:
    """How many processors we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory(meminfo: Path = _MEMINFO, pressure: Path = _PRESSURE, group: Path | None = None) -> Memory:
    """One look. `group`: our cgroup's folder (version 2); found by itself if None."""
    group = _group() if group is None else group
    free = [left for left in (_available(meminfo), _left_in(group)) if left is not None]
    if not free:
        free = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2]
    felt = max(_stalled(pressure), _stalled(group / "memory.pressure") if group is not None else 0.0)
    return Memory(free_bytes=max(0, min(free)), pressure=felt)


def slots_now() -> int:
    """How many sessions a node on this machine starts with."""
    return first_slots(memory())


def _group() -> Path | None:
    lines = (_read(_GROUP) or "").splitlines()
    paths = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return _GROUPS / paths[0] if paths else None


def _available(meminfo: Path) -> int | None:
    rows = [line.split() for line in (_read(meminfo) or "").splitlines() if line.startswith("MemAvailable:")]
    return int(rows[0][1]) * 1024 if rows else None


def _left_in(group: Path | None) -> int | None:
    """What the group may still take: its limit less its use, of which cached files count as free."""
    if group is None:
        return None
    most, used = _read(group / "memory.max"), _read(group / "memory.current")
    if most is None or used is None or most.strip() == "max":
        return None
    rows = dict(line.split() for line in (_read(group / "memory.stat") or "").splitlines())
    return int(most) - int(used) + int(rows.get("inactive_file", 0))


def _stalled(pressure: Path) -> float:
    """`avg10` of the line `some`, in percent."""
    for line in (_read(pressure) or "").splitlines():
        if line.startswith("some "):
            return float(line.split()[1].removeprefix("avg10="))
    return 0.0


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
