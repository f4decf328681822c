/** What the model is working on, told from the text that it has written so far. */

const MAX_SHOWN = 80;

/** Feeds on pieces of the answer's JSON; returns a sentence whenever something new can be said. */
export class PlanProgress {
  #text = '';
  #sections = 0;
  #titled = false;

  add(piece: string): string | undefined {
    this.#text += piece;
    if (!this.#titled) {
      const title = /"title"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(this.#text)?.[1];
      if (title !== undefined) {
        this.#titled = true;
        return `Claude calls it "${title.slice(0, MAX_SHOWN)}"`;
      }
    }
    const descriptions = [...this.#text.matchAll(/"description"\s*:\s*"((?:[^"\\]|\\.)*)"/g)];
    if (descriptions.length <= this.#sections) return undefined;
    this.#sections = descriptions.length;
    return `Claude writes section ${this.#sections}: ${(descriptions.at(-1)?.[1] ?? '').slice(0, MAX_SHOWN)}`;
  }
}
