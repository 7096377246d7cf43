"""Around every answer: the security headers, the one log line of a request, and DELETE and PATCH for plain forms."""

import time
from collections.abc import Callable
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with that, browsers send "Origin: null" along with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")

FORM_METHODS: Final = {b"_method=DELETE": "DELETE", b"_method=PATCH": "PATCH"}
"""Query of a form's action → the method that it means. Only a POST may say so, so no link can."""


Note = Callable[[str, str, int, float], None]
"""Method, route, status and seconds of an answer."""


class Shield:
    """The outermost ASGI layer: sees also what never reaches a handler (404, 405)."""

    def __init__(self, app: ASGIApp, log: FilteringBoundLogger, note: Note, *, secure: bool) -> None:
        """Wraps `app`. `note` hears of each answer; `secure`: people reach us by TLS."""
        self._app = app
        self._log = log
        self._note = note
        self._headers = (*HEADERS, STRICT_TRANSPORT) if secure else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            meant = FORM_METHODS.get(scope["query_string"])
            if meant:
                scope["method"] = meant  # ty: ignore[invalid-assignment] - a Literal of the same values
        began = time.perf_counter()
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name for name, _ in message["headers"]}
                extra = list(self._headers)
                if b"cache-control" not in named:
                    extra.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        finally:
            took_s = time.perf_counter() - began
            self._note(scope["method"], route_of(scope), status, took_s)
            self._log.info(
                "request",
                method=scope["method"],
                route=route_of(scope),
                status=status,
                ms=round(took_s * 1000, 1),
            )


def route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself; "" when there was none."""
    return str(scope.get("path_template", ""))
