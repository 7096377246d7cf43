"""The engine with the real client: a simulated WhatsApp, a demo's enclave, the relay between them."""

import contextlib
import itertools
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

from domain.account import RunEvent
from store.engine import EngineStore
from supervisor.settings import Settings
from tests.enclave.brokers import Broker
from tests.enclave.simulator_rig import World
from tests.supervisor.engines import Engine

CERTAIN = ("SENT", "DELIVERED", "READ")
ADA = "4917000000007"
ADA_JID = f"{ADA}@s.whatsapp.net"
_numbers = itertools.count(4915100000001)


def demo_broker(folder: Path, world: World) -> Broker:
    """The enclave of a demo: it trusts the simulator and has the real client."""
    return Broker(
        folder,
        driver="neonize",
        environment="demo",
        ca_file=world.ca_file,
        after_load="tests.enclave.hooks:trust_the_simulator",
        hook_environment={
            "TEST_ROOT_KEY": world.root_key,
            "AUTOSENDR_SIMULATOR_TRUST": "replace-noise-root",
        },
        observed=True,
    )


def settings_of(settings: Settings, broker: Broker, world: World) -> Settings:
    """The settings of a supervisor that relays for a demo's enclave."""
    return Settings(
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        enclave_socket=broker.socket,
        egress_socket=broker.folder / "egress",
        state=broker.folder / "node",
        simulator=world.proxy.removeprefix("http://"),
        hot_slots=settings.hot_slots,
        stay_s=settings.stay_s,
    )


@contextlib.asynccontextmanager
async def running_engine(world: World, database_url: str, redis_url: str) -> AsyncGenerator[Engine]:
    """Run a started engine on an empty database; at its end no fault is left and the enclave has had no bug."""
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        broker = demo_broker(Path(folder), world)
        await broker.start()
        store = await EngineStore.open(database_url, redis_url)
        await store.pool.execute("TRUNCATE users CASCADE")
        base = Settings(
            database_url=database_url, redis_url=redis_url, enclave_socket=broker.socket, hot_slots=5, stay_s=0
        )
        engine = Engine(settings_of(base, broker, world), broker, store)
        await engine.start()
        yield engine
        await engine.close()
        await store.close()
        await world.call("DELETE", "/faults")
        assert broker.process is not None
        if broker.process.poll() is None:
            await broker.end()
        assert "bug" not in broker.log.read_text(), broker.log.read_text()


async def linked(engine: Engine, world: World) -> tuple[UUID, str]:
    """Pair a phone that no test has used; the account and the number."""
    number = str(next(_numbers))
    return await pair(engine, world, number), number


async def to_sleep(engine: Engine, account: UUID) -> None:
    """End the first sync by hand and let the session go."""
    await engine.hears("contacts_copied", account=account, synced=True)
    actor = engine.supervisor.actors.by_account[account]
    actor.unsynced = False
    await engine.store.pool.execute("UPDATE accounts SET names_synced_at = now() WHERE id = $1", account)
    actor.post(RunEvent.RELEASED)
    await engine.hears("account_run", account=account, after="COLD")


async def outcomes(engine: Engine, message: UUID) -> list[str]:
    """How each attempt of a message ended."""
    rows = await engine.store.pool.fetch("SELECT outcome FROM attempts WHERE message_id = $1 ORDER BY number", message)
    return [row["outcome"] for row in rows]


async def pair(engine: Engine, world: World, number: str) -> UUID:
    """Link a simulated phone through the product: the wish, the code, the scan, the first sync's beginning."""
    await world.call("POST", "/phones", {"number": ADA, "name": "Ada"})
    contacts = [{"number": ADA, "name": "Ada Lovelace"}]
    await world.call("POST", "/phones", {"number": number, "name": "Me", "contacts": contacts})
    account = await engine.new_account()
    await engine.wish(account, "pair", "PAIRING")
    await engine.hears("pairing_shown", account=account)
    shown = await engine.store.run_state.look_pairing(account)
    assert shown is not None
    await world.call("POST", f"/phones/{number}/scan", {"qr": shown.qr})
    await engine.hears("pairing_done", account=account)
    await engine.store.pool.execute("UPDATE accounts SET paced = false WHERE id = $1", account)  # tests have no time
    return account


async def arrived(world: World, text: str) -> int:
    """How often Ada's phone has a text."""
    return [entry.get("text") for entry in await world.inbox(ADA)].count(text)
