"""People and groups of an account: `/contacts`, `/accounts/{id}/contacts?q=`."""

import contextlib
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from app.contact_view import contact_list
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.handlers.accounts import own_account
from app.render import fragment, page
from app.site import Site
from app.views import ContactList, ContactsPage
from domain import limits
from domain.finding import read_search
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.limits import PICTURE_BYTES_MAX
from store import pages as rows_of
from store.pages import Account
from store.rates import SEARCHES_PER_USER

IMAGE_TYPES: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""How a picture begins → what it is. Nothing else is handed on, whatever a server called it."""
_COUNT_DIGITS_MAX: Final = 6


@get("/contacts")
async def find_contacts(request: AppRequest, site: Site) -> Response[Any]:
    """The contacts of the user's first account; without one, the way to link it."""
    accounts = await rows_of.accounts(site.pool, login_of(request).user)
    target = f"/accounts/{accounts[0].id}/contacts" if accounts else "/accounts"
    return Redirect(target, status_code=303)


@get("/accounts/{account_id:str}/contacts")
async def list_contacts(
    request: AppRequest, site: Site, account_id: str, q: str = "", choose: str = "", pages: str = "1"
) -> Response[Any]:
    """What a search finds: a page, or its list alone (`choose`: as the composer's options; `pages`: of 100)."""
    account = await own_account(request, site, account_id)
    user = login_of(request).user
    with contextlib.suppress(Unavailable):
        if not await site.rates.allows(SEARCHES_PER_USER, str(user)):
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    view = await find(site, user, account, q, pages=_count(pages), choosing=bool(choose))
    if wants_json(request):
        return Response([msgspec.to_builtins(row) for row in view.rows])
    if request.headers.get("hx-request"):
        return fragment(request, "options.html" if choose else "contacts.html", view)
    accounts = [
        (
            one.name or (f"+{one.phone}" if one.phone else "New phone"),
            f"/accounts/{one.id}/contacts",
            one.id == account.id,
        )
        for one in await rows_of.accounts(site.pool, user)
    ]
    shown = ContactsPage(account=str(account.id), accounts=accounts, contacts=view)
    return page(request, "contacts.html", shown, here="people")


@get("/accounts/{account_id:str}/contacts/{jid:str}/picture")
async def show_picture(request: AppRequest, site: Site, account_id: str, jid: str, v: str = "") -> Response[bytes]:
    """The picture `v` of a contact, to its owner alone. An address has one picture for ever."""
    user = login_of(request).user
    image = await rows_of.picture(site.pool, user, read_id(account_id), jid, v, PICTURE_BYTES_MAX)
    for begin, media_type in IMAGE_TYPES:
        if image is not None and image.startswith(begin):
            return Response(
                image,
                media_type=media_type,
                headers={"cache-control": f"private, max-age={limits.FACE_CACHE_S}, immutable"},
            )
    raise Refused(RefusalCode.NOT_FOUND)


async def find(
    site: Site, user: UUID, account: Account, text: str, *, pages: int = 1, choosing: bool = False
) -> ContactList:
    """The contacts that a text finds: so many pages of them, or as many as one chooses from."""
    query = text.strip()[: limits.SEARCH_CHARS_MAX]
    most = limits.SEARCH_RESULTS_MAX if choosing else pages * limits.PAGE_ROWS_MAX
    found = await rows_of.search_contacts(site.pool, user, account.id, read_search(query), most + 1)
    return contact_list(account, query, found, pages=pages, choosing=choosing)


def _count(text: str) -> int:
    digits = text[:_COUNT_DIGITS_MAX]
    number = int(digits) if digits.isascii() and digits.isdecimal() else 1
    return min(max(number, 1), limits.CONTACT_PAGES_MAX)
