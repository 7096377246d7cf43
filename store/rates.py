"""Rate limits as token buckets, each a sentence of the product."""

import hashlib
import time
from typing import Final

import msgspec

from domain import limits
from store import keys
from store.redis import Redis


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` at once, and `most` more in each `per_s` seconds. `name` keeps the buckets apart."""

    name: str
    most: int
    per_s: int


CODES_PER_ADDRESS: Final = Rate(name="codes", most=limits.LOGIN_CODES_PER_HOUR, per_s=3600)
"""Mails to one address."""
CODES_PER_CLIENT: Final = Rate(name="codes-of", most=30, per_s=3600)
"""Mails asked for from one network address."""
TRIES_PER_CLIENT: Final = Rate(name="tries-of", most=60, per_s=3600)
"""Codes typed from one network address."""
WRITES_PER_USER: Final = Rate(name="writes", most=120, per_s=60)
"""Anything that changes something."""
PAIRINGS_PER_ACCOUNT: Final = Rate(name="pairings", most=10, per_s=3600)
"""Codes asked of WhatsApp: it distrusts who asks for too many."""
RECOVERIES_PER_USER: Final = Rate(name="recoveries", most=limits.RECOVERY_TRIES_PER_HOUR, per_s=3600)
"""Recovery codes typed, right or wrong."""
SEARCHES_PER_USER: Final = Rate(name="searches", most=240, per_s=60)
"""Keystrokes in a search field."""

WAKES_PER_ACCOUNT: Final = Rate(name="wakes", most=6, per_s=3600)
"""Wakes that a person asks for: WhatsApp distrusts who connects all the time."""
EXPORTS_PER_USER: Final = Rate(name="exports", most=3, per_s=3600)
"""Copies of everything: each reads all that there is."""


class Rates:
    """The buckets."""

    def __init__(self, redis: Redis) -> None:
        """Uses `redis`; nothing is asked of it yet."""
        self._redis = redis

    async def allows(self, rate: Rate, subject: str) -> bool:
        """Takes a token of `subject` (hashed, never stored as it is). False when there is none. Raises Unavailable."""
        return await self.wait_ms(rate, subject) == 0

    async def wait_ms(self, rate: Rate, subject: str) -> int:
        """Takes a token as `allows` does and returns 0, else how long until there is one (ms). Raises Unavailable."""
        name = f"{rate.name}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
        now_ms = time.time_ns() // 1_000_000
        arguments = [now_ms, rate.most, rate.per_s * 1000]
        return int(await self._redis.script("take_token", [keys.rate(name)], arguments))
