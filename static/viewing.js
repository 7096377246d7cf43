// The viewing key's format, version 1: the browser's half of domain/viewing.py, which says what is what and why it is
// safe. Pure: bytes in, bytes out; what is kept where is vault.js's business.
import { KIND_TEXT, encodeBinding, fromBase64url, join } from "./seal.js";

const subtle = crypto.subtle;
const utf8 = new TextEncoder();
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

const CODE_SIGNS = 26; // of 5 bits: 130
const GROUPS = [5, 5, 5, 5, 6];
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's base32: no I, L, O, U
const LOOKS_LIKE = { O: "0", I: "1", L: "1" };

// 26 signs of 5 random bits each. 256 is a multiple of 32, so the lower bits of a random byte are uniform.
export function newCode() {
  return Array.from(crypto.getRandomValues(new Uint8Array(CODE_SIGNS)), (byte) => ALPHABET[byte & 31]).join("");
}

export function showCode(code) {
  const groups = [];
  let at = 0;
  for (const length of GROUPS) groups.push(code.slice(at, (at += length)));
  return groups.join("-");
}

// What somebody typed → the canonical code, or null. Case, spaces and dashes mean nothing; O is 0, I and L are 1.
export function readCode(typed) {
  const signs = typed.toUpperCase().replace(/[\s\p{Pd}]/gu, "").replace(/[OIL]/g, (sign) => LOOKS_LIKE[sign]);
  return signs.length === CODE_SIGNS && [...signs].every((sign) => ALPHABET.includes(sign)) ? signs : null;
}

function hkdf(user, info) {
  const salt = utf8.encode(`autosendr/recovery/v1\n${user}`);
  return { name: "HKDF", hash: "SHA-256", salt, info: utf8.encode(info) };
}

// From a canonical code: what wraps the viewing key, and what shows the server that one has the code. A slow derivation
// would add nothing: 130 random bits cannot be tried out. The two are independent (HKDF, another info), so the server,
// which learns the proof, is no step nearer to the wrapping key.
export async function fromCode(code, user) {
  const material = await subtle.importKey("raw", utf8.encode(code), "HKDF", false, ["deriveKey", "deriveBits"]);
  const aes = { name: "AES-GCM", length: 8 * KEY_BYTES };
  return {
    wrapping: await subtle.deriveKey(hkdf(user, "wrapping key"), material, aes, false, ["encrypt", "decrypt"]),
    proof: new Uint8Array(await subtle.deriveBits(hkdf(user, "proof"), material, 8 * KEY_BYTES)),
  };
}

export async function hashOf(proof) {
  return new Uint8Array(await subtle.digest("SHA-256", proof));
}

function randomNonce() {
  return crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
}

// nonce || AES-256-GCM(key, nonce, plaintext)
async function close(key, plaintext, aad, nonce) {
  const how = { name: "AES-GCM", iv: nonce, additionalData: aad };
  return join(nonce, new Uint8Array(await subtle.encrypt(how, key, plaintext)));
}

async function open(key, closed, aad) {
  const how = { name: "AES-GCM", iv: closed.slice(0, NONCE_BYTES), additionalData: aad };
  return new Uint8Array(await subtle.decrypt(how, key, closed.slice(NONCE_BYTES)));
}

// A viewing key as it is kept: no script, ours included, can read its bytes out again.
export function asViewingKey(bytes) {
  return subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function viewingKeyAad(user, id) {
  return utf8.encode(`autosendr/viewing-key/v1\n${user}\n${id}`);
}

export function wrapViewingKey(bytes, wrapping, user, id, nonce = randomNonce()) {
  return close(wrapping, bytes, viewingKeyAad(user, id), nonce);
}

export async function unwrapViewingKey(wrapped, wrapping, user, id) {
  const bytes = await open(wrapping, wrapped, viewingKeyAad(user, id));
  const key = await asViewingKey(bytes);
  bytes.fill(0);
  return key;
}

function viewingAad(binding) {
  return join(utf8.encode("autosendr/viewing/v1\n"), binding);
}

export function wrapContentKey(contentKey, viewingKey, binding, nonce = randomNonce()) {
  return close(viewingKey, contentKey, viewingAad(binding), nonce);
}

// sealed: what GET /messages/{id}/sealed answered. Throws when anything of it is not what was sealed.
export async function openText(sealed, viewingKey) {
  const binding = await encodeBinding({ ...sealed, notAfterS: sealed.not_after_s });
  const contentKey = await open(viewingKey, fromBase64url(sealed.viewing), viewingAad(binding));
  const key = await subtle.importKey("raw", contentKey, "AES-GCM", false, ["decrypt"]);
  contentKey.fill(0);
  const plain = await open(key, fromBase64url(sealed.body), join(utf8.encode("autosendr/body/v1\n"), binding));
  if (plain[0] !== KIND_TEXT) throw new Error("a sealed body of a kind that this page does not know");
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain.subarray(1));
}
