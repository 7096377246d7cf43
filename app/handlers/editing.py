"""Another text for a message that waits: `/messages/{id}/edit`, where a browser opens the old one and seals the new."""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get, patch
from litestar.response import Redirect

from app.act_words import Act
from app.clock import zone_or_utc
from app.flight_view import at_words
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.handlers.acts import saying
from app.handlers.schedules import SealedFields, ingest, read_seal
from app.handlers.viewing import read_viewing
from app.message_view import name_of
from app.render import page
from app.site import Site
from domain import limits
from domain.message import EDITABLE
from domain.refusal import RefusalCode, Refused
from enclave.wire.sealing import Binding, recipient_hash
from store import changing, pages, users
from store.changing import NewSeal


class EditPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page on which one writes another text. `account`, `schedule`, `recipient`: what its seal is bound to."""

    id: str
    name: str
    leaves: str
    account: str
    schedule: str
    recipient: str
    chars_max: int


@get("/messages/{message_id:str}/edit")
async def show_edit(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The page for another text; the message's own page once there can be none."""
    user, now = login_of(request).user, datetime.now(UTC)
    message = await pages.message(site.pool, user, read_id(message_id))
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    if message.state not in EDITABLE:
        return Redirect(f"/messages/{message.id}", status_code=303)
    sealed = await pages.sealed(site.pool, user, message.id)
    assert sealed is not None
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    view = EditPage(
        id=str(message.id),
        name=name_of(message),
        leaves=at_words(message.due_at, zone, now),
        account=str(message.account_id),
        schedule=str(sealed.schedule_id),
        recipient=message.recipient,
        chars_max=limits.TEXT_CHARS_MAX,
    )
    return page(request, "edit.html", view, here="write")


@patch("/schedules/{schedule_id:str}", status_code=200)
async def edit_schedule(request: AppRequest, site: Site, schedule_id: str) -> Response[Any]:
    """Takes another sealed text for the schedule's messages, unless one of them is leaving. Twice is once."""
    form = await read_form(request, SealedFields)
    user, schedule = login_of(request).user, read_id(schedule_id)
    wanted = await changing.sealing(site.pool, user, schedule)
    message = await pages.newest_of(site.pool, user, schedule)
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    envelope, body, not_after_s = read_seal(form)
    if not_after_s < time.time():
        raise Refused(RefusalCode.SEAL_EXPIRED, "text")
    viewing = await read_viewing(site, user, form.viewing, form.viewing_key)
    binding = Binding(
        environment=(await site.door.welcome()).environment,
        account=str(wanted.account),
        schedule=str(schedule),
        recipient_hash=recipient_hash(str(wanted.account), wanted.recipient),
        not_after_s=not_after_s,
    )
    content_key = await ingest(site, wanted.wrapped_key, binding, form.kid, envelope, body)
    seal = NewSeal(binding=binding, content_key=content_key, body=body, viewing=viewing)
    async with saying(request, site, message, Act.EDIT):
        await changing.edit(site.pool, site.announce, user, schedule, seal)
    if wants_json(request):
        return Response({"id": str(message), "schedule": str(schedule)})
    return Redirect(f"/messages/{message}", status_code=303)
