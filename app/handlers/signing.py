"""Signing in and out: `/`, `/login-codes`, `/logins`."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.response import Redirect

from app.clock import moment, zone_or_utc
from app.form import AppRequest, read_form, wants_json
from app.guard import (
    cookie_name,
    csrf_token,
    end_cookie,
    keep_visit,
    login_of,
    make_cookie,
    visit_of,
)
from app.render import page
from app.site import Site
from app.status import STATUS
from app.views import CodeForm, LoginRow, SignIn
from domain import civil, draft, limits
from domain.refusal import RefusalCode, Refused
from store import users
from store.login_codes import CodeTried
from store.rates import CODES_PER_ADDRESS, CODES_PER_CLIENT, TRIES_PER_CLIENT

AGENT: Final = "user-agent"


class EmailForm(msgspec.Struct, frozen=True):
    """What the landing page sends."""

    email: str = ""


class CodeEntry(msgspec.Struct, frozen=True):
    """What the code page sends. `zone`: the browser's IANA zone."""

    email: str = ""
    code: str = ""
    zone: str = ""


@get("/", opt={"public": True})
async def show_landing(request: AppRequest) -> Response[Any]:
    """The landing page; whoever is signed in goes on to today."""
    if request.scope["user"] is not None:
        return Redirect("/today", status_code=303)
    return page(request, "landing.html", SignIn())


@get("/api/v1/login", opt={"public": True})
async def show_login(request: AppRequest) -> Response[Any]:
    """Who is signed in, and the token that writes must bring along in `x-csrf-token`."""
    login = request.scope["user"]
    if login is None:
        visit_of(request)
    response = Response({"email": login.email if login else None, "csrf": csrf_token(request)})
    keep_visit(request, response)
    return response


@post("/login-codes", opt={"public": True})
async def create_code(request: AppRequest, site: Site) -> Response[Any]:
    """Mails a code."""
    form = await read_form(request, EmailForm)
    try:
        email = draft.email(form.email)
        await _check_rate(site, request, email)
    except Refused as refused:
        if wants_json(request):
            raise
        view = SignIn(email=form.email, error=refused.sentence)
        return page(request, "landing.html", view, status_code=STATUS[refused.code])
    code = await site.codes.create(email, visit_of(request))
    minutes = limits.LOGIN_CODE_S // 60
    await site.mailer.send(
        email,
        f"{code} is your code for AutoSendr",
        f"Your code is {code}. It works for {minutes} minutes, in the browser that asked for it.\n\n"
        "Nobody from AutoSendr will ever ask you for it. If you did not ask for a code, ignore this mail.\n",
    )
    site.log.info("mail_sent")
    if wants_json(request):
        return Response({"sent": True}, status_code=202)
    response = Redirect("/logins/new", status_code=303)
    response.cookies.append(make_cookie(site, "email", email, max_age_s=limits.LOGIN_CODE_S))
    return response


@get("/logins/new", opt={"public": True})
async def show_code_form(request: AppRequest, site: Site) -> Response[Any]:
    """The page on which one types the code."""
    email = request.cookies.get(cookie_name(site, "email"), "")
    if request.scope["user"] is not None or not email:
        return Redirect("/", status_code=303)
    return page(request, "code.html", CodeForm(email=email))


@post("/logins", opt={"public": True})
async def create_login(request: AppRequest, site: Site) -> Response[Any]:
    """Signs in with a code. The login's id is new, whatever the browser had before; an old login ends."""
    form = await read_form(request, CodeEntry)
    given = form.email or request.cookies.get(cookie_name(site, "email"), "")
    try:
        email = draft.email(given)
        await _check_code(site, request, email, form.code)
    except Refused as refused:
        if wants_json(request):
            raise
        view = CodeForm(email=given, error=refused.sentence)
        return page(request, "code.html", view, status_code=STATUS[refused.code])
    user = await users.sign_in(site.pool, email, _known_zone(form.zone))
    old = request.scope["user"]
    if old is not None:
        await site.logins.end(old.user, old.digest)
    login_id = await site.logins.create(user.id, user.email, request.headers.get(AGENT, ""))
    response: Response[Any]
    if wants_json(request):
        response = Response({"email": user.email}, status_code=201)
    else:
        response = Redirect("/today", status_code=303)
    response.cookies.append(make_cookie(site, "login", login_id, max_age_s=limits.LOGIN_S))
    response.cookies.append(end_cookie(site, "visit"))
    response.cookies.append(end_cookie(site, "email"))
    return response


@get("/logins")
async def list_logins(request: AppRequest, site: Site) -> Response[Any]:
    """The browsers that are signed in."""
    rows = await login_rows(request, site)
    return Response([msgspec.to_builtins(row) for row in rows])


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
    """The user's logins as a page shows them."""
    login = login_of(request)
    zone = zone_or_utc(await users.zone_of(site.pool, login.user))
    now = datetime.now(UTC)
    return [
        LoginRow(
            digest=one.digest,
            agent=one.agent or "a program",
            since=moment(one.created_at, zone, now),
            current=one.digest == login.digest,
        )
        for one in await site.logins.of_user(login.user)
    ]


async def _check_rate(site: Site, request: AppRequest, email: str) -> None:
    if not await site.rates.allows(CODES_PER_CLIENT, _client(request)):
        raise Refused(RefusalCode.TOO_MANY_CODES, "email")
    if not await site.rates.allows(CODES_PER_ADDRESS, email):
        raise Refused(RefusalCode.TOO_MANY_CODES, "email")


async def _check_code(site: Site, request: AppRequest, email: str, code: str) -> None:
    if not await site.rates.allows(TRIES_PER_CLIENT, _client(request)):
        raise Refused(RefusalCode.TOO_MANY_TRIES, "code")
    digits = "".join(sign for sign in code if sign.isdecimal())
    tried = await site.codes.attempt(email, visit_of(request), digits)
    if tried is not CodeTried.RIGHT:
        raise Refused(
            {
                CodeTried.WRONG: RefusalCode.CODE_WRONG,
                CodeTried.SPENT: RefusalCode.TOO_MANY_TRIES,
                CodeTried.NONE: RefusalCode.CODE_EXPIRED,
            }[tried],
            "code",
        )


def _client(request: AppRequest) -> str:
    return request.client.host if request.client else ""


def _known_zone(name: str) -> str:
    try:
        return name and civil.zone(name).key
    except Refused:
        return ""
