"""Every variable that configures AutoSendr, in one table: what it means and which program gets it.

The runner gives each child the variables of its row and no others, so that the enclave never learns the database's
address. The person's own value wins over the runner's. docs/operations.md shows this table; a test compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from standalone.home import CannotStart

PREFIX = "AUTOSENDR_"
RUNNER = "runner"
SIMULATOR = "simulator"
MIGRATE = "migrate"
ENCLAVE = "enclave"
SUPERVISOR = "supervisor"
WEB = "web"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's name, who reads it, and what it says."""

    name: str
    readers: frozenset[str]
    meaning: str


def _row(name: str, readers: str, meaning: str) -> Variable:
    return Variable(name, frozenset(readers.split()), meaning)


VARIABLES: tuple[Variable, ...] = (
    _row("AUTOSENDR_HOME", "runner", "state folder of the runner; `.autosendr` in the repository by default"),
    _row("AUTOSENDR_RUN", "runner", "folder for the runner's sockets; the system's temporary folder by default"),
    _row("AUTOSENDR_VENV", "runner", "Python environment that `./autosendr` makes and uses; `.venv` by default"),
    _row("AUTOSENDR_DATABASE_URL", "migrate supervisor web", "PostgreSQL 15 or newer"),
    _row("AUTOSENDR_REDIS_URL", "supervisor web", "Redis 7.0 or newer, or Valkey, or `redis+cluster://HOST:PORT,…`"),
    _row("AUTOSENDR_ENCLAVE_SOCKET", "enclave supervisor web", "the door: Unix socket that the enclave listens on"),
    _row(
        "AUTOSENDR_EGRESS_SOCKET",
        "enclave supervisor",
        "Unix socket of the relay through which the enclave reaches out",
    ),
    _row("AUTOSENDR_STATE", "enclave supervisor web", "folder for what must survive; the enclave has its own"),
    _row("AUTOSENDR_TMPFS", "enclave", "folder in memory for the stores of live sessions"),
    _row("AUTOSENDR_WEB_HOST", "web", "address that the web process listens on"),
    _row("AUTOSENDR_WEB_PORT", "web", "port that the web process listens on"),
    _row("AUTOSENDR_PUBLIC_URL", "web", "address under which people reach the web process"),
    _row("AUTOSENDR_MAILBOX", "web", "folder into which mails are written instead of being sent"),
    _row(
        "AUTOSENDR_SMTP_URL",
        "web",
        "mail server, smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; mails are sent then",
    ),
    _row("AUTOSENDR_MAIL_FROM", "web", "address that mails come from; needed with a mail server"),
    _row(
        "AUTOSENDR_METRICS_TOKEN",
        "web",
        "who brings this word as bearer token may read the web's `/metrics`; without it nobody may",
    ),
    _row("AUTOSENDR_SIMULATOR", "supervisor web", "host:port of the simulator's front; in a demo only"),
    _row("AUTOSENDR_SIMULATOR_ROOT_KEY", "enclave", "set by the demo: the simulator's key, hex, that it trusts"),
    _row(
        "AUTOSENDR_HOT_SLOTS",
        "supervisor",
        "how many sessions may be live at once: a number, or `auto` by free memory (default)",
    ),
    _row(
        "AUTOSENDR_STAY_S",
        "supervisor",
        "seconds that an idle session stays awake after a send while nobody needs its slot (default 120)",
    ),
    _row(
        "AUTOSENDR_METRICS_PORT",
        "supervisor",
        "port on loopback where the supervisor answers `/healthz`, `/readyz`, `/metrics`; none: nowhere",
    ),
    _row(
        "AUTOSENDR_SETTINGS_FILE",
        "supervisor",
        "file of `NAME=value` lines that the supervisor reads at its start and again at HUP; they win",
    ),
    _row("AUTOSENDR_READY_FD", "simulator migrate enclave supervisor web", "descriptor for the line that says `ready`"),
)


def check_names(environ: Mapping[str, str]) -> None:
    """Refuse a misspelt variable: raises CannotStart naming each AUTOSENDR_* variable that is not in the table."""
    known = {variable.name for variable in VARIABLES}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise CannotStart(f"unknown variable {', '.join(unknown)}; docs/operations.md lists the known ones")


def environment_for(program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without the variables of the other programs: one file of settings may configure them all.

    Raises CannotStart at an unknown variable.
    """
    check_names(environ)
    foreign = {variable.name for variable in VARIABLES if program not in variable.readers}
    return {name: value for name, value in environ.items() if name not in foreign}


def variables_for(program: str, ours: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that `program` gets: those of its rows, the person's value before ours."""
    rows = (variable.name for variable in VARIABLES if program in variable.readers)
    merged = {**ours, **{name: value for name, value in environ.items() if name.startswith(PREFIX)}}
    return {name: merged[name] for name in rows if name in merged}
