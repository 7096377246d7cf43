// The linking page: a code is shown until its end and not an instant longer, whatever becomes of the stream, of this
// machine's clock or of its sleep. The server says how long; what has ended is taken out, and the next is asked for.
const LOOK_MS = 250;
const AGAIN_MS = 3000;
const COPIED_MS = 2000;

let place = null;
let ends = null;
let asked = 0;
let tries = 0;

function left() {
  return Math.min(ends.wall - Date.now(), ends.steady - performance.now());
}

// How long the first rendering was on its way: its milliseconds count from when the server wrote it.
function underway() {
  const [page] = performance.getEntriesByType("navigation");
  return page ? performance.now() - page.responseStart : 0;
}

function take(late) {
  place = document.querySelector(".linking");
  if (place?.dataset.left === undefined) return;  // another element was swapped, or there is none
  const ms = Number(place.dataset.left);
  ends = ms ? { wall: Date.now() + ms - late, steady: performance.now() + ms - late } : null;
  delete place.dataset.left;
  tries = 0;
  look();
}

function show() {
  const seconds = place.querySelector("[data-seconds]");
  const ring = place.querySelector("[data-ring]");
  if (seconds) seconds.textContent = String(Math.ceil(left() / 1000));
  if (ring) ring.setAttribute("stroke-dasharray", `${(100 * left() / Number(ring.dataset.ring)).toFixed(1)} 100`);
}

function look() {
  if (!place || !ends) return;
  if (left() > 0) {
    show();
    return;
  }
  for (const part of place.querySelectorAll("[data-code]")) part.remove();
  place.querySelector("[data-late]").hidden = tries < 2;
  if (performance.now() - asked > AGAIN_MS || tries === 0) {
    asked = performance.now();
    tries += 1;
    place.dispatchEvent(new Event("stale"));
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const words = button.querySelector("span");
  const before = words.textContent;
  words.textContent = "Copied";
  setTimeout(() => { words.textContent = before; }, COPIED_MS);
});

take(underway());
document.addEventListener("htmx:after:swap", () => take(0));
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_MS);
