import type { HardCase } from '../hard-case.ts';

export const TIME_CASES: readonly HardCase[] = [];
