// Shows what happens without a reload, and takes what is pressed without losing one's place or what one types.
const SOON_MS = 150;
const AGAIN_MS = 2000;

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const lines = document.getElementById("lines");
  const atEnd = lines && lines.scrollHeight - lines.scrollTop - lines.clientHeight < 80;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
  }
  if (atEnd) lines.scrollTop = lines.scrollHeight;
}

async function refresh() {
  const text = await (await fetch(location.href)).text();
  // What was said to a press stays; taken only now, because a press may have been answered meanwhile.
  const note = document.getElementById("note");
  const said = note ? [...note.childNodes] : [];
  show(text);
  note?.replaceChildren(...said);
}

async function watch(seq) {
  for (;;) {
    try {
      const answer = await (await fetch(`/events?${new URLSearchParams({ after: seq, timeout_s: 60 })}`)).json();
      if (answer.events.length) {
        await new Promise((done) => { setTimeout(done, SOON_MS); });
        await refresh();
      }
      seq = answer.seq;
    } catch {
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });  // the demo restarts, or has ended
    }
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-stay]")) return;
  event.preventDefault();
  const pressed = document.activeElement;
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  show(await answer.text());
  if (form.isConnected) form.reset();
  if (!pressed.isConnected) document.querySelector("#acts button")?.focus();
});

const lines = document.getElementById("lines");
if (lines) lines.scrollTop = lines.scrollHeight;
watch(document.body.dataset.seq);
