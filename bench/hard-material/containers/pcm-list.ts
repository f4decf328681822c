/** WAV and AIFF files that are hard to read. */
import type { ContainerFile } from './container-file.ts';
import { writeAiff, writeWav } from './pcm-files.ts';
import type { AiffOptions, WavOptions } from './pcm-files.ts';
import { shortSong } from './short-song.ts';

const sampleRate = 44_100;
const NOT_AUDIO = 'The file is not audio in a supported format.';

function wav(name: string, before: string, options: Omit<WavOptions, 'sampleRate'>, likeness = 0.9999): ContainerFile {
  const make = (): Uint8Array => writeWav(shortSong(), { sampleRate, ...options });
  return { name: `WAV ${name}`, before, make, song: shortSong, likeness };
}

function aiff(name: string, options: Omit<AiffOptions, 'sampleRate'>, likeness = 0.9999): ContainerFile {
  const make = (): Uint8Array => writeAiff(shortSong(), { sampleRate, ...options });
  return { name, before: NOT_AUDIO, make, song: shortSong, likeness };
}

/** Lengths that programs write when they do not know it. */
const PLACEHOLDERS = [0x80000000, 0x7fff0000, 0xffff1000, 0x10000000];

export const PCM_FILES: readonly ContainerFile[] = [
  ...PLACEHOLDERS.map((dataLength) =>
    wav(`with the length 0x${dataLength.toString(16)}`, 'The song is longer than 15 minutes.', {
      bits: 16,
      dataLength,
    }),
  ),
  wav('with 24 bits in containers of 32', '8.00 s, likeness -0.000, 14.4 dB', { bits: 24, width: 4 }),
  wav('with 24 bits at the bottom of containers of 32', '8.00 s, likeness -0.004, 14.3 dB', {
    bits: 24,
    width: 4,
    atBottom: true,
  }),
  wav('with 16 bits and a wrong length of a frame', '6.00 s, likeness 1.000, 0.0 dB', { bits: 16, blockAlign: 8 }),
  wav('with 20 bits', 'The WAV file is compressed or has an unusual sample format.', { bits: 20 }),
  wav('with 12 bits', 'The WAV file is compressed or has an unusual sample format.', { bits: 12 }),
  wav('in BW64', 'The file is not audio in a supported format.', { bits: 24, mark: 'BW64' }),
  wav('in RF64', '6.00 s, likeness 1.000, 0.0 dB', { bits: 16, mark: 'RF64' }),
  wav('in RIFX', 'The file is not audio in a supported format.', { bits: 16, mark: 'RIFX' }),
  wav('with A-law', 'The WAV file is compressed or has an unusual sample format.', { bits: 8, kind: 'alaw' }, 0.999),
  wav('with µ-law', 'The WAV file is compressed or has an unusual sample format.', { bits: 8, kind: 'mulaw' }, 0.999),
  {
    name: 'WAV with Microsoft ADPCM',
    before: 'The WAV file is compressed or has an unusual sample format.',
    make: () => writeWav(shortSong(), { sampleRate, bits: 4, tag: 2, data: new Uint8Array(100_000) }),
    refusal: /Microsoft ADPCM/,
  },
  {
    name: 'WAV with IMA ADPCM',
    before: 'The WAV file is compressed or has an unusual sample format.',
    make: () => writeWav(shortSong(), { sampleRate, bits: 4, tag: 0x11, data: new Uint8Array(100_000) }),
    refusal: /IMA ADPCM/,
  },
  {
    name: 'WAV of which a third is missing',
    before: 'The file is incomplete: only 66 % of the song is present.',
    make: () => writeWav(shortSong(), { sampleRate, bits: 16 }).subarray(0, 44 + 4 * 4 * sampleRate),
    refusal: /only 66 % of the song/,
  },
  ...[8, 16, 24, 32].map((bits) => aiff(`AIFF with ${bits} bits`, { bits }, bits === 8 ? 0.999 : undefined)),
  aiff('AIFF-C with 16 bits, lowest byte first (sowt)', { bits: 16, compression: 'sowt' }),
  aiff('AIFF-C with floating-point samples (fl32)', { bits: 32, kind: 'float', compression: 'fl32' }),
  aiff('AIFF-C without compression (NONE)', { bits: 24, compression: 'NONE' }),
  {
    name: 'AIFF-C with IMA ADPCM',
    before: 'The file is not audio in a supported format.',
    make: () => writeAiff(shortSong(), { sampleRate, bits: 16, compression: 'ima4' }),
    refusal: /IMA ADPCM/,
  },
];
