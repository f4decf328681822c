/** The analysis service: `POST /analyze` returns the analysis of a song. */
import type { Server } from 'node:http';
import { AnalyzeRequest } from '../../schema.ts';
import type { AnalyzeResponse } from '../../schema.ts';
import { asServiceError, loadAudio } from '../http/audio-input.ts';
import {
  AUDIO_BODY_LIMIT_BYTES,
  createServiceApp,
  createServiceServer,
  disconnectSignal,
  readBody,
} from '../http/app.ts';
import { ServiceError } from '../http/errors.ts';
import { ANALYSIS_VERSION } from './analyze.ts';
import { runAnalysis } from './run-analysis.ts';

async function analyze(request: AnalyzeRequest, signal: AbortSignal): Promise<AnalyzeResponse> {
  if (!request.file_urls && !request.file_url && !request.audio_data) {
    throw new ServiceError('Either file_url or audio_data must be provided.', {
      status: 400,
      code: 'audio_missing',
      hint: 'Send `file_url` with the URL of the song, or `audio_data` with its bytes in base64.',
    });
  }
  try {
    const urls = request.file_urls ?? (request.file_url ? [request.file_url] : []);
    const files = [];
    for (const url of urls) files.push(await loadAudio(url, signal));
    if (files.length === 0) files.push(Uint8Array.from(Buffer.from(request.audio_data ?? '', 'base64')));
    return { success: true, songId: request.song_id, analysis: await runAnalysis({ files }, signal) };
  } catch (error) {
    throw asServiceError(error);
  }
}

/** Creates the analysis service's HTTP server. It does not listen yet. */
export function createAnalysisServer(): Server {
  const app = createServiceApp({
    service: 'analysis',
    version: ANALYSIS_VERSION,
    bodyLimitBytes: AUDIO_BODY_LIMIT_BYTES,
  });
  app.post('/analyze', async (context) => {
    const request = await readBody(context, AnalyzeRequest);
    return context.json(await analyze(request, disconnectSignal(context)));
  });
  return createServiceServer(app);
}
