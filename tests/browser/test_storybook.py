"""Every part in every state: readable and usable for everybody, in both themes and widths, and wide enough to touch."""

from typing import Literal

import pytest
from playwright.async_api import Page

from tests.app.conftest import Web, web  # noqa: F401 - fixtures
from tests.app.conftest import web_environ as plain_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings

SIZES = [(390, 844), (1280, 800)]
Theme = Literal["light", "dark"]
THEMES: list[Theme] = ["light", "dark"]
TOUCH_PX = 44


@pytest.fixture(scope="module")
def web_environ(plain_environ: dict[str, str]) -> dict[str, str]:  # noqa: F811
    """A demo's web process; its simulator is never asked."""
    return {**plain_environ, "AUTOSENDR_SIMULATOR": "127.0.0.1:9"}


@pytest.fixture
async def story_page(window, web: Web) -> Page:  # noqa: F811
    """Give the storybook, opened."""
    page = await window.new_page()
    await page.goto(f"{web.url}/parts", wait_until="load")
    return page


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_axe_finds_nothing_grave_in_any_part(story_page: Page, width: int, height: int, theme: Theme) -> None:
    await story_page.set_viewport_size({"width": width, "height": height})
    # Without motion the colours are at once what they will be.
    await story_page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    assert await grave_findings(story_page) == []


async def test_axe_would_see_a_fault(story_page: Page) -> None:
    await story_page.evaluate("document.querySelector('.ib').removeAttribute('aria-label')")
    assert any(line.startswith("button-name") for line in await grave_findings(story_page))


@pytest.mark.parametrize("width", [320, 390, 1280, 1680])
async def test_no_part_makes_the_page_scroll_sideways(story_page: Page, width: int) -> None:
    await story_page.set_viewport_size({"width": width, "height": 800})
    assert await story_page.evaluate("document.documentElement.scrollWidth") <= width


TOO_SMALL = """(least) => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((it) => it.checkVisibility() && !it.closest("p, label, [inert]") && it.type !== "hidden")
  .map((it) => [it, it.getBoundingClientRect().height, parseFloat(getComputedStyle(it, "::after").height) || 0])
  .filter(([it, height, grown]) => Math.max(height, grown) < least)
  .map(([it, height]) => `${it.outerHTML.slice(0, 120)} is ${height} high`)"""
"""A text link in a sentence is as high as its line; a label's input is as large as the label."""


async def test_everything_that_is_pressed_is_high_enough_for_a_finger(story_page: Page) -> None:
    await story_page.set_viewport_size({"width": 390, "height": 844})
    assert await story_page.evaluate(TOO_SMALL, TOUCH_PX) == []


PALE = """() => [...document.querySelectorAll(".icon")]
  .filter((it) => !it.closest(".device, .row-found, .row-menu, .note, .stages"))  // whose icons have their own colour
  .filter((it) => getComputedStyle(it).color !== getComputedStyle(it.parentElement).color)
  .map((it) => `${it.parentElement.outerHTML.slice(0, 120)}`)"""


async def test_an_icon_has_the_colour_of_its_words(story_page: Page) -> None:
    assert await story_page.evaluate(PALE) == []


async def test_without_motion_another_theme_is_there_at_once(story_page: Page) -> None:
    await story_page.emulate_media(color_scheme="light", reduced_motion="reduce")
    await story_page.reload()
    await story_page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    begun = "() => document.getAnimations().filter((it) => it instanceof CSSTransition).length"
    assert await story_page.evaluate(begun) == 0


WIDTHS_OF_ACTIONS = """() => [...document.querySelectorAll(".actions .btn")]
  .filter((it) => it.checkVisibility())
  .map((it) => [it.textContent.trim(), it.closest("[class^=place]").clientWidth - it.offsetWidth])
  .filter(([, lacks]) => lacks !== 0)"""


async def test_on_a_phone_every_action_fills_its_place(story_page: Page) -> None:
    await story_page.set_viewport_size({"width": 390, "height": 844})
    assert await story_page.locator(".actions .btn").count() > 0
    assert await story_page.evaluate(WIDTHS_OF_ACTIONS) == []
