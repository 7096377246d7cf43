"""The whole product but its pages, for benches: linked accounts on the simulator, a supervisor process, real stores."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from domain.limits import TERM_DRAIN_S
from standalone.bench import _rig
from standalone.bench._engine import SETTLED, SQL
from standalone.bench._rig import Rig, open_rig
from standalone.bench._stores import Stores
from standalone.children import STOP_S, bring_up
from standalone.programs import MODULES, Program
from standalone.running import say
from store.database import new_id
from store.engine import EngineStore

FIRST_NUMBER: Final = 4915100000000
FIRST_RECIPIENT: Final = 4917000000000
LINKED_AT_ONCE: Final = 4
SAID_EACH: Final = 50
LOOK_S: Final = 0.25


class Owner(NamedTuple):
    """An account, its user, and the one to whom it writes."""

    account: _rig.Account
    id: UUID
    user: UUID
    recipient: str
    """Number of a simulated phone."""


class Due(NamedTuple):
    """A message to be: whose, and when it is due, in Unix ms."""

    owner: Owner
    at_ms: int


class Outcome(NamedTuple):
    """What came of messages: each one's lateness in ms, sorted; how many never came; how many came again."""

    late_ms: list[float]
    lost: int
    duplicates: int


class Fleet:
    """Linked accounts, all asleep, and the stores of the supervisor that looks after them."""

    def __init__(self, rig: Rig, store: EngineStore, owners: Sequence[Owner]) -> None:
        """`open_fleet` makes it."""
        self.rig = rig
        self.store = store
        self.owners = owners

    async def settings(self, **settings: float) -> None:
        """Change what the simulator does (docs/simulator.md)."""
        (await self.rig.control.post("/settings", json=settings)).raise_for_status()

    async def add_messages(self, dues: Sequence[Due]) -> dict[str, int]:
        """Seals a text for each and schedules it; the due instants (Unix ms) by text."""
        texts = [f"{new_id()}" for _ in dues]
        schedules = [new_id() for _ in dues]
        recipients = [f"{due.owner.recipient}@s.whatsapp.net" for due in dues]
        messages = [new_id() for _ in dues]
        sealed = [
            await self.rig.seal(due.owner.account, schedule, recipient, text)
            for due, schedule, recipient, text in zip(dues, schedules, recipients, texts, strict=True)
        ]
        await self.store.pool.execute(
            SQL["add_sealed"],
            schedules,
            messages,
            [due.owner.user for due in dues],
            [due.owner.id for due in dues],
            [datetime.fromtimestamp(due.at_ms / 1000, UTC) for due in dues],
            recipients,
            [one.content_key for one in sealed],
            [one.body for one in sealed],
            self.rig.door.welcome.environment,
            [one.binding.not_after_s for one in sealed],
        )
        await self.store.due.add((message, due.at_ms) for message, due in zip(messages, dues, strict=True))
        await self.store.due.tell_changed()
        return {text: due.at_ms for text, due in zip(texts, dues, strict=True)}

    async def settled(self, timeout_s: float) -> int:
        """Wait until everything due by now is in the books; how many are not after `timeout_s`."""
        until_s, left = time.monotonic() + timeout_s, 1
        while left and time.monotonic() < until_s:
            rows = await self.store.pool.fetch(SQL["states"])
            left = sum(row["messages"] for row in rows if row["state"] not in SETTLED)
            await asyncio.sleep(LOOK_S)
        return left

    async def asleep(self, timeout_s: float) -> bool:
        """Wait until no session lives; False if one does after `timeout_s`."""
        until_s, live = time.monotonic() + timeout_s, 1
        while live and time.monotonic() < until_s:
            live = await self.store.pool.fetchval(SQL["live"])
            await asyncio.sleep(LOOK_S)
        return not live

    async def wakes_since(self, at_ms: int) -> int:
        """How many sessions were woken since (Unix ms)."""
        return await self.store.pool.fetchval(SQL["wakes_since"], datetime.fromtimestamp(at_ms / 1000, UTC))

    async def outcome(self, due_ms: Mapping[str, int]) -> Outcome:
        """Compares what was due with what the recipients' phones have decrypted, and when the server took it in."""
        came, late = Counter[str](), dict[str, float]()
        for number in {owner.recipient for owner in self.owners}:
            answer = (await self.rig.control.get(f"/phones/{number}/inbox")).raise_for_status()
            for entry in answer.json()["entries"]:
                if not entry["own"] and entry["text"] in due_ms:
                    came[entry["text"]] += 1
                    late.setdefault(entry["text"], entry["at"] * 1000 - due_ms[entry["text"]])
        return Outcome(sorted(late.values()), len(due_ms) - len(late), came.total() - len(came))


