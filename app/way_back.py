"""Where somebody wanted to go when they had to sign in first: kept in a cookie until they have."""

from typing import Any, Final
from urllib.parse import quote, unquote

from litestar import Response

from app.form import AppRequest
from app.guard import cookie_name, end_cookie, make_cookie

FIRST_PAGE: Final = "/today"
KEPT_S: Final = 3600
CHARS_MAX: Final = 512
_COOKIE: Final = "then"


def keep_way(request: AppRequest, response: Response[Any]) -> None:
    """Remembers the page that was asked for."""
    query = request.url.query
    path = f"{request.url.path}?{query}" if query else request.url.path
    if path != FIRST_PAGE and len(path) <= CHARS_MAX:
        site = request.app.state.site
        response.cookies.append(make_cookie(site, _COOKIE, quote(path, safe=""), max_age_s=KEPT_S))


def way_back(request: AppRequest) -> str:
    """The page that was asked for, the first page if none. Always a path of ours, whatever the cookie says."""
    path = unquote(request.cookies.get(cookie_name(request.app.state.site, _COOKIE), ""))
    # "//x" and "/\x" would be another host for a browser.
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) <= CHARS_MAX
    return path if ours else FIRST_PAGE


def end_way(request: AppRequest, response: Response[Any]) -> None:
    """Forgets it."""
    if cookie_name(request.app.state.site, _COOKIE) in request.cookies:
        response.cookies.append(end_cookie(request.app.state.site, _COOKIE))
