"""What is upcoming, and what of today has gone: `/today`, and what changes on it while it is open (`/messages`)."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get

from app.clock import zone_or_utc
from app.day_line import bounds
from app.forecast import forecast_of, forecasts
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.message_view import message_row, status
from app.render import fragment, page
from app.site import Site
from app.upcoming_view import Read, Upcoming, flight_of, upcoming
from domain import limits
from domain.refusal import RefusalCode, Refused, Unavailable
from store import pages, record, users
from store import upcoming as lists
from store.run_state import RunShown

SEPARATOR: Final = "_"


@get("/today")
async def show_today(request: AppRequest, site: Site, after: str = "") -> Response[Any]:
    """The first page of whoever is signed in; `after` a place in it, what follows."""
    return page(request, "today.html", await view_of(site, login_of(request).user, after), here="today")


@get("/messages")
async def show_messages(request: AppRequest, site: Site, after: str = "", seen: str = "") -> Response[Any]:
    """All that the page shows, alone: its snapshot. Nothing when it shows what is so already: `seen` is its digest."""
    view = await view_of(site, login_of(request).user, after)
    if seen and seen == view.seen:
        return Response(b"", status_code=204)
    if wants_json(request):
        return Response([msgspec.to_builtins(row) for row in chain(*(group.rows for group in view.groups))])
    # What is drawn now may be changed by news before it is asked for again: only a whole page tells what it has shown.
    return fragment(request, "messages.html", msgspec.structs.replace(view, seen=""))


@get("/messages/now")
async def show_now(request: AppRequest, site: Site, newest: str = "") -> Response[Any]:
    """What else changes when a message does: the head, the counts, the aside, and how many are newer than `newest`."""
    user = login_of(request).user
    view = await view_of(site, user, "")
    fresh = await lists.newer(site.pool, user, read_id(newest)) if newest else 0
    return fragment(request, "now.html", msgspec.structs.replace(view, fresh=fresh))


@get("/messages/{message_id:str}/status")
async def show_status(request: AppRequest, site: Site, message_id: str, due: str = "") -> Response[Any]:
    """The message's state alone; its whole row when its time is not `due` any more, which a row shows."""
    user, now = login_of(request).user, datetime.now(UTC)
    message = await pages.message(site.pool, user, read_id(message_id))
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    account = await pages.account(site.pool, user, message.account_id)
    checked = flight_of(message, account, zone, now, await forecast_of(site.pool, message, now))
    view = status(message, zone, now, checked, in_row=bool(due))
    if due == view.due:
        return fragment(request, "status.html", view)
    answer = fragment(request, "row.html", message_row(message, zone, now, checked))
    answer.headers["hx-retarget"] = f"#m-{message.id}"
    return answer


async def view_of(site: Site, user: UUID, after: str) -> Upcoming:
    """The page of a user; `after` a place in it, what follows."""
    now = datetime.now(UTC)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    start, end = bounds(now.astimezone(zone).date(), zone)
    gone = [] if after else await lists.gone_between(site.pool, user, start, end, limits.GONE_ROWS)
    room = limits.LETTER_ROWS - len(gone)
    coming = await lists.to_come(site.pool, user, _place(after), room + 1)
    more = coming[room - 1] if len(coming) > room else None
    accounts = await pages.accounts(site.pool, user)
    punctual = None
    if len(accounts) == 1:  # of several, each has its own on its page
        begin = now - timedelta(seconds=limits.RECORD_S)
        punctual = await record.since(site.pool, user, accounts[0].id, begin, zone.key)
    read = Read(
        rows=sorted(gone + coming[:room], key=lambda one: (one.due_at, one.id)),
        leaves=await forecasts(site.pool, coming[:room], now),
        day=await lists.day(site.pool, user, start, end, limits.DAY_MARKS_MAX),
        accounts=accounts,
        waiting=await lists.waiting(site.pool, user),
        runs=await runs_of(site, [account.id for account in accounts]),
        record=punctual,
    )
    return upcoming(
        read,
        zone,
        now,
        address=f"/messages?after={after}" if after else "/messages",
        more=f"/today?after={more.due_at.isoformat().replace('+00:00', 'Z')}{SEPARATOR}{more.id}" if more else "",
        later=bool(after),
    )


async def runs_of(site: Site, accounts: list[UUID]) -> dict[UUID, RunShown | None]:
    """What each account's session is doing; nothing is known while Redis is away."""
    try:
        found = await asyncio.gather(*(site.run_state.look(account) for account in accounts))
    except Unavailable:
        return {}
    return dict(zip(accounts, found, strict=True))


def _place(after: str) -> tuple[datetime, UUID]:
    if not after:
        return lists.BEGINNING
    instant, _, message = after.partition(SEPARATOR)
    try:
        place = datetime.fromisoformat(instant)
    except ValueError:
        raise Refused(RefusalCode.NOT_FOUND) from None
    if place.tzinfo is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return place, read_id(message)
