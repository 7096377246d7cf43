"""The engine room while it is open: tiles move as accounts do, and it says so when Redis is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from standalone.home import open_home_at
from standalone.valkey import Valkey
from store.boards import Board, Boards, Held, LoopTurned
from store.redis import Redis
from tests.app.conftest import database, web_environ  # noqa: F401 - fixtures
from tests.browser.axe import grave_findings
from tests.browser.living import LOST_MS, Person, Product

ACCOUNTS = 10_000
ELEMENTS = 2_500


@pytest.fixture(scope="module")
def product(web_environ, database, rig_folder: Path) -> Iterator[Product]:  # noqa: F811
    """Run a web process of this module's own."""
    with open_home_at(rig_folder / "room", rig_folder / "roomrun", "live") as home:
        cache = Valkey(home)
        cache.start()
        running = Product(web_environ, cache, database)
        yield running
        running.web.stop()
        cache.stop()


@pytest.fixture
def admin(product: Product, request: pytest.FixtureRequest) -> Person:
    """Give an admin of each test's own, with an account."""
    someone = product.sign_in(f"p{abs(hash(request.node.name))}@example.org")
    product.database.run(f"UPDATE users SET is_admin = true WHERE id = '{someone.user}'")
    return someone


def number_of(admin: Person) -> int:
    """What the admin's own account is called."""
    return int(admin.product.database.run(f"SELECT number FROM accounts WHERE id = '{admin.account}'"))


async def post(product: Product, *held: Held) -> None:
    """Do what a supervisor does when something has changed."""
    now_ms = time.time_ns() // 1_000_000
    redis = Redis(product.cache.url)
    board = Board(
        node="n-1", at_ms=now_ms, started_ms=now_ms, slots=60, held=held, owned=1, waiting=0, per_s=6.2,
        ceiling_per_s=20.0, free_bytes=1 << 30, pressure=0.0, chores=0, door=True, draining=False, stopped_until_ms=0,
        loops=(LoopTurned(name="due", tick_ms=1500, turned_ms=now_ms),),
    )  # fmt: skip
    await Boards(redis).post(board)
    await Boards(redis).tell()
    await redis.close()


def held(account: str, run: str, phase: str = "") -> Held:
    return Held(account=account, run=run, phase=phase, kind="due", since_ms=time.time_ns() // 1_000_000)


async def enter(admin: Person, window: BrowserContext) -> Page:
    """Open the engine room and wait until it hears its stream."""
    page = await admin.open(window, "/admin")
    await expect(page.locator("#live")).to_have_attribute("data-hears", "yes", timeout=LOST_MS)
    return page


async def test_a_tile_goes_its_way_without_a_reload(admin: Person, window: BrowserContext) -> None:
    number = number_of(admin)
    await post(admin.product)
    page = await enter(admin, window)
    await page.evaluate("document.body.dataset.same = 'yes'")
    tile = page.locator(f"#t{number}")
    await expect(tile).to_have_count(0)
    for run, phase, name, why in (
        ("CONNECTING", "", "connecting", "connecting"),
        ("HOT", "sending", "sending", "sending, 1 message"),
        ("HOT", "lingering", "hot", "lingering for receipts"),
        ("DISCONNECTING", "", "closing", "persisting store"),
    ):
        await post(admin.product, held(admin.account, run, phase))
        await expect(tile).to_have_class(name)
        await expect(page.locator(f"#slot-{number} .why")).to_have_text(why)
        await expect(page.locator(f"[data-count={name}]")).to_have_text("1")
    await post(admin.product)
    await expect(tile).to_have_count(0)
    await expect(page.locator("body")).to_have_attribute("data-same", "yes")


async def test_without_redis_it_says_so_and_comes_back_by_itself(admin: Person, window: BrowserContext) -> None:
    await post(admin.product, held(admin.account, "HOT", "ready"))
    page = await enter(admin, window)
    await expect(page.locator(f"#t{number_of(admin)}")).to_have_class("hot")
    admin.product.cache.stop()
    await expect(page.locator("#room .note")).to_contain_text("Degraded: Redis is away.", timeout=LOST_MS)
    admin.product.cache.start()
    await post(admin.product, held(admin.account, "HOT", "ready"))
    await expect(page.locator("#room .note")).to_have_count(0, timeout=LOST_MS)
    await expect(page.locator(f"#t{number_of(admin)}")).to_have_class("hot")


async def test_ten_thousand_accounts_stay_within_the_budget(admin: Person, window: BrowserContext) -> None:
    admin.product.database.run(
        "INSERT INTO users (id, email)"
        " SELECT gen_random_uuid(), n || '@many.example.org' FROM generate_series(1, 2000) n;"
        "INSERT INTO accounts (id, user_id, wrapped_key) SELECT gen_random_uuid(), id, 'k' FROM users,"
        f" generate_series(1, 5) WHERE email LIKE '%@many.example.org' LIMIT {ACCOUNTS}"
    )
    ids = admin.product.database.run("SELECT id FROM accounts ORDER BY number DESC LIMIT 500").split()
    await post(admin.product, *(held(account, "HOT", "ready") for account in ids))
    page = await enter(admin, window)
    await expect(page.locator("[data-count=hot]")).to_have_text("500", timeout=LOST_MS)
    assert await page.locator("*").count() <= ELEMENTS
    await post(admin.product, *(held(account, "HOT", "sending") for account in ids))
    await expect(page.locator("[data-count=sending]")).to_have_text("500")
    await expect(page.locator(".tile-map use.sending")).to_have_count(500)


async def test_an_order_is_given_at_the_side_and_is_in_the_audit(admin: Person, window: BrowserContext) -> None:
    await post(admin.product, held(admin.account, "HOT", "ready"))
    page = await enter(admin, window)
    number = number_of(admin)
    link = page.locator(f"#slot-{number} a")
    await link.press("Enter")
    sheet = page.locator("#sheet")
    await expect(sheet.locator("h2")).to_have_text(f"#{number:04}")
    await sheet.get_by_role("button", name="Park").click()
    await expect(page.locator("#toasts")).to_contain_text("is parked.")
    await expect(sheet.locator(".timeline")).to_contain_text(f"parked #{number:04}.")
    await page.locator("#toasts").get_by_role("button", name="Undo").click()
    await expect(page.locator("#toasts")).to_contain_text("may wake again.")
    await expect(sheet.get_by_role("button", name="Park")).to_be_visible()
    assert await grave_findings(page) == []
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(link).to_be_focused()
    await page.goto(f"{admin.product.url}/admin/orders", wait_until="domcontentloaded")
    await expect(page.locator(".trail li")).to_contain_text([f"let #{number:04} go on.", f"parked #{number:04}."])


async def test_a_pressed_place_of_the_map_opens_its_account_also_a_cold_one(
    admin: Person, window: BrowserContext
) -> None:
    await post(admin.product)
    page = await enter(admin, window)
    first = int(admin.product.database.run("SELECT min(number) FROM accounts"))
    await page.locator(".tile-map").click(position={"x": 3, "y": 3})
    await expect(page.locator("#sheet h2")).to_have_text(f"#{first:04}")
