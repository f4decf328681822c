/** The storm, small. `npm run chaos` is the same at any size. */
import { test } from 'node:test';
import { assertStormEndsRight } from './stress-process.ts';

test('fifty jobs through killed, stopped and cut-off workers, restarts of Postgres and lying services end right', () =>
  assertStormEndsRight({ jobs: 50, seed: 11, everyMs: 500 }));
