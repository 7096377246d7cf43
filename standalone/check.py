"""`demo --check`: the product's main job from sign-in to the recipient's phone, without a browser.

Runs the demo in a scratch folder on free ports and leaves nothing behind.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from standalone.demo_world import CONTACTS, OWN_NUMBER, Phones
from standalone.home import CannotStart, open_home_at
from standalone.plan import NEEDS, Plan, scratch_folder
from standalone.processes import Bell, Processes, StopRequested
from standalone.running import say
from standalone.visitor import Visitor

EMAIL = "ada@example.org"
TEXT = "Happy birthday! See you on Sunday."
AHEAD_S = 5.0
LOOK_S = 0.05
#: For each step, the slowest machine included.
STEP_S = 60.0

T = TypeVar("T")


class StepFailed(Exception):
    """A step did not come about; the text says which."""


class Walk:
    """The steps. `pause(seconds)` waits; `tell` gets a line per step."""

    def __init__(self, visitor: Visitor, phones: Phones, pause: Callable[[float], None]) -> None:
        """Walk as `visitor`, with the simulated `phones`."""
        self._visitor = visitor
        self._phones = phones
        self._pause = pause

    def run(self) -> dict[str, Any]:
        """Take every step. Raises StepFailed, or httpx.HTTPError where something answers otherwise than documented."""
        visitor = self._visitor
        visitor.sign_in()
        say(f"signed in as {EMAIL}\n")
        account = visitor.add_account()
        linked_ms = self._link(account)
        say(f"linked a phone … {linked_ms / 1000:.1f} s\n")
        names = self._until(lambda: self._names(account), "the contacts")
        say(f"contacts: {', '.join(names)}\n")
        number, name = CONTACTS[0]
        due = datetime.now(UTC) + timedelta(seconds=AHEAD_S)
        message = visitor.schedule(account, f"{number}@s.whatsapp.net", TEXT, due)
        say(f"sealed and scheduled a message to {name}, {AHEAD_S:.0f} s ahead\n")
        arrived_at = self._until(lambda: self._arrival(number), f"the text on {name}'s phone")
        lateness_ms = round((arrived_at - due.timestamp()) * 1000)
        say(f"it arrived, {lateness_ms} ms after its time\n")
        self._until(lambda: self._is_delivered(message), "the receipt")
        delivered = self._phones.texts(number) == [TEXT]
        return {
            "ok": delivered and lateness_ms >= 0,
            "linked_ms": linked_ms,
            "contacts": len(names),
            "lateness_ms": lateness_ms,
            "delivered": delivered,
        }

    def _link(self, account: str) -> int:
        begun = time.monotonic()
        self._visitor.ask_for_qr(account)
        pairing = f"/accounts/{account}/pairing"
        qr = self._until(lambda: self._visitor.get(pairing)["qr"], "a QR code")
        self._phones.scan(OWN_NUMBER, qr)
        self._until(lambda: self._visitor.get(pairing)["link"] == "LINKED", "the link")
        return round((time.monotonic() - begun) * 1000)

    def _names(self, account: str) -> list[str]:
        found = {row["name"] for row in self._visitor.get(f"/accounts/{account}/contacts")}
        names = [name for _, name in CONTACTS]
        return names if found.issuperset(names) else []

    def _arrival(self, number: str) -> float | None:
        return next((entry["at"] for entry in self._phones.inbox(number) if entry["text"] == TEXT), None)

    def _is_delivered(self, message: str) -> bool:
        return self._visitor.get(f"/api/v1/messages/{message}")["state"] in ("DELIVERED", "READ")

    def _until(self, look: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + STEP_S
        while not (value := look()):
            if time.monotonic() > deadline:
                raise StepFailed(f"waited {STEP_S:.0f} s in vain for {what}")
            self._pause(LOOK_S)
        return value


def check(version: str, environ: Mapping[str, str] = os.environ) -> int:
    """Run the demo, walk through it, print the outcome as one line of JSON, the last one; return the exit code."""
    folder = scratch_folder()
    outcome: dict[str, Any] = {"ok": False}
    try:
        with Bell() as bell, open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
            plan = Plan(home, environ, demo=True, port=0, durable=False)
            processes = Processes(home, plan.services, NEEDS, bell, say)
            try:
                processes.start()
                outcome = _walk(plan, bell.pause)
            except StopRequested:
                say("\n")
            except (CannotStart, StepFailed, httpx.HTTPError) as error:
                say(f"{error}\n")
                processes.tell_logs()
            finally:
                processes.stop()
                plan.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps({**outcome, "version": version}), flush=True)
    return 0 if outcome["ok"] else 1


def _walk(plan: Plan, pause: Callable[[float], None]) -> dict[str, Any]:
    assert plan.simulator is not None
    phones = Phones(plan.simulator.facts["control"])
    visitor = Visitor(plan.web_url, EMAIL)
    try:
        phones.furnish()
        return Walk(visitor, phones, pause).run()
    finally:
        visitor.close()
        phones.close()
