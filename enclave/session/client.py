"""The Go library, called: one client, its callbacks brought to the event loop, its calls to a small executor.

Everything here is thin: no decision is taken, nothing that the library says is kept or printed. Sources:
docs/whatsapp.md §2, §3.
"""

import asyncio
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from enclave.session.classify import EVENT_MESSAGES

CALL_THREADS: Final = 4
_UUID: Final = b"session"
_LOG_LEVEL: Final = b"INFO"  # DEBUG hands over whole stanzas, WARN would lose the line about 515 (docs/whatsapp.md §3)


class ClientError(Exception):
    """The library answered with an error text, which stays inside this process."""


class Callbacks:
    """Where the client's words go; each is called on the event loop."""

    def __init__(
        self,
        event: Callable[[int, bytes], None],
        qr_text: Callable[[str], None],
        login_status: Callable[[str], None],
        log_entry: Callable[[bytes], None],
    ) -> None:
        """`event`: number and protobuf bytes; `log_entry`: protobuf bytes of neonize's LogEntry."""
        self.event: Final = event
        self.qr_text: Final = qr_text
        self.login_status: Final = login_status
        self.log_entry: Final = log_entry


class Client:
    """The one client of this process."""

    def __init__(self, gocode: Any, binding: Any, protos: Any) -> None:
        """`gocode`: the loaded library; `binding`: neonize._binder; `protos`: neonize's Neonize_pb2."""
        self.protos: Final = protos
        self._gocode = gocode
        self._binding = binding
        self._loop = asyncio.get_running_loop()
        self._calls = ThreadPoolExecutor(CALL_THREADS)
        self._kept: list[object] = []

    def connect(self, store: str, jid: Any, device: bytes, proxy_url: str, callbacks: Callbacks) -> asyncio.Future[str]:
        """Connect in a thread that the library keeps until `stop`; the future is its error text, "" for none.

        `jid`: protobuf JID with its device for a wake, None to pair a new device. `device`: DeviceProps bytes.
        """
        binding = self._binding
        jid_bytes = jid.SerializeToString() if jid is not None else b""
        numbers = bytearray(EVENT_MESSAGES)
        subscribed = (ctypes.c_char * len(numbers)).from_buffer(numbers)
        proxy = binding.ProxySettings(proxy_address=proxy_url)._to_c_struct()
        on_qr = binding.func_string(lambda _, text: self._post(callbacks.qr_text, _text_at(text)))
        on_status = binding.func_string(lambda _, text: self._post(callbacks.login_status, _text_at(text)))
        on_event = binding.func_callback_bytes(
            lambda _, data, size, code: self._post(callbacks.event, code, ctypes.string_at(data, size))
        )
        on_log = binding.func_callback_bytes2(
            lambda data, size: self._post(callbacks.log_entry, ctypes.string_at(data, size)) if size > 0 else None
        )
        self._kept += [numbers, subscribed, proxy, on_qr, on_status, on_event, on_log]  # the library calls them later
        ended: asyncio.Future[str] = self._loop.create_future()

        def hold() -> None:
            error = self._gocode.Neonize(
                store.encode(),
                _UUID,
                jid_bytes,
                len(jid_bytes),
                int(jid is None),
                _LOG_LEVEL,
                on_qr,
                on_status,
                on_event,
                on_log,
                subscribed,
                len(numbers),
                device,
                len(device),
                b"",
                0,
                ctypes.byref(proxy),
            )
            self._post(ended.set_result, error.decode(errors="replace"))

        threading.Thread(target=hold, name="client", daemon=True).start()
        return ended

    def _post(self, function: Callable[..., object], *arguments: object) -> None:
        """Call `function` on the event loop, from any of the library's threads."""
        self._loop.call_soon_threadsafe(function, *arguments)

    async def call(self, name: str, *arguments: Any) -> bytes:
        """One call of the library by name; bytes and protobuf messages become pointer and length. Returns its bytes."""
        passed: list[Any] = [_UUID]
        for argument in arguments:
            data = argument if isinstance(argument, bytes | ctypes.Array) else argument.SerializeToString()
            passed += [data, len(data)]
        return await self._loop.run_in_executor(self._calls, lambda: getattr(self._gocode, name)(*passed))

    async def ask(self, name: str, answer: str, *arguments: Any) -> Any:
        """`call`, its bytes read as the protobuf message `answer`. Raises ClientError if that carries an error."""
        message = getattr(self.protos, answer).FromString(await self.call(name, *arguments))
        if message.Error:
            raise ClientError(message.Error)
        return message

    async def send_presence_unavailable(self) -> None:
        """Publish the push name without appearing online; refused before that name is known, which does not matter."""
        await self._loop.run_in_executor(self._calls, self._gocode.SendPresence, _UUID, b"unavailable")

    async def logout(self) -> None:
        """Unlink the device. Raises ClientError."""
        error = await self._loop.run_in_executor(self._calls, self._gocode.Logout, _UUID)
        if error:
            raise ClientError(error.decode(errors="replace"))

    async def stop(self) -> None:
        """Disconnect for good; the future of `connect` ends with it."""
        await self._loop.run_in_executor(self._calls, self._gocode.Stop, _UUID)


def _text_at(address: int) -> str:
    """The C string at `address`."""
    return ctypes.string_at(address).decode(errors="replace")
