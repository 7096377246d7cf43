"""Accounts in the engine room: one by its number or its place on the map, and those that may not wake."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from app.clock import moment, zone_or_utc
from app.engine_account_view import Sheet, sheet
from app.engine_words import numbered
from app.form import AppRequest
from app.guard import check_admin, login_of
from app.queue_view import ON_TIME_MS
from app.render import fragment, page
from app.site import Site
from domain import limits
from domain.refusal import RefusalCode, Refused
from store import engine_room, orders, users, wakes


class RestingRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account that may not wake, and until when."""

    tile: str
    number: int
    name: str
    why: str
    lasting: str = ""


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`asked`: a number that no account has, "" for none."""

    asked: str
    resting: list[RestingRow]


@get("/admin/accounts", guards=[check_admin])
async def list_engine_accounts(request: AppRequest, site: Site, number: str = "") -> Response[Any]:
    """Leads to the account with a number; without one, those that may not wake now."""
    asked = number.strip().lstrip("#")
    if asked.isdecimal() and await engine_room.account(site.pool, _number(asked)) is not None:
        return Redirect(f"/admin/accounts/{int(asked)}", status_code=303)
    zone = zone_or_utc(await users.zone_of(site.pool, login_of(request).user))
    now = datetime.now(UTC)
    rows = []
    for one in await site.engine.resting():
        parked = one.stopped or one.parked
        until = "until an admin lets it go on" if one.stopped or one.until is None else ""
        if not until and one.until is not None:
            until = f"until {moment(one.until, zone, now).seconds}"
        rows.append(
            RestingRow(tile="parked" if parked else "resting", number=one.number, name=numbered(one.number), why=until)
        )
    return page(request, "engine_accounts.html", AccountsPage(asked=asked, resting=rows), here="engine-accounts")


@get("/admin/accounts/{number:str}", guards=[check_admin])
async def show_engine_account(request: AppRequest, site: Site, number: str) -> Response[Any]:
    """One account and its history: a page, or a sheet at the side of the engine room."""
    view = await sheet_of(request, site, _number(number))
    if request.headers.get("hx-request"):
        return fragment(request, "engine_account.html", view)
    return page(request, "engine_account.html", view, here="engine-accounts")


@get("/admin/places/{place:int}", guards=[check_admin])
async def show_place(site: Site, place: int) -> Response[Any]:
    """Leads to the account at a place of the map."""
    number = await engine_room.number_at(site.pool, place) if 0 <= place < limits.FOREVER_MS else None
    if number is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return Redirect(f"/admin/accounts/{number}", status_code=303)


async def sheet_of(request: AppRequest, site: Site, number: int) -> Sheet:
    """The account as a view. Raises Refused(NOT_FOUND), Unavailable."""
    account = await engine_room.account(site.pool, number)
    if account is None:
        raise Refused(RefusalCode.NOT_FOUND)
    now = datetime.now(UTC)
    boards = await site.engine.boards() or []
    return sheet(
        account,
        next((one for board in boards for one in board.held if one.account == str(account.id)), None),
        await wakes.of_account(site.pool, account.id, limits.HISTORY_WAKES),
        await engine_room.latest(
            site.pool, now - timedelta(seconds=limits.RECORD_S), ON_TIME_MS, limits.HISTORY_WAKES, account.id
        ),
        await orders.trail(site.pool, limits.HISTORY_WAKES, number),
        zone_or_utc(await users.zone_of(site.pool, login_of(request).user)),
        now,
    )


def _number(text: str) -> int:
    """What an account is called. Raises Refused(NOT_FOUND) for what cannot be a number of one."""
    if not text.isdecimal() or len(text) > len(str(limits.FOREVER_MS)) - 1:
        raise Refused(RefusalCode.NOT_FOUND)
    return int(text)
