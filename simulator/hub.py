"""Where the live connections, the world and the knobs meet. No sockets here: a ``Link`` hides them."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from simulator import binary
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.node import SERVER, Jid, Node, node
from simulator.world import QUEUE_MAX, Companion, Phone, World

REPLACED = node("stream:error", {}, [node("conflict", {"type": "replaced"})])
REMOVED = node("stream:error", {"code": 401}, [node("conflict", {"type": "device_removed"})])
STREAM_END_DELAY_S = 0.05
ORIGINS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Registration:
    """What an unpaired client offers to register: raw keys from its first payload."""

    registration: bytes
    identity: bytes
    signed_id: bytes
    signed_key: bytes
    signature: bytes
    noise: bytes
    platform: str


@dataclass(eq=False, slots=True)
class Link:
    """One live connection as the handlers see it. ``write`` never blocks; after ``end`` it does nothing."""

    write: Callable[[Node], None]
    end: Callable[[float], None]
    """Close after that many seconds; later writes are dropped at once."""
    abort: Callable[[], None]
    media_host: str
    phone: Phone | None = None
    companion: Companion | None = None
    registration: Registration | None = None
    refs: tuple[str, ...] = ()
    refs_until: float = 0.0
    active: bool = False
    available: bool = False
    subscriptions: set[str] = field(default_factory=set)
    answers: dict[str, Callable[[Node], None]] = field(default_factory=dict)
    """What to do with the client's answer to an own iq, by its id."""
    asked: int = 0

    def ask(self, attrs: dict[str, str | Jid], children: list[Node], then: Callable[[Node], None]) -> None:
        """Send an iq of the server's own; ``then`` gets the client's answer."""
        self.asked += 1
        iq_id = f"sim-{self.asked}"
        self.answers[iq_id] = then
        self.write(node("iq", {"from": SERVER, "id": iq_id, **attrs}, children))


@dataclass(slots=True)
class Settings:
    """Knobs that the control interface turns; seconds, and the share of logins that are refused at random."""

    login_delay_s: float = 0.0
    login_jitter_s: float = 0.0
    ack_delay_s: float = 0.0
    refused_logins: float = 0.0
    listening: bool = True


class Blobs(Protocol):
    """Files by path, as the media host keeps them."""

    def put(self, path: str, blob: bytes) -> None:
        """Keep a file."""

    def get(self, path: str) -> bytes | None:
        """The file, or None."""


