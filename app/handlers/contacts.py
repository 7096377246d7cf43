"""People and groups of an account: `/contacts`, `/accounts/{id}/contacts?q=`."""

import contextlib
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from app.contact_view import contact_row, number_row
from app.form import AppRequest, wants_json
from app.guard import login_of
from app.handlers.accounts import own_account, state_of
from app.render import fragment, page
from app.site import Site
from app.views import ContactList, ContactsPage
from domain.refusal import RefusalCode, Refused, Unavailable
from store import pages
from store.pages import Account
from store.rates import SEARCHES_PER_USER

QUERY_CHARS_MAX: Final = 80


@get("/contacts")
async def find_contacts(request: AppRequest, site: Site) -> Response[Any]:
    """The contacts of the user's first account; without one, the way to link it."""
    accounts = await pages.accounts(site.pool, login_of(request).user)
    target = f"/accounts/{accounts[0].id}/contacts" if accounts else "/accounts"
    return Redirect(target, status_code=303)


@get("/accounts/{account_id:str}/contacts")
async def list_contacts(
    request: AppRequest, site: Site, account_id: str, q: str = "", choose: str = ""
) -> Response[Any]:
    """What a search finds: a page, or its list alone (`choose`: as the composer's options)."""
    account = await own_account(request, site, account_id)
    user = login_of(request).user
    with contextlib.suppress(Unavailable):
        if not await site.rates.allows(SEARCHES_PER_USER, str(user)):
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    view = await search(site, user, account, q)
    if wants_json(request):
        return Response([msgspec.to_builtins(row) for row in view.rows])
    if request.headers.get("hx-request"):
        return fragment(request, "options.html" if choose else "contacts.html", view)
    state = await state_of(site, user, account)
    return page(request, "contacts.html", ContactsPage(state=state, contacts=view), here="people")


async def search(site: Site, user: UUID, account: Account, text: str) -> ContactList:
    """The contacts that a text finds, and the number that it is."""
    query = text.strip()[:QUERY_CHARS_MAX]
    rows = [contact_row(one) for one in await pages.search_contacts(site.pool, user, account.id, query)]
    number = number_row(query) if query else None
    if number and any(row.jid == number.jid for row in rows):
        number = None
    return ContactList(
        account=str(account.id),
        query=query,
        rows=rows,
        number=number,
        total=account.contacts,
        synced=account.names_synced_at is not None,
    )
