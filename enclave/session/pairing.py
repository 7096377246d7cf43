"""Linking a new device: QR texts with their own countdown, or a code; in a process of its own, which ends with it.

The library tells nobody that its QR texts ran out, and leaves threads behind (docs/whatsapp.md §4): so
the clock here is ours, and after PairFailed the process ends.
"""

import asyncio
from typing import Final

from enclave.session import classify
from enclave.session.client import Client, ClientError
from enclave.session.driver import Surroundings
from enclave.wire.news import PairCodeShown, PairFailed, PairTrouble, QrShown

FIRST_QR_VALID_S: Final = 60
NEXT_QR_VALID_S: Final = 20
PAIRING_DEADLINE_S: Final = 165.0
"""Six QR texts last 60 + 5 x 20 s; a little longer for the last scan to arrive."""

EARLY_S: Final = 1.0
"""Within this of the present text's end, a "timeout" means that the texts have run out."""

CODE_DEADLINE_S: Final = 30.0
DISPLAY_NAME: Final = "Chrome (Linux)"
"""WhatsApp refuses pairing codes for a name that is not "Browser (OS)" (docs/whatsapp.md §4)."""
_CHROME: Final = 1


class Pairing:
    """One attempt to link. `open` until it succeeded or failed."""

    def __init__(self, client: Client, surroundings: Surroundings, phone: str) -> None:
        """`phone`: international digits to link by code, "" to link by QR."""
        self.open = True
        self._client = client
        self._surroundings = surroundings
        self._phone = phone
        self._texts = 0
        self._good_until_s = 0.0
        """When the present QR text ends, by the loop's clock; before it a "timeout" is a lost connection."""

    async def watch(self) -> None:
        """Fail when the time is over."""
        await asyncio.sleep(PAIRING_DEADLINE_S)
        self._fail(PairTrouble.EXPIRED)

    def on_qr_text(self, text: str) -> None:
        """A new QR text: show it, or at the first one ask for the code."""
        if not self.open:
            return
        self._texts += 1
        valid_s = FIRST_QR_VALID_S if self._texts == 1 else NEXT_QR_VALID_S
        self._good_until_s = asyncio.get_running_loop().time() + valid_s
        if not self._phone:
            self._surroundings.tell(QrShown(text=text, valid_s=valid_s))
        elif self._texts == 1:
            self._surroundings.spawn(self._ask_for_code())

    async def _ask_for_code(self) -> None:
        """Have the server make a code for the phone."""
        params = self._client.protos.PairPhoneParams(
            phone=self._phone, showPushNotification=True, clientType=_CHROME, clientDisplayName=DISPLAY_NAME
        )
        try:
            async with asyncio.timeout(CODE_DEADLINE_S):
                answer = await self._client.ask("PairPhone", "PairPhoneReturnFunction", params)
        except (ClientError, TimeoutError):
            self.refused()
        else:
            self._surroundings.tell(PairCodeShown(code=answer.Code))

    def on_login_status(self, status: str) -> None:
        """The library's word on the attempt. It calls any end of the connection a timeout."""
        trouble = classify.of_login_status(status)
        if trouble is PairTrouble.EXPIRED and not self._texts:
            trouble = PairTrouble.UNREACHABLE
        elif trouble is PairTrouble.EXPIRED and asyncio.get_running_loop().time() < self._good_until_s - EARLY_S:
            trouble = PairTrouble.BROKEN_OFF
        if trouble is not None:
            self._fail(trouble)

    def refused(self) -> None:
        """WhatsApp or the phone said no."""
        self._fail(PairTrouble.REFUSED)

    def unreachable(self) -> None:
        """There was no connection."""
        self._fail(PairTrouble.UNREACHABLE)

    def done(self) -> None:
        """The device is linked."""
        self.open = False

    def _fail(self, trouble: PairTrouble) -> None:
        if self.open:
            self.open = False
            self._surroundings.tell(PairFailed(trouble=trouble))
