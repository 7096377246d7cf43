"""The client's own store, one SQLite file, read and groomed by us (docs/whatsapp.md §9, §10, §13).

While the client runs, the file is only ever read as a whole (`enclave.session.live_image` says why); before that,
`check` and `drop_ratchets` open it as the database that it is, which nobody else does then.
"""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from enclave.session.live_image import IMAGE_DEADLINE_S, live_image
from enclave.wire.answers import Contact

OWN_SECRETS_KEPT: Final = 1000
"""Message secrets of our own messages that a snapshot keeps, newest first: those of open attempts are among them."""

NAMES_COLLECTION: Final = "critical_unblock_low"
"""The app-state collection that carries the address book's names."""

PERSONAL: Final = "s.whatsapp.net"

ContactsVersion = tuple[int, bool, str]
NO_CONTACTS: Final[ContactsVersion] = (hash(frozenset()), False, "")
"""`StoreFile.version` of a new device's store."""


class StoreCorrupt(Exception):
    """The file is no store, or has no row for the device."""


class StoreFile:
    """The store at `path` of the device `jid` (with device number, as the store's rows call it)."""

    def __init__(self, path: Path, jid: str) -> None:
        """Opens nothing yet."""
        self.path: Final = path
        self.jid: Final = jid

    @contextlib.contextmanager
    def _exclusively(self) -> Generator[sqlite3.Connection]:
        """The file itself, for when no client runs."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def _open(self, deadline_s: float = IMAGE_DEADLINE_S) -> Generator[sqlite3.Connection]:
        """A copy in memory of the file as it is now. Raises ImageUnstable."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            connection.deserialize(live_image(self.path, deadline_s))
            yield connection
        finally:
            connection.close()

    def check(self) -> str:
        """The device's LID, "" if unknown. Raises StoreCorrupt: without the row the client would abort the process."""
        try:
            with self._exclusively() as store:
                if store.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    raise StoreCorrupt
                self._end_journal(store)
                row = store.execute("SELECT lid FROM whatsmeow_device WHERE jid = ?", (self.jid,)).fetchone()
        except sqlite3.DatabaseError:
            raise StoreCorrupt from None
        if row is None:
            raise StoreCorrupt
        return row[0] or ""

    def _end_journal(self, store: sqlite3.Connection) -> None:
        """Clear away a journal that a kill left before its header was written.

        SQLite does not roll it back, as nothing in it counts, and leaves it until the next write; meanwhile
        `live_image` would take it for a transaction that never ends. So write: the same number over itself.
        """
        if self.path.with_name(f"{self.path.name}-journal").exists():
            (number,) = store.execute("PRAGMA user_version").fetchone()
            store.execute(f"PRAGMA user_version = {int(number)}")

    def lid(self) -> str:
        """The device's LID, "" if unknown; while the client runs."""
        with self._open() as store:
            row = store.execute("SELECT lid FROM whatsmeow_device WHERE jid = ?", (self.jid,)).fetchone()
        return (row[0] or "") if row else ""

    def has_device(self) -> bool:
        """Whether the device is still linked, as far as the client knows."""
        with self._open() as store:
            query = "SELECT 1 FROM whatsmeow_device WHERE jid = ?"
            return store.execute(query, (self.jid,)).fetchone() is not None

    def drop_ratchets(self, own_users: frozenset[str]) -> None:
        """Forget all Signal sessions and our own sender keys: the next send makes fresh ones (docs/whatsapp.md §13)."""
        with self._exclusively() as store:
            store.execute("BEGIN IMMEDIATE")
            store.execute("DELETE FROM whatsmeow_sessions WHERE our_jid = ?", (self.jid,))
            for (sender,) in store.execute("SELECT DISTINCT sender_id FROM whatsmeow_sender_keys").fetchall():
                if _signal_user(sender) in own_users:
                    store.execute("DELETE FROM whatsmeow_sender_keys WHERE sender_id = ?", (sender,))
            store.execute("COMMIT")

    def find_secret(self, secret: bytes) -> str:
        """Id of the message stored under `secret`, "" for none: stored before it is sent (docs/whatsapp.md §9)."""
        with self._open() as store:
            query = "SELECT message_id FROM whatsmeow_message_secrets WHERE our_jid = ? AND key = ?"
            row = store.execute(query, (self.jid, secret)).fetchone()
        return row[0] if row else ""

    def numbers(self, deadline_s: float = IMAGE_DEADLINE_S) -> dict[str, str]:
        """Phone numbers by LID user, as far as they are known."""
        with self._open(deadline_s) as store:
            return dict(store.execute("SELECT lid, pn FROM whatsmeow_lid_map").fetchall())

    def written_ns(self) -> int:
        """When the file was last written, to see that nothing can have changed."""
        return self.path.stat().st_mtime_ns

    def version(self) -> ContactsVersion:
        """Something that differs when contacts or their completeness may differ."""
        with self._open() as store:
            names = store.execute(
                "SELECT their_jid, full_name, push_name, business_name FROM whatsmeow_contacts WHERE our_jid = ?",
                (self.jid,),
            ).fetchall()
            return hash(frozenset(names)), self._names_synced(store), self._own_name(store)

    def _names_synced(self, store: sqlite3.Connection) -> bool:
        query = "SELECT 1 FROM whatsmeow_app_state_version WHERE jid = ? AND name = ? AND version > 0"
        return store.execute(query, (self.jid, NAMES_COLLECTION)).fetchone() is not None

    def _own_name(self, store: sqlite3.Connection) -> str:
        row = store.execute("SELECT push_name FROM whatsmeow_device WHERE jid = ?", (self.jid,)).fetchone()
        return (row[0] or "") if row else ""

    def contacts(self) -> tuple[list[Contact], bool, str]:
        """Everybody with a known number, by JID, `@lid` and number rows merged; whether names are synced; our own."""
        with self._open() as store:
            lids = dict(store.execute("SELECT pn, lid FROM whatsmeow_lid_map").fetchall())
            rows = store.execute(
                "SELECT their_jid, full_name, first_name, push_name, business_name FROM whatsmeow_contacts"
                " WHERE our_jid = ?",
                (self.jid,),
            ).fetchall()
            sessions = store.execute(
                "SELECT their_id FROM whatsmeow_sessions WHERE our_jid = ?", (self.jid,)
            ).fetchall()
            synced, own_name = self._names_synced(store), self._own_name(store)
        numbers = {lid: pn for pn, lid in lids.items()}
        established = {numbers.get(user, user) for user in (_signal_user(row[0]) for row in sessions)}
        names: dict[str, list[str]] = {}
        own = self.jid.partition(":")[0]
        for their_jid, full, first, push, business in rows:
            user, _, server = their_jid.partition("@")
            number = user if server == PERSONAL else numbers.get(user, "") if server == "lid" else ""
            if number and number != own:
                merged = names.setdefault(number, ["", "", ""])
                for place, name in enumerate((full or first, push, business)):
                    merged[place] = merged[place] or name or ""
        contacts = [
            Contact(
                jid=f"{number}@{PERSONAL}",
                lid=f"{lids[number]}@lid" if number in lids else "",
                full_name=full,
                push_name=push,
                business_name=business,
                established=number in established,
            )
            for number, (full, push, business) in names.items()
        ]
        return sorted(contacts, key=lambda contact: contact.jid), synced, own_name

    def snapshot(self, target: Path) -> int:
        """Copy the live store to `target`, pruned and vacuumed; its size in bytes.

        Pruned is what grows without bound and a sender of texts does not need: secrets of other people's messages, and
        of our own all but the newest. Everything else, app-state hashes included, stays: the client checks them.
        """
        target.write_bytes(live_image(self.path))
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            copy.execute("PRAGMA journal_mode = OFF")
            lid = copy.execute("SELECT lid FROM whatsmeow_device WHERE jid = ?", (self.jid,)).fetchone()
            own = [_bare(self.jid), _bare(lid[0] if lid and lid[0] else self.jid)]
            copy.execute(
                "DELETE FROM whatsmeow_message_secrets WHERE rowid NOT IN (SELECT rowid FROM whatsmeow_message_secrets"
                " WHERE our_jid = ? AND sender_jid IN (?, ?) ORDER BY rowid DESC LIMIT ?)",
                (self.jid, *own, OWN_SECRETS_KEPT),
            )
            copy.execute("VACUUM")
        finally:
            copy.close()
        return target.stat().st_size


def _signal_user(address: str) -> str:
    """The user of a Signal address, "<user>[_<agent>]:<device>"."""
    return address.partition(":")[0].partition("_")[0]


def _bare(jid: str) -> str:
    """A JID without its device."""
    user, _, server = jid.partition("@")
    return f"{user.partition(':')[0].partition('.')[0]}@{server}"
