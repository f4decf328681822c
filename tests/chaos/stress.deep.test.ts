/** The storm at full size. */
import { test } from 'node:test';
import { assertStormEndsRight } from './stress-process.ts';

test('a thousand jobs through killed, stopped and cut-off workers, restarts of Postgres and lying services end right', () =>
  assertStormEndsRight({ jobs: 1_000, seed: 12, everyMs: 2_000 }));
