/** JSON that callers send. */

/** Levels of objects and arrays in it. */
const MAX_DEPTH = 100;

/**
 * Parses JSON that is nested no deeper than it can be written again: `JSON.stringify` gives up on what `JSON.parse` still
 * reads, and some of it is written to others when its sender has long gone.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeperThan(MAX_DEPTH, value)) throw new SyntaxError('nested too deep');
  return value;
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
