"""The files of `static/`, in memory, compressed once: hashed names are immutable, plain ones revalidate.

Files are served by their name alone, whatever folder they lie in. The stylesheets of `static/css/` are served as one,
`app.css`, and htmx with its extension as one, `htmx.js`. Where a stylesheet or a module names another file, the hashed
name of that file is put in its place, so that every file that a page loads can be kept for ever. Our modules go without
their comments, a fifth of what they weigh.
"""

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from domain.refusal import RefusalCode, Refused

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""Everything that is served; files of other kinds in the folder (licences, notes) are not."""

FOLDER: Final = Path(__file__).parent.parent / "static"
STYLESHEET: Final = "app.css"
STYLES: Final = ("css/*.css", "css/parts/*.css", "css/pages/*.css")
"""What the stylesheet is joined from. The order among them does not matter: every rule is in a layer, and the order of
the layers is the first line."""
LAYERS: Final = "@layer reset, tokens, base, layout, parts, pages, state;\n"

SCRIPT: Final = "htmx.js"
SCRIPT_OF: Final = ("htmx.min.js", "hx-sse.min.js")
"""One file of two: htmx begins as soon as it is there, and an extension that comes later gets to see nothing."""

_NAMED_IN: Final = {
    ".css": re.compile(r'url\("(?P<name>[\w.-]+)"\)'),
    ".js": re.compile(r'(?<=from ")\./(?P<name>[\w.-]+)(?=")|(?<=import\(")\./(?P<name2>[\w.-]+)(?="\))'),
}

_COMMENT_LINE: Final = re.compile(rb"^[ \t]*//.*\n", re.MULTILINE)
VENDORED: Final = "vendor"


class StaticFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, plain and compressed. `digest` is the start of its SHA-256."""

    content_type: str
    plain: bytes
    packed: bytes
    digest: str


def read_static(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """The files of `folder` by name. Raises KeyError when one names a file that is not there."""
    texts = {
        path.name: _lean(path) for path in sorted(folder.rglob("*")) if path.suffix in TYPES and path.suffix != ".css"
    }
    styles = [path.read_text() for pattern in STYLES for path in sorted(folder.glob(pattern))]
    if set(SCRIPT_OF) <= set(texts):
        texts[SCRIPT] = b"\n".join(texts[name] for name in SCRIPT_OF)
    texts[STYLESHEET] = (LAYERS + "".join(styles)).encode()
    found: dict[str, StaticFile] = {}

    def read(name: str, asking: tuple[str, ...] = ()) -> StaticFile:
        if name in asking:
            raise KeyError(f"{' names '.join((*asking, name))}: no hashed name can hold itself")
        if name not in found:
            suffix = Path(name).suffix
            text = texts[name]
            if suffix in _NAMED_IN:
                hashed = _hashed_names(suffix, lambda other: read(other, (*asking, name)))
                text = _NAMED_IN[suffix].sub(hashed, text.decode()).encode()
            found[name] = StaticFile(
                content_type=TYPES[suffix],
                plain=text,
                packed=gzip.compress(text, mtime=0),
                digest=hashlib.sha256(text).hexdigest()[:12],
            )
        return found[name]

    for name in texts:
        read(name)
    return found


def _lean(path: Path) -> bytes:
    """The file without lines that are comments alone, if it is a module of ours; a test sees that none is in a text."""
    text = path.read_bytes()
    return text if path.suffix != ".js" or path.parent.name == VENDORED else _COMMENT_LINE.sub(b"", text)


def _hashed_names(suffix: str, read: Callable[[str], StaticFile]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group)
        address = _address(name, read(name))
        return f'url("{address}")' if suffix == ".css" else address

    return replace


def _address(name: str, file: StaticFile) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"/static/{stem}.{file.digest}.{suffix}"


FILES: Final = read_static()


def static_url(name: str) -> str:
    """The address of the file `name` that changes with its content. Raises KeyError for a file that is not there."""
    return _address(name, FILES[name])


_HASHED: Final = {static_url(name): file for name, file in FILES.items()}


@get("/static/{name:str}", opt={"public": True, "static": True})
async def show_static(request: Request[Any, Any, State], name: str) -> Response[bytes]:
    """A file; 304 when the browser has it."""
    file = _HASHED.get(f"/static/{name}")
    immutable = file is not None
    file = file or FILES.get(name)
    if file is None:
        raise Refused(RefusalCode.NOT_FOUND)
    headers = {
        "etag": f'"{file.digest}"',
        "cache-control": "public, max-age=31536000, immutable" if immutable else "no-cache",
        "vary": "accept-encoding",
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=file.content_type)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.content_type)
    return Response(file.plain, headers=headers, media_type=file.content_type)
