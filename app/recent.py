"""The logins seen a moment ago, so that pages still answer while Redis is away."""

import time
from collections import OrderedDict
from typing import Final

from domain.refusal import Unavailable
from store.logins import Login, Logins, digest_of

REMEMBERED_S: Final = 300.0
"""A login that was ended elsewhere lives at most this long here, and only while Redis cannot be asked."""

REMEMBERED_MAX: Final = 10_000


class RecentLogins:
    """Asks Redis first, always; answers from memory only if it cannot be asked."""

    def __init__(self, logins: Logins) -> None:
        """Starts knowing nobody."""
        self._logins = logins
        self._seen: OrderedDict[str, tuple[float, Login]] = OrderedDict()

    async def find(self, login_id: str) -> Login | None:
        """The login of a cookie value, or None. Raises Unavailable if Redis is away and it was not seen lately."""
        digest = digest_of(login_id)
        try:
            login = await self._logins.find(login_id)
        except Unavailable:
            at, login = self._seen.get(digest, (float("-inf"), None))
            if login is None or time.monotonic() - at > REMEMBERED_S:
                raise
            return login
        self._seen.pop(digest, None)
        if login is not None:
            self._seen[digest] = (time.monotonic(), login)
            if len(self._seen) > REMEMBERED_MAX:
                self._seen.popitem(last=False)
        return login
