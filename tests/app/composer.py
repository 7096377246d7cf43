"""Fills in the composer's form as the page does, sealing in Python."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from enclave.sealer import seal
from enclave.wire.sealing import Binding, recipient_hash
from tests.app.conftest import Browser
from tests.vault import text_of

ANNA = "491510000001@s.whatsapp.net"
GROUP = "123456789012345678@g.us"


def fill_in(browser: Browser, on: str, /, text: str = "See you at nine.", **changed: str) -> dict[str, str]:
    """Return the fields of a message of account `on` to Anna in an hour; `changed` replaces fields after sealing."""
    return fill_in_and_see(browser, on, text, **changed)[0]


def fill_in_and_see(
    browser: Browser, on: str, /, text: str = "See you at nine.", **changed: str
) -> tuple[dict[str, str], Binding, bytes]:
    """Do the same and return also the binding and the content key, which otherwise nobody keeps."""
    key = browser.get("/seal-key").json()
    fields = {
        "schedule": changed.pop("sealed_schedule", str(uuid4())),
        "account": on,
        "recipient": changed.pop("sealed_recipient", ANNA),
    }
    binding = Binding(
        environment=key["environment"],
        account=fields["account"],
        schedule=fields["schedule"],
        recipient_hash=recipient_hash(fields["account"], fields["recipient"]),
        not_after_s=key["not_after_s"],
    )
    public_key = base64.urlsafe_b64decode(key["public_key"] + "==")
    sealed = seal(public_key, binding, text)
    fields |= {
        "due": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "zone": "UTC",
        "kid": key["kid"],
        "envelope": text_of(sealed.envelope),
        "body": text_of(sealed.body),
        "not_after_s": str(key["not_after_s"]),
    }
    return {**fields, **changed}, binding, sealed.content_key


def new_account(browser: Browser) -> str:
    """Make an account that is not linked yet and return its id."""
    answer = browser.post("/accounts", Accept="application/json")
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]
