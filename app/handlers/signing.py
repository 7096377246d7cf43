"""From the landing page to being signed in: `/`, `/login`, `/login-codes`, `/logins`."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from app.day_line import DayLine, Mark
from app.form import AppRequest, read_form, wants_json
from app.guard import cookie_name, end_cookie, make_cookie, visit_of
from app.handlers.messages import ATTESTED
from app.render import page
from app.site import Site
from app.status import STATUS
from app.views import CodeForm, Landing, SignIn
from app.way_back import end_way, way_back
from domain import civil, draft, limits
from domain.refusal import RefusalCode, Refused, Unavailable
from store import users
from store.login_codes import CodeTried
from store.rates import CODES_PER_ADDRESS, CODES_PER_CLIENT, TRIES_PER_CLIENT

AGENT: Final = "user-agent"
A_DAY: Final = DayLine(
    starts="",
    ends="",
    now="36.2%",
    morning="25%",
    evening="81.25%",
    night="18.75%",
    hours=[("25%", "06"), ("50%", "12"), ("75%", "18")],
    marks=[
        Mark(x=x, kind=kind, count=1, href="", label="")
        for x, kind in (
            ("27%", "done"),
            ("30%", "done"),
            ("37.5%", "next"),
            ("48%", "go"),
            ("54%", "go"),
            ("75%", "needs"),
            ("84%", "go"),
        )
    ],
    label="",
)
"""The day that the landing page shows: an example, like the letter beside it."""
NOT_MAILED: Final = "We could not hand the mail over just now. Your address is kept; try again in a minute."


class EmailForm(msgspec.Struct, frozen=True):
    """What the sign-in page sends; the code page sends it again, and means another mail."""

    email: str = ""


class CodeEntry(msgspec.Struct, frozen=True):
    """What the code page sends. `zone`: the browser's IANA zone."""

    email: str = ""
    code: str = ""
    zone: str = ""


@get("/", opt={"public": True})
async def show_landing(request: AppRequest, site: Site) -> Response[Any]:
    """The landing page; whoever is signed in goes on to today."""
    if request.scope["user"] is not None:
        return Redirect("/today", status_code=303)
    return page(
        request, "landing.html", Landing(attested=await is_attested(site), warn_days=limits.PHONE_WARN_DAYS, day=A_DAY)
    )


@get("/login", opt={"public": True})
async def show_sign_in(request: AppRequest, site: Site) -> Response[Any]:
    """The page on which one gives one's address; a code that is under way is not lost by coming here."""
    if request.scope["user"] is not None:
        return Redirect("/today", status_code=303)
    return page(request, "login.html", SignIn(email=request.cookies.get(cookie_name(site, "email"), "")))


@post("/login-codes", opt={"public": True})
async def create_code(request: AppRequest, site: Site) -> Response[Any]:
    """Mails a code. Another one within `limits.LOGIN_CODE_WAIT_S` is not mailed; the code page says when it will."""
    form = await read_form(request, EmailForm)
    try:
        email = draft.email(form.email)
        await _mail_code(site, request, email)
    except Refused as refused:
        if wants_json(request):
            raise
        if refused.code is RefusalCode.CODE_TOO_SOON:
            return await _code_page(request, site, draft.email(form.email), refused)
        view = SignIn(email=form.email, error=refused.sentence)
        return page(request, "login.html", view, status_code=STATUS[refused.code])
    except Unavailable:
        if wants_json(request):
            raise
        site.log.warning("mail_not_sent")
        return page(request, "login.html", SignIn(email=form.email, error=NOT_MAILED), status_code=503)
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
        return Redirect("/login", status_code=303)
    return await _code_page(request, site, email)


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
        return await _code_page(request, site, given, refused)
    user = await users.sign_in(site.pool, email, _known_zone(form.zone))
    old = request.scope["user"]
    if old is not None:
        await site.logins.end(old.user, old.digest)
    login_id = await site.logins.create(user, request.headers.get(AGENT, ""))
    response: Response[Any]
    if wants_json(request):
        response = Response({"email": user.email}, status_code=201)
    else:
        response = Redirect(way_back(request), status_code=303)
        end_way(request, response)
    response.cookies.append(make_cookie(site, "login", login_id, max_age_s=limits.LOGIN_S))
    response.cookies.append(end_cookie(site, "visit"))
    response.cookies.append(end_cookie(site, "email"))
    return response


async def is_attested(site: Site) -> bool:
    """Whether the enclave proves what it is. One that does not answer proves nothing."""
    try:
        return (await site.door.welcome()).environment == ATTESTED
    except Unavailable:
        return False


async def _code_page(request: AppRequest, site: Site, email: str, refused: Refused | None = None) -> Response[Any]:
    wait_s = 0.0
    if email:
        try:
            wait_s = await site.codes.wait_s(email, visit_of(request))
        except Unavailable:
            wait_s = 0.0  # pressing the button says what is so
    again_at = datetime.now(UTC) + timedelta(seconds=wait_s)
    view = CodeForm(
        email=email,
        error=refused.sentence if refused is not None and refused.field == "code" else "",
        said=refused.sentence if refused is not None and refused.field != "code" else "",
        again_at=again_at.isoformat(timespec="milliseconds") if wait_s else "",
        again_in=f"0:{math.ceil(wait_s):02d}" if wait_s else "",
        spent=refused is not None and refused.code in (RefusalCode.CODE_SPENT, RefusalCode.CODE_EXPIRED),
    )
    return page(request, "code.html", view, status_code=STATUS[refused.code] if refused is not None else 200)


async def _mail_code(site: Site, request: AppRequest, email: str) -> None:
    visit = visit_of(request)
    if not await site.codes.begin_wait(email, visit):
        wait_s = await site.codes.wait_s(email, visit)
        raise Refused(RefusalCode.CODE_TOO_SOON, "email", after_s=max(1, math.ceil(wait_s)))
    try:
        for rate, subject in ((CODES_PER_CLIENT, _client(request)), (CODES_PER_ADDRESS, email)):
            if wait_ms := await site.rates.wait_ms(rate, subject):
                raise Refused(RefusalCode.TOO_MANY_CODES, "email", after_s=math.ceil(wait_ms / 1000))
        code = await site.codes.create(email, visit)
        minutes = limits.LOGIN_CODE_S // 60
        await site.mailer.send(
            email,
            f"{code} is your code for AutoSendr",
            f"Your code is {code}. It works for {minutes} minutes, in the browser that asked for it.\n\n"
            "Nobody from AutoSendr will ever ask you for it. If you did not ask for a code, ignore this mail.\n",
        )
    except (Refused, Unavailable):
        await site.codes.end_wait(email, visit)
        raise
    site.log.info("mail_sent")


async def _check_code(site: Site, request: AppRequest, email: str, code: str) -> None:
    if wait_ms := await site.rates.wait_ms(TRIES_PER_CLIENT, _client(request)):
        raise Refused(RefusalCode.TOO_MANY_TRIES, "code", after_s=math.ceil(wait_ms / 1000))
    digits = "".join(sign for sign in code if sign.isdecimal())
    tried = await site.codes.attempt(email, visit_of(request), digits)
    if tried is not CodeTried.RIGHT:
        raise Refused(
            {
                CodeTried.WRONG: RefusalCode.CODE_WRONG,
                CodeTried.SPENT: RefusalCode.CODE_SPENT,
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
