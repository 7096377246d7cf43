"""Instants of wakes: merging what one account wants to do, and laying many starts backwards under a connect rate."""

from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec

from domain import limits


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Something of one account that may happen from `earliest_ms` to `latest_ms` (Unix ms; equal for "exactly")."""

    earliest_ms: int
    latest_ms: int


class Wake(msgspec.Struct, frozen=True, kw_only=True):
    """One wake for `uses`: all of them are on time if it is ready between `earliest_ms` and `latest_ms`."""

    earliest_ms: int
    latest_ms: int
    uses: tuple[Use, ...]


def merge(uses: Iterable[Use]) -> list[Wake]:
    """The fewest wakes that serve all `uses` of one account, each inside its window, earliest first.

    The use that closes first decides; whatever is open by then comes along (greedy stabbing of intervals is optimal).
    """
    wakes: list[Wake] = []
    group: list[Use] = []
    for use in sorted(uses, key=lambda use: (use.latest_ms, use.earliest_ms)):
        if group and use.earliest_ms > group[0].latest_ms:
            wakes.append(_wake(group))
            group = []
        group.append(use)
    return [*wakes, _wake(group)] if group else wakes


def _wake(group: list[Use]) -> Wake:
    return Wake(earliest_ms=max(use.earliest_ms for use in group), latest_ms=group[0].latest_ms, uses=tuple(group))


def lay_backwards(latest_starts_ms: Sequence[int], gap_ms: float) -> list[int]:
    """Starts at least `gap_ms` apart, none later than its latest start, each as late as that allows.

    `latest_starts_ms` ascends (`ValueError` otherwise). Starts may lie in the past: then there were too many for the
    rate, and some will be late whatever is done.
    """
    starts: list[int] = []
    bound = float("inf")
    following = float("inf")
    for latest in reversed(latest_starts_ms):
        if latest > following:
            raise ValueError("latest starts do not ascend")
        following = latest
        bound = min(latest, bound - gap_ms)
        starts.append(int(bound // 1))
    starts.reverse()
    return starts


def spare_ms(lead_ms: int) -> int:
    """How much sooner than its lead a wake should begin if it can: for a login that is refused and tried again."""
    return int(limits.FAST_RETRY_S * 1000) + limits.SPARE_LEADS * lead_ms


def lot(account: str, instant_ms: int) -> int:
    """The place of an account among those due at one instant: another one at each instant, so nobody is always last."""
    return crc32(f"{account}/{instant_ms}".encode())
