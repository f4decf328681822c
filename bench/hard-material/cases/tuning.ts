import type { HardCase } from '../hard-case.ts';

export const TUNING_CASES: readonly HardCase[] = [];
