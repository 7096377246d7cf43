// What stands in the way, said where it is: at its field, or at the top of the page.
const FIELDS = { recipient: "to-input", text: "text", due: "clock", zone: "zone", account: "account", confirmed: "confirmed" };

export function tell(field, sentence) {
  const place = document.getElementById(`${field}-error`);
  if (place) {
    place.lastElementChild.textContent = sentence;
    place.hidden = !sentence;
  }
  mark(field, Boolean(sentence));
}

export function mark(field, wrong) {
  const input = document.getElementById(FIELDS[field]);
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

// The field gets the focus; one that is folded away is shown first.
export function focusOn(field) {
  if (field === "zone") document.getElementById("zone-field").hidden = false;
  document.getElementById(FIELDS[field]).focus();
}

export const hasPlace = (field) => Boolean(document.getElementById(`${field}-error`));

// A sentence above the page, with one way on.
export function note(sentence, way = null) {
  const place = document.getElementById("form-error");
  const link = document.getElementById("form-way");
  place.querySelector(".title").textContent = sentence;
  link.hidden = !way;
  if (way) {
    link.textContent = way.name;
    link.setAttribute("href", way.href);
  }
  place.hidden = !sentence;
  if (sentence) place.focus();
}
