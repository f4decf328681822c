/** Signed links: the token says which object, for how long and for what. */
import { z } from 'zod';
import { readJson, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import type { Identity } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { badRequest, invalidLinkTokenError, objectNotFound, storageError, invalidSignature } from './errors.ts';
import { objectKey } from './object-path.ts';
import type { ObjectPath } from './object-path.ts';
import { objectAsService, ownerOf, requireBucket, requireWriteAccess, visibleObject } from './objects.ts';
import type { StorageContext } from './objects.ts';
import { serveObject } from './send-object.ts';
import { handleSignedUpload } from './upload.ts';

/** Life of an upload link in seconds, as on hosted Supabase. */
const UPLOAD_LINK_SECONDS = 2 * 60 * 60;

const Download = z.object({ scope: z.literal('download'), url: z.string(), exp: z.number() });
const UploadLink = z.object({
  scope: z.literal('upload'),
  url: z.string(),
  upsert: z.boolean(),
  owner: z.string().nullable(),
});
const SignOne = z.object({ expiresIn: z.number().int().positive() });
const SignMany = SignOne.extend({ paths: z.array(z.string()).max(1000) });

/** Parses a JSON body against a schema. */
export async function parseBody<T>(exchange: Exchange, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(exchange, () => badRequest('Body is not valid JSON')));
  if (parsed.success) return parsed.data;
  const fault = parsed.error.issues[0];
  throw badRequest(`body/${fault?.path.join('/') ?? ''} ${fault?.message ?? 'is invalid'}`);
}

async function checkLink<T extends { url: string }>(
  ring: KeyRing,
  exchange: Exchange,
  place: ObjectPath,
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
  if (!parsed.success || parsed.data.url !== objectKey(place)) throw invalidSignature();
  return parsed.data;
}

function signDownload(ring: KeyRing, place: ObjectPath, seconds: number): Promise<string> {
  return ring.signLink({ scope: 'download', url: objectKey(place) }, seconds);
}

/** The path is not encoded: the client does that, and `%20` would become `%2520`. */
const downloadUrl = (place: ObjectPath, token: string): string => `/object/sign/${objectKey(place)}?token=${token}`;

/** `POST /object/sign/<bucket>/<name>`: the caller must see the object. */
export async function signOne(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  place: ObjectPath,
): Promise<void> {
  const { expiresIn } = await parseBody(exchange, SignOne);
  await requireBucket(context.sql, place.bucket);
  if (!(await visibleObject(context.sql, identity, place))) throw objectNotFound();
  sendJson(exchange, 200, { signedURL: downloadUrl(place, await signDownload(ring, place, expiresIn)) });
}

/** `POST /object/sign/<bucket>`: one answer per path, those that the caller does not see with an error. */
export async function signMany(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  bucket: string,
): Promise<void> {
  const { expiresIn, paths } = await parseBody(exchange, SignMany);
  await requireBucket(context.sql, bucket);
  const answers = paths.map(async (path) => {
    const place = { bucket, name: path };
    if (!(await visibleObject(context.sql, identity, place)))
      return { error: 'Either the object does not exist or you do not have access to it', path, signedURL: null };
    return { error: null, path, signedURL: downloadUrl(place, await signDownload(ring, place, expiresIn)) };
  });
  sendJson(exchange, 200, await Promise.all(answers));
}

/** `GET /object/sign/…?token=`: no key is needed. */
export async function downloadSigned(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  place: ObjectPath,
): Promise<void> {
  const link = await checkLink(ring, exchange, place, Download);
  const object = await objectAsService(context.sql, place);
  if (!object) throw objectNotFound();
  await serveObject(context.files, exchange, object, { expires: new Date(link.exp * 1000) });
}

/** `POST /object/upload/sign/…`: the right to upload is checked now, with the caller's role. */
export async function signUpload(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  identity: Identity,
  place: ObjectPath,
): Promise<void> {
  const upsert = exchange.request.headers['x-upsert'] === 'true';
  await requireBucket(context.sql, place.bucket);
  await requireWriteAccess(context.sql, identity, place, upsert);
  const claims = { scope: 'upload', url: objectKey(place), upsert, owner: ownerOf(identity).ownerId };
  const token = await ring.signLink(claims, UPLOAD_LINK_SECONDS);
  sendJson(exchange, 200, { url: `/object/upload/sign/${objectKey(place)}?token=${token}`, token });
}

/** `PUT /object/upload/sign/…?token=`: what the token says about replacing counts, not the header. */
export async function uploadSigned(
  context: StorageContext,
  ring: KeyRing,
  exchange: Exchange,
  place: ObjectPath,
): Promise<void> {
  const link = await checkLink(ring, exchange, place, UploadLink);
  const bucket = await requireBucket(context.sql, place.bucket);
  if (!link.upsert && (await objectAsService(context.sql, place)))
    throw storageError(409, 'ResourceAlreadyExists', 'Duplicate', 'The resource already exists');
  const owner = ownerOf({ role: 'authenticated', claims: { sub: link.owner } });
  await handleSignedUpload(context, exchange, { place, bucket, owner, upsert: link.upsert });
}
