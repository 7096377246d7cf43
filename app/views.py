"""What templates get: frozen structs of words and numbers that may be shown. No rows, no keys, no secrets."""

import msgspec

from app.clock import Moment
from app.day_line import DayLine


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What is around every page. `user` (an id) and `email` "" when nobody is signed in; `here`: the place in the
    navigation.

    `theme`: light, dark, or "" for the system's. `letter_keys`: single letters are shortcuts.
    `phones_url`: where the simulated phones of a demo are, "" outside.
    `now`: the server's clock (ISO), by which the page counts.
    """

    csrf: str
    user: str
    email: str
    here: str
    theme: str
    mailbox: bool
    phones_url: str
    letter_keys: bool = True
    now: str = ""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why something did not happen. `number` is for the operator's log.

    As a page it has a `title`, and one `way` on with the words `way_on`.
    """

    status: int
    code: str
    field: str
    sentence: str
    number: str = ""
    title: str = ""
    way: str = "/"
    way_on: str = ""


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """The landing page. `attested`: the enclave proves what it is. `warn_days`: when we tell of an absent phone."""

    attested: bool
    warn_days: int
    day: DayLine


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The form for an address."""

    email: str = ""
    error: str = ""


class CodeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form for the code that was mailed. `error` is at the code, `said` at the mail.

    `again_at`: from when on another mail is sent ("" now), `again_in`: the same as 0:24. `spent`: it opens nothing.
    """

    email: str
    error: str = ""
    said: str = ""
    again_at: str = ""
    again_in: str = ""
    spent: bool = False


class LoginRow(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in."""

    digest: str
    name: str
    handheld: bool
    since: str
    current: bool


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mail in the mailbox."""

    to: str
    subject: str
    text: str
    at: Moment


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """The mailbox page."""

    mails: list[MailRow]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a message: an icon, a word, a colour, and a second line.

    `due` (ISO): what its row's time shows, "" outside a row. `can`: what a person may do to it now, of edit, now,
    cancel, again.
    """

    id: str
    state: str
    due: str
    can: str
    icon: str
    word: str
    tone: str
    more: str = ""


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message in a list. `sub`: under the time, such as the recipient's own; `extra`: after the status."""

    id: str
    due: Moment
    sub: str
    name: str
    body_bytes: int
    extra: str
    status: Status


class RecoveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """The recovery code's page. `since`: when the key under it was made, None when there is none yet."""

    since: Moment | None


class ContactRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person or group. `marks`: the name in pieces, each with whether it was looked for; `reach`: warm, cool, cold.

    `key`: for the element's id; `picture`: its address, "" when there is none.
    """

    jid: str
    key: str
    kind: str
    name: str
    marks: list[tuple[str, bool]]
    line: str
    reach: str
    initials: str
    face: int
    picture: str
    can_send: bool


class ContactList(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found, `said` in words. `number` is a row for a typed number that is no contact, or None.

    `pages`: how many are shown, `more`: there is another one, `cut`: there is, and it is not shown; `linked`: a phone
    is; `synced`: all names were here once; `arriving`: they are coming now.
    """

    account: str
    query: str
    rows: list[ContactRow]
    number: ContactRow | None
    said: str
    pages: int
    more: bool
    cut: bool
    linked: bool
    synced: bool
    arriving: bool


class ContactsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The contacts of an account. `accounts`: the user's: name, address of its contacts, whether it is this one."""

    account: str
    accounts: list[tuple[str, str, bool]]
    contacts: ContactList
