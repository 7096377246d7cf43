"""What one does to a message: cancel it, take that back, move it, send it now or again. Form, toast, or JSON."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.response import Redirect

from app import act_words
from app.act_words import Act
from app.clock import zone_or_utc
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.move_view import move_form
from app.render import fragment, page
from app.site import Site
from app.status import STATUS
from app.toast_view import Toast, Undo
from domain import draft
from domain.message import MessageState
from domain.refusal import RefusalCode, Refused
from store import changing, pages, users

NOW: Final = "now"


class Change(msgspec.Struct, frozen=True):
    """Another instant (`due`: local wall-clock time in `zone`, or "now"), or SCHEDULED as `state`: not cancelled.

    A form with a field for the `day` has only the time of day in `due`.
    """

    day: str = ""
    due: str = ""
    zone: str = ""
    state: str = ""


@get("/messages/{message_id:str}/time")
async def show_move(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The form for another time."""
    return await _move_page(request, site, read_id(message_id))


@delete("/messages/{message_id:str}", status_code=200)
async def cancel_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Cancels the message if it has not left."""
    message, now = read_id(message_id), datetime.now(UTC)
    async with saying(request, site, message, Act.CANCEL):
        await changing.cancel(site.pool, site.announce, login_of(request).user, message)
    return await _done(request, site, message, now, undo=(("state", str(MessageState.SCHEDULED)),))


@patch("/messages/{message_id:str}", status_code=200)
async def change_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Moves the message to another time, within its seal, or takes a cancelling back."""
    form = await read_form(request, Change)
    message, now = read_id(message_id), datetime.now(UTC)
    user = login_of(request).user
    if form.state == MessageState.SCHEDULED:
        async with saying(request, site, message, Act.RESTORE):
            await changing.restore(site.pool, site.announce, user, message, now)
        return await _done(request, site, message, now, "Not cancelled any more.")
    try:
        zone = form.zone or await users.zone_of(site.pool, user)
        due_at = now if form.due == NOW else draft.due_at(f"{form.day}T{form.due}" if form.day else form.due, zone, now)
        async with saying(request, site, message, Act.MOVE):
            was = await changing.move(site.pool, site.announce, user, message, due_at, at_once=form.due == NOW)
    except Refused as refused:
        if not form.day or wants_json(request) or request.headers.get("hx-request"):
            raise
        return await _move_page(request, site, message, (form.day, form.due), refused)
    if form.due == NOW:
        return await _done(request, site, message, now)
    return await _done(request, site, message, now, "Moved.", back(was) if was > now else ())


@post("/messages/{message_id:str}/attempts", status_code=200)
async def resend_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """Sends again, now, what is uncertain, missed or not sent: the person decides, we never do."""
    message, now = read_id(message_id), datetime.now(UTC)
    async with saying(request, site, message, Act.RESEND):
        await changing.resend(site.pool, site.announce, login_of(request).user, message, now)
    return await _done(request, site, message, now)


async def _move_page(
    request: AppRequest,
    site: Site,
    message_id: UUID,
    typed: tuple[str, str] | None = None,
    refused: Refused | None = None,
) -> Response[Any]:
    user = login_of(request).user
    message = await pages.message(site.pool, user, message_id)
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    view = move_form(message, zone, datetime.now(UTC), typed, refused.sentence if refused else "")
    return page(request, "move.html", view, status_code=STATUS[refused.code] if refused else 200, here="today")


def back(due_at: datetime) -> tuple[tuple[str, str], ...]:
    """The fields that move a message to an instant that it had; UTC, so that no clock change makes it ambiguous."""
    return (("due", f"{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"), ("zone", "UTC"))


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


async def _done(
    request: AppRequest,
    site: Site,
    message_id: UUID,
    now: datetime,
    begin: str = "",
    undo: tuple[tuple[str, str], ...] = (),
) -> Response[Any]:
    """What happens now: as JSON, as a toast for a script of ours, or the message's page, which says it.

    `begin`: what was done; `undo`: the fields of the PATCH that takes it back.
    """
    path = f"/messages/{message_id}"
    if not wants_json(request) and not request.headers.get("hx-request"):
        # The page says by itself what is so; only where a message was moved from, nobody would know any more.
        moved = f"?moved={dict(undo)['due']}" if "due" in dict(undo) else ""
        return Redirect(path + moved, status_code=303)
    user = login_of(request).user
    message = await pages.message(site.pool, user, message_id)
    assert message is not None
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    if message.state is MessageState.CANCELLED:
        sentence = act_words.cancelled(message, zone, now)
        undo = undo if message.due_at > now else ()
    else:
        sentence = act_words.waits(begin, message, message.due_at, zone, now)
    if wants_json(request):
        due_at = message.due_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return Response({"id": str(message.id), "state": str(message.state), "due_at": due_at, "sentence": sentence})
    offered = Undo(path=path, method="PATCH", fields=undo, message=str(message.id)) if undo else None
    return fragment(request, "toast.html", Toast(sentence=sentence, undo=offered))
