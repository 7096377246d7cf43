"""The media host: encrypted blobs by path, kept in a folder (facts: whatsapp-wire §15)."""

import hashlib
import json
from pathlib import Path

from simulator.http import Answer, Request, json_answer

BLOBS_MAX = 2_000
PICTURE_TYPE = "image/svg+xml"
_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96">
<rect width="96" height="96" fill="hsl({hue} 55% 45%)"/><circle cx="48" cy="38" r="18" fill="#fff"/>
<path d="M14 96a34 34 0 0 1 68 0z" fill="#fff"/></svg>
"""


class MediaStore:
    """Answers uploads, downloads and deletions; the oldest blob goes beyond the bound."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _file(self, path: str) -> Path:
        """A client's path never becomes a name on disk: its hash does."""
        return self._folder / hashlib.sha256(path.encode()).hexdigest()

    def put(self, path: str, blob: bytes) -> None:
        """Keep a blob under a path."""
        kept = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime)
        for file in kept[: max(0, len(kept) + 1 - BLOBS_MAX)]:
            file.unlink()
        self._file(path).write_bytes(blob)

    def get(self, path: str) -> bytes | None:
        """The blob of a path, or None."""
        file = self._file(path)
        return file.read_bytes() if file.exists() else None

    def answer(self, request: Request, host: str) -> Answer:
        """One HTTP request of a client; ``host`` is how it reaches this store."""
        path = request.path
        if request.method == "POST" and path.startswith("/mms/"):
            self.put(path, request.body)
            return json_answer({"url": f"https://{host}{path}?x=1", "direct_path": f"{path}?x=1"})
        if request.method == "GET" and path.startswith("/v/pictures/"):
            hue = int.from_bytes(hashlib.sha256(path.encode()).digest()[:2]) % 360
            return Answer(200, _PICTURE.format(hue=hue).encode(), PICTURE_TYPE)
        if request.method == "GET" and (blob := self.get(path)) is not None:
            return Answer(200, blob, "application/octet-stream")
        if request.method == "DELETE":
            self._file(path).unlink(missing_ok=True)
            return Answer(200, json.dumps({}).encode())
        return json_answer({"error": "not_found"}, 404)
