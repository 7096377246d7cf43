// The part `to`: a combobox over the account's people (WAI-ARIA authoring practices, "Editable Combobox With List
// Autocomplete"). The server finds and draws the options; this moves among them and keeps whoever is chosen.

// Lets `element` (the part) choose one person. `onchange({ jid, name })` tells who was chosen, `onchange(null)` that
// nobody is any more. Gives `input`, `chosen()`, `choose({ jid, name, face })` (`face`: an element to copy, or none)
// and `clear()`; these two do not tell.
export function attach(element, { onchange = () => {} } = {}) {
  const input = element.querySelector("[role=combobox]");
  const box = element.querySelector(".box");
  const list = element.querySelector(".list");
  const pill = element.querySelector(".pill");
  const said = element.querySelector("[role=status]");
  let active = ""; // id of the option that Enter would choose
  let moved = false; // by the person, since they typed
  let clearing = false;
  let waiting = false; // Enter came before the answer to what was typed

  const found = () => element.querySelector(".options");
  const options = () => [...element.querySelectorAll("[role=option]")];
  const typed = () => input.value.trim();
  const current = () => found().dataset.query === typed();
  const isOpen = () => !list.hidden;
  const chosen = () => (pill.dataset.jid ? { jid: pill.dataset.jid, name: pill.querySelector(".name").textContent } : null);

  function say(words) {
    if (said.textContent !== words) said.textContent = words;
  }

  function show() {
    const every = options();
    if (!every.some((option) => option.id === active)) active = typed() && every.length ? every[0].id : "";
    for (const option of every) option.setAttribute("aria-selected", String(option.id === active));
    input.setAttribute("aria-expanded", String(isOpen() && every.length > 0));
    if (isOpen() && active) input.setAttribute("aria-activedescendant", active);
    else input.removeAttribute("aria-activedescendant");
    reveal(every.find((option) => option.id === active));
  }

  // Scrolls inside the list only: the page stays where it is.
  function reveal(option) {
    if (!option || !isOpen()) return;
    const frame = option.parentElement;
    const { top, bottom } = option.getBoundingClientRect();
    const around = frame.getBoundingClientRect();
    if (top < around.top) frame.scrollTop -= around.top - top;
    else if (bottom > around.bottom) frame.scrollTop += bottom - around.bottom;
  }

  function open() {
    if (isOpen()) return;
    list.hidden = false;
    say(found().dataset.said);
    show();
  }

  function close({ wait = false } = {}) {
    list.hidden = true;
    active = "";
    moved = false;
    waiting = wait;
    say("");
    show();
  }

  function move(step) {
    const every = options();
    if (!every.length) return;
    const at = every.findIndex((option) => option.id === active);
    const next = at < 0 && step < 0 ? every.length - 1 : (at + step + every.length) % every.length;
    active = every[next].id;
    moved = true;
    show();
  }

  function empty() {
    if (!input.value) return;
    input.value = "";
    clearing = true;
    input.dispatchEvent(new Event("input", { bubbles: true })); // so that the options are everybody again
    clearing = false;
  }

  function draw(person) {
    pill.hidden = !person;
    pill.dataset.jid = person ? person.jid : "";
    pill.querySelector(".name").textContent = person ? person.name : "";
    pill.querySelector("button").setAttribute("aria-label", person ? `Choose somebody other than ${person.name}` : "");
    const face = person?.face ? person.face.cloneNode(true) : document.createElement("span");
    face.classList.add("face", "small");
    pill.querySelector(".face").replaceWith(face);
  }

  function take(option) {
    draw({ jid: option.dataset.jid, name: option.dataset.name, face: option.querySelector(".face") });
    empty();
    close();
    say(`To ${option.dataset.name}.`);
    onchange(chosen());
  }

  function drop() {
    draw(null);
    onchange(null);
    input.focus();
    open();
  }

  // Who types fast presses Enter before the answer is there: it must not choose from the options of before.
  function enter() {
    if (!current()) {
      waiting = true;
      return;
    }
    waiting = false;
    const option = options().find((one) => one.id === active);
    if (option) take(option);
  }

  const keys = {
    ArrowDown() { if (isOpen()) move(1); else { open(); move(1); } return true; },
    ArrowUp() { if (isOpen()) move(-1); else { open(); move(-1); } return true; },
    Home() { if (!isOpen() || !moved) return false; active = ""; move(1); return true; },
    End() { if (!isOpen() || !moved) return false; active = ""; move(-1); return true; },
    Enter() { if (isOpen()) enter(); return true; }, // and never sends the form
    Escape() {
      if (!isOpen() && !input.value) return false;
      if (isOpen()) close();
      else empty();
      return true;
    },
    Backspace() {
      if (input.value || !chosen()) return false;
      drop();
      return true;
    },
  };

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Object.hasOwn(keys, event.key) && keys[event.key]()) event.preventDefault();
  });

  input.addEventListener("input", () => {
    if (clearing) return;
    moved = waiting = false;
    active = "";
    open();
  });

  input.addEventListener("focus", () => { if (!chosen()) open(); });
  element.addEventListener("focusout", (event) => { if (!element.contains(event.relatedTarget)) close({ wait: waiting }); });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  box.addEventListener("click", (event) => {
    if (event.target.closest("button")) drop();
    else {
      input.focus();
      if (!chosen() || event.target === input) open();
    }
  });

  document.addEventListener("htmx:after:swap", () => {
    const same = chosen() && options().find((option) => option.dataset.jid === chosen().jid);
    if (same) draw({ ...chosen(), face: same.querySelector(".face") }); // a photo may have come
    show();
    if (isOpen() && current()) say(found().dataset.said);
    if (waiting && current()) enter(); // also for who pressed Enter and went on at once
  });

  // Who was faster than this script is not left with a closed list.
  if (document.activeElement === input && !chosen()) open();

  return { input, chosen, choose: draw, clear: () => draw(null) };
}
