/** Downloads and decodes stems. */
import { AudioError } from '../../../audio/errors.ts';
import { openAudio } from '../../../audio/decode/decode.ts';
import type { Stem } from '../../../schema.ts';
import { FetchAudioError, fetchAudio } from '../../http/fetch-audio.ts';
import { OriginRefusedError } from '../../http/outgoing.ts';
import { RenderError } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';

/** Largest stem that is downloaded: 15 minutes of 24-bit stereo. */
const MAX_STEM_BYTES = 256 * 1024 * 1024;
const STEM_TIMEOUT_MS = 60_000;
const MAX_STEM_SEC = 960;

/** Where a stem is downloaded from. `song` is the song's name, for error messages. */
export type StemSource = { url: string; song: string; stem: Stem };

/** Receives one decoded chunk of a stem; `at` is the sample of the stem at which it starts. */
export type ChunkSink = (chunk: [Float32Array, Float32Array], at: number) => void;

/**
 * Downloads a stem and decodes it chunk by chunk, as stereo at 44.1 kHz. A silent stem is accepted, since not every song has all
 * four parts.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readStem(source: StemSource, sink: ChunkSink): Promise<void> {
  try {
    const bytes = await downloadStem(source.url);
    const stream = openAudio(bytes, { limits: { minSec: 0, maxSec: MAX_STEM_SEC, maxBytes: MAX_STEM_BYTES } });
    let at = 0;
    for await (const chunk of stream.chunks) {
      sink(chunk, at);
      at += chunk[0].length;
    }
  } catch (error) {
    if (error instanceof AudioError && error.code === 'audio_silent') return;
    throw stemError(source, error);
  }
}

/**
 * Downloads and decodes a whole stem as one channel, the mean of both, at 44.1 kHz.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readMonoStem(source: StemSource): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  await readStem(source, ([left, right]) => pieces.push(left.map((value, i) => (value + right[i]!) / 2)));
  const mono = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces.splice(0)) {
    mono.set(piece, at);
    at += piece.length;
  }
  return mono;
}

function downloadStem(url: string): Promise<Uint8Array> {
  return retryConnection(
    () => fetchAudio(url, { maxBytes: MAX_STEM_BYTES, timeoutMs: STEM_TIMEOUT_MS }),
    (error) => error instanceof FetchAudioError && error.status === null && error.fault !== 'url',
  );
}

function stemError({ song, stem }: StemSource, error: unknown): RenderError {
  if (error instanceof AudioError) {
    const message = `The ${stem} stem of "${song}" cannot be used: ${error.message}`;
    return new RenderError('stem_unusable', message, error.hint, error);
  }
  if (error instanceof FetchAudioError && (error.fault === 'unavailable' || error.fault === 'timeout')) {
    const message = `The ${stem} stem of "${song}" could not be downloaded: the storage is not available`;
    return new RenderError('storage_unavailable', message, error.hint, error);
  }
  if (error instanceof FetchAudioError && error.cause instanceof OriginRefusedError) {
    const message = `The ${stem} stem of "${song}" could not be downloaded: ${error.message}`;
    return new RenderError('stem_unavailable', message, error.hint, error);
  }
  return new RenderError(
    'stem_unavailable',
    `The ${stem} stem of "${song}" could not be downloaded`,
    'Render again with fresh signed URLs; separate the song again if the stem is gone.',
    error,
  );
}