class Shelf:
    """Files in memory, for a hub without a media host."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, path: str, blob: bytes) -> None:
        self._files[path] = blob

    def get(self, path: str) -> bytes | None:
        return self._files.get(path)


class Hub:
    """One running simulator's shared state. All methods run in the loop's thread and never block."""

    def __init__(self, world: World, call_later: Callable[[float, Callable[[], None]], object], seed: int = 0) -> None:
        self.world = world
        self.call_later = call_later
        self.dice = random.Random(seed)  # noqa: S311 - jitter and orders, no secrets
        self.journal = Journal()
        self.faults = Faults()
        self.settings = Settings()
        self.media: Blobs = Shelf()
        self.links: set[Link] = set()
        self.codes: dict[str, Any] = {}
        """Clients that wait for a code to be typed, by phone number (kept by ``linking``)."""
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        """What happens at offline phones once they are back, by number."""
        self._logins: Counter[tuple[str, int]] = Counter()
        self._online: dict[tuple[str, int], Link] = {}
        self._origins: dict[tuple[str, str], int] = {}
        self._counter = 0

    def new_id(self) -> str:
        """A stanza or message id of the server's or a phone's own making, unique over restarts."""
        return "3EB0" + self.world.random_bytes(9).hex().upper()

    def online(self, phone: Phone, device: int) -> Link | None:
        """The connection on which that device is logged in."""
        return self._online.get((phone.number, device))

    def online_links(self, phone: Phone) -> list[Link]:
        """All logged-in connections of a phone's devices."""
        return [link for device in phone.companions if (link := self.online(phone, device))]

    def logins(self, number: str, device: int) -> int:
        """How often that device has logged in since the start."""
        return self._logins[number, device]

    def log_in(self, link: Link, phone: Phone, companion: Companion) -> None:
        """Make ``link`` the device's connection; an older one is replaced, as the service does."""
        older = self.online(phone, companion.device)
        if older is not None:
            self.journal.add("replaced", phone.number, device=companion.device)
            self.end_stream(older, REPLACED)
        link.phone, link.companion = phone, companion
        self._online[phone.number, companion.device] = link
        self._logins[phone.number, companion.device] += 1
        self.journal.add("login", phone.number, device=companion.device)

    def forget(self, link: Link) -> None:
        """The connection is gone."""
        self.links.discard(link)
        if link.phone is None or link.companion is None:
            return
        key = (link.phone.number, link.companion.device)
        if self._online.get(key) is link:
            del self._online[key]
            self.journal.add("logout", link.phone.number, device=link.companion.device)

    def end_stream(self, link: Link, error: Node) -> None:
        """Say why, then close; the device is offline at once."""
        link.write(error)
        link.end(STREAM_END_DELAY_S)
        self.forget(link)

    def push(self, phone: Phone, companion: Companion, stanza: Node) -> None:
        """Queue a stanza for a device until it is confirmed; write it now if the device listens."""
        companion.enqueue(queue_key(stanza), binary.encode(stanza))
        self.world.changed(phone)
        link = self.online(phone, companion.device)
        if link is not None and link.active:
            link.write(stanza)

    def confirm(
        self, link: Link, kind: str, ids: list[str], jid: Jid | None, type_: str, participant: Jid | None = None
    ) -> None:
        """The client confirmed stanzas: they leave its queue.

        Receipts and notifications are told apart by type and sender too, in groups by member."""
        if link.phone is None or link.companion is None:
            return
        for stanza_id in ids:
            whole = _key(kind, stanza_id, type_, str(jid), str(participant or ""))
            start = _key(kind, stanza_id, "") if kind == "message" else _key(kind, stanza_id, type_, "")
            for held in [held for held in link.companion.queue if held.startswith(start)]:
                if kind == "message" or jid is None or held == whole:
                    del link.companion.queue[held]
        self.world.changed(link.phone)

    def reach(self, phone: Phone, act: Callable[[], None]) -> None:
        """Do something that the phone itself takes part in: now, or when it is back; the oldest falls out."""
        if phone.offline:
            self._waiting.setdefault(phone.number, deque(maxlen=QUEUE_MAX)).append(act)
        else:
            act()

    def set_offline(self, phone: Phone, *, offline: bool) -> None:
        """Take a phone's network away, or give it back: then what waited happens, in its order."""
        if phone.offline == offline:
            return
        phone.offline = offline
        self.journal.add("network", phone.number, offline=offline)
        if not offline:
            for act in self._waiting.pop(phone.number, ()):
                act()

    def note_origin(self, phone: Phone, message_id: str, device: int) -> None:
        """Remember which device sent a message, so that its receipts find it; bounded."""
        self._origins[phone.number, message_id] = device
        while len(self._origins) > ORIGINS_MAX:
            del self._origins[next(iter(self._origins))]

    def origin(self, phone: Phone, message_id: str) -> int | None:
        """Which of the phone's devices sent that message, if still known."""
        return self._origins.get((phone.number, message_id))


def queue_key(stanza: Node) -> str:
    """What tells a queued stanza from others: tag, id, type, sender, and in groups the member."""
    type_ = "" if stanza.tag == "message" else stanza.text_or("type")
    participant = stanza.jid_or_none("participant")
    return _key(stanza.tag, stanza.text("id"), type_, str(stanza.jid("from")), str(participant or ""))


def _key(*parts: str) -> str:
    """Parts joined so that no part, which a client may have chosen, can look like two."""
    return "|".join(quote(part, safe="@:.") for part in parts)


def now_s() -> int:
    """Unix seconds, as stanzas carry them."""
    return int(time.time())
