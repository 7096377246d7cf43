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
    Reason.SPACED: "kept apart from the others, for your number's sake",
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
    "created": ("lock", "Sealed and scheduled", "wax"),
    "claimed": ("clock", "Waking up for it", "calm"),
    "disarmed": ("clock", "Put back", "calm"),
    "begun": ("loader-circle", "Handing over", "live"),
    "returned": ("clock", "Did not get out; tried again", "watch"),
    "accepted": ("check", "WhatsApp has it", "good"),
    "refused": ("octagon-x", "Not sent", "bad"),
    "doubted": ("circle-question-mark", "Uncertain", "watch"),
    "delivered": ("inbox", "On their phone", "good"),
    "read": ("eye", "Read", "good"),
    "held": ("hand", "Held", "watch"),
    "let_go": ("clock", "Let go", "calm"),
    "blocked": ("lamp-stop", "Won't leave", "bad"),
    "unblocked": ("clock", "Can leave again", "calm"),
    "late": ("hourglass", "Missed", "bad"),
    "cancelled": ("x", "Cancelled", "calm"),
    "edited": ("lock", "Sealed anew with another text", "wax"),
    "restored": ("undo-2", "Cancelling taken back", "calm"),
    "moved": ("clock", "Moved to another time", "calm"),
    "resent": ("arrow-up-right", "Sent again, as you asked", "calm"),
}
"""Icon, title, colour of each step in a message's history: its events, and "created"."""

PAIR_ENDING: Final[dict[str, tuple[str, str, str]]] = {
    "expired": ("The codes have run out.", "Take the phone to hand, then ask for new ones.", "New code"),
    "expired_code": ("The code has run out.", "Take the phone to hand, then ask for another.", "New code"),
    "passkey": (
        "WhatsApp asked for a passkey.",
        "It asks some phones since summer 2026, and AutoSendr cannot answer that yet. This number cannot be linked for "
        "now; nothing is wrong with it.",
        "Link another phone",
    ),
    "refused": (
        "WhatsApp refused to link.",
        "The phone says why. If it has too many linked devices, remove one there, then ask for a new code.",
        "New code",
    ),
    "refused_code": (
        "WhatsApp has no code for {phone}.",
        "Look whether that is the phone's number, with its country code. Who asks often has to wait a while.",
        "New code",
    ),
    "outdated": (
        "WhatsApp wants a newer AutoSendr.",
        "Nothing is wrong with your phone. Whoever runs this server has to renew it; try again after that.",
        "Try again",
    ),
    "no_multidevice": (
        "This phone cannot have linked devices yet.",
        "Update WhatsApp on the phone, then ask for a new code.",
        "New code",
    ),
    "unreachable": (
        "WhatsApp could not be reached.",
        "Nothing is wrong with your phone. Try again in a minute.",
        "Try again",
    ),
    "broken_off": (
        "The connection to WhatsApp ended.",
        "If the phone says that it has too many linked devices, remove one there first. Then ask for a new code.",
        "New code",
    ),
    "phone_taken": (
        "This number is linked to another account here.",
        "Unlink it there first, or link another phone. Was it removed on the phone itself? Then try again in a minute.",
        "Try again",
    ),
    "unavailable": (
        "We could not show you the code.",
        "A part of our machine was away for a moment. Ask for a new one.",
        "New code",
    ),
    "interrupted": (
        "Linking was interrupted on our side.",
        "If the phone lists AutoSendr under Linked devices, remove it there. Then ask for a new code.",
        "New code",
    ),
    "other": ("Linking did not work.", "WhatsApp did not say why. Try again in a minute.", "Try again"),
    "unlinked_here_only": (
        "Unlinked here only.",
        "WhatsApp could not be told. Remove AutoSendr on the phone, under Linked devices.",
        "Link again",
    ),
}
"""How a linking ended, by `accounts.link_reason`: what happened, what to do, the button. `_code`: by a typed code."""


def count_of(number: int, thing: str) -> str:
    """A number with its noun: "1 message", "5 messages"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def sentence(words: str) -> str:
    """The words as a sentence: a capital, a full stop; "" stays ""."""
    return f"{words[0].upper()}{words[1:]}." if words else ""


def reason(code: str) -> str:
    """The words for a reason's code; one that we have no words for is told as it is not."""
    return REASON.get(code, "")
