// Every signed-in page: opens sealed texts in place where this browser holds the key. `[data-sealed=MESSAGE]` is a closed
// text, `[data-sealed-note=MESSAGE]` says why one stays closed, `[data-recovery]` asks for the recovery code.
import { Refusal, Unreached, ask } from "./ask.js";

const AT_ONCE = 20; // domain/limits.py: SEALED_TEXTS_MAX
const user = document.body.dataset.user;

// What this page knows, by message, and forgets when it goes: the text and the seal that it came from; or why it is closed.
const opened = new Map();
const closed = new Map();
const wanted = new Set();
let reading = false;
let marked = null;

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    wanted.add(target.dataset.sealed);
  }
  // What stands below a text waits (pages/message.css) until it is known how high the text is.
  read().finally(() => document.body.classList.add("read"));
}, { rootMargin: "200px" });

const placesOf = (message) => document.querySelectorAll(`[data-sealed="${message}"]`);
const noteOf = (message) => document.querySelector(`[data-sealed-note="${message}"]`);

// In a row a text is one line as it was written; on its slip it has WhatsApp's marks.
function show(place, text) {
  place.replaceChildren(marked && place.closest(".written") ? marked(text) : text);
  place.classList.add("open");
  place.dir = "auto";
  place.removeAttribute("role");
  place.removeAttribute("aria-label");
}

function explain(note, why) {
  for (const one of note.children) one.hidden = one.dataset.why !== why;
}

// What is on the page closed: as it was before a swap at once, and read (again) when it comes near, because a swap may be
// the news of another text.
function look() {
  for (const place of document.querySelectorAll("[data-sealed]:not(.open, [data-sealed=''])")) {
    const message = place.dataset.sealed;
    if (opened.has(message)) show(place, opened.get(message).text);
    if (closed.has(message) && noteOf(message)) explain(noteOf(message), closed.get(message));
    near.observe(place);
  }
}

async function read() {
  if (reading || !wanted.size) return;
  reading = true;
  try {
    const vault = await import("./vault.js");
    const holding = await vault.holds(user);
    if (document.querySelector(".written [data-sealed]")) marked = (await import("./formatting.js")).formatted;
    while (wanted.size) {
      const some = [...wanted].filter((message) => holding || noteOf(message)).slice(0, AT_ONCE);
      if (!some.length) break;
      const sealed = await ask(`/messages/sealed?of=${some.join(",")}`);
      for (const message of some) {
        wanted.delete(message);
        if (sealed[message]) await open(vault, message, sealed[message]);
      }
    }
    wanted.clear();
  } catch (error) {
    // What is closed stays closed, and is asked for again after the next swap, or when we are back.
    if (!(error instanceof Refusal || error instanceof Unreached)) throw error;
  } finally {
    reading = false;
  }
}

async function open(vault, message, sealed) {
  const seal = sealed.body + sealed.viewing;
  const known = opened.get(message);
  try {
    const text = known?.seal === seal ? known.text : await vault.unseal(user, sealed);
    opened.set(message, { seal, text });
    closed.delete(message);
    for (const place of placesOf(message)) show(place, text);
    if (noteOf(message)) explain(noteOf(message), "");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    opened.delete(message);
    if (!noteOf(message)) return;
    closed.set(message, await reason(sealed, error));
    if (noteOf(message)) explain(noteOf(message), closed.get(message));
  }
}

// On the page of the message itself: why it stays closed, and whether the recovery code would help.
async function reason(sealed, error) {
  if (error.code === "viewing_damaged") return "damaged";
  return sealed.viewing_key && sealed.viewing_key === (await ask("/viewing-key")).id ? "code" : "never";
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-recovery]")) return;
  const { askForCode } = await import("./recovery.js");
  await askForCode();
});

look();
document.addEventListener("htmx:after:swap", look);
document.addEventListener("vault:opened", look);
window.addEventListener("online", look);
