import type { HardCase } from '../hard-case.ts';

export const KEY_CASES: readonly HardCase[] = [];
