"""Contacts as searches show them: pure."""

import hashlib
from typing import Final

from app.views import ContactRow
from domain import draft
from domain.refusal import Refused
from store.pages import Contact

FACES: Final = 4
SHOWN_DIGITS: Final = 4


def contact_row(contact: Contact) -> ContactRow:
    """A person or group."""
    if contact.kind == "group":
        line = f"group, {contact.members} people" if contact.can_send else "group, only its admins write"
    else:
        line = masked(contact.jid)
    return ContactRow(
        jid=contact.jid,
        kind=contact.kind,
        name=contact.name,
        line=line,
        initials=initials(contact.name),
        face=face(contact.jid),
        can_send=contact.can_send,
    )


def number_row(text: str) -> ContactRow | None:
    """A row for a typed phone number with its country code, None for anything else."""
    try:
        digits = draft.phone(text if text.strip().startswith("+") else f"+{text.strip()}")
    except Refused:
        return None
    jid = f"{digits}@s.whatsapp.net"
    return ContactRow(
        jid=jid, kind="person", name=f"+{digits}", line="a number", initials="+", face=face(jid), can_send=True
    )


def masked(jid: str) -> str:
    """A number with its middle hidden: enough to tell two people of one name apart."""
    digits = jid.partition("@")[0]
    return f"+{digits[:2]} •••• {digits[-SHOWN_DIGITS:]}"


def initials(name: str) -> str:
    """Up to two first letters."""
    found = [word[0].upper() for word in name.split() if word[0].isalpha()]
    return "".join(found[:1] + found[1:][-1:]) or "#"


def face(jid: str) -> int:
    """Which of the quiet colour pairs a person without a photo gets: always the same."""
    return hashlib.sha256(jid.encode()).digest()[0] % FACES
