"""The control interface: JSON over HTTP on loopback. ``docs/simulator.md`` is its contract; this file is its list of
routes.

Every answer is an object. A refused request is ``{"error": code, "message": sentence}`` with status 4xx.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from simulator import acts, contacts, group_delivery, histories, linking, pairing, people
from simulator.attachments import image_type
from simulator.faults import PAIRING, FaultError, read_fault
from simulator.groups import Group, Refused
from simulator.http import Answer, Request, json_answer
from simulator.hub import Hub, Settings
from simulator.journal import WAIT_S_MAX
from simulator.login import kick
from simulator.node import GROUP, LID, Jid, Malformed
from simulator.stanzas import groups
from simulator.world import Phone, WorldError

Fields = dict[str, Any]
SECONDS_MAX = 600.0
PICTURES = ("", "shown", "hidden")


class Bad(ValueError):
    """The request's JSON is not as documented."""


def foreign(request: Request) -> bool:
    """Whether another site's page in a browser asks: by a name that is not loopback's, or across origins."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", f"http://{host}")
    return host.rpartition(":")[0] not in ("127.0.0.1", "localhost") or origin != f"http://{host}"


def text(body: Fields, name: str, otherwise: str | None = None) -> str:
    """A text of the body; Bad where it is missing or something else."""
    value = body.get(name, otherwise)
    if not isinstance(value, str):
        raise Bad(f"{name} must be a text")
    return value


def seconds(body: Fields, name: str) -> float:
    """A duration of the body, 0 to 600 s; Bad otherwise."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= SECONDS_MAX:
        raise Bad(f"{name} must be a number of seconds, at most {SECONDS_MAX:.0f}")
    return float(value)


def share(body: Fields, name: str) -> float:
    """A share of the body, 0 to 1; Bad otherwise."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise Bad(f"{name} must be a share, at most 1")
    return float(value)


def whole(body: Fields, name: str) -> int:
    """A whole number of the body; Bad where it is missing or something else."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Bad(f"{name} must be a whole number")
    return value


def group_state(hub: Hub, group: Group) -> Fields:
    """A group as the interface shows it."""
    roles = {}
    for user, role in group.roles.items():
        member = hub.world.find(Jid(user, LID))
        if member is not None:
            roles[member.number] = role
    return {"id": str(group.jid), "subject": group.subject, "members": roles}


