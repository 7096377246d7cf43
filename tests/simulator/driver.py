"""Runs the real client in a process of its own: commands as JSON lines in, events and answers as JSON lines out.

It refuses any proxy that is not loopback: without one the client would dial the real service.
"""

import asyncio
import json
import logging
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

CONFIG = json.loads(sys.argv[1])
if urlsplit(CONFIG["proxy"]).hostname != "127.0.0.1":
    sys.exit("the proxy must be on loopback")
if os.environ.get("NEONIZE_BOT_TAG") != "off" or not os.environ.get("SSL_CERT_FILE"):
    sys.exit("the environment must be set before the process starts")

from google.protobuf.json_format import MessageToDict  # noqa: E402
from neonize._binder import ProxySettings  # noqa: E402
from neonize.aioze import client as aioze  # noqa: E402
from neonize.aioze.client import NewAClient  # noqa: E402
from neonize.events import EVENT_TO_INT  # noqa: E402
from neonize.proto.Neonize_pb2 import JID, PatchInfo  # noqa: E402
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402
from neonize.utils.enum import ReceiptType  # noqa: E402

from simulator import trust  # noqa: E402

logging.getLogger("neonize.utils.log").setLevel(CONFIG.get("log", "WARNING"))
trust.replace_noise_root(bytes.fromhex(CONFIG["root_key"]))


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def jid(user: str, server: str = "s.whatsapp.net") -> JID:
    return JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=False)


class Driver:
    def __init__(self) -> None:
        own = jid(CONFIG["jid"].split(":")[0]) if CONFIG.get("jid") else None
        if own is not None:
            own.Device = int(CONFIG["jid"].split(":")[1])
        props = DeviceProps(os="AutoSendr", platformType=DeviceProps.CHROME)
        self.client = NewAClient(CONFIG["store"], jid=own, props=props)
        for kind in EVENT_TO_INT:
            if kind.__name__ != "QR":
                self._listen(kind)
        self.client.event.qr(self._qr)

    def _listen(self, kind: Any) -> None:
        async def heard(client: Any, event: Any) -> None:
            say({"event": kind.__name__, "data": MessageToDict(event)})

        self.client.event(kind)(heard)

    async def _qr(self, client: Any, data: bytes) -> None:
        say({"event": "QR", "data": data.decode()})

    async def connect(self, **_: Any) -> None:
        self.task = await self.client.connect(ProxySettings(CONFIG["proxy"]))
        self.task.add_done_callback(self._ended)

    @staticmethod
    def _ended(task: "asyncio.Task[Any]") -> None:
        error = "cancelled" if task.cancelled() else str(task.exception() or "")
        say({"event": "TaskEnded", "data": error})

    async def send(self, to: str, text: str, server: str = "s.whatsapp.net") -> Any:
        sent = await self.client.send_message(jid(to, server), Message(conversation=text))
        return {"id": sent.ID}

    async def contacts(self, **_: Any) -> Any:
        return [MessageToDict(contact) for contact in await self.client.contact.get_all_contacts()]

    async def on_whatsapp(self, number: str) -> Any:
        return [MessageToDict(found) for found in await self.client.is_on_whatsapp(number)]

    async def picture(self, number: str) -> Any:
        return MessageToDict(await self.client.get_profile_picture(jid(number)))

    async def mark_read(self, id: str, chat: str, server: str, sender: str = "") -> None:
        writer = jid(sender, "lid") if sender else jid(chat, server)
        await self.client.mark_read(id, chat=jid(chat, server), sender=writer, receipt=ReceiptType.READ)

    async def pair_phone(self, number: str) -> Any:
        return await self.client.PairPhone(number, True)

    async def image(self, to: str, data: str, server: str = "s.whatsapp.net") -> Any:
        return {"id": (await self.client.send_image(jid(to, server), bytes.fromhex(data), caption="a picture")).ID}

    async def mute(self, number: str) -> None:
        patch = PatchInfo(Timestamp=int(time.time()), Type=PatchInfo.REGULAR_HIGH)
        mutation = patch.Mutations.add(Index=["mute", f"{number}@s.whatsapp.net"], Version=2)
        mutation.Value.muteAction.muted = True
        await self.client.send_app_state(patch)

    async def download(self, message: str) -> Any:
        return (await self.client.download_any(Message.FromString(bytes.fromhex(message)))).hex()

    async def subscribe(self, number: str) -> None:
        await self.client.subscribe_presence(jid(number))

    async def create_group(self, name: str, members: list[str]) -> Any:
        return MessageToDict(await self.client.create_group(name, [jid(member) for member in members]))

    async def joined_groups(self, **_: Any) -> Any:
        return [MessageToDict(group) for group in await self.client.get_joined_groups()]

    async def group_info(self, group: str) -> Any:
        return MessageToDict(await self.client.get_group_info(jid(group, "g.us")))

    async def available(self, **_: Any) -> None:
        from neonize.utils.enum import Presence

        await self.client.send_presence(Presence.AVAILABLE)

    async def stop(self, **_: Any) -> None:
        await self.client.stop()


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(8))
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    driver = Driver()
    say({"event": "Ready", "data": aioze.__name__})
    running: set[asyncio.Task[None]] = set()

    async def obey(command: dict[str, Any]) -> None:
        number = command.pop("number_of_call")
        try:
            value = await getattr(driver, command.pop("do"))(**command)
            say({"answer": number, "value": value})
        except Exception as error:
            say({"answer": number, "error": f"{type(error).__name__}: {error}"})

    while line := await reader.readline():
        task = asyncio.create_task(obey(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


async def until_input_ends() -> None:
    await main()
    os._exit(0)  # a thread of the client's library would keep the interpreter alive


asyncio.run(until_input_ends())
