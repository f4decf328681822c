/** Conversion between the messages on the wire (snake_case) and in TypeScript (camelCase). */
import type { MashupJob } from './types.ts';

type CamelKey<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelKey<Tail>>}` : Name;

/** A message with its members in camelCase, at every depth. */
export type Camel<T> = T extends readonly (infer Item)[]
  ? Camel<Item>[]
  : T extends object
    ? { [Name in keyof T as CamelKey<Name & string>]: Camel<T[Name]> }
    : T;

/** Members whose objects have ids as names of members, which are kept. */
const BY_ID: ReadonlySet<string> = new Set(['separation']);

/**
 * Converts a message to camelCase at every depth. Of its objects only `separation` has data as names of members.
 */
export function toCamel<T>(message: T): Camel<T> {
  return convert(message, (name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())) as Camel<T>;
}

/** Converts a message to snake_case at every depth. */
export function toSnake(message: object): Record<string, unknown> {
  return convert(message, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) as Record<
    string,
    unknown
  >;
}

function convert(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [rename(name), BY_ID.has(name) ? item : convert(item, rename)]),
  );
}

/** Converts a row of `mashup_jobs`, as a query or Realtime returns it. */
export function toMashupJob(row: object): MashupJob {
  return toCamel(row) as MashupJob;
}
