"""Asks a live session for the pictures of people and groups: a few, slowly, those that are looked at first."""

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from domain import limits
from enclave.wire.answers import Picture
from enclave.wire.envelope import Code
from enclave.wire.operations import GetPicture
from store.door import DoorFailed, DoorLost
from supervisor import clock
from supervisor.chores import until_available
from supervisor.log import emit
from supervisor.session import LiveSession

if TYPE_CHECKING:
    from supervisor.actor import Actor


class Pictures:
    """The pictures of one session. They keep none alive but a first sync, and let what a wake is for go first."""

    def __init__(self, actor: "Actor", session: LiveSession) -> None:
        """`run` does it."""
        self._actor = actor
        self._session = session
        self._contacts = actor.context.store.contacts
        self._names_came = asyncio.Event()
        self.rest = asyncio.Event()
        """There is nobody whose picture may be asked for now."""
        self._failed: set[str] = set()
        """Of whom this session could not say; the next one asks again."""

    def look_again(self) -> None:
        """Names have been copied: perhaps of people whose picture nobody has asked for."""
        self._names_came.set()

    async def run(self) -> None:
        """Asks until the session closes, a wake's share is used up, or WhatsApp refuses."""
        first = self._session.syncing
        if not first:
            await _gap()
        for _ in range(limits.PICTURES_PER_DAY_MAX if first else limits.PICTURES_PER_WAKE_MAX):
            jid, known_id = await self._next()
            if self._session.closing.is_set() or not await self._copy(jid, known_id):
                break
            await _gap()
        self.rest.set()

    async def _next(self) -> tuple[str, str]:
        """Whose picture to ask for, once there is somebody."""
        before = clock.now() - timedelta(seconds=limits.PICTURE_FRESH_S)
        wanted: list[tuple[str, str]] = []

        async def look() -> None:
            most = len(self._failed) + 1
            found = await self._contacts.without_picture(self._actor.account, before, most)
            wanted[:] = [one for one in found if one[0] not in self._failed]

        while True:
            self._names_came.clear()
            await until_available(look)
            if wanted:
                self.rest.clear()
                return wanted[0]
            self.rest.set()
            await self._names_came.wait()

    async def _copy(self, jid: str, known_id: str) -> bool:
        """Asks for one picture and keeps it; False if no more should be asked for in this session."""
        actor, contacts = self._actor, self._contacts
        try:
            answer = await actor.context.door.call(
                GetPicture(account=str(actor.account), epoch=actor.epoch, jid=jid, known_id=known_id)
            )
        except DoorLost:
            return False
        except DoorFailed as failure:
            if failure.code is Code.RATE_LIMITED:
                until = clock.now() + timedelta(seconds=limits.PICTURE_PAUSE_S)
                await until_available(lambda: contacts.pause_pictures(actor.account, actor.epoch, until))
                emit("pictures_paused", account=actor.account)
                return False
            self._failed.add(jid)
            return True
        assert isinstance(answer, Picture)
        await until_available(
            lambda: contacts.put_picture(actor.account, actor.epoch, jid, answer.picture_id, answer.image or None)
        )
        return True


async def _gap() -> None:
    await asyncio.sleep(limits.PICTURE_GAP_S * (1 + limits.PICTURE_GAP_JITTER * random.random()))  # noqa: S311
