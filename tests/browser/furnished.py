"""Somebody's data in every state, as rows, so that each page has something to show."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.message import MessageState
from standalone.screens.rows import bring_to
from tests.app.composer import new_account
from tests.app.conftest import Browser, Database

OWN_PHONE = "447700900001"
PEOPLE = [
    ("447700900002@s.whatsapp.net", "Grandma"),
    ("5511987654321@s.whatsapp.net", "Rafael Dias"),
    ("351912345678@s.whatsapp.net", "Mãe"),
    ("447700900004@s.whatsapp.net", "Dr. Okafor's practice"),
    ("491510000009@s.whatsapp.net", "Wolfeschlegelsteinhausenbergerdorff, Hubert"),
    ("966500000001@s.whatsapp.net", "سارة"),
    ("120363000000000001@g.us", "Studio Team 🎬"),
]
MORE_PEOPLE = 120
TO_COME = 50


def furnish(browser: Browser, database: Database) -> dict[str, str]:
    """Link an account, add people, messages to come and one in each state; return ids: account, and per state."""
    account = new_account(browser)
    database.link(account, OWN_PHONE)
    for jid, name in PEOPLE:
        database.add_contact(account, jid, name.replace("'", "''"))
    for number in range(MORE_PEOPLE):
        database.add_contact(account, f"4477009{number + 1000:05}@s.whatsapp.net", f"Person {number:03}")
    database.run(f"UPDATE accounts SET contacts = {len(PEOPLE) + MORE_PEOPLE} WHERE id = '{account}'")
    ids = {"account": account}
    for turn in range(TO_COME):
        message = add_message(database, account, PEOPLE[turn % len(PEOPLE)][0], 20 + 37 * turn)
        ids.setdefault("to_come", message)
    for turn, state in enumerate(MessageState):
        before = state in (MessageState.SCHEDULED, MessageState.HELD, MessageState.BLOCKED, MessageState.CANCELLED)
        minutes = (5 + turn) * (1 if before else -1)
        ids[state] = add_message(database, account, PEOPLE[turn % len(PEOPLE)][0], minutes, state)
    return ids


def add_message(
    database: Database, account: str, recipient: str, minutes: float, state: MessageState = MessageState.SCHEDULED
) -> str:
    """Insert a schedule with one message that is due in so many minutes, in `state`; return the message."""
    schedule, message = str(uuid4()), str(uuid4())
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{account}'")
    database.run(
        "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
        f" content_key, body) VALUES ('{schedule}', '{user}', '{account}', '{recipient}', 'Europe/London', 7200,"
        " 'demo', 4000000000, 'key', decode(repeat('00', 84), 'hex'))"
    )
    database.run(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at) VALUES"
        f" ('{message}', '{schedule}', 1, '{user}', '{account}', '{recipient}', now())"
    )
    bring_to(database.run, message, state, datetime.now(UTC) + timedelta(minutes=minutes))
    return message