class Control:
    """Answers control requests. ``set_listening`` opens and closes the service for clients."""

    def __init__(self, hub: Hub, set_listening: Callable[[bool], None]) -> None:
        self._hub = hub
        self._set_listening = set_listening
        self._on_all: dict[tuple[str, str], Callable[[Fields], Fields]] = {
            ("GET", "state"): self._state,
            ("GET", "phones"): lambda body: {"phones": [self._phone_state(phone) for phone in hub.world]},
            ("POST", "phones"): self._make_phone,
            ("POST", "settings"): self._settings,
            ("POST", "faults"): lambda body: self._fault(PAIRING, body),
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "groups"): lambda body: {"groups": [group_state(hub, group) for group in hub.world.groups]},
            ("POST", "groups"): self._make_group,
        }
        self._on_phone: dict[tuple[str, str], Callable[[Phone, Fields], Fields]] = {
            ("GET", ""): lambda phone, body: self._phone_state(phone),
            ("POST", "contacts"): self._contact,
            ("POST", "scan"): lambda phone, body: {"device": pairing.scan(hub, phone, text(body, "qr"))},
            ("POST", "code"): self._code,
            ("GET", "inbox"): self._inbox,
            ("POST", "say"): self._say,
            ("POST", "image"): self._image,
            ("POST", "read"): self._read,
            ("POST", "presence"): self._presence,
            ("POST", "network"): self._network,
            ("POST", "typing"): self._typing,
            ("POST", "history"): self._history,
            ("POST", "faults"): lambda phone, body: self._fault(phone.number, body),
            ("POST", "kick"): self._kick,
            ("POST", "unlink"): self._unlink,
            ("POST", "reinstall"): self._reinstall,
        }

    async def answer(self, request: Request) -> Answer:
        """One request's answer."""
        parts = request.path.strip("/").split("/")
        if foreign(request):
            return json_answer({"error": "foreign", "message": "only pages of this address may ask"}, 403)
        try:
            body = self._body(request)
            if (request.method, parts) == ("GET", ["events"]):
                return json_answer(await self._events(request.query))
            return self._routed(request.method, parts, body)
        except (Bad, FaultError) as bad:
            return json_answer({"error": "bad_request", "message": str(bad)}, 400)
        except WorldError as refused:
            status = 404 if refused.code == "no_such_phone" else 409
            return json_answer({"error": refused.code, "message": str(refused)}, status)
        except Refused as refused:
            return json_answer({"error": "group_refused", "message": str(refused)}, 409)
        except Malformed as malformed:
            return json_answer({"error": "client_broke_off", "message": str(malformed)}, 409)

    @staticmethod
    def _body(request: Request) -> Fields:
        if not request.body:
            return dict(request.query)
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Bad("the body is not JSON") from None
        if not isinstance(body, dict):
            raise Bad("the body must be an object")
        return body

    def _routed(self, method: str, parts: list[str], body: Fields) -> Answer:
        if len(parts) == 1 and (on_all := self._on_all.get((method, parts[0]))) is not None:
            return json_answer(on_all(body))
        if (method, parts[0], len(parts)) == ("GET", "phones", 4) and parts[2] == "file":
            return self._file(self._hub.world.phone(parts[1]), parts[3])
        if parts[0] == "phones" and len(parts) in (2, 3):
            verb = parts[2] if len(parts) == 3 else ""
            if (on_phone := self._on_phone.get((method, verb))) is not None:
                return json_answer(on_phone(self._hub.world.phone(parts[1]), body))
        return json_answer({"error": "not_found", "message": "there is no such address"}, 404)

    async def _events(self, query: dict[str, str]) -> Fields:
        wanted = dict(query)
        after, timeout_s = wanted.pop("after", "0"), wanted.pop("timeout_s", "0")
        try:
            found = await self._hub.journal.wait(int(after), wanted, min(float(timeout_s), WAIT_S_MAX))
        except ValueError:
            raise Bad("after and timeout_s must be numbers") from None
        return {"events": found, "seq": self._hub.journal.seq}

    def _state(self, body: Fields) -> Fields:
        del body
        counts = self._hub.journal.counts
        iqs = {name[3:]: n for name, n in sorted(counts.items()) if name.startswith("iq ")}
        return {
            "seq": self._hub.journal.seq,
            "live": len(self._hub.links),
            "counts": {name: n for name, n in sorted(counts.items()) if not name.startswith("iq ")},
            "iqs": iqs,
            "settings": asdict(self._hub.settings),
            "phones": {phone.number: self._phone_state(phone) for phone in self._hub.world},
        }

    def _phone_state(self, phone: Phone) -> Fields:
        devices = []
        for companion in phone.companions.values():
            link = self._hub.online(phone, companion.device)
            devices.append(
                {
                    "device": companion.device,
                    "platform": companion.platform,
                    "online": link is not None,
                    "active": link is not None and link.active,
                    "prekeys": len(companion.prekeys),
                    "waiting": len(companion.queue),
                    "logins": self._hub.logins(phone.number, companion.device),
                }
            )
        return {
            "number": phone.number,
            "lid": phone.lid_user,
            "name": phone.name,
            "picture": phone.picture,
            "auto_reply": phone.auto_reply,
            "reachout_locked": phone.reachout_locked,
            "contacts": [{"number": number, "name": name} for number, name in phone.contacts.items()],
            "devices": devices,
            "faults_waiting": self._hub.faults.waiting(phone.number),
            "offline": phone.offline,
            "own": phone.own,
        }

    def _make_phone(self, body: Fields) -> Fields:
        name, listed = text(body, "name", ""), body.get("contacts", [])
        picture = text(body, "picture", "")
        if picture not in PICTURES:
            raise Bad("picture must be empty, shown or hidden")
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise Bad("contacts must be a list of objects")
        pairs = [(text(entry, "number"), text(entry, "name")) for entry in listed]
        phone = self._hub.world.make(text(body, "number"), name or text(body, "number"))
        phone.name = name or phone.name
        phone.auto_reply = text(body, "auto_reply", phone.auto_reply)
        phone.about = text(body, "about", phone.about)
        if not isinstance(locked := body.get("reachout_locked", phone.reachout_locked), bool):
            raise Bad("reachout_locked must be true or false")
        phone.reachout_locked = locked
        if not isinstance(own := body.get("own", phone.own), bool):
            raise Bad("own must be true or false")
        phone.own = own
        if "picture" in body:
            acts.set_picture(self._hub, phone, picture)
        for number, full_name in pairs:
            contacts.set_contact(self._hub, phone, number, full_name)
        self._hub.world.changed(phone)
        return self._phone_state(phone)

    def _contact(self, phone: Phone, body: Fields) -> Fields:
        contacts.set_contact(self._hub, phone, text(body, "number"), text(body, "name"))
        return {"contacts": len(phone.contacts)}

    def _code(self, phone: Phone, body: Fields) -> Fields:
        linking.enter_code(self._hub, phone, text(body, "code"))
        return {"entered": True}

    def _inbox(self, phone: Phone, body: Fields) -> Fields:
        chat = body.get("chat")
        return {"entries": [asdict(entry) for entry in phone.entries if chat is None or entry.chat == chat]}

    def _say(self, phone: Phone, body: Fields) -> Fields:
        to, words = text(body, "to"), text(body, "text")
        if to.endswith(f"@{GROUP}"):
            group = self._hub.world.groups.get(to.partition("@")[0])
            return {"id": group_delivery.say(self._hub, phone, group, words)}
        return {"id": people.say(self._hub, phone, to, words)}

    def _image(self, phone: Phone, body: Fields) -> Fields:
        try:
            data = base64.b64decode(text(body, "data"), validate=True)
        except ValueError:
            raise Bad("data must be base64") from None
        return {"id": acts.say_image(self._hub, phone, text(body, "to"), data, text(body, "caption", ""))}

    def _presence(self, phone: Phone, body: Fields) -> Fields:
        if not isinstance(body.get("available"), bool):
            raise Bad("available must be true or false")
        acts.set_available(self._hub, phone, body["available"])
        return {"available": phone.available}

    def _network(self, phone: Phone, body: Fields) -> Fields:
        if not isinstance(body.get("offline"), bool):
            raise Bad("offline must be true or false")
        self._hub.set_offline(phone, offline=body["offline"])
        return {"offline": phone.offline}

    def _typing(self, phone: Phone, body: Fields) -> Fields:
        state = text(body, "state", "composing")
        if state not in acts.CHAT_STATES:
            raise Bad(f"state must be one of {', '.join(acts.CHAT_STATES)}")
        acts.type_to(self._hub, phone, text(body, "to"), state)
        return {"state": state}

    def _history(self, phone: Phone, body: Fields) -> Fields:
        by_media = body.get("by_media", False)
        if not isinstance(by_media, bool):
            raise Bad("by_media must be true or false")
        conversations, messages = whole(body, "conversations"), whole(body, "messages")
        return {"bytes": histories.share(self._hub, phone, conversations, messages, by_media)}

    def _reinstall(self, phone: Phone, body: Fields) -> Fields:
        del body
        acts.reinstall(self._hub, phone)
        return self._phone_state(phone)

    def _file(self, phone: Phone, entry_id: str) -> Answer:
        """The opened picture of a line."""
        file = next((entry.file for entry in phone.entries if entry.id == entry_id and entry.file), "")
        data = self._hub.media.get(file) if file else None
        if data is None:
            return json_answer({"error": "not_found", "message": "that line has no picture"}, 404)
        return Answer(200, data, image_type(data), {"X-Content-Type-Options": "nosniff"})

    def _make_group(self, body: Fields) -> Fields:
        members = body.get("members")
        if not isinstance(members, list) or not all(isinstance(number, str) for number in members):
            raise Bad("members must be a list of numbers")
        world = self._hub.world
        owner, others = world.phone(text(body, "owner")), [world.phone(number) for number in members]
        return group_state(self._hub, groups.create(self._hub, owner, text(body, "subject"), others))

    def _read(self, phone: Phone, body: Fields) -> Fields:
        ids = body.get("ids")
        if ids is not None and not (isinstance(ids, list) and all(isinstance(entry, str) for entry in ids)):
            raise Bad("ids must be a list of texts")
        return {"read": acts.read(self._hub, phone, text(body, "chat"), ids)}

    def _fault(self, number: str, body: Fields) -> Fields:
        self._hub.faults.order(number, read_fault(body))
        return {"waiting": self._hub.faults.waiting(number)}

    def _clear_faults(self, body: Fields) -> Fields:
        self._hub.faults.clear(text(body, "number") if "number" in body else None)
        return {"waiting": 0}

    def _kick(self, phone: Phone, body: Fields) -> Fields:
        return {"struck": kick(self._hub, phone, body)}

    def _unlink(self, phone: Phone, body: Fields) -> Fields:
        device = body.get("device")
        if device is not None and (not isinstance(device, int) or device not in phone.companions):
            raise Bad("device must be the number of a linked device")
        devices = list(phone.companions) if device is None else [device]
        for number in devices:
            pairing.unlink(self._hub, phone, number)
        return {"unlinked": devices}

    def _settings(self, body: Fields) -> Fields:
        known = {field.name for field in fields(Settings)}
        if not set(body) <= known:
            raise Bad(f"known settings are {', '.join(sorted(known))}")
        for name in body:
            if name == "refused_logins":
                self._hub.settings.refused_logins = share(body, name)
            elif name != "listening":
                setattr(self._hub.settings, name, seconds(body, name))
            elif isinstance(body[name], bool):
                self._set_listening(body[name])
            else:
                raise Bad("listening must be true or false")
        return asdict(self._hub.settings)
