/** Entry points to somebody else's data, and the assertion that they are closed. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SupabaseClient } from '@supabase/supabase-js';
import { SECRET } from './access-fixture.ts';
import type { AccessFixture, Intruder } from './access-fixture.ts';

/** The outcome of an attempt: status and code, or the content. */
export type Outcome = string;
/** A way to somebody else's data, and the responses that intruders must get. */
export interface EntryPoint {
  name: string;
  attempt: (intruder: Intruder) => PromiseLike<Outcome>;
  /** Expected outcome for the two intruders who are signed in. */
  user: Outcome;
  /** Expected outcome for the visitor with the anon key. */
  key: Outcome;
}

export interface RestResponse {
  status: number;
  error: { code: string; message: string } | null;
  data: unknown;
}
/** The outcome of a call to the database's API. */
export const rest = async (call: PromiseLike<RestResponse>): Promise<Outcome> => {
  const { status, error, data } = await call;
  return error ? `${status} ${error.code}` : `${status} ${JSON.stringify(data)}`;
};
interface StorageResponse {
  error: (Error & { statusCode?: string }) | null;
  data: unknown;
}
/** The outcome of a call to Storage. */
export const stored = async (call: PromiseLike<StorageResponse>): Promise<Outcome> => {
  const { error, data } = await call;
  if (error) return `${error.statusCode} ${error.message}`;
  return data instanceof Blob ? `bytes: ${await data.text()}` : JSON.stringify(data);
};
/** The outcome of a raw HTTP request. */
export const raw = async (call: Promise<{ status: number; body: string }>): Promise<Outcome> => {
  const { status, body } = await call;
  const parsed = (body.startsWith('{') ? JSON.parse(body) : {}) as { statusCode?: string; code?: string };
  return [status, parsed.statusCode, parsed.code ?? (body === '' ? '' : body.slice(0, 40))].filter(Boolean).join(' ');
};
/** The bucket of the audio files. */
export const bucket = (client: SupabaseClient): ReturnType<SupabaseClient['storage']['from']> =>
  client.storage.from('mashups');

/** Tries each entry point as each intruder. The owner's rows must not change. */
export function assertDenied(access: AccessFixture, entryPoints: EntryPoint[]): void {
  for (const { name, attempt, user, key } of entryPoints) {
    it(name, async () => {
      const before = await access.ownedRows();
      for (const intruder of access.intruders) {
        const outcome = await attempt(intruder);
        assert.equal(outcome, intruder.id === null ? key : user, `${intruder.name}: ${name}`);
        assert.ok(!outcome.includes(SECRET), 'the content is not returned');
      }
      assert.equal(await access.ownedRows(), before, 'nothing of the owner’s has changed');
    });
  }
}
