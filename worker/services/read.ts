/** Lenient parsing of service responses. */
import { z } from 'zod';
import type { ServiceName } from '../../schema.ts';
import { serviceTitle, TaskError } from '../errors.ts';

/** Returns an object as it is, and an empty object for anything else. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Returns a finite number, also parsed from a string; otherwise `fallback`. */
export function asNumber(value: unknown, fallback: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : fallback;
}

/** Limits a number to the range from `low` to `high`. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Returns a number limited to 0..1; `fallback` for anything else. */
export function asShare(value: unknown, fallback: number): number {
  return clamp(asNumber(value, fallback), 0, 1);
}

/**
 * Removes from a JSON value what Postgres cannot store in jsonb: null characters and unpaired surrogates. Language models do
 * write them.
 */
export function asStorable(value: unknown): unknown {
  const clean = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '');
  return JSON.parse(JSON.stringify(value ?? null), (_, member: unknown) => {
    if (typeof member === 'string') return clean(member);
    const isObject = typeof member === 'object' && member !== null && !Array.isArray(member);
    if (!isObject || !Object.keys(member).some((name) => clean(name) !== name)) return member;
    return Object.fromEntries(Object.entries(member).map(([name, each]) => [clean(name), each as unknown]));
  }) as unknown;
}

/** Parses a response. @throws TaskError (transient) that names the first invalid member */
export function parseResponse<T extends z.ZodType>(service: ServiceName, schema: T, response: unknown): z.infer<T> {
  const parsed = schema.safeParse(response);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the response';
  throw new TaskError(`${serviceTitle(service)} sent an invalid response (${where}: ${issue?.message ?? '?'}).`, {
    code: 'service_answer_invalid',
    hint: 'Check the URL and the version of the service.',
    faultClass: 'transient',
  });
}
