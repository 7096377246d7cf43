"""One live session as the host sees it: from the slot to the closing store. What it is good for right now, and why."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from domain import limits
from domain.account import Phase, RunEvent
from domain.hotset import WantKind
from domain.sending import drain_s
from enclave.wire import news
from enclave.wire.news import Notice, ReceiptKind
from store.accounts import AccountRow, Slept, Woken
from store.run_state import PairingShown
from supervisor import clock
from supervisor.news import KEEP_ALIVES_MAX, Classifier

GROUP_SERVER: Final = "@g.us"
EARLY_MAX: Final = 64
_ARRIVED: Final = (ReceiptKind.DELIVERED, ReceiptKind.READ)


class LiveSession:
    """The flags of one session. `changed` is called when it may have become ready or evictable."""

    def __init__(self, row: AccountRow, kind: WantKind, changed: Callable[[], None]) -> None:
        """Opens nothing; that is the actor's."""
        self.row = row
        self.kind = kind
        self.pairing = kind is WantKind.PAIRING
        self.classifier = Classifier(pairing=self.pairing)
        self.opened_s = clock.loop_s()
        self.woken = Woken(at=clock.now(), kind=kind)
        """Its row among the wakes."""
        self.ending: RunEvent | None = None
        """What made it end."""
        self.end_noted = False
        """The wake's end is in Postgres."""
        self.hot_since_s: float | None = None
        """Since when it runs; before that no budget does."""
        self.paired = not self.pairing
        """A device is persisted; from the start for a session that wakes one."""
        self.ready = asyncio.Event()
        """Connected, with a device, drained as far as we wait for it; or closing, so that nobody waits in vain."""
        self.was_ready = False
        self.closing = asyncio.Event()
        """Nothing new is begun any more."""
        self.contacts_changed = asyncio.Event()
        self.contacts_quiet_since_s = self.opened_s
        self.in_flight = False
        self.settling = 0
        self.syncing = False
        self.unlinking = False
        """We are removing the device ourselves."""
        self.replaced = False
        """The person gave this pairing up, or wants it by the other method."""
        self.version = 0
        self.least_wait_s = 0.0
        self.code = 0
        """Of the notice that ended it: a WhatsApp code, for the page."""
        self.ban_s = 0
        self.trouble = ""
        """Why linking failed."""
        self.accepted = False
        """The phone has accepted the new device; it is linked once that is persisted."""
        self.held: list[tuple[RunEvent, Notice]] = []
        """What was heard meanwhile."""
        self.codes = 0
        """QR texts so far."""
        self.shown: PairingShown | None = None
        """What pages may see of the linking."""
        self.showing = asyncio.Lock()
        self.next_use_ms: int | None = None
        """When Postgres says that the account has something to send again, None: never."""
        self.next_use_asked_s = -math.inf
        """When it was asked; a send makes that void."""
        self.busy_since_ms: int | None = None
        """Since when it has been sending with no rest in which others could have had the slot."""
        self.yielding = False
        """Others wait and its turn is over: it begins nothing more, and sleeps after its linger."""
        self._changed = changed
        self._connected = False
        self._drained = False
        self._drain_timer: asyncio.TimerHandle | None = None
        self._drain_s = limits.DRAIN_S
        self._linger_until_s = 0.0
        self._linger_max_s = 0.0
        self.sent_at_ms = 0
        """When it last handed a message over, 0: not yet."""
        self._unreceived: set[str] = set()
        self._early: deque[str] = deque(maxlen=EARLY_MAX)
        """Ids that were received before their acknowledgement came to us."""

    def take(self, notice: Notice) -> None:
        """Notes what a notice says of readiness, linger and contacts."""
        match notice:
            case news.Connected():
                self._connected = True
                self._arm_drain()
            case news.DrainStarted():
                self._drain_s = drain_s(notice.total)
                self._arm_drain()
            case news.Drained():
                self._drained = True
                self._become_ready()
            case news.Dropped():
                self._lose_connection()
            case news.KeepAliveLost():
                if notice.count > KEEP_ALIVES_MAX:  # of fewer we do not hear that they are answered again
                    self._lose_connection()
            case news.ContactsChanged():
                self.contacts_quiet_since_s = clock.loop_s()
                self.contacts_changed.set()
            case news.Receipt():
                self._take_receipt(notice)
            case news.LoggedOut() | news.Outdated() | news.ConnectFailed() | news.StreamFailed():
                self.code = notice.code
            case news.Banned():
                self.code, self.ban_s = notice.code, notice.expire_s
            case news.PairFailed():
                self.trouble = notice.trouble

    def sent(self, wa_id: str, recipient: str, linger_s: float) -> None:
        """A message was accepted: stay for what may still come."""
        now_s, self.sent_at_ms = clock.loop_s(), clock.now_ms()
        self.next_use_asked_s = -math.inf
        self._linger_max_s = now_s + limits.LINGER_MAX_S
        if wa_id in self._early and not self._unreceived:
            linger_s = limits.LINGER_QUIET_S
        elif not recipient.endswith(GROUP_SERVER):
            self._unreceived.add(wa_id)
        self._linger(now_s + linger_s)

    def stay(self, stay_s: float) -> None:
        """Stay for a while without a send: a health wake."""
        self._linger_max_s = max(self._linger_max_s, clock.loop_s() + stay_s)
        self._linger(clock.loop_s() + stay_s)

    def stop(self) -> None:
        """Begin nothing new."""
        self.closing.set()
        self.ready.set()
        self.contacts_changed.set()
        if self._drain_timer is not None:
            self._drain_timer.cancel()

    def slept(self) -> Slept:
        """Its end, which is now."""
        return Slept(woken_at=self.woken.at, at=clock.now(), ending=self.ending or RunEvent.CLOSED)

    @property
    def sticky_left_ms(self) -> int:
        """What is left of the first sync's budget: that of the row, less the time in which this session was HOT."""
        spent_s = 0.0 if self.hot_since_s is None else clock.loop_s() - self.hot_since_s
        return max(0, self.row.sticky_left_ms - int(spent_s * 1000))

    @property
    def next_use_known(self) -> bool:
        """Whether Postgres was asked for the next use since the last send."""
        return self.next_use_asked_s > -math.inf

    @property
    def phase(self) -> Phase:
        """For display."""
        if self.in_flight:
            return Phase.SENDING
        if not self.was_ready:
            return Phase.DRAINING
        return Phase.LINGERING if self._linger_until_s > clock.loop_s() or self.settling else Phase.READY

    @property
    def usable(self) -> bool:
        """Whether a send may begin now."""
        return self.ready.is_set() and not self.closing.is_set()

    @property
    def evictable(self) -> bool:
        """Whether nothing would be lost by closing it now."""
        busy = self.in_flight or self.settling > 0 or self.syncing
        return self.was_ready and not busy and self._linger_until_s <= clock.loop_s()

    def _lose_connection(self) -> None:
        self._connected = self._drained = False
        if not self.closing.is_set():
            self.ready.clear()

    def _take_receipt(self, receipt: news.Receipt) -> None:
        ours = self._unreceived.intersection(receipt.wa_ids)
        if receipt.kind in _ARRIVED and not ours:
            self._early.extend(receipt.wa_ids[:EARLY_MAX])
        if receipt.kind is ReceiptKind.RETRY and self._linger_until_s:
            self._linger(clock.loop_s() + limits.LINGER_RETRY_S)
        elif ours and receipt.kind in _ARRIVED:
            self._unreceived -= ours
            if not self._unreceived:
                self._linger_until_s = min(self._linger_until_s, clock.loop_s() + limits.LINGER_QUIET_S)
                self._linger(self._linger_until_s)

    def _linger(self, until_s: float) -> None:
        self._linger_until_s = min(until_s, self._linger_max_s)
        asyncio.get_running_loop().call_at(self._linger_until_s, self._changed)

    def _arm_drain(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
        if self._connected and not self._drained:
            self._drain_timer = asyncio.get_running_loop().call_later(self._drain_s, self._stop_draining)
        else:
            self._become_ready()

    def _stop_draining(self) -> None:
        self._drained = True
        self._become_ready()

    def mark_paired(self, row: AccountRow) -> None:
        """The new device is persisted; what comes next is the first sync."""
        self.row, self.kind, self.paired = row, WantKind.STICKY, True
        self._become_ready()

    def _become_ready(self) -> None:
        if self._connected and self._drained and self.paired and not self.closing.is_set():
            self.was_ready = True
            self.ready.set()
            self._changed()
