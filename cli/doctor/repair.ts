/** `mashup doctor --repair`: compares rows with files, and mends what does not agree. */
import type postgres from 'postgres';
import { openStorage } from '../../worker/services/storage.ts';

/** Files that are read at one time. */
const BATCH = 20;
const READ_TIMEOUT_MS = 60_000;

/** What was found, and mended if asked for. */
export interface Repair {
  what: 'stems_without_files' | 'results_without_files' | 'files_without_rows';
  found: number;
}

/** What each finding means. */
export const REPAIR_TEXTS: Record<Repair['what'], string> = {
  stems_without_files: 'cached stems whose files are missing (dropped from the cache, made again when needed)',
  results_without_files: 'results whose file is missing (marked as expired; a replay renders them again)',
  files_without_rows: 'stems and results in Storage that no row points to (deleted by a worker)',
};

/** The service role's access to Storage. */
export interface StorageAccess {
  url: string;
  serviceRoleKey: string;
}

/**
 * Compares rows with files. Each file that a row points to is read by one byte, because a row of Storage does not prove that
 * there is a file.
 * @param access without it, only the rows of Storage are compared
 * @param isApplied whether to mend; otherwise nothing is changed
 * @throws TaskError when Storage is unavailable or refuses the key: nothing is changed then
 */
export async function repairFiles(
  sql: postgres.Sql,
  access: StorageAccess | undefined,
  isApplied: boolean,
): Promise<Repair[]> {
  const missing = new Set(
    (await sql<{ path: string }[]>`select mashup.missing_files() as path`).map(({ path }) => path),
  );
  if (access) {
    const storage = openStorage(access.url, access.serviceRoleKey);
    await storage.check();
    const rows = await sql<{ path: string }[]>`select path from mashup.referenced_files() order by path`;
    const paths = rows.map(({ path }) => path).filter((path) => !missing.has(path));
    for (let start = 0; start < paths.length; start += BATCH) {
      const batch = paths.slice(start, start + BATCH);
      for (const path of await storage.findMissing(batch, AbortSignal.timeout(READ_TIMEOUT_MS))) missing.add(path);
    }
  }
  const found = await sql<{ what: Repair['what']; found: string }[]>`
    select what, found from mashup.repair_files(${[...missing]}, ${isApplied})`;
  return found.map((row) => ({ what: row.what, found: Number(row.found) }));
}
