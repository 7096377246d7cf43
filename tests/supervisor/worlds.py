"""The engine with the real client: a simulated WhatsApp, a demo's enclave, the relay between them."""

from pathlib import Path
from uuid import UUID

from supervisor.settings import Settings
from tests.enclave.brokers import Broker
from tests.enclave.simulator_rig import World
from tests.supervisor.engines import Engine

ADA = "4917000000007"
ADA_JID = f"{ADA}@s.whatsapp.net"


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
    )


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
    return account


async def arrived(world: World, text: str) -> int:
    """How often Ada's phone has a text."""
    return [entry.get("text") for entry in await world.inbox(ADA)].count(text)
