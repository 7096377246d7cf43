"""The simulated phones as pages for people: a list, and per phone its chats, a field for a code, and linked devices.

Plain forms, answered by a redirect; one script shows what happens meanwhile. Nothing inline: the policy forbids it.
"""

import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, quote

from simulator import acts, control, group_delivery, linking, pairing, people
from simulator.groups import Refused
from simulator.http import Answer, Request
from simulator.hub import Hub
from simulator.node import GROUP, PN, Jid, Malformed
from simulator.world import Entry, Phone, WorldError

HTML = "text/html; charset=utf-8"
FILES = {"/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8"}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
LINES_SHOWN = 200
_FOLDER = Path(__file__).parent

Fields = dict[str, str]


def _document(title: str, body: str, data: str = "") -> Answer:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/page.css">'
        f'<script src="/page.js" defer></script></head><body{data}>{body}</body></html>'
    )
    return Answer(200, text.encode(), HTML, HEADERS)


class Pages:
    """Answers the requests of a browser; None for what is no page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._acts: dict[str, Callable[[Phone, Fields], str]] = {
            "scan": self._scan,
            "code": self._code,
            "say": self._say,
            "read": self._read,
            "unlink": self._unlink,
        }

    def answer(self, request: Request) -> Answer | None:
        """One request's page, file or redirect."""
        parts = request.path.strip("/").split("/")
        if request.method == "GET" and request.path in FILES:
            content = (_FOLDER / request.path.strip("/")).read_bytes()
            return Answer(200, content, FILES[request.path], HEADERS)
        if request.method == "GET" and request.path == "/":
            return self._list()
        if parts[0] != "phone" or len(parts) not in (2, 3):
            return None
        if control.foreign(request):
            return Answer(403, b"only pages of this address may ask", "text/plain", HEADERS)
        try:
            phone = self._hub.world.phone(parts[1])
        except WorldError:
            return None
        if request.method == "GET" and len(parts) == 2:
            return self._phone(phone, request.query.get("chat", ""), request.query.get("note", ""))
        if request.method == "POST" and parts[-1] in self._acts:
            return self._act(phone, parts[-1], dict(parse_qsl(request.body.decode(errors="replace"))))
        return None

    def _act(self, phone: Phone, act: str, form: Fields) -> Answer:
        try:
            note = self._acts[act](phone, form)
        except (WorldError, Refused, Malformed) as refused:
            note = f"Not done: {refused}"
        place = f"/phone/{phone.number}?chat={quote(form.get('chat', ''))}&note={quote(note)}"
        return Answer(303, headers={"Location": place, **HEADERS})

    def _scan(self, phone: Phone, form: Fields) -> str:
        pairing.scan(self._hub, phone, form.get("qr", ""))
        return "Scanned. The device is being linked."

    def _code(self, phone: Phone, form: Fields) -> str:
        linking.enter_code(self._hub, phone, form.get("code", ""))
        return "Entered. If the code is right, the device is being linked."

    def _say(self, phone: Phone, form: Fields) -> str:
        chat, text = form.get("chat", ""), form.get("text", "")
        if chat.endswith(f"@{GROUP}"):
            group_delivery.say(self._hub, phone, self._hub.world.groups.get(chat.partition("@")[0]), text)
        else:
            people.say(self._hub, phone, chat, text)
        return ""

    def _read(self, phone: Phone, form: Fields) -> str:
        acts.read(self._hub, phone, form.get("chat", ""))
        return ""

    def _unlink(self, phone: Phone, form: Fields) -> str:
        device = form.get("device", "")
        if not device.isdigit() or int(device) not in phone.companions:
            return "Not done: that device is not linked any more."
        pairing.unlink(self._hub, phone, int(device))
        return "Unlinked."

    def _list(self) -> Answer:
        rows = "".join(
            f'<li><a href="/phone/{phone.number}">{escape(phone.name)}<small>+{phone.number} · '
            f"{len(phone.companions)} linked, {len(phone.entries)} lines</small></a></li>"
            for phone in self._hub.world
        )
        rows = rows or "<li>There are no phones yet.</li>"
        return _document("Simulated phones", f'<h1>Simulated phones</h1><ul class="list">{rows}</ul>')

    def _name(self, phone: Phone, chat: str) -> str:
        if chat.endswith(f"@{GROUP}"):
            return next((group.subject for group in self._hub.world.groups if str(group.jid) == chat), chat)
        if chat in phone.contacts:
            return phone.contacts[chat]
        other = self._hub.world.find(Jid(chat, PN))
        return other.name if other is not None else f"+{chat}"

    def _chats(self, phone: Phone) -> list[str]:
        """Chats with lines, the latest first; then groups and contacts without any."""
        spoken = dict.fromkeys(entry.chat for entry in reversed(phone.entries))
        groups = [str(group.jid) for group in self._hub.world.groups.of(phone.lid_user)]
        known = [number for number in phone.contacts if self._hub.world.find(Jid(number, PN)) is not None]
        return list(spoken | dict.fromkeys([*groups, *known]))

    def _phone(self, phone: Phone, chat: str, note: str) -> Answer:
        chats = self._chats(phone)
        chat = chat if chat in chats else (chats[0] if chats else "")
        base = f"/phone/{phone.number}"
        items = "".join(
            f'<li><a href="{base}?chat={quote(one)}"{" aria-current=page" if one == chat else ""}>'
            f"{escape(self._name(phone, one))}<small>{self._unread(phone, one)}</small></a></li>"
            for one in chats
        )
        shown = f'<p class="note" role="status">{escape(note)}</p>' if note else ""
        body = (
            f'<p><a href="/">All phones</a></p><h1>{escape(phone.name)} <small>+{phone.number}</small></h1>{shown}'
            f'<div class="columns"><nav aria-label="Chats"><h2>Chats</h2>'
            f'<ul class="list" id="chats" data-live>{items}</ul></nav>'
            f"<main>{self._chat(phone, chat, base)}</main></div>"
            f"<h2>Link a device</h2>{_SCAN.format(base=base)}{_CODE.format(base=base)}"
            f'<h2>Linked devices</h2><ul id="devices" data-live>{self._devices(phone, base)}</ul>'
        )
        return _document(phone.name, body, f' data-phone="{phone.number}" data-seq="{self._hub.journal.seq}"')

    def _unread(self, phone: Phone, chat: str) -> str:
        unread = sum(1 for e in phone.entries if e.chat == chat and not e.own and not e.error and e.status != "read")
        return f"{unread} unread" if unread else ""

    def _chat(self, phone: Phone, chat: str, base: str) -> str:
        if not chat:
            return "<p>Nobody has written yet, and there are no contacts.</p>"
        lines = [entry for entry in phone.entries if entry.chat == chat][-LINES_SHOWN:]
        shown = "".join(self._line(phone, entry) for entry in lines) or "<p>No messages yet.</p>"
        hidden = f'<input type="hidden" name="chat" value="{escape(chat)}">'
        return (
            f"<h2>{escape(self._name(phone, chat))}</h2>"
            f'<div id="lines" data-live role="log" aria-label="Messages">{shown}</div>'
            f'<form method="post" action="{base}/say">{hidden}<label>Message'
            '<textarea name="text" rows="2" required maxlength="65536"></textarea></label><button>Send</button></form>'
            f'<form method="post" action="{base}/read">{hidden}<button>Mark as read</button></form>'
        )

    def _line(self, phone: Phone, entry: Entry) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(entry.at))
        who = "You" if entry.own else self._name(phone, entry.sender)
        kind = "" if entry.kind == "text" else f" · {entry.kind}"
        more = f" · {entry.status}" if entry.status else ""
        label = " · labelled as AI" if entry.bot_label else ""
        text = f"Could not be decrypted: {entry.error}" if entry.error else entry.text or ""
        picture = f'<img src="/phones/{phone.number}/file/{quote(entry.id)}" alt="Picture">' if entry.file else ""
        classes = "line" + (" own" if entry.own else "") + (" failed" if entry.error else "")
        small = escape(f"{who} · {at}{kind}{more}{label}")
        return f'<div class="{classes}">{picture}{escape(text)}<small>{small}</small></div>'

    def _devices(self, phone: Phone, base: str) -> str:
        rows = []
        for device in phone.companions:
            online = "online" if self._hub.online(phone, device) else "offline"
            rows.append(
                f'<li><form method="post" action="{base}/unlink"><span>Device {device}, {online}</span>'
                f'<input type="hidden" name="device" value="{device}"><button>Unlink</button></form></li>'
            )
        return "".join(rows) or "<li>None.</li>"


_SCAN = (
    '<form method="post" action="{base}/scan"><label>Text of the QR code'
    '<textarea name="qr" rows="2" required></textarea></label><button>Scan</button></form>'
)
_CODE = (
    '<form method="post" action="{base}/code"><label>Or the eight characters that the device shows'
    '<input name="code" required autocomplete="off" maxlength="9"></label><button>Enter</button></form>'
)
