"""People of a bench of the whole product: linked accounts and those whom they write to, on simulated phones."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from domain.refusal import Refused, Unavailable
from enclave.sealer import seal
from enclave.wire.answers import AccountKey, Ingested
from enclave.wire.operations import Ingest, NewAccountKey
from enclave.wire.sealing import Binding, recipient_hash
from standalone import settings
from standalone.bench._product import Product
from standalone.running import say
from store import links, users
from store.database import new_id, reaching
from store.door import Door
from store.due import Due
from store.engine import EngineStore
from store.notices import Notices
from store.schedules import Announce, NewSchedule, Schedules
from store.statements import Statements

SQL: Final = Statements("product_world", Path(__file__).parent)
APPLICATION: Final = "bench"
"""The name by which PostgreSQL and Redis know our own connections."""
FIRST_NUMBER: Final = 4915100000000
FIRST_RECIPIENT: Final = 4917000000000
LINK_S: Final = 120.0
LOOK_S: Final = 0.05
SEAL_VALID_S: Final = 3600
SAID_EACH: Final = 10
LINKED_AT_ONCE: Final = 3
INGESTED_AT_ONCE: Final = 16
ASKED_S: Final = 60.0

T = TypeVar("T")


class Account(NamedTuple):
    """A linked account, its user, its simulated phone."""

    id: UUID
    user: UUID
    number: str
    wrapped_key: bytes


class Planned(NamedTuple):
    """A message to be: from whom, to which number, which text, due when (Unix s)."""

    account: Account
    recipient: str
    text: str
    due_s: float


class Came(NamedTuple):
    """What the recipients' phones have: how often each text, and how many lines they could not decrypt."""

    texts: Counter[str]
    unreadable: int


class People:
    """They ask through the product's own stores and door, as the web does."""

    def __init__(self, product: Product, store: EngineStore, door: Door) -> None:
        """`open_people` makes it."""
        self.product = product
        self.store = store
        self._door = door
        self._recipients: list[str] = []

    async def link(self, accounts: int, recipients: int) -> list[Account]:
        """Make phones, link accounts by their QR codes, wait for their contacts. Sends are not spaced from then on."""
        self._recipients = [str(FIRST_RECIPIENT + place) for place in range(recipients)]
        for place, number in enumerate(self._recipients):
            await self._phone(number, f"Friend {place}")
        gate, begun_s, linked = asyncio.Semaphore(LINKED_AT_ONCE), time.monotonic(), 0

        async def one(place: int) -> Account:
            nonlocal linked
            async with gate:
                account = await self._link(str(FIRST_NUMBER + place), place)
            linked += 1
            if linked % SAID_EACH == 0 or linked == accounts:
                say(f"linked {linked} of {accounts} accounts after {time.monotonic() - begun_s:.0f} s\n")
            return account

        made = list(await asyncio.gather(*(one(place) for place in range(accounts))))
        await self.store.pool.execute(SQL["furnish"], [account.id for account in made])
        await self.product.restart(settings.SUPERVISOR)  # its actors know their accounts as they were
        return made

    @property
    def recipients(self) -> Sequence[str]:
        """Numbers of those who are written to."""
        return self._recipients

    async def schedule(self, planned: Sequence[Planned]) -> dict[UUID, Planned]:
        """Seal the texts, have the enclave take them in, schedule them; the messages by id."""
        gate = asyncio.Semaphore(INGESTED_AT_ONCE)

        async def one(plan: Planned) -> NewSchedule:
            async with gate:
                return await self._sealed(plan)

        new = await asyncio.gather(*(one(plan) for plan in planned))
        schedules = Schedules(self.store.pool, Announce(Due(self.store.redis), Notices(self.store.redis)))
        made = await schedules.create_all(new)
        refused = [one for one in made if isinstance(one, Refused)]
        assert not refused, refused[0]
        return {one: plan for one, plan in zip(made, planned, strict=True) if isinstance(one, UUID)}

    async def came(self) -> Came:
        """Look at the recipients' phones."""
        texts, unreadable = Counter[str](), 0
        for number in self._recipients:
            answer = (await self.product.control.get(f"/phones/{number}/inbox")).raise_for_status()
            for entry in answer.json()["entries"]:
                if entry["own"]:
                    continue
                if entry.get("error"):
                    unreadable += 1
                else:
                    texts[entry["text"]] += 1
        return Came(texts, unreadable)

    async def asked(self, ask: Callable[[], Awaitable[T]], seconds: float = ASKED_S) -> T:
        """Ask the database until it answers: it may be away. Raises `Unavailable` when it stays so."""
        until_s = time.monotonic() + seconds
        while True:
            try:
                async with reaching():
                    return await ask()
            except Unavailable:
                if time.monotonic() > until_s:
                    raise
                await asyncio.sleep(LOOK_S)

    async def _phone(self, number: str, name: str, **fields: object) -> None:
        (await self.product.control.post("/phones", json={"number": number, "name": name, **fields})).raise_for_status()

    async def _link(self, number: str, place: int) -> Account:
        contacts = [{"number": one, "name": f"Friend {friend}"} for friend, one in enumerate(self._recipients)]
        await self._phone(number, f"Owner {place}", contacts=contacts)
        pool, state = self.store.pool, self.store.run_state
        user = await users.sign_in(pool, f"{number}@example.org", "UTC")
        key = await self._door.call(NewAccountKey(account=str(account := new_id())))
        assert isinstance(key, AccountKey)
        await links.add_account(pool, user.id, account, key.wrapped_key)
        await links.wish_pairing(pool, user.id, account, "")
        async with asyncio.timeout(LINK_S):
            while (shown := await state.look_pairing(account)) is None or not shown.qr:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
            (await self.product.control.post(f"/phones/{number}/scan", json={"qr": shown.qr})).raise_for_status()
            while not await pool.fetch(SQL["linked"], [account]):  # noqa: ASYNC110 - both are in databases
                await asyncio.sleep(LOOK_S)
        return Account(account, user.id, number, key.wrapped_key)

    async def _sealed(self, plan: Planned) -> NewSchedule:
        door, account, schedule = self._door, plan.account, new_id()
        recipient = f"{plan.recipient}@s.whatsapp.net"
        binding = Binding(
            environment=door.welcome.environment,
            account=str(account.id),
            schedule=str(schedule),
            recipient_hash=recipient_hash(str(account.id), recipient),
            not_after_s=int(plan.due_s) + SEAL_VALID_S,
        )
        sealed = seal(door.welcome.seal_public_key, binding, plan.text)
        kept = await door.call(
            Ingest(
                account=str(account.id),
                wrapped_key=account.wrapped_key,
                binding=binding,
                kid=door.welcome.seal_kid,
                envelope=sealed.envelope,
                body=sealed.body,
            )
        )
        assert isinstance(kept, Ingested)
        return NewSchedule(
            id=schedule,
            user=account.user,
            account=account.id,
            recipient=recipient,
            zone="UTC",
            due_at=datetime.fromtimestamp(plan.due_s, UTC),
            binding=binding,
            content_key=kept.content_key,
            body=sealed.body,
        )


@contextlib.asynccontextmanager
async def open_people(product: Product) -> AsyncGenerator[People]:
    """Connected while within. Raises `Unavailable`, `DoorLost`."""
    name = f"application_name={APPLICATION}"
    store = await EngineStore.open(f"{product.postgres.url}&{name}", f"{product.valkey.url}&client_name={APPLICATION}")
    try:
        door = await Door.open(product.door_socket, owner=False, on_news=lambda _: None)
        try:
            yield People(product, store, door)
        finally:
            await door.close()
    finally:
        await store.close()
