"""What configures a supervisor: `AUTOSENDR_*` variables, and a file of them that is read anew at each HUP.

An unknown one refuses to start.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from domain import limits

PREFIX: Final = "AUTOSENDR_"
FILE: Final = PREFIX + "SETTINGS_FILE"
PORT_MAX: Final = 65_535


class CannotStart(Exception):
    """The configuration is wrong; the sentence says how."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`simulator`: host:port in a demo, "" otherwise; `state` None: the node forgets its name when it stops.

    `hot_slots` None: as many as the memory allows. `metrics_port` on loopback; None: nobody is told, 0: any free one.
    """

    database_url: str
    redis_url: str
    enclave_socket: Path
    egress_socket: Path | None = None
    state: Path | None = None
    simulator: str = ""
    hot_slots: int | None = None
    stay_s: float = limits.STAY_S
    metrics_port: int | None = None
    settings_file: Path | None = None
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


def _slots(text: str) -> int | None:
    if text == "auto":
        return None
    if not limits.HOT_SLOTS_MIN <= _number(text) <= limits.HOT_SLOTS_MAX:
        raise ValueError(f"it is not between {limits.HOT_SLOTS_MIN} and {limits.HOT_SLOTS_MAX}")
    return int(text)


def _port(text: str) -> int:
    if _number(text) > PORT_MAX:
        raise ValueError(f"it is more than {PORT_MAX}")
    return int(text)


def _stay(text: str) -> float:
    if _number(text) > limits.STAY_S_MAX:
        raise ValueError(f"it is more than {limits.STAY_S_MAX:.0f}")
    return float(text)


def _row(name: str, field: str, read: Callable[[str], Any], meaning: str) -> Variable:
    return Variable(name=PREFIX + name, field=field, read=read, meaning=meaning)


VARIABLES: Final[tuple[Variable, ...]] = (
    _row("DATABASE_URL", "database_url", _text, "PostgreSQL 15 or newer; required"),
    _row("REDIS_URL", "redis_url", _text, "Redis 7.0 or newer, or Valkey, or `redis+cluster://HOST:PORT,…`; required"),
    _row("ENCLAVE_SOCKET", "enclave_socket", Path, "the door: Unix socket of the enclave; required"),
    _row("EGRESS_SOCKET", "egress_socket", Path, "Unix socket on which to relay for the enclave; none: no relay"),
    _row("STATE", "state", Path, "folder in which the node keeps its name; none: a new name at each start"),
    _row("SIMULATOR", "simulator", _text, "host:port of the simulator's front; in a demo only"),
    _row("HOT_SLOTS", "hot_slots", _slots, "live sessions at once: a number, or `auto` by free memory (default)"),
    _row(
        "STAY_S", "stay_s", _stay, "seconds that an idle session stays after a send while there is room (default 120)"
    ),
    _row(
        "METRICS_PORT", "metrics_port", _port, "port on loopback for /healthz, /readyz and /metrics; none: nobody asks"
    ),
    _row("SETTINGS_FILE", "settings_file", Path, "file of NAME=value lines, read again at HUP; they win"),
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
        "SMTP_URL",
        "MAIL_FROM",
        "METRICS_TOKEN",
        "SIMULATOR_TRUST",
        "SIMULATOR_ROOT_KEY",
    )
)
"""Variables of other programs: one environment may configure all of them."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment, those of its file before them. Raises `CannotStart` naming the wrong variable."""
    if environ.get(FILE):
        environ = {**environ, **_read_file(Path(environ[FILE]))}
    known = {variable.name: variable for variable in VARIABLES}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known and name not in OTHERS)
    if unknown:
        raise CannotStart(f"unknown variable {', '.join(unknown)}")
    values: dict[str, Any] = {}
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


def _read_file(path: Path) -> dict[str, str]:
    """Lines `NAME=value`, as in the file that a service manager reads; empty lines and comments (#) are none."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise CannotStart(f"{FILE} names a file that cannot be read") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, is_one, value = text.partition("=")
        if not is_one:
            raise CannotStart(f"{FILE}: line {number} is not NAME=value")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
