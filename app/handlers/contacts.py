"""People and groups of an account: `/contacts`, `/accounts/{id}/contacts?q=`."""

import contextlib
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from app.contact_view import contact_row, number_row
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.handlers.accounts import own_account, state_of
from app.render import fragment
from app.render import page as show
from app.site import Site
from app.views import ContactList, ContactsPage
from domain import limits
from domain.finding import read_search
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.limits import PICTURE_BYTES_MAX
from store import pages
from store.pages import Account
from store.rates import SEARCHES_PER_USER

IMAGE_TYPES: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""How a picture begins → what it is. Nothing else is handed on, whatever a server called it."""
_PAGE_DIGITS_MAX: Final = 6


@get("/contacts")
async def find_contacts(request: AppRequest, site: Site) -> Response[Any]:
    """The contacts of the user's first account; without one, the way to link it."""
    accounts = await pages.accounts(site.pool, login_of(request).user)
    target = f"/accounts/{accounts[0].id}/contacts" if accounts else "/accounts"
    return Redirect(target, status_code=303)


@get("/accounts/{account_id:str}/contacts")
async def list_contacts(
    request: AppRequest, site: Site, account_id: str, q: str = "", choose: str = "", page: str = "1"
) -> Response[Any]:
    """What a search finds: a page, or its list alone (`choose`: as the composer's options)."""
    account = await own_account(request, site, account_id)
    user = login_of(request).user
    with contextlib.suppress(Unavailable):
        if not await site.rates.allows(SEARCHES_PER_USER, str(user)):
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    if choose:
        view = await find(site, user, account, q, most=limits.SEARCH_RESULTS_MAX)
    else:
        view = await find(site, user, account, q, most=limits.PAGE_ROWS_MAX, page=_page_number(page))
    if wants_json(request):
        return Response([msgspec.to_builtins(row) for row in view.rows])
    if request.headers.get("hx-request"):
        return fragment(request, "options.html" if choose else "contacts.html", view)
    state = await state_of(site, user, account)
    return show(request, "contacts.html", ContactsPage(state=state, contacts=view), here="people")


@get("/accounts/{account_id:str}/contacts/{jid:str}/picture")
async def show_picture(request: AppRequest, site: Site, account_id: str, jid: str, v: str = "") -> Response[bytes]:
    """The picture `v` of a contact, to its owner alone. An address has one picture for ever."""
    user = login_of(request).user
    image = await pages.picture(site.pool, user, read_id(account_id), jid, v, PICTURE_BYTES_MAX)
    for begin, media_type in IMAGE_TYPES:
        if image is not None and image.startswith(begin):
            return Response(
                image,
                media_type=media_type,
                headers={"cache-control": f"private, max-age={limits.FACE_CACHE_S}, immutable"},
            )
    raise Refused(RefusalCode.NOT_FOUND)


async def find(site: Site, user: UUID, account: Account, text: str, *, most: int, page: int = 1) -> ContactList:
    """The contacts that a text finds, `most` a page, and on the first page the number that it is."""
    query = text.strip()[: limits.SEARCH_CHARS_MAX]
    search = read_search(query)
    found = await pages.search_contacts(site.pool, user, account.id, search, most=most + 1, after=(page - 1) * most)
    rows = [contact_row(str(account.id), one, search) for one in found[:most]]
    number = number_row(query, account.phone) if query and page == 1 else None
    if number and any(row.jid == number.jid for row in rows):
        number = None
    return ContactList(
        account=str(account.id),
        query=query,
        rows=rows,
        number=number,
        total=account.contacts,
        synced=account.names_synced_at is not None,
        page=page,
        more=len(found) > most and page < limits.CONTACT_PAGES_MAX,
    )


def _page_number(text: str) -> int:
    digits = text[:_PAGE_DIGITS_MAX]
    number = int(digits) if digits.isascii() and digits.isdecimal() else 1
    return min(max(number, 1), limits.CONTACT_PAGES_MAX)
