"""Mail out: by SMTP (`app/smtp.py`), or, on a machine without, into a folder that the mailbox page shows."""

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

KEPT_MAX: Final = 200
"""Mails in the folder; older ones are deleted."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail: plain text to one address."""

    to: str
    subject: str
    text: str
    sent_at: datetime


class Mailer(Protocol):
    """Whoever can send a mail."""

    async def send(self, to: str, subject: str, text: str) -> None:
        """Sends a plain text. Raises Unavailable when it cannot be handed over, Refused when `to` takes none."""


class FolderMailer:
    """Writes each mail as a JSON file into a folder that only this user can read."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder if it is missing."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    async def send(self, to: str, subject: str, text: str) -> None:
        """Writes the mail."""
        mail = Mail(to=to, subject=subject, text=text, sent_at=datetime.now(UTC))
        await asyncio.to_thread(self._write, mail)

    async def newest(self) -> list[Mail]:
        """The mails, newest first."""
        return await asyncio.to_thread(self._read)

    def _write(self, mail: Mail) -> None:
        path = self._folder / f"{time.time_ns():020d}.json"
        descriptor = os.open(path.with_suffix(".part"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(mail))
        path.with_suffix(".part").rename(path)
        for old in sorted(self._folder.glob("*.json"))[:-KEPT_MAX]:
            old.unlink(missing_ok=True)

    def _read(self) -> list[Mail]:
        paths = sorted(self._folder.glob("*.json"), reverse=True)
        return [msgspec.json.decode(path.read_bytes(), type=Mail) for path in paths]
