"""Ways to hold the running product still in one window of a send, to kill a part of it there, to see the outcome."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from standalone.children import SERVER_ENVIRONMENT, bring_up
from standalone.demo_world import OWN_NUMBER
from tests.acceptance.product import FRIEND, Product
from tests.enclave.brokers import runs as process_runs
from tests.waiting import eventually_sync

CERTAIN = ("SENT", "DELIVERED", "READ")
DEADLINE_S = 30.0
SETTLE_S = 90.0  # limits.SETTLE_S, a restart before it and a wake
CONTROL_S = 60.0
END_S = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """A scheduled message and its text, which no other message has."""

    id: str
    text: str


@dataclass(slots=True)
class Stack:
    """The product with one linked account."""

    product: Product
    account: str
    control: httpx.Client
    scheduled: list[Message] = field(default_factory=list)
    _log_read: int = 0
    _lines: list[dict[str, Any]] = field(default_factory=list)

    # --- what there is to see ---

    def told(self, event: str, since: int = 0, **fields: str) -> list[dict[str, Any]]:
        """Lines of the supervisor's log with these fields, from number `since` on."""
        with self.product.program("supervisor").log.open("rb") as log:
            log.seek(self._log_read)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._log_read += len(line)
                if line.startswith(b"{"):
                    self._lines.append(json.loads(line))
        return [
            line
            for line in self._lines[since:]
            if line["event"] == event and all(str(line.get(name)) == value for name, value in fields.items())
        ]

    def mark(self) -> int:
        """The number of the supervisor's next log line."""
        self.told("")
        return len(self._lines)

    def ask(self, sql: str) -> str:
        """The bare output of an SQL text."""
        return self.product.postgres.query(sql)

    def state(self, message: Message) -> str:
        """State of a message, from the database: logins of the web are in Redis, which tests empty."""
        return self.ask(f"SELECT state FROM messages WHERE id = '{message.id}'")

    def reason(self, message: Message) -> str:
        """Reason of a message's state."""
        return self.ask(f"SELECT reason FROM messages WHERE id = '{message.id}'")

    def attempts(self, message: Message) -> list[str]:
        """Outcomes of a message's attempts, in their order."""
        told = self.ask(f"SELECT outcome || '.' FROM attempts WHERE message_id = '{message.id}' ORDER BY number")
        return [line.rstrip(".") for line in told.splitlines()]

    def on_phone(self, message: Message) -> int:
        """How often the recipient's phone has the text."""
        return self.product.phones.texts(FRIEND).count(message.text)

    def session_pid(self) -> int:
        """Process id of the account's newest session."""
        return self.told("session_opened", account=self.account)[-1]["pid"]

    def lives(self) -> bool:
        """Whether the account has a session that is connected."""
        runs = self.told("account_run", account=self.account)
        return runs[-1]["after"] == "HOT" and process_runs(self.session_pid())

    # --- what happens to messages ---

    def schedule(self, text: str, ahead_s: float) -> Message:
        """Seal and schedule a text, due `ahead_s` from now."""
        due = datetime.now(UTC) + timedelta(seconds=ahead_s)
        message = Message(self.product.schedule(self.account, text, due), text)
        self.scheduled.append(message)
        return message

    def schedule_awake(self, text: str, ahead_s: float) -> Message:
        """Do the same with the account awake before the message is claimed; another message wakes it."""
        if not self.lives():
            self.until_state(self.schedule(f"before {text}", 0), *CERTAIN)
            eventually_sync(self.lives, "a session", DEADLINE_S)
        return self.schedule(text, ahead_s)

    def until_state(self, message: Message, *wanted: str, wait_s: float = DEADLINE_S) -> str:
        """Wait until a message is in one of the states."""
        return eventually_sync(lambda: (now := self.state(message)) in wanted and now, f"{wanted}", wait_s) or ""

    def until_delivered(self, message: Message) -> None:
        """Wait until the recipient's phone has the text (or a second one: at once)."""
        query = {"timeout_s": DEADLINE_S, "kind": "inbox", "text": message.text}
        found = self.control.get("/events", params=query).raise_for_status().json()["events"]
        assert found, f"{message.text} did not arrive"

    def outcome(self, message: Message, since: int) -> str:
        """Wait for a message's end. Once a session lives again (`since`: log line), the recipient reads the chat.

        The phone's first receipt may have died with what was killed; the person's reading is the second.
        """

        def look() -> str:
            state = self.state(message)
            if state in (*CERTAIN, "UNCONFIRMED", "FAILED", "MISSED"):
                return state
            if self.told("account_run", since, account=self.account, after="HOT"):
                self.read_by_recipient()
            return ""

        return eventually_sync(look, f"the end of {message.text}", SETTLE_S)

    def read_by_recipient(self) -> None:
        """Have the recipient read what is unread; the account's device is told."""
        self.control.post(f"/phones/{FRIEND}/read", json={"chat": OWN_NUMBER}).raise_for_status()

    def hold_acknowledgements(self, delay_s: float) -> None:
        """Have the simulated service acknowledge that much later; 0: at once."""
        self.control.post("/settings", json={"ack_delay_s": delay_s}).raise_for_status()

    # --- what happens to the product ---

    @contextmanager
    def locked(self, table: str, key: str = "") -> Generator[None]:
        """Keep one row of the database locked, or without `key` a table: who wants to write there waits."""
        lock = f"SELECT FROM {table} WHERE id = '{key}' FOR UPDATE" if key else f"LOCK TABLE {table} IN EXCLUSIVE MODE"
        postgres = self.product.postgres
        command = [postgres.binaries.program("psql"), "-X", "-q", "-A", "-t", "-d", postgres.url]
        with subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=SERVER_ENVIRONMENT,
            text=True,
        ) as psql:
            assert psql.stdin is not None and psql.stdout is not None
            try:
                psql.stdin.write(f"BEGIN;\n{lock} \\g /dev/null\n\\echo locked\n")
                psql.stdin.flush()
                assert psql.stdout.readline() == "locked\n"
                yield
            finally:
                psql.stdin.close()  # psql ends, and its transaction with it
                psql.wait(END_S)

    def until_waiting(self, words: str) -> None:
        """Wait until a statement with these words waits for a locked row."""
        sql = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            f" AND position('{words}' IN query) > 0 LIMIT 1"
        )
        eventually_sync(lambda: self.ask(sql), f"a lock that holds {words!r}", DEADLINE_S)

    @contextmanager
    def gate_held(self, message: Message) -> Generator[None]:
        """Within: the message is armed, its session is ready, and the gate is being asked but does not answer."""
        self.until_state(message, "ARMED")
        with self.locked("accounts", self.account):
            self.until_waiting("SELECT id FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE")
            yield

    @contextmanager
    def broker_stopped(self) -> Generator[None]:
        """Within: the broker hears nothing and says nothing."""
        pid = self.product.pid("enclave")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            if self.product.program("enclave").pid == pid:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def broker_stopped_after_gate(self, message: Message) -> Generator[None]:
        """Within: the attempt has begun, and nothing goes out."""
        with ExitStack() as stopped:
            with self.gate_held(message):
                stopped.enter_context(self.broker_stopped())
            self.until_state(message, "SENDING")
            assert self.attempts(message) == [""]
            assert self.on_phone(message) == 0
            yield

    def kill(self, who: str) -> None:
        """`kill -9` of "supervisor", "broker" or "session"."""
        if who == "session":
            os.kill(self.session_pid(), signal.SIGKILL)
            return
        program = self.product.program(_program_of(who))
        assert program.pid is not None
        os.kill(program.pid, signal.SIGKILL)
        eventually_sync(lambda: program.exit_code() is not None, f"the end of {who}", END_S)

    def mend(self, who: str) -> None:
        """Start again what was killed, as the runner does. Sessions are the supervisor's own business."""
        if who != "session":
            bring_up(self.product.program(_program_of(who)))


def flush_redis(stack: Stack) -> None:
    """All of it goes, the login of the web's visitor too: it signs in again."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(END_S)
        line.connect(str(stack.product.valkey.socket))
        line.sendall(b"FLUSHALL\r\n")
        assert line.recv(64) == b"+OK\r\n"
    stack.product.visitor.sign_in()


def _program_of(who: str) -> str:
    return {"broker": "enclave"}.get(who, who)


@contextmanager
def linked_stack(product: Product) -> Generator[Stack]:
    """Link the demo's phone and let its first contacts come; its sends are not spaced, for there are many."""
    assert product.plan.simulator is not None
    control = httpx.Client(base_url=product.plan.simulator.facts["control"], timeout=CONTROL_S, trust_env=False)
    with control:
        stack = Stack(product, product.link(), control)
        stack.ask("UPDATE accounts SET paced = false")
        yield stack
