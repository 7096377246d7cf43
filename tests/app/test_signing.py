"""Signing in and out, and who may not."""

import re

import pytest

from tests.app.conftest import Browser, Web


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


def test_a_code_from_the_mail_signs_in(browser):
    ana = browser().sign_in("ana@example.org")
    assert "ana@example.org" in ana.get("/today").text


def test_whoever_is_not_signed_in_is_led_to_where_one_signs_in(browser):
    answer = browser().get("/today")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/today", "/messages", "/logins", "/live"])
def test_a_program_that_is_not_signed_in_is_told_so(browser, path):
    answer = browser().get(path, Accept="application/json")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_wrong_code_is_refused_at_the_field_and_five_are_too_many(browser):
    ana = browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "ana@example.org"})
    right = ana.web.code_for("ana@example.org")
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for status in (422, 422, 422, 422, 429):
        answer = ana.post("/logins", {"email": "ana@example.org", "code": wrong})
        assert answer.status_code == status
        assert 'id="code-error" role="alert">' in answer.text
    assert ana.post("/logins", {"email": "ana@example.org", "code": right}).status_code == 429


def test_a_code_works_only_in_the_browser_that_asked_for_it(browser):
    ana, eve = browser(), browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "ana@example.org"})
    eve.get("/login")
    code = ana.web.code_for("ana@example.org")
    assert eve.post("/logins", {"email": "ana@example.org", "code": code}).status_code == 422
    assert ana.post("/logins", {"email": "ana@example.org", "code": code}).status_code == 303


def test_a_code_works_once(browser):
    ana = browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "ana@example.org"})
    visit = dict(ana.client.cookies)
    token, code = ana.token, ana.web.code_for("ana@example.org")
    assert ana.post("/logins", {"email": "ana@example.org", "code": code}).status_code == 303
    again = browser()
    again.client.cookies.update(visit)
    again.token = token
    assert again.post("/logins", {"email": "ana@example.org", "code": code}).status_code == 422


@pytest.mark.parametrize("email", ["", "ana", "ana@", "a b@example.org", "ana@example", "x" * 260 + "@example.org"])
def test_what_is_no_address_is_refused_at_the_field(browser, email):
    ana = browser()
    ana.get("/login")
    answer = ana.post("/login-codes", {"email": email})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert not list(ana.web.mailbox.glob("*.json")) or not _mails_to(ana, email)


def _mails_to(someone: Browser, email: str) -> bool:
    return any(email and f'"to":"{email}"' in path.read_text() for path in someone.web.mailbox.glob("*.json"))


def test_an_address_gets_five_codes_an_hour_and_then_hears_when_the_next_one_comes(browser):
    for status in (303, 303, 303, 303, 303, 429):
        ana = browser()  # each browser has a wait of its own
        ana.get("/login")
        answer = ana.post("/login-codes", {"email": "much@example.org"})
        assert answer.status_code == status
    assert "Try again in 12 minutes." in answer.text
    assert 'value="much@example.org"' in answer.text


def test_a_second_mail_waits_half_a_minute_and_says_so(browser):
    ana = browser()
    ana.get("/login")
    assert ana.post("/login-codes", {"email": "twice@example.org"}).status_code == 303
    page = ana.get("/logins/new").text
    assert re.search(r'data-again="[^"]+">0:(30|29|2\d)<', page)
    answer = ana.post("/login-codes", {"email": "twice@example.org"})
    assert answer.status_code == 429
    assert "A code is on its way already. Try again in" in answer.text
    assert 'name="code"' in answer.text
    assert len([path for path in ana.web.mailbox.glob("*.json") if "twice@example.org" in path.read_text()]) == 1
    assert ana.post("/login-codes", {"email": "other@example.org"}).status_code == 303


def test_a_code_may_have_spaces_and_the_page_of_a_code_survives_a_reload(browser):
    ana = browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "spaced@example.org"})
    for _ in range(2):
        page = ana.get("/logins/new")
        assert "spaced@example.org" in page.text
        assert 'autocomplete="one-time-code"' in page.text
    code = ana.web.code_for("spaced@example.org")
    assert ana.post("/logins", {"code": f" {code[:3]} {code[3:]}"}).status_code == 303


def test_a_spent_code_is_said_to_be_spent_and_the_way_on_is_a_new_one(browser):
    ana = browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "spent@example.org"})
    wrong = f"{(int(ana.web.code_for('spent@example.org')) + 1) % 1_000_000:06d}"
    pages = [ana.post("/logins", {"email": "spent@example.org", "code": wrong}).text for _ in range(5)]
    assert "That is not the code" in pages[0]
    assert "this code works no more" in pages[4]
    assert "Send a new code" in pages[4]


