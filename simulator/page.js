// Waits for the next thing that happens to this phone and shows it, without touching what somebody is typing.
const page = document.body.dataset;

async function refresh() {
  const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) part.replaceChildren(...next.childNodes);
  }
}

async function watch(seq) {
  for (;;) {
    const wanted = new URLSearchParams({ after: seq, phone: page.phone, timeout_s: 60 });
    const { events, seq: last } = await (await fetch(`/events?${wanted}`)).json();
    if (events.length) await refresh();
    seq = last;
  }
}

if (page.phone) watch(page.seq);
