"""What the palette finds: people, messages, things to do. Pure."""

from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from app.clock import moment, within
from app.message_view import name_of
from app.words import STATUS
from domain.finding import Search
from domain.message import MessageState
from domain.naming import fold
from store.pages import Message
from store.upcoming import Found as Person


class FoundRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: `when` a time of day, `press` the shortcut, `act` what script does with it ("" : go there)."""

    id: str
    href: str
    icon: str
    title: str
    when: str = ""
    line: str = ""
    press: tuple[str, ...] = ()
    act: str = ""


class FoundGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Things of one kind."""

    title: str
    rows: list[FoundRow]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found, empty groups left out."""

    query: str
    groups: list[FoundGroup]


DO: Final = (
    FoundRow(id="do-write", href="/schedules/new", icon="pencil", title="Write a message", press=("N",)),
    FoundRow(id="do-upcoming", href="/today", icon="clock", title="Go to Upcoming", press=("G", "U")),
    FoundRow(id="do-history", href="/history", icon="history", title="Go to History", press=("G", "H")),
    FoundRow(id="do-people", href="/contacts", icon="users", title="Go to People", press=("G", "P")),
    FoundRow(id="do-account", href="/accounts", icon="smartphone", title="Go to Account", press=("G", "A")),
    FoundRow(id="do-link", href="/accounts", icon="qr-code", title="Link a phone"),
    FoundRow(id="do-keys", href="/find#keys", icon="keyboard", title="Show the keys", press=("?",), act="keys"),
)
"""Everything that can be done from anywhere."""


def found(
    query: str, search: Search, people: list[Person], messages: list[Message], zone: ZoneInfo, now: datetime
) -> Found:
    """What was found, in the palette's order. Without a query: what can be done."""
    groups = [
        FoundGroup(title="People", rows=[_person(one) for one in people]),
        FoundGroup(title="Messages", rows=[_message(one, zone, now) for one in messages]),
        FoundGroup(title="Do", rows=[row for row in DO if all(word in fold(row.title) for word in search.words)]),
    ]
    return Found(query=query, groups=[group for group in groups if group.rows])


def _person(one: Person) -> FoundRow:
    group = one.kind == "group"
    return FoundRow(
        id=f"p-{one.account_id}-{one.jid.partition('@')[0]}",
        href=f"/schedules/new?{urlencode({'account': str(one.account_id), 'to': one.jid})}",
        icon="users" if group else "user",
        title=one.name,
        line="only its admins write" if not one.can_send else "write to them",
    )


def _message(one: Message, zone: ZoneInfo, now: datetime) -> FoundRow:
    due = moment(one.due_at, zone, now)
    icon, word, _ = STATUS[one.state]
    waits = one.state is MessageState.SCHEDULED
    return FoundRow(
        id=f"f-{one.id}",
        href=f"/messages/{one.id}",
        icon="clock" if waits or icon.startswith("lamp-") else icon,
        title=f"{name_of(one)}, {within(due.day)}",
        when=due.time,
        line="" if waits else word.lower(),
    )
