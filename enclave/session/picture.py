"""Fetches one profile picture over the same CONNECT proxy as everything else. Source: docs/whatsapp.md §10."""

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

from enclave.wire.limits import PICTURE_BYTES_MAX

FETCH_DEADLINE_S: Final = 15.0


def fetch_picture(url: str, proxy_url: str) -> bytes:
    """The image behind the https `url`, b"" if it is not to be had or larger than PICTURE_BYTES_MAX. Blocking."""
    target, proxy = urlsplit(url), urlsplit(proxy_url)
    if target.scheme != "https" or not target.hostname or not proxy.hostname:
        return b""
    connection = http.client.HTTPSConnection(
        proxy.hostname, proxy.port, timeout=FETCH_DEADLINE_S, context=ssl.create_default_context()
    )
    connection.set_tunnel(target.hostname, target.port or 443)
    try:
        connection.request("GET", f"{target.path}?{target.query}" if target.query else target.path)
        response = connection.getresponse()
        image = response.read(PICTURE_BYTES_MAX + 1)
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
    return image if response.status == 200 and len(image) <= PICTURE_BYTES_MAX else b""
