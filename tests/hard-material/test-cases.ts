import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HardCase } from '../../bench/hard-material/hard-case.ts';

/** Declares a test for each case: what is measured must be right. */
export function testCases(cases: readonly HardCase[]): void {
  for (const { name, truth, measure } of cases) {
    test(`${name}: ${truth}`, async () => {
      const { value, right } = await measure();
      assert.ok(right, `measured ${value}`);
    });
  }
}
