"""Trusted-contact tokens: whom a person has written to may write back without being a stranger.

The client keeps the token of each peer and sends it along; a locked account's message without one is refused (463).
Weeks and window as the client counts them; how the service makes tokens is unknown, so ours are assumed: a MAC under
a key of the issuer, which needs no memory. Source: docs/whatsapp.md §11; the client's token code.
"""

import hmac

from simulator.signal.keys import mac

BUCKET_S = 604_800
BUCKETS = 4


def issue(issuer_private: bytes, receiver: str, at_s: int) -> bytes:
    """The token by which the issuer trusts `receiver` (LID digits), made at `at_s`; 32 bytes."""
    return mac(issuer_private, f"trusted contact/{receiver}/{at_s // BUCKET_S}".encode())


def valid(token: bytes, issuer_private: bytes, receiver: str, now_s: int) -> bool:
    """Whether the issuer made this token for `receiver` within the window of about four weeks."""
    made = (issue(issuer_private, receiver, now_s - back * BUCKET_S) for back in range(BUCKETS))
    return any(hmac.compare_digest(token, known) for known in made)
