"""The page on which one links a phone: what it shows in each state, in which words, and what it never shows."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import msgspec
import pytest

from app import words
from app.pairing_view import Pairing, ending_of, pairing_view
from domain import limits
from domain.account import Link, PairPhase
from enclave.wire.news import PairTrouble
from store import keys
from store.pages import Account
from store.run_state import PairingShown
from supervisor import pairing, unlinking
from tests.app.composer import new_account
from tests.app.conftest import Browser, Web
from tests.redis_cluster import client_of

JSON = {"Accept": "application/json"}
NAMES = count()
NUMBERS = count(491730000000)
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148"}
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
REASONS = [*PairTrouble, pairing.PHONE_TAKEN, pairing.UNAVAILABLE, pairing.INTERRUPTED, unlinking.NOT_REACHED]


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def someone(browser, enclave) -> Browser:
    """Give a browser of somebody new, with an account."""
    made = browser().sign_in(f"linker{next(NAMES)}@example.org")
    made.account = new_account(made)
    return made


@pytest.fixture
def show(redis_address):
    """Give what the supervisor does: show something of an account's linking."""
    with client_of(redis_address) as cache:

        def put(account: str, shown: PairingShown) -> None:
            cache.set(keys.pairing(account), msgspec.json.encode(shown), px=60_000)

        yield put


def account_of(link: Link = Link.PAIRING, **fields: object) -> Account:
    base = Account(
        id=UUID(int=1),
        link=link,
        link_reason="",
        link_changed_at=NOW,
        banned_until=None,
        phone="",
        name="",
        wish="",
        pair_phone="",
        contacts=0,
        names_synced_at=None,
        last_hot_at=None,
        phone_seen_at=None,
        backoff_until=None,
        parked_until=None,
    )
    return msgspec.structs.replace(base, **fields)


def view(account: Account, shown: PairingShown | None = None, *, waiting: int = 0, demo: bool = False) -> Pairing:
    return pairing_view(account, shown, waiting, NOW, demo=demo)


def qr_until(ends_ms: int, number: int = 1) -> PairingShown:
    return PairingShown(
        phase=PairPhase.SHOWN, qr="2@abc,def,ghi", number=number, since_ms=ends_ms - 20_000, ends_ms=ends_ms
    )


# --- the words, by state ---


def test_a_code_says_how_long_it_holds_and_its_text_is_for_a_demo_only() -> None:
    seen = view(account_of(), qr_until(NOW_MS + 14_000, 2))
    assert (seen.kind, seen.number, seen.left_ms, seen.whole_ms, seen.text) == ("qr", 2, 14_000, 20_000, "")
    assert seen.qr is not None
    assert view(account_of(), qr_until(NOW_MS + 1), demo=True).text == "2@abc,def,ghi"


def test_a_code_that_has_ended_is_never_drawn() -> None:
    seen = view(account_of(), qr_until(NOW_MS), demo=True)
    assert (seen.kind, seen.qr, seen.code, seen.text, seen.number) == ("next", None, "", "", 1)


def test_who_waits_too_long_is_told_so() -> None:
    fresh = view(account_of())
    assert (fresh.kind, fresh.left_ms) == ("asking", limits.PAIR_SLOW_S * 1000)
    old = account_of(link_changed_at=NOW - timedelta(seconds=limits.PAIR_SLOW_S))
    assert view(old).kind == view(old, PairingShown(phase=PairPhase.ASKING)).kind == "slow"


def stages(seen: Pairing) -> list[tuple[str, str]]:
    return [(stage.state, stage.title) for stage in seen.stages]


@pytest.mark.parametrize("link", [Link.PAIRING, Link.LINKED])
@pytest.mark.parametrize("phase", [PairPhase.FOUND, PairPhase.RESTARTING])
def test_a_phone_that_was_found_goes_on_in_words(link: Link, phase: PairPhase) -> None:
    seen = view(account_of(link), PairingShown(phase=phase))
    assert seen.kind == "found"
    assert stages(seen) == [
        ("done", "Phone found"),
        ("now", "WhatsApp restarts the connection; this is normal"),
        ("todo", "Fetching names"),
        ("todo", "Ready"),
    ]


def test_names_are_counted_while_they_come_and_when_they_have_come() -> None:
    account = account_of(Link.LINKED, contacts=1312, name="Ana", phone="4915112345678")
    coming = view(account, PairingShown(phase=PairPhase.NAMES))
    assert (coming.kind, coming.name, coming.phone) == ("linked", "Ana", "+4915112345678")
    assert stages(coming)[2:] == [("now", "Fetching names: 1,312"), ("todo", "Ready")]
    assert stages(view(account)) == stages(coming)  # Redis is away
    ready = view(account, PairingShown(phase=PairPhase.READY))
    assert stages(ready)[2:] == [("done", "Names fetched: 1,312"), ("done", "Ready")]
    assert stages(view(msgspec.structs.replace(account, names_synced_at=NOW))) == stages(ready)


