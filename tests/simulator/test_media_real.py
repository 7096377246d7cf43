"""Pictures between the real client and phones, and profile pictures with real bytes."""

import asyncio
import base64
import io
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from simulator import acts
from simulator.media_store import picture_path, profile_picture
from simulator.pictures import FULL_PX, jpeg
from simulator.protobufs import e2e
from simulator.server import Simulator
from simulator.stanzas import groups
from tests.simulator.real_client import RealClient

ANNA, BEN, CLEO = "491511000001", "491511000002", "491511000003"
PICTURE = jpeg("a picture in a message")


async def test_a_phone_opens_the_picture_that_a_client_sends(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("image", to=BEN, data=PICTURE.hex())
        (entry,) = simulator.inbox(BEN)
        assert (entry.kind, entry.text, entry.error) == ("imageMessage", "a picture", None)
        assert simulator.hub.media.get(entry.file) == PICTURE
        # The own phone has it as well.
        (copy,) = simulator.world.phone(ANNA).entries
        assert (copy.own, copy.file) == (True, entry.file)


async def test_a_client_opens_the_picture_that_a_phone_sends(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        acts.say_image(simulator.hub, simulator.world.phone(BEN), ANNA, PICTURE, "look")
        heard = await picture(client)
        image = heard["Message"]["imageMessage"]
        assert image["caption"] == "look"
        message = e2e.Message()
        message.imageMessage.directPath = image["directPath"]
        for field in ("mediaKey", "fileSHA256", "fileEncSHA256"):
            setattr(message.imageMessage, field, base64.b64decode(image[field]))
        opened = await client.call("download", message=message.SerializeToString().hex())
        assert bytes.fromhex(opened) == PICTURE


async def test_pictures_go_to_a_group_and_come_from_it(simulator: Simulator, folder: Path) -> None:
    ben, cleo = simulator.world.phone(BEN), simulator.world.phone(CLEO)
    group = groups.create(simulator.hub, ben, "Friends", [simulator.world.phone(ANNA), cleo])
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        await client.call("image", to=group.id, data=PICTURE.hex(), server="g.us")
        for phone in (ben, cleo):
            (entry,) = phone.entries
            assert (entry.chat, entry.text, entry.error) == (str(group.jid), "a picture", None)
            assert simulator.hub.media.get(entry.file) == PICTURE
        acts.say_image(simulator.hub, ben, str(group.jid), PICTURE, "look, all")
        heard = await picture(client)
        assert heard["Message"]["imageMessage"]["caption"] == "look, all"
        assert cleo.entries[-1].file == cleo.entries[0].file


async def picture(client: RealClient) -> Any:
    """The first picture that the client hears of."""
    return await client._wait("Message", 1, lambda data: "imageMessage" in data.get("Message", {}))


async def test_a_picture_that_is_gone_or_changed_is_no_picture(simulator: Simulator, folder: Path) -> None:
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        kept = simulator.hub.media

        class Lossy:
            def put(self, path: str, blob: bytes) -> None:
                kept.put(path, blob)

            def get(self, path: str) -> bytes | None:
                blob = kept.get(path)
                return blob and blob[:-1] + bytes([blob[-1] ^ 1])

        simulator.hub.media = Lossy()
        await client.call("image", to=BEN, data=PICTURE.hex())
        (entry,) = simulator.inbox(BEN)
        assert (entry.error, entry.file) == ("BadMedia", "")


async def test_profile_pictures_are_real_files_told_of_and_hidden(simulator: Simulator, folder: Path) -> None:
    ben = simulator.world.phone(BEN)
    simulator.world.phone(ANNA).contacts[BEN] = "Ben"
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        acts.set_picture(simulator.hub, ben, "shown")
        told = await client.event("Picture")
        assert told["JID"]["User"] == BEN
        url = (await client.call("picture", number=BEN))["URL"]
        path = picture_path(ben.lid_user, "image")
        assert url == f"https://mmg.whatsapp.net{path}"
        context = ssl.create_default_context(cafile=str(simulator.ca_file))
        direct = f"https://127.0.0.1:{simulator.tls_port}{path}"
        data = await in_thread(direct, context)
        assert data == profile_picture(ben.lid_user, "image")
        image = Image.open(io.BytesIO(data))
        image.load()
        assert image.size == (FULL_PX, FULL_PX)


async def in_thread(url: str, context: ssl.SSLContext) -> bytes:
    def fetch() -> bytes:
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        with opener.open(url, timeout=20) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            return answer.read()

    return await asyncio.to_thread(fetch)


async def test_presence_and_typing_of_a_phone_reach_who_asked(simulator: Simulator, folder: Path) -> None:
    ben = simulator.world.phone(BEN)
    async with RealClient(simulator, folder / "store") as client:
        await client.pair(ANNA)
        acts.set_available(simulator.hub, ben, True)
        await client.call("subscribe", number=BEN)
        first = await client.event("Presence")
        assert not first.get("Unavailable")
        acts.set_available(simulator.hub, simulator.world.phone(CLEO), True)
        acts.set_available(simulator.hub, ben, False)
        second = await client.event("Presence", 2)
        assert (second["From"]["User"], second["Unavailable"]) == (ben.lid_user, True)
        acts.type_to(simulator.hub, ben, ANNA, "composing")
        typing = await client.event("ChatPresence")
        assert typing["MessageSource"]["Sender"]["User"] == ben.lid_user


async def test_the_phones_page_shows_the_picture(simulator: Simulator, folder: Path) -> None:
    acts.say_image(simulator.hub, simulator.world.phone(ANNA), BEN, PICTURE, "<look>")
    (entry,) = simulator.inbox(BEN)
    async with httpx.AsyncClient(base_url=simulator.proxy, trust_env=False) as browser:
        page = await browser.get(f"/phone/{BEN}")
        source = f"/phones/{BEN}/file/{entry.id}"
        assert f'<img src="{source}"' in page.text
        assert "<look>" not in page.text
        shown = await browser.get(source)
        assert (shown.headers["content-type"], shown.content) == ("image/jpeg", PICTURE)
        assert (await browser.get(f"/phones/{ANNA}/file/none")).status_code == 404
