"""For machines that watch us: does the process live, can it work, what has it counted. No login, no cookie, no page."""

import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from app.site import Site
from domain import limits
from domain.readiness import Ready
from domain.refusal import RefusalCode, Refused, Unavailable
from store.figures import figures

_PROBE: Final = {"public": True, "probe": True}
_JSON: Final = "application/json"


@get("/healthz", opt=_PROBE)
async def show_life() -> Response[bytes]:
    """Says that the process lives, and nothing about what it needs: who restarts it by this mends nothing else."""
    return Response(b'{"alive":true}', media_type=_JSON)


@get("/readyz", opt=_PROBE)
async def show_readiness(site: Site) -> Response[bytes]:
    """Ready, degraded (200) or not ready (503): the state, one sentence, and what each dependency answered."""
    seen = await site.lookout.look()
    status = 503 if seen.state is Ready.NOT_READY else 200
    return Response(msgspec.json.encode(seen), media_type=_JSON, status_code=status)


@get("/metrics", opt=_PROBE)
async def show_metrics(request: Request, site: Site) -> Response[bytes]:
    """What was counted, for whoever brings the token. Without a token in the settings there is no such page."""
    token = site.settings.metrics_token
    if not token:
        raise Refused(RefusalCode.NOT_FOUND)
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
        return Response(b"", status_code=401, headers={"www-authenticate": "Bearer"})
    seen = await site.lookout.look()
    try:
        counted = await figures(site.pool, datetime.now(UTC) - timedelta(seconds=limits.OVERDUE_ALARM_S))
    except Unavailable:
        counted = None
    text = site.metrics.text(seen.dependencies, site.lookout.supervisors, counted, site.hub.pages)
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})
