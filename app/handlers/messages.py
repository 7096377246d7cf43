"""One message: `/messages/{id}`, all that its page shows of it as a part, and as JSON."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from app.clock import zone_or_utc
from app.forecast import forecast_of
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.handlers.acts import back
from app.letter_view import ATTESTED as ATTESTED
from app.letter_view import WAITS, Letter, letter
from app.render import fragment, page
from app.site import Site
from app.toast_view import Toast, Undo
from app.upcoming_view import flight_of
from domain.refusal import RefusalCode, Refused
from store import pages, users, wakes
from store.pages import Message


@get("/messages/{message_id:str}")
async def show_message(request: AppRequest, site: Site, message_id: str, moved: str = "") -> Response[Any]:
    """The message's page; as JSON for programs. `moved`: the instant from which it was just moved (UTC)."""
    message = await _own(request, site, message_id)
    if wants_json(request):
        return Response(await _json(site, login_of(request).user, message))
    view = await _letter(site, login_of(request).user, message)
    if moved:
        view = msgspec.structs.replace(view, toast=_moved(message, moved))
    gone = message.state not in WAITS
    return page(request, "message.html", view, here="history" if gone else "today")


@get("/api/v1/messages/{message_id:str}")
async def read_message(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """The message as JSON."""
    message = await _own(request, site, message_id)
    return Response(await _json(site, login_of(request).user, message))


@get("/messages/{message_id:str}/letter")
async def show_letter(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """All that the message's page shows of it, alone."""
    message = await _own(request, site, message_id)
    return fragment(request, "letter.html", await _letter(site, login_of(request).user, message))


def _moved(message: Message, before: str) -> Toast | None:
    """What the move page's answer leads to: the same toast that a script would have shown."""
    try:
        was = datetime.fromisoformat(before).replace(tzinfo=UTC)
    except ValueError:
        return None
    if was <= datetime.now(UTC) or message.state not in WAITS:
        return None
    undo = Undo(path=f"/messages/{message.id}", method="PATCH", fields=back(was), message=str(message.id))
    return Toast(sentence="Moved.", undo=undo)


async def _own(request: AppRequest, site: Site, message_id: str) -> Message:
    message = await pages.message(site.pool, login_of(request).user, read_id(message_id))
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return message


async def _letter(site: Site, user: UUID, message: Message) -> Letter:
    now = datetime.now(UTC)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    sealed = await pages.sealed(site.pool, user, message.id)
    assert sealed is not None
    changes = await pages.changes(site.pool, user, message.id)
    wake = await wakes.around(site.pool, user, message.account_id, message.left_at or message.due_at)
    account = await pages.account(site.pool, user, message.account_id)
    leaves = await forecast_of(site.pool, message, now)
    flight = flight_of(message, account, zone, now, leaves) if message.state in WAITS else None
    return letter(message, sealed, changes, wake, flight, zone, now, leaves)


async def _json(site: Site, user: UUID, message: Message) -> dict[str, Any]:
    changes = await pages.changes(site.pool, user, message.id)
    return {
        "id": str(message.id),
        "account": str(message.account_id),
        "recipient": message.recipient,
        "state": str(message.state),
        "reason": message.reason,
        "due_at": _iso(message.due_at),
        "window_s": message.window_s,
        "late_limit_s": message.late_limit_s,
        "left_at": _iso(message.left_at),
        "sent_at": _iso(message.sent_at),
        "delivered_at": _iso(message.delivered_at),
        "read_at": _iso(message.read_at),
        "changes": [{"at": _iso(one.at), "event": one.event, "reason": one.reason} for one in changes],
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds") if instant else None
