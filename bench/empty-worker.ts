/**
 * A worker with the real queue, session, claims and finishes, and handlers that return at once, so that the time of a job is
 * the state machine's own. Run as a process by bench-fixture.ts.
 */
import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { PROTOCOL_VERSION } from '../schema/constants.ts';
import { DEFAULT_LIMITS } from '../worker/config.ts';
import { openDatabase } from '../worker/database/database.ts';
import { createLog } from '../worker/log.ts';
import { onceAtATime } from '../worker/periodic.ts';
import { openQueue } from '../worker/queue.ts';
import { registerWorker } from '../worker/registration.ts';
import { startSocketWatchdog } from '../worker/database/socket-watchdog.ts';
import { admitWaiting, claimTask, sweep } from '../worker/database/database-api.ts';
import { finishTask } from '../worker/database/finish-api.ts';
import type { FinishResult } from '../worker/database/finish-api.ts';
import type { Claim } from '../worker/database/database-api.ts';
import { UnreadableClaim } from '../worker/errors.ts';
import { sampleResult } from '../tests/support/sample-results.ts';

/** The result of a task. The hash is new for each job, so that nothing is taken from a cache. */
export function instantResult(claim: Claim): object {
  const result = sampleResult(claim);
  return claim.kind === 'analyze' ? { ...result, content_hash: `${claim.job_id}-${claim.song_id}` } : result;
}

const SWEEP_MS = 1_000;
const Wakeup = (payload: unknown): { task: string; attempt: number } => payload as { task: string; attempt: number };

if (import.meta.main) {
  const databaseUrl = process.env['DATABASE_URL'] ?? '';
  const concurrency = Number(process.env['WORKER_CONCURRENCY'] ?? 10);
  const sockets = startSocketWatchdog(DEFAULT_LIMITS.answerTimeoutMs);
  const log = createLog('text', (line) => process.stderr.write(`${line}\n`));
  const db = openDatabase(databaseUrl, concurrency + 2, sockets);
  const workerId = randomUUID();
  /** When a finish was sent that returned the next claim of the job, and the time until then, in ms. */
  const handoffs: string[] = [];
  const registration = await registerWorker(db, {
    databaseUrl,
    workerId,
    version: 'bench',
    protocol: PROTOCOL_VERSION,
    concurrency,
    services: {},
    log,
    onSignal: () => {},
    onAdmit: onceAtATime(() => admitWaiting(db), log, 'the admission of jobs'),
    onOutageEnd: (since) => sockets.destroySilentSince(since),
    onIncompatible: (error) => log('error', error.message),
  });
  openQueue({
    databaseUrl,
    db,
    concurrency,
    sockets,
    log,
    onPool: (poolId) => registration.addPool(poolId),
    async onEntry(payload) {
      const { task, attempt } = Wakeup(payload);
      const answer = await claimTask(db, task, attempt, workerId);
      let claim = answer.status === 'claimed' ? answer : undefined;
      while (claim !== undefined) {
        const sentAt = performance.now();
        const { next }: FinishResult = await finishTask(db, claim, instantResult(claim), randomUUID());
        if (next !== undefined) handoffs.push(`${Date.now()} ${performance.now() - sentAt}\n`);
        claim = next instanceof UnreadableClaim ? undefined : next;
      }
    },
  });
  setInterval(() => void sweep(db).catch((error: unknown) => log('warn', String(error))), SWEEP_MS);
  const stop = async (): Promise<void> => {
    const file = process.env['BENCH_HANDOFF_FILE'];
    if (file !== undefined) await appendFile(file, handoffs.join(''));
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
}
