"""Tells pages what changed, never how it looks. Nobody waits for it: what could not be told is made up for later."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.refusal import Unavailable
from store import keys
from store.redis import Redis

OWED_MAX: Final = 10_000
"""Users whose pages missed something, at most."""


class Element(StrEnum):
    """What a notice can be about."""

    MESSAGE = "message"
    ACCOUNT = "account"
    PAIRING = "pairing"  # id: the account
    CONTACTS = "contacts"  # id: the account
    SNAPSHOT = "snapshot"  # id: the user, anything of whom may have changed


class Notices:
    """Publishes to the channel of a user: JSON, a list of `[element, id]`.

    While Redis is away it remembers whose pages missed something; once it is back they are told to ask for everything.
    """

    def __init__(self, redis: Redis) -> None:
        """Works on `redis`."""
        self._redis = redis
        self.lost = 0
        """Notices that did not get out, since the start."""
        self._owed: set[UUID] = set()
        self._making_up: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Makes up for nothing any more."""
        if self._making_up is not None:
            self._making_up.cancel()
            await asyncio.wait([self._making_up])

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
        try:
            await self._send(by_user)
        except Unavailable:
            self.lost += len(by_user)
            self._owe(by_user)
            if self._making_up is None or self._making_up.done():
                self._making_up = asyncio.create_task(self._make_up())

    async def _send(self, by_user: Mapping[UUID, Sequence[tuple[Element, UUID]]]) -> None:
        told: list[str] = []
        for user, changes in by_user.items():
            body = msgspec.json.encode([(element, str(thing)) for element, thing in changes])
            told += (keys.news_of(str(user)), body.decode())
        await self._redis.script("tell_news", (), told)

    def _owe(self, users: Iterable[UUID]) -> None:
        """More than fit are owed only after a long outage, at whose end every page asks for everything by itself."""
        self._owed.update(islice(users, max(0, OWED_MAX - len(self._owed))))

    async def _make_up(self) -> None:
        while self._owed:
            await asyncio.sleep(limits.WORLD_RETRY_S)
            owed, self._owed = self._owed, set()
            try:
                await self._send({user: [(Element.SNAPSHOT, user)] for user in owed})
            except Unavailable:
                self._owe(owed)
