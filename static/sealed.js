// Every signed-in page: opens sealed texts in place where this browser holds the key. `[data-sealed=MESSAGE]` is a closed
// text, `[data-sealed-note=MESSAGE]` says why one stays closed, `[data-recovery]` asks for the recovery code.
import { Refusal, Unreached, ask } from "./ask.js";

const AT_ONCE = 20; // domain/limits.py: SEALED_TEXTS_MAX
const NEVER = "No browser has a key for this text.";
const SENT_ALL_THE_SAME = "It is sent all the same.";
const user = document.body.dataset.user;

// What is open on this page, by message: the text, and the seal that it came from. Gone with the page.
const opened = new Map();
const wanted = new Set();
let reading = false;

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    wanted.add(target.dataset.sealed);
  }
  read();
}, { rootMargin: "200px" });

const placesOf = (message) => document.querySelectorAll(`[data-sealed="${message}"]`);
const noteOf = (message) => document.querySelector(`[data-sealed-note="${message}"]`);

function show(place, text) {
  place.textContent = text;
  place.classList.add("open");
  place.dir = "auto";
  place.removeAttribute("role");
  place.removeAttribute("aria-label");
}

// What is on the page closed: shown at once if it was open before a swap, and read (again) when it comes near, because a
// swap may be the news of another text.
function look() {
  for (const place of document.querySelectorAll("[data-sealed]:not(.open, [data-sealed=''])")) {
    const known = opened.get(place.dataset.sealed);
    if (known) show(place, known.text);
    near.observe(place);
  }
}

async function read() {
  if (reading || !wanted.size) return;
  reading = true;
  try {
    const vault = await import("./vault.js");
    const holding = await vault.holds(user);
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
    for (const place of placesOf(message)) show(place, text);
    if (noteOf(message)) noteOf(message).hidden = true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    opened.delete(message);
    await explain(message, sealed, error);
  }
}

// On the page of the message itself: why it stays closed, and whether the recovery code would help.
async function explain(message, sealed, error) {
  const note = noteOf(message);
  if (!note) return;
  const closed = error.code === "viewing_closed";
  const helps = closed && sealed.viewing_key && sealed.viewing_key === (await ask("/viewing-key")).id;
  if (!helps) {
    note.querySelector(".title").textContent = closed ? NEVER : error.message;
    note.querySelector(".small").textContent = SENT_ALL_THE_SAME;
    note.querySelector("button").hidden = true;
  }
  note.hidden = false;
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
