import type { HardCase } from '../hard-case.ts';

export const CONTAINER_CASES: readonly HardCase[] = [];
