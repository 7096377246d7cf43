"""The driver that runs the real WhatsApp client. It refuses what is dangerous (docs/whatsapp.md §1, §3).

One client per process, always with its device JID, always through a proxy on loopback; pairing makes a new device in a
process of its own. Never online, never a message's contents, never the library's words on any output.
"""

import asyncio
import contextlib
import ctypes
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from enclave.session import classify, library
from enclave.session.client import Callbacks, Client, ClientError
from enclave.session.driver import STORE_FILE, DriverRefused, Surroundings
from enclave.session.jids import jid_message, jid_text, same_user
from enclave.session.live_image import ImageUnstable
from enclave.session.message import encode_text
from enclave.session.pairing import Pairing
from enclave.session.picture import fetch_picture
from enclave.session.pipe import DevicePaired, SentText, Snapshot, Start
from enclave.session.store_file import NO_CONTACTS, PERSONAL, StoreCorrupt, StoreFile
from enclave.wire.answers import Certainty, ContactPage, Group, GroupList, NotSent, NumberChecked, Picture, SendTrouble
from enclave.wire.envelope import Code
from enclave.wire.limits import CONTACT_PAGE_MAX
from enclave.wire.news import Connected, ConnectFailed, ContactsChanged, LoggedOut, Receipt, StreamFailed

CONTACTS_POLL_S: Final = 1.0
"""How often the store is asked whether contacts changed: the client has no event for it."""

GLANCE_S: Final = 0.05
"""How long the event loop may wait for a quiet instant of the store."""


