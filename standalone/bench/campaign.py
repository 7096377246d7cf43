"""A campaign of one account beside the messages of many others: how late are theirs, with it and without.

Real PostgreSQL, real Redis, the product's supervisor, fewer slots than accounts; an enclave that takes a moment for
each send and does nothing. Parts without and with a campaign take turns, so that what else the machine does is in both.
Nothing is spaced (docs/architecture.md), so the campaign sends as fast as its one session can.
"""

import argparse
import time
from random import Random
from typing import Final
from uuid import UUID

from domain import limits
from standalone.bench._command import Figures, run
from standalone.bench._engine import Account, Due, Engine, Outcome, open_engine, outcome, quantile, run_loop
from standalone.bench._stores import open_stores

ACCOUNTS: Final = 300
CAMPAIGN: Final = 2000
SLOTS: Final = 100
PER_S: Final = 50
PART_S: Final = 60.0
ROUNDS: Final = 2
ANSWER_S: Final = 0.02
"""What the enclave takes for a send: a campaign of 2,000 fills most of a part. On the real net it is ten times that."""
AHEAD_S: Final = limits.LOOK_AHEAD_S + 5.0
WAIT_S: Final = 60.0
SEED: Final = 1


def measure(
    accounts: int = ACCOUNTS,
    campaign: int = CAMPAIGN,
    slots: int = SLOTS,
    part_s: float = PART_S,
    ahead_s: float = AHEAD_S,
) -> Figures:
    """The figures; the sizes are for tests."""
    with open_stores() as stores:

        async def work() -> Figures:
            async with open_engine(stores, slots, answer_s=ANSWER_S) as engine:
                return await _load(engine, accounts, campaign, part_s, ahead_s)

        return {"accounts": accounts, "campaign": campaign, "slots": slots} | run_loop(work())


async def _load(engine: Engine, accounts: int, campaign: int, part_s: float, ahead_s: float) -> Figures:
    dice = Random(SEED)  # noqa: S311 - a load, not a secret
    others = await engine.add_accounts(accounts)
    owners = await engine.add_accounts(ROUNDS)  # a campaign each
    first_ms, part_ms = int((time.time() + ahead_s) * 1000), int(part_s * 1000)
    plain: dict[UUID, int] = {}
    beside: dict[UUID, int] = {}
    campaigns: dict[UUID, int] = {}
    for turn, owner in enumerate(owners):
        begins_ms = first_ms + 2 * turn * part_ms
        plain |= await engine.add_messages(_part(others, begins_ms, part_s, dice))
        beside |= await engine.add_messages(_part(others, begins_ms + part_ms, part_s, dice))
        campaigns |= await engine.add_messages([Due(owner, begins_ms + part_ms)] * campaign)
    ends_s = first_ms / 1000 + 2 * ROUNDS * part_s
    await engine.door.arrived(len(plain) + len(beside) + len(campaigns), ends_s - time.time() + WAIT_S)
    unsettled = await engine.unsettled()
    without, with_it, sent = (outcome(engine.door, dues) for dues in (plain, beside, campaigns))
    return {
        "messages": len(plain) + len(beside),
        **_late(without, ""),
        **_late(with_it, "_with_campaign"),
        "ratio": round(quantile(with_it.late_ms, 0.99) / max(0.001, quantile(without.late_ms, 0.99)), 2),
        "campaign_s": round(quantile(sent.late_ms, 1.0) / 1000, 1),
        "early": sum(late < 0 for late in without.late_ms + with_it.late_ms),
        "lost": without.lost + with_it.lost + sent.lost,
        "duplicates": without.duplicates + with_it.duplicates + sent.duplicates,
        "unsettled": unsettled,
    }


def _part(others: list[Account], begins_ms: int, part_s: float, dice: Random) -> list[Due]:
    return [Due(dice.choice(others), begins_ms + turn * 1000 // PER_S) for turn in range(int(part_s * PER_S))]


def _late(came: Outcome, which: str) -> Figures:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {f"{name}{which}_ms": round(quantile(came.late_ms, share), 2) for name, share in shares.items()}


def main() -> None:
    """The command."""

    def measured(_: argparse.Namespace) -> Figures:
        return measure()

    run(
        "campaign",
        __doc__,
        measured,
        lambda figures: [
            f"{figures['messages']} messages of {figures['accounts']} accounts, {figures['slots']} slots",
            f"without  p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, max {figures['max_ms']} ms late",
            f"beside   p50 {figures['p50_with_campaign_ms']} ms, p99 {figures['p99_with_campaign_ms']} ms,"
            f" max {figures['max_with_campaign_ms']} ms late: {figures['ratio']} times that",
            f"campaign {figures['campaign']} messages of one account in {figures['campaign_s']} s",
            f"books    {figures['lost']} lost, {figures['duplicates']} doubled, {figures['unsettled']} unsettled",
        ],
    )


if __name__ == "__main__":
    main()
