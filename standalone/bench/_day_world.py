"""A node on a virtual clock: accounts that sleep, connect, send and linger. The real planner decides who is awake.

Nothing of the product runs here but its pure decisions (`domain/`). Time is ms since midnight UTC.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from domain import limits
from domain.account import Run
from domain.hotset import Holder, Plan, Snapshot, Want, WantKind, may_sleep, plan, urgency
from domain.pace import Pace, begun, room
from domain.sending import backoff_s
from domain.wakes import Use, merge, spare_ms
from standalone.bench._day_load import CLOSE_S, CONNECT_S, SEND_S, Message, linger_s

PLAN_GAP_MS: Final = 10
"""Events this close together are planned for at once, as the loop does that is woken while it works."""
LEAD_MS: Final = int(1000 * sum(CONNECT_S) / 2)
"""What accounts have learnt of their wakes."""
OFFERED_PER_SLOT: Final = 2
"""Wants that the planner is shown for each slot, the most urgent ones: nobody behind them could get one."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How to decide: `decide` on each snapshot; wants are known `look_ahead_ms` before, and lead by `lead_ms`,
    if there is room by `spare_ms` more.

    `windows`: windows are made use of; `keeps`: an idle session that is needed again soon stays.
    """

    decide: Callable[[Snapshot], Plan]
    look_ahead_ms: int
    lead_ms: int
    spare_ms: int
    windows: bool
    keeps: bool


OURS: Final = Policy(
    decide=plan,
    look_ahead_ms=int(limits.LOOK_AHEAD_S * 1000),
    lead_ms=LEAD_MS,
    spare_ms=spare_ms(LEAD_MS),
    windows=True,
    keeps=True,
)


def when_due(snapshot: Snapshot) -> Plan:
    """The naive plan: wake when something is due, first come first served; sleep when the linger is over."""
    wants = sorted(snapshot.wants, key=urgency)
    connects = len(wants) if snapshot.pace is None else room(snapshot.pace, snapshot.now_ms)
    count = max(0, min(connects, snapshot.slots - len(snapshot.holders), len(wants)))
    again = int(snapshot.pace.free_at_ms) + 1 if snapshot.pace is not None and len(wants) > count else None
    return Plan(grants=tuple(wants[:count]), releases=(), turns=(), again_at_ms=again)


NAIVE: Final = Policy(decide=when_due, look_ahead_ms=0, lead_ms=0, spare_ms=0, windows=False, keeps=False)


class Account:
    """One account: what is left of its day, and where its session is."""

    __slots__ = (
        "busy_since_ms", "failures", "late_ms", "left", "linger_until_ms", "name", "not_before_ms", "run", "sending",
        "turn_ms", "want", "yielding",
    )  # fmt: skip

    def __init__(self, name: str, messages: Sequence[Message]) -> None:
        """Asleep. `messages` by due instant."""
        self.name = name
        self.left = list(reversed(messages))
        self.run = Run.COLD
        self.want: Want | None = None
        self.sending = False
        self.linger_until_ms = 0
        self.busy_since_ms: int | None = None
        self.yielding = False
        self.turn_ms = 0
        self.failures = 0
        self.not_before_ms = 0
        self.late_ms: list[int] = []


class World:
    """Runs one day. `refused`: share of connects that fail."""

    def __init__(
        self, days: Sequence[Sequence[Message]], policy: Policy, *, slots: int, pace: Pace, dice: Random,
        refused: float = 0.0,
    ) -> None:  # fmt: skip
        """Midnight, everybody asleep."""
        self.accounts = {f"{number:06}": Account(f"{number:06}", messages) for number, messages in enumerate(days)}
        self.wakes = 0
        self.most_live = 0
        self._policy = policy
        self._slots = slots
        self._pace = pace
        self._dice = dice
        self._refused = refused
        self._now_ms = 0
        self._holders: dict[str, Holder] = {}
        self._queue: list[tuple[tuple[int, int, str], Want]] = []
        self._events: list[tuple[int, int, Callable[[Account], None] | None, Account | None]] = []
        self._count = 0
        self._plan_at_ms = 1 << 62
        self._planned_ms = -PLAN_GAP_MS

    def run(self) -> None:
        """Until the last message has left."""
        for account in self.accounts.values():
            self._sleepers_next(account)
        while self._events:
            at_ms, _, act, account = heapq.heappop(self._events)
            self._now_ms = at_ms
            if act is not None and account is not None:
                act(account)
            elif at_ms == self._plan_at_ms:
                self._plan()

    # --- what happens to one account ---

    def _sleepers_next(self, account: Account) -> None:
        """A sleeping account wants its next wake, once that comes near."""
        if not account.left:
            return
        policy = self._policy
        if policy.windows:
            first = merge(Use(earliest_ms=one.due_ms, latest_ms=one.latest_ms) for one in account.left)[0]
            ready_ms, latest_ms = first.earliest_ms, first.latest_ms
        else:
            ready_ms = latest_ms = account.left[-1].due_ms
        want = Want(
            account=account.name,
            kind=WantKind.DUE,
            ready_at_ms=ready_ms,
            latest_ms=latest_ms,
            lead_ms=policy.lead_ms,
            spare_ms=policy.spare_ms,
            not_before_ms=account.not_before_ms,
            turn_ms=account.turn_ms,
        )
        account.want = want
        self._at(max(self._now_ms, ready_ms - policy.look_ahead_ms), self._known, account)

    def _known(self, account: Account) -> None:
        if account.want is not None:
            insort(self._queue, (urgency(account.want), account.want))
            self._look()

    def _granted(self, account: Account, want: Want) -> None:
        del self._queue[bisect_left(self._queue, (urgency(want),))]
        account.want = None
        account.run = Run.CONNECTING
        self.wakes += 1
        self._pace = begun(self._pace, self._now_ms)
        self._hold(account)
        self.most_live = max(self.most_live, len(self._holders))
        fails = self._dice.random() < self._refused
        self._in(self._dice.uniform(*CONNECT_S), self._failed if fails else self._connected, account)

    def _connected(self, account: Account) -> None:
        account.run = Run.HOT
        account.failures = 0
        self._go_on(account)

    def _failed(self, account: Account) -> None:
        account.failures += 1
        account.not_before_ms = self._now_ms + int(1000 * backoff_s(account.failures, self._dice.random()))
        self._close(account)

    def _go_on(self, account: Account) -> None:
        """Begin what is due; wait for what is near; otherwise linger, and then stay or sleep."""
        if account.run is not Run.HOT or account.sending:
            return
        now_ms = self._now_ms
        if account.left and not account.yielding and account.left[-1].due_ms <= now_ms:
            message = account.left.pop()
            account.sending = True
            account.late_ms.append(max(0, now_ms - message.latest_ms))
            account.busy_since_ms = now_ms if account.busy_since_ms is None else account.busy_since_ms
            self._in(self._dice.uniform(*SEND_S), self._sent, account)
        elif account.left and not account.yielding:
            if account.left[-1].due_ms - now_ms > limits.MERGE_S * 1000:
                account.busy_since_ms = None
            self._at(account.left[-1].due_ms, self._go_on, account)
        self._hold(account)

    def _sent(self, account: Account) -> None:
        account.sending = False
        linger_ms = int(1000 * linger_s(self._dice))
        account.linger_until_ms = max(account.linger_until_ms, self._now_ms + linger_ms)
        self._at(account.linger_until_ms, self._quiet, account)
        self._go_on(account)

    def _quiet(self, account: Account) -> None:
        """The linger is over, unless another send has made it longer."""
        holder = self._hold(account)
        if holder is None or not holder.evictable:
            return
        if account.yielding or not self._policy.keeps or may_sleep(self._now_ms, holder):
            self._close(account)

    def _close(self, account: Account) -> None:
        account.run = Run.DISCONNECTING
        self._hold(account)
        self._in(CLOSE_S, self._closed, account)

    def _closed(self, account: Account) -> None:
        account.run = Run.COLD
        del self._holders[account.name]
        if account.yielding:
            account.turn_ms, account.yielding = self._now_ms, False
        account.busy_since_ms = None
        self._sleepers_next(account)
        self._look()

    # --- the planner's part ---

    def _hold(self, account: Account) -> Holder | None:
        """Tell the planner what the account does with its slot, if it has one."""
        if account.run is Run.COLD:
            return None
        idle = account.run is Run.HOT and not account.sending and account.linger_until_ms <= self._now_ms
        holder = Holder(
            account=account.name,
            kind=WantKind.DUE,
            run=account.run,
            evictable=idle,
            next_use_ms=account.left[-1].due_ms if account.left else None,
            busy_since_ms=account.busy_since_ms,
            yielding=account.yielding,
        )
        self._holders[account.name] = holder
        self._look()
        return holder

    def _plan(self) -> None:
        self._plan_at_ms, self._planned_ms = 1 << 62, self._now_ms
        offered = self._queue[: OFFERED_PER_SLOT * self._slots]
        decided = self._policy.decide(
            Snapshot(
                now_ms=self._now_ms,
                slots=self._slots,
                holders=tuple(self._holders.values()),
                wants=tuple(want for _, want in offered),
                pace=self._pace,
            )
        )
        for name in decided.turns:
            self.accounts[name].yielding = True
            self._go_on(self.accounts[name])
        for name in decided.releases:
            self._close(self.accounts[name])
        for want in decided.grants:
            self._granted(self.accounts[want.account], want)
        if decided.again_at_ms is not None:
            self._look(decided.again_at_ms)

    def _look(self, at_ms: int = 0) -> None:
        """Plan at `at_ms`, or as soon as events have been gathered for a moment."""
        at_ms = max(at_ms, self._now_ms, self._planned_ms + PLAN_GAP_MS)
        if self._queue and at_ms < self._plan_at_ms:
            self._plan_at_ms = at_ms
            self._push(at_ms, None, None)

    # --- the clock ---

    def _in(self, seconds: float, act: Callable[[Account], None], account: Account) -> None:
        self._push(self._now_ms + int(1000 * seconds), act, account)

    def _at(self, at_ms: int, act: Callable[[Account], None], account: Account) -> None:
        self._push(max(self._now_ms, at_ms), act, account)

    def _push(self, at_ms: int, act: Callable[[Account], None] | None, account: Account | None) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_ms, self._count, act, account))
