"""The viewing key on the server, `/viewing-key`, and the sealed texts that it opens. All of it stays closed here."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post

from app.clock import moment, zone_or_utc
from app.form import AppRequest, base64url, read_bytes, read_form, read_id
from app.guard import login_of
from app.render import page
from app.site import Site
from app.views import RecoveryPage
from domain import limits
from domain.refusal import RefusalCode, Refused
from domain.viewing import PROOF_BYTES, WRAPPED_BYTES, proof_hash, proves
from store import users, viewing
from store.rates import RECOVERIES_PER_USER
from store.viewing import SealedText, Viewing


class NewViewingKey(msgspec.Struct, frozen=True):
    """A key that a browser has made: `wrapped` under the recovery code, `proof_hash` of its proof; base64url."""

    id: str = ""
    wrapped: str = ""
    proof_hash: str = ""


class Opening(msgspec.Struct, frozen=True):
    """What shows that somebody has the recovery code; base64url."""

    proof: str = ""


class Forgetting(msgspec.Struct, frozen=True):
    """Which key to forget, so that a page that is out of date forgets nothing."""

    id: str = ""


@get("/viewing-key")
async def show_viewing_key(request: AppRequest, site: Site) -> Response[Any]:
    """Whether the user has a viewing key: its id and since when, or null."""
    user = login_of(request).user
    key = await viewing.find(site.pool, user)
    return Response(
        {
            "user": str(user),
            "id": str(key.id) if key else None,
            "created_at": key.created_at.isoformat(timespec="seconds") if key else None,
        }
    )


@get("/recovery")
async def show_recovery(request: AppRequest, site: Site) -> Response[Any]:
    """The recovery code's page: what this browser can show, a code to enter, another code."""
    user = login_of(request).user
    key = await viewing.find(site.pool, user)
    zone = zone_or_utc(await users.zone_of(site.pool, user))
    view = RecoveryPage(since=moment(key.created_at, zone) if key else None)
    return page(request, "recovery.html", view, here="accounts")


@post("/viewing-key", status_code=201)
async def create_viewing_key(request: AppRequest, site: Site) -> Response[Any]:
    """Keeps a new key. Sent twice it is kept once; of two browsers' keys the first one stays."""
    form = await read_form(request, NewViewingKey)
    key, wrapped, kept = _id(form.id), read_bytes(form.wrapped), read_bytes(form.proof_hash)
    if len(wrapped) != WRAPPED_BYTES or len(kept) != len(proof_hash(b"")):
        raise Refused(RefusalCode.SEAL_MALFORMED, "text")
    await viewing.add(site.pool, login_of(request).user, key, wrapped, kept)
    return Response({"id": str(key)}, status_code=201)


@post("/viewing-key/openings", status_code=200)
async def open_viewing_key(request: AppRequest, site: Site) -> Response[Any]:
    """Hands the wrapped key to whoever proves the recovery code. One sentence for all that is not it, and few tries.

    Without Redis nothing can be counted, so nothing is handed out: Unavailable.
    """
    user = login_of(request).user
    form = await read_form(request, Opening)
    wait_ms = await site.rates.wait_ms(RECOVERIES_PER_USER, str(user))
    if wait_ms:
        raise Refused(RefusalCode.TOO_MANY_OPENINGS, "code", after_s=-(-wait_ms // 1000))
    key = await viewing.find(site.pool, user)
    try:
        proof = read_bytes(form.proof)
    except Refused:
        proof = b""
    if key is None or len(proof) != PROOF_BYTES or not proves(proof, key.proof_hash):
        raise Refused(RefusalCode.RECOVERY_CODE_WRONG, "code")
    return Response({"id": str(key.id), "wrapped": base64url(key.wrapped)})


@delete("/viewing-key", status_code=200)
async def forget_viewing_key(request: AppRequest, site: Site) -> Response[Any]:
    """Starts anew: the next text makes another key. What was sealed until now stays closed in new browsers."""
    form = await read_form(request, Forgetting)
    await viewing.forget(site.pool, login_of(request).user, _id(form.id))
    return Response({"id": None})


@get("/messages/{message_id:str}/sealed")
async def show_sealed(request: AppRequest, site: Site, message_id: str) -> Response[Any]:
    """A message's sealed text, for its owner's browser to open."""
    found = await viewing.sealed(site.pool, login_of(request).user, [read_id(message_id)])
    if not found:
        raise Refused(RefusalCode.NOT_FOUND)
    return Response(_closed(found[0]))


@get("/messages/sealed")
async def show_many_sealed(request: AppRequest, site: Site, of: str = "") -> Response[Any]:
    """The sealed texts of several messages (ids with commas between), by id; one that is not the user's is left out."""
    wanted = [read_id(one) for one in of.split(",", limits.SEALED_TEXTS_MAX)[: limits.SEALED_TEXTS_MAX]]
    found = await viewing.sealed(site.pool, login_of(request).user, wanted)
    return Response({str(one.id): _closed(one) for one in found})


async def read_viewing(site: Site, user: UUID, wrapped: str, key: str) -> Viewing | None:
    """The content key under the user's viewing key, as a form brought it; None when it brought none.

    Raises Refused: malformed, or under a key that is not the user's (any more). Raises Unavailable.
    """
    if not wrapped and not key:
        return None
    read = Viewing(key=_id(key), wrapped=read_bytes(wrapped))
    if len(read.wrapped) != WRAPPED_BYTES:
        raise Refused(RefusalCode.SEAL_MALFORMED, "text")
    known = await viewing.find(site.pool, user)
    if known is None or known.id != read.key:
        raise Refused(RefusalCode.VIEWING_KEY_CHANGED)
    return read


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(RefusalCode.SEAL_MALFORMED, "text") from None


def _closed(text: SealedText) -> dict[str, Any]:
    return {
        "body": base64url(text.body),
        "viewing": base64url(text.viewing) if text.viewing else None,
        "viewing_key": str(text.viewing_key) if text.viewing_key else None,
        "environment": text.environment,
        "account": str(text.account),
        "schedule": str(text.schedule),
        "recipient": text.recipient,
        "not_after_s": text.not_after_s,
    }
