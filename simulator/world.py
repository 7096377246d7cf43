"""The world model: phones, their linked devices, what waits for whom. Pure; kept as one JSON file per phone.

A *phone* is a simulated person's device 0 with its number (PN), hidden number (LID) and Signal state. A *companion*
is a device linked to it: the real client under test, one of several.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulator.appstate import Collection
from simulator.groups import Groups
from simulator.node import LID, PN, Jid
from simulator.signal.party import Party

COMPANIONS_MAX = 4
ENTRIES_MAX = 2_000
SEEN_MAX = 2_000
QUEUE_MAX = 5_000
SENT_MAX = 256
LID_DIGITS = 15
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")


class WorldError(ValueError):
    """What was asked for does not exist or cannot be; ``code`` is a word for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True)
class Companion:
    """A linked device: what it registered (raw bytes), and what waits for it."""

    device: int
    registration: bytes
    identity: bytes
    signed_id: bytes
    signed_key: bytes
    signature: bytes
    noise: bytes
    device_identity: bytes
    platform: str = ""
    prekeys: dict[bytes, bytes] = field(default_factory=dict)
    queue: dict[str, bytes] = field(default_factory=dict)
    """Encoded stanzas by key, oldest first, until the client confirms each."""
    seen: dict[str, None] = field(default_factory=dict)
    """Ids of messages that it sent, oldest first; a repeated one is confirmed but not delivered again."""
    synced: bool = False

    def saw(self, message_id: str) -> bool:
        """Whether the id is known; it is from now on."""
        if message_id in self.seen:
            return True
        self.seen[message_id] = None
        while len(self.seen) > SEEN_MAX:
            del self.seen[next(iter(self.seen))]
        return False

    def enqueue(self, key: str, stanza: bytes) -> None:
        """Keep a stanza until it is confirmed; the oldest falls out beyond the bound."""
        self.queue.pop(key, None)
        self.queue[key] = stanza
        while len(self.queue) > QUEUE_MAX:
            del self.queue[next(iter(self.queue))]


@dataclass(slots=True)
class Entry:
    """One line of a phone's chats: what it decrypted, failed to decrypt, or said itself."""

    id: str
    chat: str
    """Number of the other person, or the group's address."""
    sender: str
    """Number of who wrote it."""
    device: int
    at: float
    text: str | None = None
    error: str | None = None
    own: bool = False
    kind: str = "text"
    bot_label: bool = False
    status: str = ""
    """For own lines: "", "delivered", "read". For others': "" or "read"."""
    server: str = LID
    """How the message was addressed; receipts go the same way."""
    file: str = ""
    """Path of an opened picture below the media host."""


@dataclass(slots=True)
class Phone:
    """A simulated person: numbers, names, Signal state, linked devices, chats."""

    number: str
    lid_user: str
    name: str
    party: Party
    contacts: dict[str, str] = field(default_factory=dict)
    """Number to full name, as in its address book."""
    about: str = ""
    auto_reply: str = ""
    available: bool = False
    """Whether the person has the app open; not kept over restarts."""
    offline: bool = False
    """Whether the phone itself has no network: what comes for it waits. Not kept over restarts."""
    own: bool = False
    """Whether its person is the one who uses the product: the pages show it first."""
    picture: str = ""
    """"", "shown" or "hidden"."""
    companions: dict[int, Companion] = field(default_factory=dict)
    next_device: int = 1
    entries: list[Entry] = field(default_factory=list)
    app_state: dict[str, Collection] = field(default_factory=dict)
    """Synced collections by name; made when the first device is linked."""
    sent: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Own recent messages by id: number and protobuf, to answer retry receipts; not kept over restarts."""
    trusts: dict[str, int] = field(default_factory=dict)
    """Numbers that got its trusted-contact token, and when (Unix seconds)."""
    reachout_locked: bool = False
    """Whether the service lets it write only to people whose token it has."""
    peers: set[str] = field(default_factory=set)
    """Numbers it has exchanged messages with."""

    @property
    def pn(self) -> Jid:
        """Its address by number."""
        return Jid(self.number, PN)

    @property
    def lid(self) -> Jid:
        """Its hidden address."""
        return Jid(self.lid_user, LID)

    def address(self, server: str) -> Jid:
        """Its address on that server: the hidden one for ``lid``, else by number."""
        return self.lid if server == LID else self.pn

    def devices(self) -> list[int]:
        """Device numbers, the phone first."""
        return [0, *self.companions]

    def add_entry(self, entry: Entry) -> None:
        """Append a line; the oldest falls out beyond the bound."""
        self.entries.append(entry)
        if len(self.entries) > ENTRIES_MAX:
            del self.entries[0]
        if entry.chat != self.number:
            self.peers.add(entry.chat)

    def remember_sent(self, message_id: str, number: str, message: bytes) -> None:
        """Keep an own message for retry receipts, bounded."""
        self.sent[message_id] = (number, message)
        while len(self.sent) > SENT_MAX:
            del self.sent[next(iter(self.sent))]

    def new_device_number(self) -> int:
        """The next device's number, one more than the last; WorldError where four are linked already."""
        if len(self.companions) >= COMPANIONS_MAX:
            raise WorldError("too_many_devices", f"{COMPANIONS_MAX} devices are linked already; unlink one")
        while self.next_device in self.companions:
            self.next_device = self.next_device % 255 + 1
        device = self.next_device
        self.next_device = device % 255 + 1
        return device


class World:
    """All phones, by number and by hidden number. ``changed`` is called with a phone after each change to it,
    ``groups_changed`` after each change to a group."""

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.random_bytes = random_bytes
        self.changed: Callable[[Phone], None] = lambda phone: None
        self.groups = Groups()
        self.groups_changed: Callable[[], None] = lambda: None
        self._by_number: dict[str, Phone] = {}
        self._by_lid: dict[str, Phone] = {}

    def __iter__(self) -> Iterator[Phone]:
        return iter(self._by_number.values())

    def add(self, phone: Phone) -> None:
        """Put in a phone that was made or loaded."""
        self._by_number[phone.number] = phone
        self._by_lid[phone.lid_user] = phone

    def make(self, number: str, name: str) -> Phone:
        """The phone of that number, made if there is none; WorldError for a number that is none (7 to 15 digits)."""
        if not _NUMBER.fullmatch(number):
            raise WorldError("bad_number", "a number has 7 to 15 digits, international, without + and spaces")
        if (known := self._by_number.get(number)) is not None:
            return known
        phone = Phone(number, self._new_lid(number), name, Party.new(self.random_bytes))
        self.add(phone)
        self.changed(phone)
        return phone

    def _new_lid(self, number: str) -> str:
        """15 digits that depend only on the number, so that a rebuilt world has the same ones."""
        for attempt in range(100):
            digest = int.from_bytes(hashlib.sha256(f"{number}/{attempt}".encode()).digest())
            lid = str(10 ** (LID_DIGITS - 1) + digest % (9 * 10 ** (LID_DIGITS - 1)))
            if lid not in self._by_lid:
                return lid
        raise WorldError("no_lid", "no free hidden number was found")

    def phone(self, number: str) -> Phone:
        """The phone of that number; WorldError where there is none."""
        found = self._by_number.get(number)
        if found is None:
            raise WorldError("no_such_phone", "there is no simulated phone with that number")
        return found

    def find(self, jid: Jid) -> Phone | None:
        """Whose address that is, by number or hidden, device ignored; None for nobody's."""
        if jid.server == LID:
            return self._by_lid.get(jid.user)
        return self._by_number.get(jid.user) if jid.server in (PN, "c.us") else None
