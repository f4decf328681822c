/** Kills a worker in each kind of task at each moment. */
import { KINDS_OF_JOBS, testCells } from './kill-matrix.ts';
import { MOMENTS } from './kill-moments.ts';

testCells(KINDS_OF_JOBS.flatMap((kind) => MOMENTS.map((moment) => ({ kind, moment }))));
