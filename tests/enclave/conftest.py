"""One broker and one host for each test that asks for them."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.enclave.brokers import Broker, Host


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
async def host(broker: Broker) -> AsyncIterator[Host]:
    host = await Host(broker).connect()
    yield host
    await host.door.close()
