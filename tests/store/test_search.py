"""Searching people as pages do: what matches, in which order, whose they are, and how much of them is read."""

from uuid import UUID

import pytest

from domain.finding import read_search
from domain.naming import search_text
from store import pages
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store

PICTURE = b"\xff\xd8\xff" + bytes(3000)


async def _user(store: Store, account: UUID) -> UUID:
    return await store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)


async def _add(store: Store, account: UUID, number: int | str, name: str = "", *, established: bool = False) -> str:
    jid = number if isinstance(number, str) else f"{number}@s.whatsapp.net"
    name = name or f"+{number}"
    await store.pool.execute(
        "INSERT INTO contacts (account_id, jid, kind, name, search, established) VALUES ($1, $2, $3, $4, $5, $6)",
        account,
        jid,
        "group" if jid.endswith("@g.us") else "person",
        name,
        search_text(name, jid),
        established,
    )
    return jid


async def _sent(store: Store, account: UUID, jid: str, ago_s: float) -> None:
    message = await add_message(store.pool, account, recipient=jid)
    await store.pool.execute("UPDATE messages SET sent_at = $2 WHERE id = $1", message, later(-ago_s))


async def _find(store: Store, account: UUID, text: str, most: int = 50) -> list[str]:
    user = await _user(store, account)
    rows = await pages.search_contacts(store.pool, user, account, read_search(text), most)
    return [row.name for row in rows]


@pytest.fixture
async def account(store: Store) -> UUID:
    account = await add_account(store.pool)
    for number, name in (
        (491711000001, "Zoë Ünal"),
        (491711000002, "Jörg Müller"),
        (4915222000003, "Łukasz Wałęsa"),
        (5511999990004, "Anna-Lena Mueller"),
        (447700900005, "100%"),
        (447700900006, "a_b"),
        (447700900007, "Class 5 2024"),
    ):
        await _add(store, account, number, name)
    await _add(store, account, 491711999999)
    await _add(store, account, "1@g.us", "Ski (Zürich)")
    return account


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("zoe", ["Zoë Ünal"]),
        ("ZOË", ["Zoë Ünal"]),
        ("oe", ["Jörg Müller", "Zoë Ünal"]),
        ("muller", ["Anna-Lena Mueller", "Jörg Müller"]),
        ("mueller", ["Anna-Lena Mueller", "Jörg Müller"]),
        ("müller", ["Anna-Lena Mueller", "Jörg Müller"]),
        ("lukasz wal", ["Łukasz Wałęsa"]),
        ("wal luk", ["Łukasz Wałęsa"]),
        ("lena", ["Anna-Lena Mueller"]),
        ("mull jorg", ["Jörg Müller"]),
        ("mull zoe", []),
        ("zurich", ["Ski (Zürich)"]),
        ("+49 171 100 0001", ["Zoë Ünal"]),
        ("0171 1000", ["Jörg Müller", "Zoë Ünal"]),
        ("00551199999", ["Anna-Lena Mueller"]),
        ("(0)171-1000002", ["Jörg Müller"]),
        ("anna 0004", ["Anna-Lena Mueller"]),
        ("1711999", ["+491711999999"]),
        ("5 2024", ["Class 5 2024"]),
        ("100%", ["100%", "Jörg Müller", "Zoë Ünal"]),
        ("%", []),
        ("_", []),
        ("\\", []),
    ],
)
async def test_every_word_is_found_in_names_and_numbers(
    store: Store, account: UUID, text: str, names: list[str]
) -> None:
    assert await _find(store, account, text) == names


async def test_without_a_search_recent_ones_come_first_and_nameless_ones_last(store: Store, account: UUID) -> None:
    by_name = [
        "100%",
        "a_b",
        "Anna-Lena Mueller",
        "Class 5 2024",
        "Jörg Müller",
        "Łukasz Wałęsa",
        "Ski (Zürich)",
        "Zoë Ünal",
    ]
    assert await _find(store, account, "") == [*by_name, "+491711999999"]
    await _sent(store, account, "491711000002@s.whatsapp.net", 500)
    await _sent(store, account, "491711000001@s.whatsapp.net", 100)
    await _sent(store, account, "491711000002@s.whatsapp.net", 900)
    assert (await _find(store, account, ""))[:3] == ["Zoë Ünal", "Jörg Müller", "100%"]
    assert await _find(store, account, "", most=2) == ["Zoë Ünal", "Jörg Müller"]


async def test_beginnings_come_before_recent_ones_and_those_before_established_ones(store: Store) -> None:
    account = await add_account(store.pool)
    for number, name in ((491, "Barbara"), (492, "Sarah Ra"), (493, "Ramon"), (494, "Terera")):
        await _add(store, account, number, name)
    await _add(store, account, 495, "Rafael", established=True)
    assert await _find(store, account, "ra") == ["Rafael", "Ramon", "Sarah Ra", "Barbara", "Terera"]
    await _sent(store, account, "493@s.whatsapp.net", 60)
    await _sent(store, account, "494@s.whatsapp.net", 10)
    assert await _find(store, account, "ra") == ["Ramon", "Rafael", "Sarah Ra", "Terera", "Barbara"]


async def test_only_sends_of_this_account_that_left_make_somebody_recent(store: Store, account: UUID) -> None:
    await add_message(store.pool, account, recipient="491711000001@s.whatsapp.net", state="CANCELLED")
    other = await add_account(store.pool)
    await _sent(store, other, "491711000001@s.whatsapp.net", 1)
    assert (await _find(store, account, ""))[0] == "100%"


async def test_a_foreign_account_finds_nothing(store: Store, account: UUID) -> None:
    stranger = await _user(store, await add_account(store.pool))
    assert await pages.search_contacts(store.pool, stranger, account, read_search("zoe"), 5) == []
    assert await pages.contact(store.pool, stranger, account, "491711000001@s.whatsapp.net") is None


async def test_a_picture_is_read_by_its_id_its_owner_and_its_size(store: Store, account: UUID) -> None:
    user, jid = await _user(store, account), "491711000001@s.whatsapp.net"
    epoch = (await store.accounts.take([account], "node"))[account]
    await store.contacts.put_picture(account, epoch, jid, "7", PICTURE)
    size = len(PICTURE)
    assert await pages.picture(store.pool, user, account, jid, "7", size) == PICTURE
    assert await pages.picture(store.pool, user, account, jid, "7", size - 1) is None
    assert await pages.picture(store.pool, user, account, jid, "8", size) is None
    stranger = await _user(store, await add_account(store.pool))
    assert await pages.picture(store.pool, stranger, account, jid, "7", size) is None
    await store.contacts.put_picture(account, epoch, jid, "", None)
    assert await pages.picture(store.pool, user, account, jid, "", size) is None


async def test_what_is_recent_is_read_from_an_index(store: Store, account: UUID) -> None:
    for number in range(50):
        await _sent(store, account, f"{number}@s.whatsapp.net", number)
    await store.pool.execute(
        "INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state,"
        " wa_id, sent_at) SELECT gen_random_uuid(), schedule_id, n, user_id, account_id, recipient, due_at, 'SENT',"
        " 'x', due_at FROM (SELECT * FROM messages LIMIT 1) m, generate_series(2, 5000) AS n"
    )
    await store.pool.execute("ANALYZE messages")
    plan = await store.pool.fetch(
        "EXPLAIN SELECT recipient, sent_at FROM messages WHERE account_id = $1 AND sent_at IS NOT NULL"
        " ORDER BY sent_at DESC LIMIT 200",
        account,
    )
    assert "messages_sent_of_account" in "\n".join(row[0] for row in plan)
