"""Everything that handlers work with, made once per process and closed in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from app.door import EnclaveDoor
from app.hub import Hub
from app.mail import FolderMailer
from app.recent import RecentLogins
from app.settings import Settings
from store.cache import Cache, open_cache
from store.database import Pool, open_pool
from store.login_codes import LoginCodes
from store.logins import Logins
from store.rates import Rates


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of one web process. `stopping` is set when it is told to end, so that open streams do."""

    settings: Settings
    log: FilteringBoundLogger
    pool: Pool
    redis: Cache
    logins: Logins
    recent: RecentLogins
    codes: LoginCodes
    rates: Rates
    hub: Hub
    door: EnclaveDoor
    mailer: FolderMailer
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def open_site(settings: Settings, log: FilteringBoundLogger, stopping: asyncio.Event) -> AsyncIterator[Site]:
    """The parts, for as long as the block lasts. Raises Unavailable when there is no database to start with."""
    pool = await open_pool(settings.database_url)
    redis = open_cache(settings.redis_url)
    hub = Hub(settings.redis_url, log)
    door = EnclaveDoor(settings.enclave_socket, log)
    logins = Logins(redis)
    reading = asyncio.create_task(hub.run())
    try:
        yield Site(
            settings=settings,
            log=log,
            pool=pool,
            redis=redis,
            logins=logins,
            recent=RecentLogins(logins),
            codes=LoginCodes(redis),
            rates=Rates(redis),
            hub=hub,
            door=door,
            mailer=FolderMailer(settings.mailbox),
            stopping=stopping,
        )
    finally:
        await hub.close(reading)
        await door.close()
        await redis.aclose()
        await pool.close()
