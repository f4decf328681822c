import type { HardCase } from '../hard-case.ts';

export const DELIVERY_CASES: readonly HardCase[] = [];
