"""Taking one's data along, and leaving: `/export`, `/farewell`."""

import contextlib
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Stream

from app.export import export_of
from app.form import AppRequest, read_form, wants_json
from app.guard import end_cookie, login_of
from app.render import page
from app.site import Site
from app.status import STATUS
from domain.refusal import RefusalCode, Refused, Unavailable
from store import farewell, pages
from store.rates import EXPORTS_PER_USER

WORD: Final = "delete"


class Farewell(msgspec.Struct, frozen=True, kw_only=True):
    """The question before everything is deleted. `waits`: messages that would not leave any more."""

    word: str
    phones: int
    waits: int
    error: str = ""


class Confirmation(msgspec.Struct, frozen=True):
    """The word, as it was typed."""

    word: str = ""


@get("/export")
async def show_export(request: AppRequest, site: Site) -> Stream:
    """Everything we have of the user, as one JSON file, written while it is read. Raises Refused, Unavailable."""
    login = login_of(request)
    wait_ms = await site.rates.wait_ms(EXPORTS_PER_USER, str(login.user))
    if wait_ms:
        raise Refused(RefusalCode.TOO_MANY_EXPORTS, after_s=-(-wait_ms // 1000))
    return Stream(
        export_of(site.pool, login, await site.logins.of_user(login.user)),
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="autosendr.json"'},
    )


@get("/farewell")
async def show_farewell(request: AppRequest, site: Site) -> Response[Any]:
    """The question before everything is deleted."""
    return page(request, "farewell.html", await _view(request, site), here="accounts")


@post("/farewell")
async def delete_everything(request: AppRequest, site: Site) -> Response[Any]:
    """Deletes the user. From the answer on nothing of theirs is sent. Raises Refused, Unavailable."""
    form, login = await read_form(request, Confirmation), login_of(request)
    try:
        if form.word.strip().lower() != WORD:
            raise Refused(RefusalCode.WORD_WRONG, "word")
        await farewell.begin(site.pool, login.user)
    except Refused as refused:
        if wants_json(request):
            raise
        view = msgspec.structs.replace(await _view(request, site), error=refused.sentence)
        return page(request, "farewell.html", view, status_code=STATUS[refused.code], here="accounts")
    with contextlib.suppress(Unavailable):  # they are nobody's logins now, and expire
        await site.logins.end_others(login.user, "")
    response: Response[Any]
    response = Response({"deleted": True}) if wants_json(request) else Redirect("/goodbye", status_code=303)
    for name in ("login", "email", "theme"):
        response.cookies.append(end_cookie(site, name))
    return response


@get("/goodbye", opt={"public": True})
async def show_goodbye(request: AppRequest) -> Response[Any]:
    """What has happened, for whoever has just left."""
    return page(request, "goodbye.html", Confirmation())


async def _view(request: AppRequest, site: Site) -> Farewell:
    accounts = await pages.accounts(site.pool, login_of(request).user)
    waits = [(await pages.next_due(site.pool, account.id))[1] for account in accounts]
    return Farewell(word=WORD, phones=sum(bool(account.phone) for account in accounts), waits=sum(waits))
