/** Client of the separation service, `POST /separate`. */
import { SeparateResponse, SERVICE_DEFAULTS, StemPaths } from '../../schema.ts';
import type { SeparateRequest, StoredStems } from '../../schema.ts';
import { callJson } from './http.ts';
import { parseResponse } from './read.ts';

/** Model of the existing service, which does not report it. */
const DEFAULT_MODEL = 'htdemucs';

/**
 * Separates a song, or the ranges of the request, into four stems, which the service writes to Storage. A service that does not know
 * ranges separates the whole song.
 * @returns the object paths of the stems, and the model's name
 * @throws TaskError
 */
export async function callSeparate(
  baseUrl: string,
  request: SeparateRequest,
  options: { signal: AbortSignal; timeoutMs: number; token?: string },
): Promise<{ paths: StoredStems; model: string }> {
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
  const { stems, pieces = [] } = response;
  const model = response['model'];
  return {
    // Parsing leaves out members of older services that are not stems.
    paths: stems ? StemPaths.parse(stems) : { pieces },
    model: typeof model === 'string' && model !== '' ? model.slice(0, 100) : DEFAULT_MODEL,
  };
}
