/** Every kind of task at every moment. */
import { TASK_KINDS } from '../../schema/database.ts';
import { MOMENTS, testCells } from './kill-matrix.ts';

testCells(TASK_KINDS.flatMap((kind) => MOMENTS.map((moment) => ({ kind, moment }))));
