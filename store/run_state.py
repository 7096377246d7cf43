"""What an account's session is doing right now, for pages: keys that expire. Postgres has what matters."""

import time
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.account import PairPhase
from domain.refusal import Unavailable
from store import keys
from store.redis import Redis

_TTL_MS: Final = int(limits.SLOT_LEASE_S * 1000)


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """`run` and `phase` as in domain/account.py; `reason` of a wait, and its end in Unix ms (0: none)."""

    run: str
    phase: str = ""
    reason: str = ""
    until_ms: int = 0


class PairingShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a linking is. With SHOWN: `qr` (the `number`th text) or `code`, good from `since_ms` to `ends_ms`.

    Instants in Unix ms; `ends_ms` 0: the phase has no end of its own.
    """

    phase: PairPhase
    qr: str = ""
    code: str = ""
    number: int = 0
    since_ms: int = 0
    ends_ms: int = 0


class RunState:
    """Writers raise `Unavailable` only where somebody must know; the rest is a hint that may be lost."""

    def __init__(self, redis: Redis) -> None:
        """Works on `redis`."""
        self._redis = redis

    async def show(self, account: UUID, shown: RunShown) -> None:
        """Shows a run state for the length of a slot lease; the lease loop repeats it."""
        await self._hint(self._redis.client.set(keys.run(str(account)), msgspec.json.encode(shown), px=_TTL_MS))

    async def hide(self, account: UUID) -> None:
        """Forgets the run state: the account is COLD."""
        await self._hint(self._redis.client.delete(keys.run(str(account))))

    async def look(self, account: UUID) -> RunShown | None:
        """What is shown, None for COLD. Raises `Unavailable`."""
        text = await self._redis.ask(self._redis.client.get(keys.run(str(account))))
        return msgspec.json.decode(text, type=RunShown) if text else None

    async def show_pairing(self, account: UUID, shown: PairingShown) -> None:
        """Shows how far a linking is; a code is void at its end. Raises `Unavailable`: nobody can link then."""
        left_ms = _ms(limits.PAIR_PHASE_S)
        if shown.ends_ms:
            left_ms = max(1, shown.ends_ms + _ms(limits.PAIR_NEXT_S) - time.time_ns() // 1_000_000)
        key = keys.pairing(str(account))
        await self._redis.ask(self._redis.client.set(key, msgspec.json.encode(shown), px=left_ms))

    async def hide_pairing(self, account: UUID) -> None:
        """Forgets the code, and how far the linking was."""
        await self._hint(self._redis.client.delete(keys.pairing(str(account))))

    async def look_pairing(self, account: UUID) -> PairingShown | None:
        """How far a linking is, None if nobody says so; never a code that has ended. Raises `Unavailable`."""
        text = await self._redis.ask(self._redis.client.get(keys.pairing(str(account))))
        shown = msgspec.json.decode(text, type=PairingShown) if text else None
        if shown is not None and 0 < shown.ends_ms <= time.time_ns() // 1_000_000:
            return msgspec.structs.replace(shown, qr="", code="")
        return shown

    async def back_off(self, account: UUID, reason: str, wait_s: float) -> None:
        """Shows that the account waits; Postgres has the instant."""
        await self._hint(self._redis.client.set(keys.backoff(str(account)), reason, px=_ms(wait_s)))

    async def park(self, account: UUID, reason: str, wait_s: float) -> None:
        """Shows that the account is parked; Postgres has the instant."""
        await self._hint(self._redis.client.set(keys.parked(str(account)), reason, px=_ms(wait_s)))

    async def look_wait(self, account: UUID) -> str:
        """Why the account waits, "" if it does not or nobody knows. Raises `Unavailable`."""
        names = [keys.parked(str(account)), keys.backoff(str(account))]
        found = await self._redis.ask(self._redis.client.mget(names))
        return next((reason for reason in found if reason), "")

    async def clear_backoff(self, account: UUID) -> None:
        """Forgets both waits."""
        await self._hint(self._redis.client.delete(keys.backoff(str(account)), keys.parked(str(account))))

    async def stop_fleet(self, code: int) -> None:
        """Stops all connecting, on every node, for `limits.FLEET_STOP_S`."""
        await self._hint(self._redis.client.set(keys.FLEET_STOP, str(code), px=_ms(limits.FLEET_STOP_S)))

    async def fleet_stop_ms(self) -> int:
        """For how many more ms nobody connects, 0 if everybody may. Raises `Unavailable`."""
        return max(0, int(await self._redis.ask(self._redis.client.pttl(keys.FLEET_STOP))))

    async def _hint(self, answer: object) -> None:
        try:
            await self._redis.ask(answer)
        except Unavailable:
            return  # a page shows less for a while; nothing decides by it


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
