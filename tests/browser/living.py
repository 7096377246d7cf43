"""A web process that can be ended and started again at its address, on a Redis that can be taken away, and its user."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from playwright.async_api import BrowserContext, Page

from domain.naming import search_text
from standalone.valkey import Valkey
from store import keys
from store.database import new_id
from tests.app.conftest import Browser, Database, Web

ANSWER_MS = 10_000
LOST_MS = 20_000
"""How long a test waits for the line that says that the stream is away; it comes after five seconds."""


class Product:
    """The web process and its Redis."""

    def __init__(self, environ: dict[str, str], cache: Valkey, database: Database) -> None:
        """Start the process; its address stays through restarts."""
        self.cache = cache
        self.database = database
        self._environ = {**environ, "AUTOSENDR_REDIS_URL": cache.url}
        self._folder = Path(environ["AUTOSENDR_MAILBOX"]).parent
        self.web = Web(self._environ, self._folder)
        self._environ["AUTOSENDR_WEB_PORT"] = str(self.web.port)
        self.url = self.web.url

    def start(self) -> None:
        """Start the process again where it was."""
        self.web = Web(self._environ, self._folder)

    def sign_in(self, email: str) -> "Person":
        """Sign somebody in who has one linked account."""
        browser = Browser(self.web).sign_in(email)
        user = self.database.run(f"SELECT id FROM users WHERE email = '{email}'").strip()
        account = str(new_id())
        self.database.run(
            "INSERT INTO accounts (id, user_id, link, wrapped_key, phone, name, names_synced_at, phone_seen_at) VALUES "
            f"('{account}', '{user}', 'LINKED', 'k', '{account[-12:]}', 'Ana', now(), now())"
        )
        return Person(product=self, user=user, account=account, cookies=dict(browser.client.cookies))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is signed in, and what the engine does for them."""

    product: Product
    user: str
    account: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, window: BrowserContext, path: str = "/today") -> Page:
        """Open a page as this person."""
        cookies = [{"name": name, "value": value, "url": self.product.url} for name, value in self.cookies.items()]
        await window.add_cookies(cookies)  # ty: ignore[invalid-argument-type]
        page = await window.new_page()
        page.set_default_timeout(ANSWER_MS)
        await page.goto(f"{self.product.url}{path}", wait_until="domcontentloaded")
        return page

    def schedule(self, name: str, minutes: float, state: str = "SCHEDULED") -> str:
        """Make a contact and a message to them that is due in so many minutes; return the message."""
        message, schedule = str(new_id()), str(new_id())
        jid = f"49151{int(message[-7:], 16):09}@s.whatsapp.net"
        due = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        self.product.database.run(
            "INSERT INTO contacts (account_id, jid, kind, name, search, established) VALUES "
            f"('{self.account}', '{jid}', 'person', '{name}', '{search_text(name, jid)}', true);"
            "INSERT INTO schedules (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, "
            f"content_key, body) VALUES ('{schedule}', '{self.user}', '{self.account}', '{jid}', 'UTC', 7200, 'demo', "
            "4000000000, 'k', 'body');"
            "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state, wa_id) "
            f"VALUES ('{message}', '{schedule}', 1, '{self.user}', '{self.account}', '{jid}', '{due}', '{state}', 'x')"
        )
        return message

    def move(self, message: str, state: str, *, tell: bool = True) -> None:
        """Do what the engine does when a message changes its state; without `tell` nobody hears of it."""
        self.product.database.run(
            f"UPDATE messages SET state = '{state}', sent_at = coalesce(sent_at, now()) WHERE id = '{message}'"
        )
        if tell:
            self.tell("message", message)

    def tell(self, kind: str, identity: str) -> None:
        """Publish a piece of news."""
        with redis.Redis.from_url(self.product.cache.url) as client:
            client.publish(keys.news_of(self.user), json.dumps([[kind, identity]]))
