"""A real web process on a real PostgreSQL and Redis, and browsers without a screen that sign in by mail."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from domain.naming import search_text
from standalone.home import REPOSITORY
from standalone.postgres import Postgres

START_S = 30.0
ANSWER_S = 10.0

_CODE = re.compile(r"\b(\d{6})\b")
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{128})"')


class Web:
    """One web process. `url`: where it answers; `log`: what it wrote."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        """Start it and wait for its ready line."""
        self._log_path = folder / "web.log"
        self.mailbox = Path(environ["AUTOSENDR_MAILBOX"])
        ours, theirs = os.pipe()
        with self._log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app"],
                env={**environ, "AUTOSENDR_READY_FD": str(theirs), "PATH": os.environ["PATH"]},
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                pass_fds=(theirs,),
            )
        os.close(theirs)
        try:
            readable, _, _ = select.select([ours], [], [], START_S)
            line = os.read(ours, 4096) if readable else b""
            assert line, f"the web process did not get ready: {self.log()}"
            self.port = json.loads(line)["port"]
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(ours)
        self.url = f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return all that the process has written so far."""
        return self._log_path.read_text()

    def stop(self, deadline_s: float = ANSWER_S) -> int:
        """Tell it to end and return its exit code; fail when it does not end by the deadline."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(ANSWER_S)
            raise

    def code_for(self, email: str) -> str:
        """Return the newest code mailed to an address."""
        for path in sorted(self.mailbox.glob("*.json"), reverse=True):
            mail = json.loads(path.read_text())
            if mail["to"] == email:
                found = _CODE.search(mail["text"])
                assert found
                return found[1]
        raise AssertionError(f"no mail to {email}")


class Browser:
    """Somebody's browser without a screen: cookies, and the token of the page it is on."""

    def __init__(self, web: Web) -> None:
        """Open nothing yet."""
        self.web = web
        self.client = httpx.Client(base_url=web.url, timeout=ANSWER_S)
        self.token = ""
        self.email = self.account = self.message = ""
        """What a test knows of whoever sits there: their address, and the ids of what they made."""

    def get(self, path: str, /, **headers: str) -> httpx.Response:
        """Open a page and remember its token."""
        answer = self.client.get(path, headers=headers)
        found = _TOKEN.search(answer.text)
        if found:
            self.token = found[1]
        return answer

    def post(self, path: str, form: dict[str, str] | None = None, /, **headers: str) -> httpx.Response:
        """Send a form of our own page."""
        return self.client.post(
            path, data={"csrf": self.token, **(form or {})}, headers={"Origin": self.web.url, **headers}
        )

    def sign_in(self, email: str) -> "Browser":
        """Ask for a code, read the mail, type it."""
        self.email = email
        self.get("/login")
        assert self.post("/login-codes", {"email": email}).status_code == 303
        self.get("/logins/new")
        answer = self.post("/logins", {"email": email, "code": self.web.code_for(email), "zone": "Europe/Berlin"})
        assert answer.status_code == 303, answer.text
        self.get("/today")
        return self


@pytest.fixture(scope="module")
def web_environ(
    redis_address: str, database_url: str, rig_folder: Path, request: pytest.FixtureRequest
) -> dict[str, str]:
    """Give the variables of a web process for this module."""
    folder = rig_folder / f"web-{'-'.join(request.module.__name__.split('.')[-2:])}"
    folder.mkdir(mode=0o700)
    return {
        "AUTOSENDR_DATABASE_URL": database_url,
        "AUTOSENDR_REDIS_URL": redis_address,
        "AUTOSENDR_ENCLAVE_SOCKET": str(folder / "door.sock"),
        "AUTOSENDR_WEB_HOST": "127.0.0.1",
        "AUTOSENDR_WEB_PORT": "0",
        "AUTOSENDR_PUBLIC_URL": "http://127.0.0.1:8080",
        "AUTOSENDR_MAILBOX": str(folder / "mail"),
    }


@pytest.fixture(scope="module")
def web(web_environ: dict[str, str]) -> Iterator[Web]:
    """Run a web process for the tests of one module."""
    running = Web(web_environ, Path(web_environ["AUTOSENDR_MAILBOX"]).parent)
    yield running
    assert running.stop() == 0


@pytest.fixture
def browser(web: Web) -> Callable[[], Browser]:
    """Give fresh browsers."""
    return lambda: Browser(web)


class Enclave:
    """A real broker on the null driver: it seals, opens and refuses as the real one."""

    def __init__(self, folder: Path, socket_path: str) -> None:
        """Start it and wait for its ready line."""
        for name in ("keys", "live"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        self.log = folder / "enclave.log"
        ours, theirs = os.pipe()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from enclave.broker import main; main(driver='null')"],
                env={
                    "PATH": os.environ["PATH"],
                    "AUTOSENDR_ENCLAVE_SOCKET": socket_path,
                    "AUTOSENDR_EGRESS_SOCKET": str(folder / "egress.sock"),
                    "AUTOSENDR_STATE": str(folder / "keys"),
                    "AUTOSENDR_TMPFS": str(folder / "live"),
                    "AUTOSENDR_READY_FD": str(theirs),
                },
                cwd=REPOSITORY,
                pass_fds=(theirs,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        os.close(theirs)
        readable, _, _ = select.select([ours], [], [], START_S)
        line = os.read(ours, 4096) if readable else b""
        os.close(ours)
        if not line:
            self.stop()
            raise AssertionError(f"the enclave did not get ready: {self.log.read_text()}")

    def stop(self) -> None:
        """Tell it to end and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)


@pytest.fixture(scope="module")
def enclave(web_environ: dict[str, str]) -> Iterator[Enclave]:
    """Run an enclave for the tests of one module."""
    folder = Path(web_environ["AUTOSENDR_MAILBOX"]).parent
    running = Enclave(folder, web_environ["AUTOSENDR_ENCLAVE_SOCKET"])
    yield running
    running.stop()


class Database:
    """The module's database, for what only the supervisor writes and for counting what was stored."""

    def __init__(self, postgres: Postgres, url: str) -> None:
        """Remember which."""
        self._postgres = postgres
        self._name = url.split("?")[0].rsplit("/", 1)[1]

    def run(self, sql: str) -> str:
        """Run SQL text and return its bare output."""
        return self._postgres.query(sql, self._name)

    def link(self, account: str, phone: str) -> None:
        """Do what the supervisor does when a phone has accepted the device."""
        self.run(
            f"UPDATE accounts SET link = 'LINKED', jid = '{phone}:7@s.whatsapp.net', phone = '{phone}', wish = '', "
            f"names_synced_at = now(), contacts = 3, name = 'Ana' WHERE id = '{account}'"
        )

    def add_contact(self, account: str, jid: str, name: str, *, can_send: bool = True) -> None:
        """Do what the supervisor does when a name has come."""
        kind = "group" if jid.endswith("@g.us") else "person"
        self.run(
            "INSERT INTO contacts (account_id, jid, kind, name, search, members, can_send) VALUES "
            f"('{account}', '{jid}', '{kind}', '{name}', '{search_text(name, jid)}', 4, {can_send})"
        )

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.run(f"SELECT count(*) FROM {table}"))


@pytest.fixture(scope="module")
def database(engines, database_url: str) -> Database:
    """Give the module's database."""
    return Database(engines.postgres, database_url)
