"""One table: the HTTP status of each refusal."""

from typing import Final

from domain.refusal import RefusalCode

_C = RefusalCode

STATUS: Final[dict[RefusalCode, int]] = {
    _C.NOT_SIGNED_IN: 401,
    _C.NOT_FOUND: 404,
    _C.FORM_EXPIRED: 403,
    _C.EMAIL_INVALID: 422,
    _C.CODE_WRONG: 422,
    _C.CODE_EXPIRED: 422,
    _C.TOO_MANY_CODES: 429,
    _C.TOO_MANY_TRIES: 429,
    _C.TEXT_EMPTY: 422,
    _C.TEXT_TOO_LONG: 422,
    _C.TIME_INVALID: 422,
    _C.TIME_PAST: 422,
    _C.TIME_TOO_FAR: 422,
    _C.ZONE_UNKNOWN: 422,
    _C.RECIPIENT_INVALID: 422,
    _C.RECIPIENT_UNKNOWN: 422,
    _C.SEAL_MALFORMED: 422,
    _C.SEAL_STALE: 409,
    _C.SEAL_EXPIRED: 422,
    _C.NOT_LINKED: 409,
    _C.ALREADY_LINKED: 409,
    _C.PHONE_INVALID: 422,
    _C.TOO_MANY_ACCOUNTS: 409,
    _C.TOO_MANY_MESSAGES: 409,
    _C.TOO_LATE_TO_CHANGE: 409,
    _C.TOO_MANY_REQUESTS: 429,
    _C.REPLAYED: 409,
    _C.LEAVING_NOW: 409,
    _C.RESTING: 409,
    _C.THEME_UNKNOWN: 422,
    _C.WORD_WRONG: 422,
}
