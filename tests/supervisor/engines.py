"""A supervisor in this process, on real stores, with a real enclave in another."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from enclave.sealer import seal
from enclave.wire.answers import AccountKey, Closed, Ingested, Opened
from enclave.wire.news import Paired
from enclave.wire.operations import CloseSession, Ingest, NewAccountKey, PairSession
from enclave.wire.sealing import Binding, recipient_hash
from store import keys
from store.database import new_id
from store.engine import EngineStore
from supervisor import log
from supervisor.life import Supervisor
from supervisor.metrics import Metrics
from supervisor.settings import Settings
from tests.enclave.brokers import Broker, Host
from tests.rows import RECIPIENT, add_account
from tests.waiting import Signals

WAIT_S = 60.0
"""Spent only by a wait that is in vain, so that a busy machine breaks nothing."""
LOOK_S = 0.2


class Engine:
    """What a test talks to: `store` for the web's part, `supervisor` once started, `heard` for its log lines."""

    def __init__(self, settings: Settings, broker: Broker, store: EngineStore) -> None:
        self.settings = settings
        self.broker = broker
        self.store = store
        self.heard: list[tuple[str, Mapping[str, Any]]] = []
        self.signals = Signals()
        self._lines = asyncio.Event()
        self.pids: dict[str, int] = {}
        """Of the newest session process of each account."""
        self.supervisor: Supervisor
        self._own_store: EngineStore
        self._running = False
        self._unlisten = log.listen(self._hear)

    def _hear(self, event: str, fields: Mapping[str, Any]) -> None:
        self.heard.append((event, dict(fields)))
        if event == "session_opened":
            self.pids[str(fields["account"])] = fields["pid"]
        self.signals.notify()
        self._lines.set()
        self._lines = asyncio.Event()

    async def start(self, metrics: Metrics | None = None) -> None:
        self._own_store = await EngineStore.open(self.settings.database_url, self.settings.redis_url)
        self.supervisor = Supervisor(self.settings, self._own_store, metrics)
        await self.supervisor.start()
        self._running = True

    async def stop(self) -> None:
        if self._running:
            self._running = False
            await self.supervisor.stop()
            await self._own_store.close()

    async def crash(self) -> None:
        """End it as a kill does: nothing is closed in order, nothing is written any more."""
        self._running = False
        self._own_store.pool.terminate()
        await self.supervisor.tree.stop()
        await self._own_store.close()

    async def close(self) -> None:
        await self.stop()
        self._unlisten()

    async def hears(self, event: str, **fields: object) -> Mapping[str, Any]:
        """Wait for a log line with these fields; forget what came before it."""

        def found() -> tuple[Mapping[str, Any]] | None:
            for index, (name, line) in enumerate(self.heard):
                if name == event and all(str(line.get(key)) == str(value) for key, value in fields.items()):
                    del self.heard[: index + 1]
                    return (line,)
            return None

        line = await self.signals.until(found, f"{event} {fields}", WAIT_S)
        assert line is not None
        return line[0]

    async def state(self, message: UUID, *wanted: str, wait_s: float = WAIT_S) -> str:
        """Wait until a message is in one of the states; looked at after each log line."""
        seen = ""
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    seen = await self.store.pool.fetchval("SELECT state FROM messages WHERE id = $1", message)
                    if seen in wanted:
                        return seen
                    await self._next_line()
        except TimeoutError:
            raise AssertionError(f"the message is {seen}, not {wanted}") from None

    async def _next_line(self) -> None:
        """Return after the next log line, or soon: another process may have moved the message."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._lines.wait()

    async def link(self, **columns: object) -> UUID:
        """Make an account with a device, its store and key from the enclave, as if it had been paired before."""
        host = await Host(self.broker).connect()
        account = new_id()
        wrapped = (await host.call(NewAccountKey(account=str(account)), AccountKey)).wrapped_key
        await host.call(PairSession(account=str(account), epoch=0, wrapped_key=wrapped, phone=""), Opened)
        paired = await host.hear(Paired)
        closed = await host.call(CloseSession(account=str(account), epoch=0), Closed)
        await host.door.close()
        row: dict[str, Any] = {
            "jid": paired.jid,
            "lid": paired.lid,
            "names_synced_at": datetime.now().astimezone(),
            **columns,
        }
        await add_account(self.store.pool, id=account, wrapped_key=wrapped, **row)
        assert closed.store is not None
        assert await self.store.stores.put(account, 0, closed.store)
        return account

    async def schedule(self, account: UUID, due: datetime, text: str = "hello", recipient: str = RECIPIENT) -> UUID:
        """Seal a text and schedule it, as browser and web do."""
        message = await self.unhinted(account, due, text, recipient)
        await self.store.due.add([(message, int(due.timestamp() * 1000))])
        await self.store.due.tell_changed()
        return message

    async def unhinted(self, account: UUID, due: datetime, text: str = "hello", recipient: str = RECIPIENT) -> UUID:
        """Do the same without a word to Redis, which may be away."""
        host = await Host(self.broker).connect(owner=False)
        schedule, message = new_id(), new_id()
        row = await self.store.pool.fetchrow("SELECT user_id, wrapped_key FROM accounts WHERE id = $1", account)
        binding = Binding(
            environment=host.door.welcome.environment,
            account=str(account),
            schedule=str(schedule),
            recipient_hash=recipient_hash(str(account), recipient),
            not_after_s=int(due.timestamp()) + 86_400,
        )
        sealed = seal(host.door.welcome.seal_public_key, binding, text)
        kept = await host.call(
            Ingest(
                account=str(account),
                wrapped_key=row["wrapped_key"],
                binding=binding,
                kid=host.door.welcome.seal_kid,
                envelope=sealed.envelope,
                body=sealed.body,
            ),
            Ingested,
        )
        await host.door.close()
        await self.store.pool.execute(
            "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
            " content_key, body) VALUES ($1, $2, $3, $4, 'UTC', 3600, $5, $6, $7, $8)",
            schedule,
            row["user_id"],
            account,
            recipient,
            binding.environment,
            binding.not_after_s,
            kept.content_key,
            sealed.body,
        )
        await self.store.pool.execute(
            "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)"
            " VALUES ($1, $2, 1, $3, $4, $5, $6)",
            message,
            schedule,
            row["user_id"],
            account,
            recipient,
            due,
        )
        return message

    async def wish(self, account: UUID, wish: str, link: str | None = None) -> None:
        """What the web does when a person asks for something that needs a session."""
        await self.store.pool.execute(
            "UPDATE accounts SET wish = $2, wished_at = now(), link = coalesce($3, link) WHERE id = $1",
            account,
            wish,
            link,
        )
        await self.store.pool.execute("SELECT pg_notify($1, $2)", keys.WISHES, str(account))

    async def new_account(self) -> UUID:
        """Make an account without a device, its key from the enclave."""
        host = await Host(self.broker).connect(owner=False)
        account = new_id()
        wrapped = (await host.call(NewAccountKey(account=str(account)), AccountKey)).wrapped_key
        await host.door.close()
        await add_account(self.store.pool, "UNLINKED", id=account, wrapped_key=wrapped)
        return account
