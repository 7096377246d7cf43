"""What each operation of the door does: one route each, with who may use it and how long it may take.

A route returns its answer or raises CallFailed; `Calls.handle` turns every other expected failure into a code.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from enclave.bodies import (
    BodyRefused,
    SealKey,
    check_binding,
    check_recipient,
    ingest,
    open_content_key,
    opened_text,
)
from enclave.door import CallFailed, Connection
from enclave.keys import AccountKeys, KeyProvider, WrongKey, derive
from enclave.live import LiveSession, ProcessGone
from enclave.session.pipe import (
    FindSecret,
    LookUpNumber,
    ReadContacts,
    ReadGroups,
    ReadPicture,
    SecretFound,
    SendText,
    SentText,
    Snapshot,
    TakeSnapshot,
    Task,
)
from enclave.sessions import Sessions
from enclave.wire import operations as ask
from enclave.wire.answers import (
    AccountKey,
    Answer,
    Certainty,
    Closed,
    ContactPage,
    Done,
    GroupList,
    Ingested,
    NotSent,
    NumberChecked,
    Opened,
    Picture,
    SealedStore,
    SendTrouble,
    Sent,
    Settled,
    SettleFound,
    StatsTaken,
    StoreTaken,
    Welcome,
)
from enclave.wire.envelope import Call, Code
from enclave.wire.limits import PICTURE_BYTES_MAX, SEND_DEADLINE_S, WIRE_VERSION

FIND_S: Final = 15.0
SNAPSHOT_S: Final = 25.0
CONTACTS_S: Final = 15.0
GROUPS_S: Final = 65.0
PICTURE_S: Final = 25.0
NUMBER_S: Final = 25.0

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

A = TypeVar("A")


class Identity(NamedTuple):
    """Who this enclave is for as long as it runs."""

    environment: str
    boot: str
    seal_key: SealKey


class Calls:
    """The routes. `zygote_pid` is counted into the enclave's memory."""

    def __init__(self, identity: Identity, provider: KeyProvider, sessions: Sessions, zygote_pid: int) -> None:
        """Ready at once."""
        self.draining = False
        """The enclave shuts down: every new call is refused."""
        self._identity = identity
        self._provider = provider
        self._sessions = sessions
        self._zygote_pid = zygote_pid
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, connection: Connection, call: Call) -> Answer:
        """Carry out one call. Raises CallFailed."""
        if self.draining:
            raise CallFailed(Code.BUSY)
        route = ROUTES[type(call.operation)]
        if route.owner_only and not connection.owner:
            raise CallFailed(Code.BAD_OPERATION)
        try:
            return await route.act(self, connection, call.operation)
        except BodyRefused as refused:
            raise CallFailed(refused.code) from None
        except WrongKey:
            raise CallFailed(Code.WRONG_KEY) from None
        except ProcessGone:
            raise CallFailed(Code.NO_SESSION) from None

    async def drain(self, deadline_s: float) -> None:
        """Refuse new calls; wait for the sends that are under way."""
        self.draining = True
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            return

    async def hello(self, connection: Connection, operation: ask.Hello) -> Welcome:
        """Say who answers."""
        return Welcome(
            wire_version=WIRE_VERSION,
            environment=self._identity.environment,
            boot=self._identity.boot,
            seal_kid=self._identity.seal_key.kid,
            seal_public_key=self._identity.seal_key.public_key,
        )

    async def new_account_key(self, connection: Connection, operation: ask.NewAccountKey) -> AccountKey:
        """Make an account key."""
        _, wrapped = self._provider.new_key(operation.account)
        return AccountKey(wrapped_key=wrapped)

    async def ingest(self, connection: Connection, operation: ask.Ingest) -> Ingested:
        """Take a browser's body into keeping."""
        bound = self._bound(operation)
        content_key = ingest(
            self._identity.seal_key,
            self._keys(operation.account, operation.wrapped_key).body,
            kid=operation.kid,
            envelope=operation.envelope,
            body=operation.body,
            binding=bound,
        )
        return Ingested(content_key=content_key)

    async def open_session(self, connection: Connection, operation: ask.OpenSession) -> Opened:
        """Wake an account."""
        keys = self._keys(operation.account, operation.wrapped_key)
        return await self._sessions.open(connection, operation, keys)

    async def pair_session(self, connection: Connection, operation: ask.PairSession) -> Opened:
        """Link a device."""
        keys = self._keys(operation.account, operation.wrapped_key)
        return await self._sessions.pair(connection, operation, keys)

    async def send(self, connection: Connection, operation: ask.Send) -> Sent | NotSent:
        """Open a body and send its text.

        1. a session of this owner and epoch · 2. the binding counts here and now, for this recipient · 3. the content
        key and the body open under it · 4. the attempt is noted on tmpfs · 5. the process sends; the text's buffers
        are zeroed · 6. the store after the send is sealed, and only then the host hears of it.
        """
        session = self._sessions.find(connection, operation.account, operation.epoch)  # 1
        bound = self._bound(operation)  # 2
        check_recipient(operation.binding, operation.recipient)
        content_key = open_content_key(session.keys.body, operation.content_key, bound)  # 3
        self._sending += 1
        self._idle.clear()
        try:
            with opened_text(content_key, operation.body, bound) as text:
                session.remember(attempt=operation.secret)  # 4
                task = SendText(recipient=operation.recipient, secret=operation.secret, text=text)
                result = await self._send_text(session, task)  # 5
            if isinstance(result, NotSent):
                return result
            try:
                store = await self._snapshot(session)  # 6
            except ProcessGone:
                return _maybe(SendTrouble.PROCESS_DIED)
            except CallFailed:
                # It was sent, but without its store the host must not say so: a code would mean the opposite, while
                # maybe makes it settle, and the live store has the message.
                return _maybe(SendTrouble.OTHER)
            return Sent(wa_id=result.wa_id, server_time_s=result.server_time_s, store=store)
        finally:
            self._sending -= 1
            if self._sending == 0:
                self._idle.set()

    async def _send_text(self, session: LiveSession, task: SendText) -> SentText | NotSent:
        self._sessions.counters.sends += 1
        try:
            result = await session.order(task, SEND_DEADLINE_S)
        except ProcessGone:
            return _maybe(SendTrouble.PROCESS_DIED)
        except CallFailed as failed:
            if failed.code is Code.TIMEOUT:  # the process was killed for it: the call inside cannot be taken back
                return _maybe(SendTrouble.DEADLINE)
            raise
        assert isinstance(result, SentText | NotSent)
        return result

    async def settle(self, connection: Connection, operation: ask.Settle) -> Settled:
        """Say what the live store knows of an attempt.

        Absent is a promise that a resend is safe, so it takes a store that saw the attempt if anything did.
        """
        session = self._sessions.find(connection, operation.account, operation.epoch)
        found = await session.order(FindSecret(secret=operation.secret), FIND_S)
        assert isinstance(found, SecretFound)
        if found.wa_id:
            return Settled(found=SettleFound.PRESENT, wa_id=found.wa_id)
        saw = session.record.saw(operation.secret, operation.after_version)
        return Settled(found=SettleFound.ABSENT if saw else SettleFound.UNKNOWN, wa_id="")

    async def take_store(self, connection: Connection, operation: ask.TakeStore) -> StoreTaken:
        """Seal the live store."""
        session = self._sessions.find(connection, operation.account, operation.epoch)
        return StoreTaken(store=await self._snapshot(session))

    async def close_session(self, connection: Connection, operation: ask.CloseSession) -> Closed:
        """Put an account to sleep."""
        session = self._sessions.find(connection, operation.account, operation.epoch)
        return Closed(store=await self._sessions.close(session))

    async def unlink(self, connection: Connection, operation: ask.Unlink) -> Done:
        """Log out, destroy."""
        await self._sessions.unlink(self._sessions.find(connection, operation.account, operation.epoch))
        return Done()

    async def forget(self, connection: Connection, operation: ask.Forget) -> Done:
        """Destroy what is here."""
        await self._sessions.forget(operation.account, operation.epoch)
        return Done()

    async def list_contacts(self, connection: Connection, operation: ask.ListContacts) -> ContactPage:
        """Read a page of contacts."""
        task = ReadContacts(after=operation.after, limit=operation.limit)
        return await self._read(connection, operation, task, CONTACTS_S, ContactPage)

    async def list_groups(self, connection: Connection, operation: ask.ListGroups) -> GroupList:
        """Ask for the groups."""
        return await self._read(connection, operation, ReadGroups(), GROUPS_S, GroupList)

    async def get_picture(self, connection: Connection, operation: ask.GetPicture) -> Picture:
        """Ask for a picture; one too large for the door is none."""
        task = ReadPicture(jid=operation.jid, known_id=operation.known_id)
        picture = await self._read(connection, operation, task, PICTURE_S, Picture)
        return picture if len(picture.image) <= PICTURE_BYTES_MAX else Picture(picture_id="", image=b"")

    async def check_number(self, connection: Connection, operation: ask.CheckNumber) -> NumberChecked:
        """Look a number up."""
        return await self._read(connection, operation, LookUpNumber(phone=operation.phone), NUMBER_S, NumberChecked)

    async def stats(self, connection: Connection, operation: ask.Stats) -> StatsTaken:
        """Count."""
        counters = self._sessions.counters
        return StatsTaken(
            sessions=len(self._sessions),
            opened=counters.opened,
            closed=counters.closed,
            killed=counters.killed,
            sends=counters.sends,
            memory_bytes=resident_bytes(os.getpid()) + resident_bytes(self._zygote_pid),
            descriptors=open_descriptors(),
        )

    def _keys(self, account: str, wrapped: bytes) -> AccountKeys:
        return derive(account, self._provider.open_key(account, wrapped))

    def _bound(self, operation: ask.Ingest | ask.Send) -> bytes:
        return check_binding(
            operation.binding,
            environment=self._identity.environment,
            account=operation.account,
            now_s=time.time(),
        )

    async def _snapshot(self, session: LiveSession) -> SealedStore:
        snapshot = await session.order(TakeSnapshot(), SNAPSHOT_S)
        assert isinstance(snapshot, Snapshot)
        return await session.seal(snapshot, clean=False)

    async def _read(self, connection: Connection, operation: Any, task: Task, deadline_s: float, kind: type[A]) -> A:
        session = self._sessions.find(connection, operation.account, operation.epoch)
        answer = await session.order(task, deadline_s)
        assert isinstance(answer, kind)
        return answer


