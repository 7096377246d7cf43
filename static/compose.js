// The composer: choose a person, seal the text here, send only the seal. The text is in a field without a name, so no
// form can carry it away; a draft is kept in this tab and nowhere else.
import { Refusal, ask } from "./ask.js";
import { seal } from "./seal.js";
import { attach } from "./to.js";
import { wrap } from "./vault.js";

const form = document.getElementById("compose");
const text = document.getElementById("text");
const account = document.getElementById("account");
const button = document.getElementById("seal");
const word = document.getElementById("seal-word");
const recipient = document.getElementById("recipient");
const FIELDS = { recipient: document.getElementById("to-input"), text, due: document.getElementById("due"), zone: document.getElementById("zone") };
const DRAFT = "autosendr/draft";

// People.

attach(document.getElementById("to"), {
  onchange(chosen) {
    recipient.value = chosen ? chosen.jid : "";
    if (!chosen) return;
    tell("recipient", "");
    text.focus();
  },
});

account.addEventListener("change", () => {
  location.assign(`/schedules/new?account=${encodeURIComponent(account.value)}`);
});

// Text and draft.

function characters() {
  return [...text.value].length;
}

function written() {
  document.getElementById("count").textContent = characters().toLocaleString("en");
  try {
    sessionStorage.setItem(DRAFT, text.value);
  } catch {
    // A browser that keeps nothing keeps no draft; writing goes on.
  }
}

text.addEventListener("input", written);
try {
  text.value ||= sessionStorage.getItem(DRAFT) ?? "";
} catch {
  // As above.
}
written();

document.getElementById("zone").addEventListener("focus", () => {
  const list = document.getElementById("zones");
  if (list.childElementCount) return;
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    const option = document.createElement("option");
    option.value = zone;
    list.append(option);
  }
}, { once: true });

// Errors at their fields.

function tell(field, sentence) {
  const place = document.getElementById(`${field}-error`);
  place.lastElementChild.textContent = sentence;
  place.hidden = !sentence;
  if (sentence) FIELDS[field].setAttribute("aria-invalid", "true");
  else FIELDS[field].removeAttribute("aria-invalid");
}

function clear() {
  for (const field of Object.keys(FIELDS)) tell(field, "");
  document.getElementById("form-error").hidden = true;
}

function show(error) {
  if (error instanceof Refusal && error.field in FIELDS) {
    tell(error.field, error.message);
    FIELDS[error.field].focus();
    return;
  }
  const place = document.getElementById("form-error");
  place.textContent = error instanceof Refusal ? error.message : "AutoSendr cannot be reached. Your text is kept here; try again.";
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

// Sealing and sending.

async function schedule() {
  const key = await ask("/seal-key");
  const fields = new FormData(form);
  const bound = { account: fields.get("account"), schedule: fields.get("schedule"), recipient: fields.get("recipient") };
  const viewing = (contentKey, binding) => wrap(document.body.dataset.user, contentKey, binding);
  const sent = new URLSearchParams(await seal(text.value, bound, key, viewing));
  for (const name of ["csrf", "schedule", "account", "recipient", "due", "zone"]) sent.set(name, fields.get(name) ?? "");
  return ask("/schedules", { method: "POST", body: sent });
}

function missing() {
  if (!recipient.value) return ["recipient", "Choose a contact, or write the number with its country code."];
  if (!text.value.trim()) return ["text", "Write something first."];
  if (characters() > Number(text.dataset.charsMax)) return ["text", "That is too long for one message."];
  return null;
}

let busy = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  clear();
  const lack = missing();
  if (lack) {
    show(new Refusal({ code: "", field: lack[0], sentence: lack[1] }));
    return;
  }
  busy = true;
  button.setAttribute("aria-busy", "true");
  word.textContent = "Sealing …";
  try {
    let message;
    try {
      message = await schedule();
    } catch (error) {
      if (error.code !== "seal_stale") throw error;
      message = await schedule(); // the enclave has started anew meanwhile: once more, with its new key
    }
    sessionStorage.removeItem(DRAFT);
    location.assign(`/messages/${message.id}`);
  } catch (error) {
    show(error);
    busy = false;
    button.removeAttribute("aria-busy");
    word.textContent = "Seal and schedule";
  }
});
