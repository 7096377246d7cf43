"""The actors of this node: one for each account that it owns, made when the account is needed, gone when it is not."""

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

from domain import limits
from domain.account import Run, RunEvent
from domain.hotset import WantKind
from domain.refusal import Unavailable
from enclave.wire.envelope import News
from store.accounts import AccountRow
from store.messages import Armed
from supervisor import clock, standing, wanting
from supervisor.actor import Actor
from supervisor.context import Context
from supervisor.ending import end
from supervisor.log import emit
from supervisor.tree import Budget, places


class Actors:
    """The registry. `failed` is set when actors crash more often than the budget allows."""

    def __init__(self, context: Context) -> None:
        """Nobody yet."""
        self.context = context
        self.by_account: dict[UUID, Actor] = {}
        self.failed = asyncio.Event()
        self._lives: dict[UUID, asyncio.Task[None]] = {}
        self._shunned_until_s: dict[UUID, float] = {}
        self._budget = Budget()
        self._changing = asyncio.Lock()
        self._ending = False

    async def adopt(self, accounts: Sequence[UUID], dead: Sequence[str] = ()) -> list[Actor]:
        """Becomes the owner of those accounts that are free, and gives each an actor. Raises `Unavailable`.

        What an earlier owner left in hand is given back; what it left in doubt will be settled.
        """
        async with self._changing:
            return [] if self._ending or self.context.draining else await self._adopt(accounts, dead)

    async def _adopt(self, accounts: Sequence[UUID], dead: Sequence[str]) -> list[Actor]:
        now_s = clock.loop_s()
        wanted = [
            one
            for one in dict.fromkeys(accounts)
            if one not in self.by_account and self._shunned_until_s.get(one, 0) <= now_s
        ]
        epochs = await self.context.ownership.take(wanted, dead)
        adopted = []
        given_back = False
        try:
            for account, epoch in epochs.items():
                row = await self.context.store.accounts.load(account)
                if row is not None:
                    given_back |= bool(await self.context.store.messages.disarm_stale(account, epoch))
                    adopted.append(await self._begin(row, epoch))
        finally:
            if given_back:  # it may be late already
                self.context.wake_due()
            for account in epochs:
                if account not in self.by_account:  # gone, or Postgres is: the next turn of leases finds it ownerless
                    self.context.ownership.forget(account)
        return adopted

    async def reach(self, accounts: Sequence[UUID]) -> list[Actor]:
        """The actors of those accounts that this node owns or can own, each with a pin that the caller takes off."""
        await self.adopt([one for one in accounts if one not in self.by_account])
        found = [self.by_account[one] for one in accounts if one in self.by_account]
        for actor in found:  # before anything else runs: who has a pin is not retired
            actor.pins += 1
        return found

    def take_in_hand(self, armed: Iterable[Armed]) -> None:
        """Hands each armed message to its actor."""
        for message in armed:
            actor = self.by_account.get(message.account)
            if actor is not None:
                actor.take_in_hand(message)

    def hear(self, told: News) -> None:
        """Takes news of the door; those of an epoch that is not ours are nobody's."""
        actor = self.by_account.get(UUID(told.account))
        if actor is not None and actor.epoch == told.epoch:
            actor.hear(told.notice)

    def door_lost(self) -> None:
        """The enclave or the connection died, and every session with it."""
        for actor in self.by_account.values():
            if actor.session is not None:
                actor.post(RunEvent.DIED)

    async def look_at_wish(self, account: UUID) -> None:
        """Somebody told that an account has a wish. Raises `Unavailable`."""
        emit("wish_heard", account=account)
        actor = self.by_account.get(account)
        if actor is None:
            await self.adopt([account])
            return
        row = await self.context.store.accounts.load(account)
        if self.by_account.get(account) is not actor:  # let go meanwhile: its next actor reads the wish
            await self.adopt([account])
        elif row is not None and row.epoch == actor.epoch:
            actor.refresh(row)

    async def propose(self, accounts: Sequence[UUID], kind: WantKind) -> int:
        """Has accounts woken for a first sync or for their health, unless they have an actor. Raises `Unavailable`."""
        adopted = await self.adopt([one for one in accounts if one not in self.by_account])
        for actor in adopted:
            actor.health_due = kind is WantKind.HEALTH
        return len(adopted)

    async def lose(self, accounts: Iterable[UUID]) -> int:
        """The accounts are not ours any more: their sessions are ended at once, nothing of them is written."""
        count = 0
        for account in accounts:
            actor = self.by_account.get(account)
            if actor is None or actor.lost:
                continue
            emit("account_lost", account=account, epoch=actor.epoch)
            actor.lost = True
            actor.outbox.clear()
            actor.doubted.clear()
            actor.chores.stop()
            if actor.session is not None:
                actor.post(RunEvent.SLOT_LOST)
            count += 1
        return count

    async def retire(self) -> int:
        """Lets go of accounts that need nothing. Raises `Unavailable`."""
        async with self._changing:  # nobody adopts what is half let go
            retired = []
            for actor in list(self.by_account.values()):
                if actor.idle:  # asked anew each time: the one before took a moment to end
                    await self._end(actor)
                    emit("account_retired", account=actor.account, epoch=actor.epoch)
                    retired.append(actor.account)
            await self.context.ownership.release(retired)
            return len(retired)

    async def hand_over(self, node: str, most: int) -> int:
        """Gives up to `most` accounts to another node, those that need a slot last first. Raises `Unavailable`."""
        async with self._changing:
            if self._ending or self.context.draining:
                return 0
            movable = [actor for actor in self.by_account.values() if wanting.may_move(actor)]
            moving = sorted(movable, key=_needed_ms, reverse=True)[:most]
            for actor in moving:
                actor.leaving = True
            try:
                for actor in moving:
                    await standing.give_hand_back(actor)
                given = await self.context.ownership.hand_over([actor.account for actor in moving], node)
            except Unavailable:
                for actor in moving:
                    actor.leaving = False
                raise
            for actor in moving:
                await self._end(actor)
            if given:
                emit("accounts_moved", node=node, accounts=len(given))
        await self._tell_taker()
        return len(given)

    async def _tell_taker(self) -> None:
        try:
            await self.context.store.due.tell_changed()
        except Unavailable:
            return  # it looks every `limits.DUE_TICK_S`

    async def drain(self, deadline_s: float) -> None:
        """Before the end: takes in nothing more, and lets go of everything; at most `deadline_s`."""
        self._ending = True
        await self._let_go(deadline_s)

    async def _let_go(self, deadline_s: float) -> None:
        """Puts all sessions to sleep, gives back what is in hand, lets go of all accounts."""
        try:
            async with asyncio.timeout(deadline_s):
                for actor in self.by_account.values():
                    if actor.session is not None:
                        actor.post(RunEvent.RELEASED)
                while any(actor.state is not Run.COLD for actor in self.by_account.values()):  # noqa: ASYNC110 - many
                    await asyncio.sleep(_LOOK_S)
                await asyncio.gather(*(actor.chores.settle() for actor in self.by_account.values()))
                async with self._changing:  # who is being retired at this moment is let go, too
                    for actor in self.by_account.values():
                        await standing.give_hand_back(actor)
                    await self.context.ownership.release(list(self.by_account))
        except (TimeoutError, Unavailable):
            return  # what is left is taken over by whoever sees our lock gone

    async def empty(self) -> bool:
        """Lets go of all accounts, for others, while `context.draining`; False if something would not end in time."""
        await self._let_go(limits.TERM_DRAIN_S)
        if self.context.ownership.epochs:
            return False
        await self.stop()
        return True

    async def stop(self) -> None:
        """Ends all actors as they are."""
        for actor in list(self.by_account.values()):
            await self._end(actor)

    async def _begin(self, row: AccountRow, epoch: int) -> Actor:
        actor = Actor(self.context, row, epoch)
        if await self.context.store.attempts.open_of(actor.account):
            actor.doubt()
        self.by_account[actor.account] = actor
        self._lives[actor.account] = asyncio.create_task(self._live(actor))
        actor.refresh(row)
        emit("account_adopted", account=actor.account, epoch=epoch)
        return actor

    async def _live(self, actor: Actor) -> None:
        try:
            await actor.run()
        except asyncio.CancelledError:
            raise
        except Exception as bug:  # counted; too many of them fail the whole process
            emit("child_failed", child=f"actor {actor.account}", error=type(bug).__name__, trace=places(bug))
            self._shunned_until_s[actor.account] = clock.loop_s() + limits.SHUN_S
            if not self._budget.spend(clock.loop_s()):
                self.failed.set()
                raise
            await actor.stop()
            await standing.give_slot_back(actor, actor.slot_token)  # else the next actor waits until it expires
            self._lives.pop(actor.account, None)
            self.by_account.pop(actor.account, None)
            self.context.ownership.forget(actor.account)  # the next owner's epoch ends the session

    async def _end(self, actor: Actor) -> None:
        self.by_account.pop(actor.account, None)
        life = self._lives.pop(actor.account, None)
        if life is not None:
            await end(life)
        await actor.stop()


def _needed_ms(actor: Actor) -> tuple[int, UUID]:
    wanted = wanting.want(actor)
    return (limits.FOREVER_MS if wanted is None else wanted.latest_start_ms), actor.account


_LOOK_S = 0.05
