/** Kills a worker in each kind of task at each moment. */
import { TASK_KINDS } from '../../schema/database.ts';
import { testCells } from './kill-matrix.ts';
import { MOMENTS } from './kill-moments.ts';

testCells(TASK_KINDS.flatMap((kind) => MOMENTS.map((moment) => ({ kind, moment }))));
