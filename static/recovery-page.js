// The page /recovery: shows what this browser's vault can do, and does it. `[data-when]`: in which states it is shown.
import { Refusal, Unreached, csrf } from "./ask.js";
import { confirmed, showOnce } from "./recovery.js";
import * as vault from "./vault.js";

const user = document.body.dataset.user;
const byId = (id) => document.getElementById(id);

async function show() {
  let state = "lost";
  try {
    state = await vault.state(user);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Unreached)) throw error;
  }
  for (const place of document.querySelectorAll("[data-when]")) {
    place.hidden = !place.dataset.when.split(" ").includes(state);
  }
}

// Makes a key or takes the one that was not kept, and shows its code. When this page was out of date, or another browser
// was first, the page as it is then is the answer.
async function make(how) {
  try {
    const { code } = await how(user, csrf());
    await showOnce(code, "I keep it");
    location.reload();
  } catch (error) {
    if (error instanceof Refusal) location.reload();
    else if (error instanceof Unreached) await show();
    else throw error;
  }
}

byId("recovery-make").addEventListener("click", () => make(vault.create));
byId("recovery-renew").addEventListener("click", async () => {
  if (await confirmed(byId("recovery-anew"), "renew")) await make(vault.renew);
});
byId("recovery-forget").addEventListener("click", async () => {
  await vault.forget(user);
  await show();
});
document.addEventListener("vault:opened", show);
await show();
