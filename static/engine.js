// The engine room: a pressed tile, or the number of a slot, opens its account at the side. Without this script the
// numbers lead to a page that says the same.
const sheet = document.getElementById("sheet");
const body = document.getElementById("sheet-body");
let opener = null;

async function open(path, from) {
  const answer = await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return;
  body.replaceChildren(document.createRange().createContextualFragment(await answer.text()));
  htmx.process(body);
  opener = from;
  if (!sheet.open) sheet.show();
}

function close() {
  if (!sheet.open) return;
  sheet.close();
  body.replaceChildren();
  opener?.focus?.();
}

// Which place of the map lies under the pointer: it has a cell for every account, also for the cold ones.
function placeAt(map, event) {
  const box = map.getBoundingClientRect();
  const columns = Number(map.dataset.columns);
  const cell = box.width / columns;
  return Math.floor((event.clientY - box.top) / cell) * columns + Math.floor((event.clientX - box.left) / cell);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-sheet]");
  const map = event.target.closest(".tile-map");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(link.getAttribute("href"), link);
  } else if (map) {
    const tile = event.target.closest("use");
    open(tile ? `/admin/accounts/${tile.id.slice(1)}` : `/admin/places/${placeAt(map, event)}`, null);
  }
});
document.getElementById("sheet-close").addEventListener("click", close);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
