/**
 * Compares tempo, beats and key of this project, music-tempo and essentia.js on the same songs in one run.
 *
 *   npm install --no-package-lock --prefix bench/peers-audio
 *   [MASHUP_BENCH_SONGS=folder] [MASHUP_BENCH_PEER_SONGS=12] npm run bench -- audio (or --prefix bench/peers-audio for this alone)
 */
import { createRequire } from 'node:module';
import { analyzeSong } from '../../services/analysis/analyze.ts';
import { mean } from '../../services/analysis/statistics.ts';
import { fMeasure, keyScore } from '../metrics.ts';
import { generateSong, missingSynthesizer } from '../songs/generate-song.ts';
import { mixOf, readAnnotatedSongs } from '../songs/annotated-songs.ts';
import { printTable } from '../table.ts';

const require = createRequire(import.meta.url);
const MusicTempo = require('music-tempo');
const { Essentia, EssentiaWASM } = require('essentia.js');
const essentia = new Essentia(EssentiaWASM);

const GENERATED = Number(process.env.MASHUP_BENCH_PEER_SONGS ?? 12);
/** Relative tolerance of a correct tempo. */
const TEMPO_TOLERANCE = 0.03;

/** Each returns bpm, beats in seconds and a key; null for the key if it estimates none. */
const ANALYSERS = {
  'mashup-engine': async (mix) => {
    const { rhythmic, harmonic } = await analyzeSong(mix);
    return { bpm: rhythmic.bpm, beats: rhythmic.beats_sec, key: harmonic.key };
  },
  'music-tempo': async (_, mono) => {
    const { tempo, beats } = new MusicTempo(mono);
    return { bpm: Number(tempo), beats, key: null };
  },
  'essentia.js': async (_, mono) => {
    const signal = essentia.arrayToVector(mono);
    const { bpm, ticks } = essentia.RhythmExtractor2013(signal, 208, 'multifeature', 40);
    const { key, scale } = essentia.KeyExtractor(signal);
    const beats = Array.from(essentia.vectorToArray(ticks));
    signal.delete();
    return { bpm, beats, key: `${key} ${scale}` };
  },
};

async function* songs() {
  if (process.env.MASHUP_BENCH_SONGS) yield* readAnnotatedSongs(process.env.MASHUP_BENCH_SONGS);
  const missing = GENERATED > 0 ? await missingSynthesizer() : null;
  if (missing) console.log(missing);
  else for (let seed = 1; seed < 2 * GENERATED; seed += 2) yield await generateSong(seed);
}

const rows = Object.fromEntries(Object.keys(ANALYSERS).map((name) => [name, []]));
for await (const song of songs()) {
  const mix = mixOf(song);
  const mono = mix[0].map((value, i) => (value + mix[1][i]) / 2);
  for (const [name, analyse] of Object.entries(ANALYSERS)) {
    const before = process.cpuUsage();
    const outcome = await analyse(mix, mono).catch(() => null);
    const { user, system } = process.cpuUsage(before);
    const near = (factor) => (outcome && Math.abs(outcome.bpm / (song.bpm * factor) - 1) < TEMPO_TOLERANCE ? 1 : 0);
    rows[name].push({
      exact: near(1),
      octave: Math.max(near(1), near(2), near(0.5)),
      beats: outcome ? fMeasure(song.beats, outcome.beats) : 0,
      key: outcome?.key ? keyScore(song.key, outcome.key) : 0,
      exactKey: outcome?.key && keyScore(song.key, outcome.key) === 1 ? 1 : 0,
      hasKey: outcome?.key != null,
      speed: mono.length / 44_100 / ((user + system) / 1e6),
    });
  }
}
const of = (list, key) => mean(list.map((row) => row[key]));
printTable(
  'Analysis compared with other libraries (beat F within 70 ms; speed in multiples of realtime on one core)',
  Object.entries(rows).map(([name, list]) => ({
    name,
    songs: list.length,
    'tempo exact': of(list, 'exact'),
    'within octave': of(list, 'octave'),
    'beat F': of(list, 'beats'),
    'key exact': list.some((row) => row.hasKey) ? of(list, 'exactKey') : '-',
    'key MIREX': list.some((row) => row.hasKey) ? of(list, 'key') : '-',
    speed: of(list, 'speed'),
  })),
);
