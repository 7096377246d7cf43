"""Contacts: names by precedence, groups that come and go, pictures."""

from domain import limits
from enclave.wire.answers import Contact, Group
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store


def _person(jid: str, full: str = "", push: str = "", business: str = "", established: bool = False) -> Contact:
    return Contact(jid=jid, lid="", full_name=full, push_name=push, business_name=business, established=established)


async def test_people_and_groups_are_kept_and_counted(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    people = [
        _person("491@s.whatsapp.net", full="Zoë Ünal", push="z", established=True),
        _person("492@s.whatsapp.net"),
    ]
    await store.contacts.put_people(account, epoch, people)
    await store.contacts.put_people(account, epoch - 1, [_person("493@s.whatsapp.net")])
    groups = [Group(jid=f"{n}@g.us", name="Ski", members=n, can_send=True, expiration_s=0) for n in (12345, 12346)]
    await store.contacts.put_groups(account, epoch, groups)
    await store.contacts.put_groups(account, epoch, groups[:1])
    assert await store.contacts.count(account, epoch) == 3
    rows = await store.pool.fetch("SELECT name, search FROM contacts WHERE account_id = $1 ORDER BY jid", account)
    assert [tuple(row) for row in rows] == [("Ski", "ski"), ("Zoë Ünal", "zoe unal uenal zo 491"), ("+492", "+492 492")]


async def test_recipients_get_their_pictures_first(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    await store.contacts.put_people(account, epoch, [_person(f"49{n}@s.whatsapp.net") for n in range(3)])
    await add_message(store.pool, account, recipient="492@s.whatsapp.net")
    assert (await store.contacts.without_picture(account, later(-1), 2))[0] == ("492@s.whatsapp.net", "")
    await store.contacts.put_picture(account, epoch, "492@s.whatsapp.net", "id1", b"jpeg")
    await store.contacts.put_picture(account, epoch, "491@s.whatsapp.net", "", None)
    assert await store.contacts.without_picture(account, later(-1), 5) == [("490@s.whatsapp.net", "")]
    await store.contacts.put_picture(account, epoch, "492@s.whatsapp.net", "id1", None)
    row = await store.pool.fetchrow("SELECT picture_id, picture FROM contacts WHERE jid = '492@s.whatsapp.net'")
    assert tuple(row) == ("id1", b"jpeg")


async def test_pictures_are_asked_for_people_one_writes_with_first_and_so_many_a_day(store: Store) -> None:
    account = await add_account(store.pool)
    epoch = (await store.accounts.take([account], "node"))[account]
    people = [_person(f"49{n}@s.whatsapp.net", full=f"P{n:03}", established=n == 105) for n in range(110)]
    await store.contacts.put_people(account, epoch, people)
    assert (await store.contacts.without_picture(account, later(0), 1))[0][0] == "49105@s.whatsapp.net"
    for n in range(limits.PICTURES_PER_DAY_MAX):
        await store.contacts.put_picture(account, epoch, f"49{n}@s.whatsapp.net", "", None)
    assert await store.contacts.without_picture(account, later(0), 1) == []
    await store.pool.execute(
        "UPDATE contacts SET pictured_at = now() - interval '25 hours' WHERE pictured_at IS NOT NULL"
    )
    assert len(await store.contacts.without_picture(account, later(0), 5)) == 5
    await store.contacts.pause_pictures(account, epoch - 1, later(60))
    assert await store.contacts.without_picture(account, later(0), 1)
    await store.contacts.pause_pictures(account, epoch, later(60))
    assert await store.contacts.without_picture(account, later(0), 1) == []
