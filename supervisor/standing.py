"""Where an account stands with WhatsApp: logged out, locked, banned; and the signs of life that its session brings."""

from datetime import timedelta
from typing import TYPE_CHECKING

from domain import limits
from domain.account import LinkEvent, link_outcome
from domain.message import BLOCK_REASONS, MessageEvent, Reason
from domain.refusal import Unavailable
from enclave.wire import news
from enclave.wire.answers import SealedStore
from store.receipts import instant
from supervisor import clock, wanting
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor
    from supervisor.context import Context


def mark_logged_out(actor: "Actor") -> None:
    """The device is gone, with its store."""
    _leave(actor, LinkEvent.LOGGED_OUT)


def mark_locked(actor: "Actor") -> None:
    """WhatsApp says that the account itself is in trouble; the device is gone, with its store."""
    _leave(actor, LinkEvent.LOCKED)


def mark_banned(actor: "Actor") -> None:
    """A ban that ends; the device stays."""
    session = actor.session
    ban_s = session.ban_s if session is not None else 0
    margin_s = limits.BAN_MARGIN_S + limits.BAN_JITTER_S * actor.context.dice()
    move_link(actor, LinkEvent.BANNED, _code(actor), ban_s + margin_s)
    block(actor, Reason.BANNED)


def move_link(actor: "Actor", event: LinkEvent, reason: str = "", ban_s: float | None = None) -> None:
    """Moves the link, here at once and in Postgres as a chore."""
    actor.link = link_outcome(event)
    until = None if ban_s is None else clock.now() + timedelta(seconds=ban_s)
    emit("account_link", account=actor.account, by=event, reason=reason)
    actor.chore(lambda: actor.context.store.accounts.move_link(actor.account, actor.epoch, event, reason, until))


def block(actor: "Actor", reason: Reason) -> None:
    """Nothing of the account can leave: what waits is BLOCKED, what is in doubt stays so."""
    actor.outbox.clear()
    actor.doubted.clear()
    store, account, epoch = actor.context.store, actor.account, actor.epoch

    async def write() -> None:
        await store.messages.block(account, epoch, reason)
        for attempt in await store.attempts.open_of(account):
            if attempt.id not in actor.sending:
                await store.attempts.end_send(
                    attempt.id, attempt.message, epoch, MessageEvent.DOUBTED, reason=Reason.SESSION_DIED
                )

    actor.chore(write)


def unblock(actor: "Actor") -> None:
    """The account can send again."""
    store, account, epoch = actor.context.store, actor.account, actor.epoch

    async def write() -> None:
        await store.messages.unblock(account, epoch, clock.now_ms())
        actor.context.wake_due()

    actor.chore(write)


def drop_store(actor: "Actor") -> None:
    """The device is gone: its store is worth nothing."""
    actor.chore(lambda: actor.context.store.stores.drop(actor.account, actor.epoch))


def keep_closing_store(actor: "Actor", session: LiveSession, store: SealedStore) -> None:
    """The enclave shut down in order and gave us the store."""
    slept = session.slept()
    actor.chore(lambda: actor.context.store.stores.put_closing(actor.account, actor.epoch, store, slept))


def note_slept(actor: "Actor", session: LiveSession) -> None:
    """Writes the wake's end down, unless that was done with the closing store; what never had a device was no wake."""
    if session.paired and not session.end_noted:
        slept = session.slept()
        actor.chore(lambda: actor.context.store.accounts.note_slept(actor.account, actor.epoch, slept))


def take_sign_of_life(actor: "Actor", notice: news.Receipt | news.PhoneSeen) -> None:
    """Receipts move messages on; the phone was seen. The session has acknowledged them, so they must not be lost."""
    store, account, epoch = actor.context.store, actor.account, actor.epoch
    if isinstance(notice, news.PhoneSeen):
        seen = notice.at_s
        actor.chore(lambda: store.accounts.note_phone(account, epoch, instant(seen)))
        return
    receipt = notice

    async def write() -> None:
        known = await store.receipts.take_in(
            account, epoch, receipt.kind, receipt.wa_ids, receipt.chat, instant(receipt.at_s)
        )
        emit("receipt", account=account, kind=receipt.kind, ids=len(known))
        actor.receipt_stored()

    if not actor.chore(write):
        emit("receipt_lost", account=account, kind=receipt.kind)


async def show(actor: "Actor") -> None:
    """Shows pages what the session does: a hint."""
    state = actor.context.store.run_state
    if wanting.holder(actor) is None:
        await state.hide(actor.account)
    else:
        await state.show(actor.account, wanting.shown(actor))


async def take_slot(actor: "Actor", token: str) -> bool:
    """Takes the account's slot key. Without Redis the node's own count has to do; Postgres says who owns it."""
    try:
        return await actor.context.keys.take(actor.account, token)
    except Unavailable:
        return True


async def give_slot_back(actor: "Actor", token: str) -> None:
    """Returns the slot key; one that cannot be returned ends by itself."""
    try:
        if token:
            await actor.context.keys.give_back(actor.account, token)
    except Unavailable:
        return


async def keep_slot(actor: "Actor") -> bool:
    """Renews the slot key; after a loss of Redis it is taken anew. False: somebody else has it."""
    keys, account, token = actor.context.keys, actor.account, actor.slot_token
    try:
        return not token or await keys.renew(account, token) or await keys.take(account, token)
    except Unavailable:
        return True


def _leave(actor: "Actor", event: LinkEvent) -> None:
    move_link(actor, event, _code(actor))
    drop_store(actor)
    block(actor, BLOCK_REASONS[actor.link])


def _code(actor: "Actor") -> str:
    return str(actor.session.code) if actor.session is not None and actor.session.code else ""


async def give_hand_back(actor: "Actor") -> None:
    """What is armed waits for the next owner. Raises `Unavailable`."""
    messages = [message.id for message in actor.outbox.messages()]
    await actor.context.store.messages.move(actor.epoch, messages, MessageEvent.DISARMED)
    actor.outbox.clear()


async def look_at_fleet(context: "Context") -> None:
    """Learns from Redis that another node has stopped all connecting."""
    try:
        left_ms = await context.store.run_state.fleet_stop_ms()
    except Unavailable:
        return
    context.fleet_stopped_until_ms = max(context.fleet_stopped_until_ms, clock.now_ms() + left_ms if left_ms else 0)