@contextlib.asynccontextmanager
async def open_fleet(stores: Stores, accounts: int, variables: Mapping[str, str]) -> AsyncGenerator[Fleet]:
    """`accounts` linked ones, all asleep, and a supervisor process with `variables` beside those of its stores."""
    async with open_rig(enclave="standalone.demo_enclave") as rig:
        linked = await _link(rig, accounts)
        await rig.hand_over()
        store = await EngineStore.open(stores.postgres.url, stores.valkey.url)
        supervisor = Program(
            "supervisor",
            MODULES["supervisor"],
            stores.home.log("supervisor"),
            lambda: {
                "AUTOSENDR_DATABASE_URL": stores.postgres.url,
                "AUTOSENDR_REDIS_URL": stores.valkey.url,
                "AUTOSENDR_ENCLAVE_SOCKET": str(rig.door_socket),
                "AUTOSENDR_EGRESS_SOCKET": str(rig.relay_socket),
                "AUTOSENDR_STATE": str(stores.home.folder("state")),
                "AUTOSENDR_SIMULATOR": str(rig.simulator.facts["proxy"]).removeprefix("http://"),
                **variables,
            },
            stop_s=TERM_DRAIN_S + STOP_S,
        )
        try:
            await _keep(store, linked)
            bring_up(supervisor)
            yield Fleet(rig, store, linked)
        finally:
            supervisor.stop()
            await store.close()


async def _link(rig: Rig, accounts: int) -> list[Owner]:
    """Link them to simulated phones through the enclave, a few at a time, and put them to sleep."""
    gate, linked = asyncio.Semaphore(LINKED_AT_ONCE), list[_rig.Account]()
    begun_s = time.monotonic()

    async def link(place: int) -> Owner:
        number, recipient = str(FIRST_NUMBER + place), str(FIRST_RECIPIENT + place)
        async with gate:
            await rig.phone(recipient, name=f"Recipient {place}")
            contacts = [{"number": recipient, "name": f"Recipient {place}"}]
            await rig.phone(number, name=f"Owner {place}", contacts=contacts)
            account = await _patiently(rig, number)
        linked.append(account)
        if len(linked) % SAID_EACH == 0:
            say(f"linked {len(linked)} of {accounts} after {time.monotonic() - begun_s:.0f} s\n")
        return Owner(account, UUID(account.id), new_id(), recipient)

    return list(await asyncio.gather(*(link(place) for place in range(accounts))))


async def _patiently(rig: Rig, number: str) -> _rig.Account:
    """Once more if it does not come about: nothing of a linking is measured here."""
    try:
        return await rig.link(number)
    except TimeoutError:
        answer = await rig.control.get("/events", params={"phone": number})
        say(f"{number} was not linked: {', '.join(event['kind'] for event in answer.json()['events'])}; once more\n")
        return await rig.link(number)


async def _keep(store: EngineStore, owners: Sequence[Owner]) -> None:
    """What pairing through a supervisor would have written."""
    closed = [owner.account.store for owner in owners]
    await store.pool.execute(
        SQL["add_linked"],
        [owner.user for owner in owners],
        [owner.id for owner in owners],
        [owner.account.number for owner in owners],
        [owner.account.jid for owner in owners],
        [owner.account.wrapped_key for owner in owners],
        [one.version for one in closed if one is not None],
        [msgspec.json.encode(one).decode() for one in closed],
    )
