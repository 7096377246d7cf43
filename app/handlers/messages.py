"""One message: `/messages/{id}` to see, cancel and move it, its status and history as parts, and as JSON."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.response import Redirect

from app import act_words
from app.act_words import Act
from app.clock import local_input, moment, zone_or_utc
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.message_view import message_row, status, timeline
from app.render import fragment, page
from app.site import Site
from app.status import STATUS
from app.views import MessagePage
from domain import draft
from domain.message import MessageState
from domain.refusal import RefusalCode, Refused
from store import changing, pages, users
from store.pages import Message

ATTESTED = "nitro"
NOW = "now"


class Change(msgspec.Struct, frozen=True):
    """Another instant (`due`: local wall-clock time in `zone`, or "now"), or SCHEDULED as `state`: not cancelled."""

    due: str = ""
    zone: str = ""
    state: str = ""


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
    async with saying(request, site, message, Act.CANCEL):
        await changing.cancel(site.pool, site.announce, login_of(request).user, message)
    return await _done(request, site, message, "Cancelled.")


@patch("/messages/{message_id:str}", status_code=200)
async def change_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Moves the message to another time, within its seal, or takes a cancelling back."""
    form = await read_form(request, Change)
    message = await _own(request, site, message_id)
    user, now = login_of(request).user, datetime.now(UTC)
    if form.state == MessageState.SCHEDULED:
        async with saying(request, site, message.id, Act.RESTORE):
            await changing.restore(site.pool, site.announce, user, message.id, now)
        return await _done(request, site, message.id, "Not cancelled any more.")
    try:
        zone = form.zone or await users.zone_of(site.pool, user)
        due_at = now if form.due == NOW else draft.due_at(form.due, zone, now)
        async with saying(request, site, message.id, Act.MOVE):
            await changing.move(site.pool, site.announce, user, message.id, due_at)
    except Refused as refused:
        if wants_json(request) or refused.field != "due":
            raise
        return await _page(request, site, message, refused.sentence, STATUS[refused.code])
    return await _done(request, site, message.id, "Moved." if form.due != NOW else "")


@post("/messages/{message_id:str}/attempts", status_code=200)
async def resend_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Sends again, now, what is uncertain, missed or not sent: the person decides, we never do."""
    message = read_id(message_id)
    async with saying(request, site, message, Act.RESEND):
        await changing.resend(site.pool, site.announce, login_of(request).user, message, datetime.now(UTC))
    return await _done(request, site, message, "")


@contextlib.asynccontextmanager
async def saying(request: AppRequest, site: Site, message_id: UUID, act: Act) -> AsyncGenerator[None]:
    """A change of the message that comes too late is refused with what is so instead. Raises Refused, Unavailable."""
    try:
        yield
    except Refused as refused:
        if refused.code is not RefusalCode.TOO_LATE_TO_CHANGE:
            raise
        user = login_of(request).user
        message = await pages.message(site.pool, user, message_id)
        if message is None:
            raise Refused(RefusalCode.NOT_FOUND) from None
        zone = zone_or_utc(await users.zone_of(site.pool, user))
        sentence = act_words.too_late(act, message, zone, datetime.now(UTC))
        raise Refused(refused.code, sentence=sentence) from None


async def _done(request: AppRequest, site: Site, message_id: UUID, begin: str) -> Response[Any]:
    """What happens now: as JSON, or the message's page, which says it."""
    if not wants_json(request):
        return Redirect(f"/messages/{message_id}", status_code=303)
    user, now = login_of(request).user, datetime.now(UTC)
    message = await pages.message(site.pool, user, message_id)
    assert message is not None
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    if message.state is MessageState.CANCELLED:
        sentence = act_words.cancelled(message, zone, now)
    else:
        sentence = act_words.waits(begin, message, message.due_at, zone, now)
    return Response(
        {"id": str(message.id), "state": str(message.state), "due_at": _iso(message.due_at), "sentence": sentence}
    )


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
