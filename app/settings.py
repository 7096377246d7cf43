"""The web process's configuration: AUTOSENDR_* variables, read once; an unknown one refuses to start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.smtp import SmtpServer, read_server
from domain import draft, limits
from domain.refusal import Refused

PREFIX: Final = "AUTOSENDR_"
KNOWN: Final = frozenset(
    {
        "AUTOSENDR_DATABASE_URL",
        "AUTOSENDR_REDIS_URL",
        "AUTOSENDR_ENCLAVE_SOCKET",
        "AUTOSENDR_WEB_HOST",
        "AUTOSENDR_WEB_PORT",
        "AUTOSENDR_PUBLIC_URL",
        "AUTOSENDR_MAILBOX",
        "AUTOSENDR_SMTP_URL",
        "AUTOSENDR_MAIL_FROM",
        "AUTOSENDR_METRICS_TOKEN",
        "AUTOSENDR_STATE",
        "AUTOSENDR_SIMULATOR",
        "AUTOSENDR_READY_FD",
        "AUTOSENDR_VENV",
    }
)
"""Those that the one-machine runner gives to a web process, and what its bootstrap leaves in the environment."""


class BadSettings(Exception):
    """The environment cannot be right; the text says which variable and why."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How this web process runs. `ready_fd`: for the ready line.

    Mails go to `smtp`, as from `mail_from`; without it they are written into the folder `mailbox`.

    `simulator`: host:port of the simulated phones, in a demo only; the pages link to them.

    `metrics_token`: who brings it may read the metrics; "": nobody.
    """

    database_url: str
    redis_url: str
    enclave_socket: Path
    host: str
    port: int
    public_url: str
    mailbox: Path | None
    smtp: SmtpServer | None = None
    mail_from: str = ""
    simulator: str = ""
    metrics_token: str = ""
    ready_fd: int | None = None

    @property
    def secure(self) -> bool:
        """Whether people reach us by TLS, so that cookies can insist on it."""
        return self.public_url.startswith("https://")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises BadSettings."""
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in KNOWN)
    if unknown:
        raise BadSettings(f"unknown variable {', '.join(unknown)}")
    host = environ.get("AUTOSENDR_WEB_HOST", "127.0.0.1")
    port = _number(environ, "AUTOSENDR_WEB_PORT", 8080)
    public_url = environ.get("AUTOSENDR_PUBLIC_URL", f"http://{host}:{port}").rstrip("/")
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise BadSettings("AUTOSENDR_PUBLIC_URL must be like https://autosendr.example")
    smtp = _smtp(environ)
    return Settings(
        database_url=_needed(environ, "AUTOSENDR_DATABASE_URL"),
        redis_url=_needed(environ, "AUTOSENDR_REDIS_URL"),
        enclave_socket=Path(_needed(environ, "AUTOSENDR_ENCLAVE_SOCKET")),
        host=host,
        port=port,
        public_url=public_url,
        mailbox=None if smtp else Path(_needed(environ, "AUTOSENDR_MAILBOX")),
        smtp=smtp,
        mail_from=_sender(environ) if smtp else "",
        simulator=environ.get("AUTOSENDR_SIMULATOR", ""),
        metrics_token=_token(environ),
        ready_fd=_number(environ, "AUTOSENDR_READY_FD", 0) or None,
    )


def _smtp(environ: Mapping[str, str]) -> SmtpServer | None:
    url = environ.get("AUTOSENDR_SMTP_URL", "")
    try:
        return read_server(url) if url else None
    except ValueError as error:
        raise BadSettings(f"AUTOSENDR_SMTP_URL is {error}") from None


def _sender(environ: Mapping[str, str]) -> str:
    try:
        return draft.email(_needed(environ, "AUTOSENDR_MAIL_FROM"))
    except Refused:
        raise BadSettings("AUTOSENDR_MAIL_FROM must be an e-mail address") from None


def _token(environ: Mapping[str, str]) -> str:
    token = environ.get("AUTOSENDR_METRICS_TOKEN", "")
    if token and len(token) < limits.METRICS_TOKEN_MIN:
        raise BadSettings(f"AUTOSENDR_METRICS_TOKEN has fewer than {limits.METRICS_TOKEN_MIN} characters")
    return token


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise BadSettings(f"{name} is not set")
    return value


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) > 65535:
        raise BadSettings(f"{name} must be a number up to 65535")
    return int(text)
