/** Downloads and decodes stems: one file of any format, or FLAC in parts that follow one another. */
import { AudioError } from '../../../audio/errors.ts';
import { openAudio } from '../../../audio/decode/decode.ts';
import type { Stem } from '../../../schema.ts';
import { FetchAudioError, fetchAudio } from '../../http/fetch-audio.ts';
import { RenderError } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';

/** Largest file that is downloaded: 15 minutes of 24-bit stereo as WAV, from services that know no parts. */
const MAX_STEM_BYTES = 256 * 1024 * 1024;
const STEM_TIMEOUT_MS = 60_000;
const MAX_STEM_SEC = 960;

/** Where a stem is downloaded from: the URLs of its parts, in order. `song` is the song's name, for error messages. */
export type StemSource = { urls: readonly string[]; song: string; stem: Stem };

/**
 * Receives one decoded chunk of a stem; `at` is the sample of the stem at which it starts. Returns false if it needs nothing that
 * follows: then the rest is neither decoded nor downloaded.
 */
export type ChunkSink = (chunk: [Float32Array, Float32Array], at: number) => boolean | void;

/**
 * Downloads a stem and decodes it chunk by chunk, as stereo at 44.1 kHz. A silent stem is accepted, since not every song has all
 * four parts.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readStem(source: StemSource, sink: ChunkSink): Promise<void> {
  let at = 0;
  for (const url of source.urls) {
    try {
      for await (const chunk of await openPart(url)) {
        if (sink(chunk, at) === false) return;
        at += chunk[0].length;
      }
    } catch (error) {
      // A silent part ends with this error, after all of its samples.
      if (!(error instanceof AudioError && error.code === 'audio_silent')) throw stemError(source, error);
    }
  }
}

async function openPart(url: string): Promise<AsyncGenerator<[Float32Array, Float32Array]>> {
  const bytes = await downloadPart(url);
  return openAudio(bytes, { limits: { minSec: 0, maxSec: MAX_STEM_SEC, maxBytes: MAX_STEM_BYTES } }).chunks;
}

/**
 * Downloads and decodes a whole stem as one channel, the mean of both, at 44.1 kHz.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readMonoStem(source: StemSource): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  await readStem(source, ([left, right]) => void pieces.push(left.map((value, i) => (value + right[i]!) / 2)));
  const mono = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces.splice(0)) {
    mono.set(piece, at);
    at += piece.length;
  }
  return mono;
}

function downloadPart(url: string): Promise<Uint8Array> {
  return retryConnection(
    () => fetchAudio(url, { maxBytes: MAX_STEM_BYTES, timeoutMs: STEM_TIMEOUT_MS }),
    (error) => error instanceof FetchAudioError && error.status === null,
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
  return new RenderError(
    'stem_unavailable',
    `The ${stem} stem of "${song}" could not be downloaded`,
    'Render again with fresh signed URLs; separate the song again if the stem is gone.',
    error,
  );
}
