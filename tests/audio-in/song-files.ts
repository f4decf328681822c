/** One short song in every supported format. */
import { readFile } from 'node:fs/promises';
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { playBand } from './signals.ts';

/** Length of the song. */
export const SONG_SEC = 6;

async function compress(format: 'mp3' | 'ogg', channels: [Float32Array, Float32Array]): Promise<Uint8Array> {
  const encoder = await (format === 'mp3' ? createMp3Encoder() : createOggEncoder());
  const common = { channels: 2, sampleRate: SAMPLE_RATE } as const;
  encoder.configure(format === 'mp3' ? { ...common, bitrate: 64 } : { ...common, vbrQuality: 1 });
  return new Uint8Array(Buffer.concat([encoder.encode(channels).slice(), encoder.finalize().slice()]));
}

/** Files of the band of `signals.ts`, about `SONG_SEC` long. Decoding `band.m4a` needs ffmpeg. */
export async function songFiles(): Promise<{ name: string; bytes: Uint8Array }[]> {
  const { samples } = playBand({ bpm: 120, tonic: 0, seconds: SONG_SEC });
  const fixture = async (name: string): Promise<Uint8Array> =>
    new Uint8Array(await readFile(new URL(`fixtures/${name}`, import.meta.url)));
  return [
    { name: 'mp3', bytes: await compress('mp3', [samples, samples]) },
    { name: 'mp3 with a header frame', bytes: await encodeAudio([samples, samples], SAMPLE_RATE, 'mp3') },
    { name: 'vorbis', bytes: await compress('ogg', [samples, samples]) },
    { name: 'flac', bytes: await encodeAudio([samples, samples], SAMPLE_RATE, 'flac') },
    { name: 'wav', bytes: encodeWav16([samples], SAMPLE_RATE) },
    { name: 'opus', bytes: await fixture('band.opus') },
    { name: 'm4a', bytes: await fixture('band.m4a') },
  ];
}
