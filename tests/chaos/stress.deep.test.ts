/** The stress test at full size. */
import { test } from 'node:test';
import { assertStressPasses } from './stress-process.ts';

test('a thousand jobs end as expected under faults of workers, connections, Postgres, Storage and services, beside another application', () =>
  assertStressPasses({ jobs: 1_000, seed: 12, everyMs: 2_000 }));