def test_a_new_phone_that_cannot_be_reached_yet_says_that_we_try_again() -> None:
    account = account_of(Link.LINKED, backoff_until=NOW + timedelta(seconds=30))
    seen = view(account, PairingShown(phase=PairPhase.RESTARTING))
    assert seen.kind == "linked"
    assert "try again by ourselves" in seen.note


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("pair_phone", ["", "4915112345678"])
def test_every_ending_has_a_sentence_what_to_do_and_one_button(reason: str, pair_phone: str) -> None:
    ending = ending_of(account_of(Link.UNLINKED, link_reason=str(reason), pair_phone=pair_phone), 0)
    assert ending is not None
    for text in (ending.title, ending.sentence):
        assert text.endswith(".")
        assert not re.search(r"!|{|please|success|invalid|oops", text, re.I)
    assert 1 <= len(ending.button.split()) <= 3


def test_a_code_that_whatsapp_does_not_give_names_the_number() -> None:
    ending = ending_of(account_of(Link.UNLINKED, link_reason="refused", pair_phone="4915112345678"), 0)
    assert ending is not None
    assert ending.title == "WhatsApp has no code for +4915112345678."


def test_words_that_nobody_needs_are_none() -> None:
    assert set(words.PAIR_ENDING) == {str(reason) for reason in REASONS} | {"expired_code", "refused_code"}


@pytest.mark.parametrize(
    ("link", "waiting", "said"),
    [
        (Link.LOGGED_OUT, 5, "Link again and 5 messages leave as planned."),
        (Link.LOGGED_OUT, 1, "Link again and 1 message leaves as planned."),
        (Link.LOCKED, 0, "Open WhatsApp on the phone and follow what it asks. Then link again."),
    ],
)
def test_a_phone_that_whatsapp_unlinked_is_linked_again_without_a_loss(link: Link, waiting: int, said: str) -> None:
    ending = view(account_of(link, link_reason="401"), waiting=waiting).ending
    assert ending is not None
    assert said in ending.sentence
    assert ending.button == "Link again"


def test_an_account_that_never_had_a_phone_has_nothing_to_explain() -> None:
    assert view(account_of(Link.UNLINKED)).kind == "idle"


# --- the page ---


def test_asking_for_a_code_is_a_wish_that_the_supervisor_reads(someone, database):
    pairing_path = f"/accounts/{someone.account}/pairing"
    assert someone.post(pairing_path, {"method": "qr"}).status_code == 303
    row = f"SELECT link, wish, pair_phone FROM accounts WHERE id = '{someone.account}'"
    assert database.run(row) == "PAIRING|pair|"
    assert someone.post(pairing_path, {"method": "code", "phone": "+49 151 12345678"}).status_code == 303
    assert database.run(row) == "PAIRING|pair|4915112345678"


def test_who_asks_twice_for_codes_to_scan_asks_once_and_a_code_to_type_is_made_anew(someone, database):
    asked_at = f"SELECT wished_at FROM accounts WHERE id = '{someone.account}'"

    def ask(**form: str) -> str:
        someone.post(f"/accounts/{someone.account}/pairing", form)
        return database.run(asked_at)

    assert ask(method="qr") == (first := ask(method="qr"))
    typed = ask(method="code", phone="+4915112345678")
    assert first < typed < ask(method="code", phone="+4915112345678") < ask(method="qr")


def test_the_button_that_makes_an_account_begins_to_link_it(browser, enclave, database):
    someone = browser().sign_in(f"linker{next(NAMES)}@example.org")
    place = someone.post("/accounts", {"id": (account := str(uuid4()))}).headers["location"]
    assert place == f"/accounts/{account}/pairing"
    assert "Asking WhatsApp for a code" in someone.get(place).text
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{account}'") == "pair"


def test_on_the_phone_itself_the_code_comes_first_and_needs_a_number(someone, database):
    place = f"/accounts/{someone.account}/pairing"
    answer = someone.post(place, {}, **PHONE)
    assert answer.headers["location"] == f"{place}?tab=code"
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{someone.account}'") == ""
    on_phone, elsewhere = someone.get(place, **PHONE).text, someone.get(place).text
    assert on_phone.index("Code by phone") < on_phone.index("QR code")
    assert elsewhere.index("QR code") < elsewhere.index("Code by phone")
    assert 'name="phone"' in on_phone
    assert 'name="phone"' not in elsewhere


