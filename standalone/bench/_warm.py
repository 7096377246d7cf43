"""A process that has the Go library loaded: what a connect and a first message cost when nothing has to be started.

Run by `wake` in the environment of a session process. Arguments: the relay's socket, a folder, recipients' numbers.
Prints a QR text as one JSON line, and when it has been scanned and measured one JSON line with the milliseconds.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from enclave.egress import Egress
from enclave.session import library
from enclave.session.neonize_driver import NeonizeDriver
from enclave.session.pipe import DevicePaired, SentText, SessionNotice, Start
from enclave.stores import OpenedStore, seal_store
from enclave.wire.news import Connected, ContactsChanged, Drained, QrShown
from standalone.demo_trust import trust_simulator
from store.database import new_secret

WAIT_S: Final = 60.0


class Surroundings:
    """What a session process gives its driver, as far as this one needs it."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self.heard: asyncio.Queue[SessionNotice] = asyncio.Queue(1000)
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, notice: SessionNotice) -> None:
        """Keep it."""
        self.heard.put_nowait(notice)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_for(self, *kinds: type) -> Any:
        """Wait until each of `kinds` has been told, in any order; the notice that was the last of them."""
        missing = set(kinds)
        async with asyncio.timeout(WAIT_S):
            while missing:
                notice = await self.heard.get()
                missing.discard(type(notice))
            return notice


async def main(relay: str, folder: str, numbers: list[str]) -> None:
    """Pair one device, then connect and send a first message to each of `numbers`, each in a connection of its own.

    The way out and the keeping of the store are those of the enclave, so that only what a fork brings differs.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the Go library prints there
    library.import_binding()
    loaded = library.load_library()
    setattr(library, "load_library", lambda: loaded)  # noqa: B010 - it is loaded: that is what is measured here
    trust_simulator()
    egress = Egress(Path(relay))
    proxy = await egress.start()

    def order(jid: str) -> Start:
        return Start(driver="neonize", folder=folder, jid=jid, phone="", proxy_url=proxy, drop_ratchets=False)

    around = Surroundings()
    driver = NeonizeDriver(around)
    await driver.start(order(""))
    print(json.dumps({"qr": (await around.wait_for(QrShown)).text}), file=answers, flush=True)
    jid = (await around.wait_for(DevicePaired)).jid
    await around.wait_for(ContactsChanged)
    await driver.stop()

    figures = []
    for number in numbers:
        around = Surroundings()
        begun = time.perf_counter()
        driver = NeonizeDriver(around)
        await driver.start(order(jid))
        await around.wait_for(Connected, Drained)
        sent = await driver.send_text(f"{number}@s.whatsapp.net", new_secret(), memoryview(b"hello"))
        assert isinstance(sent, SentText)
        snapshot = Path((await driver.take_snapshot()).path)
        store = OpenedStore(await asyncio.to_thread(snapshot.read_bytes), 1)
        seal_store(bytes(32), account=folder, environment="demo", version=1, clean=False, store=store)
        figures.append((time.perf_counter() - begun) * 1000)
        await driver.stop()
    print(json.dumps({"warm_ms": figures}), file=answers, flush=True)
    await egress.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
