/**
 * Makes the songs of `examples/` from folders of stems: `node scripts/make-examples.ts STEMS_FOLDER`.
 *
 * STEMS_FOLDER holds one folder for each song with vocals.ogg, drums.ogg, bass.ogg, other.ogg and truth.json (downbeat
 * times). A song is the sum of its stems, cut on bars.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';
import { z } from 'zod';
import { STEMS } from '../schema.ts';
import { decodeAudio, SAMPLE_RATE } from '../audio/decode/decode.ts';

const EXAMPLES = [
  { stems: 'dance140', file: 'neon-drive.mp3', fromBar: 2, toBar: 26 },
  { stems: 'rock120', file: 'paper-kites.mp3', fromBar: 2, toBar: 22 },
  { stems: 'soul68', file: 'slow-harbor.ogg', fromBar: 3, toBar: 15 },
] as const;

const MP3_KBPS = 160;
const OGG_QUALITY = 5;
/** The cut starts this much before its first downbeat, so that the first attack is whole. */
const LEAD_IN_SEC = 0.02;
const FADE_OUT_SEC = 1.5;
const PEAK = 10 ** (-1 / 20);

const Truth = z.object({ downbeats: z.array(z.number()) });

async function mixStems(folder: string): Promise<[Float32Array, Float32Array]> {
  const stems = await Promise.all(
    STEMS.map(async (stem) => decodeAudio(await readFile(join(folder, `${stem}.ogg`)), { limits: { minSec: 1 } })),
  );
  const length = Math.max(...stems.map((stem) => stem.channels[0].length));
  return [0, 1].map((channel) => {
    const sum = new Float32Array(length);
    for (const stem of stems) stem.channels[channel]!.forEach((value, i) => (sum[i]! += value));
    return sum;
  }) as [Float32Array, Float32Array];
}

/** Cuts [fromSec, toSec), fades the end out and brings the peak to -1 dBFS. */
function cut(mix: readonly Float32Array[], fromSec: number, toSec: number): Float32Array[] {
  const from = Math.round(Math.max(0, fromSec) * SAMPLE_RATE);
  const to = Math.round(toSec * SAMPLE_RATE);
  const channels = mix.map((samples) => samples.slice(from, to));
  const peak = Math.max(
    ...channels.map((samples) => samples.reduce((max, value) => Math.max(max, Math.abs(value)), 0)),
  );
  const fade = Math.round(FADE_OUT_SEC * SAMPLE_RATE);
  return channels.map((samples) =>
    samples.map((value, i) => value * (PEAK / peak) * Math.min(1, (samples.length - i) / fade)),
  );
}

async function encode(channels: Float32Array[], file: string): Promise<Uint8Array> {
  if (file.endsWith('.ogg')) {
    const encoder = await createOggEncoder();
    encoder.configure({ channels: 2, sampleRate: SAMPLE_RATE, vbrQuality: OGG_QUALITY });
    return Buffer.concat([encoder.encode(channels).slice(), encoder.finalize().slice()]);
  }
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 2, sampleRate: SAMPLE_RATE, bitrate: MP3_KBPS });
  return Buffer.concat([encoder.encode(channels).slice(), encoder.finalize().slice()]);
}

const [stemsFolder] = process.argv.slice(2);
if (!stemsFolder) {
  process.stderr.write('Usage: node scripts/make-examples.ts STEMS_FOLDER\n');
  process.exit(2);
}
for (const { stems, file, fromBar, toBar } of EXAMPLES) {
  const folder = join(stemsFolder, stems);
  const { downbeats } = Truth.parse(JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')));
  const channels = cut(await mixStems(folder), downbeats[fromBar]! - LEAD_IN_SEC, downbeats[toBar]!);
  const bytes = await encode(channels, file);
  await writeFile(join(import.meta.dirname, '..', 'examples', file), bytes);
  process.stdout.write(`${file}: ${(channels[0]!.length / SAMPLE_RATE).toFixed(2)} s, ${bytes.length} bytes\n`);
}
