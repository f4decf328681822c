/**
 * A small stress test: each fault command runs at least once, and this seed gives the jobs every planned fault and songs in common.
 * `npm run stress` runs one of any size.
 */
import { test } from 'node:test';
import { assertStressPasses } from './stress-process.ts';

test('sixteen jobs end as expected under faults of workers, connections, Postgres, Storage and services, beside another application', () =>
  assertStressPasses({ jobs: 16, seed: 10, everyMs: 400 }));
