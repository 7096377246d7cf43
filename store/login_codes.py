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

    async def wait_s(self, email: str, visit: str) -> float:
        """How long until this browser may have another code mailed (s), 0 for now. Raises Unavailable."""
        return max(0, int(await self._redis.ask(self._redis.client.pttl(_wait_key(email, visit))))) / 1000

    async def begin_wait(self, email: str, visit: str) -> bool:
        """Begins the wait before the next mail. False: it runs already. Raises Unavailable."""
        wait_ms = int(limits.LOGIN_CODE_WAIT_S * 1000)
        begun = self._redis.client.set(_wait_key(email, visit), "", px=wait_ms, nx=True)
        return bool(await self._redis.ask(begun))

    async def end_wait(self, email: str, visit: str) -> None:
        """The mail did not get out: the next may be asked for at once. Raises Unavailable."""
        await self._redis.ask(self._redis.client.delete(_wait_key(email, visit)))

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
    return keys.login_code(_subject(email, visit))


def _wait_key(email: str, visit: str) -> str:
    return keys.login_code_wait(_subject(email, visit))


def _subject(email: str, visit: str) -> str:
    return hashlib.sha256(f"{email}\n{visit}".encode()).hexdigest()


def _digest(visit: str, code: str) -> str:
    # Six digits alone could be found from their hash; under the browser's 256-bit secret, which is not stored, they
    # cannot. The comparison in Lua is of these digests, so its timing says nothing about the code.
    return hmac.new(visit.encode(), code.encode(), hashlib.sha256).hexdigest()
