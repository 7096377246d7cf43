// Forms that do something and can say what they did (part "act"): sent from here, answered by a toast, with its undo for
// as long as the fuse burns. Without this script they are plain forms, and the message's page says the same.
const toasts = document.getElementById("toasts");
const refused = document.getElementById("refused");
const unreachable = document.getElementById("unreachable");
const TICK_MS = 1000;

let ticking = 0;

function put(place, html) {
  place.replaceChildren(document.createRange().createContextualFragment(html));
}

// The toast that has just come: counts its seconds while nobody looks at it, then goes.
function burn() {
  clearInterval(ticking);
  const toast = toasts.querySelector("[data-toast]");
  if (!toast) return;
  const seconds = toast.querySelector(".left");
  const held = () => document.hidden || toast.matches(":hover, :focus-within");
  let left = Number(toast.dataset.toast);
  const tell = () => {
    if (seconds) seconds.textContent = String(left);
  };
  tell();
  toast.classList.add("burning");
  ticking = setInterval(() => {
    toast.classList.toggle("held", held());
    if (held()) return;
    left -= 1;
    tell();
    if (left > 0) return;
    clearInterval(ticking);
    toast.remove();
  }, TICK_MS);
  for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"]) {
    toast.addEventListener(name, () => toast.classList.toggle("held", held()));
  }
}

export function say(html) {
  refused.replaceChildren();
  unreachable.hidden = true;
  put(toasts, html);
  burn();
}

// A refusal: at the field that it names, if the form has it; else where everybody sees it.
function refuse(form, html) {
  put(refused, html);
  const trouble = refused.firstElementChild;
  const field = trouble?.dataset.field;
  const place = field && form.querySelector(`#${CSS.escape(field)}-error`);
  if (!place) return;
  place.lastElementChild.textContent = trouble.querySelector(".title").textContent;
  place.hidden = false;
  refused.replaceChildren();
  const input = form.querySelector(`[name="${CSS.escape(field)}"]`);
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}

async function act(form) {
  if (form.getAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "HX-Request": "true" },
    });
    const html = await answer.text();
    if (answer.ok) say(html);
    else refuse(form, html);
    // What it changed looks anew at once, even if the live stream is late or away.
    if (form.dataset.act) document.body.dispatchEvent(new CustomEvent(`message-${form.dataset.act}`));
  } catch {
    unreachable.hidden = false;
  } finally {
    form.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-act]")) return;
  event.preventDefault();
  act(event.target);
});

// What was refused has been read once something else is done.
document.addEventListener("click", () => refused.replaceChildren());

// Ctrl Z, outside of fields, is the undo that is shown.
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const form = toasts.querySelector("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});

// A toast that the page came with is about the way here, not about the page: a reload does not tell it again.
if (toasts.querySelector("[data-toast]")) {
  history.replaceState(history.state, "", location.pathname);
  burn();
}
