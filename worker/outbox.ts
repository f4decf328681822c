/** The outbox: deletes files through the Storage API whose rows are gone. */
import type { Db } from './database/database.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';
import { completeStorageDeletions, claimStorageDeletions } from './database/database-api.ts';
import type { StorageDeletion } from './database/database-api.ts';
import type { Storage } from './services/storage.ts';

/** Deletions per run. */
const BATCH = 50;

/**
 * Claims due deletions, deletes the files and removes the deletions from the outbox. Failed deletions are due again ten minutes
 * later.
 * @returns the number of completed deletions
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
      log('warn', 'could not delete the files under a prefix', { deletion: deletion.id, error: errorText(error) });
    }
  }
  for (const [bucket, batch] of single) {
    try {
      // Storage ignores files that are gone already.
      await storage.remove(
        bucket,
        batch.map(({ path }) => path),
      );
      done.push(...batch.map(({ id }) => id));
    } catch (error) {
      log('warn', 'could not delete files', { count: batch.length, error: errorText(error) });
    }
  }
  if (done.length > 0) await completeStorageDeletions(db, done);
  return done.length;
}

/** Lists all objects whose path starts with the prefix: `generated/<job>/`, or `generated/<job>/<claim>` with any extension. */
async function listPrefix(storage: Storage, { bucket, path }: StorageDeletion): Promise<string[]> {
  const folder = path.endsWith('/') ? path.slice(0, -1) : path.slice(0, path.lastIndexOf('/'));
  // A prefix without a folder would match the whole bucket.
  if (folder === '') return [];
  const paths = await storage.listAll(bucket, folder);
  return paths.filter((candidate) => candidate.startsWith(path));
}
