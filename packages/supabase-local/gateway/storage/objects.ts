/**
 * Rows of storage.objects. Whether a caller may read or write is decided by running the real statement under the caller's
 * role, so that policies and triggers apply. The final row is written by Storage itself.
 */
import type { Sql } from 'postgres';
import { withIdentity, databaseError } from '../database.ts';
import type { Identity } from '../identity.ts';
import { SERVICE } from '../identity.ts';
import { toStorageError, objectExists, bucketNotFound } from './errors.ts';
import type { Files, StoredFile } from './files.ts';
import type { ObjectPath } from './object-path.ts';

/** Dependencies of the Storage routes. */
export interface StorageContext {
  sql: Sql;
  files: Files;
  /** Global limit: size of the largest object of any bucket, in bytes. */
  fileSizeLimit: number;
  /** Lifetime of a signed upload URL in seconds; two hours if it is undefined. */
  uploadUrlSeconds: number | undefined;
}

interface ObjectMetadata {
  eTag: string;
  size: number;
  mimetype: string;
  cacheControl: string;
  lastModified: string;
  contentLength: number;
  httpStatusCode: number;
}

/** A row of storage.objects. */
export interface ObjectRow {
  id: string;
  bucket_id: string;
  name: string;
  version: string | null;
  metadata: ObjectMetadata | null;
  user_metadata: Record<string, unknown> | null;
  created_at: Date;
  updated_at: Date;
  last_accessed_at: Date;
}

/** A row of storage.buckets. */
export interface BucketRow {
  id: string;
  name: string;
  owner: string | null;
  public: boolean;
  file_size_limit: string | null;
  allowed_mime_types: string[] | null;
  created_at: Date;
  updated_at: Date;
}

