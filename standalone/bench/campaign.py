"""A campaign of one account beside the messages of many others: how late are theirs, with it and without.

Real PostgreSQL, real Redis, the product's supervisor, a slot for each account, so that they have the engine to share;
an enclave that takes a moment for each send and does nothing. All are awake. Who gives way where slots are few is tried
by tests/standalone/test_day.py. Parts without and with a campaign take turns, so that both meet what else there is.
Nothing is spaced (docs/architecture.md), so the campaign sends as fast as its one session can.
"""

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
PER_S: Final = 50
PART_S: Final = 60.0
ROUNDS: Final = 2
WARM_S: Final = 5.0
"""In which all are woken, and once more as long until the first part."""
ANSWER_S: Final = 0.02
"""What the enclave takes for a send: a campaign of 2,000 fills most of a part. On the real net it is ten times that."""
AHEAD_S: Final = limits.LOOK_AHEAD_S + 5.0
WAIT_S: Final = 60.0
SEED: Final = 1


def measure(
    accounts: int = ACCOUNTS,
    campaign: int = CAMPAIGN,
    rounds: int = ROUNDS,
    part_s: float = PART_S,
    warm_s: float = WARM_S,
    ahead_s: float = AHEAD_S,
) -> Figures:
    """The figures; the sizes are for tests."""
    with open_stores() as stores:

        async def work() -> Figures:
            async with open_engine(stores, accounts + rounds, answer_s=ANSWER_S) as engine:
                return await _load(engine, accounts, campaign, rounds, part_s, warm_s, ahead_s)

        return {"accounts": accounts, "campaign": campaign} | run_loop(work())


async def _load(
    engine: Engine, accounts: int, campaign: int, rounds: int, part_s: float, warm_s: float, ahead_s: float
) -> Figures:
    dice = Random(SEED)  # noqa: S311 - a load, not a secret
    others = await engine.add_accounts(accounts)
    owners = await engine.add_accounts(rounds)  # a campaign each
    warm_ms = int((time.time() + ahead_s) * 1000)
    awake = [*others, *owners]
    warm_step_ms = warm_s * 1000 / len(awake)
    warm = [Due(owner, warm_ms + int(turn * warm_step_ms)) for turn, owner in enumerate(awake)]
    warmed = await engine.add_messages(warm)
    first_ms, part_ms = warm_ms + int(2 * warm_s * 1000), int(part_s * 1000)
    plain: dict[UUID, int] = {}
    beside: dict[UUID, int] = {}
    campaigns: dict[UUID, int] = {}
    for turn, owner in enumerate(owners):
        begins_ms = first_ms + 2 * turn * part_ms
        plain |= await engine.add_messages(_part(others, begins_ms, part_s, dice))
        beside |= await engine.add_messages(_part(others, begins_ms + part_ms, part_s, dice))
        campaigns |= await engine.add_messages([Due(owner, begins_ms + part_ms)] * campaign)
    ends_s = first_ms / 1000 + 2 * rounds * part_s
    await engine.door.arrived(len(warmed) + len(plain) + len(beside) + len(campaigns), ends_s - time.time() + WAIT_S)
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

    run(
        "campaign",
        __doc__,
        lambda options: measure(rounds=options.rounds),
        lambda figures: [
            f"{figures['messages']} messages of {figures['accounts']} accounts",
            f"without  p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, max {figures['max_ms']} ms late",
            f"beside   p50 {figures['p50_with_campaign_ms']} ms, p99 {figures['p99_with_campaign_ms']} ms,"
            f" max {figures['max_with_campaign_ms']} ms late: {figures['ratio']} times that",
            f"campaign {figures['campaign']} messages of one account in {figures['campaign_s']} s",
            f"books    {figures['lost']} lost, {figures['duplicates']} doubled, {figures['unsettled']} unsettled",
        ],
        lambda parser: parser.add_argument("--rounds", type=int, default=ROUNDS, help="parts with a campaign"),
    )


if __name__ == "__main__":
    main()
