"""The words for states and reasons: one table each, in the product's voice."""

from typing import Final

from domain.message import MessageState, Reason

_S = MessageState

STATUS: Final[dict[MessageState, tuple[str, str, str]]] = {
    _S.SCHEDULED: ("clock", "Scheduled", "calm"),
    _S.HELD: ("hand", "Held", "watch"),
    _S.BLOCKED: ("lamp-stop", "Won't leave", "bad"),
    _S.ARMED: ("clock", "Leaving now", "live"),
    _S.SENDING: ("loader-circle", "Sending", "live"),
    _S.SENT: ("arrow-up-right", "Sent", "calm"),
    _S.DELIVERED: ("inbox", "Delivered", "good"),
    _S.READ: ("eye", "Read", "good"),
    _S.UNCONFIRMED: ("circle-question-mark", "Uncertain", "watch"),
    _S.MISSED: ("hourglass", "Missed", "bad"),
    _S.FAILED: ("octagon-x", "Not sent", "bad"),
    _S.CANCELLED: ("x", "Cancelled", "calm"),
}
"""Icon, word, colour of each state (shape and word tell it apart without the colour)."""

REASON: Final[dict[str, str]] = {
    Reason.NONE: "",
    Reason.NOT_LINKED: "no phone is linked",
    Reason.LOGGED_OUT: "WhatsApp unlinked the phone; link it again",
    Reason.BANNED: "WhatsApp restricts this number for now",
    Reason.LOCKED: "WhatsApp wants to see you; open it on the phone",
    Reason.TOO_LATE: "later than you allowed",
    Reason.NOT_ON_WHATSAPP: "this number is not on WhatsApp",
    Reason.NOT_IN_GROUP: "the account is not in this group",
    Reason.REACH_OUT_LIMIT: "WhatsApp pauses new chats for this number",
    Reason.SERVER_REFUSED: "WhatsApp refused it",
    Reason.ATTEMPTS_EXHAUSTED: "we tried as often as makes sense",
    Reason.SEAL_EXPIRED: "its seal has expired",
    Reason.SEAL_UNREADABLE: "its seal does not open; write it again",
    Reason.NO_ACKNOWLEDGEMENT: "WhatsApp gave no answer",
    Reason.SESSION_DIED: "the connection ended in the middle",
    Reason.ENCLAVE_DIED: "our machine restarted in the middle",
    Reason.NO_CONNECTION: "WhatsApp could not be reached",
    Reason.BY_USER: "by you",
}

CHANGE: Final[dict[str, tuple[str, str, str]]] = {
    "created": ("lock", "Sealed and scheduled", "calm"),
    "claimed": ("clock", "Waking up for it", "calm"),
    "disarmed": ("clock", "Put back", "calm"),
    "begun": ("loader-circle", "Handing over", "live"),
    "returned": ("clock", "Did not get out; tried again", "watch"),
    "accepted": ("arrow-up-right", "Sent", "good"),
    "refused": ("octagon-x", "Not sent", "bad"),
    "doubted": ("circle-question-mark", "Uncertain", "watch"),
    "delivered": ("inbox", "Delivered", "good"),
    "read": ("eye", "Read", "good"),
    "held": ("hand", "Held", "watch"),
    "let_go": ("clock", "Let go", "calm"),
    "blocked": ("lamp-stop", "Won't leave", "bad"),
    "unblocked": ("clock", "Can leave again", "calm"),
    "late": ("hourglass", "Missed", "bad"),
    "cancelled": ("x", "Cancelled", "calm"),
    "edited": ("pencil", "Sealed anew with another text", "calm"),
    "restored": ("undo-2", "Cancelling taken back", "calm"),
    "moved": ("clock", "Moved to another time", "calm"),
    "resent": ("arrow-up-right", "Sent again, as you asked", "calm"),
}
"""Icon, title, colour of each step in a message's history: its events, and "created"."""

PAIR_TROUBLE: Final[dict[str, str]] = {
    "expired": "The codes have run out. Ask for new ones when the phone is at hand.",
    "passkey": "WhatsApp asked for a passkey. Confirm it on the phone, then ask for a new code.",
    "refused": "WhatsApp refused to link. Too many linked devices is the usual cause: remove one on the phone.",
    "outdated": "WhatsApp wants a newer version of AutoSendr. We are told; try again later.",
    "no_multidevice": "This phone cannot have linked devices. Update WhatsApp on it.",
    "unreachable": "WhatsApp could not be reached. Try again in a minute.",
    "already_linked": "This number is linked to another account here. Unlink it there first.",
    "other": "Linking did not work, and WhatsApp did not say why. Try again.",
}


def sentence(words: str) -> str:
    """The words as a sentence: a capital, a full stop; "" stays ""."""
    return f"{words[0].upper()}{words[1:]}." if words else ""


def reason(code: str) -> str:
    """The words for a reason's code; one that we have no words for is told as it is not."""
    return REASON.get(code, "")
