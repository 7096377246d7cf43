// Every signed-in page: what the stream says reaches the elements that it concerns, and what to show while it is away.
const LOST_AFTER_MS = 5000;
const AGAIN_MS = 2000;

const stream = document.getElementById("live");
const lost = document.getElementById("live-lost");
let timer = 0;
let opened = false;

function back() {
  clearTimeout(timer);
  timer = 0;
  lost.hidden = true;
  stream.dataset.hears = "yes";
}

function away() {
  stream.dataset.hears = "no";
  timer ||= setTimeout(() => { lost.hidden = false; }, LOST_AFTER_MS);
}

document.addEventListener("htmx:sse:after:connection", () => {
  opened = true;
  back();
});
document.addEventListener("htmx:sse:before:connection", away);
document.addEventListener("htmx:sse:error", (event) => {
  // Signed out elsewhere: the page can show nothing more, and where one signs in is a page of its own.
  if (event.detail.status === 401) location.assign("/");
  away();
});

// The extension mends a stream that broke, but not one that never began. (This file is loaded before htmx, so that it
// hears of the first try too.)
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    if (opened || event.target !== stream) return;
    away();
    setTimeout(() => htmx.ajax("GET", stream.getAttribute("hx-sse:connect"), { source: stream, swap: "none" }), AGAIN_MS);
  });
}

// The first snapshot need not bring what the page has just shown. Later ones must: an element may have changed meanwhile,
// and what it was when it was drawn says nothing any more.
function forget() {
  for (const it of document.querySelectorAll("[hx-get*='seen=']")) {
    it.setAttribute("hx-get", it.getAttribute("hx-get").replace(/[?&]seen=\w+/, ""));
  }
}

// One event for all messages and one for all accounts, for what counts or summarizes them.
const SUMMARIES = { message: "messages", account: "accounts", contacts: "accounts" };
const due = new Set();

document.addEventListener("htmx:sse:after:message", (event) => {
  const name = event.detail.message.event;
  if (name === "snapshot") {
    back();
    setTimeout(forget);
  }
  if (name === "paused") away();
  const summary = SUMMARIES[name.split("-", 1)[0]];
  if (!summary) return;
  if (!due.size) {
    queueMicrotask(() => {
      for (const one of due) document.body.dispatchEvent(new CustomEvent(one));
      due.clear();
    });
  }
  due.add(summary);
});

// A page that the browser had put away whole comes back as old as it was.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.body.dispatchEvent(new CustomEvent("snapshot"));
});
