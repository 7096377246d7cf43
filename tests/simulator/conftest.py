import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulator.server import Simulator

FAST = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A scratch folder in memory where there is one: the client's store commits once per prekey."""
    with tempfile.TemporaryDirectory(dir=FAST if FAST.is_dir() else None) as name:
        yield Path(name)


@pytest_asyncio.fixture
async def simulator(folder: Path) -> AsyncIterator[Simulator]:
    async with Simulator(folder / "simulator") as running:
        running.make_phone("491511000001", "Anna Adler")
        running.make_phone("491511000002", "Ben Berg")
        running.make_phone("491511000003", "Cleo Clark")
        yield running
