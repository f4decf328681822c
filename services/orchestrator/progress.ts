/** Progress of the model, read from the text that it has written so far. */

/** Longest part of a title or description in a message, in characters. */
const MAX_SHOWN = 80;

/** Finds the title and the sections in the growing JSON of a plan. */
export class PlanProgress {
  #text = '';
  #sections = 0;
  #titled = false;

  /** Appends a piece of the response. Returns a message if it completes the title or another description. */
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
