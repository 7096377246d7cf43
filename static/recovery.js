// The recovery code's two dialogs (templates/parts/recovery.html): shown once, and entered in another browser.
import { Refusal, Unreached, csrf } from "./ask.js";
import * as vault from "./vault.js";

const user = document.body.dataset.user;
const byId = (id) => document.getElementById(id);

// Shows a dialog until it closes; gives what it was closed with ("" by Escape).
function until(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

// Asks in a dialog whose buttons are of a `method=dialog` form. True when it was answered with `word`.
export async function confirmed(dialog, word) {
  return (await until(dialog)) === word;
}

function say(button, word) {
  button.lastElementChild.textContent = word;
}

function write(dialog, code) {
  dialog.querySelector(".groups").replaceChildren(
    ...code.split("-").filter(Boolean).map((group) => Object.assign(document.createElement("span"), { textContent: group })),
  );
  dialog.querySelector(".recoverycode .spoken").textContent = [...code].join(" ").replaceAll("-", ",");
}

async function copy(button, code) {
  try {
    await navigator.clipboard.writeText(code);
    say(button, "Copied");
  } catch {
    // No right to the clipboard: the code is selected, so that the keyboard or the finger can copy it.
    getSelection().selectAllChildren(button.parentElement.querySelector(".groups"));
    say(button, "Selected: copy it");
  }
}

// Shows a new code, as vault.create gave it. True when the person says that they keep it; from then on nobody but them
// has it. False when they leave it: the vault shows the same code next time. `keep`: the words of the button.
export async function showOnce(code, keep = "I keep it, seal now") {
  const dialog = byId("recovery-code");
  const button = dialog.querySelector("[data-copy]");
  say(button, "Copy the code");
  say(dialog.querySelector("[value=keep]"), keep);
  write(dialog, code);
  button.onclick = () => copy(button, code);
  const kept = await confirmed(dialog, "keep");
  write(dialog, "");
  button.onclick = null;
  if (kept) await vault.kept(user, code);
  return kept;
}

function complain(field, sentence) {
  const place = byId(`${field.id}-error`);
  place.lastElementChild.textContent = sentence;
  place.hidden = !sentence;
  if (sentence) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

// Asks for the code until it opens the vault or the person leaves. True when it opened; texts on the page open then.
export async function askForCode() {
  const dialog = byId("recovery-entry");
  const form = byId("recovery-entry-form");
  const field = byId("recovery-typed");
  const button = dialog.querySelector(".seal");
  let busy = false;

  async function attempt(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute("aria-busy", "true");
    complain(field, "");
    try {
      await vault.open(user, field.value, csrf());
      dialog.close("opened");
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreached)) throw error;
      complain(field, error.message);
      field.focus();
    } finally {
      busy = false;
      button.removeAttribute("aria-busy");
    }
  }

  complain(field, "");
  form.addEventListener("submit", attempt);
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  const opened = await confirmed(dialog, "opened");
  form.removeEventListener("submit", attempt);
  if (opened) {
    field.value = "";
    document.dispatchEvent(new Event("vault:opened"));
  }
  return opened;
}
