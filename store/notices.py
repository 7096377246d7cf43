"""Tells pages what changed, never how it looks. A lost notice is a page that is late, so failure is only counted."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.refusal import Unavailable
from store import keys
from store.redis import Redis


class Element(StrEnum):
    """What a notice can be about."""

    MESSAGE = "message"
    ACCOUNT = "account"
    PAIRING = "pairing"  # id: the account
    CONTACTS = "contacts"  # id: the account


class Notices:
    """Publishes to the channel of a user: JSON, a list of `[element, id]`."""

    def __init__(self, redis: Redis) -> None:
        """Works on `redis`."""
        self._redis = redis
        self.lost = 0
        """Notices that did not get out, since the start."""

    async def tell(self, user: UUID, *changes: tuple[Element, UUID]) -> None:
        """Publishes `changes` of things that belong to `user`. Never raises for an absent Redis."""
        if changes:
            await self._publish({user: changes})

    async def tell_messages(self, moved: Iterable[tuple[UUID, UUID]]) -> None:
        """Publishes changed messages, given as (user, message); one notice for each user, all in one round trip."""
        by_user: dict[UUID, list[tuple[Element, UUID]]] = {}
        for user, message in moved:
            by_user.setdefault(user, []).append((Element.MESSAGE, message))
        if by_user:
            await self._publish(by_user)

    async def _publish(self, by_user: Mapping[UUID, Sequence[tuple[Element, UUID]]]) -> None:
        told: list[str] = []
        for user, changes in by_user.items():
            body = msgspec.json.encode([(element, str(thing)) for element, thing in changes])
            told += (keys.news_of(str(user)), body.decode())
        try:
            await self._redis.script("tell_news", (), told)
        except Unavailable:
            self.lost += len(by_user)
