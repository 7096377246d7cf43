"""The media host: encrypted blobs by path, kept in a folder (docs/whatsapp.md §22)."""

import hashlib
import json
from pathlib import Path

from simulator.http import Answer, Request, json_answer
from simulator.pictures import FULL_PX, PREVIEW_PX, jpeg

BLOBS_MAX = 2_000
PICTURES = "/v/pictures/"
PICTURE_TYPE = "image/jpeg"


def picture_path(user: str, kind: str) -> str:
    """Where the profile picture of a hidden number lies; ``kind`` is ``image`` or ``preview``."""
    return f"{PICTURES}{user}-{kind}.jpg"


def profile_picture(user: str, kind: str) -> bytes:
    """The JPEG at ``picture_path``."""
    return jpeg(user, PREVIEW_PX if kind == "preview" else FULL_PX)


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
        if request.method == "GET" and path.startswith(PICTURES):
            user, _, kind = path.removeprefix(PICTURES).removesuffix(".jpg").partition("-")
            return Answer(200, profile_picture(user, kind), PICTURE_TYPE)
        if request.method == "GET" and (blob := self.get(path)) is not None:
            return Answer(200, blob, "application/octet-stream")
        if request.method == "DELETE":
            self._file(path).unlink(missing_ok=True)
            return Answer(200, json.dumps({}).encode())
        return json_answer({"error": "not_found"}, 404)
