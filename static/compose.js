// The composer: choose a person, write, choose a time, seal the text here, send only the seal. The text is in a field
// without a name and the form has no submit button, so nothing can carry it away; a draft stays in this browser.
import { Refusal, Unreached, ask } from "./ask.js";
import { takeDraft } from "./compose_draft.js";
import { showText, textTrouble } from "./compose_text.js";
import { focusOn, hasPlace, note, tell } from "./compose_trouble.js";
import { chooseTime, chosenTime, detectZone, due, exactness, refresh, refreshSoon, startTime, timeTrouble } from "./compose_when.js";
import { attach } from "./to.js";

const form = document.getElementById("compose");
const text = document.getElementById("text");
const account = document.getElementById("account");
const recipient = document.getElementById("recipient");
const schedule = document.getElementById("schedule");
const button = document.getElementById("seal");
const user = document.body.dataset.user;
const link = new URLSearchParams(location.search);
const again = form.dataset.again;

const to = attach(document.getElementById("to"), {
  onchange(chosen) {
    showRecipient();
    keep();
    refreshSoon();
    if (!chosen) return;
    tell("recipient", "");
    if ([to.input, document.body].includes(document.activeElement)) text.focus();
  },
});

// What seals is fetched while one writes, not before the page can be used.
const sealing = () => import("./compose_seal.js");

let draft = null;
// The text that was handed over under this page's schedule id, once it was tried: of two tries one is kept.
let tried = null;
let busy = false;

// The stranger whom the person says that they mean; the box is drawn with what follows from the recipient.
const box = () => document.getElementById("confirmed");
const confirmed = () => (box()?.checked ? box().value : "");

// The draft.

const sameLink = (kept) => kept.from === location.search;

// A link that names a person or a message does not open what was begun for another; nor does what is typed already.
function fits(kept) {
  if (text.value && text.value !== kept.text) return false;
  return sameLink(kept) || (!again && (!link.get("to") || !kept.recipient || kept.recipient === link.get("to")));
}

function keep() {
  if (!draft) return;
  const kept = draft.save({
    text: text.value,
    account: account.value,
    recipient: recipient.value,
    name: to.chosen()?.name ?? "",
    time: chosenTime(),
    confirmed: confirmed(),
    from: location.search,
    schedule: schedule.value,
    tried,
  });
  document.querySelector("#kept span").hidden = !kept;
}

function restore(kept) {
  const elsewhere = kept.account !== account.value && [...(account.options ?? [])].some((one) => one.value === kept.account);
  if (elsewhere && !link.get("account")) {
    location.replace(`/schedules/new?account=${encodeURIComponent(kept.account)}`);
    return;
  }
  text.value = kept.text;
  // People and groups are of one account.
  if (kept.account === account.value && (sameLink(kept) || !link.get("to"))) {
    to.choose(kept.recipient ? { jid: kept.recipient, name: kept.name } : null);
    showRecipient();
  }
  if (sameLink(kept) || !link.get("due")) chooseTime(kept.time);
  schedule.value = kept.schedule;
  tried = kept.tried;
  showText();
}

// A message that is written again: its text, where this browser can open it.
async function writeAgain() {
  try {
    const { unseal } = await import("./vault.js");
    text.value ||= await unseal(user, await ask(`/messages/${again}/sealed`));
    showText();
    keep();
  } catch (error) {
    note(error instanceof Refusal ? error.sentence : "The text of the other message could not be fetched. Write it anew.");
  }
}

// Sealing.

const UNSAID = "They are not among your contacts. Say that you mean it, or choose somebody else.";

async function missing() {
  if (!recipient.value) tell("recipient", "Choose a contact, or write the number with its country code.");
  const wrong = textTrouble();
  if (wrong) tell("text", wrong);
  if (!recipient.value) return "recipient";
  if (wrong) return "text";
  const late = await timeTrouble();
  if (late) return late;
  if (!box() || confirmed()) return "";
  tell("confirmed", UNSAID);
  return "confirmed";
}

const WAYS = {
  not_signed_in: { name: "Sign in", href: location.pathname + location.search },
  not_linked: { name: "Link again", href: "/accounts" },
};

function show(error) {
  if (error instanceof Unreached) {
    note("AutoSendr cannot be reached. What you wrote is kept here; try again.");
  } else if (error.code === "replayed") {
    // An earlier try did arrive. What was changed since is another message.
    note("This was taken already, as you first wrote it.", { name: "Look at it", href: `/schedules/${schedule.value}` });
    schedule.value = crypto.randomUUID();
    tried = null;
    keep();
  } else if (error.field && hasPlace(error.field)) {
    tell(error.field, error.sentence);
    focusOn(error.field);
  } else {
    const signedOut = error.code === "not_signed_in";
    note(signedOut ? "You are signed out. What you wrote is kept here." : error.sentence, WAYS[error.code]);
  }
}

function setBusy(now) {
  busy = now;
  if (now) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

// A module that does not come is the server out of reach; the next press asks again.
function fetched(module) {
  return module.catch((error) => { throw new Unreached("AutoSendr cannot be reached.", { cause: error }); });
}

function leave(address) {
  draft?.clear();
  location.assign(address);
}

button.addEventListener("click", async () => {
  if (busy || !navigator.onLine) return;
  note("");
  setBusy(true);
  const lack = await missing();
  if (lack) {
    setBusy(false);
    focusOn(lack);
    return;
  }
  const before = tried;
  tried = text.value;
  keep();
  const zone = document.getElementById("zone").value.trim();
  const asked = { text: text.value, account: account.value, schedule: schedule.value, recipient: recipient.value, due: due(), zone, confirmed: confirmed(), ...exactness() };
  try {
    const { sealAndSchedule } = await fetched(sealing());
    const address = await sealAndSchedule(user, asked);
    if (address) {
      leave(address);
      return;
    }
    setBusy(false);
    button.focus();
  } catch (error) {
    if (error.code === "replayed" && before === text.value) {
      leave(`/schedules/${schedule.value}`);
      return;
    }
    setBusy(false);
    if (!(error instanceof Refusal || error instanceof Unreached)) throw error;
    if (error.code === "stranger") await refresh(); // the page asks for it only once it knows who they are
    show(error);
  }
});

// The page.

function showRecipient() {
  const chosen = to.chosen();
  recipient.value = chosen ? chosen.jid : "";
  document.getElementById("who").textContent = chosen ? chosen.name : "they";
  document.getElementById("see").textContent = chosen ? "sees" : "see";
}

function showOnline() {
  const bar = document.getElementById("seal-bar");
  bar.classList.toggle("offline", !navigator.onLine);
  bar.querySelector("[role=status]").textContent = navigator.onLine ? "" : "You are offline. What you wrote is kept here.";
  if (navigator.onLine) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}

for (const name of ["online", "offline"]) window.addEventListener(name, showOnline);
text.addEventListener("focus", () => sealing().catch(() => {}), { once: true }); // said when it is needed
text.addEventListener("input", () => {
  showText();
  keep();
});
form.addEventListener("change", (event) => {
  if (event.target !== box()) return;
  tell("confirmed", "");
  keep();
});
account.addEventListener("change", () => {
  keep();
  location.assign(`/schedules/new?account=${encodeURIComponent(account.value)}`);
});
startTime(keep);
showText();
showRecipient();
showOnline();

draft = await takeDraft(user, fits);
const otherZone = detectZone();
if (draft.value) restore(draft.value);
else if (again) await writeAgain();
const said = draft.value?.confirmed;
keep();
if (otherZone || draft.value) await refresh({ anew: true });
if (said && box()?.value === said) {
  box().checked = true;
  keep();
}
