"""Who is signed in where: `/logins`, `/api/v1/login`."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, delete, get
from litestar.response import Redirect

from app.browsers import browser_name, is_handheld
from app.clock import moment, within, zone_or_utc
from app.form import AppRequest, wants_json
from app.guard import csrf_token, end_cookie, keep_visit, login_of, visit_of
from app.site import Site
from app.views import LoginRow
from domain.refusal import RefusalCode, Refused
from store import users


@get("/api/v1/login", opt={"public": True})
async def show_login(request: AppRequest) -> Response[Any]:
    """Who is signed in, and the token that writes must bring along in `x-csrf-token`."""
    login = request.scope["user"]
    if login is None:
        visit_of(request)
    response = Response({"email": login.email if login else None, "csrf": csrf_token(request)})
    keep_visit(request, response)
    return response


@get("/logins")
async def list_logins(request: AppRequest, site: Site) -> Response[Any]:
    """The browsers that are signed in."""
    rows = await login_rows(request, site)
    return Response([msgspec.to_builtins(row) for row in rows])


@delete("/logins", status_code=200)
async def end_other_logins(request: AppRequest, site: Site) -> Response[Any]:
    """Signs all browsers out but this one."""
    login = login_of(request)
    ended = await site.logins.end_others(login.user, login.digest)
    return Response({"ended": ended}) if wants_json(request) else Redirect("/accounts", status_code=303)


@delete("/logins/{digest:str}", status_code=200)
async def end_login(request: AppRequest, site: Site, digest: str) -> Response[Any]:
    """Signs a browser out: `current` for this one, else one of the user's own."""
    login = login_of(request)
    own = digest in ("current", login.digest)
    if not await site.logins.end(login.user, login.digest if own else digest) and not own:
        raise Refused(RefusalCode.NOT_FOUND)
    response: Response[Any]
    if wants_json(request):
        response = Response({"ended": True})
    else:
        response = Redirect("/" if own else "/accounts", status_code=303)
    if own:
        response.cookies.append(end_cookie(site, "login"))
    return response


async def login_rows(request: AppRequest, site: Site) -> list[LoginRow]:
    """The user's logins as a page shows them, this browser first."""
    login = login_of(request)
    zone = zone_or_utc(await users.zone_of(site.pool, login.user))
    now = datetime.now(UTC)
    rows = [
        LoginRow(
            digest=one.digest,
            name=browser_name(one.agent),
            handheld=is_handheld(one.agent),
            since=within(moment(one.created_at, zone, now).full),
            current=one.digest == login.digest,
        )
        for one in await site.logins.of_user(login.user)
    ]
    return sorted(rows, key=lambda row: not row.current)
