"""A driver without WhatsApp, for benches: it connects at once, acknowledges every send, keeps a small real store."""

import hashlib
import itertools
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from enclave.session.driver import STORE_FILE, DriverRefused, Surroundings
from enclave.session.pipe import DevicePaired, SentText, Snapshot, Start
from enclave.wire.answers import ContactPage, GroupList, NotSent, NumberChecked, Picture
from enclave.wire.envelope import Code
from enclave.wire.news import Connected, Drained, Receipt, ReceiptKind

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS sent (secret BLOB PRIMARY KEY, wa_id TEXT NOT NULL)"
_PAIRED_JID: Final = "10000000000:1@s.whatsapp.net"
_PAIRED_LID: Final = "20000000000:1@lid"


class NullDriver:
    """A client that always succeeds. It holds what it "sent" by secret, so that settling can be exercised."""

    def __init__(self, surroundings: Surroundings, after_load: Callable[[], None] | None = None) -> None:
        """`after_load` is not called: there is no library."""
        self._surroundings = surroundings
        self._folder = Path()
        self._store: sqlite3.Connection | None = None
        self._numbers = itertools.count(1)

    async def start(self, order: Start) -> None:
        """Open the store, or make one, and be connected."""
        self._folder = Path(order.folder)
        path = self._folder / STORE_FILE
        if order.jid and not path.exists():
            raise DriverRefused(Code.STORE_CORRUPT)
        self._store = sqlite3.connect(path)
        self._store.execute(_SCHEMA)
        self._store.commit()
        if not order.jid:
            snapshot = await self.take_snapshot()
            paired = DevicePaired(jid=_PAIRED_JID, lid=_PAIRED_LID, platform="null", snapshot=snapshot)
            self._surroundings.tell(paired)
        self._surroundings.tell(Connected())
        self._surroundings.tell(Drained())

    def _opened(self) -> sqlite3.Connection:
        if self._store is None:
            raise DriverRefused(Code.NOT_CONNECTED)
        return self._store

    async def send_text(self, recipient: str, secret: bytes, text: memoryview) -> SentText | NotSent:
        """Acknowledge, and deliver at once."""
        store = self._opened()
        wa_id = "3EB0" + hashlib.sha256(secret).hexdigest()[:18].upper()
        store.execute("INSERT OR REPLACE INTO sent VALUES (?, ?)", (secret, wa_id))
        store.commit()
        now_s = int(time.time())
        receipt = Receipt(kind=ReceiptKind.DELIVERED, wa_ids=[wa_id], chat=recipient, at_s=now_s)
        self._surroundings.tell(receipt)
        return SentText(wa_id=wa_id, server_time_s=now_s)

    async def find_secret(self, secret: bytes) -> str:
        """Id of what was sent under `secret`, "" for none."""
        row = self._opened().execute("SELECT wa_id FROM sent WHERE secret = ?", (secret,)).fetchone()
        return row[0] if row else ""

    async def take_snapshot(self) -> Snapshot:
        """Copy the store."""
        path = self._folder / f"snapshot-{next(self._numbers)}.db"
        copy = sqlite3.connect(path)
        try:
            self._opened().backup(copy)
        finally:
            copy.close()
        return Snapshot(path=str(path), store_bytes=path.stat().st_size)

    async def stop(self) -> Snapshot | None:
        """Copy the store for the last time."""
        return await self.take_snapshot()

    async def logout(self) -> None:
        """Nothing to log out of."""

    async def read_contacts(self, after: str, limit: int) -> ContactPage:
        """Nobody."""
        return ContactPage(contacts=[], after="", names_synced=True)

    async def read_groups(self) -> GroupList:
        """No groups."""
        return GroupList(groups=[])

    async def read_picture(self, jid: str, known_id: str) -> Picture:
        """No picture."""
        return Picture(picture_id="", image=b"")

    async def look_up_number(self, phone: str) -> NumberChecked:
        """Everybody is on WhatsApp."""
        return NumberChecked(jid=f"{phone}@s.whatsapp.net")
