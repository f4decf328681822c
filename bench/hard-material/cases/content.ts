import type { HardCase } from '../hard-case.ts';

export const CONTENT_CASES: readonly HardCase[] = [];
