/** Checks Storage at the start of a worker, and says when it is ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskError, WorkerStartError } from './errors.ts';
import { createFailureLog } from './failure-log.ts';
import type { Log } from './log.ts';
import { KEY_HINT } from './services/download.ts';
import { BUCKET } from './services/storage.ts';
import type { Storage } from './services/storage.ts';

const RECHECK_MS = 2_000;

/**
 * Asks Storage whether it accepts the key. A Storage that is not ready is no reason not to start, because tasks wait for it: it is
 * checked until it is ready, and the log says both.
 * @returns a function that ends the checks
 * @throws WorkerStartError `storage_key_rejected`
 */
export async function checkStorage(storage: Storage, log: Log): Promise<() => void> {
  const failures = createFailureLog(log);
  const isReady = async (): Promise<boolean> => {
    try {
      await storage.check();
      failures.recovered('Storage is ready');
      return true;
    } catch (error) {
      failures.failed('Storage is not ready; tasks wait for it', explained(error));
      if (error instanceof TaskError && error.code === 'storage_key_rejected')
        throw new WorkerStartError(error.code, error.message, KEY_HINT, error);
      return false;
    }
  };
  if (await isReady()) return () => {};
  const controller = new AbortController();
  void recheck(isReady, controller.signal);
  return () => controller.abort();
}

async function recheck(isReady: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isEnded = await sleep(RECHECK_MS, false, { signal, ref: false }).catch(() => true);
    // A key that is refused now is in the log; the circuit of Storage stops the tasks.
    if (isEnded || (await isReady().catch(() => false))) return;
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof TaskError) || error.code !== 'upload_missing') return error;
  return new Error(`the bucket ${BUCKET} is missing: run \`mashup migrate\``);
}
