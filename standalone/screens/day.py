"""Somebody's day: the first page, the history, and a message's page in every state. The engine stands still."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.message import MessageState
from simulator.pictures import jpeg
from standalone.person import Person
from standalone.screens.album import Album
from standalone.screens.desk import Desk
from standalone.screens.letters import LETTERS
from standalone.screens.rows import bring_to, run
from standalone.screens.seats import arrive
from store import keys

RUN_SHOWN_MS: Final = 60_000
MADE_AGO: Final = timedelta(minutes=40)
UNLINKED_AGO: Final = timedelta(minutes=12)
FACELESS: Final = ("Leo, plumber", "Dr. Okafor's practice")
SHOWN_AS: Final = {
    "message-scheduled": "grandma",
    "message-sent": "ben",
    "message-delivered": "lunch",
    "message-read": "mum",
    "message-unconfirmed": "leo-before",
    "message-missed": "practice-before",
}


@dataclass(frozen=True, slots=True)
class Day:
    """The day of a person with one account. `messages`: ids by the names in LETTERS."""

    person: Person
    desk: Desk
    album: Album
    account: str
    messages: Mapping[str, str]

    async def show(self) -> None:
        """Take all pictures of it."""
        self.furnish()
        page, album = self.person.page, self.album
        await arrive(self.person, "/today")
        await album.take("today-busy", page)
        await album.take("today-whole", page)
        await self._send()
        await self._miss()
        self.place("leo-before")
        await arrive(self.person, "/history")
        await page.get_by_text(LETTERS["ben-before"].text).wait_for()
        await album.take("history", page)
        for picture, name in SHOWN_AS.items():
            await self._open(name)
            await album.take(picture, page)
        await self._cancel()
        await self._block()

    def furnish(self) -> None:
        """Bring every message to where it is, and give people their faces."""
        query = self.desk.query
        for name, number in self.desk.people.items():
            if name not in FACELESS:
                run(query, "give_face", jid=f"{number}@s.whatsapp.net", picture=jpeg(name).hex())
        run(query, "know_everybody")
        for name in LETTERS:
            self.place(name, MessageState.READ if name == "leo-before" else None)  # in doubt only later
        query("UPDATE wakes SET slept_at = woken_at + interval '3 minutes' WHERE slept_at IS NULL")
        self.desk.cache.delete(keys.run(self.account))

    def place(self, name: str, state: MessageState | None = None, stopped: datetime | None = None) -> None:
        """Put a message where its letter says, or into another state; `stopped`: see `bring_to`."""
        letter = LETTERS[name]
        due = self.desk.today_at(letter.clock, letter.days)
        made_s = min(-2 * 3600.0, (datetime.now(UTC) - due - MADE_AGO).total_seconds())
        bring_to(
            self.desk.query,
            self.messages[name],
            state or letter.state,
            due,
            late_ms=letter.late_ms,
            made_s=made_s,
            stopped=stopped,
        )

    async def _open(self, name: str) -> None:
        await arrive(self.person, f"/messages/{self.messages[name]}")
        await self.person.page.locator("main").get_by_text(LETTERS[name].text.split("*")[0].strip()).wait_for()

    async def _cancel(self) -> None:
        """Cancel one, and take it back."""
        page = self.person.page
        await self._open("priya")
        await page.locator("main").get_by_role("button", name="Cancel").click()
        undo = page.locator(".toasts").get_by_role("button", name="Undo")
        await undo.wait_for()
        await self.album.take("message-cancelled", page)
        self.place("priya")

    async def _send(self) -> None:
        """One is leaving right now."""
        query, page = self.desk.query, self.person.page
        due = datetime.now(UTC).replace(second=0, microsecond=0)
        bring_to(query, self.messages["grandma"], MessageState.SENDING, due)
        self.desk.cache.set(keys.run(self.account), '{"run":"HOT","phase":"ready"}', px=RUN_SHOWN_MS)
        await arrive(self.person, "/today")
        await self.album.take("today-sending", page)
        await self._open("grandma")
        await self.album.take("message-sending", page)
        self.desk.cache.delete(keys.run(self.account))
        self.place("grandma")

    async def _miss(self) -> None:
        """One was too late today."""
        bring_to(self.desk.query, self.messages["ben"], MessageState.MISSED, self.desk.today_at("05:10"))
        await arrive(self.person, "/today")
        await self.album.take("today-missed", self.person.page)
        self.place("ben")

    async def _block(self) -> None:
        """WhatsApp has unlinked the phone."""
        query, page = self.desk.query, self.person.page
        since = (datetime.now(UTC) - UNLINKED_AGO).replace(second=0, microsecond=0)
        run(query, "log_out", account=self.account, since=since)
        waiting = [name for name, letter in LETTERS.items() if letter.state is MessageState.SCHEDULED]
        for name in waiting:
            self.place(name, MessageState.BLOCKED, since)
        await arrive(self.person, "/today")
        await self.album.take("today-blocked", page)
        await self._open("practice")
        await self.album.take("message-blocked", page)
        await arrive(self.person, f"/accounts/{self.account}")
        await self.album.take("account-unlinked", page)
        run(query, "link_again", account=self.account)
        for name in waiting:
            self.place(name)
