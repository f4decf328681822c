/** `/storage/v1`: objects, links, lists and buckets. */
import { decodePath, header, notImplemented, sendJson } from '../http.ts';
import type { Exchange } from '../http.ts';
import { bearerOf, identityOf } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { answerBuckets } from './buckets.ts';
import { badRequest, denied, noBucket, noObject, tokenRefusal } from './errors.ts';
import { followDownload, followUpload, signMany, signOne, signUpload } from './links.ts';
import { answerList, answerRemove } from './list.ts';
import { placeOf } from './names.ts';
import { linkedObject, ownerOf, requireBucket, requireMayWrite, visibleObject } from './objects.ts';
import type { StorageContext } from './objects.ts';
import { serveObject } from './serve.ts';
import { answerUpload, refuseAfterBody } from './upload.ts';

/** The caller, or undefined when there is no bearer or one that cannot be believed. */
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
    throw error instanceof TokenError ? tokenRefusal(error) : error;
  }
}

/** Reading by path: without a token that can be believed only public buckets are there. */
async function download(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const place = placeOf(path);
  const identity = await tryIdentify(ring, exchange);
  const bucket = await requireBucket(context.sql, place.bucket);
  if (!identity && !bucket.public) throw noBucket();
  const object = identity ? await visibleObject(context.sql, identity, place) : await linkedObject(context.sql, place);
  if (!object) throw noObject();
  await serveObject(context.files, exchange, object);
}

/** `GET /object/info/…`: what the row says, if the caller sees it. */
async function showInfo(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const place = placeOf(path);
  const object = await visibleObject(context.sql, await identify(ring, exchange), place);
  if (!object) throw noObject();
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
  const place = placeOf(path);
  const bucket = await requireBucket(context.sql, place.bucket);
  if (!bucket.public) throw noBucket();
  const object = await linkedObject(context.sql, place);
  if (!object) throw noObject();
  await serveObject(context.files, exchange, object);
}

async function upload(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const identity = await identify(ring, exchange);
  const place = placeOf(path);
  const bucket = await requireBucket(context.sql, place.bucket);
  const upsert = exchange.method === 'PUT' || exchange.request.headers['x-upsert'] === 'true';
  if (exchange.method === 'PUT' && !(await visibleObject(context.sql, identity, place))) throw noObject();
  await requireMayWrite(context.sql, identity, place, upsert);
  await answerUpload(context, exchange, { place, bucket, owner: ownerOf(identity), upsert });
}

async function answerObject(context: StorageContext, ring: KeyRing, exchange: Exchange, path: string): Promise<void> {
  const { method } = exchange;
  const reading = method === 'GET' || method === 'HEAD';
  const under = (prefix: string): string | undefined =>
    path.startsWith(prefix) ? path.slice(prefix.length) : undefined;

  const uploadLink = under('upload/sign/');
  if (uploadLink !== undefined && method === 'PUT')
    return followUpload(context, ring, exchange, placeOf(uploadLink)).catch((error) =>
      refuseAfterBody(exchange, error),
    );
  if (uploadLink !== undefined && method === 'POST')
    return signUpload(context, ring, exchange, await identify(ring, exchange), placeOf(uploadLink));

  const link = under('sign/');
  if (link !== undefined && reading) return followDownload(context, ring, exchange, placeOf(link));
  if (link !== undefined && method === 'POST') {
    const identity = await identify(ring, exchange);
    if (link.includes('/')) return signOne(context, ring, exchange, identity, placeOf(link));
    return signMany(context, ring, exchange, identity, decodePath(link));
  }

  const listed = under('list/');
  if (listed !== undefined && method === 'POST')
    return answerList(context, exchange, await identify(ring, exchange), decodePath(listed));

  const open = under('public/');
  if (open !== undefined && reading) return downloadPublic(context, exchange, open);

  const info = under('info/');
  if (info !== undefined && reading) return showInfo(context, ring, exchange, info);

  const own = under('authenticated/') ?? path;
  if (/^(copy|move|list-v2|upload|sign|list|public|render)(\/|$)/.test(own))
    throw notImplemented(`${method} /object/${own.split('/')[0]} of Storage`);
  if (reading) return download(context, ring, exchange, own);
  if (method === 'POST' || method === 'PUT')
    return upload(context, ring, exchange, own).catch((error) => refuseAfterBody(exchange, error));
  if (method === 'DELETE' && !own.includes('/'))
    return answerRemove(context, exchange, await identify(ring, exchange), decodePath(own));
  throw notImplemented(`${method} on an object of Storage`);
}

/** Answers one call of Storage. `path` is what follows `/storage/v1`, still encoded. */
export async function answerStorage(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  path: string,
): Promise<void> {
  const key = header(exchange.request.headers, 'apikey');
  if (key !== undefined && !ring.roleOfApiKey(key)) throw denied('Invalid API key');
  const object = /^\/object\/(.+)$/s.exec(path)?.[1];
  if (object !== undefined) return answerObject(context, ring, exchange, object);
  const bucket = /^\/bucket(?:\/([^/]+))?\/?$/.exec(path);
  if (bucket) {
    const id = bucket[1] === undefined ? undefined : decodePath(bucket[1]);
    return answerBuckets(context, exchange, await identify(ring, exchange), id);
  }
  throw notImplemented(`${exchange.method} ${path} of Storage`);
}
