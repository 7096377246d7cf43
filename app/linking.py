"""What begins a linking, wherever it is asked for."""

import contextlib
from uuid import UUID

from app.form import AppRequest
from app.site import Site
from domain.refusal import RefusalCode, Refused, Unavailable
from store import links
from store.notices import Element
from store.rates import PAIRINGS_PER_ACCOUNT


async def begin_pairing(site: Site, user: UUID, account: UUID, phone: str = "") -> None:
    """Has the supervisor link the account: by QR, or by code for `phone` (digits).

    Raises Refused (not found, already linked, too many requests), Unavailable.
    """
    with contextlib.suppress(Unavailable):
        if not await site.rates.allows(PAIRINGS_PER_ACCOUNT, str(account)):
            raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    await links.wish_pairing(site.pool, user, account, phone)
    await site.notices.tell(user, (Element.PAIRING, account), (Element.ACCOUNT, account))


def is_phone(request: AppRequest) -> bool:
    """Whether the browser says that it runs on a phone: one cannot scan the screen that one holds."""
    hint = request.headers.get("sec-ch-ua-mobile", "")
    return hint == "?1" or (not hint and "Mobi" in request.headers.get("user-agent", ""))
