/** Kills a worker in each kind of task at one moment; `kill-matrix.deep.test.ts` has all twenty combinations. */
import { TASK_KINDS } from '../../schema/database.ts';
import { testCells } from './kill-matrix.ts';
import { MOMENTS } from './kill-moments.ts';
import type { Moment } from './kill-moments.ts';

testCells(TASK_KINDS.map((kind, i) => ({ kind, moment: MOMENTS[i % MOMENTS.length] as Moment })));
