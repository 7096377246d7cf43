"""The simulated phones for people to play with: `/` and `/phone/NUMBER`, and what is pressed there.

Plain forms, answered by a redirect; one script shows what happens meanwhile. Nothing inline: the policy forbids it. A
code to scan comes in the address (`?qr=`, `?code=`) and does nothing until somebody presses the button for it.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

from simulator import acts, control, group_delivery, linking, pairing, people
from simulator.groups import Refused
from simulator.http import Answer, Request
from simulator.hub import Hub
from simulator.looks import read_looks
from simulator.node import GROUP, Malformed
from simulator.phone_page import PhonePage, Shown, address, empty_world
from simulator.world import Phone, WorldError

HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

Fields = dict[str, str]


class Pages:
    """Answers the requests of a browser; None for what is no page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._files = read_looks()
        self._acts: dict[str, Callable[[Phone, Fields], str]] = {
            "scan": self._scan,
            "code": self._code,
            "say": self._say,
            "read": self._read,
            "network": self._network,
            "unlink": self._unlink,
        }

    def answer(self, request: Request) -> Answer | None:
        """One request's page, file or redirect."""
        parts = request.path.strip("/").split("/")
        if request.method == "GET" and request.path in self._files:
            content, content_type = self._files[request.path]
            return Answer(200, content, content_type, HEADERS)
        if (parts[0], len(parts)) != ("", 1) and (parts[0] != "phone" or len(parts) not in (2, 3)):
            return None
        if control.foreign(request):
            return Answer(403, b"only pages of this address may ask", "text/plain", HEADERS)
        if request.method == "GET" and request.path == "/":
            phone = next((phone for phone in self._hub.world if phone.own), None) or next(iter(self._hub.world), None)
            return self._page(phone, request.query)
        try:
            phone = self._hub.world.phone(parts[-1] if len(parts) == 2 else parts[1])
        except WorldError:
            return None
        if request.method == "GET" and len(parts) == 2:
            return self._page(phone, request.query)
        if request.method == "POST" and len(parts) == 3 and parts[2] in self._acts:
            return self._act(phone, parts[2], dict(parse_qsl(request.body.decode(errors="replace"))))
        return None

    def _page(self, phone: Phone | None, query: Fields) -> Answer:
        if phone is None:
            return Answer(200, empty_world(self._hub).encode(), HTML, HEADERS)
        given = {name: query.get(name, "") for name in ("chat", "qr", "code", "note")}
        return Answer(200, PhonePage(self._hub, Shown(phone, **given)).html().encode(), HTML, HEADERS)

    def _act(self, phone: Phone, act: str, form: Fields) -> Answer:
        try:
            if phone.offline and act != "network":
                raise WorldError("phone_offline", "this phone is offline")
            note = self._acts[act](phone, form)
        except (WorldError, Refused, Malformed) as refused:
            note = f"Not done: {refused}."
        place = address(phone.number, chat=form.get("chat", ""), note=note)
        return Answer(303, headers={"Location": place, **HEADERS})

    def _scan(self, phone: Phone, form: Fields) -> str:
        pairing.scan(self._hub, phone, form.get("qr", ""))
        return "Scanned. AutoSendr becomes a linked device; its page goes on by itself."

    def _code(self, phone: Phone, form: Fields) -> str:
        linking.enter_code(self._hub, phone, form.get("code", ""))
        return "Typed. If the code is right, AutoSendr becomes a linked device."

    def _say(self, phone: Phone, form: Fields) -> str:
        chat, text = form.get("chat", ""), form.get("text", "")
        if chat.endswith(f"@{GROUP}"):
            group_delivery.say(self._hub, phone, self._hub.world.groups.get(chat.partition("@")[0]), text)
        else:
            people.say(self._hub, phone, chat, text)
        return ""

    def _read(self, phone: Phone, form: Fields) -> str:
        del form
        read = [acts.read(self._hub, phone, chat) for chat in {entry.chat for entry in phone.entries}]
        return "Read. Whoever wrote it learns so." if any(read) else "There was nothing new to read."

    def _network(self, phone: Phone, form: Fields) -> str:
        offline = form.get("offline", "") == "yes"
        self._hub.set_offline(phone, offline=offline)
        return "Offline. What is sent to this phone waits." if offline else "Online again. What waited has arrived."

    def _unlink(self, phone: Phone, form: Fields) -> str:
        device = form.get("device", "")
        if not device.isdigit() or int(device) not in phone.companions:
            return "Not done: that device is not linked any more."
        pairing.unlink(self._hub, phone, int(device))
        return "Unlinked. AutoSendr notices."
