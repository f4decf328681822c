/** Lists folders and removes objects, as far as the caller may see them. */
import type { Sql } from 'postgres';
import { z } from 'zod';
import { withIdentity, databaseError } from '../database.ts';
import { sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { parseBody } from './links.ts';
import { removeObjects, requireBucket } from './objects.ts';
import type { StorageContext } from './objects.ts';

/** Longest page: a larger limit is lowered to it. */
const MAX_PAGE = 1500;
const MAX_REMOVED = 1000;

const List = z.object({
  prefix: z.string(),
  limit: z
    .number()
    .int()
    .min(1)
    .default(100)
    .transform((limit) => Math.min(limit, MAX_PAGE)),
  offset: z.number().int().min(0).default(0),
  search: z.string().default(''),
  sortBy: z
    .object({
      column: z.enum(['name', 'created_at', 'updated_at', 'last_accessed_at']).default('name'),
      order: z.enum(['asc', 'desc']).default('asc'),
    })
    .default({ column: 'name', order: 'asc' }),
});
const Remove = z.object({ prefixes: z.array(z.string()).min(1).max(MAX_REMOVED) });

async function listFolder(
  sql: Sql,
  identity: Identity,
  bucket: string,
  options: z.infer<typeof List>,
): Promise<readonly unknown[]> {
  const folder = options.prefix === '' || options.prefix.endsWith('/') ? options.prefix : `${options.prefix}/`;
  const { column, order } = options.sortBy;
  return withIdentity(
    sql,
    identity,
    (transaction) => {
      // Folders have no times; they come first.
      const sortKey =
        column === 'name'
          ? transaction`lower(name) collate "C"`
          : transaction`(id is not null), ${transaction(column)}`;
      return transaction`
      with entries as (
        select split_part(substr(o.name, length(${folder}::text) + 1), '/', 1) as name,
          strpos(substr(o.name, length(${folder}::text) + 1), '/') > 0 as is_folder,
          o.id, o.created_at, o.updated_at, o.last_accessed_at, o.metadata
        from storage.objects o
        where o.bucket_id = ${bucket} and starts_with(o.name, ${folder})
      ), result as (
        select name, id, created_at, updated_at, last_accessed_at, metadata from entries where not is_folder
        union all
        select distinct name, null::uuid, null::timestamptz, null::timestamptz, null::timestamptz, null::jsonb
        from entries where is_folder
      )
      select * from result
      where name <> '' and starts_with(lower(name), lower(${options.search}))
      order by ${sortKey} ${order === 'desc' ? transaction`desc` : transaction`asc`}, lower(name) collate "C"
      limit ${options.limit} offset ${options.offset}`;
    },
    { readOnly: true },
  );
}

/** Handles `POST /object/list/<bucket>`. Without the right to select it returns an empty array. */
export async function handleList(
  context: StorageContext,
  exchange: Exchange,
  identity: Identity,
  bucket: string,
): Promise<void> {
  const options = await parseBody(exchange, List);
  const entries = await listFolder(context.sql, identity, bucket, options).catch((error: unknown) => {
    if (databaseError(error)?.code === '42501') return [];
    throw error;
  });
  sendJson(exchange, 200, entries);
}

/** Handles `DELETE /object/<bucket>`. Returns the rows that were deleted. */
export async function handleRemove(
  context: StorageContext,
  exchange: Exchange,
  identity: Identity,
  bucket: string,
): Promise<void> {
  const { prefixes } = await parseBody(exchange, Remove);
  await requireBucket(context.sql, bucket);
  sendJson(exchange, 200, await removeObjects(context, identity, bucket, prefixes));
}
