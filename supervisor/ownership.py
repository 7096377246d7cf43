"""Whose accounts are whose: the node's name, its dead-man's switch, leases with epochs.

The switch is a session-level advisory lock in Postgres on a connection of its own: when the process dies the lock falls
at once, and whoever sees that takes its accounts over. Leases remain for nodes that hang. Local time only bounds how
long a lease is trusted: `limits.OWNER_MARGIN_S` before its end we stop acting, whether or not it could be renewed.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from domain import limits
from domain.refusal import Unavailable
from store.accounts import Accounts
from store.locks import Lock, hold_lock, holder_of
from store.nodes import LIVING
from supervisor import clock
from supervisor.log import emit

NODE_FILE: Final = "node"
NODES_PER_STATE_MAX: Final = 16
"""Supervisors that may share a state folder; each has a number of its own behind the name."""


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn of renewing found: how many are still ours, and the accounts that are not."""

    kept: int
    lost: tuple[UUID, ...]


class Ownership:
    """The accounts that this node owns, with their epochs."""

    def __init__(self, accounts: Accounts, database_url: str, state: Path | None) -> None:
        """`hold` gives the node its name."""
        self.node = ""
        self.epochs: dict[UUID, int] = {}
        self._accounts = accounts
        self._database_url = database_url
        self._prefix = _node_prefix(state)
        self._trusted_until_s: dict[UUID, float] = {}
        self._seen_dead: set[str] = set()

    async def hold(self, started: Callable[[], None], stop: Callable[[], None]) -> None:
        """Holds the dead-man's switch until cancelled. Raises `Unavailable` when the connection breaks.

        A switch that cannot be had again under the same name means that somebody else acts as us: `stop` is called.
        """
        lock = await self._take_lock()
        if lock is None:
            stop()
            raise Unavailable("another process has this node's name")
        emit("lock_taken", node=self.node)
        started()
        try:
            await lock.wait_lost()
        finally:
            emit("lock_lost", node=self.node)
            await lock.release()
        raise Unavailable("the lock's connection has ended")

    async def take(self, accounts: Sequence[UUID], dead: Sequence[str] = ()) -> dict[UUID, int]:
        """Becomes the owner of those that are free; returns their new epochs. Raises `Unavailable`."""
        since_s = clock.loop_s()
        epochs = await self._accounts.take([one for one in accounts if one not in self.epochs], self.node, dead)
        self.epochs |= epochs
        for account in epochs:
            self._trusted_until_s[account] = since_s + limits.OWNER_LEASE_S - limits.OWNER_MARGIN_S
        return epochs

    async def renew(self) -> Renewed:
        """Renews all leases. Never raises: what cannot be renewed in time is lost."""
        since_s = clock.loop_s()
        ours: set[UUID] = set()
        reached = True
        before = dict(self.epochs)
        try:
            ours = await self._accounts.renew(before, self.node) if before else set()
        except Unavailable:
            reached = False
        for account in ours:
            if account in self.epochs:
                self._trusted_until_s[account] = since_s + limits.OWNER_LEASE_S - limits.OWNER_MARGIN_S
        lost = [account for account in before if reached and account not in ours]
        lost += [account for account in before if self._trusted_until_s.get(account, 0) <= clock.loop_s()]
        for account in lost:
            self.forget(account)
        return Renewed(kept=len(ours), lost=tuple(dict.fromkeys(lost)))

    async def hand_over(self, accounts: Sequence[UUID], node: str) -> list[UUID]:
        """Gives accounts to another node. Raises `Unavailable`; they are not ours any more even so."""
        epochs = {account: self.epochs[account] for account in accounts if account in self.epochs}
        for account in epochs:
            self.forget(account)
        return await self._accounts.hand_over(epochs, node) if epochs else []

    async def release(self, accounts: Sequence[UUID]) -> None:
        """Gives accounts up. Raises `Unavailable`; they are not ours any more even so."""
        epochs = {account: self.epochs[account] for account in accounts if account in self.epochs}
        for account in epochs:
            self.forget(account)
        if epochs:
            await self._accounts.release(epochs)

    def forget(self, account: UUID) -> None:
        """It belongs to somebody else, or to nobody."""
        self.epochs.pop(account, None)
        self._trusted_until_s.pop(account, None)

    def trusted(self, account: UUID) -> bool:
        """Whether our lease may still be acted on."""
        return self._trusted_until_s.get(account, 0) > clock.loop_s()

    async def orphans(self) -> tuple[list[UUID], list[str]]:
        """Accounts of nodes that are certainly dead, and those nodes. Raises `Unavailable`.

        Our own name counts: whoever had it before us had lost the lock before we could take it.
        """
        dead = []
        for owner in await self._accounts.owners():
            if owner == self.node:
                continue
            held, up_s = await holder_of(self._accounts.pool, lock_key(owner))
            if held or up_s < limits.LOCKS_BACK_S:
                self._seen_dead.discard(owner)
            elif owner in self._seen_dead or owner.rpartition("-")[0] == self._prefix:
                dead.append(owner)
            else:
                self._seen_dead.add(owner)  # once is not enough: its connection may just be coming back
        found = [one for one in await self._accounts.owned_by([*dead, self.node]) if one not in self.epochs]
        return found, [*dead, self.node]

    @property
    def suspects(self) -> bool:
        """Whether some node has been seen without its lock once, so that a second look is due soon."""
        return bool(self._seen_dead)

    async def _take_lock(self) -> Lock | None:
        names = [self.node] if self.node else [f"{self._prefix}-{n}" for n in range(1, NODES_PER_STATE_MAX + 1)]
        for name in names:
            lock = await hold_lock(self._database_url, lock_key(name), LIVING)
            if lock is not None:
                self.node = name
                return lock
        return None


def lock_key(node: str) -> int:
    """The advisory lock that stands for a node: 63 bits of SHA-256 of its name."""
    return int.from_bytes(hashlib.sha256(f"autosendr/node/{node}".encode()).digest()[:8]) >> 1


def _node_prefix(state: Path | None) -> str:
    """The name that belongs to a state folder; a random one without it."""
    if state is None:
        return secrets.token_hex(6)
    path = state / NODE_FILE
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.write_text(secrets.token_hex(6))
        fresh.rename(path)
    return path.read_text().strip()
