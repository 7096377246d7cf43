"""Scheduling a sealed message, `POST /schedules`, and the key that browsers seal to, `/seal-key`."""

import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from app.form import AppRequest, base64url, read_bytes, read_form, wants_json
from app.guard import csrf_token, login_of
from app.handlers.viewing import read_viewing
from app.site import Site
from domain import draft, limits
from domain.refusal import RefusalCode, Refused, Unavailable
from enclave.wire.answers import Ingested
from enclave.wire.envelope import Code
from enclave.wire.limits import BODY_BYTES_MAX, SEAL_VALID_S_MAX
from enclave.wire.operations import Ingest
from enclave.wire.sealing import ENVELOPE_BYTES, NONCE_BYTES, TAG_BYTES, Binding, recipient_hash
from store import schedules
from store.door import DoorFailed

SEAL_VALID_S: Final = limits.DUE_FUTURE_S_MAX + 14 * 24 * 3600
"""How long the page's seals are valid: the furthest time that can be chosen, and room to move it."""

_KID_CHARS_MAX: Final = 64
_BODY_BYTES_MIN: Final = NONCE_BYTES + 1 + TAG_BYTES

REFUSAL: Final = {
    Code.STALE_KEY: (RefusalCode.SEAL_STALE, ""),
    Code.MALFORMED: (RefusalCode.SEAL_MALFORMED, "text"),
    Code.EMPTY_TEXT: (RefusalCode.TEXT_EMPTY, "text"),
    Code.TEXT_TOO_LONG: (RefusalCode.TEXT_TOO_LONG, "text"),
    Code.EXPIRED: (RefusalCode.SEAL_EXPIRED, "due"),
    Code.TOO_LARGE: (RefusalCode.TEXT_TOO_LONG, "text"),
}
"""What the enclave says of a sealed body → what the person reads, and at which field."""


class SealedFields(msgspec.Struct, frozen=True):
    """A text as a page sends it: `envelope`, `body` base64url, sealed to the key `kid` until `not_after_s`.

    `viewing`, `viewing_key`: the content key under the sender's viewing key (base64url), and its id; both or neither.
    """

    kid: str = ""
    envelope: str = ""
    body: str = ""
    not_after_s: str = ""
    viewing: str = ""
    viewing_key: str = ""


class NewMessage(SealedFields, frozen=True):
    """What the composer sends. `due`: local wall-clock time in `zone`.

    `window`: until how many seconds later it is on time; `late`: and how much later still it is worth sending.
    `confirmed`: the recipient once more, where it is a stranger whom the person means to write to.
    """

    schedule: str = ""
    account: str = ""
    recipient: str = ""
    due: str = ""
    zone: str = ""
    window: str = ""
    late: str = ""
    confirmed: str = ""


@get("/seal-key")
async def show_seal_key(request: AppRequest, site: Site) -> Response[Any]:
    """The enclave's key, and until when a seal made now should be valid (Unix seconds, by the server's clock).

    `csrf`: the token of the login that asks, so that a page which outlived its login seals with the next one.
    """
    welcome = await site.door.welcome()
    return Response(
        {
            "kid": welcome.seal_kid,
            "public_key": base64url(welcome.seal_public_key),
            "environment": welcome.environment,
            "not_after_s": int(time.time()) + SEAL_VALID_S,
            "csrf": csrf_token(request),
        }
    )


@post("/schedules")
async def create_schedule(request: AppRequest, site: Site) -> Response[Any]:
    """Schedules a sealed message. Refusals name the field; nothing is stored then."""
    form = await read_form(request, NewMessage)
    user = login_of(request).user
    try:
        account, schedule = UUID(form.account), UUID(form.schedule)
    except ValueError:
        raise Refused(RefusalCode.FORM_EXPIRED) from None
    recipient = draft.recipient(form.recipient)
    due_at = draft.due_at(form.due, form.zone, datetime.now(UTC))
    envelope, body, not_after_s = read_seal(form)
    window_s, late_limit_s = draft.window_s(form.window), draft.late_limit_s(form.late)
    if not_after_s < due_at.timestamp() + window_s + late_limit_s:
        raise Refused(RefusalCode.SEAL_EXPIRED, "due")
    viewing = await read_viewing(site, user, form.viewing, form.viewing_key)
    wrapped_key = await schedules.account_key(site.pool, user, account)
    confirmed = await schedules.check_recipient(site.pool, account, recipient, form.confirmed)
    binding = Binding(
        environment=(await site.door.welcome()).environment,
        account=str(account),
        schedule=str(schedule),
        recipient_hash=recipient_hash(str(account), recipient),
        not_after_s=not_after_s,
    )
    new = schedules.NewSchedule(
        id=schedule,
        user=user,
        account=account,
        recipient=recipient,
        zone=form.zone,
        due_at=due_at,
        binding=binding,
        content_key=await ingest(site, wrapped_key, binding, form.kid, envelope, body),
        body=body,
        viewing=viewing,
        window_s=window_s,
        late_limit_s=late_limit_s,
        confirmed=confirmed,
    )
    message = await site.schedules.create(new)
    if wants_json(request):
        answer = {"id": str(message), "schedule": str(schedule), "due_at": due_at.isoformat()}
        return Response(answer, status_code=201, headers={"location": f"/messages/{message}"})
    return Redirect(f"/messages/{message}", status_code=303)


async def ingest(site: Site, wrapped_key: bytes, binding: Binding, kid: str, envelope: bytes, body: bytes) -> bytes:
    """The content key as the enclave keeps it, once it has found the body sound. Raises Refused, Unavailable."""
    operation = Ingest(
        account=binding.account, wrapped_key=wrapped_key, binding=binding, kid=kid, envelope=envelope, body=body
    )
    try:
        answer = await site.door.call(operation)
    except DoorFailed as failure:
        if failure.code in REFUSAL:
            raise Refused(*REFUSAL[failure.code]) from None
        raise Unavailable("the enclave could not take a sealed text") from failure
    assert isinstance(answer, Ingested)
    return answer.content_key


def read_seal(form: SealedFields) -> tuple[bytes, bytes, int]:
    """Envelope, body and not-after (Unix s) of what may be a seal. Raises Refused at the text."""
    envelope, body = read_bytes(form.envelope), read_bytes(form.body)
    if len(body) > BODY_BYTES_MAX:
        raise Refused(RefusalCode.TEXT_TOO_LONG, "text")
    # One byte of kind and no text is a well-formed seal of nothing: for the enclave to say.
    if len(envelope) != ENVELOPE_BYTES or len(body) < _BODY_BYTES_MIN or not 0 < len(form.kid) <= _KID_CHARS_MAX:
        raise Refused(RefusalCode.SEAL_MALFORMED, "text")
    if not form.not_after_s.isascii() or not form.not_after_s.isdecimal():
        raise Refused(RefusalCode.SEAL_MALFORMED, "text")
    not_after_s = int(form.not_after_s[:12])
    if not_after_s > time.time() + SEAL_VALID_S_MAX:
        raise Refused(RefusalCode.SEAL_MALFORMED, "text")
    return envelope, body, not_after_s
