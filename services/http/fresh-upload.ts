/**
 * Signed upload URLs are used long after they were made, and self-hosted Storage lets them expire after 60 s: an expired one is
 * renewed when it is used.
 */
import { decodeJwt } from 'jose';
import type { Response } from 'undici';
import type { UploadTarget } from '../../schema.ts';
import { RenewUploadAnswer } from '../../schema/api.ts';
import { fetchOutgoing, OriginRefusedError } from './outgoing.ts';

const RENEWAL_TIMEOUT_MS = 15_000;
/** A token is renewed if it expires within this time, or within half of its life. Clocks differ, and an upload has to begin. */
const MARGIN_SEC = 30;

const HINT =
  'Deploy the edge function renew-upload, or let URLs live longer: UPLOAD_SIGNED_URL_EXPIRATION_TIME of Storage.';

/** A renewal that was refused or failed. `status` is that of the response, or null without one. Contains no secrets. */
export class RenewalError extends Error {
  readonly code = 'upload_url_expired';
  readonly hint: string;
  readonly status: number | null;

  constructor(message: string, status: number | null, { cause, hint = HINT }: { cause?: unknown; hint?: string } = {}) {
    super(message, { cause });
    this.hint = hint;
    this.name = 'RenewalError';
    this.status = status;
  }
}

/**
 * Returns the URL of an upload target, with a new token if it has none, or if its own has expired or soon will. Without a way to renew it, the URL
 * is returned as it is.
 * @throws RenewalError; the reason of the signal if it is aborted
 */
export async function freshUploadUrl({ path, url, renewal }: UploadTarget, signal?: AbortSignal): Promise<string> {
  if (renewal === undefined || !URL.canParse(url) || !isStale(new URL(url))) return url;
  const token = await renew({ path, renewal }, signal);
  const renewed = new URL(url);
  renewed.searchParams.set('token', token);
  return renewed.href;
}

/** Whether a URL has no token, or one that expires soon. A token that cannot be read counts as fresh: Storage decides. */
function isStale(url: URL): boolean {
  const token = url.searchParams.get('token');
  if (token === null) return true;
  try {
    const { exp, iat } = decodeJwt(token);
    if (exp === undefined) return false;
    const margin = iat === undefined ? MARGIN_SEC : Math.min(MARGIN_SEC, (exp - iat) / 2);
    return Date.now() / 1000 > exp - margin;
  } catch {
    return false;
  }
}

async function renew(
  { path, renewal }: { path: string; renewal: NonNullable<UploadTarget['renewal']> },
  signal: AbortSignal | undefined,
): Promise<string> {
  const timeout = AbortSignal.timeout(RENEWAL_TIMEOUT_MS);
  let response: Response;
  let body: unknown;
  try {
    response = await fetchOutgoing(new URL(renewal.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task_id: renewal.task_id, claim: renewal.claim, path }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    body = await response.json();
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (cause instanceof OriginRefusedError)
      throw new RenewalError(`The upload URL has expired: ${cause.message}`, null, { cause, hint: cause.hint });
    throw new RenewalError('The upload URL has expired and could not be renewed: no answer.', null, { cause });
  }
  const answer = RenewUploadAnswer.safeParse(body);
  if (response.ok && answer.success) return answer.data.token;
  throw new RenewalError(`The upload URL has expired, and its renewal returned ${response.status}.`, response.status);
}
