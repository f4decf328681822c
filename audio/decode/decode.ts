/** Any supported file to stereo at 44.1 kHz, with the checks that keep unusable songs out. */
import { detectFormat } from './detect.ts';
import type { AudioFormat } from './detect.ts';
import { openFormat } from './decoders.ts';
import type { OpenedAudio } from './decoders.ts';
import { AudioError } from '../errors.ts';
import { Resampler } from '../time/resample.ts';

/** Rate that everything behind the decoder works at, Hz. */
export const SAMPLE_RATE = 44_100;
/** Shorter songs have no tempo worth the name. */
export const MIN_SONG_SEC = 5;
export const MAX_SONG_SEC = 900;
export const MAX_FILE_BYTES = 50 * 1024 * 1024;
/** A file whose loudest sample is below this (-80 dBFS) is silent. */
export const SILENCE_PEAK = 1e-4;
/** Nothing that was made as sound is 30 dB over full scale; decoders make such samples, and worse, of damaged frames. */
const MAX_LEVEL = 32;
/** Less than this part of the declared length decoded is damage or truncation. */
const MIN_DECODED_RATIO = 0.98;
/** Level of the centre and surround channels when more than two are folded to stereo (ITU-R BS.775). */
const FOLD_GAIN = Math.SQRT1_2;

export type StereoChunk = [left: Float32Array, right: Float32Array];

export type DecodeLimits = { minSec: number; maxSec: number; maxBytes: number };
export type DecodeOptions = { signal?: AbortSignal; limits?: Partial<DecodeLimits> };

export type DecodedAudio = {
  sampleRate: typeof SAMPLE_RATE;
  channels: StereoChunk;
  duration_sec: number;
  format: AudioFormat;
  sourceSampleRate: number;
  sourceChannels: number;
};

/** A song that is open for reading; `chunks` gives stereo at 44.1 kHz and throws AudioError when the song fails a check. */
export type AudioStream = {
  format: AudioFormat;
  sourceSampleRate: number;
  sourceChannels: number;
  /** What is odd about the file and no reason to refuse it. */
  warnings: string[];
  chunks: AsyncGenerator<StereoChunk>;
};

function toStereo(channels: readonly Float32Array[]): StereoChunk {
  const first = channels[0]!;
  if (channels.length === 1) return [first, first];
  if (channels.length === 2) return [first, channels[1]!];
  // Orders of Vorbis, FLAC and WAV differ only beyond the first three; the low-frequency channel is rarely missed.
  const gain = 1 / (1 + FOLD_GAIN);
  const centre = channels[2]!;
  const fold = (side: Float32Array): Float32Array => side.map((value, i) => gain * (value + FOLD_GAIN * centre[i]!));
  return [fold(first), fold(channels[1]!)];
}

/** Songs are measured as they pass; whatever is wrong is thrown as soon as it is known. */
async function* normalize(
  opened: OpenedAudio,
  limits: DecodeLimits,
  signal?: AbortSignal,
): AsyncGenerator<StereoChunk> {
  const { sampleRate } = opened;
  const resamplers =
    sampleRate === SAMPLE_RATE
      ? null
      : ([new Resampler(sampleRate, SAMPLE_RATE), new Resampler(sampleRate, SAMPLE_RATE)] as const);
  let samples = 0;
  let peak = 0;
  for await (const chunk of opened.chunks) {
    signal?.throwIfAborted();
    const stereo = toStereo(chunk);
    samples += stereo[0].length;
    if (samples > limits.maxSec * sampleRate) throw tooLong(limits);
    for (const channel of stereo) {
      for (let i = 0; i < channel.length; i++) {
        const value = Math.abs(channel[i]!);
        if (value > peak) peak = value;
        if (!(value <= MAX_LEVEL))
          throw new AudioError('audio_damaged', 'The file decodes to levels that no sound has.');
      }
    }
    yield resamplers ? [resamplers[0].push(stereo[0]), resamplers[1].push(stereo[1])] : stereo;
  }
  const { declaredSamples } = opened;
  if (opened.fault === 'truncated' || (declaredSamples !== null && samples < declaredSamples * MIN_DECODED_RATIO)) {
    const share = declaredSamples ? Math.floor((100 * samples) / declaredSamples) : 0;
    throw new AudioError(
      'audio_truncated',
      `The file is incomplete: only ${Math.min(share, 99)} % of the song is there.`,
    );
  }
  if (samples < limits.minSec * sampleRate) {
    const length = (samples / sampleRate).toFixed(1);
    throw new AudioError('audio_too_short', `The song is ${length} s long; at least ${limits.minSec} s are needed.`);
  }
  if (!(peak >= SILENCE_PEAK)) throw new AudioError('audio_silent', 'The file holds nothing but silence.');
  if (resamplers) yield [resamplers[0].flush(), resamplers[1].flush()];
}

function tooLong(limits: DecodeLimits): AudioError {
  return new AudioError('audio_too_long', `The song is longer than ${Math.round(limits.maxSec / 60)} minutes.`);
}

/**
 * Opens a file for reading in chunks of bounded size: memory is that of the file plus one chunk.
 * @throws AudioError for what the first bytes show: empty, too large, unknown format, broken header, declared too long.
 */
export function openAudio(bytes: Uint8Array, options: DecodeOptions = {}): AudioStream {
  const limits = { minSec: MIN_SONG_SEC, maxSec: MAX_SONG_SEC, maxBytes: MAX_FILE_BYTES, ...options.limits };
  if (bytes.length === 0) throw new AudioError('audio_empty', 'The file is empty.');
  if (bytes.length > limits.maxBytes) {
    throw new AudioError('audio_too_large', `The file is larger than ${Math.round(limits.maxBytes / 2 ** 20)} MB.`);
  }
  const format = detectFormat(bytes);
  if (!format) throw new AudioError('audio_unsupported_format', 'The file is not audio in a format that can be read.');
  const opened = openFormat(bytes, format, options.signal);
  if (opened.fault === 'damaged') throw new AudioError('audio_damaged', 'Parts of the file are damaged.');
  if (opened.declaredSamples !== null && opened.declaredSamples > limits.maxSec * opened.sampleRate * 1.001) {
    throw tooLong(limits);
  }
  return {
    format,
    sourceSampleRate: opened.sampleRate,
    sourceChannels: opened.channels,
    warnings: opened.warning === undefined ? [] : [opened.warning],
    chunks: normalize(opened, limits, options.signal),
  };
}

/**
 * Decodes a whole file to two channels at 44.1 kHz, full scale 1; a mono file gives two equal channels.
 * @throws AudioError with a code of AUDIO_ERROR_CODES for every file that cannot be used.
 */
export async function decodeAudio(bytes: Uint8Array, options: DecodeOptions = {}): Promise<DecodedAudio> {
  const stream = openAudio(bytes, options);
  const chunks: StereoChunk[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  const join = (channel: 0 | 1): Float32Array => {
    const length = chunks.reduce((sum, chunk) => sum + chunk[channel].length, 0);
    const joined = new Float32Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      joined.set(chunk[channel], offset);
      offset += chunk[channel].length;
    }
    return joined;
  };
  const left = join(0);
  const { format, sourceSampleRate, sourceChannels } = stream;
  return {
    sampleRate: SAMPLE_RATE,
    channels: [left, join(1)],
    duration_sec: left.length / SAMPLE_RATE,
    format,
    sourceSampleRate,
    sourceChannels,
  };
}
