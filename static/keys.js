// Keys of one letter, outside of fields, and the map of them. Switched off by a setting; Ctrl K is not.
import { openPalette } from "./palette.js";

const PLACES = { u: "/today", h: "/history", a: "/accounts", p: "/contacts" };
const THEN_MS = 1500;

const map = document.getElementById("keys");
const on = document.body.dataset.keys !== "off";
let going = 0;

function rows() {
  return [...document.querySelectorAll(".letters .who")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.closest(".letter").contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].focus();
}

// An item of the menu of the row that has the focus.
function act(name) {
  const row = document.activeElement?.closest?.(".letter");
  row?.querySelector("[data-menu]")?.click();
  const item = document.querySelector(`#row-menu [data-if="${name}"]`);
  if (!row || !item || item.hidden) return;
  if (item.matches("form")) item.requestSubmit();
  else item.click();
}

const DOES = {
  n: () => location.assign("/schedules/new"),
  "/": openPalette,
  j: () => step(1),
  k: () => step(-1),
  e: () => act("edit"),
  x: () => act("cancel"),
  "?": () => map.showModal(),
  g: () => { going = Date.now() + THEN_MS; },
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (!on || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog[open], [popover]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
  const place = going > Date.now() ? document.querySelector(`.nav a[href="${PLACES[key]}"]`) : null;
  going = 0;
  if (place) {
    event.preventDefault();
    location.assign(place.href);
    return;
  }
  if (!DOES[key]) return;
  event.preventDefault();
  DOES[key]();
});

map.addEventListener("click", (event) => {
  if (event.target === map || event.target.closest("[data-close]")) map.close();
});
