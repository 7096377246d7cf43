// Seals a text for the enclave: the browser's half of the format in enclave/wire/sealing.py, version 1.
// HPKE base mode (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, all of it by WebCrypto.

const utf8 = new TextEncoder();
const subtle = crypto.subtle;

const KEM_SUITE = join(utf8.encode("KEM"), [0x00, 0x10]);
const HPKE_SUITE = join(utf8.encode("HPKE"), [0x00, 0x10, 0x00, 0x01, 0x00, 0x02]);
const VERSION = utf8.encode("HPKE-v1");
export const KIND_TEXT = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const NOTHING = new Uint8Array(0);
// An empty HMAC key, which WebCrypto refuses, is padded to zeros by HMAC anyway (RFC 2104).
const NO_SALT = new Uint8Array(32);

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function base64url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64url(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}

// The lines that everything is bound to: environment, account, schedule, recipient, not after.
export async function encodeBinding({ environment, account, schedule, recipient, notAfterS }) {
  const hash = await subtle.digest("SHA-256", utf8.encode(`${account}\n${recipient}`));
  const lines = ["autosendr/binding/v1", environment, account, schedule, hex(new Uint8Array(hash)), String(notAfterS)];
  if (lines.some((line) => line.includes("\n"))) throw new Error("a binding's field holds a newline");
  return utf8.encode(lines.join("\n"));
}

async function hmac(key, data) {
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, data));
}

function extract(suite, salt, label, material) {
  return hmac(salt, join(VERSION, suite, utf8.encode(label), material));
}

// One round of HKDF-Expand: nothing here is longer than the 32 bytes that it gives.
async function expand(suite, key, label, info, length) {
  const labelled = join([length >> 8, length & 0xff], VERSION, suite, utf8.encode(label), info, [0x01]);
  return (await hmac(key, labelled)).slice(0, length);
}

// RFC 9180, 4.1 (Encap), 5.1 (KeySchedule, mode base) and 5.2 (Seal, sequence number 0).
async function hpkeSeal(publicKey, info, plaintext, pair) {
  const point = { name: "ECDH", namedCurve: "P-256" };
  const theirs = await subtle.importKey("raw", publicKey, point, false, []);
  const enc = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const shared = new Uint8Array(await subtle.deriveBits({ name: "ECDH", public: theirs }, pair.privateKey, 256));

  const prk = await extract(KEM_SUITE, NO_SALT, "eae_prk", shared);
  const secret = await expand(KEM_SUITE, prk, "shared_secret", join(enc, publicKey), 32);

  const pskHash = await extract(HPKE_SUITE, NO_SALT, "psk_id_hash", NOTHING);
  const infoHash = await extract(HPKE_SUITE, NO_SALT, "info_hash", info);
  const context = join([0x00], pskHash, infoHash);
  const base = await extract(HPKE_SUITE, secret, "secret", NOTHING);
  const key = await expand(HPKE_SUITE, base, "key", context, KEY_BYTES);
  // The nonce is of this key's first and only message: the key pair below is made for one envelope.
  const nonce = await expand(HPKE_SUITE, base, "base_nonce", context, NONCE_BYTES);
  return join(enc, await gcm(key, nonce, plaintext, NOTHING));
}

async function gcm(key, nonce, plaintext, aad) {
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, imported, plaintext));
}

// nonce || AES-256-GCM(content key, nonce, kind || text). A content key is random and encrypts once, so any nonce is new.
export async function sealBody(text, binding, contentKey, nonce) {
  const aad = join(utf8.encode("autosendr/body/v1\n"), binding);
  return join(nonce, await gcm(contentKey, nonce, join([KIND_TEXT], utf8.encode(text)), aad));
}

export async function sealContentKey(contentKey, binding, publicKey) {
  const pair = await subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
  return hpkeSeal(publicKey, join(utf8.encode("autosendr/content-key/v1\n"), binding), contentKey, pair);
}

// key: what GET /seal-key answered. wrap(contentKey, binding): what lets the owner's browser show the text again, as form
// fields, or null (vault.js). Returns the form fields that replace the text.
export async function seal(text, { account, schedule, recipient }, key, wrap = async () => null) {
  const notAfterS = key.not_after_s;
  const binding = await encodeBinding({ environment: key.environment, account, schedule, recipient, notAfterS });
  const contentKey = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const body = await sealBody(text, binding, contentKey, crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  const envelope = await sealContentKey(contentKey, binding, fromBase64url(key.public_key));
  const viewing = await wrap(contentKey, binding);
  contentKey.fill(0);
  return { kid: key.kid, envelope: base64url(envelope), body: base64url(body), not_after_s: String(notAfterS), ...viewing };
}
