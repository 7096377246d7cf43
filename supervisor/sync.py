"""Copies people and groups of a live session to Postgres, so that no page ever needs a session."""

import asyncio
from typing import TYPE_CHECKING

from domain import limits
from domain.hotset import WantKind
from enclave.wire.answers import ContactPage, GroupList
from enclave.wire.limits import CONTACT_PAGE_MAX
from enclave.wire.operations import ListContacts, ListGroups
from store.door import DoorFailed, DoorLost
from supervisor import clock, pairing
from supervisor.chores import until_available
from supervisor.log import emit
from supervisor.pictures import Pictures
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor

WISH = "sync"


def debounce_s(copies: int) -> float:
    """Seconds to gather changes for, after `copies` (from 1) in this sync: twice as long each time, up to a limit."""
    doublings = min(copies - 1, 32)
    return min(limits.SYNC_DEBOUNCE_S, limits.SYNC_DEBOUNCE_FIRST_S * 2**doublings)


class Sync:
    """The copying of one session."""

    def __init__(self, actor: "Actor", session: LiveSession) -> None:
        """`run` does it."""
        self._actor = actor
        self._session = session
        self._store = actor.context.store
        self._groups = 0
        self._pictures = Pictures(actor, session)

    async def run(self) -> None:
        """Copies what has changed until the session closes; a first sync also decides when it is over."""
        session, actor = self._session, self._actor
        await session.ready.wait()
        if session.closing.is_set():
            return
        self._note_ready()
        if session.kind in (WantKind.HEALTH, WantKind.WISH):
            session.stay(limits.HEALTH_STAY_S)
        pictures = actor.spawn(self._pictures.run())
        try:
            if actor.unsynced or actor.wish == WISH:
                session.syncing = True
                await self._sync_first()
            await self._follow()
        except (DoorFailed, DoorLost):
            return  # the session has ended, or cannot say; the next wake asks again
        finally:
            pictures.cancel()
            session.syncing = False
            actor.changed()

    def _note_ready(self) -> None:
        """A first login takes its own time: only the others say how long before its instant a wake must begin."""
        session, actor, ready_at = self._session, self._actor, clock.now()
        first = session.kind is WantKind.STICKY
        lead_ms = None if first else int((clock.loop_s() - session.opened_s) * 1000)
        woken_at, session.hot_since_s = session.woken.at, clock.loop_s()
        actor.chore(lambda: self._store.accounts.note_hot(actor.account, actor.epoch, woken_at, ready_at, lead_ms))

    async def _sync_first(self) -> None:
        session, actor = self._session, self._actor
        synced, copies = False, 0
        while not session.closing.is_set():
            session.contacts_changed.clear()
            synced, copies = await self._copy(groups=True), copies + 1
            now_s = clock.loop_s()
            end_s = now_s + session.sticky_left_ms / 1000
            quiet_at_s = session.contacts_quiet_since_s + limits.SYNC_QUIET_S if synced else end_s
            done = synced and now_s >= quiet_at_s and self._pictures.rest.is_set()
            wished = actor.wish == WISH and synced and not actor.unsynced
            if wished or done or now_s >= end_s:
                break
            next_s = quiet_at_s if now_s < quiet_at_s < end_s else end_s
            await self._wait_change(next_s - now_s, debounce_s(copies))
        if session.closing.is_set():
            return
        if synced:
            actor.unsynced = False
            actor.chore(lambda: self._store.accounts.note_synced(actor.account, actor.epoch))
        if actor.wish == WISH:
            self._end_wish()
        session.syncing = False
        actor.changed()

    def _end_wish(self) -> None:
        actor = self._actor
        actor.wish = ""
        actor.chore(lambda: self._store.accounts.end_wish(actor.account, actor.epoch, WISH))

    async def _follow(self) -> None:
        """Copies later changes for as long as the session stays for other reasons."""
        session, actor = self._session, self._actor
        while not session.closing.is_set():
            await session.contacts_changed.wait()
            await asyncio.sleep(limits.SYNC_DEBOUNCE_S)
            session.contacts_changed.clear()
            if session.closing.is_set():
                return
            wished = actor.wish == WISH  # by somebody who found the account awake already
            await self._copy(groups=wished)
            if wished:
                self._end_wish()

    async def _wait_change(self, timeout_s: float, gather_s: float) -> None:
        """Returns after changes, gathered for a moment; when the pictures have come to rest; after `timeout_s`."""
        changed = asyncio.create_task(self._session.contacts_changed.wait())
        waits = [changed]
        if not self._pictures.rest.is_set():
            waits.append(asyncio.create_task(self._pictures.rest.wait()))
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if changed.done():
                await asyncio.sleep(gather_s)
        finally:
            for wait in waits:
                wait.cancel()

    async def _copy(self, *, groups: bool) -> bool:
        """Copies all people, and groups if asked; returns whether the address book has arrived."""
        actor, contacts = self._actor, self._store.contacts
        account, after, people = str(actor.account), "", 0
        while True:
            page = await actor.context.door.call(
                ListContacts(account=account, epoch=actor.epoch, after=after, limit=CONTACT_PAGE_MAX)
            )
            assert isinstance(page, ContactPage)
            found = page.contacts
            if found:
                await until_available(lambda found=found: contacts.put_people(actor.account, actor.epoch, found))
            people += len(found)
            after = page.after
            if not after:
                break
        if groups:
            await self._copy_groups()
        own_name = page.own_name
        await until_available(lambda: contacts.count(actor.account, actor.epoch, own_name))
        if page.names_synced:
            pairing.note_ready(actor, self._session)
        self._pictures.look_again()
        emit(
            "contacts_copied",
            account=actor.account,
            people=people,
            groups=self._groups,
            synced=page.names_synced,
        )
        return page.names_synced

    async def _copy_groups(self) -> None:
        actor = self._actor
        answer = await actor.context.door.call(ListGroups(account=str(actor.account), epoch=actor.epoch))
        assert isinstance(answer, GroupList)
        self._groups = len(answer.groups)
        await until_available(lambda: self._store.contacts.put_groups(actor.account, actor.epoch, answer.groups))
