/** `POST /separate`: a song into four stems in Storage. */
import { SeparateResponse, SERVICE_DEFAULTS } from '../../schema.ts';
import type { SeparateRequest, StemPaths } from '../../schema.ts';
import { callJson } from './http.ts';
import { readAnswer } from './read.ts';

/** What the existing service runs; it does not say so. */
const DEFAULT_MODEL = 'htdemucs';

export async function callSeparate(
  baseUrl: string,
  request: SeparateRequest,
  options: { signal: AbortSignal; timeoutMs: number },
): Promise<{ paths: StemPaths; model: string }> {
  const answer = readAnswer(
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
  const { vocals, drums, bass, other } = answer.stems;
  const model = answer['model'];
  return {
    paths: { vocals, drums, bass, other },
    model: typeof model === 'string' && model !== '' ? model.slice(0, 100) : DEFAULT_MODEL,
  };
}
