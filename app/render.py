"""Templates to answers. A template sees `view`, one frozen struct, and `frame`, what every page has around it."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
import msgspec
from litestar import Response
from markupsafe import Markup, escape

from app.form import AppRequest
from app.guard import LOOPBACK, cookie_name, csrf_token, keep_visit, visit_of
from app.settings import Settings
from app.static_files import static_url
from app.views import Frame
from store.logins import Login

THEMES: Final = ("light", "dark")

TEMPLATE_FOLDER: Final = Path(__file__).parent.parent / "templates"

COMPRESSED_FROM_BYTES: Final = 1024
"""Below it an answer fits a packet anyway."""
COMPRESSION: Final = 5
"""The level at which a page costs half a millisecond; the next ones save little."""

TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATE_FOLDER),
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_GLOBALS: dict[str, Any] = TEMPLATES.globals  # the library types its own defaults, not what users add
_GLOBALS["static"] = static_url


def attributes(named: Mapping[str, str | None]) -> Markup:
    """A macro's other arguments as attributes: `hx_get="/x"` is `hx-get="/x"`. None is left out, "" is a bare name."""
    parts = (
        escape(name.replace("_", "-")) + (Markup('="{}"').format(value) if value != "" else "")
        for name, value in named.items()
        if value is not None
    )
    return Markup("").join(Markup(" {}").format(part) for part in parts)


TEMPLATES.filters["attributes"] = attributes


def page(
    request: AppRequest, template: str, view: msgspec.Struct, *, status_code: int = 200, here: str = ""
) -> Response[bytes]:
    """A whole page, of `templates/pages/`. `here`: the place in the navigation."""
    if request.scope.get("user") is None:
        visit_of(request)
    response = _html(request, f"pages/{template}", here, view, status_code)
    keep_visit(request, response)
    return response


def fragment(request: AppRequest, template: str, view: msgspec.Struct, *, status_code: int = 200) -> Response[bytes]:
    """One element, of `templates/elements/`, for a page that has it already."""
    return _html(request, f"elements/{template}", "", view, status_code)


def _html(request: AppRequest, template: str, here: str, view: msgspec.Struct, status_code: int) -> Response[bytes]:
    """The rendered template, compressed if that is worth it and the browser takes it."""
    body = TEMPLATES.get_template(template).render(frame=_frame(request, here), view=view).encode()
    headers = {"vary": "accept-encoding"}
    if len(body) >= COMPRESSED_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, COMPRESSION)
    return Response(body, headers=headers, status_code=status_code, media_type="text/html; charset=utf-8")


def _frame(request: AppRequest, here: str) -> Frame:
    found = request.scope.get("user")
    login = found if isinstance(found, Login) else None
    settings = request.app.state.site.settings
    theme = login.theme if login else request.cookies.get(cookie_name(request.app.state.site, "theme"), "")
    return Frame(
        csrf=csrf_token(request),
        user=str(login.user) if login else "",
        email=login.email if login else "",
        here=here,
        mailbox=mailbox_shown(settings),
        theme=theme if theme in THEMES else "",
        letter_keys=login.letter_keys if login else True,
        phones_url=f"http://{settings.simulator}/" if settings.simulator else "",
        now=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def mailbox_shown(settings: Settings) -> bool:
    """Whether mails are shown to whoever asks: only on one's own machine, where none are sent."""
    return settings.smtp is None and urlsplit(settings.public_url).hostname in LOOPBACK
