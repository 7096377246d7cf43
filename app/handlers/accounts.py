"""Accounts and their link: `/accounts`, `/accounts/{id}`, `/accounts/{id}/link`."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.response import Redirect

from app.account_page import AccountPage, AccountsPage, Privacy, lately, pause, phone, preferences, punctuality
from app.account_view import AccountState, Facts, account_state
from app.clock import moment, within, zone_or_utc
from app.form import AppRequest, read_form, read_id, wants_json
from app.guard import login_of
from app.handlers.logins import login_rows
from app.handlers.signing import is_attested
from app.linking import begin_pairing, is_phone
from app.render import fragment, page
from app.site import Site
from app.views import LoginRow
from domain import limits
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.answers import AccountKey
from enclave.wire.operations import NewAccountKey
from store import links, pages, record, users, viewing, wakes
from store.database import new_id
from store.notices import Element
from store.pages import Account
from store.rates import WAKES_PER_ACCOUNT


class NewAccount(msgspec.Struct, frozen=True):
    """`id`: chosen by the page, so that a form sent twice makes one account. Empty: we choose."""

    id: str = ""


@get("/accounts")
async def list_accounts(request: AppRequest, site: Site) -> Response[Any]:
    """The accounts of the user: led to the first one; without any, where one is made."""
    user = login_of(request).user
    accounts = await pages.accounts(site.pool, user)
    if wants_json(request):
        return Response([msgspec.to_builtins(await state_of(site, user, account)) for account in accounts])
    if accounts:
        return Redirect(f"/accounts/{accounts[0].id}", status_code=303)
    settings = await users.settings_of(site.pool, user)
    view = AccountsPage(
        new_id=str(new_id()),
        logins=await _logins(request, site),
        preferences=preferences(settings, zone_or_utc(settings.zone), datetime.now(UTC)),
    )
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
    """One account, and what belongs to its user."""
    account, user = await own_account(request, site, account_id), login_of(request).user
    if wants_json(request):
        return Response({**msgspec.to_builtins(await state_of(site, user, account)), "contacts": account.contacts})
    return page(request, "account.html", await _account_page(request, site, user, account), here="accounts")


@get("/accounts/{account_id:str}/state")
async def show_state(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """The account's state alone."""
    account = await own_account(request, site, account_id)
    return fragment(request, "account.html", await state_of(site, login_of(request).user, account))


@post("/accounts/{account_id:str}/wakes")
async def wake(request: AppRequest, site: Site, account_id: str) -> Response[Any]:
    """Asks for the account to be woken now. Raises Refused: not linked, resting, too often."""
    account, user = await own_account(request, site, account_id), login_of(request).user
    wait_ms = await site.rates.wait_ms(WAKES_PER_ACCOUNT, str(account.id))
    if wait_ms:
        raise Refused(RefusalCode.TOO_MANY_WAKES, after_s=-(-wait_ms // 1000))
    await links.wish_wake(site.pool, user, account.id)
    await site.notices.tell(user, (Element.ACCOUNT, account.id))
    if wants_json(request):
        return Response({"id": str(account.id), "wish": "sync"}, status_code=202)
    if request.headers.get("hx-request"):
        return await show_state.fn(request, site, account_id)
    return Redirect(f"/accounts/{account.id}", status_code=303)


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
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    return account_state(account, await _facts(site, user, account), zone, datetime.now(UTC))


async def _facts(site: Site, user: UUID, account: Account) -> Facts:
    run, wait = None, ""
    with contextlib.suppress(Unavailable):
        run = await site.run_state.look(account.id)
        wait = await site.run_state.look_wait(account.id)
    _, waiting = await pages.next_due(site.pool, account.id)
    newest = await wakes.lately(site.pool, user, account.id, 1)
    first = await pages.first_to_leave(site.pool, account.id)
    return Facts(run=run, wait=wait, wake=newest[0] if newest else None, first=first, waiting=waiting)


async def _account_page(request: AppRequest, site: Site, user: UUID, account: Account) -> AccountPage:
    settings = await users.settings_of(site.pool, user)
    zone, now = zone_or_utc(settings.zone), datetime.now(UTC)
    facts = await _facts(site, user, account)
    accounts = await pages.accounts(site.pool, user)
    names = [(one, account_state(one, Facts(), zone, now).name) for one in accounts]
    since = now - timedelta(seconds=limits.RECORD_S)
    recent = await wakes.lately(site.pool, user, account.id, limits.LATELY_MAX)
    left = await pages.left_lately(site.pool, user, account.id, since, limits.LATELY_MAX)
    key = await viewing.find(site.pool, user)
    return AccountPage(
        state=account_state(account, facts, zone, now),
        others=[(name, f"/accounts/{one.id}", one.id == account.id) for one, name in names] if len(names) > 1 else [],
        pause=pause(account, zone, now),
        phone=phone(account, zone, now),
        record=punctuality(await record.since(site.pool, user, account.id, since, zone.key), zone, now),
        privacy=Privacy(
            attested=await is_attested(site),
            recovery=f"Made {within(moment(key.created_at, zone, now).day)}" if key is not None else "None yet",
        ),
        lately=lately(recent, left, zone, now, awake=facts.run is not None),
        logins=await _logins(request, site),
        preferences=preferences(settings, zone, now),
        may_add=len(accounts) < limits.ACCOUNTS_PER_USER_MAX,
        new_id=str(new_id()),
    )


async def _logins(request: AppRequest, site: Site) -> list[LoginRow]:
    try:
        return await login_rows(request, site)
    except Unavailable:
        return []  # the page says that they cannot be shown
