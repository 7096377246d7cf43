// WhatsApp's own marks in a text, as elements: *bold*, _italic_, ~struck~, ```mono``` and `mono`, lists, quotes.
// Only nodes are made, never HTML from text. What a mark is: it opens where no letter or digit is before it and no space
// behind it, and closes on the same line where no space is before it and no letter or digit behind it.
const MARKS = { "*": "strong", "_": "em", "~": "s" };
const FENCE = "```";
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/u;
const BULLET = /^[*-] +(?=\S)/;
const NUMBER = /^(\d{1,3})\. +(?=\S)/;
const QUOTE = /^> /;

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

// The letter before or at a place; a sign outside the basic plane counts whole.
function before(text, at) {
  return at === 0 ? "" : String.fromCodePoint(text.codePointAt(at - 1 - (/[\udc00-\udfff]/.test(text[at - 1]) ? 1 : 0)));
}

function behind(text, at) {
  return at >= text.length ? "" : String.fromCodePoint(text.codePointAt(at));
}

function closing(line, mark, from) {
  for (let at = line.indexOf(mark, from); at >= 0; at = line.indexOf(mark, at + 1)) {
    const last = line[at - 1];
    if (at > from && !SPACE.test(last) && last !== mark && !WORD.test(behind(line, at + 1))) return at;
  }
  return -1;
}

// One line's nodes. `open`: the marks that are open around it.
function inline(line, open = "") {
  const nodes = [];
  let plain = "";
  const push = (node) => {
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(node);
  };
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at];
    const fence = line.startsWith(FENCE, at) ? FENCE : sign === "`" ? "`" : "";
    if (fence) {
      const end = line.indexOf(fence, at + fence.length);
      const inside = end < 0 ? "" : line.slice(at + fence.length, end);
      if (inside.trim()) {
        push(element("code", inside));
        at = end + fence.length - 1;
        continue;
      }
    }
    const next = line[at + 1];
    if (sign in MARKS && !open.includes(sign) && next && next !== sign && !SPACE.test(next) && !WORD.test(before(line, at))) {
      const end = closing(line, sign, at + 1);
      if (end > 0) {
        push(element(MARKS[sign], ...inline(line.slice(at + 1, end), open + sign)));
        at = end;
        continue;
      }
    }
    plain += sign;
  }
  if (plain) nodes.push(plain);
  return nodes;
}

// Which block a line belongs to: its element's name, and where its text begins.
function kindOf(line) {
  for (const [name, sign] of [["ul", BULLET], ["ol", NUMBER], ["blockquote", QUOTE]]) {
    const found = sign.exec(line);
    if (found) return { name, at: found[0].length, start: found[1] };
  }
  return { name: "", at: 0 };
}

function lines(text, into) {
  let block = null;
  text.split("\n").forEach((line, index) => {
    const kind = kindOf(line);
    const nodes = inline(line.slice(kind.at));
    if (!kind.name) {
      // The end of a block ends its line by itself.
      if (index > 0 && !block) into.append("\n");
      into.append(...nodes);
      block = null;
      return;
    }
    if (block?.localName !== kind.name) {
      block = element(kind.name);
      if (kind.start && kind.start !== "1") block.setAttribute("start", kind.start);
      into.append(block);
    } else if (kind.name === "blockquote") {
      block.append("\n");
    }
    if (kind.name === "blockquote") block.append(...nodes);
    else block.append(element("li", ...nodes));
  });
}

// The text as a fragment. Its container keeps white space (`white-space: pre-wrap`).
export function formatted(text) {
  const whole = document.createDocumentFragment();
  let rest = 0;
  let at = text.indexOf(FENCE);
  while (at >= 0) {
    const end = text.indexOf(FENCE, at + FENCE.length);
    if (end < 0) break;
    const inside = text.slice(at + FENCE.length, end);
    // Mono is the one mark that may hold line breaks; then it is a block of its own.
    if (inside.includes("\n") && inside.trim()) {
      const above = text.slice(rest, at).replace(/\n$/, "");
      if (above) lines(above, whole);
      whole.append(element("pre", element("code", inside.replace(/^\n|\n$/g, ""))));
      rest = end + FENCE.length;
      if (text[rest] === "\n") rest += 1;
    }
    at = text.indexOf(FENCE, end + FENCE.length);
  }
  if (rest < text.length) lines(text.slice(rest), whole);
  return whole;
}
