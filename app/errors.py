"""From a refusal, a failed world or a bug to an answer: one table of statuses, one page, one JSON shape."""

import secrets
import traceback
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from app.form import AppRequest, wants_json
from app.render import fragment, page
from app.shield import route_of
from app.status import STATUS
from app.views import Trouble
from app.way_back import keep_way
from domain.refusal import RefusalCode, Refused, Unavailable

UNAVAILABLE: Final = "It does not answer right now. What is scheduled still leaves; try again in a moment."
INTERNAL: Final = "What is scheduled still leaves. The number below helps us to find what broke."
TITLE: Final = "That did not work."
TITLES: Final[dict[int, str]] = {
    401: "Who is there?",
    403: "This page has grown old.",
    404: "Not found.",
    429: "A little slower.",
    500: "Something broke on our side.",
    503: "A part of us is away.",
}
WRONG_METHOD: Final = "That is not something this address does."
UNREADABLE: Final = "We could not read what was sent."


def answer(request: AppRequest, trouble: Trouble) -> Response[Any]:
    """The trouble as the caller can use it: JSON, a fragment for a part of a page, or a page."""
    if wants_json(request):
        body = {"error": {"code": trouble.code, "field": trouble.field, "sentence": trouble.sentence}}
        return Response(body, status_code=trouble.status, media_type="application/json")
    if request.headers.get("hx-request"):
        return fragment(request, "trouble.html", trouble, status_code=trouble.status)
    return page(request, "trouble.html", _as_page(request, trouble), status_code=trouble.status)


def _as_page(request: AppRequest, trouble: Trouble) -> Trouble:
    """With a title, and the one way on: back to the page that was open for too long, else to where one begins."""
    if trouble.code == RefusalCode.FORM_EXPIRED:
        came_from = urlsplit(request.headers.get("referer", ""))
        way = came_from.path if came_from.netloc == request.headers.get("host") and came_from.path else "/"
        way_on = "Load it anew"
    elif trouble.code == RefusalCode.NOT_SIGNED_IN:
        way, way_on = "/login", "Sign in"
    elif trouble.status == 503:
        way, way_on = request.url.path if request.method == "GET" else "/", "Try again"
    else:
        way, way_on = "/", "Go to Upcoming" if request.scope.get("user") else "Go to the first page"
    title = TITLES.get(trouble.status, TITLE)
    return msgspec.structs.replace(trouble, title=title, way=way, way_on=way_on)


def refusal(refused: Refused) -> Trouble:
    """A refusal as a view."""
    return Trouble(status=STATUS[refused.code], code=str(refused.code), field=refused.field, sentence=refused.sentence)


def on_refused(request: AppRequest, refused: Refused) -> Response[Any]:
    """The product says no. Somebody who is not signed in and opens a page is led to where one signs in."""
    request.app.state.site.log.info("refused", code=str(refused.code), route=route_of(request.scope))
    if (
        refused.code is RefusalCode.NOT_SIGNED_IN
        and request.method == "GET"
        and not wants_json(request)
        and not request.headers.get("hx-request")
    ):
        leading = Redirect("/login", status_code=303)
        keep_way(request, leading)
        return leading
    response = answer(request, refusal(refused))
    if refused.after_s:
        response.headers["retry-after"] = str(refused.after_s)
    return response


def on_unavailable(request: AppRequest, unavailable: Unavailable) -> Response[Any]:
    """The world failed."""
    request.app.state.site.log.warning("unavailable", route=route_of(request.scope), what=str(unavailable))
    trouble = Trouble(status=503, code="unavailable", field="", sentence=UNAVAILABLE)
    response = answer(request, trouble)
    response.headers["retry-after"] = "2"
    return response


def on_http(request: AppRequest, error: HTTPException) -> Response[Any]:
    """The framework's own: no such route, wrong method, unreadable or too large body."""
    if error.status_code == 404:
        return answer(request, refusal(Refused(RefusalCode.NOT_FOUND)))
    if error.status_code >= 500:
        return on_bug(request, error)
    sentence = WRONG_METHOD if error.status_code == 405 else UNREADABLE
    code = "wrong_method" if error.status_code == 405 else "unreadable"
    response = answer(request, Trouble(status=error.status_code, code=code, field="", sentence=sentence))
    response.headers.update({k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"})
    return response


def on_bug(request: AppRequest, error: Exception) -> Response[Any]:
    """A bug: the operator gets where it happened, never the values; the person gets a number to quote."""
    number = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    request.app.state.site.log.error(
        "failed",
        route=route_of(request.scope),
        number=number,
        kind=type(error).__name__,
        where=[f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    )
    return answer(request, Trouble(status=500, code="internal", field="", sentence=INTERNAL, number=number))


HANDLERS: Final[ExceptionHandlersMap] = {
    Refused: on_refused,
    Unavailable: on_unavailable,
    HTTPException: on_http,
    Exception: on_bug,
}
