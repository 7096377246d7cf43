"""The page on which one links a phone, in every state: shown as the supervisor shows them, which stands still."""

import re
from typing import Final

from playwright.async_api import Browser, Page

from domain.account import PairPhase
from standalone.screens.album import Album
from standalone.screens.desk import Desk, now_ms
from standalone.screens.rows import run
from standalone.screens.seats import sign_in, somebody
from store.run_state import PairingShown

EMAIL: Final = "ben@example.org"
NUMBER: Final = "447700900003"
QR: Final = (
    "2@s3YxRk9Qb1ZtTnA4eHc2Q2dLZDBhVGpMZkhyWnVNaUVzUW9XbFBiVnlDeEtHN2ptUjFoTmRBOXFJNXBUMHZYOA==,"
    "Zk1hQ3dYVHBvR1lxTnJLdlNtTGhFeFVpUWJEZ0p6T2E=,dVJlSHlUblZjUWZNa0xzRG9JcEd4QWJXallaaUVtUHQ=,"
    "cVdlUnRZdUlvUGFTZERmR2hKa0x6WGNWYk5tUXdFclQ=,1"
)
"""As long as WhatsApp's; it leads nowhere."""
CODE_S: Final = 20
TYPED_S: Final = 160
ENDINGS: Final = {"link-expired": "expired", "link-refused": "refused", "link-passkey": "passkey"}


async def show_linking(browser: Browser, desk: Desk, album: Album) -> None:
    """Somebody new links their phone, with every ending that there is a picture of."""
    person = await somebody(browser, desk, EMAIL, NUMBER)
    page = person.page
    await sign_in(person)
    await page.get_by_role("link", name="Link your WhatsApp").click()
    await album.take("link-first", page)
    await page.get_by_role("button", name="Link a phone").click()
    await page.get_by_text("Asking WhatsApp for a code").wait_for()
    await album.take("link-asking", page)
    found = re.search(r"/accounts/([0-9a-f-]{36})", page.url)
    assert found
    account = found[1]

    def show(phase: PairPhase, lasts_s: int = 0, qr: str = "", code: str = "") -> None:
        since = now_ms()
        ends = since + lasts_s * 1000 if lasts_s else 0
        shown = PairingShown(phase=phase, qr=qr, code=code, number=int(bool(qr)), since_ms=since, ends_ms=ends)
        desk.show_pairing(account, shown)

    show(PairPhase.SHOWN, CODE_S, qr=QR)
    await _again(page, "Waiting for your phone")
    await album.take("link-qr", page)
    run(desk.query, "pair_by_number", account=account, phone=NUMBER)
    show(PairPhase.SHOWN, TYPED_S, code="K7PD-2MXQ")
    await page.goto(f"{person.web_url}/accounts/{account}/pairing?tab=code", wait_until="domcontentloaded")
    await page.get_by_text("Waiting for your phone").wait_for()
    await album.take("link-typed", page)
    await page.goto(f"{person.web_url}/accounts/{account}/pairing", wait_until="domcontentloaded")
    for picture, reason in ENDINGS.items():
        run(desk.query, "end_pairing", account=account, reason=reason)
        show(PairPhase.ASKING)
        await _again(page, "")
        await album.take(picture, page)
    linked = {"account": account, "phone": NUMBER, "name": "Ben", "contacts": "312"}
    run(desk.query, "link", **linked, synced="no")
    show(PairPhase.RESTARTING)
    await _again(page, "this is normal")
    await album.take("link-progress", page)
    show(PairPhase.NAMES)
    await _again(page, "Fetching names: 312")
    await album.take("link-names", page)
    run(desk.query, "link", **linked, synced="yes")
    show(PairPhase.READY)
    await _again(page, "Names fetched: 312")
    await album.take("link-ready", page)


async def _again(page: Page, words: str) -> None:
    """Open the page anew, until it says `words`."""
    await page.reload(wait_until="domcontentloaded")
    if words:
        await page.get_by_text(words).first.wait_for()
