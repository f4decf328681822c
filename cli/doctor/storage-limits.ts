/** Compares the size of the files that Storage accepts with the size of those that the engine writes. */
import postgres from 'postgres';
import { postgresOptions } from '../../connection/clients.ts';
import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_SEC = 5;
const MEGABYTE = 1_000_000;
const NAME = 'storage limits';

/** Limits in bytes. */
export interface StorageLimits {
  /** Limit of all buckets; undefined if Storage does not tell it. */
  global: number | undefined;
  /** Limit of bucket `mashups`; null: none of its own. */
  bucket: number | null;
  /** What the engine writes at most, by the setting that says so. */
  needed: Record<string, number>;
}

/** Reads the limits and compares them. @throws if the database or Storage cannot be reached */
export async function checkStorageLimits(dbUrl: string, apiUrl: string): Promise<Finding> {
  const sql = postgres(
    postgresOptions(dbUrl, { max: 1, onnotice: () => {}, connect_timeout: CONNECT_TIMEOUT_SEC, prepare: false }),
  );
  try {
    const rows = await sql<{ name: string; bytes: string; bucket: string | null }[]>`
      select s.name, s.value #>> '{}' as bytes, (select b.file_size_limit from storage.buckets b where b.id = 'mashups') as bucket
      from mashup.settings s where s.name in ('upload_max_bytes', 'storage_max_bytes') order by s.name`;
    const bucket = rows[0]?.bucket ?? null;
    return compareStorageLimits({
      global: await readGlobalLimit(apiUrl),
      bucket: bucket === null ? null : Number(bucket),
      needed: Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)])),
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Returns the global limit, which Storage tells in the protocol of resumable uploads; undefined if it does not. */
async function readGlobalLimit(apiUrl: string): Promise<number | undefined> {
  const response = await fetch(`${apiUrl.replace(/\/+$/, '')}/storage/v1/upload/resumable`, {
    method: 'OPTIONS',
    headers: { 'tus-resumable': '1.0.0' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  const bytes = Number(response.headers.get('tus-max-size') ?? Number.NaN);
  return Number.isFinite(bytes) && bytes > 0 ? bytes : undefined;
}

/** Compares the limits. The smaller of the global limit and that of the bucket counts. */
export function compareStorageLimits({ global, bucket, needed }: StorageLimits): Finding {
  const [setting, bytes] = Object.entries(needed).reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  const limits = [
    global === undefined ? 'the global limit cannot be read' : `global limit ${megabytes(global)}`,
    bucket === null ? 'bucket mashups without a limit' : `bucket mashups ${megabytes(bucket)}`,
  ].join(', ');
  const accepted = Math.min(global ?? Infinity, bucket ?? Infinity);
  if (accepted < bytes) {
    const where =
      accepted === global
        ? 'Raise the global file size limit in the Storage settings of the project'
        : `update storage.buckets set file_size_limit = ${bytes} where id = 'mashups';`;
    return failed(
      NAME,
      `files of up to ${megabytes(accepted)} are accepted (${limits}), and ${setting} is ${megabytes(bytes)}`,
      `${where}, or lower the setting: \`mashup settings set ${setting} ${accepted}\`.`.replace(';, or', '; or'),
    );
  }
  const remark = global === undefined ? `; it must be at least ${megabytes(bytes)}` : '';
  return passed(NAME, `${megabytes(bytes)} are needed (${setting}): ${limits}${remark}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
