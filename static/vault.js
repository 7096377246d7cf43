// The vault of this browser: the viewing keys of whoever signs in here, and what is done with them. A key is kept in
// IndexedDB as a CryptoKey that cannot be exported; the server has it only wrapped under the recovery code.
import { Refusal, ask } from "./ask.js";
import { base64url, fromBase64url } from "./seal.js";
import {
  asViewingKey, fromCode, hashOf, newCode, openText, readCode, showCode,
  unwrapViewingKey, wrapContentKey, wrapViewingKey,
} from "./viewing.js";

// Ours to say where the server is not asked. The first is domain/refusal.py's sentence: a code that cannot be one
// sounds like a wrong one.
const WRONG = {
  code: "recovery_code_wrong", field: "code",
  sentence: "That is not your recovery code. Compare all 26 letters and digits.",
};
const CLOSED = {
  code: "viewing_closed",
  sentence:
    "This browser has no key for this text. Enter your recovery code, or leave it closed; it is sent all the same.",
};
const DAMAGED = { code: "viewing_damaged", sentence: "This text does not open with its key." };
const KEEPS_NOTHING = {
  code: "vault_unavailable",
  sentence: "This browser keeps no keys, as in a private window. Texts stay closed here; they are sent all the same.",
};

// IndexedDB. One record a key: { user, id, key }, and while the person has not yet said that they keep its code also
// `unkept`: { code, wrapped, proof_hash }. So a lost answer or a closed tab loses no code, and it is gone from here as
// soon as it is kept. Older keys of a user stay, so that what they sealed still opens here.

function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("autosendr", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys", { keyPath: ["user", "id"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, act) {
  let base = null;
  try {
    base = await database();
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction("keys", mode);
      const request = act(transaction.objectStore("keys"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } catch {
    // Whatever it was (no storage in a private window, a full disk, a policy): nothing can be kept here.
    throw new Refusal(KEEPS_NOTHING);
  } finally {
    base?.close();
  }
}

const find = (user, id) => inStore("readonly", (keys) => keys.get([user, id]));
const keep = (record) => inStore("readwrite", (keys) => keys.put(record));
const drop = (user, id) => inStore("readwrite", (keys) => keys.delete([user, id]));
const allOf = (user) => inStore("readonly", (keys) => keys.getAll(IDBKeyRange.bound([user, ""], [user, "\uffff"])));

function send(address, csrf, fields, method = "POST") {
  return ask(address, { method, headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams(fields) });
}

// "none": there is no key yet, or its code was never kept: create() makes or shows it. "closed": the user has a key and
// this browser does not, or cannot keep one. "open": texts can be sealed for viewing, and shown.
export async function state(user) {
  const current = (await ask("/viewing-key")).id;
  if (!current) return "none";
  try {
    const record = await find(user, current);
    if (!record) return "closed";
    return record.unkept ? "none" : "open";
  } catch (error) {
    if (error.code !== KEEPS_NOTHING.code) throw error;
    return "closed";
  }
}

async function make(user) {
  const id = crypto.randomUUID();
  const code = newCode();
  const { wrapping, proof } = await fromCode(code, user);
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const wrapped = await wrapViewingKey(bytes, wrapping, user, id);
  const key = await asViewingKey(bytes);
  bytes.fill(0);
  const unkept = { code, wrapped: base64url(wrapped), proof_hash: base64url(await hashOf(proof)) };
  const record = { user, id, key, unkept };
  await keep(record);
  return record;
}

// Makes the user's key and returns { code } to be shown; again before kept(): the same ones. When another browser was
// first: throws Refusal viewing_key_exists, and this one is "closed".
export async function create(user, csrf) {
  const record = (await allOf(user)).find((one) => one.unkept) ?? (await make(user));
  try {
    const { wrapped, proof_hash } = record.unkept;
    await send("/viewing-key", csrf, { id: record.id, wrapped, proof_hash });
  } catch (error) {
    if (error.code === "viewing_key_exists") await drop(user, record.id);
    throw error;
  }
  return { code: showCode(record.unkept.code) };
}

// The person keeps this code: it is forgotten here. recovery.js calls it.
export async function kept(user, code) {
  for (const record of await allOf(user)) {
    if (record.unkept?.code === readCode(code)) await keep({ user, id: record.id, key: record.key });
  }
}

// Takes the user's key into this browser. Throws Refusal: recovery_code_wrong or too_many_openings, both at "code".
export async function open(user, typed, csrf) {
  const code = readCode(typed);
  if (!code) throw new Refusal(WRONG);
  const { wrapping, proof } = await fromCode(code, user);
  const { id, wrapped } = await send("/viewing-key/openings", csrf, { proof: base64url(proof) });
  const key = await unwrapViewingKey(fromBase64url(wrapped), wrapping, user, id);
  await keep({ user, id, key });
}

// contentKey: 32 bytes, binding: what encodeBinding gave. Returns the form fields, or null when this browser does not
// have the user's key. What seal() takes as its last argument, but for the user.
export async function wrap(user, contentKey, binding) {
  const current = (await ask("/viewing-key")).id;
  if (!current) return null;
  try {
    const record = await find(user, current);
    if (!record) return null;
    return { viewing: base64url(await wrapContentKey(contentKey, record.key, binding)), viewing_key: current };
  } catch (error) {
    if (error.code !== KEEPS_NOTHING.code) throw error;
    return null;
  }
}

// sealed: what GET /messages/{id}/sealed answered. Returns the text. Throws Refusal: viewing_closed when no key here
// opens it, viewing_damaged when the key is here and the seal is not what it was.
export async function unseal(user, sealed) {
  const record = sealed.viewing && (await find(user, sealed.viewing_key));
  if (!record) throw new Refusal(CLOSED);
  try {
    return await openText(sealed, record.key);
  } catch {
    throw new Refusal(DAMAGED);
  }
}

// Starts anew: another key under another code, to be shown. What was sealed until now opens only where the old key is.
export async function renew(user, csrf) {
  const current = (await ask("/viewing-key")).id;
  if (current) await send("/viewing-key", csrf, { id: current }, "DELETE");
  for (const record of await allOf(user)) await keep({ user, id: record.id, key: record.key });
  return create(user, csrf);
}

// Whether any key of the user is in this browser.
export async function holds(user) {
  return (await allOf(user).catch(() => [])).length > 0;
}

// Takes all keys of the user out of this browser; with the recovery code the current one comes back.
export async function forget(user) {
  for (const record of await allOf(user)) await drop(user, record.id);
}
