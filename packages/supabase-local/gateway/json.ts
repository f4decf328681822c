/** Parsing of JSON from callers. */

/** Deepest nesting of objects and arrays. */
const MAX_DEPTH = 100;

/**
 * Parses JSON that is nested at most 100 levels deep. `JSON.stringify` overflows the stack for values that `JSON.parse`
 * accepts, and broadcasts are written to other clients after their sender has disconnected.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeperThan(MAX_DEPTH, value)) throw new SyntaxError('nested too deeply');
  return value;
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