/** The owner of an upload: the subject of the token, if it has one. */
export interface Owner {
  owner: string | null;
  ownerId: string | null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns the owner of an upload by this caller. `owner` is a uuid column: other subjects are only in `owner_id`. */
export function ownerOf({ claims }: Identity): Owner {
  const subject = typeof claims.sub === 'string' ? claims.sub : null;
  return { ownerId: subject, owner: subject && UUID.test(subject) ? subject : null };
}

/** For how long a bucket is not read again: each request needs one, and a mashup makes 35 requests. */
const BUCKET_MS = 1_000;
const readBuckets = new WeakMap<Sql, Map<string, { bucket: BucketRow; until: number }>>();

/**
 * Returns the bucket, independent of the caller. A change of its row counts within a second.
 * @throws HttpError `NoSuchBucket`
 */
export async function requireBucket(sql: Sql, id: string): Promise<BucketRow> {
  const known = readBuckets.get(sql)?.get(id);
  if (known !== undefined && known.until > performance.now()) return known.bucket;
  const [bucket] = await sql<BucketRow[]>`select * from storage.buckets where id = ${id}`;
  if (!bucket) throw bucketNotFound();
  const buckets = readBuckets.get(sql) ?? new Map<string, { bucket: BucketRow; until: number }>();
  readBuckets.set(sql, buckets.set(id, { bucket, until: performance.now() + BUCKET_MS }));
  return bucket;
}

/** Returns the object if the caller may see it, else undefined. */
export async function visibleObject(sql: Sql, identity: Identity, target: ObjectPath): Promise<ObjectRow | undefined> {
  try {
    const rows = await withIdentity(
      sql,
      identity,
      (transaction) => transaction<ObjectRow[]>`
        select * from storage.objects where bucket_id = ${target.bucket} and name = ${target.name}`,
    );
    return rows[0];
  } catch (error) {
    if (databaseError(error)?.code === '42501') return undefined;
    throw error;
  }
}

/** Rolls back a transaction that only tests whether a write is allowed. */
class DryRunRollback extends Error {}

/**
 * Tests whether the caller may insert this object, or replace it if `upsert` is set. Changes nothing.
 * @throws HttpError if the caller may not
 */
export async function requireWriteAccess(
  sql: Sql,
  identity: Identity,
  target: ObjectPath,
  upsert: boolean,
): Promise<void> {
  const { owner, ownerId } = ownerOf(identity);
  try {
    await withIdentity(sql, identity, async (transaction) => {
      if (upsert)
        await transaction`
          insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata)
          values (${target.bucket}, ${target.name}, ${owner}, ${ownerId}, 'dry-run', '{}')
          on conflict (bucket_id, name) do update
          set owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version`;
      else
        await transaction`
          insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata)
          values (${target.bucket}, ${target.name}, ${owner}, ${ownerId}, 'dry-run', '{}')`;
      throw new DryRunRollback();
    });
  } catch (error) {
    if (error instanceof DryRunRollback) return;
    const postgresError = databaseError(error);
    throw postgresError ? toStorageError(postgresError, objectExists) : error;
  }
}

/** An upload to record. */
interface Upload {
  target: ObjectPath;
  owner: Owner;
  upsert: boolean;
  stored: StoredFile;
  mimetype: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | null;
}

/**
 * Records an upload that was checked before, and deletes the bytes that it replaces. If it fails, the new bytes are deleted.
 * @returns the object's id
 * @throws HttpError `KeyAlreadyExists` if the object exists and may not be replaced
 */
export async function recordUpload({ sql, files }: StorageContext, upload: Upload): Promise<string> {
  const { target, owner, stored } = upload;
  const metadata: ObjectMetadata = {
    eTag: `"${stored.md5}"`,
    size: stored.size,
    mimetype: upload.mimetype,
    cacheControl: upload.cacheControl,
    lastModified: new Date().toISOString(),
    contentLength: stored.size,
    httpStatusCode: 200,
  };
  try {
    const written = await sql.begin(async (transaction) => {
      const [before] = await transaction<{ version: string | null }[]>`
        select version from storage.objects
        where bucket_id = ${target.bucket} and name = ${target.name} for update`;
      if (before && !upload.upsert) throw objectExists();
      const [row] = await transaction<{ id: string }[]>`
        insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
        values (${target.bucket}, ${target.name}, ${owner.owner}, ${owner.ownerId}, ${stored.version},
                ${transaction.json({ ...metadata })}, ${upload.userMetadata && transaction.json(upload.userMetadata as never)})
        on conflict (bucket_id, name) do update
        set version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata,
            owner = excluded.owner, owner_id = excluded.owner_id
        where ${upload.upsert}
        returning id`;
      if (!row) throw objectExists();
      return { id: row.id, replaced: before?.version };
    });
    if (written.replaced && written.replaced !== stored.version) await files.remove([written.replaced]);
    return written.id;
  } catch (error) {
    await files.remove([stored.version]);
    const postgresError = databaseError(error);
    throw postgresError ? toStorageError(postgresError, objectExists) : error;
  }
}

/** Deletes the objects that the caller may delete, rows and bytes, and returns the rows. */
export async function removeObjects(
  { sql, files }: StorageContext,
  identity: Identity,
  bucket: string,
  names: string[],
): Promise<ObjectRow[]> {
  const rows = await withIdentity(
    sql,
    identity,
    (transaction) => transaction<ObjectRow[]>`
      delete from storage.objects where bucket_id = ${bucket} and name = any(${names}) returning *`,
    { settings: { 'storage.allow_delete_query': 'true' } },
  ).catch((error: unknown) => {
    if (databaseError(error)?.code === '42501') return [];
    throw error;
  });
  await files.remove(rows.flatMap((row) => (row.version === null ? [] : [row.version])));
  return rows;
}

/** Returns the object as the service role sees it: for signed links and public buckets. */
export function objectAsService(sql: Sql, target: ObjectPath): Promise<ObjectRow | undefined> {
  return visibleObject(sql, SERVICE, target);
}
