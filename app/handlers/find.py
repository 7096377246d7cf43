"""Find or do: `/find`, a page without script and the palette's rows with it; and the phones in one line, `/phones`."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get

from app.clock import zone_or_utc
from app.find_view import found
from app.form import AppRequest
from app.guard import login_of
from app.handlers.today import runs_of
from app.phone_view import PhoneLine, phone_line
from app.render import fragment, page
from app.site import Site
from domain import limits
from domain.finding import read_search
from store import pages, users
from store import upcoming as lists


class Phones(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts, a line each."""

    phones: list[PhoneLine]


@get("/find")
async def show_found(request: AppRequest, site: Site, q: str = "") -> Response[Any]:
    """People, messages and things to do by what is typed."""
    user, now = login_of(request).user, datetime.now(UTC)
    search = read_search(q)
    people, messages = [], []
    if search.words or search.number:
        people = await lists.find_people(site.pool, user, search, limits.FOUND_ROWS)
        messages = await lists.find_messages(site.pool, user, search, limits.FOUND_ROWS)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    view = found(q.strip(), search, people, messages, zone, now)
    if request.headers.get("hx-request"):
        return fragment(request, "found.html", view)
    return page(request, "find.html", view, here="find")


@get("/phones")
async def show_phones(request: AppRequest, site: Site) -> Response[Any]:
    """The accounts in one line each, for the edge of every page."""
    user, now = login_of(request).user, datetime.now(UTC)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    accounts = await pages.accounts(site.pool, user)
    runs = await runs_of(site, [account.id for account in accounts])
    phones = [phone_line(account, runs.get(account.id), zone, now) for account in accounts]
    return fragment(request, "phones.html", Phones(phones=phones))
