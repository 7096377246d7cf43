"""Everything that handlers work with, made once per process and closed in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from app.door import EnclaveDoor
from app.engine_feed import EngineFeed
from app.hub import Hub
from app.lookout import Lookout
from app.mail import FolderMailer, Mailer
from app.metrics import Metrics
from app.recent import RecentLogins
from app.settings import Settings
from app.smtp import SmtpMailer
from store.database import Pool, open_pool
from store.due import Due
from store.login_codes import LoginCodes
from store.logins import Logins
from store.news_channel import NewsChannel
from store.notices import Notices
from store.rates import Rates
from store.redis import Redis
from store.run_state import RunState
from store.schedules import Announce, Schedules


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of one web process. `stopping` is set when it is told to end, so that open streams do.

    `mailbox`: where mails lie that are not sent; None where they are.
    """

    settings: Settings
    log: FilteringBoundLogger
    pool: Pool
    redis: Redis
    run_state: RunState
    notices: Notices
    announce: Announce
    schedules: Schedules
    logins: Logins
    recent: RecentLogins
    codes: LoginCodes
    rates: Rates
    hub: Hub
    engine: EngineFeed
    door: EnclaveDoor
    lookout: Lookout
    metrics: Metrics
    mailer: Mailer
    mailbox: FolderMailer | None
    stopping: asyncio.Event


def _mailer(settings: Settings) -> FolderMailer | SmtpMailer:
    if settings.smtp is not None:
        return SmtpMailer(settings.smtp, settings.mail_from)
    assert settings.mailbox is not None
    return FolderMailer(settings.mailbox)


@contextlib.asynccontextmanager
async def open_site(settings: Settings, log: FilteringBoundLogger, stopping: asyncio.Event) -> AsyncGenerator[Site]:
    """The parts, for as long as the block lasts. Raises Unavailable when there is no database to start with."""
    mailer = _mailer(settings)
    pool = await open_pool(settings.database_url)
    redis = Redis(settings.redis_url)
    notices = Notices(redis)
    announce = Announce(Due(redis), notices)
    hub = Hub(NewsChannel(settings.redis_url), log)
    door = EnclaveDoor(settings.enclave_socket, log)
    logins = Logins(redis)
    reading = asyncio.create_task(hub.run())
    ending = asyncio.create_task(_end_streams(stopping, hub))
    try:
        yield Site(
            settings=settings,
            log=log,
            pool=pool,
            redis=redis,
            run_state=RunState(redis),
            notices=notices,
            announce=announce,
            schedules=Schedules(pool, announce),
            logins=logins,
            recent=RecentLogins(logins),
            codes=LoginCodes(redis),
            rates=Rates(redis),
            hub=hub,
            engine=EngineFeed(pool, redis),
            door=door,
            lookout=Lookout(pool, redis, door),
            metrics=Metrics(),
            mailer=mailer,
            mailbox=mailer if isinstance(mailer, FolderMailer) else None,
            stopping=stopping,
        )
    finally:
        ending.cancel()
        await hub.close(reading)
        await door.close()
        await notices.close()
        await redis.close()
        await pool.close()


async def _end_streams(stopping: asyncio.Event, hub: Hub) -> None:
    await stopping.wait()
    hub.end()
