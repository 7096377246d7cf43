"""The phones of a demo: one person's own, and a few people to write to. Made once; the simulator keeps them."""

from collections.abc import Sequence
from typing import Any

import httpx

CONTROL_S = 30.0
#: Numbers of a range that the regulator set aside for fiction (Ofcom, 07700 900000 to 900999).
OWN_NUMBER = "447700900001"
OWN_NAME = "Ada"
CONTACTS = (("447700900002", "Grandma"), ("447700900003", "Ben"), ("447700900004", "Dr. Okafor's practice"))


class Phones:
    """The simulated phones, by the simulator's control address. Every method raises httpx.HTTPError at a refusal."""

    def __init__(self, control: str) -> None:
        """Open nothing yet."""
        self._client = httpx.Client(base_url=control, timeout=CONTROL_S, trust_env=False)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def furnish(self) -> None:
        """Make the demo's phones, unless there are some already."""
        if self._get("/phones")["phones"]:
            return
        for number, name in CONTACTS:
            self.make(number, name, knows=[(OWN_NUMBER, OWN_NAME)], picture="shown")
        self.make(OWN_NUMBER, OWN_NAME, knows=CONTACTS, picture="shown", own=True)

    def make(self, number: str, name: str, *, knows: Sequence[tuple[str, str]], **more: object) -> None:
        """Make a phone, or make an older one like this. `knows`: numbers and names in its contacts."""
        contacts = [{"number": one, "name": called} for one, called in knows]
        self._post("/phones", {"number": number, "name": name, "contacts": contacts, **more})

    def make_group(self, owner: str, subject: str, members: Sequence[str]) -> None:
        """Make a group of `owner` and the numbers `members`."""
        self._post("/groups", {"owner": owner, "subject": subject, "members": list(members)})

    def read(self, number: str, chat: str) -> None:
        """Let the phone's person read what is unread in a chat."""
        self._post(f"/phones/{number}/read", {"chat": chat})

    def say(self, number: str, to: str, text: str) -> None:
        """Let the phone's person write to somebody."""
        self._post(f"/phones/{number}/say", {"to": to, "text": text})

    def scan(self, number: str, qr: str) -> None:
        """Let the phone scan a QR text; the device is linked when this returns."""
        self._post(f"/phones/{number}/scan", {"qr": qr})

    def inbox(self, number: str) -> list[dict[str, Any]]:
        """Return the lines of the phone's chats (`docs/simulator.md`)."""
        return self._get(f"/phones/{number}/inbox")["entries"]

    def texts(self, number: str) -> list[str]:
        """Return the texts that others sent to the phone."""
        return [entry["text"] for entry in self.inbox(number) if not entry["own"]]

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._client.post(path, json=body).raise_for_status()
