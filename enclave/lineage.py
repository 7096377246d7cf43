"""The live store of an account on tmpfs, and which stores of the host it descends from.

    AUTOSENDR_TMPFS/<account>/store.db (+ -journal)   the client's own, written by the session process
                              snapshot-*.db           copies on their way to be sealed
                              lineage                 the record below, replaced whole

The folder outlives an unclean end of the session process, and of the broker itself. Whoever opens the account next goes
on with it, so nothing is lost, if the host's store is one that it descends from; by version and nonce, so a store that
another enclave made under the same number does not pass. Else the host's store is newer and the folder goes.
"""

import hashlib
import os
import re
import select
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from enclave.stores import OpenedStore
from enclave.wire.answers import SealedStore
from enclave.wire.envelope import Code

STORE_FILE: Final = "store.db"
RECORD_FILE: Final = "lineage"
SNAPSHOTS: Final = "snapshot-*.db"
KNOWN_MAX: Final = 64
"""Seals that a lineage remembers. A host that persisted none of the last 64 starts from its own store."""

ATTEMPTS_MAX: Final = 256
"""Sends that a lineage remembers, newest last."""

LEFTOVER_S: Final = 3600.0
"""How long a folder waits for the next OpenSession: the longest backoff (30 min and a quarter) and the reconcile loop
come sooner, and a store with keys in clear should not lie about for longer than it can be of use."""

_PREDECESSOR_S: Final = 5.0
_ACCOUNT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Seal(msgspec.Struct, frozen=True):
    """Which sealed store is meant. Version 0 with an empty nonce: none, a device just linked."""

    version: int
    nonce: bytes


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a live store: `version` is the newest sealed, `known` the seals that it descends from.

    `attempts`: SHA-256 of the secrets of sends begun here. `continuous_since`: see `enclave.stores`.
    """

    epoch: int
    pid: int
    version: int
    continuous_since: int
    known: tuple[Seal, ...]
    attempts: tuple[bytes, ...] = ()

    def sealed(self, store: SealedStore) -> "Record":
        """The record after `store` was sealed from here."""
        known = (*self.known, Seal(store.version, store.nonce))[-KNOWN_MAX:]
        return msgspec.structs.replace(self, version=store.version, known=known)

    def attempted(self, secret: bytes) -> "Record":
        """The record once a send with `secret` may have reached the client."""
        attempts = (*self.attempts, _digest(secret))[-ATTEMPTS_MAX:]
        return msgspec.structs.replace(self, attempts=attempts)

    def opened_in(self, epoch: int) -> "Record":
        """The record when its store is gone on with in `epoch`."""
        return msgspec.structs.replace(self, epoch=epoch)

    def run_by(self, pid: int) -> "Record":
        """The record while process `pid` works on the store."""
        return msgspec.structs.replace(self, pid=pid)

    def saw(self, secret: bytes, after_version: int) -> bool:
        """Whether that attempt, if it reached a client at all, ran on this very store, so that a lack of traces counts.

        It did if it was begun here, or if the host held a store of our unbroken chain when it began.
        """
        return _digest(secret) in self.attempts or after_version >= self.continuous_since


class Adopt(msgspec.Struct, frozen=True):
    """Go on with the store that is there."""

    record: Record


class Restore(msgspec.Struct, frozen=True):
    """Start from the host's store. `drop_ratchets`: sends may be missing in it, and with them the chain is broken."""

    store: SealedStore
    version: int
    drop_ratchets: bool


def decide(
    left: Record | None, store: SealedStore | None, *, dirty: bool, sealed_version: int
) -> Adopt | Restore | Code:
    """Decide what a session starts from. `sealed_version`: the highest version that this enclave knows to be sealed.

    A host that claims a store to be clean and the newest, though this enclave sealed a later one, gets stale_store;
    one that says dirty gets its start, without ratchets: it may have crashed before it kept ours.
    """
    wanted = Seal(0, b"") if store is None else Seal(store.version, store.nonce)
    if left is not None and wanted in left.known:
        return Adopt(left)
    if store is None:
        return Code.STORE_CORRUPT
    doubtful = dirty or not store.clean
    if store.version < sealed_version and not doubtful:
        return Code.STALE_STORE
    return Restore(store, max(store.version, sealed_version), doubtful)


class Folder:
    """One account's folder. All calls are short and block: it lies in memory."""

    def __init__(self, root: Path, account: str) -> None:
        """Touch nothing yet."""
        self.path = root / account
        self.account = account

    def read(self) -> Record | None:
        """Return the record of a store that can be gone on with, else None."""
        try:
            record = msgspec.msgpack.decode((self.path / RECORD_FILE).read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return record if (self.path / STORE_FILE).exists() else None

    def write(self, record: Record) -> None:
        """Replace the record, whole at every instant."""
        fresh = self.path / f".{RECORD_FILE}"
        fresh.write_bytes(msgspec.msgpack.encode(record))
        fresh.replace(self.path / RECORD_FILE)

    def begin(self, sqlite: bytes | None) -> None:
        """Make the folder anew, with a store or (pairing) without."""
        self.destroy()
        self.path.mkdir(mode=0o700)
        if sqlite is not None:
            descriptor = os.open(self.path / STORE_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sqlite)

    def drop_snapshots(self) -> None:
        """Remove copies that nobody came to seal."""
        for path in self.path.glob(SNAPSHOTS):
            path.unlink()

    def take(self, path: Path) -> bytes:
        """Return the bytes of a snapshot and remove it. Raises FileNotFoundError if it is not one of this folder's."""
        if path.parent != self.path or not path.match(SNAPSHOTS):
            raise FileNotFoundError
        data = path.read_bytes()
        path.unlink()
        return data

    def touch(self) -> None:
        """Let the time that a leftover has begin now."""
        (self.path / RECORD_FILE).touch()

    def age_s(self) -> float:
        """Return how long the folder has been left alone."""
        try:
            return time.time() - (self.path / RECORD_FILE).stat().st_mtime
        except FileNotFoundError:
            return LEFTOVER_S

    def destroy(self) -> None:
        """Remove the folder. On tmpfs that frees the pages; there is no medium to overwrite."""
        shutil.rmtree(self.path, ignore_errors=True)


def folders(root: Path) -> Iterator[Folder]:
    """Every account's folder in `root`."""
    for path in root.iterdir():
        if _ACCOUNT.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            yield Folder(root, path.name)


def fresh_record(*, epoch: int, version: int, opened: OpenedStore | None, restore: Restore | None) -> Record:
    """The record of a store that begins: restored as decided, or (both None) about to be paired from `version`."""
    if opened is None or restore is None:
        return Record(epoch=epoch, pid=0, version=version, continuous_since=version + 1, known=(Seal(0, b""),))
    since = restore.version + 1 if restore.drop_ratchets else opened.continuous_since
    known = (Seal(restore.store.version, restore.store.nonce),)
    return Record(epoch=epoch, pid=0, version=restore.version, continuous_since=since, known=known)


def await_end_of(pid: int) -> None:
    """Wait, briefly, until process `pid` has ended: the session of a broker that was killed dies with it, not before.

    Two processes on one store would be two owners of its ratchets.
    """
    if pid == 0 or not hasattr(os, "pidfd_open"):
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(_PREDECESSOR_S * 1000)
    finally:
        os.close(descriptor)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def pairing_version() -> int:
    """The version from which the stores of a newly linked device count: Unix seconds.

    The host does not say which versions an earlier device of the account had reached, and none is sealed as often as
    once a second over its life.
    """
    return int(time.time())
