"""One enclave for all tests of a module; a supervisor for each test."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.engine import EngineStore
from supervisor.settings import Settings
from tests.enclave.brokers import Broker
from tests.supervisor.engines import Engine


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        broker = Broker(Path(folder))
        await broker.start()
        yield broker
        assert broker.process is not None
        if broker.process.poll() is None:
            await broker.end()
        assert "bug" not in broker.log.read_text(), broker.log.read_text()


@pytest.fixture
async def engine(broker: Broker, database_url: str, redis_url: str) -> AsyncIterator[Engine]:
    """Give an engine that is not started yet, on an empty database."""
    store = await EngineStore.open(database_url, redis_url)
    await store.pool.execute("TRUNCATE users CASCADE")
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        enclave_socket=broker.socket,
        state=broker.folder / "node",
        hot_slots=5,
        stay_s=0,
    )
    engine = Engine(settings, broker, store)
    yield engine
    await engine.close()
    await store.close()
