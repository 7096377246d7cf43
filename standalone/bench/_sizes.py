"""How much the running product holds: memory, descriptors, connections, processes, files. For root, or of its own."""

import re
from pathlib import Path
from typing import Final

from standalone import settings
from standalone.bench._people import APPLICATION, SQL, People
from standalone.plan import POSTGRES, VALKEY

Size = dict[str, float]
MEMORY: Final = re.compile(r"^Anonymous: +(\d+) kB$", re.M)
ZYGOTE: Final = "zygote"


def processes(people: People) -> dict[str, list[int]]:
    """Process ids by part. The zygote is the enclave's child; sessions are the zygote's."""
    services = people.product.services
    pids = {name: pid for name, service in services.items() if (pid := service.pid) is not None}
    return {
        settings.SUPERVISOR: [pids[settings.SUPERVISOR]],
        settings.ENCLAVE: [pids[settings.ENCLAVE]],
        ZYGOTE: children(pids[settings.ENCLAVE]),
        POSTGRES: [pids[POSTGRES], *children(pids[POSTGRES])],
        VALKEY: [pids[VALKEY]],
    }


def sessions(people: People) -> int:
    """How many session processes there are."""
    return sum(len(children(pid)) for pid in processes(people)[ZYGOTE])


async def size_of(people: People) -> Size:
    """What there is by now: `memory_mb` is what no file stands behind, which does not depend on who shares it."""
    size: Size = {}
    for name, pids in processes(people).items():
        part = name.lower()
        size[f"{part}_memory_mb"] = round(sum(memory_kb(pid) for pid in pids) / 1000, 2)
        if name != POSTGRES:  # each of its connections is a process with descriptors of its own
            size[f"{part}_descriptors"] = sum(descriptors(pid) for pid in pids)
    redis = people.store.redis
    clients = await redis.ask(redis.client.client_list())
    size["postgres_connections"] = await people.store.pool.fetchval(SQL["connections"], APPLICATION)
    size["redis_connections"] = sum(client.get("name") != APPLICATION for client in clients)
    size["live_files"] = sum(1 for _ in people.product.live_stores.rglob("*"))
    size["processes"] = sum(len(pids) for name, pids in processes(people).items() if name != POSTGRES)
    return size


def children(pid: int) -> list[int]:
    """Processes that a process has begun."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory_kb(pid: int) -> int:
    """Kilobytes that are resident and that no file stands behind."""
    found = MEMORY.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None
    return int(found.group(1))


def descriptors(pid: int) -> int:
    """Open descriptors."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
