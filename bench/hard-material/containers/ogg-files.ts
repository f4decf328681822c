/** Ogg files that are hard to read. */
import { readFile } from 'node:fs/promises';
import { decodeAudio } from '../../../audio/decode/decode.ts';
import type { ContainerFile } from './container-file.ts';
import * as ogg from './ogg-file.ts';
import { joined, resampled, shortSong } from './short-song.ts';
import type { Stereo } from './short-song.ts';

const OPUS = new URL('../../../tests/audio-in/fixtures/band.opus', import.meta.url);
const GAIN_DB = -9;
/** Twenty minutes at 48 kHz. */
const LATE = 1200 * 48_000;

let opusBytes: Uint8Array | undefined;
let opusSong: Stereo | undefined;
const vorbisFiles = new Map<string, Uint8Array>();

async function opus(): Promise<Uint8Array> {
  return (opusBytes ??= new Uint8Array(await readFile(OPUS)));
}

/** What the Opus file holds: it has no peculiarities, and opus-tools decode it to the same. */
async function songOfOpus(): Promise<Stereo> {
  return (opusSong ??= (await decodeAudio(await opus())).channels);
}

async function vorbis(quality = 4, rate = 44_100, channels = 2): Promise<Uint8Array> {
  const key = `${quality} ${rate} ${channels}`;
  const known = vorbisFiles.get(key);
  if (known) return known;
  const made = await ogg.encodeVorbis(resampled(shortSong().slice(0, channels), rate), rate, quality);
  vorbisFiles.set(key, made);
  return made;
}

const scaled = ([left, right]: Stereo, gain: number): Stereo => [
  left.map((value) => value * gain),
  right.map((value) => value * gain),
];

/** Twice the song, the second time mono. */
function withMono(): Stereo {
  const song = shortSong();
  return joined(song, [song[0], song[0]]);
}

export const OGG_FILES: readonly ContainerFile[] = [
  {
    name: 'Opus without a mark at its end',
    before: 'The file is incomplete: only 99 % of the song is present.',
    make: async () => ogg.withoutEnd(await opus()),
    song: songOfOpus,
    likeness: 0.999,
    samples: 960,
  },
  {
    name: 'Vorbis without a mark at its end',
    before: 'The file is incomplete: only 99 % of the song is present.',
    make: async () => ogg.withoutEnd(await vorbis()),
    song: shortSong,
    likeness: 0.98,
    samples: 4096,
  },
  {
    name: 'Opus whose positions start at twenty minutes',
    before: 'The song is longer than 15 minutes.',
    make: async () => ogg.startedLate(await opus(), LATE),
    song: songOfOpus,
    likeness: 0.999,
  },
  {
    name: 'Vorbis whose positions start at twenty minutes',
    before: 'The song is longer than 15 minutes.',
    make: async () => ogg.startedLate(await vorbis(), LATE),
    song: shortSong,
    likeness: 0.98,
  },
  {
    name: 'chained Opus',
    before: '11.99 s, likeness 1.000, -0.0 dB',
    make: async () => ogg.chained(await opus(), await opus()),
    song: async () => joined(await songOfOpus(), await songOfOpus()),
    likeness: 0.999,
  },
  {
    name: 'chained Opus of another gain and number of channels',
    before: '11.99 s, likeness 0.834, 3.4 dB',
    make: async () => {
      const mono = ogg.withHead(await opus(), (head) => (head[9] = 1));
      return ogg.chained(ogg.withOpusGain(await opus(), GAIN_DB), mono);
    },
    song: async () => {
      const song = await songOfOpus();
      const middle = song[0].map((value, i) => (value + song[1][i]!) / 2);
      return joined(scaled(song, 10 ** (GAIN_DB / 20)), [middle, middle]);
    },
    likeness: 0.98,
  },
  {
    name: 'Opus with a gain in its header',
    before: '6.00 s, likeness 1.000, 9.0 dB',
    make: async () => ogg.withOpusGain(await opus(), GAIN_DB),
    song: async () => scaled(await songOfOpus(), 10 ** (GAIN_DB / 20)),
    likeness: 0.999,
  },
  {
    name: 'chained Vorbis of another quality',
    before: 'The file decodes to samples far above full scale.',
    make: async () => ogg.chained(await vorbis(), await vorbis(8)),
    song: () => joined(shortSong(), shortSong()),
    likeness: 0.98,
  },
  {
    name: 'chained Vorbis of another rate and number of channels',
    before: 'The file decodes to samples far above full scale.',
    make: async () => ogg.chained(await vorbis(), await vorbis(6, 32_000, 1)),
    song: withMono,
    likeness: 0.97,
  },
  {
    name: 'Vorbis of which a fifth is missing in the middle',
    before: 'The file is incomplete: only 74 % of the song is present.',
    make: async () => {
      const file = await vorbis();
      return ogg.withoutPages(file, 8, 12);
    },
    refusal: /missing in its middle/,
  },
];
