"""Pictures in messages: a phone opens what it gets, and sends one of its own (docs/whatsapp.md §22).

Provenance: fields as the client's upload and download code fills and checks them.
"""

import hashlib
from urllib.parse import urlsplit

from simulator import media
from simulator.hub import Hub
from simulator.media import BadMedia, Kind
from simulator.pictures import PREVIEW_PX, jpeg
from simulator.protobufs import e2e
from simulator.world import WorldError

IMAGE_BYTES_MAX = 16 << 20
CAPTION_CHARACTERS_MAX = 1_024
# Clients append their own arguments with "&".
_QUERY = "?ccb=11-4"
UNKNOWN_TYPE = "application/octet-stream"
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def open_image(hub: Hub, image: e2e.ImageMessage) -> str:
    """Download and decrypt as a phone does; the path below the media host where the plain file lies from now on.

    Raises BadMedia where the file is gone or is not what the message announces."""
    blob = hub.media.get(urlsplit(image.directPath).path)
    if blob is None:
        raise BadMedia("the file is not on the media host")
    plain = media.decrypt(blob, image.mediaKey, Kind.IMAGE, image.fileSHA256, image.fileEncSHA256, image.fileLength)
    path = f"/opened/{hashlib.sha256(plain).hexdigest()}"
    hub.media.put(path, plain)
    return path


def image_type(data: bytes) -> str:
    """The media type by a file's first bytes; `application/octet-stream` for what is no picture."""
    return next((name for start, name in _SIGNATURES.items() if data.startswith(start)), UNKNOWN_TYPE)


def image_message(hub: Hub, data: bytes, caption: str) -> e2e.Message:
    """Encrypt and upload as a phone does. WorldError for what is no JPEG or PNG, or is too large."""
    mimetype = image_type(data)
    if mimetype == UNKNOWN_TYPE or len(data) > IMAGE_BYTES_MAX or len(caption) > CAPTION_CHARACTERS_MAX:
        raise WorldError("bad_image", "an image is a JPEG or PNG of at most 16 MiB; its caption is short")
    sealed = media.encrypt(data, Kind.IMAGE, hub.world.random_bytes)
    path = f"/v/t62.7118-24/{sealed.file_enc_sha256.hex()}"
    hub.media.put(path, sealed.blob)
    image = e2e.ImageMessage(
        URL=f"https://mmg.whatsapp.net{path}{_QUERY}",
        directPath=path + _QUERY,
        mimetype=mimetype,
        caption=caption,
        mediaKey=sealed.media_key,
        fileSHA256=sealed.file_sha256,
        fileEncSHA256=sealed.file_enc_sha256,
        fileLength=sealed.file_length,
        JPEGThumbnail=jpeg(sealed.file_sha256.hex(), PREVIEW_PX),
    )
    return e2e.Message(imageMessage=image)
