"""The store as the client made it: reading contacts and secrets, grooming, copying."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enclave.session.nursery import Nursery
from enclave.session.store_file import OWN_SECRETS_KEPT, StoreCorrupt, StoreFile
from enclave.wire.answers import Contact
from enclave.wire.news import PairFailed
from tests.enclave.session_rig import open_line

JID = "4915100000001:7@s.whatsapp.net"
LID = "900000000000001:7@lid"
OWN = frozenset({"4915100000001", "900000000000001"})


@pytest.fixture(scope="module")
async def empty_store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[bytes]:
    """A store without a device, made by the client itself on its way to a proxy that refuses."""
    folder = tmp_path_factory.mktemp("account")
    nursery = await Nursery.start(observed=True)
    line = await open_line(nursery, folder)
    await line.start("neonize")
    await line.told(PairFailed)
    await line.ended()
    await nursery.close()
    yield (folder / "store.db").read_bytes()


@pytest.fixture
def path(empty_store: bytes, tmp_path: Path) -> Path:
    """A store with our device in it."""
    path = tmp_path / "store.db"
    path.write_bytes(empty_store)
    execute(
        path,
        "INSERT INTO whatsmeow_device (jid, lid, registration_id, noise_key, identity_key, signed_pre_key,"
        " signed_pre_key_id, signed_pre_key_sig, adv_key, adv_details, adv_account_sig, adv_account_sig_key,"
        " adv_device_sig) VALUES (?, ?, 1, zeroblob(32), zeroblob(32), zeroblob(32), 1, zeroblob(64), x'00', x'00',"
        " zeroblob(64), zeroblob(32), zeroblob(64))",
        JID,
        LID,
    )
    return path


def execute(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def add_contact(path: Path, jid: str, full: str = "", push: str = "", business: str = "", first: str = "") -> None:
    statement = "INSERT INTO whatsmeow_contacts VALUES (?, ?, ?, ?, ?, ?, NULL)"
    execute(path, statement, JID, jid, first, full, push, business)


def add_secret(path: Path, number: int, sender: str, secret: bytes) -> None:
    statement = "INSERT INTO whatsmeow_message_secrets VALUES (?, ?, ?, ?, ?)"
    execute(path, statement, JID, "555@lid", sender, f"ID{number}", secret)


def test_a_store_with_the_device_passes_and_knows_its_lid(path: Path) -> None:
    assert StoreFile(path, JID).check() == LID


def test_a_store_without_the_device_is_refused(path: Path) -> None:
    with pytest.raises(StoreCorrupt):
        StoreFile(path, "4915100000001:8@s.whatsapp.net").check()


@pytest.mark.parametrize("damage", ["text", "empty", "cut", "overwritten"])
def test_a_damaged_file_is_refused(path: Path, damage: str) -> None:
    data = bytearray(path.read_bytes())
    if damage == "overwritten":
        data[4096:40_960] = b"\xff" * (40_960 - 4096)
    path.write_bytes({"text": b"no database at all", "empty": b"", "cut": bytes(data[:8192])}.get(damage, bytes(data)))
    with pytest.raises(StoreCorrupt):
        StoreFile(path, JID).check()


def test_number_and_lid_rows_of_one_person_are_merged(path: Path) -> None:
    execute(path, "INSERT INTO whatsmeow_lid_map VALUES ('700', '4917000000007')")
    add_contact(path, "4917000000007@s.whatsapp.net", full="Ada L.")
    add_contact(path, "700@lid", push="ada", business="Engines Ltd")
    contacts, _, _ = StoreFile(path, JID).contacts()
    assert contacts == [
        Contact(
            jid="4917000000007@s.whatsapp.net",
            lid="700@lid",
            full_name="Ada L.",
            push_name="ada",
            business_name="Engines Ltd",
            established=False,
        )
    ]


def test_who_has_no_known_number_and_ourselves_are_no_contacts(path: Path) -> None:
    add_contact(path, "701@lid", push="a stranger in a group")
    add_contact(path, "4915100000001@s.whatsapp.net", push="me")
    add_contact(path, "123-456@g.us", push="a group")
    assert StoreFile(path, JID).contacts()[0] == []


@pytest.mark.parametrize("address", ["4917000000007:0", "700_1:0", "700_1:12"])
def test_a_signal_session_makes_a_contact_established(path: Path, address: str) -> None:
    execute(path, "INSERT INTO whatsmeow_lid_map VALUES ('700', '4917000000007')")
    add_contact(path, "4917000000007@s.whatsapp.net", first="Ada")
    add_contact(path, "4917000000008@s.whatsapp.net", first="Bob")
    execute(path, "INSERT INTO whatsmeow_sessions VALUES (?, ?, x'00')", JID, address)
    contacts, _, _ = StoreFile(path, JID).contacts()
    assert [(contact.full_name, contact.established) for contact in contacts] == [("Ada", True), ("Bob", False)]


def test_names_are_synced_once_their_collection_has_a_version(path: Path) -> None:
    store = StoreFile(path, JID)
    before = store.version()
    assert not store.contacts()[1]
    statement = "INSERT INTO whatsmeow_app_state_version VALUES (?, 'critical_unblock_low', 3, zeroblob(128))"
    execute(path, statement, JID)
    assert store.contacts()[1]
    assert store.version() != before


def test_the_version_changes_with_a_name(path: Path) -> None:
    store = StoreFile(path, JID)
    add_contact(path, "4917000000007@s.whatsapp.net", full="Ada")
    before = store.version()
    assert store.version() == before
    execute(path, "UPDATE whatsmeow_contacts SET full_name = 'Eva'")
    assert store.version() != before


def test_the_version_changes_with_the_name_of_the_owner(path: Path) -> None:
    store = StoreFile(path, JID)
    before = store.version()
    execute(path, "UPDATE whatsmeow_device SET push_name = 'Me'")
    assert store.contacts()[2] == "Me"
    assert store.version() != before


def test_a_secret_finds_its_message_and_an_unknown_one_nothing(path: Path) -> None:
    add_secret(path, 1, "900000000000001@lid", b"a" * 32)
    assert StoreFile(path, JID).find_secret(b"a" * 32) == "ID1"
    assert StoreFile(path, JID).find_secret(b"b" * 32) == ""


def test_dropping_ratchets_removes_sessions_and_our_own_sender_keys_only(path: Path) -> None:
    execute(path, "INSERT INTO whatsmeow_sessions VALUES (?, '700_1:0', x'00')", JID)
    for sender in ("900000000000001_1:7", "4915100000001:7", "700_1:0"):
        execute(path, "INSERT INTO whatsmeow_sender_keys VALUES (?, '1@g.us', ?, x'00')", JID, sender)
    StoreFile(path, JID).drop_ratchets(OWN)
    assert execute(path, "SELECT count(*) FROM whatsmeow_sessions") == [(0,)]
    assert execute(path, "SELECT sender_id FROM whatsmeow_sender_keys") == [("700_1:0",)]


def test_a_snapshot_keeps_our_newest_secrets_and_nobody_elses(path: Path, tmp_path: Path) -> None:
    add_secret(path, 0, "700@lid", b"o" * 32)
    rows = [(JID, "555@lid", "4915100000001@s.whatsapp.net", f"N{n}", n.to_bytes(32)) for n in range(OWN_SECRETS_KEPT)]
    connection = sqlite3.connect(path)
    add_secret(path, 1, "900000000000001@lid", b"1" * 32)
    with connection:
        connection.executemany("INSERT INTO whatsmeow_message_secrets VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    target = tmp_path / "copy.db"
    size = StoreFile(path, JID).snapshot(target)
    assert size == target.stat().st_size
    kept = {row[0] for row in execute(target, "SELECT message_id FROM whatsmeow_message_secrets")}
    assert kept == {f"N{n}" for n in range(OWN_SECRETS_KEPT)}
    assert not (tmp_path / "copy.db-journal").exists()
    assert StoreFile(target, JID).check() == LID
    again = tmp_path / "again.db"
    StoreFile(target, JID).snapshot(again)
    assert StoreFile(again, JID).find_secret((OWN_SECRETS_KEPT - 1).to_bytes(32)) == f"N{OWN_SECRETS_KEPT - 1}"


def test_a_device_that_was_removed_is_seen(path: Path) -> None:
    assert StoreFile(path, JID).has_device()
    execute(path, "DELETE FROM whatsmeow_device")
    assert not StoreFile(path, JID).has_device()


@pytest.mark.parametrize("journal", [b"", bytes(512)])
def test_a_journal_that_a_kill_left_without_content_does_not_hold_up_reading(path: Path, journal: bytes) -> None:
    path.with_name("store.db-journal").write_bytes(journal)
    store = StoreFile(path, JID)
    assert store.check() == LID
    assert store.has_device()
