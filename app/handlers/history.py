"""What has left or ended: `/history`, a page at a time."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from app.clock import zone_or_utc
from app.form import AppRequest, read_id, wants_json
from app.guard import login_of
from app.history_view import SEPARATOR, STATES, Show, history
from app.render import fragment, page
from app.site import Site
from domain import limits
from domain.refusal import RefusalCode, Refused
from store import history as ended_messages
from store import users


@get("/history")
async def show_history(request: AppRequest, site: Site, show: str = "", after: str = "") -> Response[Any]:
    """One page of the history. `show`: all, needs-you, sent or not-sent; `after`: where the page before ended."""
    try:
        wanted = Show(show or Show.ALL)
    except ValueError:
        raise Refused(RefusalCode.NOT_FOUND) from None
    user = login_of(request).user
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    limit = limits.HISTORY_ROWS
    found = await ended_messages.ended(site.pool, user, STATES[wanted], _before(after), limit + 1)
    view = history(wanted, after, found, limit, zone, datetime.now(UTC))
    if wants_json(request):
        return Response(
            {"rows": [msgspec.to_builtins(row) for day in view.days for row in day.rows], "more": view.more}
        )
    if request.headers.get("hx-request"):
        return fragment(request, "history.html", view)
    return page(request, "history.html", view, here="history")


def _before(after: str) -> tuple[datetime, UUID]:
    if not after:
        return ended_messages.END
    instant, _, message = after.partition(SEPARATOR)
    try:
        place = datetime.fromisoformat(instant)
    except ValueError:
        raise Refused(RefusalCode.NOT_FOUND) from None
    if place.tzinfo is None:
        raise Refused(RefusalCode.NOT_FOUND)
    return place, read_id(message)
