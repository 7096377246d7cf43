"""The browser's half of the seal, in a real browser: equal to the vectors, and opened in Python."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.bodies import SUITE
from enclave.wire.sealing import CONTENT_KEY_LABEL
from tests.app.conftest import web, web_environ  # noqa: F401 - fixtures

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "seal.json").read_text())["vectors"]

SEAL = """async ({text, binding, contentKey, nonce, publicKey}) => {
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const twin = await import("/static/seal.js");
  const bound = await twin.encodeBinding(binding);
  return {
    binding: twin.hex(bound),
    body: twin.hex(await twin.sealBody(text, bound, bytes(contentKey), bytes(nonce))),
    envelope: twin.hex(await twin.sealContentKey(bytes(contentKey), bound, bytes(publicKey))),
  };
}"""

WHOLE = """async ({text, bound, key}) => (await import("/static/seal.js")).seal(text, bound, key)"""


def binding_of(vector: dict) -> dict[str, object]:
    bound = vector["binding"]
    return {
        "environment": bound["environment"],
        "account": bound["account"],
        "schedule": bound["schedule"],
        "recipient": vector["jid"],
        "notAfterS": bound["not_after_s"],
    }


def private_key(vector: dict) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(vector["private_scalar"], 16), ec.SECP256R1())


@pytest.fixture
async def page(web, window):  # noqa: F811 - the fixture
    """Give a page of ours, so that the module comes under our own policy."""
    page = await window.new_page()
    await page.goto(web.url, wait_until="domcontentloaded")
    return page


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
async def test_the_browser_seals_as_the_vectors_say_and_python_opens_it(page, vector):
    sealed = SimpleNamespace(
        **await page.evaluate(
            SEAL,
            {
                "text": vector["text"],
                "binding": binding_of(vector),
                "contentKey": vector["content_key"],
                "nonce": vector["nonce"],
                "publicKey": vector["public_key"],
            },
        )
    )
    assert sealed.binding == vector["binding_bytes"]
    assert sealed.body == vector["body"]
    info = CONTENT_KEY_LABEL + bytes.fromhex(sealed.binding)
    assert SUITE.decrypt(bytes.fromhex(sealed.envelope), private_key(vector), info).hex() == vector["content_key"]


async def test_each_seal_has_a_key_and_a_nonce_of_its_own_and_the_promised_sizes(page):
    vector = VECTORS[0]
    key = {
        "kid": "k",
        "public_key": base64.urlsafe_b64encode(bytes.fromhex(vector["public_key"])).decode().rstrip("="),
        "environment": "local",
        "not_after_s": 1_800_000_000,
    }
    bound = {"account": vector["binding"]["account"], "schedule": vector["binding"]["schedule"], "recipient": "x@y"}
    first, second = [await page.evaluate(WHOLE, {"text": "hello", "bound": bound, "key": key}) for _ in range(2)]
    assert first["envelope"] != second["envelope"]
    assert first["body"][:16] != second["body"][:16]
    assert len(base64.urlsafe_b64decode(first["envelope"] + "===")) == 65 + 32 + 16
    assert len(base64.urlsafe_b64decode(first["body"] + "===")) == 12 + 1 + len("hello") + 16


@pytest.mark.parametrize("name", ["environment", "account", "schedule", "recipient", "notAfterS"])
async def test_a_change_of_anything_bound_is_another_binding(page, name):
    binding = binding_of(VECTORS[0])
    encode = """async (binding) => {
      const twin = await import("/static/seal.js");
      return twin.hex(await twin.encodeBinding(binding));
    }"""
    whole = await page.evaluate(encode, binding)
    changed = {**binding, name: 1 if name == "notAfterS" else "other"}
    assert await page.evaluate(encode, changed) != whole
