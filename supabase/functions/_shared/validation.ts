/** Helpers for checked request bodies. */
import type { z } from 'zod';
import { ApiError } from './api-error.ts';

const MAX_KEY_LENGTH = 200;

/** The members of a body by name; none if it is not an object. */
export function membersOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

/** All issues of a value in one text: `songs.0.name: Too small …; options: …`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
}

/** Whether an issue concerns this member of the body. */
export function concerns(error: z.ZodError, member: string): boolean {
  return error.issues.some((issue) => issue.path[0] === member);
}

/**
 * The idempotency key of a request, from its header or its body; undefined without one.
 * @throws ApiError 400 `invalid_request` for a key that is too long
 */
export function idempotencyKeyOf(request: Request, fromBody: string | null | undefined): string | undefined {
  const key = request.headers.get('idempotency-key')?.trim() || fromBody || undefined;
  if (key !== undefined && key.length > MAX_KEY_LENGTH) {
    throw new ApiError(400, 'invalid_request', 'Invalid idempotency key', {
      hint: `Use at most ${MAX_KEY_LENGTH} characters.`,
    });
  }
  return key;
}
