/** Lenient reading of what services answer. */
import { z } from 'zod';
import type { ServiceName } from '../../schema.ts';
import { serviceWords, TaskError } from '../errors.ts';

/** An object with unknown members kept; anything else is an empty one. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A finite number, also from a text; otherwise `otherwise`. */
export function asNumber(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** A number as a share, 0..1. */
export function asShare(value: unknown, otherwise: number): number {
  return clamp(asNumber(value, otherwise), 0, 1);
}

/**
 * A JSON value without what Postgres cannot keep in jsonb: zero characters and halves of surrogate pairs, which a model may
 * well write.
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

/** Parses an answer. @throws TaskError (transient) that names the first member that does not fit */
export function readAnswer<T extends z.ZodType>(service: ServiceName, schema: T, answer: unknown): z.infer<T> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the answer';
  throw new TaskError(
    `${serviceWords(service)} gave an answer that cannot be used (${where}: ${issue?.message ?? '?'}).`,
    {
      code: 'service_answer_invalid',
      hint: 'Check the URL and the version of the service.',
      faultClass: 'transient',
    },
  );
}
