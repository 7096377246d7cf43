"""What is around every answer: the policy, the headers, static files, and logs that tell nothing."""

import gzip
import hashlib
import re

import pytest

from standalone.home import REPOSITORY


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.mark.parametrize("path", ["/", "/today", "/nothing/here", "/mailbox", "/static/app.css", "/api/v1/login"])
def test_every_answer_carries_the_policy(browser, path):
    headers = browser().get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_pages_hold_no_inline_script_or_style(browser):
    text = browser().sign_in("ana@example.org").get("/today").text
    assert " style=" not in text
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son\w+=", text)


def test_pages_are_not_kept_by_caches(browser):
    assert browser().get("/").headers["cache-control"] == "no-store"


def test_a_static_file_is_kept_for_ever_under_its_hash_and_revalidated_under_its_name(browser):
    ana = browser()
    hashed = re.search(r'href="(/static/app\.[0-9a-f]{12}\.css)"', ana.get("/").text)
    assert hashed
    kept = ana.get(hashed[1])
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    named = ana.get("/static/app.css")
    assert named.headers["cache-control"] == "no-cache"
    assert ana.get("/static/app.css", **{"If-None-Match": named.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", ["VENDORED.md", "..%2fapp%2f__main__.py", "nothing.css", "app.000000000000.css"])
def test_nothing_but_our_static_files_is_served(browser, name):
    assert browser().get(f"/static/{name}").status_code == 404


def test_what_is_not_there_says_so_as_the_caller_can_use_it(browser):
    assert "nothing here" in browser().get("/nothing/here").text
    answer = browser().get("/nothing/here", Accept="application/json")
    assert answer.json()["error"]["code"] == "not_found"


def test_a_body_that_is_too_large_is_refused(browser):
    ana = browser()
    ana.get("/login")
    assert ana.post("/login-codes", {"email": "x" * 70_000}).status_code == 413


def test_logs_hold_no_address_code_cookie_or_token(browser):
    ana = browser().sign_in("secretive@example.org")
    ana.get("/today?note=unlogged")
    ana.post("/login-codes", {"email": "unlogged@example.org"})
    log = ana.web.log()
    assert '"route": "/today"' in log
    for secret in ("secretive", "unlogged", ana.client.cookies["login"], ana.token):
        assert secret not in log
    assert ana.web.code_for("secretive@example.org") not in log


def test_vendored_files_are_what_their_note_says():
    folder = REPOSITORY / "static"
    rows = re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", (folder / "VENDORED.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {
        "vendor/htmx.min.js",
        "vendor/hx-sse.min.js",
        "fonts/besley.woff2",
        "fonts/hanken.woff2",
    }
    for name, digest in rows:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_a_page_is_compressed_for_who_can_read_that(browser):
    ana = browser()
    with ana.client.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "AutoSendr" in gzip.decompress(packed).decode()
    plain = ana.get("/", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "accept-encoding"
    assert len(packed) < len(plain.content) / 2


def test_no_two_answers_carry_the_same_token_and_each_is_good(browser):
    ana = browser()
    first = ana.get("/login") and ana.token
    second = ana.get("/login") and ana.token
    assert first != second
    for token in (first, second):
        ana.token = token
        assert ana.post("/login-codes", {"email": f"{token[:8]}@example.org"}).status_code == 303


@pytest.mark.parametrize("token", ["", "zz", "00" * 64, "00", "ff" * 63])
def test_a_token_that_is_none_is_refused(browser, token):
    ana = browser()
    ana.get("/")
    ana.token = token
    assert ana.post("/login-codes", {"email": "nobody@example.org"}).status_code == 403
