"""A person without a browser: signs in, links, reads contacts, seals and schedules, over the product's own HTTP."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from enclave.sealer import seal
from enclave.wire.sealing import Binding, recipient_hash

REQUEST_S = 30.0
CODE = re.compile(r"\b\d{6}\b")


class Visitor:
    """One person at `web`. Every method raises httpx.HTTPError when the product refuses or does not answer."""

    def __init__(self, web: str, email: str) -> None:
        """Open nothing yet; `web` is the address of the pages."""
        self._client = httpx.Client(
            base_url=web, timeout=REQUEST_S, trust_env=False, headers={"accept": "application/json"}
        )
        self._email = email

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def sign_in(self) -> None:
        """Ask for a code, read it in the mailbox, enter it."""
        self._renew_token()
        self._send("/login-codes", email=self._email)
        mail = next(mail for mail in self.get("/mailbox") if mail["to"] == self._email)
        code = CODE.search(mail["subject"])
        assert code is not None, "the newest mail has no code in its subject"
        self._send("/logins", email=self._email, code=code.group(), zone="UTC")
        self._renew_token()

    def get(self, path: str) -> Any:
        """Return what a resource is."""
        return self._client.get(path).raise_for_status().json()

    def add_account(self) -> str:
        """Make an account; return its id."""
        return self._send("/accounts")["id"]

    def ask_for_qr(self, account: str) -> None:
        """Ask for a QR code to link the account with; it appears at the account's pairing."""
        self._send(f"/accounts/{account}/pairing", method="qr")

    def schedule(self, account: str, jid: str, text: str, due: datetime) -> str:
        """Seal `text` for the person `jid` and schedule it at `due` (UTC); return the message's id."""
        key = self.get("/seal-key")
        schedule = str(uuid4())
        binding = Binding(
            environment=key["environment"],
            account=account,
            schedule=schedule,
            recipient_hash=recipient_hash(account, jid),
            not_after_s=key["not_after_s"],
        )
        sealed = seal(_bytes(key["public_key"]), binding, text)
        made = self._send(
            "/schedules",
            schedule=schedule,
            account=account,
            recipient=jid,
            confirmed=jid,
            due=due.replace(tzinfo=None).isoformat(),
            zone="UTC",
            kid=key["kid"],
            envelope=_text(sealed.envelope),
            body=_text(sealed.body),
            not_after_s=str(key["not_after_s"]),
        )
        return made["id"]

    def _renew_token(self) -> None:
        self._client.headers["x-csrf-token"] = self.get("/api/v1/login")["csrf"]

    def _send(self, path: str, **fields: str) -> Mapping[str, Any]:
        return self._client.post(path, json=fields).raise_for_status().json()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
