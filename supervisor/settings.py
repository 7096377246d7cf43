"""What configures a supervisor: `AUTOSENDR_*` variables, read once. An unknown one refuses to start."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from domain import limits

PREFIX: Final = "AUTOSENDR_"
_MEMINFO: Final = Path("/proc/meminfo")


class CannotStart(Exception):
    """The configuration is wrong; the sentence says how."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`simulator`: host:port in a demo, "" otherwise; `state` None: the node forgets its name when it stops."""

    database_url: str
    redis_url: str
    enclave_socket: Path
    egress_socket: Path | None = None
    state: Path | None = None
    simulator: str = ""
    hot_slots: int = limits.HOT_SLOTS_MIN
    ready_fd: int | None = None


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable, the field it fills, how its text is read, what it means."""

    name: str
    field: str
    read: Callable[[str], Any]
    meaning: str


def _text(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    return text


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("it is not a number")
    return int(text)


def _slots(text: str) -> int:
    if text == "auto":
        return slots_for(_free_memory_bytes())
    if not limits.HOT_SLOTS_MIN <= _number(text) <= limits.HOT_SLOTS_MAX:
        raise ValueError(f"it is not between {limits.HOT_SLOTS_MIN} and {limits.HOT_SLOTS_MAX}")
    return int(text)


def slots_for(free_bytes: int) -> int:
    """How many sessions fit into a share of the free memory (`auto`)."""
    fitting = int(free_bytes * limits.HOT_MEMORY_SHARE) // limits.SESSION_BYTES
    return max(limits.HOT_SLOTS_MIN, min(limits.HOT_SLOTS_MAX, fitting))


def _free_memory_bytes() -> int:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024


def _row(name: str, field: str, read: Callable[[str], Any], meaning: str) -> Variable:
    return Variable(name=PREFIX + name, field=field, read=read, meaning=meaning)


VARIABLES: Final[tuple[Variable, ...]] = (
    _row("DATABASE_URL", "database_url", _text, "PostgreSQL 15 or newer; required"),
    _row("REDIS_URL", "redis_url", _text, "Redis 7.0 or newer, or Valkey; required"),
    _row("ENCLAVE_SOCKET", "enclave_socket", Path, "the door: Unix socket of the enclave; required"),
    _row("EGRESS_SOCKET", "egress_socket", Path, "Unix socket on which to relay for the enclave; none: no relay"),
    _row("STATE", "state", Path, "folder in which the node keeps its name; none: a new name at each start"),
    _row("SIMULATOR", "simulator", _text, "host:port of the simulator's front; in a demo only"),
    _row("HOT_SLOTS", "hot_slots", _slots, "live sessions at once: a number, or `auto` from free memory (default)"),
    _row("READY_FD", "ready_fd", _number, "descriptor for the line that says `ready`"),
)

OTHERS: Final = frozenset(
    PREFIX + name
    for name in (
        "HOME",
        "RUN",
        "VENV",
        "TMPFS",
        "WEB_HOST",
        "WEB_PORT",
        "PUBLIC_URL",
        "MAILBOX",
        "SIMULATOR_TRUST",
        "SIMULATOR_ROOT_KEY",
    )
)
"""Variables of other programs: one environment may configure all of them."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. Raises `CannotStart` naming the wrong variable."""
    known = {variable.name: variable for variable in VARIABLES}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known and name not in OTHERS)
    if unknown:
        raise CannotStart(f"unknown variable {', '.join(unknown)}")
    values: dict[str, Any] = {"hot_slots": _slots("auto")}
    for name, variable in known.items():
        if name in environ:
            try:
                values[variable.field] = variable.read(environ[name])
            except ValueError as error:
                raise CannotStart(f"{name} cannot be read: {error}") from None
    for field in ("database_url", "redis_url", "enclave_socket"):
        if field not in values:
            raise CannotStart(f"{PREFIX}{field.upper()} is not set")
    return Settings(**values)
