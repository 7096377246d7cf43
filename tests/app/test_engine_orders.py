"""What admins order: only they can, each order is in the audit, and the owner reads what is so."""

import pytest

from tests.app.composer import new_account
from tests.app.conftest import Browser
from tests.app.test_engine_room import admin, held, post

HX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Let no test meet another's boards."""


@pytest.fixture
def owner(browser, enclave, database, request: pytest.FixtureRequest) -> Browser:
    """Somebody with a linked account."""
    someone = browser().sign_in(f"o{abs(hash(request.node.name))}@example.org")
    someone.account = new_account(someone)
    database.link(someone.account, f"4477{abs(hash(request.node.name)) % 10**8:08}")
    return someone


def number_of(database, owner: Browser) -> str:
    return database.run(f"SELECT number FROM accounts WHERE id = '{owner.account}'").strip()


def test_who_is_no_admin_or_comes_without_a_token_orders_nothing(browser, database, owner: Browser) -> None:
    number = number_of(database, owner)
    for path in (f"/admin/accounts/{number}/sleeps", f"/admin/accounts/{number}/stop", "/admin/nodes/n-1/drain"):
        assert owner.post(path).status_code == 404
    someone = admin(browser, database)
    someone.token = ""
    assert someone.post(f"/admin/accounts/{number}/stop").status_code == 403
    assert database.run("SELECT count(*) FROM orders").strip() == "0"


def test_an_account_is_parked_told_and_let_go_on_with_a_trail(browser, database, owner: Browser) -> None:
    number = number_of(database, owner)
    someone = admin(browser, database)
    said = someone.post(f"/admin/accounts/{number}/stop", **HX)
    assert said.status_code == 200
    assert "is parked. What is due waits" in said.text
    assert f'action="/admin/accounts/{number}/stop?_method=DELETE"' in said.text  # the toast's undo
    assert "Stopped by us." in owner.get(f"/accounts/{owner.account}").text
    assert "Parked by an admin" in someone.get(f"/admin/accounts/{number}").text
    assert someone.post(f"/admin/accounts/{number}/stop", **HX).status_code == 404  # it is so already
    assert someone.post(f"/admin/accounts/{number}/stop?_method=DELETE").status_code == 303
    assert "Asleep, and ready." in owner.get(f"/accounts/{owner.account}").text
    page = someone.get("/admin/orders").text
    assert f"{someone.email} parked #{int(number):04}." in page
    assert f"{someone.email} let #{int(number):04} go on." in page


def test_a_session_is_sent_to_sleep_only_where_there_may_be_one(browser, database, owner: Browser, redis_url) -> None:
    number = number_of(database, owner)
    someone = admin(browser, database)
    assert "Put to sleep" not in someone.get(f"/admin/accounts/{number}").text
    post(redis_url, held(owner.account))
    page = someone.get(f"/admin/accounts/{number}").text
    assert "Put to sleep" in page
    assert "Sending, 1 message." in page
    assert someone.post(f"/admin/accounts/{number}/sleeps").status_code == 303
    assert database.run(f"SELECT sleep_at IS NOT NULL FROM accounts WHERE id = '{owner.account}'").strip() == "t"


def test_a_node_is_emptied_and_taken_back(browser, database, enclave, redis_url) -> None:
    someone = admin(browser, database)
    post(redis_url)
    assert someone.get("/admin/nodes").text.count("Empty this node") == 1
    assert someone.post("/admin/nodes/n-9/drain").status_code == 404
    said = someone.post("/admin/nodes/n-1/drain", **HX).text
    assert "n-1 lets go of its accounts. No other node takes them: nothing leaves." in said
    assert "Let it take accounts again" in someone.get("/admin/nodes").text
    assert someone.post("/admin/nodes/n-1/drain?_method=DELETE").status_code == 303
    assert "Empty this node" in someone.get("/admin/nodes").text
    page = someone.get("/admin/orders").text
    assert f"{someone.email} emptied node n-1." in page
    assert f"{someone.email} let node n-1 take accounts again." in page


def test_a_history_says_in_plain_words_what_happened(browser, database, owner: Browser) -> None:
    number = number_of(database, owner)
    database.run(
        "INSERT INTO wakes (account_id, woken_at, ready_at, slept_at, reason, ending) VALUES"
        f" ('{owner.account}', now() - interval '60 s', NULL, now() - interval '55 s', 'due', 'restarted'),"
        f" ('{owner.account}', now() - interval '25 s', now() - interval '23 s', now() - interval '10 s', 'due',"
        " 'released')"
    )
    page = admin(browser, database).get(f"/admin/accounts/{number}").text
    assert "Held its slot for 5.0 s, then 515, WhatsApp asked to begin anew. Backoff 30 s after 515." in page
    assert "Ready after 2.0 s, held its slot for 15 s, then put to sleep." in page
    for hidden in (owner.email, owner.account, "Ana"):
        assert hidden not in page


def test_an_account_is_found_by_its_number_and_by_its_place(browser, database, owner: Browser) -> None:
    number = number_of(database, owner)
    someone = admin(browser, database)
    for path in (f"/admin/accounts?number=%23{number}", f"/admin/places/{int(number) - 1}"):
        assert someone.get(path).headers["location"] == f"/admin/accounts/{number}"
    assert "No account is called that." in someone.get("/admin/accounts?number=987654").text
    assert someone.get("/admin/places/99999").status_code == 404
    assert someone.get("/admin/accounts/987654").status_code == 404
