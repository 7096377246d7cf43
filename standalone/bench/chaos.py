"""Whatever breaks, each message arrives once: real sessions while all under them is killed, stopped, emptied, cut off.

The product but its pages, as processes of the bench's own on the simulator, with PostgreSQL and Valkey. Messages leave
over some minutes while faults strike at instants that a seed decides. What has come is what the recipients' phones have
decrypted, and what the product says of each message is held against it. Sends are not spaced (docs/architecture.md).
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from standalone.bench._command import Figures, run
from standalone.bench._engine import quantile, run_loop
from standalone.bench._faults import faults_of
from standalone.bench._people import SQL, Account, Came, People, Planned, open_people
from standalone.bench._product import open_product
from standalone.bench._strikes import Striker
from standalone.running import say

MESSAGES: Final = 1500
FAULTS: Final = 60
ACCOUNTS: Final = 40
RECIPIENTS: Final = 20
FRIENDS: Final = 5
"""How many of them each account writes to."""
SLOTS: Final = 25
SPAN_S: Final = 270.0
"""Over how long messages are due and faults strike."""
STOP_S: Final = 40.0
AHEAD_S: Final = 5.0
SCHEDULED_PER_S: Final = 250.0
"""Messages that can be sealed and stored in a second, before the first is due."""
ENDS_S: Final = 240.0
"""How long after that a message may take to have an end."""
LOOK_S: Final = 0.5
SAID_S: Final = 10.0
SERVICE: Final = {"login_delay_s": 0.2, "login_jitter_s": 0.4, "ack_delay_s": 0.2}
CERTAIN: Final = ("SENT", "DELIVERED", "READ")
WAITING: Final = ("SCHEDULED", "HELD", "BLOCKED", "ARMED", "SENDING")
SHOWN_MAX: Final = 20


def measure(
    seed: int,
    messages: int = MESSAGES,
    faults: int = FAULTS,
    accounts: int = ACCOUNTS,
    recipients: int = RECIPIENTS,
    span_s: float = SPAN_S,
    stop_s: float = STOP_S,
    logs: Path | None = None,
) -> Figures:
    """The figures; the sizes are for tests. `logs`: a folder for the logs of all parts."""
    say(f"seed {seed}: {messages} messages of {accounts} accounts in {span_s:.0f} s, {faults} faults\n")

    async def work() -> Figures:
        begun_s = time.monotonic()
        variables = {"AUTOSENDR_HOT_SLOTS": str(max(5, min(SLOTS, accounts)))}
        async with open_product(variables, logs) as product, open_people(product) as people:
            made = await people.link(accounts, recipients)
            striker = Striker(people, made, stop_s)
            planned, due_s = await _schedule(people, made, seed, messages, span_s)
            (await product.control.post("/settings", json=SERVICE)).raise_for_status()
            await striker.strike(faults_of(seed, faults, span_s), due_s)
            await _ended(people, due_s + span_s)
            figures = await _hold(people, planned)
            taken = striker.taken_up()
            return {
                "seed": seed,
                **figures,
                "recovered_p99_s": round(quantile(taken.after_s, 0.99), 2),
                "recovered": len(taken.after_s),
                "restarts_judged": taken.judged,
                "restarts_disturbed": taken.disturbed,
                "faults": sum(striker.struck.values()),
                "struck": striker.struck,
                "started_again": dict(Counter(start.name for start in product.starts)),
                "minutes": round((time.monotonic() - begun_s) / 60, 1),
            }

    return run_loop(work())


async def _schedule(
    people: People, accounts: list[Account], seed: int, messages: int, span_s: float
) -> tuple[dict[UUID, Planned], float]:
    """Messages at random instants of `span_s`, of accounts and to friends at random; from when on (Unix s)."""
    dice = Random(f"messages of {seed}")  # noqa: S311 - a load, not a secret
    count = min(FRIENDS, len(people.recipients))
    friends = {account.id: dice.sample(people.recipients, count) for account in accounts}
    begun_s = time.time()
    due_s = begun_s + AHEAD_S + messages / SCHEDULED_PER_S
    plans = []
    for number in range(messages):
        account = dice.choice(accounts)
        friend = dice.choice(friends[account.id])
        plans.append(Planned(account, friend, f"message {number}", due_s + dice.uniform(0, span_s)))
    planned = await people.schedule(plans)
    say(f"scheduled {messages} messages in {time.time() - begun_s:.1f} s\n")
    return planned, due_s


async def _ended(people: People, last_due_s: float) -> None:
    """Wait until every message has an end, at most for `ENDS_S` after the last is due (Unix s)."""
    waiting, said_s = 1, 0.0
    while waiting and time.time() < last_due_s + ENDS_S:
        await asyncio.sleep(LOOK_S)
        waiting = await people.asked(lambda: people.store.pool.fetchval(SQL["waiting"]))
        if time.monotonic() - said_s > SAID_S:
            said_s = time.monotonic()
            say(f"{time.time() - last_due_s:6.1f} s after the last is due: {waiting} messages have no end\n")


async def _hold(people: People, planned: dict[UUID, Planned]) -> Figures:
    """What the product says against what the phones have; what does not agree is told whole."""
    rows = await people.asked(lambda: people.store.pool.fetch(SQL["states"]))
    came = await people.came()
    said = {row["id"]: row["state"] for row in rows}
    copies = {one: came.texts[planned[one].text] for one in said}
    states = Counter(said.values())
    silent = [one for one, state in said.items() if state in CERTAIN and not copies[one]]
    waiting = [one for one, state in said.items() if state in WAITING]
    doubled = [one for one in said if copies[one] > 1]
    unsure = [one for one, state in said.items() if state == "UNCONFIRMED"]
    untrue = [one for one, state in said.items() if state in ("FAILED", "MISSED") and copies[one]]
    for words, found in (
        ("said to be sent, not on the phone", silent),
        ("without an end", waiting),
        ("more than once on the phone", doubled),
        ("unconfirmed", unsure),
        ("said not to be sent, on the phone", untrue),
    ):
        await _tell(people, words, found, planned, came)
    late_s = sorted(
        max(0.0, row["left_at"].timestamp() - planned[row["id"]].due_s) for row in rows if row["left_at"] is not None
    )
    return {
        "messages": len(said),
        "lost": len(silent) + len(waiting),
        "duplicates": sum(copies[one] - 1 for one in doubled),
        "unconfirmed": len(unsure),
        "unconfirmed_percent": round(100 * len(unsure) / max(1, len(said)), 2),
        "unconfirmed_came": sum(copies[one] > 0 for one in unsure),
        "waiting": len(waiting),
        "failed": states["FAILED"],
        "missed": states["MISSED"],
        "untrue": len(untrue),
        "unreadable": came.unreadable,
        "late_p50_s": round(quantile(late_s, 0.5), 2),
        "late_p99_s": round(quantile(late_s, 0.99), 2),
    }


async def _tell(people: People, words: str, found: list[UUID], planned: dict[UUID, Planned], came: Came) -> None:
    for message in found[:SHOWN_MAX]:
        plan = planned[message]
        copies = came.texts[plan.text]
        say(f"{words}: {plan.text}, {message} of {plan.account.id} to {plan.recipient}, {copies} on the phone\n")
        for row in await people.store.pool.fetch(SQL["history"], message):
            say(f"    {row['told']}\n")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, help="decides the faults and the messages (default: a random one)")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--faults", type=int, default=FAULTS)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--span", type=float, default=SPAN_S, help="seconds with messages and faults")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of all parts there")


def _measure(options: Any) -> Figures:
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    return measure(seed, options.messages, options.faults, options.accounts, span_s=options.span, logs=options.logs)


def _lines(figures: Figures) -> list[str]:
    return [
        f"seed {figures['seed']}: {figures['messages']} messages, {figures['faults']} faults, {figures['minutes']} min",
        f"phones      {figures['lost']} lost, {figures['duplicates']} doubled",
        f"in doubt    {figures['unconfirmed']} ({figures['unconfirmed_percent']} %), of which"
        f" {figures['unconfirmed_came']} came; {figures['failed']} failed, {figures['missed']} missed",
        f"supervisor  99 in 100 of what it had in hand taken up {figures['recovered_p99_s']} s after its next launch"
        f" ({figures['recovered']} accounts, {figures['restarts_judged']} restarts)",
        f"late        p50 {figures['late_p50_s']} s, p99 {figures['late_p99_s']} s",
    ]


def main() -> None:
    """The command."""
    run("chaos", __doc__, _measure, _lines, _arguments)


if __name__ == "__main__":
    main()
