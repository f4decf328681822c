/** Lists of sentences as one text: one sentence a line. */

/**
 * Returns sentences as they are stored: one a line. Lines beyond the limit are left out whole.
 * @param limit characters
 */
export function toLines(sentences: readonly string[], limit: number): string {
  let text = '';
  for (const sentence of sentences) {
    const longer = text === '' ? sentence : `${text}\n${sentence}`;
    if (longer.length > limit) break;
    text = longer;
  }
  return text;
}

/** Returns the sentences of a text of `toLines`. Empty lines and repetitions are left out. */
export function fromLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ''))];
}
