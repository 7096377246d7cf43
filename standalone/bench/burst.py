"""Many messages due at one instant: how long until the last has left, into an enclave that does nothing.

As many accounts as one node may have awake, with a share of the messages each; an account sends one after the other,
and each send passes the gate and is in the books, with its store, before the next of its account. The limit measured
beside it, before and after: the same rows written by two statements for each batch, and nothing else.
"""

import argparse
import time
from typing import Final

import msgspec

from domain import limits
from enclave.wire.answers import Sent
from enclave.wire.operations import Send
from enclave.wire.sealing import Binding
from standalone.bench._command import Figures, run
from standalone.bench._engine import BODY, RECIPIENT, SQL, Due, Engine, open_engine, outcome, run_loop
from standalone.bench._null_door import NullDoor
from standalone.bench._stores import open_stores
from store.database import new_id, new_secret, transaction

MESSAGES: Final = 10_000
ACCOUNTS: Final = limits.HOT_SLOTS_MAX
AHEAD_S: Final = limits.LOOK_AHEAD_S + 5.0
"""From the writing of the rows to the instant: time to find them, to wake the accounts, to have all in hand."""
WAIT_S: Final = 120.0
FAR_S: Final = 10 * 24 * 3600


def measure(messages: int = MESSAGES, accounts: int = ACCOUNTS, ahead_s: float = AHEAD_S) -> Figures:
    """The figures; the sizes are for tests."""
    with open_stores() as stores:

        async def work() -> Figures:
            async with open_engine(stores, accounts) as engine:
                before_s = await _least(engine, messages, accounts)
                figures = await _burst(engine, messages, accounts, ahead_s)
                limit_s = (before_s + await _least(engine, messages, accounts)) / 2
            return figures | {"limit_s": round(limit_s, 3), "ratio": round(figures["drain_s"] / limit_s, 2)}

        return run_loop(work())


async def _burst(engine: Engine, messages: int, accounts: int, ahead_s: float) -> Figures:
    owners = await engine.add_accounts(accounts)
    due_ms = int((time.time() + ahead_s) * 1000)
    dues = await engine.add_messages(Due(owners[turn % accounts], due_ms) for turn in range(messages))
    first = len(engine.door.arrivals)
    await engine.door.arrived(first + messages, due_ms / 1000 - time.time() + WAIT_S)
    unsettled = await engine.unsettled()
    settled_s = time.time() - due_ms / 1000
    came = outcome(engine.door, dues)
    return {
        "messages": messages,
        "accounts": accounts,
        "drain_s": round(came.late_ms[-1] / 1000, 3) if came.late_ms else WAIT_S,
        "early": sum(late < 0 for late in came.late_ms),
        "lost": came.lost,
        "duplicates": came.duplicates,
        "unsettled": unsettled,
        "settled_s": round(settled_s, 2),
    }


async def _least(engine: Engine, messages: int, accounts: int) -> float:
    """Seconds for the same work on the same rows by the fewest statements, one connection, no timers, no actors."""
    owners = await engine.add_accounts(accounts)
    far_ms = int((time.time() + FAR_S) * 1000)
    await engine.add_messages(Due(owners[turn % accounts], far_ms) for turn in range(messages))
    door = NullDoor()
    rows = await engine.store.pool.fetch(SQL["waiting"])
    begun_s = time.perf_counter()
    for version, start in enumerate(range(0, len(rows), accounts), 1):
        batch = rows[start : start + accounts]
        ids, whose = [row["id"] for row in batch], [row["account_id"] for row in batch]
        attempts = [new_id() for _ in batch]
        async with transaction(engine.store.pool) as connection:
            await connection.execute(SQL["least_begin"], ids, whose, attempts, [new_secret() for _ in batch])
        sent = [await door.call(_send(str(account)), 1.0) for account in whose]
        stored = [one.store for one in sent if isinstance(one, Sent)]
        wa_ids = [one.wa_id for one in sent if isinstance(one, Sent)]
        async with transaction(engine.store.pool) as connection:
            envelopes = [msgspec.json.encode(store).decode() for store in stored]
            await connection.execute(SQL["least_end"], ids, whose, attempts, wa_ids, envelopes, version)
    return time.perf_counter() - begun_s


def _send(account: str) -> Send:
    binding = Binding(environment="local", account=account, schedule=str(new_id()), recipient_hash="", not_after_s=0)
    return Send(
        account=account,
        epoch=0,
        attempt=str(new_id()),
        secret=bytes(32),
        recipient=RECIPIENT,
        binding=binding,
        content_key=b"key",
        body=BODY,
    )


def main() -> None:
    """The command."""

    def measured(_: argparse.Namespace) -> Figures:
        return measure()

    run(
        "burst",
        __doc__,
        measured,
        lambda figures: [
            f"{figures['messages']} messages of {figures['accounts']} accounts due at one instant",
            f"gone   {figures['drain_s']} s after it; in the books {figures['settled_s']} s after it",
            f"limit  {figures['limit_s']} s for the same rows in batches: {figures['ratio']} times that",
            f"books  {figures['lost']} lost, {figures['duplicates']} doubled, {figures['unsettled']} unsettled",
        ],
    )


if __name__ == "__main__":
    main()
