"""Login codes: six digits, kept hashed, for one browser and a few tries."""

import hashlib
import hmac
import secrets
from enum import StrEnum

from domain import limits
from store import keys
from store.redis import Redis


class CodeTried(StrEnum):
    """What came of a typed code."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"
    NONE = "none"


class LoginCodes:
    """The codes that have been mailed and not yet used."""

    def __init__(self, redis: Redis) -> None:
        """Uses `redis`; nothing is asked of it yet."""
        self._redis = redis

    async def create(self, email: str, visit: str) -> str:
        """A new code for `email` that only the browser with the secret `visit` can use; an older one is forgotten.

        Raises Unavailable.
        """
        code = f"{secrets.randbelow(10**limits.LOGIN_CODE_DIGITS):0{limits.LOGIN_CODE_DIGITS}d}"
        key = _key(email, visit)
        async with self._redis.client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping={"code": _digest(visit, code), "tries": limits.LOGIN_CODE_TRIES_MAX})
            pipe.expire(key, limits.LOGIN_CODE_S)
            await self._redis.ask(pipe.execute())
        return code

    async def attempt(self, email: str, visit: str, code: str) -> CodeTried:
        """Compares `code` and uses up a try; the right one is used up too. Raises Unavailable."""
        return CodeTried(await self._redis.script("try_code", [_key(email, visit)], [_digest(visit, code)]))


def _key(email: str, visit: str) -> str:
    return keys.login_code(hashlib.sha256(f"{email}\n{visit}".encode()).hexdigest())


def _digest(visit: str, code: str) -> str:
    # Six digits alone could be found from their hash; under the browser's 256-bit secret, which is not stored, they
    # cannot. The comparison in Lua is of these digests, so its timing says nothing about the code.
    return hmac.new(visit.encode(), code.encode(), hashlib.sha256).hexdigest()
