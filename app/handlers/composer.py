"""The page on which one writes, `/schedules/new`, and what follows from a chosen time, `/schedules/next`."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.response import Redirect

from app.clock import zone_or_utc
from app.composer_view import Compose, NextAnswer, next_view, picks_view, proposed, wanted
from app.contact_view import contact_row, number_row
from app.forecast import Departure, forecast
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.handlers.accounts import state_of
from app.handlers.contacts import find
from app.handlers.messages import ATTESTED
from app.render import fragment, page
from app.site import Site
from domain import draft, limits
from domain.refusal import RefusalCode, Refused, Unavailable
from store import pages, schedules, users
from store.database import new_id
from store.pages import Account

UNKNOWN_ZONE: Final = "UTC"
"""What `users.zone_of` says of somebody whose browser never told; nobody is annoyed by being asked again."""


@get("/schedules/new")
async def show_composer(
    request: AppRequest, site: Site, account: str = "", to: str = "", due: str = "", again: str = ""
) -> Response[Any]:
    """The page on which one writes. `account`, `to`, `due`: what it begins with; `again`: a message to write again."""
    user = login_of(request).user
    usable = [one for one in await pages.accounts(site.pool, user) if one.link in schedules.CAN_SCHEDULE]
    if not usable:
        return Redirect("/accounts", status_code=303)
    if again:
        old = await pages.message(site.pool, user, read_id(again))
        if old is None:
            raise Refused(RefusalCode.NOT_FOUND)
        account, to = str(old.account_id), to or old.recipient
    chosen = next((one for one in usable if str(one.id) == account), usable[0])
    zone_name = await users.zone_of(site.pool, user)
    zone, now = zone_or_utc(zone_name), datetime.now(UTC)
    try:
        attested = (await site.door.welcome()).environment == ATTESTED
    except Unavailable:
        attested = False
    known = await pages.contact(site.pool, user, chosen.id, to) if to else None
    recipient = contact_row(str(chosen.id), known) if known else number_row(to.partition("@")[0])
    to = recipient.jid if recipient else ""
    first = wanted(due, zone, now) if due else proposed(now, zone)
    leaves = await _leaves(site, chosen, to, first, zone.key, now)
    stranger = bool(to) and await schedules.is_stranger(site.pool, chosen.id, to)
    view = Compose(
        schedule=str(new_id()),
        account=str(chosen.id),
        accounts=[await state_of(site, user, one) for one in usable],
        contacts=await find(site, user, chosen, "", choosing=True),
        to=recipient,
        picks=picks_view(zone, now, first),
        next=next_view(first, zone.key, to, chosen, known, now, leaves, stranger=stranger),
        zone=zone.key,
        zone_known=zone_name != UNKNOWN_ZONE,
        attested=attested,
        chars_max=limits.TEXT_CHARS_MAX,
        again=again,
    )
    return page(request, "compose.html", view, here="write")


@get("/schedules/next")
async def show_next(
    request: AppRequest,
    site: Site,
    due: str = "",
    zone: str = "",
    account: str = "",
    to: str = "",
    today: str = "",
    pick: str = "",
    window: str = "",
    late: str = "",
) -> Response[Any]:
    """When what is being written leaves, in words, and whether it will. The text is not asked for.

    `today`: the date of the picks that the page shows; when it is another day in the zone, new ones come along, and
    `pick` is the chosen one. `window`, `late`: how much later (s) it is on time, and of use.
    """
    user, now = login_of(request).user, datetime.now(UTC)
    own = await _account(site, user, account)
    contact = await pages.contact(site.pool, user, own.id, to) if own and to else None
    leaves = await _leaves(site, own, to, due, zone, now)
    window_s, late_limit_s = draft.window_s(window), draft.late_limit_s(late)
    stranger = bool(own and to) and await schedules.is_stranger(site.pool, own.id, to)
    found = next_view(
        due, zone, to, own, contact, now, leaves, window_s=window_s, late_limit_s=late_limit_s, stranger=stranger
    )
    if wants_json(request):
        return Response(msgspec.to_builtins(found))
    picks = picks_view(zone_or_utc(zone), now, pick) if found.today != today else None
    return fragment(request, "next_answer.html", NextAnswer(next=found, picks=picks))


@get("/schedules/{schedule_id:str}")
async def show_schedule(request: AppRequest, site: Site, schedule_id: str) -> Response[Any]:
    """The message of a schedule: for a page that lost the answer to its form."""
    message = await pages.message_of_schedule(site.pool, login_of(request).user, read_id(schedule_id))
    if message is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return Redirect(f"/messages/{message}", status_code=303)


async def _leaves(site: Site, account: Account | None, to: str, due: str, zone: str, now: datetime) -> Departure | None:
    """When it would leave, if not at the chosen time."""
    if account is None or not to:
        return None
    try:
        chosen = draft.chosen(due, zone, now)
    except Refused:
        return None  # the page says what is wrong with the time
    return await forecast(site.pool, account.id, to, chosen.at, now)


async def _account(site: Site, user: UUID, text: str) -> Account | None:
    try:
        account = UUID(text)
    except ValueError:
        return None
    return await pages.account(site.pool, user, account)
