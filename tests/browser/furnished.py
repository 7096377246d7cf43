"""Somebody's data in every state, as rows, so that each page has something to show."""

from uuid import uuid4

from domain.message import MessageState
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
_REASONS = {
    MessageState.BLOCKED: "logged_out",
    MessageState.MISSED: "too_late",
    MessageState.FAILED: "not_on_whatsapp",
    MessageState.UNCONFIRMED: "no_acknowledgement",
    MessageState.CANCELLED: "by_user",
}
_LEFT = (MessageState.SENT, MessageState.DELIVERED, MessageState.READ)


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
        message = add_message(database, account, PEOPLE[turn % len(PEOPLE)][0], f"interval '{20 + 37 * turn} minutes'")
        ids.setdefault("to_come", message)
    for turn, state in enumerate(MessageState):
        before = state in (MessageState.SCHEDULED, MessageState.HELD, MessageState.BLOCKED, MessageState.CANCELLED)
        due = f"interval '{5 + turn} minutes' * {1 if before else -1}"
        ids[state] = add_message(database, account, PEOPLE[turn % len(PEOPLE)][0], due, state)
    return ids


def add_message(
    database: Database, account: str, recipient: str, due: str, state: MessageState = MessageState.SCHEDULED
) -> str:
    """Insert a schedule with one message due at now plus the SQL interval `due`; return the message."""
    schedule, message = str(uuid4()), str(uuid4())
    user = database.run(f"SELECT user_id FROM accounts WHERE id = '{account}'")
    database.run(
        "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s,"
        f" content_key, body) VALUES ('{schedule}', '{user}', '{account}', '{recipient}', 'Europe/London', 7200,"
        " 'demo', 4000000000, 'key', decode(repeat('00', 84), 'hex'))"
    )
    stamp = f"now() + {due} + interval '31 milliseconds'"
    sent = stamp if state in _LEFT else "NULL"
    database.run(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state, reason,"
        f" wa_id, sent_at, delivered_at, read_at) VALUES ('{message}', '{schedule}', 1, '{user}', '{account}',"
        f" '{recipient}', now() + {due}, '{state}', '{_REASONS.get(state, '')}', '{'3EB0' if state in _LEFT else ''}',"
        f" {sent}, {sent if state in _LEFT[1:] else 'NULL'}, {sent if state is MessageState.READ else 'NULL'})"
    )
    events = {"SENT": ["accepted"], "DELIVERED": ["accepted", "delivered"], "READ": ["accepted", "delivered", "read"]}
    for turn, event in enumerate(["created", *events.get(state, [])]):
        database.run(
            f"INSERT INTO changes (message_id, at, event) VALUES ('{message}', now() + {due} +"
            f" interval '{turn} seconds' - interval '{0 if turn else 3600} seconds', '{event}')"
        )
    return message
