/** Request bodies: read up to a limit, parsed, checked. */
import { z } from 'zod';
import { ApiError } from './http.ts';

/** Largest body where nothing else is said: no request needs a tenth of it. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads a JSON body.
 * @throws ApiError 413 `request_too_large`, 400 `invalid_body`
 */
export async function readJson(request: Request, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, 'invalid_body', 'Invalid request body', {
      hint: 'Send a JSON object.',
      details: 'The request body is not valid JSON.',
    });
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new ApiError(413, 'request_too_large', 'Request too large', {
      hint: 'Upload audio to Storage and send its path; send nothing else that is large.',
      details: `A request may have ${maxBytes} bytes.`,
    });
  // What the length claims is checked first, what arrives is counted: a chunked body claims nothing.
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What is wrong with a value, one fault after the other: `songs.0.name: Too small …`. */
export function faultsOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
}

/** Whether a fault concerns this member of the body. */
export function concerns(error: z.ZodError, member: string): boolean {
  return error.issues.some((issue) => issue.path[0] === member);
}

/** The idempotency key of a request, from its header or its body; undefined without one. */
export function idempotencyKeyOf(request: Request, fromBody: string | null | undefined): string | undefined {
  const key = request.headers.get('idempotency-key')?.trim() || fromBody || undefined;
  if (key !== undefined && key.length > 200) {
    throw new ApiError(400, 'invalid_request', 'Invalid idempotency key', { hint: 'Use at most 200 characters.' });
  }
  return key;
}
