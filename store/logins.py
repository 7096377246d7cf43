"""Logins: who is signed in on which browser. The cookie's random id is never stored, only its SHA-256."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from redis.typing import EncodableT, FieldT

from domain import limits
from store import keys
from store.redis import Redis
from store.users import User

ID_BYTES = 32
AGENT_CHARS_MAX = 240
"""Of what a browser calls itself; the names that tell it apart come last."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in. `digest` is the SHA-256 of its id: enough to list and revoke, not to sign in.

    `theme`, `letter_keys`: the user's settings, along with what every page has to ask for anyway.
    """

    digest: str
    user: UUID
    email: str
    created_at: datetime
    agent: str
    theme: str = ""
    letter_keys: bool = True


def digest_of(login_id: str) -> str:
    """The name under which the login with this cookie value is kept."""
    return hashlib.sha256(login_id.encode()).hexdigest()


class Logins:
    """All logins."""

    def __init__(self, redis: Redis) -> None:
        """Uses `redis`; nothing is asked of it yet."""
        self._redis = redis

    async def create(self, user: User, agent: str) -> str:
        """Signs a browser in and returns the new, random id for its cookie. Raises Unavailable."""
        login_id = secrets.token_urlsafe(ID_BYTES)
        digest = digest_of(login_id)
        created_ms = time.time_ns() // 1_000_000
        fields: dict[FieldT, EncodableT] = {
            "user": str(user.id),
            "email": user.email,
            "created_ms": created_ms,
            "agent": agent[:AGENT_CHARS_MAX],
            "theme": user.theme,
            "letter_keys": int(user.letter_keys),
        }
        async with self._redis.client.pipeline(transaction=True) as pipe:
            pipe.hset(keys.login(digest), mapping=fields)
            pipe.expire(keys.login(digest), limits.LOGIN_S)
            pipe.sadd(keys.logins_of(str(user.id)), digest)
            pipe.expire(keys.logins_of(str(user.id)), limits.LOGIN_S)
            await self._redis.ask(pipe.execute())
        return login_id

    async def find(self, login_id: str) -> Login | None:
        """The login of a cookie value, or None. Raises Unavailable."""
        digest = digest_of(login_id)
        fields = await self._redis.ask(self._redis.client.hgetall(keys.login(digest)))
        return _read(digest, fields)

    async def of_user(self, user: UUID) -> list[Login]:
        """The user's logins, newest first; ended ones are forgotten on the way. Raises Unavailable."""
        ask, client = self._redis.ask, self._redis.client
        digests: list[str] = sorted(await ask(client.smembers(keys.logins_of(str(user)))))
        async with client.pipeline(transaction=False) as pipe:
            for digest in digests:
                pipe.hgetall(keys.login(digest))
            answers = await ask(pipe.execute())
        found = [_read(digest, fields) for digest, fields in zip(digests, answers, strict=True)]
        ended = [digest for digest, login in zip(digests, found, strict=True) if login is None]
        if ended:
            await ask(client.srem(keys.logins_of(str(user)), *ended))
        return sorted((login for login in found if login), key=lambda login: login.created_at, reverse=True)

    async def dress(self, user: UUID, theme: str, *, letter_keys: bool) -> None:
        """Has the pages of all the user's logins look as the user has set. Raises Unavailable."""
        for login in await self.of_user(user):
            await self._redis.script("dress_login", [keys.login(login.digest)], [theme, int(letter_keys)])

    async def end_others(self, user: UUID, digest: str) -> int:
        """Ends all logins of `user` but one (or all: ""); returns how many. Raises Unavailable."""
        others = [login.digest for login in await self.of_user(user) if login.digest != digest]
        return sum([await self.end(user, other) for other in others])

    async def end(self, user: UUID, digest: str) -> bool:
        """Ends one login of `user`. False when it is not this user's or has ended. Raises Unavailable."""
        ask, client = self._redis.ask, self._redis.client
        if not await ask(client.srem(keys.logins_of(str(user)), digest)):
            return False
        await ask(client.delete(keys.login(digest)))
        return True


def _read(digest: str, answer: Mapping[Any, Any]) -> Login | None:
    if not answer:
        return None
    fields: Mapping[str, str] = answer
    return Login(
        digest=digest,
        user=UUID(fields["user"]),
        email=fields["email"],
        created_at=datetime.fromtimestamp(int(fields["created_ms"]) / 1000, UTC),
        agent=fields["agent"],
        theme=fields.get("theme", ""),
        letter_keys=fields.get("letter_keys", "1") == "1",
    )
