/** `/storage/v1`: objects, links, lists and buckets. */
import { header } from '../exchange.ts';
import { decodePath, notImplemented, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { bearerOf, identityOf } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { handleBuckets } from './buckets.ts';
import { badRequest, accessDenied, bucketNotFound, objectNotFound, invalidTokenError } from './errors.ts';
import { downloadSigned, uploadSigned, signMany, signOne, signUpload } from './links.ts';
import { handleList, handleRemove } from './list.ts';
import { parseObjectPath } from './object-path.ts';
import { objectAsService, ownerOf, requireBucket, requireWriteAccess, visibleObject } from './objects.ts';
import type { StorageContext } from './objects.ts';
import { sendObject } from './send-object.ts';
import { handleUpload, drainAndThrow } from './upload.ts';

/** Returns the caller, or undefined without a valid bearer. */
async function tryIdentify(ring: KeyRing, exchange: Exchange): Promise<Identity | undefined> {
  const bearer = bearerOf(exchange.request.headers) ?? header(exchange.request.headers, 'apikey');
  if (!bearer) return undefined;
  try {
    return await identityOf(ring, bearer);
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}

async function identify(ring: KeyRing, exchange: Exchange): Promise<Identity> {
  const bearer = bearerOf(exchange.request.headers) ?? header(exchange.request.headers, 'apikey');
  if (!bearer) throw badRequest("headers must have required property 'authorization'");
  try {
    return await identityOf(ring, bearer);
  } catch (error) {
    throw error instanceof TokenError ? invalidTokenError(error) : error;
  }
}

/** `GET /object/…`: without a valid token only public buckets can be read. */
async function download(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const target = parseObjectPath(path);
  const identity = await tryIdentify(ring, exchange);
  const bucket = await requireBucket(context.sql, target.bucket);
  if (!identity && !bucket.public) throw bucketNotFound();
  const object = identity
    ? await visibleObject(context.sql, identity, target)
    : await objectAsService(context.sql, target);
  if (!object) throw objectNotFound();
  await sendObject(context.files, exchange, object);
}

/** `GET /object/info/…`: metadata of an object that the caller may see. */
async function sendObjectInfo(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const target = parseObjectPath(path);
  const object = await visibleObject(context.sql, await identify(ring, exchange), target);
  if (!object) throw objectNotFound();
  const { id, name, version, metadata, created_at } = object;
  sendJson(exchange, 200, {
    id,
    name,
    version,
    bucket_id: object.bucket_id,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    last_modified: metadata?.lastModified ?? null,
    metadata: object.user_metadata,
    created_at,
  });
}

async function downloadPublic(context: StorageContext, exchange: Exchange, path: string): Promise<void> {
  const target = parseObjectPath(path);
  const bucket = await requireBucket(context.sql, target.bucket);
  if (!bucket.public) throw bucketNotFound();
  const object = await objectAsService(context.sql, target);
  if (!object) throw objectNotFound();
  await sendObject(context.files, exchange, object);
}

async function upload(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const identity = await identify(ring, exchange);
  const target = parseObjectPath(path);
  const bucket = await requireBucket(context.sql, target.bucket);
  const upsert = exchange.method === 'PUT' || exchange.request.headers['x-upsert'] === 'true';
  if (exchange.method === 'PUT' && !(await visibleObject(context.sql, identity, target))) throw objectNotFound();
  await requireWriteAccess(context.sql, identity, target, upsert);
  await handleUpload(context, exchange, { target, bucket, owner: ownerOf(identity), upsert });
}

async function handleObject(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const { method } = exchange;
  const isRead = method === 'GET' || method === 'HEAD';
  const under = (prefix: string): string | undefined =>
    path.startsWith(prefix) ? path.slice(prefix.length) : undefined;

  const uploadLink = under('upload/sign/');
  if (uploadLink !== undefined && method === 'PUT')
    return uploadSigned(context, ring, exchange, parseObjectPath(uploadLink)).catch((error) =>
      drainAndThrow(exchange, error),
    );
  if (uploadLink !== undefined && method === 'POST')
    return signUpload(context, ring, exchange, await identify(ring, exchange), parseObjectPath(uploadLink));

  const link = under('sign/');
  if (link !== undefined && isRead) return downloadSigned(context, ring, exchange, parseObjectPath(link));
  if (link !== undefined && method === 'POST') {
    const identity = await identify(ring, exchange);
    if (link.includes('/')) return signOne(context, ring, exchange, identity, parseObjectPath(link));
    return signMany(context, ring, exchange, identity, decodePath(link));
  }

  const listed = under('list/');
  if (listed !== undefined && method === 'POST')
    return handleList(context, exchange, await identify(ring, exchange), decodePath(listed));

  const open = under('public/');
  if (open !== undefined && isRead) return downloadPublic(context, exchange, open);

  const info = under('info/');
  if (info !== undefined && isRead) return sendObjectInfo(context, ring, exchange, info);

  const own = under('authenticated/') ?? path;
  if (/^(copy|move|list-v2|upload|sign|list|public|render)(\/|$)/.test(own))
    throw notImplemented(`${method} /object/${own.split('/')[0]} of Storage`);
  if (isRead) return download(context, ring, exchange, own);
  if (method === 'POST' || method === 'PUT')
    return upload(context, ring, exchange, own).catch((error) => drainAndThrow(exchange, error));
  if (method === 'DELETE' && !own.includes('/'))
    return handleRemove(context, exchange, await identify(ring, exchange), decodePath(own));
  throw notImplemented(`${method} on an object of Storage`);
}

/** Handles one call of Storage; `path` is what follows `/storage/v1`, still percent-encoded. */
export async function handleStorage(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  path: string,
): Promise<void> {
  const key = header(exchange.request.headers, 'apikey');
  if (key !== undefined && !ring.roleOfApiKey(key)) throw accessDenied('Invalid API key');
  const object = /^\/object\/(.+)$/s.exec(path)?.[1];
  if (object !== undefined) return handleObject(context, ring, exchange, object);
  const bucket = /^\/bucket(?:\/([^/]+))?\/?$/.exec(path);
  if (bucket) {
    const id = bucket[1] === undefined ? undefined : decodePath(bucket[1]);
    return handleBuckets(context, exchange, await identify(ring, exchange), id);
  }
  throw notImplemented(`${exchange.method} ${path} of Storage`);
}
