"""The files of `static/`, in memory, compressed once: hashed names are immutable, plain ones revalidate."""

import gzip
import hashlib
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

_FOLDER: Final = Path(__file__).parent.parent / "static"


class StaticFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, plain and compressed. `digest` is the start of its SHA-256."""

    content_type: str
    plain: bytes
    packed: bytes
    digest: str


def read_static() -> dict[str, StaticFile]:
    """The files by name."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in TYPES:
            plain = path.read_bytes()
            found[path.name] = StaticFile(
                content_type=TYPES[path.suffix],
                plain=plain,
                packed=gzip.compress(plain, mtime=0),
                digest=hashlib.sha256(plain).hexdigest()[:12],
            )
    return found


FILES: Final = read_static()


def static_url(name: str) -> str:
    """The address of `static/<name>` that changes with its content. Raises KeyError for a file that is not there."""
    stem, _, suffix = name.rpartition(".")
    return f"/static/{stem}.{FILES[name].digest}.{suffix}"


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
