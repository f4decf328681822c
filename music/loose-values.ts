/** Reading JSON values of unknown origin. */

/** Whether a value is an object and not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a finite number, also if it is written as text; undefined for anything else. */
export function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Returns an array as it is; an empty array for anything else. */
export function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
