/** Signed links: the token holds the object, the expiry and the purpose. */
import { z } from 'zod';
import { readJson, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import {
  badRequest,
  invalidLinkTokenError,
  objectExists,
  objectNotFound,
  storageError,
  invalidSignature,
} from './errors.ts';
import { objectKey } from './object-path.ts';
import type { ObjectPath } from './object-path.ts';
import { objectAsService, ownerOf, requireBucket, requireWriteAccess, visibleObject } from './objects.ts';
import type { StorageContext } from './objects.ts';
import { sendObject } from './send-object.ts';
import { handleSignedUpload } from './upload.ts';

/** Default lifetime of an upload link in seconds, as on hosted Supabase. */
const UPLOAD_LINK_SECONDS = 2 * 60 * 60;

const Download = z.object({ scope: z.literal('download'), url: z.string(), exp: z.number() });
const UploadLink = z.object({
  scope: z.literal('upload'),
  url: z.string(),
  upsert: z.boolean(),
  owner: z.string().nullable(),
});
const SignOne = z.object({ expiresIn: z.number().int().positive() });
const SignMany = SignOne.extend({ paths: z.array(z.string()).min(1).max(1000) });

/**
 * Parses a JSON body against a schema.
 * @throws HttpError `InvalidRequest`
 */
export async function parseBody<T>(exchange: Exchange, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(exchange, () => badRequest('Body is not valid JSON')));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badRequest(`body/${issue?.path.join('/') ?? ''} ${issue?.message ?? 'is invalid'}`);
}

async function checkLink<T extends { url: string }>(
  ring: KeyRing,
  exchange: Exchange,
  target: ObjectPath,
  schema: z.ZodType<T>,
): Promise<T> {
  const token = exchange.query.get('token');
  if (!token)
    throw storageError(400, 'InvalidRequest', 'Invalid Request', 'querystring must have required property token');
  let claims: unknown;
  try {
    claims = await ring.verifyLink(token);
  } catch (error) {
    throw error instanceof TokenError ? invalidLinkTokenError(error) : error;
  }
  const parsed = schema.safeParse(claims);
  if (!parsed.success || parsed.data.url !== objectKey(target)) throw invalidSignature();
  return parsed.data;
}

function signDownload(ring: KeyRing, target: ObjectPath, seconds: number): Promise<string> {
  return ring.signLink({ scope: 'download', url: objectKey(target) }, seconds);
}

/** Returns the URL of a signed download. The path is not encoded: the client does that, and `%20` would become `%2520`. */
const downloadUrl = (target: ObjectPath, token: string): string => `/object/sign/${objectKey(target)}?token=${token}`;

/** Handles `POST /object/sign/<bucket>/<name>`: signs a download. The caller must see the object. */
export async function signOne(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  target: ObjectPath,
): Promise<void> {
  const { expiresIn } = await parseBody(exchange, SignOne);
  await requireBucket(context.sql, target.bucket);
  if (!(await visibleObject(context.sql, identity, target))) throw objectNotFound();
  sendJson(exchange, 200, { signedURL: downloadUrl(target, await signDownload(ring, target, expiresIn)) });
}

/** Handles `POST /object/sign/<bucket>`: signs several downloads. Objects that the caller does not see get an error. */
export async function signMany(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  bucket: string,
): Promise<void> {
  const { expiresIn, paths } = await parseBody(exchange, SignMany);
  await requireBucket(context.sql, bucket);
  const links = paths.map(async (path) => {
    const target = { bucket, name: path };
    if (!(await visibleObject(context.sql, identity, target)))
      return { error: 'Either the object does not exist or you do not have access to it', path, signedURL: null };
    return { error: null, path, signedURL: downloadUrl(target, await signDownload(ring, target, expiresIn)) };
  });
  sendJson(exchange, 200, await Promise.all(links));
}

/** Handles `GET /object/sign/…?token=`: downloads without an API key. */
export async function downloadSigned(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  target: ObjectPath,
): Promise<void> {
  const link = await checkLink(ring, exchange, target, Download);
  const object = await objectAsService(context.sql, target);
  if (!object) throw objectNotFound();
  await sendObject(context.files, exchange, object, { expires: new Date(link.exp * 1000) });
}

/** Handles `POST /object/upload/sign/…`: signs an upload. The right to upload is checked here, with the caller's role. */
export async function signUpload(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  target: ObjectPath,
): Promise<void> {
  const upsert = exchange.request.headers['x-upsert'] === 'true';
  await requireBucket(context.sql, target.bucket);
  await requireWriteAccess(context.sql, identity, target, upsert);
  const claims = { scope: 'upload', url: objectKey(target), upsert, owner: ownerOf(identity).ownerId };
  const token = await ring.signLink(claims, context.uploadUrlSeconds ?? UPLOAD_LINK_SECONDS);
  sendJson(exchange, 200, { url: `/object/upload/sign/${objectKey(target)}?token=${token}`, token });
}

/** Handles `PUT /object/upload/sign/…?token=`: uploads. Whether it may replace depends on the token, not on the header. */
export async function uploadSigned(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  target: ObjectPath,
): Promise<void> {
  const link = await checkLink(ring, exchange, target, UploadLink);
  const bucket = await requireBucket(context.sql, target.bucket);
  if (!link.upsert && (await objectAsService(context.sql, target))) throw objectExists();
  const owner = ownerOf({ role: 'authenticated', claims: { sub: link.owner } });
  await handleSignedUpload(context, exchange, { target, bucket, owner, upsert: link.upsert });
}
