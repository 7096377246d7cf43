// Times that run: counted here from an instant and the server's clock, which says no ticks. Under one minute seconds.
const MINUTE_MS = 60_000;
const NEAR_PERCENT = 6;

// How far this machine's clock is behind the server's: the page says when it was written.
const written = Date.parse(document.getElementById("live").dataset.now);
const [entry] = performance.getEntriesByType("navigation");
const offset = written - (performance.timeOrigin + (entry?.responseStart ?? 0));

export function now() {
  return Date.now() + offset;
}

function inWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

function set(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function count() {
  for (const place of document.querySelectorAll("[data-until]")) {
    const left = Math.ceil((Date.parse(place.dataset.until) - now()) / 1000);
    const [words, figure] = place.children;
    set(words, left > 0 ? "leaves in " : "leaving now");
    set(figure, left > 0 ? inWords(left) : "");
  }
}

function percent(mark) {
  return Number.parseFloat(mark.getAttribute("x"));
}

function move() {
  for (const line of document.querySelectorAll(".day-line")) {
    const starts = Date.parse(line.dataset.starts);
    const x = (100 * (now() - starts)) / (Date.parse(line.dataset.ends) - starts);
    const mark = line.querySelector(".now");
    mark.setAttribute("x", `${Math.min(Math.max(x, 0), 100).toFixed(2)}%`);
    for (const hour of line.querySelectorAll("[data-hour]")) {
      const near = Math.abs(percent(hour) - percent(mark)) < NEAR_PERCENT;
      hour.querySelector("text").setAttribute("visibility", near ? "hidden" : "visible");
    }
  }
}

function show() {
  count();
  move();
}

show();
document.addEventListener("htmx:after:swap", show);
setInterval(count, 1000);
setInterval(move, MINUTE_MS);
