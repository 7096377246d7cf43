"""Why a linking ended: the library calls any end of its codes a timeout, we tell them apart."""

from collections.abc import Coroutine
from typing import Any, cast

import pytest

from enclave.session import pairing
from enclave.session.client import Client
from enclave.session.pairing import Pairing
from enclave.wire.news import PairFailed, PairTrouble, QrShown


class Heard:
    """Surroundings that remember what they were told."""

    def __init__(self) -> None:
        self.notices: list[object] = []

    def tell(self, notice: object) -> None:
        self.notices.append(notice)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()


def begun(phone: str = "") -> tuple[Pairing, Heard]:
    heard = Heard()
    return Pairing(cast("Client", None), heard, phone), heard


async def test_a_timeout_before_any_code_means_that_whatsapp_was_not_reached() -> None:
    one, heard = begun()
    one.on_login_status("timeout")
    assert heard.notices == [PairFailed(trouble=PairTrouble.UNREACHABLE)]


@pytest.mark.parametrize("phone", ["", "4915100000001"])
async def test_a_timeout_while_a_code_is_good_means_that_the_connection_broke(phone: str) -> None:
    one, heard = begun(phone)
    one.on_qr_text("first")
    one.on_login_status("timeout")
    assert heard.notices[-1] == PairFailed(trouble=PairTrouble.BROKEN_OFF)


async def test_a_timeout_at_the_end_of_the_last_code_means_that_they_have_run_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairing, "NEXT_QR_VALID_S", 0)
    one, heard = begun()
    for text in ("first", "second"):
        one.on_qr_text(text)
    one.on_login_status("timeout")
    assert [notice.valid_s for notice in heard.notices if isinstance(notice, QrShown)] == [60, 0]
    assert heard.notices[-1] == PairFailed(trouble=PairTrouble.EXPIRED)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        ("passkey-request", PairTrouble.PASSKEY),
        ("passkey-confirmation", PairTrouble.PASSKEY),
        ("err-client-outdated", PairTrouble.OUTDATED),
        ("err-scanned-without-multidevice", PairTrouble.NO_MULTIDEVICE),
        ("error", PairTrouble.OTHER),
        ("of-next-year", PairTrouble.OTHER),
    ],
)
async def test_each_other_word_of_the_library_ends_the_linking_once(status: str, trouble: PairTrouble) -> None:
    one, heard = begun()
    one.on_login_status(status)
    one.on_login_status("timeout")
    assert heard.notices == [PairFailed(trouble=trouble)]
