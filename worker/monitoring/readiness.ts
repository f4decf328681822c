/** Whether a worker can take and finish tasks, by the parts that it needs. */
import { within } from '../periodic.ts';

/** The database has to answer within this time. */
const ANSWER_TIMEOUT_MS = 2_000;

/** What `GET /readyz` checks. */
export const READINESS_CHECKS = ['running', 'database', 'queue', 'storage'] as const;
type ReadinessCheck = (typeof READINESS_CHECKS)[number];

/** `ok`, or what is wrong. */
export type Readiness = Record<ReadinessCheck, string>;

/** The parts of a running worker that are asked. */
export interface ReadinessSource {
  isStopping(): boolean;
  /** Whether the registration has a connection whose last heartbeat succeeded. */
  isRegistered(): boolean;
  isQueueRunning(): boolean;
  /** Returns the state of the circuit breaker of Storage. */
  storageCircuit(): Promise<string>;
}

/** Asks the parts of a worker. @param source undefined while the worker starts */
export async function checkReadiness(source: ReadinessSource | undefined): Promise<Readiness> {
  if (source === undefined) {
    const waiting = 'waits for the database';
    return { running: 'starting', database: waiting, queue: waiting, storage: 'unknown' };
  }
  const circuit = await within(ANSWER_TIMEOUT_MS, source.storageCircuit()).catch(() => undefined);
  return {
    running: source.isStopping() ? 'stopping' : 'ok',
    database: source.isRegistered() && circuit !== undefined ? 'ok' : 'not connected',
    queue: source.isQueueRunning() ? 'ok' : 'not running: see the log; `mashup migrate` creates a missing queue',
    storage: circuit === 'closed' ? 'ok' : circuit === undefined ? 'unknown' : `the circuit breaker is ${circuit}`,
  };
}

/** Whether every check is `ok`. */
export function isReady(readiness: Readiness): boolean {
  return READINESS_CHECKS.every((check) => readiness[check] === 'ok');
}
