// Every signed-in page: says when the live stream is lost, and counts down to instants.
const LOST_AFTER_MS = 5000;

const lost = document.getElementById("live-lost");
let timer = 0;

document.addEventListener("htmx:sse:after:connection", () => {
  clearTimeout(timer);
  timer = 0;
  lost.hidden = true;
});

for (const name of ["htmx:sse:error", "htmx:sse:before:connection"]) {
  document.addEventListener(name, () => {
    timer ||= setTimeout(() => { lost.hidden = false; }, LOST_AFTER_MS);
  });
}

function inWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

function count() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.ceil((Date.parse(place.dataset.until) - Date.now()) / 1000);
    place.textContent = left > 0 ? `leaves in ${inWords(left)}` : "leaving now";
  }
}

count();
document.addEventListener("htmx:after:swap", count);
setInterval(count, 1000);
