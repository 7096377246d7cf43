"""Every Redis key: one function each, with type, expiry, writer and reader. All of it may vanish.

Keys that one script touches share a hash tag, so that a cluster keeps them in one slot.
"""

from typing import Final

from domain import limits

DUE: Final = "{due}:pending"
"""zset of message ids by due instant (ms), near horizon only. Expires idle. Writers: app, reconcile. Reader: due."""

PROCESSING: Final = "{due}:processing"
"""zset of claimed message ids by lease end (ms). Writer: due loop. Reader: due loop. Expires idle."""

DUE_TTL_S: Final = int(limits.NEAR_HORIZON_S) * 4
"""Expiry of the two zsets, renewed by every writer."""


def slot(node: str, account: str) -> str:
    """String, the owner token of the slot that `account` holds. Expires: SLOT_LEASE_S. Writer, reader: supervisor."""
    return f"{{slot:{node}}}:{account}"


def run(account: str) -> str:
    """String, JSON of the actor's run state, phase and reason, for pages. Expires: SLOT_LEASE_S. Writer: supervisor."""
    return f"{{account:{account}}}:run"


def pairing(account: str) -> str:
    """String, JSON of a linking's phase and code. Expires: PAIR_NEXT_S after the code, else PAIR_PHASE_S.

    Writer: supervisor. Reader: app.
    """
    return f"{{account:{account}}}:pairing"


def backoff(account: str) -> str:
    """String, the reason; it expires with the wait. Writer, reader: supervisor (copy in Postgres)."""
    return f"{{account:{account}}}:backoff"


def parked(account: str) -> str:
    """String, the reason; it expires with the wait. Writer, reader: supervisor (copy in Postgres)."""
    return f"{{account:{account}}}:parked"


FLEET_STOP: Final = "{fleet}:stop"
"""String, the code (405, 409); while it lives nobody connects. Expires: FLEET_STOP_S. Writer, reader: supervisor."""


def board(node: str) -> str:
    """String, JSON of what a node does, for the engine room. Expires: BOARD_KEPT_S. Writer: supervisor. Reader: app."""
    return f"{{engine}}:board:{node}"


BOARDS: Final = "{engine}:nodes"
"""zset of nodes by the instant of their newest board (ms). Expires: BOARD_KEPT_S. Writer: supervisor. Reader: app."""

ENGINE: Final = "engine"
"""Channel `news:engine`: a node's board has changed; admins who look hear it. Writer: supervisor. Reader: hub."""


def login(login_hash: str) -> str:
    """Hash, a browser's login by the SHA-256 of its cookie, and how its pages look. Expires: LOGIN_S.

    Writer, reader: app.
    """
    return f"{{login}}:{login_hash}"


def logins_of(user: str) -> str:
    """Set of login hashes of a user. Expires: LOGIN_S. Writer, reader: app."""
    return f"{{login}}:of:{user}"


def login_code(email_hash: str) -> str:
    """Hash, the code's hash and the tries left. Expires: LOGIN_CODE_S. Writer, reader: app."""
    return f"{{code:{email_hash}}}:code"


def login_code_wait(email_hash: str) -> str:
    """String, empty: a code was mailed a moment ago. Expires: LOGIN_CODE_WAIT_S. Writer, reader: app."""
    return f"{{code:{email_hash}}}:wait"


def rate(subject: str) -> str:
    """Hash, a token bucket. Expires when full again. Writer, reader: app."""
    return f"{{rate:{subject}}}:bucket"


def replay(user: str, form: str) -> str:
    """String, that a form's one-time id has been used. Expires: one day. Writer, reader: app."""
    return f"{{form:{user}}}:{form}"


def news_of(user: str) -> str:
    """Channel: what changed for a user, as a JSON list of element kinds and ids. Writer: all. Reader: app's hub."""
    return f"news:{user}"


DUE_CHANGED: Final = "due:changed"
"""Channel: due work nearer than the horizon was added. Writer: app. Reader: supervisor's due loop."""

WISHES: Final = "autosendr_wishes"
"""PostgreSQL NOTIFY channel (not Redis): an account has a wish; payload is its id. Writer: app. Reader: supervisor."""
