"""Accounts of the simulated world, linked by the real client, awake or at rest."""

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

from enclave.session.nursery import Nursery
from enclave.session.pipe import DevicePaired, ReadContacts, SendText, Started, Stop, Stopped
from enclave.session.process import EXIT_ORDERLY
from enclave.wire.answers import ContactPage
from enclave.wire.news import Connected, ContactsChanged, QrShown
from tests.enclave.session_rig import Line, open_line
from tests.enclave.simulator_rig import World

ADA = "4917000000007"
ADA_JID = f"{ADA}@s.whatsapp.net"
_numbers = itertools.count(4915100000001)
_secrets = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """A linked account at rest: its number, its device, and its store."""

    number: str
    jid: str
    store: Path


async def new_phone(world: World) -> str:
    number = str(next(_numbers))
    contacts = [{"number": ADA, "name": "Ada Lovelace"}]
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": contacts})
    return number


def new_folder(folder: Path, store: Path | None = None) -> None:
    """An account's folder, with a copy of a store in it."""
    folder.mkdir()
    if store is not None:
        shutil.copy(store, folder / "store.db")


async def link(world: World, nursery: Nursery, folder: Path) -> tuple[str, DevicePaired, Line]:
    """A new phone, linked by QR, in a live session."""
    number = await new_phone(world)
    new_folder(folder)
    line = await open_line(nursery, folder)
    assert await line.start("neonize", proxy=world.proxy) == Started()
    shown = await line.told(QrShown)
    assert shown.valid_s == 60
    await world.call("POST", f"/phones/{number}/scan", {"qr": shown.text})
    paired = await line.told(DevicePaired)
    await line.told(Connected)
    return number, paired, line


async def names_synced(line: Line) -> None:
    """Wait until the address book is there: a device put to sleep before that would not ask for it again."""
    while True:
        page = await line.ask(ReadContacts(after="", limit=1))
        assert isinstance(page, ContactPage)
        if page.names_synced:
            return
        await line.told(ContactsChanged)


async def new_account(world: World, nursery: Nursery, folder: Path) -> Account:
    """A new phone, linked, its contacts arrived, and put to sleep."""
    number, paired, line = await link(world, nursery, folder)
    await names_synced(line)
    return await put_to_sleep(line, number, paired.jid)


async def wake(world: World, nursery: Nursery, account: Account, folder: Path, dropped: bool = False) -> Line:
    """A session on a copy of the account's store."""
    new_folder(folder, account.store)
    line = await open_line(nursery, folder)
    started = await line.start("neonize", jid=account.jid, proxy=world.proxy, drop_ratchets=dropped)
    assert started == Started()
    return line


async def put_to_sleep(line: Line, number: str, jid: str) -> Account:
    """Stop a session; its account at rest."""
    stopped = await line.ask(Stop())
    assert isinstance(stopped, Stopped)
    assert stopped.snapshot is not None
    assert await line.ended() == EXIT_ORDERLY
    return Account(number, jid, Path(stopped.snapshot.path))


def text(body: str, to: str = ADA_JID) -> SendText:
    return SendText(recipient=to, secret=next(_secrets).to_bytes(32), text=memoryview(body.encode()))


async def texts_at(world: World, number: str, sender: str) -> list[tuple[str | None, str | None]]:
    entries = await world.inbox(number)
    return [(entry["text"], entry["error"]) for entry in entries if entry["sender"] == sender and not entry["own"]]
