// The text while it is typed: how long it is, and what the other phone will show. It never leaves this page unsealed.
import { tell } from "./compose_trouble.js";
import { formatted } from "./formatting.js";

const text = document.getElementById("text");
const most = Number(text.dataset.charsMax);
const NEAR = 0.9;

export const characters = () => [...text.value].length;

// "" when it can be sent.
export function textTrouble() {
  if (!text.value.trim()) return "Write something first.";
  return tooLong();
}

function tooLong() {
  const over = characters() - most;
  if (over <= 0) return "";
  const named = over === 1 ? "1 character" : `${over.toLocaleString("en")} characters`;
  return `This text is ${named} too long for one message. Shorten it, or send it as two.`;
}

export function showText() {
  const count = characters();
  document.getElementById("count").textContent = count.toLocaleString("en");
  const near = count > most * NEAR;
  const word = count === 1 ? "character" : "characters";
  document.getElementById("count-word").textContent = near ? `of ${most.toLocaleString("en")} characters` : word;
  document.getElementById("count-line").classList.toggle("over", count > most);
  tell("text", tooLong());
  document.getElementById("kept").hidden = Boolean(tooLong());
  const written = document.querySelector("#slip .written");
  written.replaceChildren(text.value.trim() ? formatted(text.value) : "Your message");
  written.classList.toggle("faint", !text.value.trim());
  // What scrolls is reached by the keyboard too.
  if (written.scrollHeight > written.clientHeight) written.tabIndex = 0;
  else written.removeAttribute("tabindex");
}
