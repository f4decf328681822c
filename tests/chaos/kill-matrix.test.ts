/** One moment for each kind of task; `kill-matrix.deep.test.ts` has all twenty cells. */
import { TASK_KINDS } from '../../schema/database.ts';
import { MOMENTS, testCells } from './kill-matrix.ts';
import type { Moment } from './kill-matrix.ts';

testCells(TASK_KINDS.map((kind, i) => ({ kind, moment: MOMENTS[i % MOMENTS.length] as Moment })));
