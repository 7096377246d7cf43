"""Linking a phone: `/accounts/{id}/pairing`, its code alone at `/accounts/{id}/pairing/code`."""

import contextlib
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from app.account_view import pairing_view
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.handlers.accounts import own_account
from app.render import fragment, page
from app.site import Site
from app.status import STATUS
from app.views import Pairing, PairingPage
from domain import draft
from domain.refusal import RefusalCode, Refused, Unavailable
from store import links
from store.notices import Element
from store.pages import Account
from store.rates import PAIRINGS_PER_ACCOUNT
from store.run_state import PairingShown


class NewPairing(msgspec.Struct, frozen=True):
    """`method` qr or code; with code `phone`, in any form with its country code."""

    method: str = "qr"
    phone: str = ""


@get("/accounts/{account_id:str}/pairing")
async def show_pairing(request: AppRequest, site: Site, account_id: str, tab: str = "") -> Response[Any]:
    """The page for linking."""
    account = await own_account(request, site, account_id)
    if wants_json(request):
        shown = await _shown(site, account)
        return Response(
            {
                "link": str(account.link),
                "reason": account.link_reason,
                "qr": shown.qr if shown else "",
                "code": shown.code if shown else "",
                "ends_ms": shown.ends_ms if shown else 0,
                "contacts": account.contacts,
            }
        )
    return _page(request, account, await _view(site, account), tab)


@get("/accounts/{account_id:str}/pairing/code")
async def show_code(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """The code alone."""
    account = await own_account(request, site, account_id)
    return fragment(request, "pairing.html", await _view(site, account))


@post("/accounts/{account_id:str}/pairing")
async def create_pairing(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """Asks for a code; the supervisor fetches it from WhatsApp."""
    form = await read_form(request, NewPairing)
    account = await own_account(request, site, account_id)
    user = login_of(request).user
    by_code = form.method == "code"
    try:
        phone = draft.phone(form.phone) if by_code else ""
    except Refused as refused:
        if wants_json(request):
            raise
        view = await _view(site, account)
        return _page(request, account, view, "code", refused.sentence, form.phone, STATUS[refused.code])
    with contextlib.suppress(Unavailable):
        if not await site.rates.allows(PAIRINGS_PER_ACCOUNT, str(account.id)):
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    await links.wish_pairing(site.pool, user, read_id(account_id), phone)
    await site.notices.tell(user, (Element.PAIRING, account.id), (Element.ACCOUNT, account.id))
    if wants_json(request):
        return Response({"id": str(account.id), "link": "PAIRING"}, status_code=202)
    return Redirect(f"/accounts/{account.id}/pairing?tab={'code' if by_code else 'qr'}", status_code=303)


def _page(
    request: AppRequest,
    account: Account,
    pairing: Pairing,
    tab: str,
    error: str = "",
    phone: str = "",
    status_code: int = 200,
) -> Response[Any]:
    tab = tab if tab in ("qr", "code") else ("code" if account.pair_phone else "qr")
    view = PairingPage(id=str(account.id), tab=tab, phone=phone, pairing=pairing, error=error)
    return page(request, "pairing.html", view, status_code=status_code, here="accounts")


async def _view(site: Site, account: Account) -> Pairing:
    return pairing_view(account, await _shown(site, account), demo=bool(site.settings.simulator))


async def _shown(site: Site, account: Account) -> PairingShown | None:
    try:
        return await site.run_state.look_pairing(account.id)
    except Unavailable:
        return None
