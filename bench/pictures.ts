/** Draws a spectrogram and a timeline of a mashup as PNG files. */
import { crc32, deflateSync } from 'node:zlib';
import { hannWindow, RealFft } from '../audio/fft.ts';
import type { PairResult } from './pair-result.ts';

type Colour = [number, number, number];
/** RGB pixels, row by row. */
type Picture = { width: number; height: number; pixels: Uint8Array };

function blank(width: number, height: number, [r, g, b]: Colour): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i += 3) pixels.set([r, g, b], i);
  return { width, height, pixels };
}

function fill({ width, height, pixels }: Picture, x: number, y: number, w: number, h: number, colour: Colour): void {
  for (let row = Math.max(0, y); row < Math.min(height, y + h); row++) {
    for (let column = Math.max(0, x); column < Math.min(width, x + w); column++) {
      pixels.set(colour, 3 * (row * width + column));
    }
  }
}

/** Encodes a picture as PNG: eight bits per colour, rows without filters. */
function encodePng({ width, height, pixels }: Picture): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    rows.set(pixels.subarray(3 * y * width, 3 * (y + 1) * width), y * (1 + 3 * width) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const WIDTH = 900;
const HEIGHT = 240;
const RANGE_DB = 80;
const LOW_HZ = 30;
const HIGH_HZ = 16_000;

/** Colour of a level (0..1): dark blue over red to light yellow. */
function heat(x: number): Colour {
  const level = Math.min(1, Math.max(0, x));
  return [
    Math.round(255 * Math.min(1, 1.8 * level)),
    Math.round(255 * Math.max(0, 1.6 * level - 0.6)),
    Math.round(255 * (level < 0.4 ? 0.15 + level : Math.max(0.1, 0.95 - 1.6 * (level - 0.2)))),
  ];
}

/** Spectrogram of two channels at 44.1 kHz: time to the right, 30 Hz to 16 kHz upwards on a logarithmic scale. */
export async function drawSpectrogram(channels: readonly Float32Array[]): Promise<Buffer> {
  const size = 4096;
  const fft = await RealFft.create(size);
  const window = hannWindow(size);
  const [left, right] = [channels[0]!, channels[1]!];
  const picture = blank(WIDTH, HEIGHT, [0, 0, 0]);
  for (let x = 0; x < WIDTH; x++) {
    const from = Math.floor((x * Math.max(0, left.length - size)) / WIDTH);
    const time = fft.time;
    for (let i = 0; i < size; i++) time[i] = (((left[from + i] ?? 0) + (right[from + i] ?? 0)) / 2) * window[i]!;
    fft.forward();
    const spectrum = fft.spectrum;
    for (let y = 0; y < HEIGHT; y++) {
      const hertz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** (1 - (y + 0.5) / HEIGHT);
      const bin = Math.max(1, Math.round((hertz * size) / 44_100));
      const db = 20 * Math.log10(Math.hypot(spectrum[2 * bin]!, spectrum[2 * bin + 1]!) / (size / 4) + 1e-9);
      // The spectrum of music falls by about 4 dB per octave. Compensating this makes the upper octaves visible.
      fill(picture, x, y, 1, 1, heat((db + 4 * Math.log2(hertz / 1000) + RANGE_DB) / RANGE_DB));
    }
  }
  fft.free();
  return encodePng(picture);
}

/** Height of a stem's row, pixels. */
const ROW = 14;
const SONG_COLOURS: Colour[] = [
  [46, 110, 190],
  [214, 120, 40],
];
const STEM_ORDER = ['vocals', 'other', 'bass', 'drums'] as const;

/** Timeline of a mashup: one row for each stem of each song (blue for the first song, orange for the second), and the waveform below. */
export function drawTimeline({ songs, plan, result }: PairResult): Buffer {
  const rows = 2 * STEM_ORDER.length;
  const picture = blank(WIDTH, rows * ROW + 90, [250, 250, 248]);
  const x = (seconds: number): number => Math.round((seconds / result.duration_sec) * WIDTH);
  for (const section of plan.masterplan.timeline) {
    const [from, to] = [x(section.time_start_sec), x(section.time_start_sec + section.duration_sec)];
    fill(picture, from, 0, 1, picture.height, [205, 205, 200]);
    for (const layer of section.layers) {
      const song = songs.indexOf(layer.songId);
      const row = song * STEM_ORDER.length + STEM_ORDER.indexOf(layer.stem);
      const strength = Math.min(1, Math.max(0.25, 1 + layer.volume_db / 16));
      const colour = SONG_COLOURS[song]!.map((part) => Math.round(250 - (250 - part) * strength)) as Colour;
      fill(picture, from + 1, row * ROW + 2, to - from - 1, ROW - 3, colour);
    }
  }
  const { peaks } = result.waveform!;
  const middle = rows * ROW + 45;
  for (let column = 0; column < WIDTH; column++) {
    const first = Math.floor((column * peaks.length) / WIDTH);
    const last = Math.max(first + 1, Math.floor(((column + 1) * peaks.length) / WIDTH));
    const height = Math.round(40 * Math.max(...peaks.slice(first, last)));
    fill(picture, column, middle - height, 1, 2 * height, [90, 90, 96]);
  }
  return encodePng(picture);
}
