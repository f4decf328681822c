/** What the Auth routes share: connections, keys, and parsing of bodies. */
import type { Sql } from 'postgres';
import { z } from 'zod';
import { readJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { AuthError } from './errors.ts';
import type { Issuer } from './sessions.ts';

const Email = z.email();

/** Dependencies of the Auth routes. */
export interface AuthContext extends Issuer {
  sql: Sql;
  /** Whether anonymous sign-ins are allowed. */
  anonymousUsers: boolean;
}

const invalidBody = (): AuthError => new AuthError(400, 'bad_json', 'Could not parse request body as JSON');

/**
 * Parses a JSON body against a schema.
 * @throws AuthError 400 `bad_json` or `validation_failed`
 */
export async function parseBody<T>(exchange: Exchange, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(exchange, invalidBody));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AuthError(400, 'validation_failed', `${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'invalid'}`);
}

/**
 * Normalizes an e-mail address.
 * @throws AuthError 400 `validation_failed` for an invalid one
 */
export function requireEmail(email: string): string {
  const parsed = Email.safeParse(email.trim().toLowerCase());
  if (parsed.success) return parsed.data;
  throw new AuthError(400, 'validation_failed', 'Unable to validate email address: invalid format');
}
