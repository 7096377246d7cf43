// Another text for a message that waits: the old one is opened here, the new one sealed here for the same account, schedule
// and recipient. The field has no name, so no form can carry the text away.
import { Refusal, ask } from "./ask.js";
import { formatted } from "./formatting.js";
import { seal } from "./seal.js";
import { unseal, wrap } from "./vault.js";

const form = document.getElementById("edit");
const text = document.getElementById("text");
const preview = document.getElementById("preview");
const button = document.getElementById("seal");
const closed = document.getElementById("closed");
const note = document.getElementById("form-error");
const user = document.body.dataset.user;
const UNREACHED = "AutoSendr cannot be reached. What you wrote is kept here; try again.";

let before = null;
let busy = false;

function render() {
  preview.replaceChildren(formatted(text.value));
}

function write(value) {
  text.value = value;
  text.readOnly = false;
  text.removeAttribute("aria-busy");
  closed.hidden = true;
  render();
  text.focus();
}

function tell(sentence, field = "") {
  const place = document.getElementById("text-error");
  place.lastElementChild.textContent = field === "text" ? sentence : "";
  place.hidden = field !== "text" || !sentence;
  text.toggleAttribute("aria-invalid", field === "text");
  if (field === "text") text.focus();
  note.textContent = field === "text" ? "" : sentence;
  note.hidden = field === "text" || !sentence;
}

// The old text. Where this browser has no key, the person may enter the code or write anew.
async function open() {
  try {
    before = await unseal(user, await ask(`/messages/${form.dataset.message}/sealed`));
    if (text.readOnly) write(before);
  } catch (error) {
    text.removeAttribute("aria-busy");
    if (!(error instanceof Refusal)) tell(UNREACHED);
    else closed.hidden = false;
  }
}

async function send() {
  const key = await ask("/seal-key");
  const { account, schedule, recipient } = form.dataset;
  const sealed = await seal(text.value, { account, schedule, recipient }, key, (contentKey, binding) => wrap(user, contentKey, binding));
  const body = new URLSearchParams({ ...sealed, csrf: new FormData(form).get("csrf") });
  return ask(form.action, { method: "POST", body });
}

function missing() {
  if (text.readOnly) return "Open the text first, or write it anew.";
  if (!text.value.trim()) return "Write something first.";
  const over = [...text.value].length - Number(text.dataset.charsMax);
  return over > 0 ? `This text is ${over.toLocaleString("en")} characters too long for one message.` : "";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  const lack = missing();
  tell(lack, "text");
  if (lack) return;
  tell("");
  const page = `/messages/${form.dataset.message}`;
  if (text.value === before) {
    location.assign(page);
    return;
  }
  busy = true;
  button.setAttribute("aria-busy", "true");
  button.lastElementChild.textContent = "Sealing …";
  try {
    // The enclave may have started anew since the page asked for its key: once more, then with the new one.
    await send().catch((error) => (error.code === "seal_stale" ? send() : Promise.reject(error)));
    location.assign(page);
  } catch (error) {
    if (error instanceof Refusal) tell(error.message, error.field);
    else tell(UNREACHED);
    busy = false;
    button.removeAttribute("aria-busy");
    button.lastElementChild.textContent = "Seal it anew";
  }
});

text.addEventListener("input", render);
document.getElementById("anew").addEventListener("click", () => write(""));
document.addEventListener("vault:opened", open);
open();
