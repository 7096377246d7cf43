"""Closed by default: every route needs a login unless it says `opt={"public": True}`; every write needs its token."""

import hashlib
import hmac
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Response
from litestar.connection import ASGIConnection, Request
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from app.form import AppRequest, fields
from app.site import Site
from domain.refusal import RefusalCode, Refused, Unavailable
from store.admins import is_admin
from store.logins import Login
from store.rates import WRITES_PER_USER

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
VISIT_BYTES: Final = 32
VISIT_S: Final = 24 * 3600


async def check_login(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The first guard of every route: finds out who asks. Raises Refused(NOT_SIGNED_IN), Unavailable."""
    connection.scope["user"] = None
    if handler.opt.get("static") or handler.opt.get("probe"):
        return  # the same for everybody
    site: Site = connection.app.state.site
    cookie = connection.cookies.get(cookie_name(site, "login"), "")
    public = bool(handler.opt.get("public"))
    if cookie:
        try:
            connection.scope["user"] = await site.recent.find(cookie)
        except Unavailable:
            if not public:
                raise
    if connection.scope["user"] is None and not public:
        raise Refused(RefusalCode.NOT_SIGNED_IN)


async def check_write(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """The second guard: a write comes from our own page, with the token of its login or visit. Raises Refused."""
    assert isinstance(connection, Request)
    if connection.method in SAFE:
        return
    site: Site = connection.app.state.site
    _check_origin(connection, site)
    expected = _csrf_digest(connection)
    given = connection.headers.get("x-csrf-token") or (await fields(connection)).get("csrf", "")
    if not expected or not hmac.compare_digest(_unmasked(given), expected):
        raise Refused(RefusalCode.FORM_EXPIRED)
    login: Login | None = connection.scope["user"]
    if login is not None:
        try:
            allowed = await site.rates.allows(WRITES_PER_USER, str(login.user))
        except Unavailable:
            allowed = True  # without Redis a signed-in person can still cancel a message
        if not allowed:
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)


async def check_admin(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """A guard of the engine room's routes: for who is no admin they do not exist. Raises Refused, Unavailable.

    Asked anew each time, so that who is no admin any more sees nothing more.
    """
    site: Site = connection.app.state.site
    login = connection.scope["user"]
    if not isinstance(login, Login) or not await is_admin(site.pool, login.user):
        raise Refused(RefusalCode.NOT_FOUND)


def login_of(request: AppRequest) -> Login:
    """Who is signed in, on a route that is not public."""
    login = request.scope["user"]
    assert isinstance(login, Login)
    return login


def cookie_name(site: Site, name: str) -> str:
    """With TLS the `__Host-` prefix: no subdomain and no plain page can set it."""
    return f"__Host-{name}" if site.settings.secure else name


def make_cookie(site: Site, name: str, value: str, *, max_age_s: int) -> Cookie:
    """A cookie that scripts cannot read and other sites' forms do not bring along."""
    return Cookie(
        key=cookie_name(site, name),
        value=value,
        path="/",
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=site.settings.secure,
    )


def end_cookie(site: Site, name: str) -> Cookie:
    """Takes a cookie away."""
    return make_cookie(site, name, "", max_age_s=0)


def visit_of(request: AppRequest) -> str:
    """The secret of a browser that is not signed in; made at its first page."""
    site: Site = request.app.state.site
    visit = request.cookies.get(cookie_name(site, "visit"), "")
    if not visit:
        visit = request.scope["state"].get("visit", "") or secrets.token_urlsafe(VISIT_BYTES)
        request.scope["state"]["visit"] = visit
    return visit


def keep_visit(request: AppRequest, response: Response[Any]) -> None:
    """Sends the visit's cookie along, if it is new."""
    visit = request.scope["state"].get("visit")
    if visit:
        response.cookies.append(make_cookie(request.app.state.site, "visit", visit, max_age_s=VISIT_S))


def csrf_token(request: AppRequest) -> str:
    """What a form of this browser must bring along, as hex. "" when the browser has neither login nor visit.

    Pages are compressed and show what people typed, so that the length of an answer could betray a fixed token bit by
    bit (BREACH, 2013). Hence each answer carries another text: a random pad, and the digest under that pad.
    """
    digest = _csrf_digest(request)
    if not digest:
        return ""
    pad = secrets.token_bytes(len(digest))
    return (pad + _xor(pad, digest)).hex()


def _csrf_digest(request: AppRequest) -> bytes:
    """The secret half of the token.

    The cookies are random, 256 bits, and unreadable to scripts; only a page that we rendered for this browser can know
    this digest of one. The label keeps it apart from the digest under which the login is stored.
    """
    site: Site = request.app.state.site
    if request.scope.get("user") is not None:
        secret = "login\n" + request.cookies.get(cookie_name(site, "login"), "")
    else:
        visit = request.cookies.get(cookie_name(site, "visit"), "") or request.scope["state"].get("visit", "")
        if not visit:
            return b""
        secret = "visit\n" + visit
    return hashlib.sha256(f"autosendr/csrf/v1\n{secret}".encode()).digest()


def _unmasked(token: str) -> bytes:
    """The digest in a token; b"" for a text that is none."""
    try:
        both = bytes.fromhex(token)
    except ValueError:
        return b""
    half = len(both) // 2
    return _xor(both[:half], both[half:])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def _check_origin(request: AppRequest, site: Site) -> None:
    origin = request.headers.get("origin")
    if origin is None:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(RefusalCode.FORM_EXPIRED)
        return  # not a browser, or one that sends no Origin to its own site: the token decides
    public = urlsplit(site.settings.public_url)
    if origin == site.settings.public_url:
        return
    # On one's own machine people type localhost or 127.0.0.1, whatever the address that we printed.
    here = urlsplit(origin)
    if public.hostname in LOOPBACK and here.hostname in LOOPBACK and here.netloc == request.headers.get("host"):
        return
    raise Refused(RefusalCode.FORM_EXPIRED)
