"""One message: `/messages/{id}` to see, cancel and move it, its status and history as parts, and as JSON."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, get

from app.clock import local_input, moment, zone_or_utc
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.message_view import message_row, timeline
from app.render import fragment, page
from app.site import Site
from app.views import MessagePage
from domain.refusal import RefusalCode, Refused
from store import pages, users
from store.pages import Message

ATTESTED = "nitro"


@get("/messages/{message_id:str}")
async def show_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message's page; as JSON for programs."""
    message = await _own(request, site, message_id)
    if wants_json(request):
        return Response(await _json(site, login_of(request).user, message))
    return await _page(request, site, message)


@get("/api/v1/messages/{message_id:str}")
async def read_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message as JSON."""
    message = await _own(request, site, message_id)
    return Response(await _json(site, login_of(request).user, message))


@get("/messages/{message_id:str}/timeline")
async def show_timeline(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message's statement and history alone."""
    message = await _own(request, site, message_id)
    user = login_of(request).user
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    changes = await pages.changes(site.pool, user, message.id)
    return fragment(request, "timeline.html", timeline(message, changes, zone, datetime.now(UTC)))


async def _own(request: AppRequest, site: Site, message_id: str) -> Message:
    message = await pages.message(site.pool, login_of(request).user, read_id(message_id))
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return message


async def _page(
    request: AppRequest, site: Site, message: Message, error: str = "", status_code: int = 200
) -> Response[Any]:
    user, now = login_of(request).user, datetime.now(UTC)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    sealed = await pages.sealed(site.pool, user, message.id)
    assert sealed is not None
    view = MessagePage(
        row=message_row(message, zone, now),
        timeline=timeline(message, await pages.changes(site.pool, user, message.id), zone, now),
        account=sealed.name or (f"+{sealed.phone}" if sealed.phone else "your phone"),
        body_bytes=sealed.body_bytes,
        zone=zone.key,
        due_input=local_input(message.due_at, zone),
        sealed_until=moment(datetime.fromtimestamp(sealed.not_after_s, UTC), zone, now),
        attested=sealed.environment == ATTESTED,
        error=error,
    )
    return page(request, "message.html", view, status_code=status_code, here="today")


async def _json(site: Site, user: UUID, message: Message) -> dict[str, Any]:
    changes = await pages.changes(site.pool, user, message.id)
    return {
        "id": str(message.id),
        "account": str(message.account_id),
        "recipient": message.recipient,
        "state": str(message.state),
        "reason": message.reason,
        "due_at": _iso(message.due_at),
        "left_at": _iso(message.left_at),
        "sent_at": _iso(message.sent_at),
        "delivered_at": _iso(message.delivered_at),
        "read_at": _iso(message.read_at),
        "changes": [{"at": _iso(one.at), "event": one.event, "reason": one.reason} for one in changes],
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds") if instant else None