def _maybe(trouble: SendTrouble) -> NotSent:
    return NotSent(certainty=Certainty.MAYBE, trouble=trouble, server_code=0)


class Route(NamedTuple):
    """What carries an operation out, and whether only a connection that owns sessions may ask for it."""

    act: Callable[[Calls, Connection, Any], Awaitable[Answer]]
    owner_only: bool


ROUTES: Final[dict[type, Route]] = {
    ask.Hello: Route(Calls.hello, owner_only=False),
    ask.NewAccountKey: Route(Calls.new_account_key, owner_only=False),
    ask.Ingest: Route(Calls.ingest, owner_only=False),
    ask.OpenSession: Route(Calls.open_session, owner_only=True),
    ask.PairSession: Route(Calls.pair_session, owner_only=True),
    ask.Send: Route(Calls.send, owner_only=True),
    ask.Settle: Route(Calls.settle, owner_only=True),
    ask.TakeStore: Route(Calls.take_store, owner_only=True),
    ask.CloseSession: Route(Calls.close_session, owner_only=True),
    ask.Unlink: Route(Calls.unlink, owner_only=True),
    ask.Forget: Route(Calls.forget, owner_only=False),
    ask.ListContacts: Route(Calls.list_contacts, owner_only=True),
    ask.ListGroups: Route(Calls.list_groups, owner_only=True),
    ask.GetPicture: Route(Calls.get_picture, owner_only=True),
    ask.CheckNumber: Route(Calls.check_number, owner_only=True),
    ask.Stats: Route(Calls.stats, owner_only=False),
}


def resident_bytes(pid: int) -> int:
    """Resident memory of process `pid`; 0 where there is no /proc or no such process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def open_descriptors() -> int:
    """Open descriptors of this process; 0 where there is no /proc."""
    try:
        return len(list(Path("/proc/self/fd").iterdir()))
    except OSError:
        return 0
