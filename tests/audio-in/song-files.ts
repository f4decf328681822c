/** One short song in every supported format. */
import { readFile } from 'node:fs/promises';
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { writeFlacOf } from '../../bench/hard-material/containers/flac-file.ts';
import { chained, encodeVorbis } from '../../bench/hard-material/containers/ogg-file.ts';
import { writeAiff, writeWav } from '../../bench/hard-material/containers/pcm-files.ts';
import { id3v1, id3v2 } from '../../bench/hard-material/containers/tag-bytes.ts';
import { encodeMp3At } from '../../bench/hard-material/containers/mp3-file.ts';
import { playBand } from './signals.ts';

/** Length of the song. */
export const SONG_SEC = 6;

async function compress(format: 'mp3' | 'ogg', channels: [Float32Array, Float32Array]): Promise<Uint8Array> {
  const encoder = await (format === 'mp3' ? createMp3Encoder() : createOggEncoder());
  const common = { channels: 2, sampleRate: SAMPLE_RATE } as const;
  encoder.configure(format === 'mp3' ? { ...common, bitrate: 64 } : { ...common, vbrQuality: 1 });
  return new Uint8Array(Buffer.concat([encoder.encode(channels).slice(), encoder.finalize().slice()]));
}

/** Files of unusual kinds, each two seconds long: too short for a song, and quick to damage and decode. */
export async function unusualFiles(): Promise<{ name: string; bytes: Uint8Array }[]> {
  const { samples } = playBand({ bpm: 120, tonic: 0, seconds: 2 });
  const channels = [samples, samples];
  const low = await encodeMp3At(channels, 22_050, 64);
  const mp3 = await compress('mp3', [samples, samples]);
  const opus = new Uint8Array(await readFile(new URL('fixtures/band.opus', import.meta.url)));
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  return [
    { name: 'aiff', bytes: writeAiff([samples], { sampleRate: SAMPLE_RATE, bits: 24 }) },
    { name: 'aiff-c', bytes: writeAiff([samples], { sampleRate: SAMPLE_RATE, bits: 16, compression: 'sowt' }) },
    { name: 'wav with 24 of 32 bits', bytes: writeWav([samples], { sampleRate: SAMPLE_RATE, bits: 24, width: 4 }) },
    { name: 'bw64', bytes: writeWav([samples], { sampleRate: SAMPLE_RATE, bits: 16, mark: 'BW64' }) },
    { name: 'wav with A-law', bytes: writeWav([samples], { sampleRate: SAMPLE_RATE, bits: 8, kind: 'alaw' }) },
    { name: 'flac with 20 bits', bytes: writeFlacOf([samples], SAMPLE_RATE, 20) },
    { name: 'flac with 32 bits and tags', bytes: join(id3v2(300), writeFlacOf([samples], SAMPLE_RATE, 32), id3v1()) },
    { name: 'joined mp3', bytes: join(mp3, id3v2(500), low) },
    { name: 'chained opus', bytes: chained(opus, opus) },
    {
      name: 'chained vorbis',
      bytes: chained(await encodeVorbis(channels, SAMPLE_RATE, 1), await encodeVorbis([samples], 22_050, 4)),
    },
  ];
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
