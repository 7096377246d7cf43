"""What a person sets for themselves: `/settings`, `/settings/zone`."""

from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from litestar import Response, get, patch
from litestar.response import Redirect

from app.form import AppRequest, read_form, wants_json
from app.guard import login_of, make_cookie
from app.render import THEMES, page
from app.site import Site
from domain import civil, limits
from domain.refusal import RefusalCode, Refused
from domain.zones import city
from store import users

CONTINENTS: Final = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
SYSTEM: Final = "system"


class ZonePage(msgspec.Struct, frozen=True, kw_only=True):
    """All zones: continent, and its (zone, city) pairs."""

    chosen: str
    groups: list[tuple[str, list[tuple[str, str]]]]


class Change(msgspec.Struct, frozen=True):
    """One setting: `theme` system, light, dark; `letter_keys` on, off; `zone` an IANA name. Empty: as it is."""

    theme: str = ""
    letter_keys: str = ""
    zone: str = ""


@patch("/settings", status_code=200)
async def change_settings(request: AppRequest, site: Site) -> Response[Any]:
    """Keeps what was changed, and has all the user's browsers look like it. Raises Refused, Unavailable."""
    change, login = await read_form(request, Change), login_of(request)
    if change.theme and change.theme not in (SYSTEM, *THEMES):
        raise Refused(RefusalCode.THEME_UNKNOWN, "theme")
    before = await users.settings_of(site.pool, login.user)
    theme = before.theme if not change.theme else change.theme if change.theme in THEMES else ""
    letter_keys = before.letter_keys if not change.letter_keys else change.letter_keys == "on"
    if change.zone:
        await users.set_zone(site.pool, login.user, civil.zone(change.zone).key)
    if (theme, letter_keys) != (before.theme, before.letter_keys):
        await users.set_look(site.pool, login.user, theme, letter_keys=letter_keys)
        await site.logins.dress(login.user, theme, letter_keys=letter_keys)
    if wants_json(request):
        return Response({"theme": theme or SYSTEM, "letter_keys": letter_keys})
    response = Redirect("/accounts", status_code=303)
    response.cookies.append(make_cookie(site, "theme", theme, max_age_s=limits.THEME_S if theme else 0))
    return response


@get("/settings/zone")
async def show_zones(request: AppRequest, site: Site) -> Response[Any]:
    """The page on which one chooses a time zone."""
    zones = sorted(name for name in available_timezones() if name.partition("/")[0] in CONTINENTS)
    groups = [
        (continent, [(name, city(name)) for name in zones if name.startswith(f"{continent}/")])
        for continent in CONTINENTS
    ]
    chosen = await users.zone_of(site.pool, login_of(request).user)
    return page(request, "zone.html", ZonePage(chosen=chosen, groups=groups), here="accounts")
