"""Searching people, their pages and pictures, and who may not see them."""

import itertools
import re

import pytest

from app.contact_view import number_row
from tests.app.composer import ANNA, GROUP, new_account

JSON = {"Accept": "application/json"}
NUMBERS = itertools.count(4915160000000)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


@pytest.fixture
def someone(browser, enclave):
    return browser().sign_in(f"ana{next(NUMBERS)}@example.org")


@pytest.fixture
def account(someone, database):
    made = new_account(someone)
    database.link(made, str(next(NUMBERS)))
    return made


SEARCHES = [
    ("mul", ["Anna Müller"]),
    ("MÜLLER", ["Anna Müller"]),
    ("ler", ["Anna Müller"]),
    ("0001", ["Anna Müller"]),
    ("+49 151 0000", ["Anna Müller"]),
    ("team", ["Studio Team"]),
    ("", ["Anna Müller", "Studio Team"]),
    ("%", []),
    ("_", []),
    ("\\", []),
    ("nobody", []),
]


@pytest.mark.parametrize(("text", "names"), SEARCHES)
def test_contacts_are_found_by_any_part_without_accents_and_case(someone, database, account, text, names):
    database.add_contact(account, ANNA, "Anna Müller")
    database.add_contact(account, GROUP, "Studio Team")
    answer = someone.client.get(f"/accounts/{account}/contacts", params={"q": text}, headers=JSON)
    assert [row["name"] for row in answer.json()] == names


def test_names_are_text_and_never_markup(someone, database, account):
    database.add_contact(account, ANNA, "<img src=x onerror=alert(1)>")
    page = someone.get(f"/accounts/{account}/contacts").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_more_is_shown_by_the_hundred_until_there_is_no_more(someone, database, account):
    for number in range(230):
        database.add_contact(account, f"49171{number:07}@s.whatsapp.net", f"Person {number:03}")
    path = f"/accounts/{account}/contacts"
    pages = [someone.get(f"{path}?pages={count}").text for count in (1, 2, 3, 4)]
    assert [len(re.findall(r"<bdi>Person \d{3}", page)) for page in pages] == [100, 200, 230, 230]
    assert ["Show 100 more" in page for page in pages] == [True, True, False, False]
    assert f"{path}?q=&amp;pages=3" in pages[1]


def test_a_list_without_an_end_says_how_to_find_the_rest(someone, database, account):
    database.run(
        "INSERT INTO contacts (account_id, jid, kind, name, search) SELECT "
        f"'{account}', n || '@s.whatsapp.net', 'person', 'P ' || n, 'p ' || n FROM generate_series(1000, 1600) n"
    )
    page = someone.get(f"/accounts/{account}/contacts?pages=999").text
    assert page.count('class="person"') == 500
    assert "These are the first 500" in page
    assert "Show 100 more" not in page


@pytest.mark.parametrize("pages", ["0", "-1", "x", "", "9" * 5000, "٣"])
def test_a_count_that_is_none_is_one(someone, account, pages):
    assert someone.client.get(f"/accounts/{account}/contacts", params={"pages": pages}).status_code == 200


def test_an_empty_list_says_why_and_what_to_do(someone, database, account):
    path = f"/accounts/{account}/contacts"
    assert "Nobody here yet" in someone.get(path).text
    assert "Nobody by that name" in someone.get(f"{path}?q=xyz").text
    assert "+491711234567" in someone.get(f"{path}?q=0171 1234567").text
    database.run(f"UPDATE accounts SET names_synced_at = NULL, contacts = 0 WHERE id = '{account}'")
    assert "Names are on their way" in someone.get(path).text
    assert "Names arrive: 0 so far" in someone.get(path).text
    database.run(f"UPDATE accounts SET link = 'LOGGED_OUT' WHERE id = '{account}'")
    assert "Names and pictures come with the link" in someone.get(path).text
    database.add_contact(account, ANNA, "Anna Müller")
    assert "link the phone again" in someone.get(path).text


def test_whoever_has_no_name_shows_no_number(someone, database, account):
    database.add_contact(account, "491711234567@s.whatsapp.net", "+491711234567")
    database.add_contact(account, ANNA, "Anna Müller")
    rows = someone.client.get(f"/accounts/{account}/contacts", headers=JSON).json()
    shown = [(row["name"], row["line"], row["reach"]) for row in rows]
    assert shown == [("Anna Müller", "+49 •••• 0001", "cool"), ("+49 •••• 4567", "never wrote to you", "cold")]
    typed = someone.client.get(f"/accounts/{account}/contacts", params={"q": "+49 171 1234567"}, headers=JSON).json()
    assert [row["name"] for row in typed] == ["+491711234567"]


def put_picture(database, account: str, jid: str, picture: bytes, picture_id: str = "7") -> str:
    database.run(
        f"UPDATE contacts SET picture_id = '{picture_id}', picture = '\\x{picture.hex()}'"
        f" WHERE account_id = '{account}' AND jid = '{jid}'"
    )
    return f"/accounts/{account}/contacts/{jid}/picture?v={picture_id}"


@pytest.mark.parametrize(("picture", "media_type"), [(JPEG, "image/jpeg"), (PNG, "image/png")], ids=["jpeg", "png"])
def test_a_picture_is_for_its_owner_and_for_ever(someone, browser, database, account, picture, media_type):
    database.add_contact(account, ANNA, "Anna Müller")
    address = put_picture(database, account, ANNA, picture)
    (row,) = someone.client.get(f"/accounts/{account}/contacts", headers=JSON).json()
    answer = someone.client.get(row["picture"])
    assert (answer.status_code, answer.content) == (200, picture)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    cache = answer.headers["cache-control"]
    assert "private" in cache
    assert "immutable" in cache
    assert "max-age=" in cache
    assert browser().sign_in("eve@example.org").get(address).status_code == 404
    assert browser().get(address, **JSON).status_code == 401


BAD_PICTURES = [b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"GIF89a" + bytes(9), b"",
                b"\xff\xd8\xff" + bytes(48 * 1024)]  # fmt: skip


@pytest.mark.parametrize("picture", BAD_PICTURES, ids=["svg", "gif", "nothing", "too large"])
def test_what_is_no_small_picture_is_not_handed_on(someone, database, account, picture):
    database.add_contact(account, ANNA, "Anna Müller")
    assert someone.client.get(put_picture(database, account, ANNA, picture)).status_code == 404


def test_an_address_never_shows_another_picture(someone, database, account):
    database.add_contact(account, ANNA, "Anna Müller")
    old = put_picture(database, account, ANNA, JPEG, "7")
    new = put_picture(database, account, ANNA, PNG, "8")
    assert someone.client.get(old).status_code == 404
    assert someone.client.get(new).content == PNG
    assert someone.client.get(f"/accounts/{account}/contacts/{GROUP}/picture?v=7").status_code == 404
    assert someone.client.get(f"/accounts/x/contacts/{ANNA}/picture?v=7").status_code == 404


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("+44 7700 900123", "447700900123@s.whatsapp.net"),
        ("0044 7700 900123", "447700900123@s.whatsapp.net"),
        ("447700900123", "447700900123@s.whatsapp.net"),
        ("0171 1234567", "491711234567@s.whatsapp.net"),
        ("0171", None),
        ("Anna 7", None),
        ("", None),
    ],
)
def test_a_typed_number_is_somebody_too(text, jid):
    row = number_row(text, "4915112345678")
    assert (row and row.jid) == jid
