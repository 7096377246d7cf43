"""The vault in real browsers: equal to the vectors, not exportable, open only with the code, and bound."""

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from domain.refusal import SENTENCES, RefusalCode
from tests.app.conftest import Browser, Web, web, web_environ  # noqa: F401 - fixtures
from tests.browser.sitting import signed_in
from tests.vault import bytes_of, open_text, text_of

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "viewing.json").read_text())["vectors"]
NAMES = iter(range(1000))
BINDING = {
    "environment": "local",
    "account": "00000000-0000-4000-8000-000000000001",
    "schedule": "00000000-0000-4000-8000-0000000000a0",
    "recipient": "491510000001@s.whatsapp.net",
    "notAfterS": 1_800_000_000,
}

WHOLE_FORMAT = """async (vector) => {
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const {hex} = await import("/static/seal.js");
  const twin = await import("/static/viewing.js");
  const {wrapping, proof} = await twin.fromCode(vector.code, vector.user);
  const key = await twin.asViewingKey(bytes(vector.viewing_key));
  const {user, key: id} = vector;
  const wrapped = await twin.wrapViewingKey(bytes(vector.viewing_key), wrapping, user, id, bytes(vector.wrap_nonce));
  const binding = bytes(vector.binding_bytes);
  const viewing = await twin.wrapContentKey(bytes(vector.content_key), key, binding, bytes(vector.viewing_nonce));
  const again = await twin.unwrapViewingKey(wrapped, wrapping, user, id);
  return {
    read: vector.typed.map(twin.readCode), shown: twin.showCode(vector.code),
    proof: hex(proof), proof_hash: hex(await twin.hashOf(proof)),
    wrapped: hex(wrapped), viewing: hex(viewing), text: await twin.openText(vector.base64, again),
  };
}"""

# One script for all steps: ACT gets the module, the user, the token and what is given, and may return anything JSON.
STEP = """async (given) => {
  const vault = await import("/static/vault.js");
  const user = document.body.dataset.user;
  const csrf = document.querySelector("input[name=csrf]").value;
  try {
    return {gave: await (ACT)(vault, user, csrf, given)};
  } catch (error) {
    return {code: error.code ?? String(error), sentence: error.sentence ?? "", field: error.field ?? ""};
  }
}"""

SEAL = """async (vault, user, csrf, {text, binding}) => {
  const {encodeBinding, sealBody, base64url} = await import("/static/seal.js");
  const bound = await encodeBinding(binding);
  const contentKey = crypto.getRandomValues(new Uint8Array(32));
  const body = await sealBody(text, bound, contentKey, crypto.getRandomValues(new Uint8Array(12)));
  const viewing = await vault.wrap(user, contentKey, bound);
  const {notAfterS, ...rest} = binding;
  return viewing && {...rest, not_after_s: notAfterS, body: base64url(body), ...viewing};
}"""

EXPORTS = """async (vault, user) => {
  const base = await new Promise((resolve, reject) => {
    const request = indexedDB.open("autosendr");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const records = await new Promise((resolve) => {
    const request = base.transaction("keys").objectStore("keys").getAll();
    request.onsuccess = () => resolve(request.result);
  });
  base.close();
  const tried = [];
  for (const {key} of records) {
    for (const format of ["raw", "jwk"]) {
      tried.push(await crypto.subtle.exportKey(format, key).then(() => "came out", (error) => error.name));
    }
  }
  return {tried, fields: records.map((record) => Object.keys(record).sort()), users: records.map(({user}) => user)};
}"""


@pytest.fixture(autouse=True)
def _empty_cache(redis_url: str) -> None:
    """Start each test without logins, codes and used-up rates."""


class Seat:
    """Somebody at one browser, on a page of ours, signed in."""

    def __init__(self, page: Page, email: str) -> None:
        """Remember the page, and who it is."""
        self.page = page
        self.email = email

    async def step(self, act: str, given: object = None):
        """Return what a piece of script gave, or the dict of its refusal."""
        told = await self.page.evaluate(STEP.replace("ACT", act), given)
        return told.get("gave", told)

    async def state(self) -> str:
        return await self.step("(vault, user) => vault.state(user)")

    async def create(self):
        return await self.step("(vault, user, csrf) => vault.create(user, csrf)")

    async def kept(self, code: str) -> None:
        await self.step("(vault, user, csrf, code) => vault.kept(user, code)", code)

    async def open(self, typed: str):
        return await self.step("(vault, user, csrf, typed) => vault.open(user, typed, csrf)", typed)

    async def seal(self, text: str, **binding: object):
        return await self.step(SEAL, {"text": text, "binding": BINDING | binding})

    async def unseal(self, sealed: dict[str, object]):
        return await self.step("(vault, user, csrf, sealed) => vault.unseal(user, sealed)", sealed)

    async def make(self) -> str:
        """Make the key, keep the code, return it."""
        code = (await self.create())["code"]
        await self.kept(code)
        return code


