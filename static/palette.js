// Find or do, from anywhere: a dialog whose rows the server finds while one types. The chosen row is followed by Enter.
const dialog = document.getElementById("palette");
const input = document.getElementById("palette-q");
const found = document.getElementById("found");
let at = 0;

function rows() {
  return [...found.querySelectorAll("[role=option]")];
}

function choose(index) {
  const all = rows();
  at = all.length ? (index + all.length) % all.length : 0;
  for (const [place, row] of all.entries()) row.setAttribute("aria-selected", String(place === at));
  const chosen = all[at];
  if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  else input.removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}

export function openPalette() {
  if (dialog.open) return;
  dialog.showModal();
  input.select();
  input.dispatchEvent(new CustomEvent("ask"));
}

function follow(row) {
  if (row.dataset.act !== "keys") {
    location.assign(row.href);
    return;
  }
  dialog.close();
  document.getElementById("keys").showModal();
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("[data-palette]")) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.target === dialog) dialog.close();
  const row = event.target.closest("[role=option]");
  if (row?.dataset.act) {
    event.preventDefault();
    follow(row);
  }
});

input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(at + (event.key === "ArrowDown" ? 1 : -1));
  }
});

input.form.addEventListener("submit", (event) => {
  const row = rows()[at];
  if (!row) return;
  event.preventDefault();
  follow(row);
});

document.addEventListener("htmx:after:swap", () => {
  if (dialog.open) choose(0);
});
