"""One account's actor: the only one who opens, uses and closes its session. Its states are domain/account.py's table.

News and wishes come into a bounded mailbox; a state has a deadline, which a change of state replaces. An effect starts
something whose outcome returns as an event. What must survive is written by chores, in order, until Postgres has it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

import msgspec

from domain import limits
from domain.account import RUN_DEADLINE_S, RUN_IGNORED, RUN_TABLE, Link, Run, RunEffect, RunEvent
from domain.hotset import WantKind
from domain.machine import transition
from enclave.wire import news
from enclave.wire.news import Notice, PairTrouble
from store.accounts import AccountRow, Woken
from store.messages import Armed
from supervisor import clock, connects, ordered, pairing, penalties, standing, unlinking, wanting
from supervisor.chores import Chores
from supervisor.context import Context
from supervisor.delivery import Delivery
from supervisor.log import emit
from supervisor.news import wait_at_least_s
from supervisor.opening import close_session, kill_session, open_session
from supervisor.outbox import Outbox
from supervisor.session import LiveSession
from supervisor.settling import Settling
from supervisor.sync import Sync


class MailboxFull(AssertionError):
    """More events than an actor can ever have to hear: a bug."""


class Cancelled(AssertionError):
    """What works for a live session was cancelled, and not by us: without it nothing would leave any more."""


class Actor:
    """Made by the registry once this node owns the account; `run` is its life."""

    def __init__(self, context: Context, row: AccountRow, epoch: int) -> None:
        """COLD, with nothing in hand."""
        self.context = context
        self.row = row
        self.account: UUID = row.id
        self.epoch = epoch
        self.state = Run.COLD
        self.link = row.link
        self.wish = row.wish
        self.waits = penalties.Waits(failures=row.failures, restarts=row.restarts, until_ms=row.wait_until_ms)
        self.outbox = Outbox()
        self.chores = Chores(self._rest)
        self.session: LiveSession | None = None
        self.doubted = asyncio.Event()
        """Some attempt's end was not seen: to be settled."""
        self.doubted_ms = 0
        self.adopted_ms = clock.now_ms()
        self.turn_ms = 0
        """When it last gave its slot back to others though it had more to send."""
        self.sending: set[UUID] = set()
        """Attempts that a send of this process is working on."""
        self.since_ms = clock.now_ms()
        """When its present state began."""
        self.wished = asyncio.Event()
        """The wish may have changed."""
        self.health_due = False
        self.unsynced = row.names_synced_ms == 0
        """Its first sync is not over."""
        self.pins = 0
        """Somebody is about to put something in hand: do not retire."""
        self.lost = False
        """The account is not ours any more."""
        self.leaving = False
        """It is being handed over to another node: nothing of it begins here."""
        self.slot_token = ""
        self._mailbox: asyncio.Queue[tuple[LiveSession | None, RunEvent, Notice | None]] = asyncio.Queue(
            limits.ACTOR_MAILBOX_MAX
        )
        self._deadline_s: float | None = None
        self._patience: asyncio.Timeout | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.work: asyncio.Task[None] | None = None
        self._opening_task: asyncio.Task[None] | None = None
        self.attendants: list[asyncio.Task[None]] = []
        self._received = asyncio.Event()
        self._moved = asyncio.Event()
        self._bug: BaseException | None = None
        self._stopping = False
        self._effects: dict[RunEffect, Callable[[Notice | None], None]] = {
            RunEffect.OPEN: self._open,
            RunEffect.CLOSE: self._close,
            RunEffect.KILL: self._kill,
            RunEffect.RETURN_SLOT: self._return_slot,
            RunEffect.CLEAR_BACKOFF: lambda _: penalties.clear_failures(self),
            RunEffect.BACK_OFF: lambda _: penalties.back_off(self),
            RunEffect.BACK_OFF_RESTART: lambda _: penalties.back_off_restart(self),
            RunEffect.PARK: lambda _: penalties.park(self),
            RunEffect.STOP_FLEET: lambda _: penalties.stop_fleet(self),
            RunEffect.MARK_LOGGED_OUT: lambda _: standing.mark_logged_out(self),
            RunEffect.MARK_LOCKED: lambda _: standing.mark_locked(self),
            RunEffect.MARK_BANNED: lambda _: standing.mark_banned(self),
            RunEffect.MARK_UNPAIRED: lambda _: pairing.fail(self),
        }

    # --- what others ask and tell ---

    def post(self, event: RunEvent, notice: Notice | None = None) -> None:
        """Puts an event of the present session into the mailbox. Raises `MailboxFull`."""
        self._post(self.session, event, notice)

    def hear(self, notice: Notice) -> None:
        """Takes news of the door."""
        session = self.session
        if isinstance(notice, news.Receipt | news.PhoneSeen):
            standing.take_sign_of_life(self, notice)
        if session is None:
            return
        session.take(notice)
        if isinstance(notice, news.LoggedOut) and session.unlinking:
            return
        if isinstance(notice, news.Ended) and notice.store is not None:
            standing.keep_closing_store(self, session, notice.store)
        pairing.hear(self, session, notice)
        event = session.classifier.classify(notice, clock.loop_s())
        if event is not None:
            session.least_wait_s = max(session.least_wait_s, wait_at_least_s(notice))
            pairing.hand_on(self, session, event, notice)

    def take_in_hand(self, message: Armed) -> None:
        """A message was armed for this account."""
        self.outbox.add(message)
        emit("message_armed", account=self.account, message=message.id, due_ms=message.due_ms)

    def refresh(self, row: AccountRow) -> None:
        """The account's row has changed: a wish, or the end of one."""
        self.row = row
        self.wish, self.link = row.wish, row.link
        session = self.session
        if session is not None and session.pairing and not session.paired:
            if row.link is not Link.PAIRING or row.wished_ms != session.row.wished_ms:
                session.replaced = True
                self.post(RunEvent.RELEASED)
        elif row.wish == "unlink" and row.link is not Link.LINKED and self.state is Run.COLD:
            self.spawn(unlinking.unlink_cold(self))
        elif pairing.is_barred(self):
            pairing.refuse(self, PairTrouble.OUTDATED)
        elif row.wish == "sync" and session is not None:
            session.contacts_changed.set()
        ordered.follow(self)
        self.wished.set()
        self.context.wake_hot()

    def doubt(self) -> None:
        """Some attempt's end was not seen."""
        if not self.doubted.is_set():
            self.doubted_ms = clock.now_ms()
        self.doubted.set()

    def note_woken(self, woken: Woken) -> None:
        """A wake has been written down; it counts from now on."""
        if self.row.paced:
            wakes_ms = (*self.row.wakes_ms, int(woken.at.timestamp() * 1000))
            self.row = msgspec.structs.replace(self.row, wakes_ms=wakes_ms)

    def forgive(self) -> None:
        """A send went through: failures and restarts in a row have ended."""
        penalties.forgive(self)

    def changed(self) -> None:
        """The session may have become ready or evictable."""
        self.context.wake_idle()
        self.context.wake_hot()
        self.context.wake_board()

    def receipt_stored(self) -> None:
        """Wakes whoever waits for a receipt."""
        self._received.set()
        self._received = asyncio.Event()

    async def wait_receipt(self, timeout_s: float) -> None:
        """Returns after the next stored receipt, or `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._received.wait()
        except TimeoutError:
            return

    @property
    def busy(self) -> bool:
        """Whether something that it has started is still under way."""
        return bool(self._tasks)

    @property
    def idle(self) -> bool:
        """Whether the account needs no actor any more."""
        quiet = self.state is Run.COLD and not self.busy and not len(self.chores) and not self.pins
        if self.wish == unlinking.WISH and not self.lost:
            return False  # with or without a session, it is to be done
        return (
            quiet and (self.lost or wanting.want(self) is None) and not len(self.outbox) and not self.doubted.is_set()
        )

    # --- its life ---

    async def run(self) -> None:
        """Hears events until cancelled. A bug ends it; the registry starts another."""
        while True:
            session, event, notice = await self._receive()
            if self._bug is not None:
                raise self._bug
            if session is not self.session and event is not RunEvent.SLOT_GRANTED:
                continue  # late news of a session that is gone
            before = self.state
            self.state, effects = transition(RUN_TABLE, RUN_IGNORED, before, event)
            if self.state is not before:
                self.since_ms = clock.now_ms()
                connects.note_end(self, before, event)
                if self.session is not None and self.state in (Run.DISCONNECTING, Run.COLD):
                    self.session.ending = self.session.ending or event
                self._deadline_s = self._deadline_of(self.state)
                self._moved.set()
                self._moved = asyncio.Event()
                emit("account_run", account=self.account, before=before, after=self.state, by=event)
                self.spawn(standing.show(self))
            for effect in effects:
                self._effects[effect](notice)
            if self.state is Run.HOT and before is Run.CONNECTING:
                self._attend()
            self.context.wake_hot()
            self.context.wake_board()

    async def until_left(self, state: Run) -> None:
        """Returns when the actor is in another state than `state`, after at most a moment."""
        try:
            async with asyncio.timeout(limits.WORLD_RETRY_S):
                while self.state is state:
                    await self._moved.wait()
        except TimeoutError:
            return

    def set_deadline(self, left_s: float) -> None:
        """The present state may last this long from now."""
        self._deadline_s = clock.loop_s() + left_s
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(self._deadline_s)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts something whose outcome returns as an event. A bug in it ends the actor."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Ends everything of this actor; its session, if one lives, ends with the door's connection."""
        self._stopping = True
        if self.session is not None:
            self.session.stop()
        self.chores.stop()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))

    async def work_done(self) -> None:
        """Returns when the session's send, if one is under way, has its end."""
        if self.work is not None:
            await asyncio.wait([self.work])

    def chore(self, write: Callable[[], Awaitable[object]]) -> bool:
        """Queues a write that must not be lost; False if there are too many."""
        return self.chores.add(write)

    def _post(self, session: LiveSession | None, event: RunEvent, notice: Notice | None = None) -> None:
        try:
            self._mailbox.put_nowait((session, event, notice))
        except asyncio.QueueFull:
            raise MailboxFull(f"{event}") from None

    async def _receive(self) -> tuple[LiveSession | None, RunEvent, Notice | None]:
        while True:
            self._patience = asyncio.timeout_at(self._deadline_s)
            try:
                async with self._patience:
                    return await self._mailbox.get()
            except TimeoutError:
                if self._deadline_s is not None and self._deadline_s <= clock.loop_s():
                    self._deadline_s = None
                    return self.session, RunEvent.OVERDUE, None
            finally:
                self._patience = None

    def _deadline_of(self, state: Run) -> float | None:
        patience_s = RUN_DEADLINE_S[state]
        if state is Run.CONNECTING and self.session is None and wanting.next_kind(self) is WantKind.PAIRING:
            patience_s = limits.PAIR_DEADLINE_S
        return None if patience_s is None else clock.loop_s() + patience_s

    def _open(self, _: Notice | None) -> None:
        session = LiveSession(self.row, wanting.next_kind(self), self.changed)
        self.session = session
        pairing.begin(self, session)
        self._opening_task = self.spawn(self._opening(session))

    async def _opening(self, session: LiveSession) -> None:
        event = await open_session(self, session)
        if event is not None:
            self._post(session, event)

    def _attend(self) -> None:
        """The session is connected: work, settle, sync. Once for each session; a redial finds them waiting."""
        session = self.session
        if session is None or self.attendants:
            return
        self.work = self.spawn(Delivery(self, session).run())
        self.attendants = [
            self.spawn(Settling(self, session).run()),
            self.spawn(Sync(self, session).run()),
            self.spawn(unlinking.attend(self, session)),
        ]

    def _close(self, _: Notice | None) -> None:
        if self.session is not None:
            self.spawn(self._ending(self.session, close_session))

    def _kill(self, _: Notice | None) -> None:
        if self.session is not None:
            self.spawn(self._ending(self.session, kill_session))

    async def _ending(
        self, session: LiveSession, end: Callable[["Actor", LiveSession], Coroutine[Any, Any, RunEvent]]
    ) -> None:
        session.stop()
        self.outbox.nudge()
        if self._opening_task is not None:
            await asyncio.wait([self._opening_task])  # what is not open yet cannot be closed
        self._post(session, await end(self, session))

    def _return_slot(self, _: Notice | None) -> None:
        session, self.session = self.session, None
        self.work = None
        for task in self.attendants:
            task.cancel()
        self.attendants = []
        if session is not None:
            session.stop()
            self.outbox.nudge()
            self.row = msgspec.structs.replace(self.row, sticky_left_ms=session.sticky_left_ms)
            if session.yielding:
                self.turn_ms = clock.now_ms()
            standing.note_slept(self, session)
            pairing.end(self, session)
        self.health_due = False
        token, self.slot_token = self.slot_token, ""
        self.spawn(standing.give_slot_back(self, token))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            attends = not self._stopping and (task is self.work or task in self.attendants)
            error: BaseException | None = Cancelled() if attends else None
        else:
            error = task.exception()
        if error is not None:
            self._bug = error
            self._mailbox.put_nowait((self.session, RunEvent.DIED, None))  # wakes `run`, which raises it
        self._rest()

    def _rest(self) -> None:
        """Something has ended; perhaps it was the last thing to do."""
        if not self.busy and not len(self.chores):
            self.context.wake_hot()
            self.context.wake_idle()
