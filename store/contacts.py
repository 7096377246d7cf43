"""People and groups of an account, as the engine copies them from a live session."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import limits
from domain.naming import search_text, shown_name
from enclave.wire.answers import Contact, Group
from store.database import Pool, reaching, transaction
from store.notices import Element, Notices
from store.statements import Statements

_SQL: Final = Statements("contacts")


class Contacts:
    """Raises `Unavailable` where Postgres cannot be reached. An epoch that is not the newest writes nothing."""

    def __init__(self, pool: Pool, notices: Notices) -> None:
        """Works on `pool`; tells changes through `notices` once they are committed."""
        self._pool = pool
        self._notices = notices

    async def put_people(self, account: UUID, epoch: int, people: Sequence[Contact]) -> None:
        """Keeps a page of people."""
        names = [shown_name(one.jid, one.full_name, one.business_name, one.push_name) for one in people]
        async with reaching():
            await self._pool.execute(
                _SQL["put_people"],
                account,
                epoch,
                [one.jid for one in people],
                [one.lid for one in people],
                names,
                [search_text(name, one.jid) for name, one in zip(names, people, strict=True)],
                [one.push_name for one in people],
                [one.established for one in people],
            )

    async def put_groups(self, account: UUID, epoch: int, groups: Sequence[Group]) -> None:
        """Keeps all groups; those that are not among them are dropped."""
        names = [unicodedata.normalize("NFC", one.name.strip()) or "Group" for one in groups]
        async with transaction(self._pool) as connection:
            await connection.execute(
                _SQL["put_groups"],
                account,
                epoch,
                [one.jid for one in groups],
                names,
                [search_text(name, one.jid) for name, one in zip(names, groups, strict=True)],
                [one.members for one in groups],
                [one.can_send for one in groups],
                [one.expiration_s for one in groups],
            )
            await connection.execute(_SQL["drop_other_groups"], account, epoch, [one.jid for one in groups])

    async def count(self, account: UUID, epoch: int, own_name: str = "") -> int:
        """Counts the contacts anew and tells that they changed; returns the number. `own_name` "": not told yet."""
        async with reaching():
            row = await self._pool.fetchrow(_SQL["count"], account, epoch, own_name)
        if row is None:
            return 0
        await self._notices.tell(row["user_id"], (Element.CONTACTS, account), (Element.ACCOUNT, account))
        return row["contacts"]

    async def without_picture(self, account: UUID, before: datetime, most: int) -> list[tuple[str, str]]:
        """(JID, known picture id) of contacts whose picture nobody asked for since `before`: recipients first.

        None once `limits.PICTURES_PER_DAY_MAX` have been asked for in a day, and none during a pause.
        """
        async with reaching():
            rows = await self._pool.fetch(_SQL["without_picture"], account, before, most, limits.PICTURES_PER_DAY_MAX)
        return [(row["jid"], row["picture_id"]) for row in rows]

    async def put_picture(self, account: UUID, epoch: int, jid: str, picture_id: str, image: bytes | None) -> None:
        """Keeps what is known of a picture, tells of a new one; `picture_id` "" for none, `image` None: unchanged."""
        async with reaching():
            user = await self._pool.fetchval(_SQL["put_picture"], account, epoch, jid, picture_id, image)
        if user is not None and image is not None:
            await self._notices.tell(user, (Element.CONTACTS, account))

    async def pause_pictures(self, account: UUID, epoch: int, until: datetime) -> None:
        """Asks for no picture before `until`."""
        async with reaching():
            await self._pool.execute(_SQL["pause_pictures"], account, epoch, until)
