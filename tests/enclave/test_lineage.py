"""What a session starts from, and when a lack of traces counts: the decisions, without processes."""

import os
import time
from pathlib import Path

import msgspec
import pytest

from enclave.lineage import (
    ATTEMPTS_MAX,
    KNOWN_MAX,
    LEFTOVER_S,
    RECORD_FILE,
    STORE_FILE,
    Adopt,
    Folder,
    Record,
    Restore,
    Seal,
    decide,
    folders,
    fresh_record,
)
from enclave.stores import OpenedStore
from enclave.wire.answers import SealedStore
from enclave.wire.envelope import Code

A = "00000000-0000-4000-8000-000000000001"
B = "00000000-0000-4000-8000-000000000002"
SECRET = bytes(32)


def sealed(version: int, *, clean: bool = True, made_by: int = 0) -> SealedStore:
    nonce = bytes([made_by]) + version.to_bytes(11, "big")
    return SealedStore(
        v=1, environment="local", key_version=1, version=version, clean=clean, nonce=nonce, ciphertext=b""
    )


def left_of(*stores: SealedStore) -> Record:
    known = tuple(Seal(store.version, store.nonce) for store in stores)
    return Record(epoch=1, pid=0, version=stores[-1].version, continuous_since=1, known=known)


def restored(found: object) -> Restore:
    assert isinstance(found, Restore)
    return found


def test_a_leftover_is_gone_on_with_from_any_store_that_it_descends_from() -> None:
    left = left_of(sealed(5), sealed(6), sealed(7, clean=False))
    for version in (5, 6, 7):
        for dirty in (True, False):
            found = decide(left, sealed(version), dirty=dirty, sealed_version=7)
            assert found == Adopt(left)


def test_a_leftover_is_not_gone_on_with_from_another_store_of_the_same_number() -> None:
    left = left_of(sealed(5), sealed(6))
    assert restored(decide(left, sealed(6, made_by=1), dirty=True, sealed_version=6)).drop_ratchets
    assert restored(decide(left, sealed(8), dirty=False, sealed_version=6)).version == 8


def test_a_device_just_linked_is_gone_on_with_though_the_host_never_kept_it() -> None:
    paired = fresh_record(epoch=1, version=100, opened=None, restore=None).sealed(sealed(101))
    assert decide(paired, None, dirty=True, sealed_version=101) == Adopt(paired)
    assert decide(paired, sealed(101), dirty=True, sealed_version=101) == Adopt(paired)
    assert decide(None, None, dirty=True, sealed_version=0) is Code.STORE_CORRUPT
    assert decide(left_of(sealed(5)), None, dirty=True, sealed_version=5) is Code.STORE_CORRUPT


@pytest.mark.parametrize(("clean", "dirty", "drop"), [(True, False, False), (True, True, True), (False, False, True)])
def test_ratchets_are_dropped_on_any_doubt(clean: bool, dirty: bool, drop: bool) -> None:
    assert restored(decide(None, sealed(9, clean=clean), dirty=dirty, sealed_version=0)).drop_ratchets is drop


def test_an_older_store_is_stale_unless_admitted_and_then_numbers_go_on_above() -> None:
    assert decide(None, sealed(5), dirty=False, sealed_version=6) is Code.STALE_STORE
    assert restored(decide(None, sealed(5), dirty=True, sealed_version=6)).version == 6
    assert restored(decide(None, sealed(6), dirty=False, sealed_version=6)).version == 6


def record(*, dirty: bool, version: int = 9, since: int = 4) -> Record:
    found = restored(decide(None, sealed(version), dirty=dirty, sealed_version=0))
    return fresh_record(epoch=2, version=found.version, opened=OpenedStore(b"", since), restore=found)


def test_a_clean_start_carries_the_chain_on() -> None:
    assert record(dirty=False).saw(SECRET, after_version=9)
    assert record(dirty=False).saw(SECRET, after_version=4)
    assert not record(dirty=False).saw(SECRET, after_version=3)


def test_a_dirty_start_breaks_the_chain_until_the_host_has_a_store_of_the_new_one() -> None:
    assert not record(dirty=True).saw(SECRET, after_version=9)
    assert record(dirty=True).saw(SECRET, after_version=10)


def test_an_attempt_begun_here_is_known_here_whatever_came_before() -> None:
    begun = record(dirty=True).attempted(SECRET)
    assert begun.saw(SECRET, after_version=0)
    assert not begun.saw(b"\1" * 32, after_version=0)
    assert SECRET not in msgspec.msgpack.encode(begun)


def test_what_a_record_remembers_is_bounded() -> None:
    grown = record(dirty=False)
    for n in range(1000):
        grown = grown.sealed(sealed(10 + n)).attempted(n.to_bytes(32, "big"))
    assert (len(grown.known), len(grown.attempts)) == (KNOWN_MAX, ATTEMPTS_MAX)
    assert grown.version == 1009
    assert grown.known[-1] == Seal(1009, sealed(1009).nonce)


def test_a_folder_keeps_its_record_and_its_snapshots_to_itself(tmp_path: Path) -> None:
    folder = Folder(tmp_path, A)
    assert folder.read() is None
    folder.begin(b"store")
    assert folder.read() is None  # a store without a record is of no use
    folder.write(left_of(sealed(3)))
    assert folder.read() == left_of(sealed(3))
    assert (folder.path.stat().st_mode & 0o777, (folder.path / STORE_FILE).stat().st_mode & 0o777) == (0o700, 0o600)
    (folder.path / "snapshot-1.db").write_bytes(b"copy")
    assert folder.take(folder.path / "snapshot-1.db") == b"copy"
    outside = tmp_path / "snapshot-2.db"
    outside.write_bytes(b"not ours")
    for path in (outside, folder.path / STORE_FILE, folder.path / ".." / "snapshot-2.db"):
        with pytest.raises(FileNotFoundError):
            folder.take(path)
    (folder.path / RECORD_FILE).write_bytes(b"\xc1")
    assert folder.read() is None
    folder.destroy()
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot-2.db"]


def test_only_accounts_are_taken_for_folders_and_they_age(tmp_path: Path) -> None:
    for name in (A, B):
        folder = Folder(tmp_path, name)
        folder.begin(b"store")
        folder.write(left_of(sealed(3)))
    (tmp_path / "else").mkdir()
    (tmp_path / "00000000-0000-4000-8000-000000000003").symlink_to(tmp_path / "else")
    assert {folder.account for folder in folders(tmp_path)} == {A, B}
    assert folder.age_s() < LEFTOVER_S
    hour_ago = time.time() - LEFTOVER_S - 1
    os.utime(folder.path / RECORD_FILE, (hour_ago, hour_ago))
    assert folder.age_s() > LEFTOVER_S
    folder.touch()
    assert folder.age_s() < LEFTOVER_S
