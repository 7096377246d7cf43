"""The mails that were written into a folder instead of being sent: `/mailbox`, on one's own machine only."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get

from app.clock import moment, zone_or_utc
from app.form import AppRequest, wants_json
from app.render import mailbox_shown, page
from app.site import Site
from app.views import Mailbox, MailRow
from domain.refusal import RefusalCode, Refused


@get("/mailbox", opt={"public": True})
async def show_mailbox(request: AppRequest, site: Site) -> Response[Any]:
    """The mails, newest first. Whoever can open this can sign in as anybody, so it is shown on loopback only."""
    if site.mailbox is None or not mailbox_shown(site.settings):
        raise Refused(RefusalCode.NOT_FOUND)
    mails = await site.mailbox.newest()
    if wants_json(request):
        return Response([msgspec.to_builtins(mail) for mail in mails])
    zone, now = zone_or_utc("UTC"), datetime.now(UTC)
    rows = [MailRow(to=m.to, subject=m.subject, text=m.text, at=moment(m.sent_at, zone, now)) for m in mails]
    return page(request, "mailbox.html", Mailbox(mails=rows))