@pytest.fixture
async def seat(web: Web, browser):  # noqa: F811
    """Give browsers in which somebody signs in: `await seat()` somebody new, `await seat(email)` the same again."""
    opened: list[BrowserContext] = []

    async def sit(email: str = "") -> Seat:
        email = email or f"ana{next(NAMES)}@example.org"
        context = await signed_in(browser, web, email)
        opened.append(context)
        page = await context.new_page()
        await page.goto(f"{web.url}/today", wait_until="domcontentloaded")
        return Seat(page, email)

    yield sit
    for context in opened:
        await context.close()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
async def test_the_browser_does_as_the_vectors_say(seat, vector):
    sealed = dict(vector["sealed"])
    sealed |= {"body": text_of(bytes.fromhex(sealed["body"])), "viewing": text_of(bytes.fromhex(vector["viewing"]))}
    told = await (await seat()).page.evaluate(WHOLE_FORMAT, {**vector, "base64": sealed})
    assert set(told.pop("read")) == {vector["code"]}
    assert told == {name: vector[name] for name in told}
    assert open_text(bytes.fromhex(vector["viewing_key"]), sealed) == vector["text"]


@pytest.mark.parametrize("typed", ["", "0" * 25, "0" * 27, "U" * 26, "0" * 25 + "ü", "\u0661" * 26])
async def test_what_cannot_be_a_code_is_none_and_costs_no_try(seat, typed):
    ana = await seat()
    await ana.make()
    asked: list[str] = []
    ana.page.on("request", lambda request: asked.append(request.url))
    told = await ana.open(typed)
    assert (told["code"], told["field"]) == ("recovery_code_wrong", "code")
    assert told["sentence"] == SENTENCES[RefusalCode.RECOVERY_CODE_WRONG]
    assert [url for url in asked if "openings" in url] == []


async def test_the_key_is_made_and_kept_where_no_script_can_read_it_and_the_code_is_not(seat):
    ana = await seat()
    assert await ana.state() == "none"
    code = (await ana.create())["code"]
    assert [len(group) for group in code.split("-")] == [5, 5, 5, 5, 6]
    await ana.kept(code)
    assert await ana.state() == "open"
    told = await ana.step(EXPORTS)
    assert told["tried"] == ["InvalidAccessError"] * 2
    assert told["fields"] == [["id", "key", "user"]]


async def test_two_codes_are_not_the_same(seat):
    first, second = await seat(), await seat()
    assert await first.make() != await second.make()


async def test_until_the_code_is_kept_the_same_one_is_shown_again(seat):
    ana = await seat()
    code = await ana.create()
    assert await ana.state() == "none"
    await ana.page.reload(wait_until="domcontentloaded")
    assert await ana.create() == code
    assert (await ana.seal("hello"))["viewing_key"]
    await ana.kept(code["code"])
    assert await ana.state() == "open"


async def test_a_lost_answer_loses_no_code(seat):
    ana = await seat()

    async def swallow(route) -> None:
        await route.fetch()
        await route.abort()

    await ana.page.route("**/viewing-key", swallow, times=1)
    assert "Unreached" in (await ana.create())["code"]
    assert await ana.state() == "none"
    code = await ana.make()
    assert await ana.state() == "open"
    other = await seat(ana.email)
    assert await other.open(code) is None
    assert await other.state() == "open"


async def test_a_second_browser_is_closed_until_it_gets_the_code(seat):
    ana = await seat()
    code = await ana.make()
    sealed = await ana.seal("See you at nine. 👋🏽")
    other = await seat(ana.email)
    assert await other.state() == "closed"
    assert await other.seal("x") is None
    closed = await other.unseal(sealed)
    assert (closed["code"], closed["sentence"]) == (
        "viewing_closed",
        "This browser has no key for this text. Enter your recovery code, or leave it closed; it is sent all the same.",
    )
    assert await other.open(code.lower().replace("-", " ").replace("0", "o").replace("1", "l")) is None
    assert await other.state() == "open"
    assert await other.unseal(sealed) == "See you at nine. 👋🏽"
    assert await ana.unseal(await other.seal("and back")) == "and back"
    assert (await other.step(EXPORTS))["tried"] == ["InvalidAccessError"] * 2


