"""Which pictures there are, and how their files are called."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from standalone.home import REPOSITORY

Theme = Literal["light", "dark"]

FOLDER: Final = REPOSITORY / "docs" / "screens"
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
SIZES: Final = ((390, 844), (1280, 800))
"""A phone and a small laptop, in CSS pixels; a page that is longer makes its picture longer."""

PICTURES: Final[Mapping[str, str]] = {
    "landing": "The first page of somebody new.",
    "sign-in": "Sign in by e-mail.",
    "sign-in-code": "The six digits are in the mail.",
    "sign-in-wrong-code": "Six other digits.",
    "mailbox": "The mails of a demo.",
    "today-empty": "Signed in, no phone linked yet.",
    "today-linked": "Linked, nothing scheduled yet.",
    "compose-empty": "Nothing written yet.",
    "compose-filled": "Written, with what they see and when it leaves.",
    "compose-error": "A time that is gone.",
    "compose-recovery": "The recovery code, shown once.",
    "phones": "The simulated phones of a demo.",
    "phone": "One of them, with what arrived.",
    "phone-scans": "A code is about to be scanned.",
    "today-busy": "A day with what has left, what leaves next and what follows.",
    "today-whole": "The same, down to its foot.",
    "today-sending": "One is leaving.",
    "message-sending": "The same on its own page.",
    "today-missed": "One was too late today.",
    "history": "What has left, what has not, and what needs somebody.",
    "message-scheduled": "It waits, and will leave.",
    "message-sent": "WhatsApp has it.",
    "message-delivered": "It is on their phone.",
    "message-read": "They have read it.",
    "message-unconfirmed": "Nobody knows whether it left.",
    "message-missed": "It was too late.",
    "message-cancelled": "Just cancelled, with the way back.",
    "today-blocked": "WhatsApp unlinked the phone: nothing leaves.",
    "message-blocked": "The same on a message's page.",
    "account-unlinked": "The same on the account's page.",
    "people": "Whom one can write to.",
    "find": "Find or do, from anywhere.",
    "compose-stranger": "To somebody who is no contact: once for each, one says that one means it.",
    "edit": "Another text.",
    "move": "Another time.",
    "recovery": "Where the recovery code stands.",
    "account": "The account: its phone, its record, where one is signed in, settings.",
    "unlink": "Unlink the phone, after a question.",
    "zone": "Another time zone.",
    "delete": "Delete everything, after a word.",
    "not-found": "A page that is not there.",
    "message-sealed": "A second browser, without the key: the text stays closed.",
    "recovery-entry": "The recovery code is entered there.",
    "goodbye": "Everything is deleted.",
    "link-first": "Link a phone: what that is.",
    "link-asking": "WhatsApp is asked for a code.",
    "link-qr": "A code to scan, and how.",
    "link-typed": "A code to type on the phone.",
    "link-expired": "Nobody scanned the codes in time.",
    "link-refused": "WhatsApp refused.",
    "link-passkey": "WhatsApp asked for a passkey.",
    "link-progress": "The phone was found.",
    "link-names": "Names arrive.",
    "link-ready": "Linked.",
    "engine": "The engine room, for admins.",
}
"""Name and what is to be seen, in the order in which a person comes by."""
WINDOWS: Final = frozenset({"today-busy", "today-sending", "today-missed", "today-blocked", "find"})
"""Pictures of what a window shows, however long the page is."""


def files_of(name: str) -> Iterator[tuple[str, int, int, Theme]]:
    """Yield the files of a picture: the file's name, width and least height in CSS pixels, theme."""
    for width, height in SIZES:
        for theme in THEMES:
            yield f"{name}-{width}-{theme}.png", width, height, theme


def every_file() -> list[str]:
    """Return the names of all files that the folder holds."""
    return [file for name in PICTURES for file, *_ in files_of(name)]
