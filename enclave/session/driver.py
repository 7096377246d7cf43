"""The interface behind which a WhatsApp client runs in a session process: neonize, or nothing at all for benches."""

from collections.abc import Coroutine
from typing import Any, Final, Protocol

from enclave.session.pipe import SentText, SessionNotice, Snapshot, Start
from enclave.wire.answers import ContactPage, GroupList, NotSent, NumberChecked, Picture
from enclave.wire.envelope import Code

STORE_FILE: Final = "store.db"
"""Name of the live store in the account's folder; SQLite's rollback journal lies beside it."""


class DriverRefused(Exception):
    """The driver cannot do what was asked; `code` is what the broker hears."""

    def __init__(self, code: Code) -> None:
        """`code`: why."""
        super().__init__(code.value)
        self.code: Final = code


class Driver(Protocol):
    """One account's client. Every method may raise DriverRefused; any other exception ends the process."""

    async def start(self, order: Start) -> None:
        """Start connecting, or pairing; what becomes of it is told. Once, and before anything else."""
        ...

    async def send_text(self, recipient: str, secret: bytes, text: memoryview) -> SentText | NotSent:
        """Send UTF-8 `text`, which the caller zeroes afterwards, to a PN or group JID under the attempt's `secret`."""
        ...

    async def find_secret(self, secret: bytes) -> str:
        """Id of the message that reached the sending stage under `secret`, "" for none."""
        ...

    async def take_snapshot(self) -> Snapshot:
        """Copy the live store, pruned and vacuumed, to a new file in the account's folder."""
        ...

    async def stop(self) -> Snapshot | None:
        """Disconnect; then the last copy of the store, or None without a linked device."""
        ...

    async def logout(self) -> None:
        """Unlink the device at WhatsApp."""
        ...

    async def read_contacts(self, after: str, limit: int) -> ContactPage:
        """Contacts by JID, those after `after`, at most `limit`."""
        ...

    async def read_groups(self) -> GroupList:
        """All groups of the account."""
        ...

    async def read_picture(self, jid: str, known_id: str) -> Picture:
        """The preview picture of a person or group; no image when it is still the one with `known_id`."""
        ...

    async def look_up_number(self, phone: str) -> NumberChecked:
        """Whether `phone` (international digits) is on WhatsApp."""
        ...


class Surroundings(Protocol):
    """What the process gives its driver."""

    def tell(self, notice: SessionNotice) -> None:
        """Report something unasked, from the event loop's thread. After PairFailed the process ends."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the orders; an exception in it is a bug and ends the process."""
        ...
