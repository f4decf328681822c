/** FLAC, MP3 and MP4 files that are hard to read. */
import { encodeAudio } from '../../../audio/encode/encode.ts';
import type { ContainerFile } from './container-file.ts';
import { writeFlacOf } from './flac-file.ts';
import { encodeMp3At, withInfoFrame } from './mp3-file.ts';
import { joined, resampled, shortSong } from './short-song.ts';
import { apeTag, id3v1, id3v2 } from './tag-bytes.ts';

const sampleRate = 44_100;
/** Larger than the stretch in which frames of MP3 are looked for. */
const LARGE_TAG = 100_000;

const bytesOf = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

let mp3: Promise<Uint8Array> | undefined;
let flac: Promise<Uint8Array> | undefined;
const encodedMp3 = (): Promise<Uint8Array> => (mp3 ??= encodeAudio(shortSong(), sampleRate, 'mp3'));
const encodedFlac = (): Promise<Uint8Array> => (flac ??= encodeAudio(shortSong(), sampleRate, 'flac'));

function flacOf(bits: number, likeness = 0.9999): ContainerFile {
  const make = (): Uint8Array => writeFlacOf(shortSong(), sampleRate, bits);
  const before = 'The file is incomplete: only 0 % of the song is present.';
  return { name: `FLAC with ${bits} bits`, before, make, song: shortSong, likeness };
}

/** A file of MPEG 2 or 2.5 with a header frame. */
async function lowMp3(rate: number, kbps: number): Promise<Uint8Array> {
  const channels = resampled(shortSong(), rate);
  return withInfoFrame(await encodeMp3At(channels, rate, kbps), channels[0]!.length);
}

function lowRate(rate: number, before: string): ContainerFile {
  return {
    name: `MP3 of six seconds at ${rate / 1000} kHz`,
    before,
    make: () => lowMp3(rate, 64),
    song: shortSong,
    likeness: 0.95,
    samples: 8,
  };
}

export const STREAM_FILES: readonly ContainerFile[] = [
  flacOf(4, 0.9),
  flacOf(12),
  flacOf(20),
  flacOf(32),
  {
    name: 'FLAC with an ID3v1 tag behind it',
    before: '5.94 s, likeness 1.000, -0.0 dB',
    make: async () => bytesOf(await encodedFlac(), id3v1()),
    song: shortSong,
    likeness: 0.9999,
    samples: 0,
  },
  {
    name: 'FLAC with zeros behind it',
    before: '6.00 s, likeness 1.000, 0.0 dB',
    make: async () => bytesOf(await encodedFlac(), new Uint8Array(3_000)),
    song: shortSong,
    likeness: 0.9999,
    samples: 0,
  },
  {
    name: 'FLAC with two ID3v2 tags before it',
    before: 'The file is not audio in a supported format.',
    make: async () => bytesOf(id3v2(300), id3v2(LARGE_TAG), await encodedFlac()),
    song: shortSong,
    likeness: 0.9999,
    samples: 0,
  },
  {
    name: 'MP3 with two ID3v2 tags, the second over 64 KB',
    before: 'The file is not audio in a supported format.',
    make: async () => bytesOf(id3v2(300), id3v2(LARGE_TAG), await encodedMp3()),
    song: shortSong,
    likeness: 0.99,
    samples: 0,
  },
  {
    name: 'MP3 with an APEv2 and an ID3v1 tag behind it',
    before: '6.00 s, likeness 0.998, -0.0 dB',
    make: async () => bytesOf(await encodedMp3(), apeTag(20_000), id3v1()),
    song: shortSong,
    likeness: 0.99,
    samples: 0,
  },
  {
    name: 'MP3 behind 100 KB of zeros',
    before: 'The file is not audio in a supported format.',
    make: async () => bytesOf(new Uint8Array(LARGE_TAG), await encodedMp3()),
    song: shortSong,
    likeness: 0.99,
    samples: 0,
  },
  lowRate(8_000, 'The file is incomplete: only 96 % of the song is present.'),
  lowRate(11_025, '6.00 s, likeness 0.989, -0.5 dB'),
  lowRate(12_000, '6.00 s, likeness 0.989, -0.5 dB'),
  {
    name: 'joined MP3 files at 44.1 and 22.05 kHz',
    before: '9.04 s, likeness 0.686, -1.4 dB',
    make: async () => bytesOf(await encodedMp3(), await lowMp3(22_050, 128)),
    song: () => joined(shortSong(), shortSong()),
    likeness: 0.95,
    samples: 8,
  },
  {
    name: 'joined MP3 files with tags between them',
    before: 'Parts of the file are damaged.',
    make: async () => bytesOf(await encodedMp3(), id3v1(), id3v2(LARGE_TAG), await encodedMp3()),
    song: () => joined(shortSong(), shortSong()),
    likeness: 0.99,
    samples: 0,
  },
];
