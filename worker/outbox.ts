/** Storage's outbox: files that rows have left behind are deleted through the Storage API. */
import type { Db } from './database/database.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';
import { completeStorageDeletions, claimStorageDeletions } from './database/database-api.ts';
import type { StorageDeletion } from './database/database-api.ts';
import type { Storage } from './services/storage.ts';

/** Deletions that one round takes. */
const BATCH = 50;

/**
 * One round: takes due deletions, deletes, and crosses off what is gone. What fails is due again ten minutes later.
 * @returns how many were done
 */
export async function emptyOutbox(db: Db, storage: Storage, log: Log): Promise<number> {
  const deletions = await claimStorageDeletions(db, BATCH);
  const done: string[] = [];
  const single = new Map<string, StorageDeletion[]>();
  for (const deletion of deletions) {
    if (!deletion.is_prefix) {
      single.set(deletion.bucket, [...(single.get(deletion.bucket) ?? []), deletion]);
      continue;
    }
    try {
      const paths = await listPrefix(storage, deletion);
      if (paths.length > 0) await storage.remove(deletion.bucket, paths);
      done.push(deletion.id);
    } catch (error) {
      log('warn', 'files below a prefix could not be deleted', { deletion: deletion.id, error: errorText(error) });
    }
  }
  for (const [bucket, batch] of single) {
    try {
      // Files that are gone already are passed over by Storage.
      await storage.remove(
        bucket,
        batch.map(({ path }) => path),
      );
      done.push(...batch.map(({ id }) => id));
    } catch (error) {
      log('warn', 'files could not be deleted', { count: batch.length, error: errorText(error) });
    }
  }
  if (done.length > 0) await completeStorageDeletions(db, done);
  return done.length;
}

/** Everything whose path starts with the prefix: `generated/<job>/` as well as `generated/<job>/<claim>` of any format. */
async function listPrefix(storage: Storage, { bucket, path }: StorageDeletion): Promise<string[]> {
  const folder = path.endsWith('/') ? path.slice(0, -1) : path.slice(0, path.lastIndexOf('/'));
  // A prefix without a folder would be the whole bucket.
  if (folder === '') return [];
  const paths = await storage.listAll(bucket, folder);
  return paths.filter((candidate) => candidate.startsWith(path));
}
