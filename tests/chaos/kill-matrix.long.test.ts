/** Kills a worker in each kind of task at one moment; `kill-matrix.deep.test.ts` has all twenty combinations. */
import { KINDS_OF_JOBS, testCells } from './kill-matrix.ts';
import { MOMENTS } from './kill-moments.ts';
import type { Moment } from './kill-moments.ts';

testCells(KINDS_OF_JOBS.map((kind, i) => ({ kind, moment: MOMENTS[i % MOMENTS.length] as Moment })));
