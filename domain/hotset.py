"""Who is awake: a pure function from a snapshot of slots and wants to grants, releases and turns.

The unit is the account wake, not the message. Three kinds of rule:

* Order. Whoever somebody waits for stands in one queue by deadline; ties fall by lot, so nobody is always last.
  First syncs and health wakes take what that queue leaves, and one slot never.
* Time. Starts are laid backwards from the deadlines under the connect rate (domain/wakes.py); a want with a window,
  or with time to spare for a login that is slow or refused, goes earlier if that takes nothing from anybody.
* Room. A session that has done what correctness needs is evictable: it stays while nobody needs its slot, and the one
  whose next use is furthest goes first; then the first sync with least budget left. Who sends without end gives its
  slot back after a turn, when others wait.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import msgspec

from domain import limits
from domain.account import Run
from domain.pace import Pace, begun, room
from domain.wakes import lay_backwards, lot


class WantKind(IntEnum):
    """Why an account wants a slot."""

    DUE = 0  # a message must leave
    PAIRING = 1  # a person is waiting in front of a QR code
    WISH = 2  # a person asked for something that needs a session: unlink, look up a number
    STICKY = 3  # first sync of names and pictures
    HEALTH = 4  # WhatsApp forgets devices that never connect


ENRICHMENT: Final = (WantKind.STICKY, WantKind.HEALTH)
"""Nice to have: nobody waits for it."""

_KEEP_MS: Final = int(limits.KEEP_S * 1000)
_MERGE_MS: Final = int(limits.MERGE_S * 1000)
_WAKE_HOLDS_MS: Final = int(limits.WAKE_HOLDS_S * 1000)
_EMPTY_AHEAD_MS: Final = int(limits.EMPTY_AHEAD_S * 1000)
_TURN_MS: Final = int(limits.TURN_S * 1000)


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is not awake wants to be ready between `ready_at_ms` and `latest_ms` (Unix ms).

    `latest_ms` None: at `ready_at_ms`, not later. `lead_ms`: from its start to ready, as a rule; `spare_ms`: how much
    sooner it may start while there is room, in case it takes longer. `not_before_ms`: backoff or parking ends then.
    `turn_ms`: its last turn ended then, and what was due before counts as due then.
    """

    account: str
    kind: WantKind
    ready_at_ms: int
    latest_ms: int | None = None
    lead_ms: int = 0
    spare_ms: int = 0
    not_before_ms: int = 0
    turn_ms: int = 0

    @property
    def deadline_ms(self) -> int:
        """When it should be ready at the latest."""
        return max(self.ready_at_ms if self.latest_ms is None else self.latest_ms, self.turn_ms)

    @property
    def opens_ms(self) -> int:
        """The first instant at which a wake makes sense."""
        return max(self.ready_at_ms - self.lead_ms - self.spare_ms, self.not_before_ms)

    @property
    def latest_start_ms(self) -> int:
        """The instant at which the wake should begin at the latest."""
        return max(self.deadline_ms - self.lead_ms, self.not_before_ms)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An account that holds a slot. `evictable`: nothing would be lost by closing it now.

    `next_use_ms`: when it will be needed again, None for never; `sticky_left_ms`: what is left of its first sync;
    `busy_since_ms`: it has been sending since then, None: it is not; `yielding`: its turn is over, it begins no more.
    `stays_until_ms`: until then it stays while nobody needs its slot, for what may still be heard. `sparing`: it has
    been woken often and is needed again soon: it goes last of all (domain/wake_limits.py).
    """

    account: str
    kind: WantKind
    run: Run
    evictable: bool = False
    next_use_ms: int | None = None
    sticky_left_ms: int = 0
    busy_since_ms: int | None = None
    stays_until_ms: int = 0
    yielding: bool = False
    sparing: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision rests on. `slots` counts all live sessions, those that are leaving too: memory is bounded.

    `pace` None: connects are not limited.
    """

    now_ms: int
    slots: int
    holders: tuple[Holder, ...]
    wants: tuple[Want, ...]
    pace: Pace | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to give a slot, who must give one back at once, who shall begin nothing more.

    `again_at_ms`: when to plan anew at the latest (None: on the next event).
    """

    grants: tuple[Want, ...]
    releases: tuple[str, ...]
    turns: tuple[str, ...]
    again_at_ms: int | None


def urgency(want: Want) -> tuple[int, int, str]:
    """The order of the queue: by the instant at which it can and should be ready, then by lot.

    Not by latest start: among many due together those that connect quickly would always be the last.
    """
    return want.latest_start_ms + want.lead_ms, lot(want.account, want.deadline_ms), want.account


def plan(snapshot: Snapshot) -> Plan:
    """Decides on one snapshot.

    Wants of accounts that hold a slot are ignored: the actor serves them itself. One want per account at most
    (`ValueError` otherwise).
    """
    awake = {holder.account for holder in snapshot.holders}
    waiting = sorted((want for want in snapshot.wants if want.account not in awake), key=urgency)
    if len({want.account for want in waiting}) != len(waiting):
        raise ValueError("an account wants two slots")
    decision = _Decision(snapshot)
    queue = [want for want in waiting if want.kind not in ENRICHMENT]
    for want, start_ms in zip(queue, _starts(snapshot, queue), strict=True):
        decision.queued(want, start_ms)
    for want in waiting:
        if want.kind in ENRICHMENT:
            decision.enrichment(want)
    return decision.plan()


def may_sleep(now_ms: int, holder: Holder) -> bool:
    """Whether an idle session should be closed though nobody needs its slot: nothing to come for it soon."""
    return (
        holder.evictable
        and not holder.sparing
        and now_ms >= holder.stays_until_ms
        and (holder.next_use_ms is None or holder.next_use_ms - now_ms > _KEEP_MS)
    )


def _starts(snapshot: Snapshot, queue: list[Want]) -> list[int]:
    """When each of the queue must begin. Only as many as there are slots can be ready ahead; the others follow."""
    starts = [want.latest_start_ms for want in queue]
    if snapshot.pace is not None:
        places = sorted(range(min(snapshot.slots, len(queue))), key=starts.__getitem__)
        laid = lay_backwards([starts[place] for place in places], snapshot.pace.gap_ms)
        for place, start_ms in zip(places, laid, strict=True):
            starts[place] = max(start_ms, queue[place].not_before_ms)
    return starts


class _Decision:
    """One plan in the making: what is left of slots and connects while the wants pass by, most urgent first."""

    def __init__(self, snapshot: Snapshot) -> None:
        holders = snapshot.holders
        self.now_ms = snapshot.now_ms
        self.holders = holders
        self.pace = snapshot.pace
        self.free = snapshot.slots - len(holders)
        self.reserved = 0  # slots that the more urgent will need before a wake that begins now is over
        self.pairings = limits.PAIRING_SLOTS_MAX - sum(holder.kind is WantKind.PAIRING for holder in holders)
        self.enrichments = snapshot.slots - 1 - sum(holder.kind in ENRICHMENT for holder in holders)
        self.grants: list[Want] = []
        self.short: list[Want] = []  # wants that found no slot, and may have one emptied for them
        self.later: list[float] = []

    def queued(self, want: Want, start_ms: int) -> None:
        """A want that somebody waits for, and the instant at which it must begin."""
        if want.kind is WantKind.PAIRING:
            if self.pairings <= 0:
                return
            self.pairings -= 1
        room = self.free - self.reserved
        ripe = min(start_ms, want.opens_ms) <= self.now_ms
        # A slot is kept for who is more urgent but needs it later; not when that would make this one late.
        if ripe and self._grant(want, self.free if want.latest_start_ms <= self.now_ms else room):
            return
        if room <= 0 and (ripe or start_ms <= self.now_ms + _EMPTY_AHEAD_MS):
            self.short.append(want)
        if start_ms <= self.now_ms + _WAKE_HOLDS_MS:
            self.reserved += 1
        for instant in (start_ms, want.latest_start_ms):  # from the latest on it may take more than before
            self.later += [instant, instant - _EMPTY_AHEAD_MS]
        self.later.append(want.opens_ms)

    def enrichment(self, want: Want) -> None:
        """A want that nobody waits for. One that has waited for too long may have somebody else give way."""
        self.later += [want.opens_ms, want.latest_start_ms]
        if want.opens_ms > self.now_ms:
            return
        room = self.free - self.reserved - 1
        if self.enrichments > 0 and self._grant(want, room):
            self.enrichments -= 1
        elif want.latest_start_ms <= self.now_ms and (room <= 0 or self.enrichments <= 0):
            self.short.append(want)

    def plan(self) -> Plan:
        releases, unserved = self._releases()
        turns = self._turns(unserved)
        later = [instant for instant in self.later if instant > self.now_ms]
        return Plan(
            grants=tuple(self.grants),
            releases=tuple(releases),
            turns=turns,
            again_at_ms=None if not later else int(-(-min(later) // 1)),
        )

    def _grant(self, want: Want, free: int) -> bool:
        if free <= 0:
            return False
        if self.pace is not None:
            if not room(self.pace, self.now_ms):
                self.later.append(self.pace.free_at_ms)
                return False
            self.pace = begun(self.pace, self.now_ms)
        self.free -= 1
        self.grants.append(want)
        return True

    def _releases(self) -> tuple[list[str], int]:
        """Who gives a slot back at once, and for how many of the queue that is not enough."""
        can_go = _idle(self.holders)
        releases = [holder.account for holder in can_go if holder.yielding]
        idle = [holder for holder in can_go if not holder.yielding and not holder.sparing]
        sparing = [holder for holder in can_go if not holder.yielding and holder.sparing]
        sticky = _sticky(self.holders)
        coming = len(releases) + sum(holder.run is Run.DISCONNECTING for holder in self.holders)
        while coming < -self.free and (idle or sticky or sparing):  # there are fewer slots than there were
            releases.append((idle or sticky or sparing).pop(0).account)
            coming += 1
        coming -= max(0, -self.free)
        unserved = 0
        for want in self.short[: self._connects_soon()]:
            if coming > 0:
                coming -= 1
            elif (released := self._give_way(want, idle, sticky, sparing)) is not None:
                releases.append(released)
            elif want.kind not in ENRICHMENT:
                unserved += 1
        return releases, unserved

    def _give_way(self, want: Want, idle: list[Holder], sticky: list[Holder], sparing: list[Holder]) -> str | None:
        """Who goes for `want`, taken out of its list."""
        if want.kind in ENRICHMENT and self.enrichments <= 0:  # only another of its kind makes room for it
            rest = [holder for holder in idle if holder.kind in ENRICHMENT]
            if rest:
                idle.remove(rest[0])
                return rest[0].account
            return sticky.pop(0).account if sticky else None
        needed_from_ms = max(self.now_ms + _MERGE_MS, want.ready_at_ms)
        if idle and (idle[0].next_use_ms is None or idle[0].next_use_ms > needed_from_ms):
            return idle.pop(0).account
        if want.latest_start_ms > self.now_ms + _EMPTY_AHEAD_MS:
            return None
        if sticky:
            return sticky.pop(0).account
        if want.kind in ENRICHMENT or not sparing or (sparing[0].next_use_ms or 0) <= needed_from_ms:
            return None
        return sparing.pop(0).account

    def _connects_soon(self) -> int:
        """No slot is emptied before a connect may begin in it."""
        if self.pace is None:
            return len(self.short)
        left_ms = self.now_ms + _EMPTY_AHEAD_MS - self.pace.free_at_ms
        return max(1, int(left_ms / self.pace.gap_ms) + 1)

    def _turns(self, unserved: int) -> tuple[str, ...]:
        """Those that have been sending for longer than a turn, the longest first, one for each who waits in vain."""
        if not unserved:
            return ()
        busy = sorted(
            (holder.busy_since_ms, holder.account)
            for holder in self.holders
            if holder.busy_since_ms is not None and not holder.yielding and holder.run is Run.HOT
        )
        self.later += [since + _TURN_MS for since, _ in busy]
        over = [account for since, account in busy if since + _TURN_MS <= self.now_ms]
        yielding = sum(holder.yielding for holder in self.holders)
        return tuple(over[: max(0, unserved - yielding)])


def _idle(holders: Iterable[Holder]) -> list[Holder]:
    """Who can go without loss, furthest next use first."""
    never = 1 << 62
    return sorted(
        (holder for holder in holders if holder.evictable and holder.run is Run.HOT),
        key=lambda holder: (-(never if holder.next_use_ms is None else holder.next_use_ms), holder.account),
    )


def _sticky(holders: Iterable[Holder]) -> list[Holder]:
    """Enrichment that gives way: first syncs by least budget left, then health wakes, which are soon over anyway."""
    return sorted(
        (
            holder
            for holder in holders
            if holder.kind in ENRICHMENT
            and holder.run in (Run.HOT, Run.CONNECTING)
            and not (holder.evictable and holder.run is Run.HOT)
        ),
        key=lambda holder: (holder.kind, holder.sticky_left_ms, holder.account),
    )
