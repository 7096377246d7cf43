"""Every error is a page with one way on, and a number to quote where we broke something."""

import re

import pytest

from tests.app.conftest import Browser


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


def _way_on(page: str) -> list[str]:
    return re.findall(r'<a class="btn seal" href="([^"]+)"', page)


def test_what_is_not_there_leads_to_where_one_begins(browser):
    answer = browser().get("/nothing")
    assert answer.status_code == 404
    assert _way_on(answer.text) == ["/"]
    assert answer.text.count("<h1") == 1
    assert "Go to Upcoming" in browser().sign_in("lost@example.org").get("/accounts/nothing").text


def test_a_form_that_was_open_for_too_long_leads_back_to_its_page(browser):
    ana = browser().sign_in("old@example.org")
    ana.token = ""
    answer = ana.post("/accounts", {}, Referer=f"{ana.web.url}/accounts")
    assert answer.status_code == 403
    assert _way_on(answer.text) == ["/accounts"]
    answer = ana.post("/accounts", {}, Referer="http://evil.example/accounts")
    assert _way_on(answer.text) == ["/"]


def test_what_broke_has_a_number_that_is_in_the_log(browser, database):
    ana: Browser = browser().sign_in("broken@example.org")
    database.run("ALTER TABLE messages RENAME TO messages_away")
    try:
        answer = ana.get("/today")
    finally:
        database.run("ALTER TABLE messages_away RENAME TO messages")
    assert answer.status_code == 500
    found = re.search(r'Number <span class="num">([0-9a-f]{8})<', answer.text)
    assert found
    assert found[1] in ana.web.log()
    assert len(_way_on(answer.text)) == 1
