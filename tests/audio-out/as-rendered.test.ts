/** What a render says of sections that its corrections changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AsRendered, RenderRequest, type Stem } from '../../schema.ts';
import { arrange } from '../../services/processing/plan/arrange.ts';
import { asRendered } from '../../services/processing/plan/as-rendered.ts';
import { addBed } from '../../services/processing/plan/bed.ts';
import { parseRenderPlan, type RenderPlan } from '../../services/processing/plan/plan.ts';
import { startKey, type Tuning } from '../../services/processing/plan/tuning.ts';
import { buildBeatGrid } from '../../services/processing/song/beat-grid.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';

/** A song of 40 bars at 120 bpm from which all stems are there. */
function song(id: string): RenderSong {
  const beats = Array.from({ length: 160 }, (_, i) => i / 2);
  return {
    id,
    name: id,
    stems: { vocals: 'v', drums: 'd', bass: 'b', other: 'o' },
    durationSec: 80,
    key: 'C major',
    grid: buildBeatGrid({ bpm: 120, beats_sec: beats, downbeats_sec: beats.filter((_, i) => i % 4 === 0) }, 80),
    hasBeat: true,
    beatChroma: [],
    tuningCents: undefined,
    energy: undefined,
    vocals: undefined,
    sound: [[0, 80]],
    drumSound: undefined,
    loudness: undefined,
    sections: [],
  } as unknown as RenderSong;
}

const songs = new Map(['a', 'b'].map((id) => [id, song(id)]));
const layer = (songId: string, stem: Stem, more: object = {}): object => ({
  songId,
  stem,
  volume_db: -4,
  effects: ['reverb(mix=0.2)'],
  source_start_sec: 16,
  ...more,
});

/** Two sections of four bars: drums and a voice, then a voice and a bass. */
const sent = parseRenderPlan(
  RenderRequest.parse({
    masterplan: {
      timeline: [
        [layer('b', 'drums'), layer('a', 'vocals')],
        [layer('a', 'vocals', { source_start_sec: 24 }), layer('b', 'bass', { source_start_sec: 32 })],
      ].map((layers, i) => ({ time_start_sec: 8 * i, duration_sec: 8, energy_level: 0.5, description: '', layers })),
      global_settings: { targetBPM: 120, targetKey: 'C major', timeSignature: [4, 4] },
    },
    songs: [...songs.keys()].map((id) => ({ song_id: id, storage_path: id, analysis: {} })),
    job_id: 'job',
  }),
).plan;

const noTuning = (): Tuning => ({
  semitones: new Map([
    ['a', 0],
    ['b', 2],
  ]),
  cents: new Map(),
  tunedTo: 0,
  beats: new Map(),
  starts: new Map(),
});

/** What a render of the plan says. `correct` changes the plan, `arranged` the arrangement. */
function told({
  correct = (plan) => plan,
  arranged = () => undefined,
  tuning = noTuning(),
}: {
  correct?: (plan: RenderPlan) => RenderPlan;
  arranged?: (arrangement: ReturnType<typeof arrange>) => void;
  tuning?: Tuning;
}): AsRendered {
  const plan = correct(structuredClone(sent));
  const arrangement = arrange(plan, songs, [], tuning);
  arranged(arrangement);
  return AsRendered.parse(asRendered(sent, { plan, arrangement, tuning }));
}

const layersOf = ({ sections }: AsRendered): string[][] =>
  sections.map(({ index, layers }) => [
    String(index),
    ...layers.map((each) => [each.songId, each.stem, each.volume_db, each.source_start_sec].join(' ')),
  ]);

describe('a plan as it was rendered', () => {
  it('names no section and the shifts of the songs if nothing was corrected', () => {
    assert.deepEqual(told({}), { sections: [], shifts: { a: 0, b: 2 } });
  });

  it('names a bed that was added, at the place of another layer of its song', () => {
    const found = told({ arranged: (arrangement) => void addBed(arrangement, 1, songs, noTuning()) });
    assert.deepEqual(layersOf(found), [['1', 'a vocals -4 24', 'b bass -4 32', 'a other -9 24']]);
    assert.deepEqual(found.sections[0]!.layers.at(-1)!.effects, []);
  });

  it('names a harmony that was replaced, with its effects and its place', () => {
    const found = told({
      correct: (plan) => {
        const bass = plan.sections[1]!.layers[1]!;
        plan.sections[1]!.layers[1] = { ...bass, songId: 'a', sourceStartSec: 24 };
        return plan;
      },
    });
    assert.deepEqual(layersOf(found), [['1', 'a vocals -4 24', 'a bass -4 24']]);
    assert.deepEqual(found.sections[0]!.layers[1]!.effects, ['reverb(mix=0.2)']);
  });

  it('names a voice that was moved to another place of its song', () => {
    const tuning = { ...noTuning(), starts: new Map([[startKey(0, 'a'), 20]]) };
    assert.deepEqual(layersOf(told({ tuning })), [['0', 'b drums -4 16', 'a vocals -4 20']]);
  });

  it('names other shifts without naming sections', () => {
    const tuning = { ...noTuning(), semitones: new Map([['a', -3]]) };
    assert.deepEqual(told({ tuning }), { sections: [], shifts: { a: -3 } });
  });
});
