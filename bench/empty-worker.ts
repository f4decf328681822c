/**
 * A worker with the real queue, session, claims and finishes, and handlers that return at once, so that the time of a job is
 * the state machine's own. Run as a process by bench-fixture.ts.
 */
import { randomUUID } from 'node:crypto';
import type { TaskKind } from '../schema/database.ts';
import { DEFAULT_LIMITS } from '../worker/config.ts';
import { openDatabase } from '../worker/database/database.ts';
import { createLog } from '../worker/log.ts';
import { openQueue } from '../worker/queue.ts';
import { registerWorker } from '../worker/registration.ts';
import { startSocketWatchdog } from '../worker/database/socket-watchdog.ts';
import { claimTask, finishTask, sweep } from '../worker/database/database-api.ts';
import type { Claim } from '../worker/database/database-api.ts';
import { STEMS } from '../schema.ts';

const ANALYSIS = { version: 'bench-1', duration_sec: 40, harmonic: { key: 'A minor' }, rhythmic: { bpm: 120 } };
const CARD = { duration_sec: 40, bpm: 120, key: 'A minor', camelot: '8A', vocal_presence: 0.5, confidence: 0.9 };
const QUALITY = { duration_sec: 64, loudness_lufs: -14, true_peak_dbtp: -1.1, format: 'wav', bytes: 10_000, bpm: 120 };

const RESULTS: Record<TaskKind, (claim: Claim, ids: string[]) => Record<string, unknown>> = {
  analyze: (claim) => ({
    content_hash: `${claim.job_id}-${claim.song_id}`,
    version: 'bench-1',
    analysis: ANALYSIS,
    card: CARD,
  }),
  score: (_, ids) => ({ pairs: [{ song_pair: ids.slice(0, 2), score: 80 }] }),
  plan: (_, ids) => ({
    plan: {
      creative_vision: 'Measured.',
      masterplan: { title: 'Bench', timeline: ids.map((songId) => ({ layers: [{ songId, stem: 'drums' }] })) },
    },
    source: 'rules',
    song_ids: ids,
  }),
  separate: (claim) => ({
    model: 'bench',
    paths: Object.fromEntries(STEMS.map((stem) => [stem, `${claim.output_prefix}/${stem}.wav`])),
  }),
  render: (claim) => ({ path: `${claim.output_prefix}.wav`, quality: QUALITY }),
};

/** The result of a task. */
export function instantResult(claim: Claim): Record<string, unknown> {
  return RESULTS[claim.kind](
    claim,
    claim.songs.map((song) => song.song_id),
  );
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
  const registration = await registerWorker(db, {
    databaseUrl,
    workerId,
    version: 'bench',
    concurrency,
    services: {},
    log,
    onSignal: () => {},
    onOutageEnd: (since) => sockets.destroySilentSince(since),
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
      const claim = await claimTask(db, task, attempt, workerId);
      if (claim.status === 'claimed') await finishTask(db, claim, instantResult(claim));
    },
  });
  setInterval(() => void sweep(db).catch((error: unknown) => log('warn', String(error))), SWEEP_MS);
  process.once('SIGTERM', () => process.exit(0));
}
