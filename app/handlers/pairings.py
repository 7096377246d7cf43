"""Linking a phone: `/accounts/{id}/pairing`, what changes of it alone at `/accounts/{id}/pairing/code`."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from app.form import AppRequest, read_form, wants_json
from app.guard import login_of
from app.handlers.accounts import own_account
from app.handlers.messages import ATTESTED
from app.linking import begin_pairing, is_phone
from app.pairing_view import MAY_UNLINK, Pairing, PairingPage, pairing_view, unlinking_view
from app.render import fragment, page
from app.site import Site
from app.status import STATUS
from domain import draft
from domain.refusal import RefusalCode, Refused, Unavailable
from store import pages
from store.pages import Account
from store.run_state import PairingShown


class NewPairing(msgspec.Struct, frozen=True):
    """`method` qr, code, or "" for what suits the device; with code `phone`, in any form with its country code."""

    method: str = ""
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
                "phase": str(shown.phase) if shown else "",
                "qr": shown.qr if shown else "",
                "code": shown.code if shown else "",
                "number": shown.number if shown else 0,
                "ends_ms": shown.ends_ms if shown else 0,
                "contacts": account.contacts,
            }
        )
    return await _page(request, site, account, tab)


@get("/accounts/{account_id:str}/pairing/code")
async def show_code(request: AppRequest, site: Site, account_id: str, tab: str = "qr") -> Response[Any]:
    """What changes while linking, alone."""
    account = await own_account(request, site, account_id)
    view = await _page_view(request, site, account, tab)
    return fragment(request, "pairing.html", view)


@post("/accounts/{account_id:str}/pairing")
async def create_pairing(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """Asks for a code; the supervisor fetches it from WhatsApp."""
    form = await read_form(request, NewPairing)
    account = await own_account(request, site, account_id)
    if not form.method and not wants_json(request) and is_phone(request):
        return Redirect(f"/accounts/{account.id}/pairing?tab=code", status_code=303)  # it needs a number first
    by_code = form.method == "code"
    try:
        phone = draft.phone(form.phone) if by_code else ""
    except Refused as refused:
        if wants_json(request):
            raise
        return await _page(request, site, account, "code", refused, form.phone)
    try:
        await begin_pairing(site, login_of(request).user, account.id, phone)
    except Refused as refused:
        if wants_json(request) or refused.code is not RefusalCode.ALREADY_LINKED:
            raise
    if wants_json(request):
        return Response({"id": str(account.id), "link": "PAIRING"}, status_code=202)
    return Redirect(f"/accounts/{account.id}/pairing?tab={'code' if by_code else 'qr'}", status_code=303)


@get("/accounts/{account_id:str}/link")
async def show_unlinking(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """The question before a phone is unlinked; an account that has none is led to its page."""
    account = await own_account(request, site, account_id)
    if account.link not in MAY_UNLINK or account.wish == "unlink":
        return Redirect(f"/accounts/{account.id}", status_code=303)
    _, waiting = await pages.next_due(site.pool, account.id)
    return page(request, "unlinking.html", unlinking_view(account, waiting), here="accounts")


async def _page(
    request: AppRequest, site: Site, account: Account, tab: str, refused: Refused | None = None, phone: str = ""
) -> Response[Any]:
    view = await _page_view(request, site, account, tab)
    if refused is not None:
        view = msgspec.structs.replace(view, phone=phone, error=refused.sentence)
    status_code = STATUS[refused.code] if refused is not None else 200
    return page(request, "pairing.html", view, status_code=status_code, here="accounts")


async def _page_view(request: AppRequest, site: Site, account: Account, tab: str) -> PairingPage:
    on_phone = is_phone(request)
    if tab not in ("qr", "code"):
        tab = "code" if account.pair_phone or on_phone else "qr"
    try:
        attested = (await site.door.welcome()).environment == ATTESTED
    except Unavailable:
        attested = False
    return PairingPage(
        id=str(account.id),
        tab=tab,
        code_first=on_phone,
        apple="iPhone" in request.headers.get("user-agent", ""),
        attested=attested,
        phone=f"+{account.pair_phone}" if account.pair_phone else "",
        pairing=await _view(site, account),
    )


async def _view(site: Site, account: Account) -> Pairing:
    _, waiting = await pages.next_due(site.pool, account.id)
    shown = await _shown(site, account)
    return pairing_view(account, shown, waiting, datetime.now(UTC), demo=bool(site.settings.simulator))


async def _shown(site: Site, account: Account) -> PairingShown | None:
    try:
        return await site.run_state.look_pairing(account.id)
    except Unavailable:
        return None
