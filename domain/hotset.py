"""Who is awake: a pure function from a snapshot of slots and wants to grants and releases.

The unit is the account wake, not the message. A due send is granted earliest deadline first, never behind enrichment;
one slot is always free of sticky sessions; pairing has a cap of its own; a session that has done what correctness needs
is evictable: it stays while nobody needs its slot, and the one whose next use is furthest goes first.
"""

from enum import IntEnum
from typing import Final

import msgspec

from domain import limits
from domain.account import Run


class WantKind(IntEnum):
    """Why an account wants a slot, in order of precedence."""

    DUE = 0  # a message must leave
    PAIRING = 1  # a person is waiting in front of a QR code
    WISH = 2  # a person asked for something that needs a session: unlink, look up a number
    STICKY = 3  # first sync of names and pictures
    HEALTH = 4  # WhatsApp forgets devices that never connect


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is not awake wants to be: ready at `ready_at_ms`, `lead_ms` after its start (both Unix-epoch ms).

    `not_before_ms`: backoff or parking ends then.
    """

    account: str
    kind: WantKind
    ready_at_ms: int
    lead_ms: int = 0
    not_before_ms: int = 0

    @property
    def start_at_ms(self) -> int:
        """The instant at which the wake should begin."""
        return max(self.ready_at_ms - self.lead_ms, self.not_before_ms)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An account that holds a slot. `evictable`: nothing would be lost by closing it now.

    `next_use_ms`: when it will be needed again, None for never; `sticky_left_ms`: what is left of its first sync.
    """

    account: str
    kind: WantKind
    run: Run
    evictable: bool = False
    next_use_ms: int | None = None
    sticky_left_ms: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to give a slot, who must give one back, and when to plan again at the latest (None: on the next event)."""

    grants: tuple[Want, ...]
    releases: tuple[str, ...]
    again_at_ms: int | None


KEEP_IF_NEEDED_WITHIN_MS: Final = 600_000
"""An idle session that is needed again within this stays: a wake costs more than waiting."""


def plan(now_ms: int, slots: int, holders: tuple[Holder, ...], wants: tuple[Want, ...]) -> Plan:
    """Decides on one snapshot. `slots` counts all live sessions, those that are leaving included, so memory is bounded.

    Wants of accounts that hold a slot are ignored: the actor serves them itself. One want per account at most
    (`ValueError` otherwise).
    """
    awake = {holder.account for holder in holders}
    waiting = [want for want in wants if want.account not in awake]
    if len({want.account for want in waiting}) != len(waiting):
        raise ValueError("an account wants two slots")
    ripe = sorted(
        (want for want in waiting if want.start_at_ms <= now_ms),
        key=lambda want: (want.kind, want.ready_at_ms, want.account),
    )
    free = slots - len(holders)
    sticky_room = _room(slots - 1, holders, WantKind.STICKY, WantKind.HEALTH)
    pairing_room = _room(limits.PAIRING_SLOTS_MAX, holders, WantKind.PAIRING)
    grants: list[Want] = []
    short = 0  # wants with the right to evict that found no free slot
    for want in ripe:
        if want.kind in (WantKind.STICKY, WantKind.HEALTH):
            if sticky_room <= 0 or free <= 1:
                continue
            sticky_room -= 1
        elif want.kind is WantKind.PAIRING:
            if pairing_room <= 0:
                continue
            pairing_room -= 1
        if free > 0:
            free -= 1
            grants.append(want)
        elif want.kind not in (WantKind.STICKY, WantKind.HEALTH):
            short += 1
    leaving = sum(holder.run is Run.DISCONNECTING for holder in holders)
    releases = _evict(holders, max(0, short - leaving))
    later = [want.start_at_ms for want in waiting if want.start_at_ms > now_ms]
    return Plan(grants=tuple(grants), releases=releases, again_at_ms=min(later, default=None))


def _room(most: int, holders: tuple[Holder, ...], *kinds: WantKind) -> int:
    return most - sum(holder.kind in kinds for holder in holders)


def _evict(holders: tuple[Holder, ...], count: int) -> tuple[str, ...]:
    """The `count` holders that cost least to lose: idle ones by furthest next use, then sticky by least budget left."""
    never = 1 << 62
    idle = sorted(
        (holder for holder in holders if holder.evictable and holder.run is Run.HOT),
        key=lambda holder: (-(never if holder.next_use_ms is None else holder.next_use_ms), holder.account),
    )
    chosen = {holder.account for holder in idle}
    sticky = sorted(
        (
            holder
            for holder in holders
            if holder.kind in (WantKind.STICKY, WantKind.HEALTH)
            and holder.run in (Run.HOT, Run.CONNECTING)
            and holder.account not in chosen
        ),
        key=lambda holder: (holder.sticky_left_ms, holder.account),
    )
    return tuple(holder.account for holder in (*idle, *sticky)[:count])


def may_sleep(now_ms: int, holder: Holder) -> bool:
    """Whether an idle session should be closed though nobody needs its slot: nothing to come for it soon."""
    return holder.evictable and (holder.next_use_ms is None or holder.next_use_ms - now_ms > KEEP_IF_NEEDED_WITHIN_MS)
