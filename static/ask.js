// Asks our own server and reads its JSON. What the product refuses is thrown as a Refusal with the sentence to show.

export class Refusal extends Error {
  constructor({ code, field = "", sentence }) {
    super(sentence);
    this.name = "Refusal";
    this.code = code;
    this.field = field;
  }

  get sentence() {
    return this.message;
  }
}

export class Unreached extends Error {
  name = "Unreached";
}

// The token that a write of this page brings along.
export const csrf = () => document.querySelector("input[name=csrf]").value;

// Throws Refusal when the server says no, Unreached when there is no answer, or none of ours.
export async function ask(address, options = {}) {
  let answer;
  let told;
  try {
    answer = await fetch(address, { ...options, headers: { Accept: "application/json", ...options.headers } });
    told = await answer.json();
  } catch (error) {
    throw new Unreached("AutoSendr cannot be reached. Try again.", { cause: error });
  }
  if (!answer.ok) throw new Refusal(told.error);
  return told;
}
