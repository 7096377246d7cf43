"""Who has to sign in first gets to the page that they asked for, and to no other place."""

import pytest

from tests.app.conftest import Browser


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


def sign_in(browser: Browser, email: str) -> str:
    """Sign in by hand; return where that leads."""
    browser.get("/login")
    assert browser.post("/login-codes", {"email": email}).status_code == 303
    browser.get("/logins/new")
    return browser.post("/logins", {"code": browser.web.code_for(email), "email": email}).headers["location"]


def test_signing_in_leads_to_the_page_that_was_asked_for_once(browser):
    ana = browser()
    assert ana.get("/schedules/new?to=491510000001@s.whatsapp.net").headers["location"] == "/login"
    assert sign_in(ana, "ana@example.org") == "/schedules/new?to=491510000001@s.whatsapp.net"
    assert "then" not in ana.client.cookies


def test_without_one_it_leads_to_the_first_page(browser):
    assert sign_in(browser(), "bob@example.org") == "/today"


@pytest.mark.parametrize(
    "made_up", ["//evil.example", "/%5Cevil.example", "https://evil.example", "%2F%2Fevil.example", "/a%0Ab"]
)
def test_a_made_up_cookie_leads_nowhere_else(browser, made_up):
    eve = browser()
    eve.client.cookies.set("then", made_up)
    assert sign_in(eve, f"eve{abs(hash(made_up))}@example.org") == "/today"


def test_what_is_asked_for_by_a_program_is_not_remembered(browser):
    ana = browser()
    assert ana.get("/schedules/new", Accept="application/json").status_code == 401
    assert "then" not in ana.client.cookies
