import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PairScore, RenderRequest, type Stem } from '../../schema.ts';
import { arrange } from '../../services/processing/plan/arrange.ts';
import type { Arrangement } from '../../services/processing/plan/arrangement.ts';
import { buildBeatGrid } from '../../services/processing/song/beat-grid.ts';
import { parseRenderPlan } from '../../services/processing/plan/plan.ts';
import { runMap, sourceAt } from '../../services/processing/plan/run.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';

/** A song with even beats, the first at 0.25 s, and sections of 8 bars with the given energy and vocal presence. */
function song(id: string, bpm: number, bars: number, parts: { energy: number; voice: number }[] = []): RenderSong {
  const step = 60 / bpm;
  const beats = Array.from({ length: bars * 4 }, (_, i) => 0.25 + i * step);
  const durationSec = 0.25 + bars * 4 * step;
  const downbeats_sec = beats.filter((_, i) => i % 4 === 0);
  return {
    id,
    name: id,
    stems: {},
    durationSec,
    key: 'C major',
    grid: buildBeatGrid({ bpm, beats_sec: beats, downbeats_sec }, durationSec),
    hasBeat: true,
    beatChroma: [],
    tuningCents: undefined,
    energy: undefined,
    vocals: undefined,
    sound: [[0, durationSec]],
    drumSound: undefined,
    loudness: undefined,
    sections: parts.map(({ energy, voice }, i) => ({
      start_sec: 0.25 + i * 32 * step,
      end_sec: 0.25 + (i + 1) * 32 * step,
      label: 'A',
      energy,
      vocal_presence: voice,
    })),
  };
}

type LayerSpec = [songId: string, stem: Stem, source_start_sec?: number];

/** Arranges sections of `[bars, energy, layers]` at a tempo. */
function plan(
  bpm: number,
  sections: [number, number, LayerSpec[]][],
  songs: RenderSong[],
  scores: PairScore[] = [],
): Arrangement {
  const request = RenderRequest.parse({
    masterplan: {
      timeline: sections.map(([bars, energy_level, layers], i) => ({
        time_start_sec: sections.slice(0, i).reduce((sum, [before]) => sum + (before * 240) / bpm, 0),
        duration_sec: (bars * 240) / bpm,
        energy_level,
        description: '',
        layers: layers.map(([songId, stem, source_start_sec]) => ({
          songId,
          stem,
          volume_db: 0,
          effects: [],
          source_start_sec,
        })),
      })),
      global_settings: { targetBPM: bpm, targetKey: 'D major', timeSignature: [4, 4] },
    },
    songs: songs.map(({ id }) => ({ song_id: id, storage_path: id, analysis: {} })),
    job_id: 'job',
  });
  const tuning = {
    semitones: new Map(songs.map(({ id }) => [id, 2])),
    cents: new Map([['a', 30]]),
    tunedTo: 0,
    beats: new Map<string, number>(),
    starts: new Map<string, number>(),
  };
  return arrange(parseRenderPlan(request).plan, new Map(songs.map((one) => [one.id, one])), scores, tuning);
}

