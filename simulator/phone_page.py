"""What a person sees of the simulated phones, as HTML: the list, one phone with a chat, what it can do, what arrived.

Everything that changes by itself is in an element with `data-live` and an id, which the script replaces.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from simulator.groups import Group
from simulator.hub import Hub
from simulator.node import GROUP, PN, Jid
from simulator.world import Entry, Phone

LINES_SHOWN = 200
PHONES_SHOWN = 60
FACES = 4
COPIES_S = 600.0
"""Lines with one text that arrive within this time count as copies of one message."""
_MARKS = (("*", "strong"), ("_", "em"), ("~", "s"))


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody looks at: a phone, one of its chats, a code that waits to be scanned or typed, what was done."""

    phone: Phone
    chat: str = ""
    qr: str = ""
    code: str = ""
    note: str = ""


def address(number: str, **query: str) -> str:
    """Where a phone's page is."""
    given = urlencode({name: value for name, value in query.items() if value})
    return f"/phone/{number}{'?' if given else ''}{given}"


def document(title: str, body: str, seq: int) -> str:
    """A whole page."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="/mark.svg" type="image/svg+xml"><link rel="stylesheet" href="/page.css">'
        f'<script src="/page.js" type="module"></script></head><body data-seq="{seq}">'
        '<a class="skip" href="#main">Skip to the phone</a>'
        f'<p class="simulated" role="note">{icon("smartphone")}<span>Simulated phones. Nothing on this page touches '
        f"WhatsApp.</span></p>{body}</body></html>"
    )


def icon(name: str) -> str:
    """A symbol of the sprite."""
    return f'<svg class="icon" aria-hidden="true"><use href="/icons.svg#{name}"></use></svg>'


def marked(text: str) -> str:
    """A text with its *bold*, _italic_ and ~struck~ words as HTML."""
    shown = escape(text)
    for mark, tag in _MARKS:
        pattern = rf"(?<![\w{re.escape(mark)}]){re.escape(mark)}(?=\S)([^\n]+?)(?<=\S){re.escape(mark)}(?!\w)"
        shown = re.sub(pattern, rf"<{tag}>\1</{tag}>", shown)
    return shown


def face(number: str, name: str) -> str:
    """First letters on a quiet colour, always the same for a number."""
    words = [word for word in re.findall(r"\w+", name) if word[0].isalpha()]
    letters = "".join(word[0].upper() for word in words[:1] + words[1:][-1:]) or "#"
    return f'<span class="face face-{sum(map(ord, number)) % FACES}" aria-hidden="true">{escape(letters)}</span>'


def empty_world(hub: Hub) -> str:
    """The page while there are no phones."""
    body = '<main id="main" class="nobody"><h1>Phones in this demo</h1><p>There are no phones yet.</p></main>'
    return document("Simulated phones", body, hub.journal.seq)


class PhonePage:
    """One page of one phone."""

    def __init__(self, hub: Hub, shown: Shown) -> None:
        self._hub = hub
        self._shown = shown
        self._phone = shown.phone
        self._chats = self._chats_of(shown.phone)
        self._chat = shown.chat if shown.chat in self._chats else next(iter(self._chats), "")

    def html(self) -> str:
        """All of it."""
        phone = self._phone
        body = (
            '<div class="demo"><header><h1>Phones in this demo</h1><p>Scan, write back, unlink: do what people do and '
            "watch AutoSendr follow.</p></header>"
            f'<nav id="phones" class="phones" aria-label="Phones" data-live>{self._list()}</nav>'
            f'<main id="main"><h2 class="spoken">{escape(phone.name)}’s phone</h2>'
            f'<div class="frame"><div class="screen">{self._screen()}</div></div></main>'
            f'<aside aria-label="{escape(phone.name)}’s phone">{self._acts()}{self._arrived()}</aside></div>'
        )
        return document(f"{phone.name}’s phone", body, self._hub.journal.seq)

    # --- the list ---

    def _list(self) -> str:
        known = list(self._hub.world)[:PHONES_SHOWN]
        own = [phone for phone in known if phone.own or (phone.companions and not any(one.own for one in known))]
        others = [phone for phone in known if phone not in own]
        lists = ((("Your phone" if len(own) == 1 else "Your phones"), own), ("People you write to", others))
        if not own:
            lists = (("People", others),)
        return "".join(
            f"<div><h2>{title}</h2><ul>{''.join(self._row(phone, own=phone in own) for phone in phones)}</ul></div>"
            for title, phones in lists
            if phones
        )

    def _row(self, phone: Phone, *, own: bool) -> str:
        current = ' aria-current="page"' if phone is self._phone else ""
        place = address(phone.number, qr=self._shown.qr, code=self._shown.code)
        return (
            f'<li class="{"own" if own else ""}"><a href="{escape(place)}"{current}>{face(phone.number, phone.name)}'
            f"<span><strong>{escape(phone.name)}</strong><small>{self._state_of(phone)}</small></span></a></li>"
        )

    @staticmethod
    def _state_of(phone: Phone) -> str:
        unread = sum(unread_in(phone, chat) for chat in {entry.chat for entry in phone.entries})
        parts = ["offline"] if phone.offline else []
        if phone.companions or phone.own:
            parts.append("linked to AutoSendr" if phone.companions else "not linked yet")
        if unread:
            parts.append(f"{unread} new message{'' if unread == 1 else 's'}")
        return ", ".join(parts) or "nothing new"

    # --- the phone ---

    def _screen(self) -> str:
        if self._shown.qr or self._shown.code:
            return self._camera()
        if not self._chat:
            return '<p class="nothing">Nobody has written yet, and there are no contacts.</p>'
        return self._head() + self._lines() + self._field()

    def _camera(self) -> str:
        """A code waits: one press scans or types it."""
        phone, shown = self._phone, self._shown
        scans = bool(shown.qr)
        hidden = hidden_field("qr" if scans else "code", shown.qr or shown.code)
        act, verb = ("scan", "Scan this code") if scans else ("code", "Type this code")
        seen = icon("scan-line") if scans else f'<span class="typed">{escape(shown.code)}</span>'
        return (
            f'<div class="camera"><div class="finder">{seen}</div>'
            f"<p>AutoSendr shows a code. With it, AutoSendr becomes a linked device of <strong>{escape(phone.name)}"
            "</strong>.</p>"
            f'<form method="post" action="{address(phone.number)}/{act}">{hidden}'
            f'<button class="btn seal big">{icon("scan-line" if scans else "keyboard")}<span>{verb}</span></button>'
            f'</form><p class="small">Another phone? Choose it in the list.</p>'
            f'<a class="btn quiet" href="{address(phone.number)}">Back to the chat</a></div>'
        )

    def _head(self) -> str:
        name = self._name(self._chat)
        others = "".join(
            f'<li><a href="{escape(address(self._phone.number, chat=one))}"'
            f"{' aria-current=page' if one == self._chat else ''}>{escape(self._name(one))}"
            f"{f'<small>{unread} new</small>' if (unread := unread_in(self._phone, one)) else ''}</a></li>"
            for one in self._chats
        )
        several = f'<nav class="chats" id="chats" aria-label="Chats" data-live><ul>{others}</ul></nav>'
        return (
            f'<header class="with">{face(self._chat, name)}<p><strong>{escape(name)}</strong><small>chat on '
            f"{escape(self._phone.name)}’s phone</small></p></header>{several if len(self._chats) > 1 else ''}"
        )

    def _lines(self) -> str:
        lines = [entry for entry in self._phone.entries if entry.chat == self._chat][-LINES_SHOWN:]
        shown = "".join(self._line(entry) for entry in lines) or '<p class="nothing">No messages yet.</p>'
        return f'<div class="lines" id="lines" data-live role="log" aria-label="Messages" tabindex="0">{shown}</div>'

    def _line(self, entry: Entry) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(entry.at))
        more = [entry.kind] if entry.kind != "text" else []
        more += [entry.status] if entry.status else []
        more += ["labelled as AI"] if entry.bot_label else []
        if not entry.own and self._chat.endswith(f"@{GROUP}"):
            more.append(self._name(entry.sender))
        text = marked(entry.text or "")
        if entry.error:
            text = f"Could not be decrypted: {escape(entry.error)}"
        file = f"/phones/{self._phone.number}/file/{entry.id}"
        picture = f'<img src="{escape(file)}" alt="Picture">' if entry.file else ""
        classes = (
            f"slip{'' if entry.own else ' incoming'}{' own' if entry.own else ''}{' failed' if entry.error else ''}"
        )
        said = escape(", ".join(more))
        return (
            f'<div class="{classes}">{picture}<div class="written">{text}</div>'
            f'<p class="foot"><span>{said}</span><time>{at}</time></p></div>'
        )

    def _field(self) -> str:
        name = escape(self._phone.name)
        return (
            f'<form class="say" method="post" action="{address(self._phone.number)}/say" data-stay>'
            f"{hidden_field('chat', self._chat)}"
            f'<label class="spoken" for="text">Write as {name}</label>'
            f'<input id="text" name="text" placeholder="Write as {name}" required maxlength="65536" autocomplete="off">'
            f'<button class="ib" aria-label="Send as {name}">{icon("send")}</button></form>'
        )

    # --- what it can do, what arrived ---

    def _acts(self) -> str:
        phone = self._phone
        number = address(phone.number)
        chat = hidden_field("chat", self._chat)
        scan = "" if self._shown.qr or self._shown.code else self._scan(number)
        network = (
            f'<form method="post" action="{number}/network" data-stay>{chat}'
            f"{hidden_field('offline', '' if phone.offline else 'yes')}"
            f'<button class="btn">{icon("wifi" if phone.offline else "wifi-off")}'
            f"<span>{'Go online' if phone.offline else 'Go offline'}</span></button></form>"
        )
        read = (
            f'<form method="post" action="{number}/read" data-stay>{chat}<button class="btn">{icon("eye")}'
            "<span>Read everything</span></button></form>"
        )
        unlink = "".join(
            f'<form method="post" action="{number}/unlink" data-stay>{chat}{hidden_field("device", str(device))}'
            f'<button class="btn danger">{icon("unlink")}<span>Unlink AutoSendr'
            f"{f' (device {device})' if len(phone.companions) > 1 else ''}</span></button></form>"
            for device in phone.companions
        )
        tone = " watch" if self._shown.note.startswith("Not done") else ""
        noted = f'<p class="note{tone}">{escape(self._shown.note)}</p>'
        return (
            f'<h2>What this phone can do</h2><p class="small whose">{self._whose()}</p>'
            f'<div id="note" role="status" data-live>{noted if self._shown.note else ""}</div>'
            f'{scan}<div class="acts" id="acts" data-live>{network}{read}{unlink}</div>'
        )

    def _whose(self) -> str:
        if self._phone.own:
            return "This is your own phone: AutoSendr links to it and sends in its name."
        return "This is somebody you write to: what AutoSendr sends arrives here."

    @staticmethod
    def _scan(number: str) -> str:
        return (
            f'<details class="scan"><summary class="btn">{icon("scan-line")}<span>Scan a code</span></summary>'
            f'<form method="post" action="{number}/scan" data-stay><div class="field"><label for="qr">Text of the code'
            '</label><textarea id="qr" name="qr" rows="2" required></textarea></div>'
            '<button class="btn">Scan it</button></form>'
            f'<form method="post" action="{number}/code" data-stay><div class="field"><label for="code">Or eight '
            'characters to type</label><input id="code" name="code" required autocomplete="off" maxlength="9"></div>'
            '<button class="btn">Type it</button></form></details>'
        )

    def _arrived(self) -> str:
        """When the newest line came out of its envelope, and how often it is here."""
        came = [entry for entry in self._phone.entries if entry.chat == self._chat and not entry.own]
        rows = ""
        if came:
            newest = came[-1]
            at = time.strftime("%H:%M:%S", time.localtime(newest.at))
            name = "Not decrypted" if newest.error else "Arrived decrypted"
            rows = (
                f'<dt>{name}</dt><dd><time>{at}<span class="ms">.{int(newest.at % 1 * 1000):03d}</span></time></dd>'
                f"<dt>Copies of it</dt><dd>exactly {copies_of(newest, came)}</dd>"
            )
        return f'<dl class="kv" id="arrived" data-live>{rows}</dl>'

    # --- names ---

    def _name(self, chat: str) -> str:
        if chat.endswith(f"@{GROUP}"):
            group: Group | None = next((one for one in self._hub.world.groups if str(one.jid) == chat), None)
            return group.subject if group is not None else chat
        if chat in self._phone.contacts:
            return self._phone.contacts[chat]
        other = self._hub.world.find(Jid(chat, PN))
        return other.name if other is not None else f"+{chat}"

    def _chats_of(self, phone: Phone) -> list[str]:
        """Chats with lines, the latest first; then groups and contacts without any."""
        spoken = dict.fromkeys(entry.chat for entry in reversed(phone.entries))
        groups = [str(group.jid) for group in self._hub.world.groups.of(phone.lid_user)]
        known = [number for number in phone.contacts if self._hub.world.find(Jid(number, PN)) is not None]
        return list(spoken | dict.fromkeys([*groups, *known]))


def hidden_field(name: str, value: str) -> str:
    """A value that a form brings along."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def unread_in(phone: Phone, chat: str) -> int:
    """How many lines of a chat were not read yet."""
    return sum(1 for e in phone.entries if e.chat == chat and not e.own and not e.error and e.status != "read")


def copies_of(newest: Entry, came: Sequence[Entry]) -> int:
    """How often the text of a line arrived from its sender about when it did."""
    return sum(
        1
        for entry in came
        if (entry.sender, entry.text, entry.error) == (newest.sender, newest.text, newest.error)
        and newest.at - entry.at < COPIES_S
    )
