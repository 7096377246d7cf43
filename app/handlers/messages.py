"""One message: `/messages/{id}` to see, cancel and move it, its status and history as parts, and as JSON."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, patch
from litestar.response import Redirect

from app.clock import local_input, moment, zone_or_utc
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.message_view import message_row, status, timeline
from app.render import fragment, page
from app.site import Site
from app.status import STATUS
from app.views import MessagePage
from domain import draft
from domain.refusal import RefusalCode, Refused
from store import pages, schedules, users
from store.pages import Message

ATTESTED = "nitro"


class NewTime(msgspec.Struct, frozen=True):
    """Another instant: local wall-clock time and IANA zone."""

    due: str = ""
    zone: str = ""


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


@get("/messages/{message_id:str}/status")
async def show_status(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message's state alone."""
    message = await _own(request, site, message_id)
    zone = zone_or_utc(await users.zone_of(site.pool, login_of(request).user))
    return fragment(request, "status.html", status(message, zone))


@get("/messages/{message_id:str}/timeline")
async def show_timeline(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message's statement and history alone."""
    message = await _own(request, site, message_id)
    user = login_of(request).user
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    changes = await pages.changes(site.pool, user, message.id)
    return fragment(request, "timeline.html", timeline(message, changes, zone, datetime.now(UTC)))


@delete("/messages/{message_id:str}", status_code=200)
async def cancel_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Cancels the message if it has not left."""
    message = read_id(message_id)
    await schedules.cancel(site.pool, site.announce, login_of(request).user, message)
    if wants_json(request):
        return Response({"id": str(message), "state": "CANCELLED"})
    return Redirect(f"/messages/{message}", status_code=303)


@patch("/messages/{message_id:str}", status_code=200)
async def move_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Moves the message to another time, within its seal."""
    form = await read_form(request, NewTime)
    message = await _own(request, site, message_id)
    user = login_of(request).user
    try:
        due_at = draft.due_at(form.due, form.zone or await users.zone_of(site.pool, user), datetime.now(UTC))
        await schedules.move(site.pool, site.announce, user, message.id, due_at)
    except Refused as refused:
        if wants_json(request) or refused.field != "due":
            raise
        return await _page(request, site, message, refused.sentence, STATUS[refused.code])
    if wants_json(request):
        return Response({"id": str(message.id), "due_at": due_at.isoformat()})
    return Redirect(f"/messages/{message.id}", status_code=303)


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
        "sent_at": _iso(message.sent_at),
        "delivered_at": _iso(message.delivered_at),
        "read_at": _iso(message.read_at),
        "changes": [{"at": _iso(one.at), "event": one.event, "reason": one.reason} for one in changes],
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds") if instant else None