describe('arranging a plan', () => {
  it('starts a layer on the downbeat nearest to its source', () => {
    const { runs } = plan(120, [[4, 0.5, [['a', 'bass', 9]]]], [song('a', 120, 40)]);
    // Downbeats are at 0.25 + 2n.
    assert.equal(runs[0]!.sourceBeat, 16);
  });

  it('plays a song only where it sounds, whether the plan names the place or not', () => {
    // 40 bars of 2 s with music from 20.25 to 60.25 s.
    const quiet: RenderSong = { ...song('a', 120, 40), sound: [[20.25, 60.25]] };
    const startOf = (source?: number): number =>
      plan(120, [[4, 0.5, [['a', 'other', source]]]], [quiet]).runs[0]!.sourceBeat;
    assert.equal(startOf(0), 40);
    assert.equal(startOf(75), 116);
    assert.ok(startOf() >= 40 && startOf() <= 104);
  });

  it('loops a song before it becomes silent', () => {
    const quiet: RenderSong = {
      ...song('a', 120, 40),
      sound: [
        [0, 20.25],
        [40.25, 80.25],
      ],
    };
    const { runs } = plan(120, [[8, 0.5, [['a', 'other', 12.25]]]], [quiet]);
    assert.deepEqual(
      runs.map(({ sourceBeat, start, end }) => [sourceBeat, end - start]),
      [
        [24, 8],
        [24, 8],
      ],
    );
  });

  it('takes drums that rest from the nearest bar in which they sound', () => {
    const entering: RenderSong = { ...song('a', 120, 40), drumSound: [[16.25, 80.25]] };
    const { runs } = plan(
      120,
      [
        [
          4,
          0.5,
          [
            ['a', 'drums', 0.25],
            ['a', 'other', 0.25],
          ],
        ],
      ],
      [entering],
    );
    assert.deepEqual(
      runs.map((run) => run.sourceBeat),
      [32, 0],
    );
  });

  it('plays all stems of a song from the same place and does not shift drums', () => {
    const { runs } = plan(
      120,
      [
        [
          4,
          0.5,
          [
            ['a', 'bass', 9],
            ['a', 'other'],
            ['a', 'drums'],
          ],
        ],
      ],
      [song('a', 120, 40)],
    );
    assert.deepEqual(
      runs.map((run) => run.sourceBeat),
      [16, 16, 16],
    );
    assert.deepEqual(
      runs.map((run) => run.semitones),
      [2.3, 2.3, 0],
    );
  });

  it('continues the run if the next section continues the song', () => {
    const { runs, sections } = plan(
      120,
      [
        [4, 0.5, [['a', 'bass', 0.25]]],
        [4, 0.5, [['a', 'bass', 8.25]]],
      ],
      [song('a', 120, 40)],
    );
    assert.equal(runs.length, 1);
    assert.deepEqual([runs[0]!.start, runs[0]!.end], [0, 16]);
    assert.ok(sections[0]![0]!.joinsNext && sections[1]![0]!.joinsPrevious);
  });

  it('loops whole bars when the song runs out', () => {
    const { runs } = plan(120, [[12, 0.5, [['a', 'bass', 24.25]]]], [song('a', 120, 20)]);
    assert.deepEqual(
      runs.map((run) => [run.sourceBeat, run.start, run.end]),
      [
        [48, 0, 16],
        [48, 16, 24],
      ],
    );
  });

  it('loops earlier bars when it starts on the last one', () => {
    const { runs } = plan(120, [[4, 0.5, [['a', 'bass', 100]]]], [song('a', 120, 20)]);
    assert.ok(runs.every((run) => run.sourceBeat <= 76 && run.sourceBeat >= 60));
    assert.equal(runs.at(-1)!.end, 8);
  });

  it('reads a song at half or double tempo if that is nearer', () => {
    const { runs } = plan(
      140,
      [
        [
          4,
          0.5,
          [
            ['slow', 'bass'],
            ['fast', 'other'],
          ],
        ],
      ],
      [song('slow', 71, 40), song('fast', 138, 40)],
    );
    assert.deepEqual(
      runs.map((run) => (run.beatSec * 140) / 60),
      [2, 1],
    );
    const { output, source } = runMap(runs[0]!, song('slow', 71, 40), 0);
    assert.ok(Math.abs(output[3]! - output[2]! - 120 / 140) < 1e-9);
    assert.ok(Math.abs(source[3]! - source[2]! - 60 / 71) < 1e-9);
  });

  it('plays a free layer at its own speed from its planned start, and sections in their own tempo', () => {
    const section = (tempo_bpm: number, layers: object[]): object => ({
      duration_sec: 960 / tempo_bpm,
      tempo_bpm,
      layers,
    });
    const request = RenderRequest.parse({
      masterplan: {
        timeline: [
          section(120, [
            { songId: 'a', stem: 'other', source_start_sec: 0.25 },
            { songId: 'b', stem: 'vocals', source_start_sec: 7.1, timing: 'free' },
          ]),
          section(90, [{ songId: 'b', stem: 'drums', source_start_sec: 0.25 }]),
        ],
        global_settings: { targetBPM: 120 },
      },
      songs: ['a', 'b'].map((song_id) => ({ song_id, storage_path: song_id, analysis: {} })),
      job_id: 'job',
    });
    const songs = new Map([song('a', 120, 40), song('b', 90, 40)].map((each) => [each.id, each]));
    const { plan: read } = parseRenderPlan(request);
    const tuning = { semitones: new Map(), cents: new Map(), tunedTo: 0, beats: new Map(), starts: new Map() };
    const { runs } = arrange(read, songs, [], tuning);
    assert.deepEqual(
      read.sections.map(({ start, end }) => [start, Number(end.toFixed(6))]),
      [
        [0, 8],
        [8, 18.666667],
      ],
    );
    const voice = runs.find(({ stem }) => stem === 'vocals')!;
    for (const at of [0, 3.3, 8]) assert.ok(Math.abs(sourceAt(voice, songs.get('b')!, at) - 7.1 - at) < 1e-9);
    const drums = runs.find(({ stem }) => stem === 'drums')!;
    assert.ok(Math.abs(drums.beatSec - 60 / 90) < 1e-9);
    const { output, source } = runMap(voice, songs.get('b')!, 0);
    output.forEach((at, i) => assert.ok(Math.abs(source[i]! - at - 7.1) < 1e-9));
  });

  it('chooses a part with fitting energy, with singing for vocals, and not the same one twice', () => {
    const parts = [
      { energy: 0.2, voice: 0.1 },
      { energy: 0.5, voice: 0.9 },
      { energy: 0.9, voice: 0.1 },
      { energy: 0.9, voice: 0.2 },
    ];
    const one = song('a', 120, 32, parts);
    const loud = plan(
      120,
      [
        [8, 0.9, [['a', 'drums']]],
        [8, 0.9, [['a', 'drums']]],
      ],
      [one],
    );
    assert.deepEqual(
      loud.runs.map((run) => run.sourceBeat),
      [64],
    );
    assert.equal(loud.runs[0]!.end, 32, 'the second chorus follows the first');
    const sung = plan(120, [[8, 0.9, [['a', 'vocals']]]], [one]);
    assert.equal(sung.runs[0]!.sourceBeat, 32);
  });

  it('chooses the best phrases of a pair', () => {
    const phrase = {
      vocals_song_id: 'a',
      bed_song_id: 'b',
      vocals_start_sec: 16.25,
      bed_start_sec: 32.25,
      bars: 8,
      key_shift: 0,
      tempo_multiple: 1,
      similarity: 0.9,
    };
    const score = { song_pair: ['a', 'b'], phrases: [phrase] } as unknown as PairScore;
    const { runs } = plan(
      120,
      [
        [
          8,
          0.5,
          [
            ['a', 'vocals'],
            ['b', 'other'],
          ],
        ],
      ],
      [song('a', 120, 40), song('b', 120, 40)],
      [score],
    );
    assert.deepEqual(
      runs.map((run) => run.sourceBeat),
      [32, 64],
    );
  });

  it('rounds boundaries to beats and keeps the length of the plan', () => {
    const request = RenderRequest.parse({
      masterplan: {
        timeline: [15.5, 31, 31, 15.5].map((duration_sec) => ({
          duration_sec,
          layers: [{ songId: 'a', stem: 'bass' }],
        })),
        global_settings: { targetBPM: 124 },
      },
      songs: [{ song_id: 'a', storage_path: 'a', analysis: {} }],
      job_id: 'job',
    });
    const { plan: read } = parseRenderPlan(request);
    const { sections, durationSec } = read;
    assert.equal(durationSec, 93);
    assert.equal(sections.at(-1)!.end, 93);
    for (const { start } of sections) assert.ok(Math.abs((start * 124) / 60 - Math.round((start * 124) / 60)) < 1e-6);
  });
});

describe('the beat grid', () => {
  it('covers the whole song, also where no beats were detected', () => {
    const found = Array.from({ length: 20 }, (_, i) => 5 + i * 0.5);
    const grid = buildBeatGrid({ bpm: 120, beats_sec: found, downbeats_sec: [6, 8, 10] }, 30);
    assert.ok(grid.beats[0]! < 0.5 && grid.beats.at(-1)! > 29);
    assert.ok(grid.downbeats.every((index) => Math.abs((grid.beats[index]! / 2) % 1) < 1e-6));
  });

  it('removes jitter from beats and keeps their drift', () => {
    const drift = Array.from({ length: 60 }, (_, i) => i * 0.5 + 0.0005 * i * i);
    const jittered = drift.map((at, i) => at + (i % 2 === 0 ? 0.008 : -0.008));
    const grid = buildBeatGrid({ bpm: 120, beats_sec: jittered }, 32);
    const offset = grid.beats.findIndex((at) => Math.abs(at - drift[10]!) < 0.1) - 10;
    for (let i = 10; i < 50; i++) assert.ok(Math.abs(grid.beats[i + offset]! - drift[i]!) < 0.004, `beat ${i}`);
  });
});
