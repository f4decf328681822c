/** Opens files for decoding: one function per format reads the declared properties and decodes the samples in chunks. */
import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { MPEGDecoder } from 'mpg123-decoder';
import { OggOpusDecoder } from 'ogg-opus-decoder';
import type { AudioFormat } from './detect.ts';
import { AudioError } from '../errors.ts';
import { openWithFfmpeg } from './ffmpeg.ts';
import { id3v2Length, summarizeMp3 } from './mp3-frames.ts';
import { flacLayout, wavLayout } from './channel-layout.ts';
import { summarizeOgg } from './ogg-pages.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { parseWav, readWavFrames } from './wav.ts';

/** Bytes given to a decoder at a time: 1 to 4 seconds of sound at usual rates. Larger pieces leave more garbage to collect. */
const FEED_BYTES = 64 * 1024;
/** Frames of WAV read at a time. */
const WAV_CHUNK_FRAMES = 262_144;
/** Files with more than this share of damaged bytes are rejected. */
const MAX_DAMAGED_RATIO = 0.02;

type Decoded = { channelData: Float32Array[]; samplesDecoded: number; errors: readonly unknown[]; bitDepth?: number };
type ChunkDecoder = {
  ready: Promise<void>;
  decode: (bytes: Uint8Array) => Decoded | Promise<Decoded>;
  flush?: () => Decoded | Promise<Decoded>;
  free: () => void;
};

/**
 * Decodes a file with a WebAssembly decoder. After an error the instance is dropped, not freed: its memory may be in any
 * state and is released with the module.
 */
async function* decodeInPieces(decoder: ChunkDecoder, bytes: Uint8Array): AsyncGenerator<Float32Array[]> {
  try {
    await decoder.ready;
    for (let offset = 0; offset < bytes.length; offset += FEED_BYTES) {
      const decoded = await decoder.decode(bytes.subarray(offset, offset + FEED_BYTES));
      if (decoded.samplesDecoded > 0) yield decoded.channelData;
    }
    const rest = await decoder.flush?.();
    if (rest && rest.samplesDecoded > 0) yield rest.channelData;
  } catch (cause) {
    throw new AudioError('audio_damaged', 'The file cannot be decoded: its content is damaged.', { cause });
  }
  decoder.free();
}

/**
 * The FLAC decoder divides an integer sample by its largest value (32767 for 16 bits) instead of by full scale (32768), so that
 * samples differ from those of a WAV file and exceed -1. Returns pieces of samples that are exact.
 */
class ExactFlacDecoder implements ChunkDecoder {
  readonly #decoder = new FLACDecoder();
  readonly ready = this.#decoder.ready;

  async decode(bytes: Uint8Array): Promise<Decoded> {
    return toFullScale(await this.#decoder.decode(bytes));
  }

  async flush(): Promise<Decoded> {
    return toFullScale(await this.#decoder.flush());
  }

  free(): void {
    this.#decoder.free();
  }
}

function toFullScale(decoded: Decoded): Decoded {
  const { channelData, bitDepth = 16 } = decoded;
  const fullScale = 2 ** (bitDepth - 1);
  const largest = fullScale - 1;
  const step = 1 / fullScale;
  for (const samples of channelData)
    for (let i = 0; i < samples.length; i++) samples[i] = Math.round(samples[i]! * largest) * step;
  return decoded;
}

function openMp3(bytes: Uint8Array): OpenedAudio {
  const summary = summarizeMp3(bytes);
  if (!summary) throw new AudioError('audio_damaged', 'The MP3 file has no intact frames.');
  return {
    sampleRate: summary.sampleRate,
    channels: summary.channels,
    layout: wavLayout(summary.channels),
    declaredSamples: summary.declaredSamples ?? summary.presentSamples,
    fault: summary.junkRatio > MAX_DAMAGED_RATIO ? 'damaged' : null,
    ...(summary.endsInFrame && { warning: 'The MP3 file ends inside a frame: its end may be missing.' }),
    chunks: decodeInPieces(new MPEGDecoder(), bytes),
  };
}

function openFlac(bytes: Uint8Array): OpenedAudio {
  const body = bytes.subarray(id3v2Length(bytes));
  if (body.length < 42) throw new AudioError('audio_truncated', 'The FLAC file ends inside its header.');
  // STREAMINFO (RFC 9639, 8.2): 20 bits rate, 3 bits channels - 1, 5 bits depth - 1, 36 bits samples.
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const samples = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
  const sampleRate = view.getUint32(18) >>> 12;
  if (sampleRate === 0) throw new AudioError('audio_damaged', 'The header of the FLAC file is invalid.');
  const channels = ((view.getUint8(20) >> 1) & 7) + 1;
  return {
    sampleRate,
    channels,
    layout: flacLayout(body, channels),
    declaredSamples: samples > 0 ? samples : null,
    fault: null,
    chunks: decodeInPieces(new ExactFlacDecoder(), body),
  };
}

function openOgg(bytes: Uint8Array, decoder: ChunkDecoder): OpenedAudio {
  const summary = summarizeOgg(bytes);
  if (!summary || summary.sampleRate < 1000) {
    throw new AudioError('audio_damaged', 'The header of the Ogg file is invalid.');
  }
  const damaged = summary.damagedRatio > MAX_DAMAGED_RATIO;
  return {
    sampleRate: summary.sampleRate,
    channels: summary.channels,
    layout: summary.layout,
    declaredSamples: summary.declaredSamples,
    fault: damaged ? 'damaged' : summary.complete ? null : 'truncated',
    chunks: decodeInPieces(decoder, bytes),
  };
}

function openWav(bytes: Uint8Array): OpenedAudio {
  const info = parseWav(bytes);
  async function* chunks(): AsyncGenerator<Float32Array[]> {
    for (let from = 0; from < info.frames; from += WAV_CHUNK_FRAMES) {
      yield readWavFrames(bytes, info, from, Math.min(WAV_CHUNK_FRAMES, info.frames - from));
    }
  }
  return {
    sampleRate: info.sampleRate,
    channels: info.channels,
    layout: info.layout,
    declaredSamples: info.declaredFrames,
    fault: null,
    chunks: chunks(),
  };
}

/**
 * Opens a file of a known format.
 * @throws AudioError if the header alone shows that the file cannot be used. `chunks` throws it for faults in the body.
 */
export function openFormat(bytes: Uint8Array, format: AudioFormat, signal?: AbortSignal): OpenedAudio {
  switch (format) {
    case 'mp3':
      return openMp3(bytes);
    case 'flac':
      return openFlac(bytes);
    case 'ogg-flac':
      return openOgg(bytes, new ExactFlacDecoder());
    case 'ogg-vorbis':
      return openOgg(bytes, new OggVorbisDecoder());
    case 'ogg-opus':
      return openOgg(bytes, new OggOpusDecoder());
    case 'wav':
      return openWav(bytes);
    case 'm4a':
    case 'aac':
      return openWithFfmpeg(bytes, format, signal);
  }
}