@pytest.mark.parametrize("phone", ["", "Ana", "0151 12345678", "+49", "+1234567890123456789"])
def test_a_number_without_its_country_is_refused_at_the_field(someone, database, phone):
    answer = someone.post(f"/accounts/{someone.account}/pairing", {"method": "code", "phone": phone})
    assert answer.status_code == 422
    assert 'id="phone-error" role="alert">' in answer.text
    assert f'value="{phone}"' in answer.text
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{someone.account}'") == ""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_qr_code_is_drawn_and_its_text_is_for_the_owner(someone, show):
    someone.post(f"/accounts/{someone.account}/pairing")
    show(someone.account, qr_until(ends_ms := now_ms() + 20_000, 2))
    told = someone.get(f"/accounts/{someone.account}/pairing", **JSON).json()
    assert (told["link"], told["phase"], told["qr"]) == ("PAIRING", "shown", "2@abc,def,ghi")
    assert (told["number"], told["ends_ms"]) == (2, ends_ms)
    page = someone.get(f"/accounts/{someone.account}/pairing").text
    assert "<path stroke" in page
    assert "Code 2 of 6, then we ask before going on." in page
    assert "2@abc" not in page
    assert "2@abc" not in someone.web.log()


@pytest.mark.parametrize("path", ["/pairing", "/pairing/code"])
def test_a_code_that_has_ended_leaves_with_nobody(someone, show, path):
    someone.post(f"/accounts/{someone.account}/pairing")
    show(someone.account, qr_until(now_ms() - 1))
    page = someone.get(f"/accounts/{someone.account}{path}").text
    assert "<path stroke" not in page
    assert "The next code is on its way" in page
    assert someone.get(f"/accounts/{someone.account}/pairing", **JSON).json()["qr"] == ""


def test_a_code_to_type_is_spelled_out(someone, show):
    someone.post(f"/accounts/{someone.account}/pairing", {"method": "code", "phone": "+4915112345678"})
    ends_ms = now_ms() + 160_000
    show(someone.account, PairingShown(phase=PairPhase.SHOWN, code="K7PD-2MXQ", since_ms=now_ms(), ends_ms=ends_ms))
    page = someone.get(f"/accounts/{someone.account}/pairing").text
    assert 'aria-label="Code K 7 P D 2 M X Q"' in page
    assert 'data-copy="K7PD-2MXQ"' in page
    assert 'value="+4915112345678"' in page


def test_in_a_demo_the_code_leads_to_the_simulated_phones_because_they_have_no_camera(
    web_environ, engines, enclave, tmp_path, show
):
    environ = {**web_environ, "AUTOSENDR_SIMULATOR": "127.0.0.1:9", "AUTOSENDR_MAILBOX": str(tmp_path / "mail")}
    web = Web(environ, tmp_path)
    try:
        someone = Browser(web).sign_in("demo@example.org")
        account = new_account(someone)
        someone.post(f"/accounts/{account}/pairing")
        show(account, qr_until(now_ms() + 20_000))
        assert 'href="http://127.0.0.1:9/?qr=2%40abc%2Cdef%2Cghi"' in someone.get(f"/accounts/{account}/pairing").text
    finally:
        web.stop()


@pytest.mark.parametrize("reason", REASONS)
def test_how_linking_ended_is_told_on_the_page_and_in_its_element(someone, database, reason):
    database.run(f"UPDATE accounts SET link_reason = '{reason}' WHERE id = '{someone.account}'")
    title, sentence, button = words.PAIR_ENDING[str(reason)]
    for path in ("/pairing", "/pairing/code"):
        page = someone.get(f"/accounts/{someone.account}{path}").text
        assert title in page
        assert sentence in page
        assert f"<span>{button}</span>" in page
        assert page.partition('class="linking"')[2].partition("</aside>")[0].count("btn seal") == 1


def test_a_phone_that_is_linked_leads_on(someone, database):
    database.link(someone.account, str(next(NUMBERS)))
    page = someone.get(f"/accounts/{someone.account}/pairing/code").text
    assert "Linked: Ana" in page
    assert f'href="/schedules/new?account={someone.account}"' in page


def test_who_asks_for_a_code_when_the_phone_is_linked_already_is_led_to_that(someone, database):
    database.link(someone.account, str(next(NUMBERS)))
    assert someone.post(f"/accounts/{someone.account}/pairing").status_code == 303


def test_unlinking_asks_once_in_words(someone, database):
    place = f"/accounts/{someone.account}/link"
    assert someone.get(place).headers["location"] == f"/accounts/{someone.account}"
    database.link(someone.account, str(next(NUMBERS)))
    question = someone.get(place)
    assert "Unlink Ana?" in question.text
    assert "Nothing waits to leave." in question.text
    assert f'action="{place}?_method=DELETE"' in question.text
    assert someone.post(f"{place}?_method=DELETE").status_code == 303
    assert database.run(f"SELECT wish FROM accounts WHERE id = '{someone.account}'") == "unlink"


def test_the_linking_of_another_is_not_there(someone, browser):
    eve = browser().sign_in("eve-linker@example.org")
    for path in ("/pairing", "/pairing/code", "/link"):
        assert eve.get(f"/accounts/{someone.account}{path}", **JSON).status_code == 404
    assert json.loads(eve.post(f"/accounts/{someone.account}/pairing", **JSON).text)["error"]["code"] == "not_found"
