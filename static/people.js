// The list of people: "show more" asks as the search field does, so that no answer with fewer people comes after it, and
// the keyboard goes on at the first row that came.
const field = document.getElementById("find");
let shown = 0;

const rows = () => document.querySelectorAll("#people .person");

document.addEventListener("click", (event) => {
  if (!event.target.closest("#people-more") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  shown = rows().length;
  const pages = document.getElementById("people-pages");
  pages.value = String(Number(pages.value) + 1);
  field.dispatchEvent(new Event("more"));
});

document.addEventListener("htmx:after:swap", () => {
  const first = shown && rows()[shown];
  if (!first) return;
  shown = 0;
  first.querySelector("a")?.focus({ preventScroll: true });
});
