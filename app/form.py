"""What was sent to us, as a frozen struct: a form or JSON, every field text, a missing one empty."""

import base64
import binascii
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import State

from domain.refusal import RefusalCode, Refused

AppRequest = Request[Any, Any, State]
F = TypeVar("F", bound=msgspec.Struct)


async def read_form(request: AppRequest, form: type[F]) -> F:
    """The sent fields that `form` has; its fields are text with a default. Raises Refused(FORM_EXPIRED) if unreadable.

    That the text means something is for `domain/draft.py` to say, at the field.
    """
    return msgspec.convert(
        {name: value for name, value in (await fields(request)).items() if name in form.__struct_fields__}, form
    )


async def fields(request: AppRequest) -> dict[str, str]:
    """All sent fields that are text."""
    if request.content_type[0] == "application/json":
        try:
            sent = msgspec.json.decode(await request.body(), type=dict[str, Any])
        except msgspec.DecodeError:
            raise Refused(RefusalCode.FORM_EXPIRED) from None
        return {name: value for name, value in sent.items() if isinstance(value, str)}
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def read_id(text: str) -> UUID:
    """An id in a URL. What is not a UUID is nothing of ours: raises Refused(NOT_FOUND)."""
    try:
        return UUID(text)
    except ValueError:
        raise Refused(RefusalCode.NOT_FOUND) from None


def read_bytes(text: str) -> bytes:
    """Bytes that a script of ours sealed and sent as base64url. Raises Refused(SEAL_MALFORMED) at the text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused(RefusalCode.SEAL_MALFORMED, "text") from None


def base64url(data: bytes) -> str:
    """Bytes as our scripts read them: base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def wants_json(request: AppRequest) -> bool:
    """Whether the caller is a program rather than a page."""
    return "application/json" in request.headers.get("accept", "") or request.url.path.startswith("/api/")
