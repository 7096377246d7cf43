// Seals what was written and hands it over. `asked` has the plain fields of a message: account, schedule, recipient, due,
// zone, confirmed, and the text, which is sealed here and does not go along.
import { ask } from "./ask.js";
import { confirmed, askForCode, showOnce } from "./recovery.js";
import { seal } from "./seal.js";
import { create, state, wrap } from "./vault.js";

const KEYLESS = new Set(["viewing_key_exists", "vault_unavailable"]);

// Said once in this tab: a person without the code is not asked at every message.
let closedIsFine = false;

// Whether to seal now. With the first text the key to read it again is made, and its code shown before anything leaves.
// Where this browser has no key, the person enters the code, or seals a text that stays closed.
async function readyToSeal(user, csrf) {
  let found = await state(user);
  if (found === "none") {
    try {
      return await showOnce((await create(user, csrf)).code);
    } catch (error) {
      if (!KEYLESS.has(error.code)) throw error;
      found = "closed";
    }
  }
  if (found === "open" || closedIsFine) return true;
  const dialog = document.getElementById("no-key");
  if (await confirmed(dialog, "seal")) {
    closedIsFine = true;
    return true;
  }
  return dialog.returnValue === "enter" && askForCode();
}

async function handOver(user, { text, ...plain }, key) {
  const sealed = await seal(text, plain, key, (contentKey, binding) => wrap(user, contentKey, binding));
  // The token is of whoever is signed in now, which may be a newer login than this page's.
  return ask("/schedules", { method: "POST", body: new URLSearchParams({ ...plain, ...sealed, csrf: key.csrf }) });
}

// Returns the message's address, "" when the person does not seal now. Throws Refusal, Unreached.
export async function sealAndSchedule(user, asked) {
  const key = await ask("/seal-key");
  if (!(await readyToSeal(user, key.csrf))) return "";
  try {
    return `/messages/${(await handOver(user, asked, key)).id}`;
  } catch (error) {
    // The enclave has started anew meanwhile: once more, with its new key.
    if (error.code === "seal_stale") return `/messages/${(await handOver(user, asked, await ask("/seal-key"))).id}`;
    throw error;
  }
}