async def test_a_wrong_code_opens_nothing_says_nothing_and_is_limited(seat):
    ana = await seat()
    code = await ana.make()
    other = await seat(ana.email)
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    assert [(await other.open(wrong))["sentence"] for _ in range(5)] == [SENTENCES[RefusalCode.RECOVERY_CODE_WRONG]] * 5
    limited = await other.open(code)
    assert (limited["code"], limited["field"]) == ("too_many_openings", "code")
    assert "Try again in" in limited["sentence"]
    assert await other.state() == "closed"


async def test_of_two_browsers_that_make_a_key_at_once_one_wins_and_the_other_is_closed(seat):
    ana = await seat()
    other = await seat(ana.email)
    told = await asyncio.gather(ana.create(), other.create())
    refused = [one for one in told if set(one) != {"code"}]
    assert [one["code"] for one in refused] == ["viewing_key_exists"]
    winner, loser = (ana, other) if told[1] in refused else (other, ana)
    code = next(one["code"] for one in told if one not in refused)
    await winner.kept(code)
    assert (await winner.state(), await loser.state()) == ("open", "closed")
    assert (await loser.step(EXPORTS))["fields"] == []
    assert await loser.open(code) is None
    assert await loser.unseal(await winner.seal("mine")) == "mine"


@pytest.mark.parametrize("name", ["environment", "account", "schedule", "recipient", "not_after_s"])
async def test_a_change_of_anything_bound_keeps_it_closed(seat, name):
    ana = await seat()
    await ana.make()
    sealed = await ana.seal("hello")
    assert await ana.unseal(sealed) == "hello"
    assert (await ana.unseal(sealed | {name: 1 if name == "not_after_s" else "other"}))["code"] == "viewing_damaged"


async def test_what_belongs_to_two_messages_does_not_open_together(seat):
    ana = await seat()
    await ana.make()
    one, two = await ana.seal("one"), await ana.seal("two", schedule="00000000-0000-4000-8000-0000000000a1")
    for mixed in (one | {"body": two["body"]}, one | {"viewing": two["viewing"]}):
        assert (await ana.unseal(mixed))["code"] == "viewing_damaged"
    both = one | {"body": two["body"], "viewing": two["viewing"]}
    assert (await ana.unseal(both))["code"] == "viewing_damaged"
    assert await ana.unseal(both | {"schedule": two["schedule"]}) == "two"


@pytest.mark.parametrize("name", ["body", "viewing"])
async def test_a_changed_byte_keeps_it_closed(seat, name):
    ana = await seat()
    await ana.make()
    sealed = await ana.seal("hello")
    damaged = bytearray(bytes_of(sealed[name]))
    damaged[-1] ^= 1
    assert (await ana.unseal(sealed | {name: text_of(bytes(damaged))}))["code"] == "viewing_damaged"


async def test_two_people_at_one_browser_have_a_key_each(seat, web):  # noqa: F811
    ana = await seat()
    await ana.make()
    sealed = await ana.seal("hers")
    cookie = Browser(web).sign_in("ben@example.org").client.cookies["login"]
    await ana.page.context.add_cookies([{"name": "login", "value": cookie, "url": web.url}])
    await ana.page.reload(wait_until="domcontentloaded")
    assert await ana.state() == "none"
    assert (await ana.unseal(sealed))["code"] == "viewing_closed"
    await ana.make()
    assert len(set((await ana.step(EXPORTS))["users"])) == 2


async def test_starting_anew_gives_another_code_and_old_texts_stay_where_the_old_key_is(seat):
    ana = await seat()
    code = await ana.make()
    old = await ana.seal("old")
    anew = (await ana.step("(vault, user, csrf) => vault.renew(user, csrf)"))["code"]
    assert anew != code
    await ana.kept(anew)
    assert (await ana.unseal(old), await ana.unseal(await ana.seal("new"))) == ("old", "new")
    other = await seat(ana.email)
    assert (await other.open(code))["code"] == "recovery_code_wrong"
    assert await other.open(anew) is None
    assert (await other.unseal(old))["code"] == "viewing_closed"
    assert await other.unseal(await ana.seal("new")) == "new"


async def test_a_browser_that_forgets_is_closed_and_opens_again_with_the_code(seat):
    ana = await seat()
    code = await ana.make()
    sealed = await ana.seal("hello")
    await ana.step("(vault, user) => vault.forget(user)")
    assert await ana.state() == "closed"
    assert (await ana.unseal(sealed))["code"] == "viewing_closed"
    assert await ana.open(code) is None
    assert await ana.unseal(sealed) == "hello"


async def test_where_the_browser_keeps_nothing_texts_are_sealed_all_the_same(seat):
    ana = await seat()
    assert await ana.make()
    await ana.page.add_init_script("indexedDB.open = () => { throw new DOMException('none', 'SecurityError'); }")
    await ana.page.reload(wait_until="domcontentloaded")
    assert await ana.state() == "closed"
    assert await ana.seal("x") is None
