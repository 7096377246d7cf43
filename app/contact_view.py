"""Contacts as searches show them: pure."""

import hashlib
from typing import Final
from urllib.parse import quote, urlencode

from app.views import ContactList, ContactRow
from domain import draft, limits
from domain.account import Link
from domain.finding import Search, marked, read_search
from domain.naming import digits_of, number_name
from domain.refusal import Refused
from store.pages import Account, Contact

FACES: Final = 4
SHOWN_DIGITS: Final = 4
NUMBER_DIGITS_MIN: Final = 8
"""Shorter ones are numbers that somebody is still typing."""
NOTHING_SOUGHT: Final = Search()

_LINKED: Final = (Link.LINKED, Link.BANNED, Link.LOCKED)
NEVER_WROTE: Final = "never wrote to you"


def contact_row(account: str, contact: Contact, search: Search = NOTHING_SOUGHT) -> ContactRow:
    """A person or group of `account`, the part of the name that was looked for marked."""
    reach = reach_of(contact)
    name = contact.name
    if is_nameless(contact) and digits_of(contact.jid) != search.number:
        name = masked(contact.jid)
    return ContactRow(
        jid=contact.jid,
        key=key_of(contact.jid),
        kind=contact.kind,
        name=name,
        marks=marked(name, search),
        line=_line(contact, reach),
        reach=reach,
        initials=initials(contact.name),
        face=face(contact.jid),
        picture=picture_url(account, contact.jid, contact.picture_id),
        can_send=contact.can_send,
    )


def number_row(text: str, own: str = "") -> ContactRow | None:
    """A row for a typed phone number, None for anything else. Without its country code it is of the country of `own`.

    `own`: international digits of whoever types.
    """
    number = text.strip()
    if not number.startswith(("+", "0")):
        number = f"+{number}"
    elif number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        digits = draft.phone(number, draft.region_of(own))
    except Refused:
        return None
    if len(digits) < NUMBER_DIGITS_MIN:
        return None
    jid = f"{digits}@s.whatsapp.net"
    return ContactRow(
        jid=jid,
        key=key_of(jid),
        kind="person",
        name=number_name(jid),
        marks=[(number_name(jid), False)],
        line="not among your contacts",
        reach="cold",
        initials="#",
        face=face(jid),
        picture="",
        can_send=True,
    )


def contact_list(account: Account, query: str, found: list[Contact], *, pages: int, choosing: bool) -> ContactList:
    """What `query` found: one row more than is shown, if there is more. `choosing`: only whom one can write to."""
    search, identity = read_search(query), str(account.id)
    most = limits.SEARCH_RESULTS_MAX if choosing else pages * limits.PAGE_ROWS_MAX
    rows = [contact_row(identity, one, search) for one in found[:most] if one.can_send or not choosing]
    number = number_row(query, account.phone) if search.number else None
    if number and any(one.jid == number.jid for one in found):
        number = None
    over = len(found) > most
    linked = account.link in _LINKED
    synced = account.names_synced_at is not None
    return ContactList(
        account=identity,
        query=query,
        rows=rows,
        number=number,
        said=_said(account, query, len(rows) + (number is not None), over=over, choosing=choosing),
        pages=pages,
        more=over and pages < limits.CONTACT_PAGES_MAX,
        cut=over and pages >= limits.CONTACT_PAGES_MAX,
        linked=linked,
        synced=synced,
        arriving=linked and not synced,
    )


def _said(account: Account, query: str, shown: int, *, over: bool, choosing: bool) -> str:
    if query or choosing:
        if not shown:
            return "Nobody by that name." if query else "No names here."
        if over:
            return f"The first {shown}; type more to find others." if choosing else f"More than {shown} found."
        return f"{shown} found."
    if account.link in _LINKED and account.names_synced_at is None:
        return f"Names arrive: {account.contacts:,} so far"
    return f"{account.contacts:,} people and groups" if account.contacts else ""


def reach_of(contact: Contact) -> str:
    """How readily WhatsApp lets a message through: warm where one has written, cool for a name that one knows."""
    if contact.established:
        return "warm"
    return "cold" if is_nameless(contact) else "cool"


def key_of(jid: str) -> str:
    """A JID as the id of an element: letters, digits and dashes."""
    return "".join(sign if sign.isalnum() else "-" for sign in jid)


def is_nameless(contact: Contact) -> bool:
    """Whether all that is known of somebody is a number."""
    return contact.kind == "person" and contact.name == number_name(contact.jid)


def masked(jid: str) -> str:
    """A number with its middle hidden: enough to tell two people of one name apart. "" for what has no number."""
    digits = digits_of(jid)
    if not digits:
        return ""
    country = draft.country_code(digits)
    return f"+{country} •••• {digits[-SHOWN_DIGITS:]}" if country else f"•••• {digits[-SHOWN_DIGITS:]}"


def initials(name: str) -> str:
    """Up to two first letters."""
    found = [word[0].upper() for word in name.split() if word[0].isalpha()]
    return "".join(found[:1] + found[1:][-1:]) or "#"


def face(jid: str) -> int:
    """Which of the quiet colour pairs a person without a photo gets: always the same."""
    return hashlib.sha256(jid.encode()).digest()[0] % FACES


def picture_url(account: str, jid: str, picture_id: str) -> str:
    """Where a picture is; the address changes with the picture. "" when there is none."""
    return f"/accounts/{account}/contacts/{quote(jid)}/picture?{urlencode({'v': picture_id})}" if picture_id else ""


def _line(contact: Contact, reach: str) -> str:
    if contact.kind == "group":
        people = "1 person" if contact.members == 1 else f"{contact.members} people"
        return f"group, {people}" if contact.can_send else "group, only its admins write"
    return NEVER_WROTE if reach == "cold" else masked(contact.jid)
