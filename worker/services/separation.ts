/** Client of the separation service, `POST /separate`. */
import { SeparateResponse, SERVICE_DEFAULTS, StemPaths } from '../../schema.ts';
import type { SeparateRequest } from '../../schema.ts';
import { callJson } from './http.ts';
import { parseResponse } from './read.ts';

/** Model of the existing service, which does not report it. */
const DEFAULT_MODEL = 'htdemucs';

/**
 * Separates a song into four stems, which the service writes to Storage.
 * @returns the object paths of the stems, and the model's name
 * @throws TaskError
 */
export async function callSeparate(
  baseUrl: string,
  request: SeparateRequest,
  options: { signal: AbortSignal; timeoutMs: number; token?: string },
): Promise<{ paths: StemPaths; model: string }> {
  const response = parseResponse(
    'separation',
    SeparateResponse,
    await callJson({
      service: 'separation',
      baseUrl,
      path: SERVICE_DEFAULTS.separation.path,
      body: request,
      ...options,
    }),
  );
  const { vocals, drums, bass, other } = StemPaths.parse(response.stems);
  const model = response['model'];
  return {
    paths: { vocals, drums, bass, other },
    model: typeof model === 'string' && model !== '' ? model.slice(0, 100) : DEFAULT_MODEL,
  };
}
