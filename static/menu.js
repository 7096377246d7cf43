// The menu of a row: one for the page, opened at the button of the row that it is about. Without script the button is a
// link to the message's page, which has the same.
const menu = document.getElementById("row-menu");
let button = null;

function items() {
  return [...menu.querySelectorAll("[role=menuitem]")].filter((item) => !item.closest("[hidden]"));
}

function open(asked) {
  const row = asked.closest(".letter");
  const message = row.id.slice(2);
  const can = row.querySelector("[data-can]")?.dataset.can.split(" ") ?? [];
  for (const item of menu.querySelectorAll("[data-to]")) {
    const address = `/messages/${message}${item.dataset.to}`;
    item.setAttribute(item.matches("form") ? "action" : "href", address);
    if (item.matches("form")) item.dataset.act = message;
    item.hidden = Boolean(item.dataset.if) && !can.includes(item.dataset.if);
  }
  close();
  button = asked;
  button.classList.add("anchor");
  button.setAttribute("aria-expanded", "true");
  menu.showPopover();
  items()[0].focus();
}

function close() {
  if (menu.matches(":popover-open")) menu.hidePopover();
}

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-menu]");
  if (!asked || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (asked === button) close();
  else open(asked);
});

menu.addEventListener("toggle", (event) => {
  if (event.newState !== "closed") return;
  const within = menu.contains(document.activeElement) || document.activeElement === document.body;
  button?.classList.remove("anchor");
  button?.setAttribute("aria-expanded", "false");
  if (within) button?.focus();
  button = null;
});

menu.addEventListener("submit", () => close());

menu.addEventListener("keydown", (event) => {
  const all = items();
  const at = all.indexOf(document.activeElement);
  const next = {
    ArrowDown: all[(at + 1) % all.length],
    ArrowUp: all[(at - 1 + all.length) % all.length],
    Home: all[0],
    End: all[all.length - 1],
  }[event.key];
  if (event.key === "Tab") close();
  if (!next) return;
  event.preventDefault();
  next.focus();
});
