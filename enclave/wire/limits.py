"""Every number of the door, with its unit. What the enclave does is what was measured, so these are not settings."""

from typing import Final

WIRE_VERSION: Final = 1

CONTROL_BYTES_MAX: Final = 64 * 1024
"""Largest frame on the control lane."""

BULK_BYTES_MAX: Final = 12 * 1024 * 1024
"""Largest frame on the bulk lane: a sealed store and its envelope."""

STORE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Largest sealed session store (ciphertext)."""

IN_FLIGHT_MAX: Final = 64
"""Calls that one connection may have unanswered."""

CONNECTIONS_MAX: Final = 32
"""Door connections at one time: supervisors and web processes."""

TEXT_CHARS_MAX: Final = 4096
"""Longest message text, in Unicode code points (product limit; docs/whatsapp.md §12)."""

BODY_BYTES_MAX: Final = 1 + 4 * TEXT_CHARS_MAX + 12 + 16
"""Longest sealed body: kind byte, UTF-8 text, nonce, tag."""

SEAL_VALID_S_MAX: Final = 400 * 24 * 3600
"""Furthest `not_after` that a seal may carry (docs/architecture.md, "The life of a message")."""

SEND_DEADLINE_S: Final = 90
"""A send that takes longer is ambiguous; its session process is killed (docs/whatsapp.md §9)."""

CONTACT_PAGE_MAX: Final = 500
"""Contacts in one page."""

PICTURE_BYTES_MAX: Final = 48 * 1024
"""Largest profile picture that crosses the door: previews only."""
