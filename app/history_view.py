"""What has left or ended, grouped by day, newest first: pure, from rows to words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from app.message_view import message_row
from app.upcoming_view import named_day
from app.views import MessageRow
from domain.message import MessageState
from store.pages import Message

_S = MessageState
SEPARATOR: Final = "_"


class Show(StrEnum):
    """Which part of the history is shown."""

    ALL = "all"
    NEEDS_YOU = "needs-you"
    SENT = "sent"
    NOT_SENT = "not-sent"


STATES: Final[dict[Show, tuple[MessageState, ...]]] = {
    Show.ALL: (_S.SENT, _S.DELIVERED, _S.READ, _S.UNCONFIRMED, _S.MISSED, _S.FAILED, _S.CANCELLED),
    Show.NEEDS_YOU: (_S.UNCONFIRMED, _S.MISSED, _S.FAILED),
    Show.SENT: (_S.SENT, _S.DELIVERED, _S.READ),
    Show.NOT_SENT: (_S.MISSED, _S.FAILED, _S.CANCELLED),
}

WORDS: Final[dict[Show, str]] = {
    Show.ALL: "All",
    Show.NEEDS_YOU: "Needs you",
    Show.SENT: "Sent",
    Show.NOT_SENT: "Not sent",
}

EMPTY: Final[dict[Show, tuple[str, str]]] = {
    Show.ALL: ("Nothing has left yet", "What you schedule shows here once it has left, with how it went."),
    Show.NEEDS_YOU: ("Nothing needs you", "What is uncertain, missed or could not be sent shows here."),
    Show.SENT: ("Nothing was sent yet", "What has left shows here, with when it arrived."),
    Show.NOT_SENT: ("Everything left", "What you cancelled, and what could not leave, shows here."),
}


class HistoryDay(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one day. `note`: the date under a title like Yesterday."""

    title: str
    note: str
    rows: list[MessageRow]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The page. `views`: words, address, whether it is this one. `more` "" at the end; `older`: not the first page."""

    address: str
    views: list[tuple[str, str, bool]]
    days: list[HistoryDay]
    more: str
    older: bool
    nothing: tuple[str, str]


def history(show: Show, after: str, messages: Sequence[Message], limit: int, zone: ZoneInfo, now: datetime) -> History:
    """The page of `messages`, of which one more than `limit` says that there is more."""
    shown = messages[:limit]
    today = now.astimezone(zone).date()
    days = []
    for day, found in groupby(shown, key=lambda one: one.due_at.astimezone(zone).date()):
        title, note = named_day(day, today)
        days.append(HistoryDay(title=title, note=note, rows=[message_row(one, zone, now) for one in found]))
    return History(
        address=address(show, after),
        views=[(WORDS[one], address(one), one is show) for one in Show],
        days=days,
        more=address(show, _place(shown[-1])) if len(messages) > limit else "",
        older=bool(after),
        nothing=EMPTY[show],
    )


def address(show: Show, after: str = "") -> str:
    """Where a view of the history is, from a place on."""
    asked = {"show": str(show)} if show is not Show.ALL else {}
    if after:
        asked["after"] = after
    return "/history" + (f"?{urlencode(asked)}" if asked else "")


def _place(message: Message) -> str:
    return f"{message.due_at.astimezone(UTC).isoformat().replace('+00:00', 'Z')}{SEPARATOR}{message.id}"
