"""The engine room, for admins: `/admin`. Everybody else finds nothing there."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.response import ServerSentEvent

from app.clock import zone_or_utc
from app.engine_view import Room, room
from app.form import AppRequest
from app.guard import check_admin, login_of
from app.handlers.live import stream_of
from app.queue_view import Outlook, outlook
from app.render import fragment, page
from app.site import Site
from store import keys, users


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """The page: the room as it stands, and the outlook."""

    room: Room
    outlook: Outlook


@get("/admin", guards=[check_admin])
async def show_engine(request: AppRequest, site: Site) -> Response[Any]:
    """All accounts, slots, the queue, how punctual all of it was."""
    view = Engine(room=await _room(request, site), outlook=await _outlook(request, site))
    return page(request, "engine.html", view, here="engine")


@get("/admin/room", guards=[check_admin])
async def show_room(request: AppRequest, site: Site) -> Response[Any]:
    """What changes from second to second."""
    return fragment(request, "room.html", await _room(request, site))


@get("/admin/outlook", guards=[check_admin])
async def show_outlook(request: AppRequest, site: Site) -> Response[Any]:
    """What changes slowly: the queue, and how late what left was."""
    return fragment(request, "outlook.html", await _outlook(request, site))


@get("/admin/live", guards=[check_admin])
async def stream_engine(request: AppRequest, site: Site) -> ServerSentEvent:
    """That something of the engine has changed."""
    return stream_of(site, keys.ENGINE)


async def _room(request: AppRequest, site: Site) -> Room:
    zone = zone_or_utc(await users.zone_of(site.pool, login_of(request).user))
    return room(await site.engine.facts(), zone, datetime.now(UTC))


async def _outlook(request: AppRequest, site: Site) -> Outlook:
    zone = zone_or_utc(await users.zone_of(site.pool, login_of(request).user))
    known = await site.engine.outlook()
    return outlook(known.minutes, known.fleet, known.spread, known.latest, zone, datetime.now(UTC))
