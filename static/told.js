// What changed without the person: its row flashes once, and the few things worth hearing are said.
const SAID = new Set(["SENT", "DELIVERED", "HELD", "BLOCKED"]);
const OWN_MS = 5000;

const place = document.getElementById("said");
const own = new Map();
let known = new Map();

// Whoever does something to a message need not be told of it.
document.addEventListener("submit", (event) => {
  const message = event.target.dataset?.act;
  if (message) own.set(`m-${message}-status`, Date.now() + OWN_MS);
});

function look() {
  const found = new Map();
  for (const one of document.querySelectorAll("[data-state][id]")) found.set(one.id, one.dataset.state);
  for (const one of document.querySelectorAll("[data-link]")) found.set(one.pathname, one.dataset.link);
  return found;
}

function say(text) {
  place.textContent = text;
}

function changed(id, state) {
  if (state === "LINKED" && id.startsWith("/")) return say("Linked.");
  const status = document.getElementById(id);
  if (!status?.matches("[data-state]")) return;
  const row = status.closest(".letter");
  if ((own.get(id) ?? 0) < Date.now()) {
    row?.classList.add("fresh");
    row?.addEventListener("animationend", () => row.classList.remove("fresh"), { once: true });
  }
  if (!SAID.has(state)) return;
  const name = row?.querySelector(".who")?.textContent;
  const word = status.querySelector(".word").textContent;
  say(name ? `${name}: ${word}` : word);
}

known = look();
document.addEventListener("htmx:after:swap", () => {
  const found = look();
  const before = known;
  known = found;
  for (const [id, state] of found) {
    if (before.has(id) && before.get(id) !== state) changed(id, state);
  }
});