def test_the_mailbox_is_hinted_at_on_ones_own_machine_only(browser, web_environ, engines, tmp_path):
    assert "/mailbox" in browser().get("/login").text
    environ = {**web_environ, "AUTOSENDR_PUBLIC_URL": "https://send.example", "AUTOSENDR_MAILBOX": str(tmp_path / "m")}
    web = Web(environ, tmp_path)
    try:
        stranger = Browser(web)
        assert "/mailbox" not in stranger.get("/login").text
        assert stranger.get("/mailbox").status_code == 404
    finally:
        web.stop()


def test_the_first_page_needs_no_script_and_claims_what_is_so(browser):
    page = browser().get("/").text
    assert "<script" not in page
    assert "This server is not attested" in page
    assert "cannot read them" not in page
    assert page.count("<h1") == 1


def test_all_other_browsers_are_signed_out_at_once(browser):
    here, there, third, other = (browser().sign_in(f"{name}@example.org") for name in ("eva", "eva", "eva", "bob"))
    assert here.post("/logins?_method=DELETE").status_code == 303
    assert [one.get("/today").status_code for one in (here, there, third, other)] == [200, 303, 303, 200]


def test_a_login_is_never_the_one_that_the_browser_brought_along(browser):
    ana = browser()
    ana.client.cookies.set("login", "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    ana.sign_in("ana@example.org")
    thief = browser()
    thief.client.cookies.set("login", "chosen-by-somebody-else")
    assert thief.get("/today").status_code == 303
    assert ana.client.cookies["login"] != "chosen-by-somebody-else"


def test_an_old_login_ends_when_its_browser_signs_in_again(browser):
    ana = browser().sign_in("ana@example.org")
    old = ana.client.cookies["login"]
    ana.token = ana.get("/api/v1/login").json()["csrf"]
    # A browser that is signed in has no visit; the code is asked for and used under a fresh one.
    ana.client.cookies.set("visit", "v" * 43, domain="127.0.0.1", path="/")
    assert ana.post("/login-codes", {"email": "ana@example.org"}).status_code == 303
    code = ana.web.code_for("ana@example.org")
    assert ana.post("/logins", {"email": "ana@example.org", "code": code}).status_code == 303
    assert ana.client.cookies["login"] != old
    thief = browser()
    thief.client.cookies.set("login", old)
    assert thief.get("/today").status_code == 303


def test_the_login_cookie_is_for_the_server_alone(browser):
    ana = browser()
    ana.get("/login")
    ana.post("/login-codes", {"email": "ana@example.org"})
    answer = ana.post("/logins", {"email": "ana@example.org", "code": ana.web.code_for("ana@example.org")})
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("login="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=2592000" in cookie


def test_signing_out_ends_the_login_for_whoever_has_the_cookie(browser):
    ana = browser().sign_in("ana@example.org")
    stolen = ana.client.cookies["login"]
    assert ana.post("/logins/current?_method=DELETE").status_code == 303
    thief = browser()
    thief.client.cookies.set("login", stolen)
    assert thief.get("/today").status_code == 303


def test_one_can_end_the_login_of_another_browser_but_not_of_another_user(browser):
    here, there, other = (browser().sign_in(f"{name}@example.org") for name in ("ana", "ana", "bob"))
    rows = here.get("/logins", Accept="application/json").json()
    away = next(row["digest"] for row in rows if not row["current"])
    assert other.post(f"/logins/{away}?_method=DELETE").status_code == 404
    assert there.get("/today").status_code == 200
    assert here.post(f"/logins/{away}?_method=DELETE").status_code == 303
    assert there.get("/today").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_from_another_site_is_refused(browser, headers):
    ana = browser()
    ana.get("/login")
    answer = ana.client.post("/login-codes", data={"csrf": ana.token, "email": "ana@example.org"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_a_form_without_its_token_is_refused(browser, token):
    ana = browser().sign_in("ana@example.org")
    ana.token = token
    assert ana.post("/logins/current?_method=DELETE").status_code == 403
    assert ana.get("/today").status_code == 200


def test_the_token_of_one_login_is_of_no_use_to_another(browser):
    ana, bob = browser().sign_in("ana@example.org"), browser().sign_in("bob@example.org")
    bob.token = ana.token
    assert bob.post("/logins/current?_method=DELETE").status_code == 403


@pytest.mark.parametrize(("method", "path"), [("PUT", "/today"), ("POST", "/today"), ("GET", "/login-codes")])
def test_a_wrong_method_is_named(browser, method, path):
    assert browser().client.request(method, path).status_code == 405
