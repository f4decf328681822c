/** The fault plan: which faults the seed gives to each job and to each call of a service. */
import type { ServiceName } from '../../schema.ts';
import { random } from './random.ts';

/** The planned fault of a job. It decides the expected outcome of the job, whatever other faults occur. */
export type JobFault =
  'none' | 'bad_song' | 'bad_third_song' | 'render_refused' | 'separation_broken' | 'wrong_path' | 'kills_worker';

/** The error code with which a job is expected to fail. Jobs with the other faults are expected to complete. */
export const EXPECTED_ERROR: Partial<Record<JobFault, string>> = {
  bad_song: 'audio_damaged',
  render_refused: 'plan_invalid',
  separation_broken: 'service_failed',
  wrong_path: 'service_wrong_path',
  kills_worker: 'task_kills_worker',
};

/** One job of this many has each of these faults. */
const FAULT_EVERY = 25;
const JOB_FAULTS: readonly JobFault[] = [
  'bad_song',
  'bad_third_song',
  'render_refused',
  'separation_broken',
  'wrong_path',
];
/** One job of this many kills its workers, four of them. */
const KILLER_EVERY = 50;

/** Returns the planned fault of the job with an index. */
export function jobFaultOf(seed: number, index: number): JobFault {
  const offset = random(seed, 'job faults').below(FAULT_EVERY);
  if ((index + offset) % KILLER_EVERY === FAULT_EVERY + JOB_FAULTS.length) return 'kills_worker';
  return JOB_FAULTS[(index + offset) % FAULT_EVERY] ?? 'none';
}

/** The fault of one call. The last three concern the files that a service writes. */
export type CallFault =
  | 'unavailable'
  | 'overloaded'
  | 'server_error'
  | 'reset'
  | 'partial_response'
  | 'hang'
  | 'html'
  | 'wrong_shape'
  | 'slow'
  | 'missing_file'
  | 'truncated_file'
  | 'late_write';

const FAULTS: readonly CallFault[] = [
  'unavailable',
  'overloaded',
  'server_error',
  'reset',
  'partial_response',
  'hang',
  'html',
  'wrong_shape',
  'slow',
];
const FAULTS_OF_WRITERS: readonly CallFault[] = [...FAULTS, 'missing_file', 'truncated_file', 'late_write'];
/** Share of tasks whose first call has a fault, and share of these whose second call has one too. */
const FIRST_CALL = 0.25;
const SECOND_CALL = 0.3;

/** Returns the fault of the n-th call of one task of a job, from 0; undefined for a call without a fault. */
export function callFaultOf(seed: number, service: ServiceName, key: string, call: number): CallFault | undefined {
  const chance = random(seed, service, key);
  const isFirst = chance.next() < FIRST_CALL;
  const isSecond = isFirst && chance.next() < SECOND_CALL;
  const kinds = service === 'separation' || service === 'processing' ? FAULTS_OF_WRITERS : FAULTS;
  const faults = [chance.pick(kinds), chance.pick(kinds)];
  if (call === 0 && isFirst) return faults[0];
  return call === 1 && isSecond ? faults[1] : undefined;
}
