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

// Throws Refusal when the server says no, and what fetch throws when it cannot be reached.
export async function ask(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(told.error);
  return told;
}
