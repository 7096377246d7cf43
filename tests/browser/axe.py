"""Asks axe-core what is wrong with a page for people who use a keyboard, a screen reader, or their own colours."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

GRAVE = ("serious", "critical")
_UNTIL_STILL = """() => Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished))"""


async def grave_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page once nothing moves: one line each, with the element."""
    await page.evaluate(_UNTIL_STILL)
    found = await Axe().run(page)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found.response["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
