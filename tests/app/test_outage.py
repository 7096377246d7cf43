"""The world fails: pages say so, and answer where they can."""

from pathlib import Path

import pytest

from app.settings import BadSettings, read_settings
from standalone.home import open_home_at
from standalone.valkey import Valkey
from tests.app.conftest import Browser, Web
from tests.waiting import eventually_sync

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def own_cache(rig_folder: Path):
    """Run a Valkey of this module's own, so that it can be stopped."""
    with open_home_at(rig_folder / "out", rig_folder / "outrun", "outage") as home:
        cache = Valkey(home)
        cache.start()
        yield cache
        cache.stop()


@pytest.fixture(scope="module")
def web(web_environ, own_cache):
    """Run a web process on the Valkey that will be stopped."""
    running = Web({**web_environ, "AUTOSENDR_REDIS_URL": own_cache.url}, Path(web_environ["AUTOSENDR_MAILBOX"]).parent)
    yield running
    assert running.stop() == 0


def test_without_redis_whoever_was_here_goes_on_and_others_are_told_to_wait(web, own_cache):
    ana = Browser(web).sign_in("ana@example.org")
    stranger = Browser(web)
    stranger.client.cookies.set("login", "never-seen")
    own_cache.stop()
    try:
        assert stranger.get("/").status_code == 200
        assert stranger.get("/static/app.css").status_code == 200
        answer = stranger.get("/today")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "does not answer right now" in answer.text
        assert stranger.get("/today", **JSON).json()["error"]["code"] == "unavailable"
        assert Browser(web).get("/today").status_code == 303
        assert ana.get("/today").status_code == 200
        assert ana.get("/accounts").status_code == 200
        fresh = Browser(web)
        fresh.get("/login")
        assert fresh.post("/login-codes", {"email": "bob@example.org"}).status_code == 503
        opening = ana.post("/viewing-key/openings", {"proof": "x"}, **JSON)
        assert (opening.status_code, opening.json()["error"]["code"]) == (503, "unavailable")
    finally:
        own_cache.start()
    eventually_sync(lambda: ana.get("/logins", **JSON).status_code == 200, "Redis to be used again")


def test_without_an_enclave_an_account_is_not_made_and_nothing_is_stored(web, database):
    ana = Browser(web).sign_in("ana@example.org")
    answer = ana.post("/accounts", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert ana.get("/seal-key", **JSON).status_code == 503
    assert database.count("accounts") == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AUTOSENDR_DATABSE_URL": "x"}, "unknown variable AUTOSENDR_DATABSE_URL"),
        ({"AUTOSENDR_MAILBOX": ""}, "AUTOSENDR_MAILBOX is not set"),
        ({"AUTOSENDR_WEB_PORT": "many"}, "AUTOSENDR_WEB_PORT must be a number"),
        ({"AUTOSENDR_PUBLIC_URL": "autosendr.example"}, "AUTOSENDR_PUBLIC_URL must be like"),
    ],
)
def test_wrong_settings_refuse_to_start(web_environ, changed, said):
    with pytest.raises(BadSettings, match=said):
        read_settings({**web_environ, **changed})


def test_with_tls_cookies_carry_the_host_prefix(web_environ, tmp_path):
    environ = {
        **web_environ,
        "AUTOSENDR_PUBLIC_URL": "https://autosendr.example",
        "AUTOSENDR_MAILBOX": str(tmp_path / "mail"),
    }
    web = Web(environ, tmp_path)
    try:
        someone = Browser(web)
        answer = someone.get("/")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-visit=")
        assert "Secure" in cookie
        assert "max-age" in answer.headers["strict-transport-security"]
        # Whoever can open the mailbox can sign in as anybody, so a public site has none.
        assert someone.get("/mailbox").status_code == 404
    finally:
        web.stop()
