"""The browser of the run, and a fresh window per test."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from standalone.chromium import NoBrowser, find_chromium, launch


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give a running Chromium; without one fail in CI and skip, saying so, elsewhere."""
    try:
        program = find_chromium()
    except NoBrowser as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    async with async_playwright() as playwright:
        started = await launch(playwright, program)
        yield started
        await started.close()


@pytest_asyncio.fixture
async def window(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give an own window without cookies. Use `wait_until="domcontentloaded"`: a page with SSE is never idle."""
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    yield context
    await context.close()
