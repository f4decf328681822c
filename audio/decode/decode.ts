/** Decodes any supported file to stereo at 44.1 kHz and rejects unusable songs. */
import { detectFormat } from './detect.ts';
import { unsupported } from './unsupported.ts';
import type { AudioFormat } from './detect.ts';
import { openFormat } from './decoders.ts';
import { ChannelBalance, repairChannels } from './channel-faults.ts';
import type { ChannelFault } from './channel-faults.ts';
import { foldDown } from './fold-down.ts';
import type { OpenedAudio, StereoChunk } from './opened-audio.ts';
import { AudioError } from '../errors.ts';
import { SAMPLE_RATE } from '../sample-rate.ts';
import { Resampler } from '../time/resample.ts';

export { SAMPLE_RATE };
export type { StereoChunk };

/** Length of the shortest accepted song: the tempo of shorter ones is not reliable. */
export const MIN_SONG_SEC = 5;
/** Length of the longest accepted song. */
export const MAX_SONG_SEC = 900;
/** Size of the largest accepted file. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024;
/** A file is silent if its largest sample magnitude is below this (-80 dBFS). */
export const SILENCE_PEAK = 1e-4;
/** Largest plausible sample magnitude: 30 dB over full scale. Decoders produce larger ones from damaged frames. */
const MAX_LEVEL = 32;
/** A file is truncated if less than this share of its declared length can be decoded. */
const MIN_DECODED_RATIO = 0.98;

/** Limits that differ from the defaults; a file outside of them is rejected. */
export type DecodeLimits = { minSec: number; maxSec: number; maxBytes: number };
/** An abort signal for decoding, other limits, and a fault of the channels that is repaired. */
export type DecodeOptions = { signal?: AbortSignal; limits?: Partial<DecodeLimits>; repair?: ChannelFault };

/** A decoded file: two channels at 44.1 kHz, full scale 1. */
export type DecodedAudio = {
  sampleRate: typeof SAMPLE_RATE;
  channels: StereoChunk;
  duration_sec: number;
  format: AudioFormat;
  sourceSampleRate: number;
  sourceChannels: number;
};

/** A song that is open for reading. `chunks` yields stereo at 44.1 kHz and throws AudioError if the song fails a check. */
export type AudioStream = {
  format: AudioFormat;
  sourceSampleRate: number;
  sourceChannels: number;
  /** Irregularities that are no reason to reject the file. */
  warnings: string[];
  chunks: AsyncGenerator<StereoChunk>;
  /** The fault of the channels as they are in the file; known after the last chunk. */
  channelFault: () => ChannelFault | null;
};

/** Converts chunks to stereo at 44.1 kHz and checks them on the way. Throws as soon as a check fails. */
async function* normalize(
  opened: OpenedAudio,
  limits: DecodeLimits,
  balance: ChannelBalance,
  { signal, repair }: DecodeOptions,
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
    const folded = foldDown(chunk, opened.layout);
    balance.push(folded);
    const stereo = repair ? repairChannels(folded, repair) : folded;
    samples += stereo[0].length;
    if (samples > limits.maxSec * sampleRate) throw tooLong(limits);
    for (const channel of stereo) {
      for (let i = 0; i < channel.length; i++) {
        const value = Math.abs(channel[i]!);
        if (value > peak) peak = value;
        if (!(value <= MAX_LEVEL))
          throw new AudioError('audio_damaged', 'The file decodes to samples far above full scale.');
      }
    }
    yield resamplers ? [resamplers[0].push(stereo[0]), resamplers[1].push(stereo[1])] : stereo;
  }
  const { expectedSamples } = opened;
  if (expectedSamples !== null && samples < expectedSamples * MIN_DECODED_RATIO) {
    const share = Math.floor((100 * samples) / expectedSamples);
    throw new AudioError('audio_truncated', `The file is incomplete: only ${share} % of the song is present.`);
  }
  if (samples < limits.minSec * sampleRate) {
    const length = (samples / sampleRate).toFixed(1);
    throw new AudioError('audio_too_short', `The song is ${length} s long. The minimum is ${limits.minSec} s.`);
  }
  if (!(peak >= SILENCE_PEAK)) throw new AudioError('audio_silent', 'The file is silent.');
  if (resamplers) yield [resamplers[0].flush(), resamplers[1].flush()];
}

function tooLong(limits: DecodeLimits): AudioError {
  return new AudioError('audio_too_long', `The song is longer than ${Math.round(limits.maxSec / 60)} minutes.`);
}

/**
 * Opens a file for reading in chunks of bounded size. Memory is that of the file and one chunk.
 * @throws AudioError if the file is empty or too large, has an unknown format or an invalid header, or declares too long a
 * duration. Other faults are thrown by `chunks`.
 */
export function openAudio(bytes: Uint8Array, options: DecodeOptions = {}): AudioStream {
  const limits = { minSec: MIN_SONG_SEC, maxSec: MAX_SONG_SEC, maxBytes: MAX_FILE_BYTES, ...options.limits };
  if (bytes.length === 0) throw new AudioError('audio_empty', 'The file is empty.');
  if (bytes.length > limits.maxBytes) {
    throw new AudioError('audio_too_large', `The file is larger than ${Math.round(limits.maxBytes / 2 ** 20)} MB.`);
  }
  const format = detectFormat(bytes);
  if (!format) throw unsupported(bytes);
  const opened = openFormat(bytes, format, options.signal);
  if (opened.declaredSamples !== null && opened.declaredSamples > limits.maxSec * opened.sampleRate * 1.001) {
    throw tooLong(limits);
  }
  const balance = new ChannelBalance(opened.sampleRate);
  return {
    format,
    sourceSampleRate: opened.sampleRate,
    sourceChannels: opened.channels,
    warnings: opened.warnings,
    chunks: normalize(opened, limits, balance, options),
    channelFault: () => balance.fault(),
  };
}

/**
 * Decodes a whole file to two channels at 44.1 kHz, full scale 1. The channels of a mono file are equal.
 * @throws AudioError for every file that cannot be used
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
