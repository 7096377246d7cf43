"""What is upcoming and what has gone: `/today`, and its list as a part, `/messages`."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get

from app.clock import zone_or_utc
from app.form import AppRequest, wants_json
from app.guard import login_of
from app.message_view import message_row
from app.render import fragment, page
from app.site import Site
from app.views import DayGroup, MessageList
from domain.account import Link
from domain.message import MessageState
from store import pages, users

LEADING: Final = frozenset({MessageState.SCHEDULED, MessageState.ARMED})


@get("/today")
async def show_today(request: AppRequest, site: Site) -> Response[Any]:
    """The first page of whoever is signed in."""
    return page(request, "today.html", await _list(site, login_of(request).user), here="today")


@get("/messages")
async def show_messages(request: AppRequest, site: Site) -> Response[Any]:
    """The lists alone."""
    view = await _list(site, login_of(request).user)
    if wants_json(request):
        rows = [*(row for group in view.to_come for row in group.rows), *view.gone]
        return Response([msgspec.to_builtins(row) for row in rows])
    return fragment(request, "messages.html", view)


async def _list(site: Site, user: UUID) -> MessageList:
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    now = datetime.now(UTC)
    coming = await pages.messages_to_come(site.pool, user)
    to_come = [message_row(one, zone, now) for one in coming]
    lead = next((one for one in coming if one.state in LEADING), None)
    gone = [message_row(one, zone, now) for one in await pages.messages_gone(site.pool, user)]
    accounts = await pages.accounts(site.pool, user)
    return MessageList(
        lead=message_row(lead, zone, now) if lead else None,
        to_come=[DayGroup(day=day, rows=list(rows)) for day, rows in groupby(to_come, key=lambda row: row.due.day)],
        gone=gone,
        linked=any(account.link is Link.LINKED for account in accounts),
        accounts=len(accounts),
    )
