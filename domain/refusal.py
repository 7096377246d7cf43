"""The product says no: a code and a sentence for the person. The HTTP status is one table in `app/`."""

from enum import StrEnum
from typing import Final


class RefusalCode(StrEnum):
    """Why something is refused."""

    NOT_SIGNED_IN = "not_signed_in"
    NOT_FOUND = "not_found"
    FORM_EXPIRED = "form_expired"
    EMAIL_INVALID = "email_invalid"
    EMAIL_REFUSED = "email_refused"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    TOO_MANY_CODES = "too_many_codes"
    CODE_SPENT = "code_spent"
    CODE_TOO_SOON = "code_too_soon"
    TOO_MANY_TRIES = "too_many_tries"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TIME_INVALID = "time_invalid"
    TIME_PAST = "time_past"
    TIME_TOO_FAR = "time_too_far"
    CHOICE_UNKNOWN = "choice_unknown"
    ZONE_UNKNOWN = "zone_unknown"
    RECIPIENT_INVALID = "recipient_invalid"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    STRANGER = "stranger"
    SEAL_MALFORMED = "seal_malformed"
    SEAL_STALE = "seal_stale"
    SEAL_EXPIRED = "seal_expired"
    NOT_LINKED = "not_linked"
    ALREADY_LINKED = "already_linked"
    PHONE_INVALID = "phone_invalid"
    TOO_MANY_ACCOUNTS = "too_many_accounts"
    TOO_MANY_MESSAGES = "too_many_messages"
    TOO_LATE_TO_CHANGE = "too_late_to_change"
    TOO_MANY_REQUESTS = "too_many_requests"
    REPLAYED = "replayed"
    LEAVING_NOW = "leaving_now"
    RESTING = "resting"
    TOO_MANY_WAKES = "too_many_wakes"
    TOO_MANY_EXPORTS = "too_many_exports"
    THEME_UNKNOWN = "theme_unknown"
    WORD_WRONG = "word_wrong"
    VIEWING_KEY_EXISTS = "viewing_key_exists"
    VIEWING_KEY_CHANGED = "viewing_key_changed"
    RECOVERY_CODE_WRONG = "recovery_code_wrong"
    TOO_MANY_OPENINGS = "too_many_openings"


SENTENCES: Final[dict[RefusalCode, str]] = {
    RefusalCode.NOT_SIGNED_IN: "Sign in first.",
    RefusalCode.NOT_FOUND: "There is nothing here, or it is not yours.",
    RefusalCode.FORM_EXPIRED: "This page was open for too long; what you sent was not taken. Load it anew.",
    RefusalCode.EMAIL_INVALID: "That does not look like an e-mail address.",
    RefusalCode.EMAIL_REFUSED: "Nobody takes mail for that address. Look for a typing error.",
    RefusalCode.CODE_WRONG: "That is not the code. Look at the newest mail.",
    RefusalCode.CODE_EXPIRED: "That code has expired, or belongs to another browser. Ask for a new one.",
    RefusalCode.TOO_MANY_CODES: "That is a lot of codes. The newest one still works.",
    RefusalCode.CODE_SPENT: "That was wrong too often; this code works no more. Ask for a new one.",
    RefusalCode.CODE_TOO_SOON: "A code is on its way already.",
    RefusalCode.TOO_MANY_TRIES: "Too many wrong codes came from here.",
    RefusalCode.TEXT_EMPTY: "Write something first.",
    RefusalCode.TEXT_TOO_LONG: "That is too long: 4,096 characters at most.",
    RefusalCode.TIME_INVALID: "That is not a time we can read. Write it like 9:30, 930 or 9pm.",
    RefusalCode.TIME_PAST: "That time has passed. Choose a later one.",
    RefusalCode.TIME_TOO_FAR: "That is more than a year away.",
    RefusalCode.CHOICE_UNKNOWN: "That is none of the choices. Load the page anew; your text is kept.",
    RefusalCode.ZONE_UNKNOWN: "We do not know that time zone.",
    RefusalCode.RECIPIENT_INVALID: "Choose a contact, or write the number with its country code.",
    RefusalCode.RECIPIENT_UNKNOWN: "That contact is not in this account.",
    RefusalCode.STRANGER: "They are not among your contacts. Say that you mean it, or choose somebody else.",
    RefusalCode.SEAL_MALFORMED: "The sealed text arrived damaged. Nothing was stored; try again.",
    RefusalCode.SEAL_STALE: "The seal's key has changed meanwhile. Reload the page; your text is kept.",
    RefusalCode.SEAL_EXPIRED: "The seal would have expired before that time. Seal it again.",
    RefusalCode.NOT_LINKED: "Link a WhatsApp account first.",
    RefusalCode.ALREADY_LINKED: "This account is linked already.",
    RefusalCode.PHONE_INVALID: "Write the number with its country code, like +49 171 1234567.",
    RefusalCode.TOO_MANY_ACCOUNTS: "Five accounts is the most for now.",
    RefusalCode.TOO_MANY_MESSAGES: "This account has 2,000 messages waiting. Let some leave first.",
    RefusalCode.TOO_LATE_TO_CHANGE: "Too late: it has left, or is leaving right now.",
    RefusalCode.TOO_MANY_REQUESTS: "That is a lot at once. Wait a minute and go on.",
    RefusalCode.REPLAYED: "This was sent already; nothing was stored twice.",
    RefusalCode.LEAVING_NOW: "A message is leaving right now. Wait two minutes, then delete. Nothing was deleted.",
    RefusalCode.RESTING: "This account rests for a while. It wakes by itself.",
    RefusalCode.TOO_MANY_WAKES: "WhatsApp distrusts accounts that connect all the time, so this has a limit.",
    RefusalCode.TOO_MANY_EXPORTS: "Three copies an hour is the most.",
    RefusalCode.THEME_UNKNOWN: "There are three themes: the system's, light and dark.",
    RefusalCode.WORD_WRONG: "Type the word delete. Nothing was deleted.",
    RefusalCode.VIEWING_KEY_EXISTS: "Another of your browsers has a recovery code already. Enter that one here.",
    RefusalCode.VIEWING_KEY_CHANGED: "Your recovery code is not the same any more. Reload the page.",
    RefusalCode.RECOVERY_CODE_WRONG: "That is not your recovery code. Compare all 26 letters and digits.",
    RefusalCode.TOO_MANY_OPENINGS: "That is enough tries for now.",
}


class Refused(Exception):
    """The product says no. `code` for programs, `field` the form field it belongs to ("" for none).

    `sentence` is what the person reads: that of the table, or one that says more precisely what is so.
    `after_s`: in how many seconds the same would be taken; 0 when waiting does not help, or nobody can say.
    """

    def __init__(self, code: RefusalCode, field: str = "", sentence: str = "", *, after_s: int = 0) -> None:
        """Without `sentence`, that of the table; with `after_s` it ends with when to try again."""
        count, unit = (after_s, "second") if after_s < 60 else (-(-after_s // 60), "minute")
        when = f" Try again in {count} {unit}{'s' if count > 1 else ''}." if after_s else ""
        self.sentence = (sentence or SENTENCES[code]) + when
        super().__init__(self.sentence)
        self.code = code
        self.field = field
        self.after_s = after_s


class Unavailable(Exception):
    """The world failed (a store, the enclave, WhatsApp): retried by policy, told as "try again"."""
