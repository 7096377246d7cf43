"""Phones to JSON and back, and the folder that keeps them: one file per phone, each written whole or not at all."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from simulator.appstate import Collection
from simulator.groups import Groups
from simulator.signal.party import Party
from simulator.world import Companion, Entry, Phone, World

FORMAT = 1
GROUPS_FILE = "groups"
_BYTES = ("registration", "identity", "signed_id", "signed_key", "signature", "noise", "device_identity")
_PLAIN = (
    "number",
    "lid_user",
    "name",
    "contacts",
    "about",
    "auto_reply",
    "own",
    "picture",
    "next_device",
    "trusts",
    "reachout_locked",
)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _companion_image(companion: Companion) -> dict[str, Any]:
    image: dict[str, Any] = {name: _text(getattr(companion, name)) for name in _BYTES}
    return image | {
        "device": companion.device,
        "platform": companion.platform,
        "prekeys": {key.hex(): _text(value) for key, value in companion.prekeys.items()},
        "queue": {key: _text(stanza) for key, stanza in companion.queue.items()},
        "seen": list(companion.seen),
        "synced": companion.synced,
    }


def _companion(image: dict[str, Any]) -> Companion:
    return Companion(
        device=image["device"],
        platform=image["platform"],
        prekeys={bytes.fromhex(key): base64.b64decode(value) for key, value in image["prekeys"].items()},
        queue={key: base64.b64decode(stanza) for key, stanza in image["queue"].items()},
        seen=dict.fromkeys(image["seen"]),
        synced=image["synced"],
        **{name: base64.b64decode(image[name]) for name in _BYTES},
    )


def phone_image(phone: Phone) -> dict[str, Any]:
    """A phone as JSON-able values."""
    return {name: getattr(phone, name) for name in _PLAIN} | {
        "format": FORMAT,
        "party": phone.party.to_dict(),
        "companions": [_companion_image(companion) for companion in phone.companions.values()],
        "entries": [asdict(entry) for entry in phone.entries],
        "peers": sorted(phone.peers),
        "app_state": [collection.to_dict() for collection in phone.app_state.values()],
    }


def phone_from(image: dict[str, Any], random_bytes: Callable[[int], bytes]) -> Phone:
    """The phone of an image; ValueError for another format."""
    if image.get("format") != FORMAT:
        raise ValueError("the saved phone has another format")
    known = {entry.name for entry in fields(Entry)}
    companions = [_companion(companion) for companion in image["companions"]]
    return Phone(
        party=Party.from_dict(image["party"], random_bytes),
        companions={companion.device: companion for companion in companions},
        entries=[
            Entry(**{name: value for name, value in entry.items() if name in known}) for entry in image["entries"]
        ],
        peers=set(image["peers"]),
        app_state={saved["name"]: Collection.from_dict(saved, random_bytes) for saved in image["app_state"]},
        **{name: image[name] for name in _PLAIN if name in image},
    )


class Folder:
    """Where a world lives between runs. Not safe for two simulators at once: the server holds a lock file beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def load(self, world: World) -> None:
        """Put all saved phones into the world."""
        for file in sorted(self._folder.glob("*.json")):
            world.add(phone_from(json.loads(file.read_text()), world.random_bytes))
        if (groups := self._folder / GROUPS_FILE).exists():
            world.groups = Groups.from_list(json.loads(groups.read_text()))

    def save_groups(self, groups: Groups) -> None:
        """Write all groups; the old file stays until the new one is whole."""
        self._write(self._folder / GROUPS_FILE, groups.to_list())

    def save(self, phone: Phone) -> None:
        """Write one phone; the old file stays until the new one is whole."""
        self._write(self._folder / f"{phone.number}.json", phone_image(phone))

    @staticmethod
    def _write(target: Path, image: object) -> None:
        fresh = target.with_suffix(".new")
        fresh.write_text(json.dumps(image, separators=(",", ":")))
        fresh.replace(target)
