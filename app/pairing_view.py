"""A linking as its page shows it: pure, from a row and a hint to words, a drawing and a countdown."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from app import words
from app.qr import QrDrawing, draw_qr
from domain import limits
from domain.account import LINK_TABLE, Link, LinkEvent, PairPhase
from domain.machine import sources
from store.pages import Account
from store.run_state import PairingShown


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the scan to ready. `state`: done, now or todo."""

    state: str
    title: str


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a linking ended without a phone: what happened, what to do, the one button."""

    title: str
    sentence: str
    button: str


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """What a linking shows. `kind`: idle, asking, next, slow, qr, code, ended, found, linked.

    `left_ms`: how long this holds, 0 for until something happens; `whole_ms`: at first. `number`: which QR code
    it is. `text`: of the code, in a demo only, because a simulated phone has no camera.
    """

    id: str
    kind: str
    by_code: bool
    number: int = 0
    left_ms: int = 0
    whole_ms: int = 0
    qr: QrDrawing | None = None
    code: str = ""
    text: str = ""
    ending: Ending | None = None
    stages: list[Stage] = []
    name: str = ""
    phone: str = ""
    note: str = ""


class PairingPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page on which one links a phone. `tab`: qr or code; `code_first`: this seems to be the phone itself."""

    id: str
    tab: str
    code_first: bool
    apple: bool
    attested: bool
    phone: str
    pairing: Pairing
    error: str = ""
    codes_max: int = limits.PAIR_CODES_MAX


class Unlinking(msgspec.Struct, frozen=True, kw_only=True):
    """The question before a phone is unlinked. `waits`: the messages that stay, in words, "" for none."""

    id: str
    name: str
    waits: str


MAY_UNLINK: Final = frozenset(sources(LINK_TABLE, LinkEvent.UNLINKED))

_TITLES: Final = {
    PairPhase.FOUND: "Phone found",
    PairPhase.RESTARTING: "WhatsApp restarts the connection; this is normal",
    PairPhase.NAMES: "Fetching names",
    PairPhase.READY: "Ready",
}


def pairing_view(account: Account, shown: PairingShown | None, waiting: int, now: datetime, *, demo: bool) -> Pairing:
    """What to show while linking, and how it ended. `shown` None: nobody says so, or Redis is away.

    `waiting`: messages that leave once the phone is linked.
    """
    if account.link in (Link.LINKED, Link.BANNED):
        return _linked(account, shown, now)
    if account.link is not Link.PAIRING:
        ending = ending_of(account, waiting)
        return _plain(account, "ended" if ending else "idle", ending=ending)
    now_ms = int(now.timestamp() * 1000)
    if shown is None or shown.phase is PairPhase.ASKING:
        slow_in = account.link_changed_at + timedelta(seconds=limits.PAIR_SLOW_S) - now
        left_ms = int(slow_in.total_seconds() * 1000)
        return _plain(account, "asking", left_ms=left_ms) if left_ms > 0 else _plain(account, "slow")
    if shown.phase is not PairPhase.SHOWN:
        return _plain(account, "found", stages=_stages(shown.phase, 0))
    left_ms = shown.ends_ms - now_ms
    if left_ms <= 0 or not (shown.qr or shown.code):
        return _plain(account, "next", number=shown.number)
    return Pairing(
        id=str(account.id),
        kind="code" if shown.code else "qr",
        by_code=bool(shown.code),
        number=shown.number,
        left_ms=left_ms,
        whole_ms=shown.ends_ms - shown.since_ms,
        qr=draw_qr(shown.qr) if shown.qr else None,
        code=shown.code,
        text=(shown.qr or shown.code) if demo else "",
        phone=_phone(account.pair_phone),
    )


def ending_of(account: Account, waiting: int) -> Ending | None:
    """What an account without a phone says of it, None if it never had one or was unlinked here."""
    if account.link is Link.LOGGED_OUT:
        title, sentence, button = "WhatsApp unlinked this phone.", "Nothing is lost.", "Link again"
    elif account.link is Link.LOCKED:
        title, button = "WhatsApp wants to see you.", "Link again"
        sentence = "Open WhatsApp on the phone and follow what it asks. Then link again."
    elif account.link_reason in words.PAIR_ENDING:
        by_code = f"{account.link_reason}_code" if account.pair_phone else ""
        title, sentence, button = words.PAIR_ENDING.get(by_code, words.PAIR_ENDING[account.link_reason])
        title = title.format(phone=_phone(account.pair_phone))
    else:
        return None
    if waiting:
        sentence += (
            f" Link again and {words.count_of(waiting, 'message')} {'leaves' if waiting == 1 else 'leave'} as planned."
        )
    return Ending(title=title, sentence=sentence, button=button)


def unlinking_view(account: Account, waiting: int) -> Unlinking:
    """The question before a phone is unlinked."""
    return Unlinking(
        id=str(account.id),
        name=account.name or _phone(account.phone) or "this phone",
        waits=words.count_of(waiting, "message") if waiting else "",
    )


def _linked(account: Account, shown: PairingShown | None, now: datetime) -> Pairing:
    phase = PairPhase.READY if account.names_synced_at else PairPhase.NAMES
    if shown is not None and not account.names_synced_at and shown.phase in _TITLES:
        phase = shown.phase
    note = ""
    if account.link is Link.BANNED:
        note = "WhatsApp restricts this number for now. The account's page says until when."
    elif phase is not PairPhase.READY and account.backoff_until and account.backoff_until > now:
        note = "WhatsApp cannot be reached right now. We try again by ourselves; the names come then."
    kind = "found" if phase in (PairPhase.FOUND, PairPhase.RESTARTING) and not note else "linked"
    return Pairing(
        id=str(account.id),
        kind=kind,
        by_code=bool(account.pair_phone),
        stages=_stages(phase, account.contacts),
        name=account.name,
        phone=_phone(account.phone),
        note=note,
    )


def _stages(phase: PairPhase, names: int) -> list[Stage]:
    """The steps up to `phase` done, that one under way. That the phone was found, or that all is ready, is done."""
    order, stages = list(_TITLES), []
    reached = max(order.index(phase), order.index(PairPhase.RESTARTING))
    for place, (one, title) in enumerate(_TITLES.items()):
        done = place < reached or phase is PairPhase.READY
        state = "done" if done else "now" if place == reached else "todo"
        if one is PairPhase.NAMES and (names or state == "done"):
            title = f"{'Names fetched' if state == 'done' else title}: {names:,}"
        stages.append(Stage(state=state, title=title))
    return stages


def _plain(
    account: Account,
    kind: str,
    *,
    number: int = 0,
    left_ms: int = 0,
    ending: Ending | None = None,
    stages: list[Stage] | None = None,
) -> Pairing:
    return Pairing(
        id=str(account.id),
        kind=kind,
        by_code=bool(account.pair_phone),
        number=number,
        left_ms=left_ms,
        ending=ending,
        stages=stages or [],
        phone=_phone(account.pair_phone),
    )


def _phone(digits: str) -> str:
    return f"+{digits}" if digits else ""
