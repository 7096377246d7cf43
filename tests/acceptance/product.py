"""The whole demo product as real processes in a folder of its own, with a person at it and the simulated phones."""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from standalone.children import bring_up
from standalone.demo_world import CONTACTS, OWN_NUMBER, Phones
from standalone.home import Home, open_home_at
from standalone.plan import Plan, scratch_folder
from standalone.postgres import Postgres
from standalone.programs import Program
from standalone.valkey import Valkey
from standalone.visitor import Visitor
from tests.waiting import eventually_sync

STEP_S = 30.0
FRIEND = CONTACTS[0][0]


@dataclass(frozen=True, slots=True)
class Product:
    """The running demo. `email` is the person's, made for this run."""

    home: Home
    plan: Plan
    postgres: Postgres
    valkey: Valkey
    phones: Phones
    visitor: Visitor
    email: str

    @property
    def phones_url(self) -> str:
        """Where the simulated phones and their control interface are."""
        assert self.plan.simulator is not None
        return str(self.plan.simulator.facts["control"])

    def program(self, name: str) -> Program:
        """One of the product's own programs."""
        return next(one for one in self.plan.services if isinstance(one, Program) and one.name == name)

    def pid(self, name: str) -> int:
        """Process id of a program that runs."""
        pid = self.program(name).pid
        assert pid is not None, f"{name} does not run"
        return pid

    def link(self) -> str:
        """Sign in, link the demo's own phone, wait for its contacts; return the account."""
        visitor = self.visitor
        visitor.sign_in()
        account = visitor.add_account()
        visitor.ask_for_qr(account)
        pairing = f"/accounts/{account}/pairing"
        self.phones.scan(OWN_NUMBER, eventually_sync(lambda: visitor.get(pairing)["qr"], "a QR code", STEP_S))
        eventually_sync(lambda: visitor.get(pairing)["link"] == "LINKED", "the link", STEP_S)
        eventually_sync(lambda: visitor.get(f"/accounts/{account}/contacts"), "the contacts", STEP_S)
        return account

    def schedule(self, account: str, text: str, due: datetime) -> str:
        """Seal a text to the first contact and schedule it; return the message."""
        return self.visitor.schedule(account, f"{FRIEND}@s.whatsapp.net", text, due)

    def state(self, message: str) -> str:
        """What the product says of a message."""
        return self.visitor.get(f"/api/v1/messages/{message}")["state"]


@contextmanager
def demo_product(environ: Mapping[str, str] = {}) -> Generator[Product]:
    """Run all of it, its own PostgreSQL and Valkey included; nothing is left at the end. Main thread only."""
    folder = scratch_folder()
    try:
        with open_home_at(folder / "home", folder / "run", folder.name[-8:]) as home:
            plan = Plan(home, environ, demo=True, port=0)
            begun = []
            try:
                for service in plan.services:
                    bring_up(service)
                    begun.append(service)
                yield from _visited(home, plan)
            finally:
                for service in reversed(begun):
                    service.stop()
                plan.close()
    finally:
        shutil.rmtree(folder)


def _visited(home: Home, plan: Plan) -> Generator[Product]:
    assert plan.simulator is not None
    phones = Phones(plan.simulator.facts["control"])
    email = f"person-{os.urandom(8).hex()}@example.org"
    visitor = Visitor(plan.web_url, email)
    postgres = next(one for one in plan.services if isinstance(one, Postgres))
    valkey = next(one for one in plan.services if isinstance(one, Valkey))
    try:
        phones.furnish()
        yield Product(home, plan, postgres, valkey, phones, visitor, email)
    finally:
        visitor.close()
        phones.close()


def files_under(folder: Path) -> list[Path]:
    """Every plain file below `folder`."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
