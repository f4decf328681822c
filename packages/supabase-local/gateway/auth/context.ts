/** What the Auth routes share: their connections and keys, and the reading of a body. */
import type { Sql } from 'postgres';
import { z } from 'zod';
import { readJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { AuthError } from './errors.ts';
import type { Issuer } from './sessions.ts';

const Email = z.email();

/** What the Auth routes work with. */
export interface AuthContext extends Issuer {
  sql: Sql;
}

const invalidBody = (): AuthError => new AuthError(400, 'bad_json', 'Could not parse request body as JSON');

/** Parses a body against a schema; anything else is `validation_failed`. */
export async function parseBody<T>(exchange: Exchange, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(exchange, invalidBody));
  if (parsed.success) return parsed.data;
  const fault = parsed.error.issues[0];
  throw new AuthError(400, 'validation_failed', `${fault?.path.join('.') ?? 'body'}: ${fault?.message ?? 'invalid'}`);
}

/** Normalises an address, or refuses it. */
export function requireEmail(email: string): string {
  const parsed = Email.safeParse(email.trim().toLowerCase());
  if (parsed.success) return parsed.data;
  throw new AuthError(400, 'validation_failed', 'Unable to validate email address: invalid format');
}
