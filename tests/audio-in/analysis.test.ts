import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SongAnalysis } from '../../schema.ts';
import { analyzeSong, analyzeStream } from '../../services/analysis/analyze.ts';
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { fMeasure } from '../../bench/metrics.ts';
import { spellChord } from '../../music/theory/spelling.ts';
import { noise, playBand } from './signals.ts';

const KEYS = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'];

/** Ground truth of the example songs, from their sources. Files start 20 ms before the first downbeat. */
const EXAMPLES = [
  { file: 'neon-drive.mp3', bpm: 140, key: 'Bb major', firstDownbeat: 0.045 },
  { file: 'paper-kites.mp3', bpm: 120, key: 'G major', firstDownbeat: 0.045 },
  { file: 'slow-harbor.ogg', bpm: 68, key: 'Ab major', firstDownbeat: 0.02 },
];

async function analyzeExample(file: string): Promise<SongAnalysis> {
  const bytes = await readFile(new URL(`../../examples/${file}`, import.meta.url));
  return SongAnalysis.parse(await analyzeSong((await decodeAudio(bytes)).channels));
}

for (const { file, bpm, key, firstDownbeat } of EXAMPLES) {
  test(`${file} is analysed with the right tempo, beats, downbeats and key`, async () => {
    const analysis = await analyzeExample(file);
    const duration = analysis.duration_sec!;
    assert.ok(Math.abs(analysis.rhythmic.bpm - bpm) < 0.05, `bpm ${analysis.rhythmic.bpm}`);
    assert.equal(analysis.rhythmic.meter, 4);
    assert.equal(analysis.harmonic.key, key);
    const grid = (step: number): number[] =>
      Array.from({ length: Math.ceil((duration - firstDownbeat) / step) }, (_, i) => firstDownbeat + i * step);
    assert.ok(fMeasure(grid(60 / bpm), analysis.rhythmic.beats_sec!) >= 0.95);
    assert.ok(fMeasure(grid(240 / bpm), analysis.rhythmic.downbeats_sec!) >= 0.9);
    assert.ok(Math.abs(analysis.rhythmic.beats_sec![8]! - grid(60 / bpm)[8]!) < 0.01);
  });
}

test('an analysis has one row of chroma and of bands per beat, bounded values, and a moderate size', async () => {
  const analysis = await analyzeExample('paper-kites.mp3');
  const beats = analysis.rhythmic.beats_sec!;
  assert.equal(analysis.harmonic.beat_chroma!.length, beats.length);
  assert.equal(analysis.rhythmic.beat_bands!.length, beats.length);
  assert.equal(analysis.spectral.mfccs.length, 13);
  for (const row of [...analysis.harmonic.beat_chroma!, ...analysis.rhythmic.beat_bands!]) {
    for (const value of row) assert.ok(value >= 0 && value <= 1);
  }
  const sections = analysis.sections!;
  sections.slice(1).forEach((section, i) => assert.equal(section.start_sec, sections[i]!.end_sec));
  const peaks = analysis.waveform!.peaks;
  assert.ok(Math.abs(peaks.length - analysis.duration_sec! * analysis.waveform!.peaks_per_sec) <= 1);
  const bytesPerMinute = (JSON.stringify(analysis).length / analysis.duration_sec!) * 60;
  assert.ok(bytesPerMinute * 4 < 300_000, `${bytesPerMinute} bytes a minute`);
});

test('equal songs give equal analyses', async () => {
  assert.deepEqual(await analyzeExample('slow-harbor.ogg'), await analyzeExample('slow-harbor.ogg'));
});

test('the analysis does not depend on the length of the chunks', async () => {
  const { channels } = await decodeAudio(await readFile(new URL('../../examples/slow-harbor.ogg', import.meta.url)));
  function* pieces(): Generator<[Float32Array, Float32Array]> {
    for (let at = 0, length = 1; at < channels[0].length; at += length, length = (length * 7 + 3) % 100_003) {
      yield [channels[0].subarray(at, at + length), channels[1].subarray(at, at + length)];
    }
  }
  assert.deepEqual(await analyzeStream(pieces()), await analyzeSong(channels));
});

for (const { bpm, tonic, meter } of [
  { bpm: 97.3, tonic: 4, meter: 4 },
  { bpm: 126, tonic: 9, meter: 4 },
  { bpm: 111, tonic: 2, meter: 3 },
]) {
  test(`tempo, key and meter of a band at ${bpm} bpm in ${KEYS[tonic]} major and ${meter}/4 are detected`, async () => {
    const { samples, beats, downbeats } = playBand({ bpm, tonic, meter, seconds: 30 });
    const analysis = await analyzeSong([samples, samples]);
    assert.ok(Math.abs(analysis.rhythmic.bpm - bpm) < 0.1, `bpm ${analysis.rhythmic.bpm}`);
    assert.equal(analysis.harmonic.key, `${KEYS[tonic]} major`);
    assert.equal(analysis.rhythmic.meter, meter);
    assert.ok(fMeasure(beats, analysis.rhythmic.beats_sec!) >= 0.95);
    assert.ok(fMeasure(downbeats, analysis.rhythmic.downbeats_sec!) >= 0.9);
    assert.equal(
      analysis.harmonic.chords![2]!.label,
      spellChord(`${KEYS[(tonic + 9) % 12]}m`, { tonic, mode: 'major' }),
    );
  });
}

test('noise is analysed and has a low key confidence', async () => {
  const random = noise(5);
  const samples = Float32Array.from({ length: 10 * SAMPLE_RATE }, () => 0.2 * random());
  const analysis = SongAnalysis.parse(await analyzeSong([samples, samples]));
  assert.ok(analysis.harmonic.key_confidence < 0.4, `confidence ${analysis.harmonic.key_confidence}`);
  assert.ok(analysis.vocal.vocal_presence < 0.2);
});

test('a single click in silence is analysed without an error', async () => {
  const samples = new Float32Array(6 * SAMPLE_RATE);
  samples[SAMPLE_RATE] = 1;
  SongAnalysis.parse(await analyzeSong([samples, samples]));
});