class NeonizeDriver:
    """See `enclave.session.driver.Driver`."""

    def __init__(self, surroundings: Surroundings, after_load: Callable[[], None] | None = None) -> None:
        """`after_load` is called once the Go library is loaded, before it connects."""
        self._surroundings = surroundings
        self._after_load = after_load
        self._client: Client | None = None
        self._store: StoreFile | None = None
        self._folder = Path()
        self._proxy_url = ""
        self._own_users: frozenset[str] = frozenset()
        self._pairing: Pairing | None = None
        self._connected = False
        self._stopping = False
        self._logged_out = False
        self._held: asyncio.Future[str] | None = None
        self._contacts = NO_CONTACTS
        self._numbers: dict[str, str] = {}
        self._nobodies: set[str] = set()
        self._expirations: dict[str, int] = {}
        self._snapshots = itertools.count(1)

    # --- start -------------------------------------------------------------------------------------------------------

    async def start(self, order: Start) -> None:
        """Check the store, load the library, connect. Raises DriverRefused: store_corrupt, bad_operation."""
        if not is_loopback_proxy(order.proxy_url):
            raise DriverRefused(Code.BAD_OPERATION)
        self._folder, self._proxy_url = Path(order.folder), order.proxy_url
        path = self._folder / STORE_FILE
        if order.jid:
            self._open_store(path, order.jid, order.drop_ratchets)
        elif path.exists():
            raise DriverRefused(Code.STORE_CORRUPT)
        gocode = library.load_library()
        if self._after_load is not None:
            self._after_load()
        protos = sys.modules["neonize.proto.Neonize_pb2"]
        self._client = Client(gocode, sys.modules["neonize._binder"], protos)
        jid = None
        if order.jid:
            jid = jid_message(protos, order.jid)
        else:
            self._pairing = Pairing(self._client, self._surroundings, order.phone)
            self._surroundings.spawn(self._pairing.watch())
        callbacks = Callbacks(self._on_event, self._on_qr_text, self._on_login_status, self._on_log_entry)
        self._held = self._client.connect(str(path), jid, device_properties(), order.proxy_url, callbacks)
        self._surroundings.spawn(self._watch_held(self._held))

    def _open_store(self, path: Path, jid: str, drop_ratchets: bool) -> None:
        """Check that the client will find its device, which it would abort the process without."""
        if not path.exists() or "@" not in jid or ":" not in jid:
            raise DriverRefused(Code.STORE_CORRUPT)
        store = StoreFile(path, jid)
        try:
            lid = store.check()
            self._know_own(store, lid)
            if drop_ratchets:
                store.drop_ratchets(self._own_users)
            self._contacts = store.version()
        except StoreCorrupt:
            raise DriverRefused(Code.STORE_CORRUPT) from None

    def _know_own(self, store: StoreFile, lid: str) -> None:
        """Remember who we are."""
        self._store = store
        self._own_users = frozenset(jid.partition("@")[0].partition(":")[0] for jid in (store.jid, lid) if jid)

    async def _watch_held(self, held: asyncio.Future[str]) -> None:
        """Its thread ends only when we stop it, when it could not connect, or has gone deaf (docs/whatsapp.md §3)."""
        await held
        if self._stopping:
            return
        if self._pairing is not None and self._pairing.open:
            self._pairing.unreachable()
        elif self._connected:
            self._surroundings.tell(StreamFailed(code=0))
        else:
            self._surroundings.tell(ConnectFailed(code=0))

    # --- what the client says ----------------------------------------------------------------------------------------

    def _on_qr_text(self, text: str) -> None:
        if self._pairing is not None:
            self._pairing.on_qr_text(text)

    def _on_login_status(self, status: str) -> None:
        if self._pairing is not None:
            self._pairing.on_login_status(status)

    def _on_log_entry(self, data: bytes) -> None:
        assert self._client is not None
        entry = self._client.protos.LogEntry.FromString(data)
        notice = classify.of_log_line(entry.Message)
        linking = self._pairing is not None and not self._connected  # every linking has one restart in it
        if notice is not None and not linking:
            self._surroundings.tell(notice)

    def _on_event(self, code: int, data: bytes) -> None:
        name = classify.EVENT_MESSAGES.get(code)
        if name is None or self._client is None:
            return
        event = getattr(self._client.protos, name).FromString(data)
        if code == classify.PAIR_STATUS:
            self._on_pair_status(event)
            return
        for notice in classify.of_event(code, event, self._own_users):
            if isinstance(notice, LoggedOut):
                self._logged_out = True  # told before the client has deleted the device's row
            if isinstance(notice, Receipt):
                notice = msgspec.structs.replace(notice, chat=self._personal_jid(notice.chat))
            if isinstance(notice, Connected) and not self._connected:
                self._connected = True
                self._surroundings.spawn(self._client.send_presence_unavailable())
                self._surroundings.spawn(self._watch_contacts())
            self._surroundings.tell(notice)

    def _personal_jid(self, jid: str) -> str:
        """`jid` by phone number, if it is a LID whose number is known. The store is asked once for each new LID."""
        user, _, server = jid.partition("@")
        if server != "lid":
            return jid
        if user not in self._numbers and user not in self._nobodies:
            self._nobodies.add(user)
            with contextlib.suppress(ImageUnstable):
                self._numbers = self._opened().numbers(GLANCE_S)
        return f"{self._numbers[user]}@{PERSONAL}" if user in self._numbers else jid

    def _on_pair_status(self, event: Any) -> None:
        """The phone scanned: the device is in the store already, and goes out with the notice, before any other."""
        assert self._pairing is not None
        if event.Status != event.DESCRIPTOR.enum_types_by_name["PStatus"].values_by_name["SUCCESS"].number:
            self._pairing.refused()
            return
        jid = jid_text(event.ID)
        store = StoreFile(self._folder / STORE_FILE, jid)
        lid = store.lid()
        self._know_own(store, lid)
        self._pairing.done()
        snapshot = self._copy_store()
        self._surroundings.tell(DevicePaired(jid=jid, lid=lid, platform=event.Platform, snapshot=snapshot))

    async def _watch_contacts(self) -> None:
        """Tell when the store's contacts changed."""
        store = self._opened()
        written = 0
        while not self._stopping:
            if written != (written := store.written_ns()):
                with contextlib.suppress(ImageUnstable):
                    before, self._contacts = self._contacts, await asyncio.to_thread(store.version)
                    self._nobodies.clear()
                    if before != self._contacts:
                        self._surroundings.tell(ContactsChanged())
            await asyncio.sleep(CONTACTS_POLL_S)

    # --- orders ------------------------------------------------------------------------------------------------------

    def _opened(self) -> StoreFile:
        if self._store is None:
            raise DriverRefused(Code.NOT_CONNECTED)
        return self._store

    def _running(self) -> Client:
        if self._client is None or self._stopping or self._store is None:
            raise DriverRefused(Code.NOT_CONNECTED)
        return self._client

    async def send_text(self, recipient: str, secret: bytes, text: memoryview) -> SentText | NotSent:
        """Send one text; see `Driver`. A group's timer for disappearing messages is looked up once."""
        client = self._running()
        to = jid_message(client.protos, recipient)
        try:
            message = encode_text(text, secret, await self._expiration_s(client, recipient, to))
        except ClientError:
            return NotSent(certainty=Certainty.NOT_SENT, trouble=SendTrouble.LOOKUP_FAILED, server_code=0)
        passed = (ctypes.c_char * len(message)).from_buffer(message)
        try:
            answer = await client.ask("SendMessage", "SendMessageReturnFunction", to, passed)
        except ClientError as error:
            return classify.of_send_error(str(error))
        finally:
            ctypes.memset(passed, 0, len(message))
        return SentText(wa_id=answer.SendResponse.ID, server_time_s=answer.SendResponse.Timestamp)

    async def _expiration_s(self, client: Client, recipient: str, to: Any) -> int:
        """The disappearing-messages timer of a group, 0 for none and for people, where the server does not know it."""
        if not recipient.endswith("@g.us"):
            return 0
        if recipient not in self._expirations:
            answer = await client.ask("GetGroupInfo", "GetGroupInfoReturnFunction", to)
            self._expirations[recipient] = _expiration_of(answer.GroupInfo)
        return self._expirations[recipient]

    async def find_secret(self, secret: bytes) -> str:
        """See `Driver`."""
        return await asyncio.to_thread(self._opened().find_secret, secret)

    async def take_snapshot(self) -> Snapshot:
        """See `Driver`."""
        return await asyncio.to_thread(self._copy_store)

    def _copy_store(self) -> Snapshot:
        """Copy the store to a file that nothing else has the name of."""
        target = self._folder / f"snapshot-{next(self._snapshots)}.db"
        return Snapshot(path=str(target), store_bytes=self._opened().snapshot(target))

    async def stop(self) -> Snapshot | None:
        """See `Driver`. The store is copied once the client's thread has returned, which it never does unpaired."""
        self._stopping = True
        if self._store is None or self._client is None or self._held is None:
            return None
        await self._client.stop()
        await self._held
        if self._logged_out or not await asyncio.to_thread(self._store.has_device):
            return None
        return await self.take_snapshot()

    async def logout(self) -> None:
        """See `Driver`."""
        client = self._running()
        try:
            await client.logout()
        except ClientError:
            raise DriverRefused(Code.NOT_CONNECTED) from None

    async def read_contacts(self, after: str, limit: int) -> ContactPage:
        """See `Driver`."""
        contacts, synced, own_name = await asyncio.to_thread(self._opened().contacts)
        rest = [contact for contact in contacts if contact.jid > after]
        page = rest[: min(limit, CONTACT_PAGE_MAX)]
        more = page[-1].jid if len(page) < len(rest) and page else ""
        return ContactPage(contacts=page, after=more, names_synced=synced, own_name=own_name)

    async def read_groups(self) -> GroupList:
        """See `Driver`."""
        client = self._running()
        try:
            answer = await client.ask("GetJoinedGroups", "GetJoinedGroupsReturnFunction")
        except ClientError:
            raise DriverRefused(Code.NOT_CONNECTED) from None
        groups = [self._group(info) for info in answer.Group]
        self._expirations.update({group.jid: group.expiration_s for group in groups})
        return GroupList(groups=groups)

    def _group(self, info: Any) -> Group:
        """One group, as the door tells it."""
        admin = any(
            (person.IsAdmin or person.IsSuperAdmin) and same_user(person, self._own_users)
            for person in info.Participants
        )
        return Group(
            jid=jid_text(info.JID),
            name=info.GroupName.Name,
            members=len(info.Participants),
            can_send=admin or not info.GroupAnnounce.IsAnnounce,
            expiration_s=_expiration_of(info),
        )

    async def read_picture(self, jid: str, known_id: str) -> Picture:
        """See `Driver`. All three parameters must be set, else it asks for the full image (docs/whatsapp.md §1)."""
        client = self._running()
        wanted = client.protos.GetProfilePictureParams(Preview=True, ExistingID=known_id, IsCommunity=False)
        try:
            answer = await client.ask(
                "GetProfilePicture", "GetProfilePictureReturnFunction", jid_message(client.protos, jid), wanted
            )
        except ClientError as error:
            if any(part in str(error) for part in classify.NO_PICTURE_TEXTS):
                return Picture(picture_id="", image=b"")
            limited = classify.RATE_LIMIT_TEXT in str(error)
            raise DriverRefused(Code.RATE_LIMITED if limited else Code.NOT_CONNECTED) from None
        if answer.Picture.ID in ("", known_id):
            return Picture(picture_id=known_id, image=b"")
        image = await asyncio.to_thread(fetch_picture, answer.Picture.URL, self._proxy_url)
        return Picture(picture_id=answer.Picture.ID if image else known_id, image=image)

    async def look_up_number(self, phone: str) -> NumberChecked:
        """See `Driver`."""
        client = self._running()
        if not phone.isdecimal():
            raise DriverRefused(Code.BAD_OPERATION)
        try:
            answer = await client.ask("IsOnWhatsApp", "IsOnWhatsAppReturnFunction", b"+" + phone.encode())
        except ClientError:
            raise DriverRefused(Code.NOT_CONNECTED) from None
        found = [row for row in answer.IsOnWhatsAppResponse if row.IsIn]
        if not found:
            return NumberChecked(jid="")
        jid = self._personal_jid(jid_text(found[0].JID))
        return NumberChecked(jid=f"{phone}@{PERSONAL}" if jid.endswith("@lid") else jid)


def is_loopback_proxy(url: str) -> bool:
    """Whether `url` is a plain HTTP proxy on this machine: without one the client would dial out by itself."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1") and parts.port is not None


def device_properties() -> bytes:
    """How the linked device presents itself, and how little history it asks for (a hint; docs/whatsapp.md §8)."""
    props = sys.modules["neonize.proto.waCompanionReg.WACompanionReg_pb2"].DeviceProps
    history = props.HistorySyncConfig(
        recentSyncDaysLimit=1,
        fullSyncDaysLimit=1,
        fullSyncSizeMbLimit=1,
        storageQuotaMb=10,
        initialSyncMaxMessagesPerChat=1,
        thumbnailSyncDaysLimit=0,
    )
    return props(
        os="AutoSendr", platformType=props.CHROME, requireFullSync=False, historySyncConfig=history
    ).SerializeToString()


def _expiration_of(info: Any) -> int:
    """Seconds after which a group's messages disappear, 0 for never."""
    return info.GroupEphemeral.DisappearingTimer if info.GroupEphemeral.IsEphemeral else 0
