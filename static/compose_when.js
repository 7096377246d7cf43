// When it leaves: quick picks, a day, a time as one types it, a zone. What it means is the server's to say, in words;
// it is asked for the time only, never with the text.
import { mark, tell } from "./compose_trouble.js";

const ASK_AFTER_MS = 150;
const ASK_AGAIN_MS = 60_000;

const form = document.getElementById("compose");
const day = document.getElementById("day");
const clock = document.getElementById("clock");
const zone = document.getElementById("zone");
const late = document.getElementById("late");
const recipient = document.getElementById("recipient");
const fold = document.getElementById("zone-field");
const spoken = document.getElementById("spoken");

let timer = 0;
// The pick that the person chose last: an answer to what was asked before must not undo it.
let wanted = "";

const facts = () => document.getElementById("next").dataset;
const picked = () => form.querySelector("[name=pick]:checked")?.value ?? "";

function pick(value) {
  const radios = [...form.querySelectorAll("[name=pick]")];
  (radios.find((radio) => radio.value === value) ?? radios.at(-1)).checked = true;
  wanted = picked();
}

// What is chosen, as the server takes it: minutes from now, or a day and a time.
export const due = () => (picked().startsWith("+") ? picked() : `${day.value}T${clock.value.trim()}`);

// How exactly it leaves and how late it may be, in seconds.
export const exactness = () => ({ window: form.querySelector("[name=window]:checked").value, late: late.value });

// What the server is asked about; #next says what it was asked about (`data-asked`).
const question = () => `${due()} ${zone.value.trim()} ${exactness().window} ${late.value} ${recipient.value}`;
const answered = () => facts().asked === question();

// What to keep of it, and back.
export const chosenTime = () => ({ pick: picked(), day: day.value, clock: clock.value, zone: zone.value, ...exactness() });

export function chooseTime({ pick: value, day: date, clock: time, zone: name, window: exact, late: most }) {
  for (const radio of form.querySelectorAll("[name=window]")) if (radio.value === exact) radio.checked = true;
  for (const option of late.options) if (option.value === most) option.selected = true;
  zone.value = name;
  day.value = date;
  clock.value = time;
  pick(value);
}

// Why the chosen time cannot be: the field, or "". What the page says may be of another time or person still, just changed:
// then it is asked first, and where no answer comes, sealing goes on and the server says no.
export async function timeTrouble() {
  if (!answered()) await refresh({ byHand: true });
  return answered() ? facts().field : "";
}

function show() {
  const { day: date, clock: time, sent, city, field } = facts();
  document.getElementById("clock-city").textContent = city;
  if (date && document.activeElement !== day) day.value = date;
  if (time && document.activeElement !== clock) clock.value = time;
  mark("due", field === "due");
  mark("zone", field === "zone");
  document.querySelector("#slip .foot .num").textContent = sent || clock.value;
}

// `byHand`: a person changed it, so its words are spoken. `anew`: the picks too are asked for.
export async function refresh({ byHand = false, anew = false } = {}) {
  if (!navigator.onLine) return;
  clearTimeout(timer);
  spoken.setAttribute("aria-live", byHand ? "polite" : "off");
  const asked = new URLSearchParams({
    due: due(),
    zone: zone.value.trim(),
    account: document.getElementById("account").value,
    to: recipient.value,
    today: anew ? "" : facts().today,
    pick: wanted,
    ...exactness(),
  });
  await htmx.ajax("GET", `/schedules/next?${asked}`, { source: "#spoken", target: "#next", swap: "outerMorph" });
  if (picked() !== wanted) pick(wanted); // new picks came along
  if (answered()) show();
}

export function refreshSoon(options) {
  clearTimeout(timer);
  timer = setTimeout(() => refresh(options), ASK_AFTER_MS);
}

function listZones() {
  const list = document.getElementById("zones");
  if (list.childElementCount) return;
  for (const name of Intl.supportedValuesOf("timeZone")) {
    const option = document.createElement("option");
    option.value = name;
    list.append(option);
  }
}

// `changed`: called after each change by the person.
export function startTime(changed) {
  wanted = picked();
  const byHand = (anew = false) => {
    tell("due", "");
    tell("zone", "");
    changed();
    refreshSoon({ byHand: true, anew });
  };
  form.addEventListener("change", (event) => {
    if (["window", "late"].includes(event.target.name)) byHand();
    if (event.target.name !== "pick") return;
    wanted = event.target.value;
    const [date, time] = event.target.value.split("T");
    if (time) [day.value, clock.value] = [date, time];
    else if (!event.target.value) clock.select();
    byHand();
  });
  for (const input of [day, clock]) {
    input.addEventListener("input", () => {
      pick("");
      byHand();
    });
  }
  clock.addEventListener("focus", () => clock.select()); // what one types replaces what stands there
  clock.addEventListener("blur", () => refreshSoon());
  zone.addEventListener("change", () => byHand(true));
  document.getElementById("other-zone").addEventListener("click", (event) => {
    fold.hidden = !fold.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!fold.hidden));
    if (fold.hidden) return;
    listZones();
    zone.select();
  });
  setInterval(() => { if (!document.hidden) refresh(); }, ASK_AGAIN_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshSoon(); });
  window.addEventListener("online", () => refreshSoon());
}

// Somebody whose zone nobody knows gets the browser's. Whether it was another one.
export function detectZone() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (form.dataset.zoneKnown || !here || here === zone.value) return false;
  zone.value = here;
  return true;
}
