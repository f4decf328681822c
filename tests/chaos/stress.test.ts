/** A small stress test. `npm run stress` runs one of any size. */
import { test } from 'node:test';
import { assertStressPasses } from './stress-process.ts';

test('thirty jobs end as expected under faults of workers, connections, Postgres, Storage and services, beside another application', () =>
  assertStressPasses({ jobs: 30, seed: 11, everyMs: 500 }));
