"""What ten time zones want sent in a day, and how sessions behave: the load that `day` replays.

Three messages a day and account. Three in ten of the instants are round hours, and half of these are nine in the
morning, local time; the rest are whole minutes from 8 to 22 h. One account in five sends its three at one instant. With
windows, four messages in five may leave within five minutes; the others stay exact.
"""

import itertools
from random import Random
from typing import Final

import msgspec

from domain import limits

ZONES: Final = (
    (5.5, 18),  # India
    (-3.0, 20),  # Brazil
    (7.0, 12),  # Jakarta
    (1.0, 12),  # Lagos, Berlin in winter
    (-6.0, 10),  # Mexico
    (3.0, 8),  # Istanbul
    (5.0, 6),  # Karachi
    (0.0, 5),  # London
    (-5.0, 5),  # New York
    (4.0, 4),  # Dubai
)
"""Hours east of Greenwich and percent of the accounts. Assumed: nobody publishes when people have messages sent."""

MESSAGES_PER_DAY: Final = 3
ROUND_HOURS: Final = 0.3
NINE_OF_ROUND: Final = 0.5
BATCHES: Final = 0.2
FIRST_HOUR: Final = 8
LAST_HOUR: Final = 22
NINE_MIN: Final = 9 * 60
WINDOWED: Final = 0.8
WINDOW_MS: Final = 300_000
DAY_MIN: Final = 24 * 60

CONNECT_S: Final = (1.0, 3.0)
SEND_S: Final = (0.2, 0.8)
CLOSE_S: Final = 0.2

RECEIPT_SOON: Final = 0.77
"""Share of messages whose delivery receipt comes while we linger: the recipient's phone is online. Assumed."""
RECEIPT_S: Final = (0.2, 1.5)
FIRST_CONTACTS: Final = 0.03
"""Share of messages to somebody who was never written to: these linger longest. Assumed."""


class Message(msgspec.Struct, frozen=True):
    """May leave from `due_ms` to `latest_ms` (ms since midnight UTC; equal: exactly then)."""

    due_ms: int
    latest_ms: int


def day(accounts: int, *, windows: bool, dice: Random) -> list[list[Message]]:
    """The messages of each account in one day, by due instant."""
    offsets = [hours for hours, _ in ZONES]
    bounds = list(itertools.accumulate(percent for _, percent in ZONES))
    chosen = dice.choices(offsets, cum_weights=bounds, k=accounts)
    return [_messages(hours, windows=windows, dice=dice) for hours in chosen]


def linger_s(dice: Random) -> float:
    """How long a session stays after a send: the product's rules over the recipients assumed above."""
    kind = dice.random()
    if kind < FIRST_CONTACTS:
        return limits.LINGER_FIRST_CONTACT_S
    if kind < FIRST_CONTACTS + RECEIPT_SOON:
        return dice.uniform(*RECEIPT_S) + limits.LINGER_QUIET_S
    return limits.LINGER_S


def mean_linger_s() -> float:
    """The mean of `linger_s`."""
    slow = 1 - FIRST_CONTACTS - RECEIPT_SOON
    soon_s = sum(RECEIPT_S) / 2 + limits.LINGER_QUIET_S
    return FIRST_CONTACTS * limits.LINGER_FIRST_CONTACT_S + RECEIPT_SOON * soon_s + slow * limits.LINGER_S


def _messages(hours: float, *, windows: bool, dice: Random) -> list[Message]:
    if dice.random() < BATCHES:
        minutes = [_minute(dice)] * MESSAGES_PER_DAY
    else:
        minutes = [_minute(dice) for _ in range(MESSAGES_PER_DAY)]
    messages = []
    for minute in minutes:
        due_ms = int((minute - hours * 60) % DAY_MIN) * 60_000
        window_ms = WINDOW_MS if windows and dice.random() < WINDOWED else 0
        messages.append(Message(due_ms, due_ms + window_ms))
    return sorted(messages, key=lambda message: message.due_ms)


def _minute(dice: Random) -> int:
    """The minute of the local day that somebody picks."""
    if dice.random() < ROUND_HOURS:
        return NINE_MIN if dice.random() < NINE_OF_ROUND else 60 * dice.randrange(FIRST_HOUR, LAST_HOUR)
    return dice.randrange(FIRST_HOUR * 60, LAST_HOUR * 60)
