// The list of people: after "show more" the keyboard goes on at the first row that came.
let shown = 0;

const rows = () => document.querySelectorAll("#people .person");

document.addEventListener("click", (event) => {
  if (event.target.closest("#people-more")) shown = rows().length;
});

document.addEventListener("htmx:after:swap", () => {
  const first = shown && rows()[shown];
  if (!first) return;
  shown = 0;
  first.querySelector("a")?.focus({ preventScroll: true });
});
