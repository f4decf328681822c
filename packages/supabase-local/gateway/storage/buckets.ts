/** Lists, reads and creates buckets. */
import { z } from 'zod';
import { withIdentity, databaseError } from '../database.ts';
import { notImplemented, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { bucketExists, bucketNotFound, toStorageError } from './errors.ts';
import { parseBody } from './links.ts';
import { ownerOf } from './objects.ts';
import type { BucketRow, StorageContext } from './objects.ts';

const NewBucket = z.object({
  id: z.string().min(1).max(100).optional(),
  name: z.string().min(1).max(100),
  public: z.boolean().default(false),
  file_size_limit: z.number().int().positive().nullish(),
  allowed_mime_types: z.array(z.string()).nullish(),
});

const bucketJson = (row: BucketRow): Record<string, unknown> => ({
  ...row,
  owner: row.owner ?? '',
  file_size_limit: row.file_size_limit === null ? null : Number(row.file_size_limit),
});

/** Handles `/bucket` and `/bucket/<id>`. */
export async function handleBuckets(
  { sql }: StorageContext,
  exchange: Exchange,
  identity: Identity,
  id: string | undefined,
): Promise<void> {
  try {
    if (exchange.method === 'GET') {
      const rows = await withIdentity(
        sql,
        identity,
        (transaction) => transaction<BucketRow[]>`
          select * from storage.buckets where ${id ?? null}::text is null or id = ${id ?? null} order by name`,
      );
      if (id === undefined) return sendJson(exchange, 200, rows.map(bucketJson));
      if (!rows[0]) throw bucketNotFound();
      return sendJson(exchange, 200, bucketJson(rows[0]));
    }
    if (exchange.method !== 'POST' || id !== undefined)
      throw notImplemented(`${exchange.method} on buckets of Storage`);
    const bucket = await parseBody(exchange, NewBucket);
    const { owner, ownerId } = ownerOf(identity);
    await withIdentity(
      sql,
      identity,
      (transaction) => transaction`
        insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
        values (${bucket.id ?? bucket.name}, ${bucket.name}, ${owner}, ${ownerId}, ${bucket.public},
                ${bucket.file_size_limit ?? null}, ${bucket.allowed_mime_types ?? null})`,
    );
    sendJson(exchange, 200, { name: bucket.name });
  } catch (error) {
    const postgresError = databaseError(error);
    throw postgresError ? toStorageError(postgresError, bucketExists) : error;
  }
}
