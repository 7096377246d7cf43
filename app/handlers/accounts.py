"""Accounts and their link: `/accounts`, `/accounts/{id}`, `/accounts/{id}/link`."""

import contextlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.response import Redirect

from app.account_view import account_state
from app.clock import zone_or_utc
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.handlers.logins import login_rows
from app.linking import begin_pairing, is_phone
from app.render import fragment, page
from app.site import Site
from app.views import AccountPage, AccountsPage, AccountState
from domain import limits
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.answers import AccountKey
from enclave.wire.operations import NewAccountKey
from store import links, pages, users
from store.database import new_id
from store.notices import Element
from store.pages import Account


class NewAccount(msgspec.Struct, frozen=True):
    """`id`: chosen by the page, so that a form sent twice makes one account. Empty: we choose."""

    id: str = ""


@get("/accounts")
async def list_accounts(request: AppRequest, site: Site) -> Response[Any]:
    """All accounts of the user. Somebody with one is led to it."""
    user = login_of(request).user
    accounts = await pages.accounts(site.pool, user)
    states = [await state_of(site, user, account) for account in accounts]
    if wants_json(request):
        return Response([msgspec.to_builtins(state) for state in states])
    view = AccountsPage(accounts=states, new_id=str(new_id()), may_add=len(accounts) < limits.ACCOUNTS_PER_USER_MAX)
    return page(request, "accounts.html", view, here="accounts")


@post("/accounts")
async def create_account(request: AppRequest, site: Site) -> Response[Any]:
    """Makes an account with a key of its own and begins to link it, which the next page shows."""
    form = await read_form(request, NewAccount)
    user = login_of(request).user
    account = read_id(form.id) if form.id else new_id()
    answer = await site.door.call(NewAccountKey(account=str(account)))
    assert isinstance(answer, AccountKey)
    await links.add_account(site.pool, user, account, answer.wrapped_key)
    if wants_json(request):
        return Response({"id": str(account)}, status_code=201)
    if not is_phone(request):  # on a phone the number comes first
        try:
            await begin_pairing(site, user, account)
        except Refused as refused:
            if refused.code is not RefusalCode.ALREADY_LINKED:  # the same form, sent again later
                raise
    return Redirect(f"/accounts/{account}/pairing", status_code=303)


@get("/accounts/{account_id:str}")
async def show_account(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """One account."""
    account = await own_account(request, site, account_id)
    state = await state_of(site, login_of(request).user, account)
    if wants_json(request):
        return Response({**msgspec.to_builtins(state), "contacts": account.contacts})
    try:
        logins = await login_rows(request, site)
    except Unavailable:
        logins = []
    return page(request, "account.html", AccountPage(state=state, logins=logins), here="accounts")


@get("/accounts/{account_id:str}/state")
async def show_state(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """The account's state alone."""
    account = await own_account(request, site, account_id)
    return fragment(request, "account.html", await state_of(site, login_of(request).user, account))


@delete("/accounts/{account_id:str}/link", status_code=200)
async def unlink(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """Asks for the account to be unlinked."""
    account, user = read_id(account_id), login_of(request).user
    await links.wish_unlink(site.pool, user, account)
    await site.notices.tell(user, (Element.ACCOUNT, account))
    if wants_json(request):
        return Response({"id": str(account), "wish": "unlink"}, status_code=202)
    return Redirect(f"/accounts/{account}", status_code=303)


async def own_account(request: AppRequest, site: Site, account_id: str) -> Account:
    """The user's account with this id. Raises Refused(NOT_FOUND) for one that is not theirs."""
    account = await pages.account(site.pool, login_of(request).user, read_id(account_id))
    if account is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return account


async def state_of(site: Site, user: UUID, account: Account) -> AccountState:
    """The account in words, with what its session is doing if Redis can say."""
    run = None
    with contextlib.suppress(Unavailable):
        run = await site.run_state.look(account.id)
    next_due, waiting = await pages.next_due(site.pool, account.id)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    return account_state(account, run, next_due, waiting, zone, datetime.now(UTC))
