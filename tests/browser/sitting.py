"""Somebody at a browser: signed in, by the cookie of a sign-in without a screen."""

from playwright.async_api import Browser, BrowserContext

from tests.app.conftest import Browser as Screenless
from tests.app.conftest import Web


async def signed_in(browser: Browser, web: Web, email: str, **options: object) -> BrowserContext:
    """Return a window of its own in which `email` is signed in. The caller closes it."""
    cookie = Screenless(web).sign_in(email).client.cookies["login"]
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/Berlin", **options)  # ty: ignore[invalid-argument-type]
    await context.add_cookies([{"name": "login", "value": cookie, "url": web.url}])
    return context
