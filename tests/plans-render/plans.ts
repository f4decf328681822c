/** Random plans of two short songs, for the plan checks and the renderer. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { EFFECTS } from '../../music/plan/effects.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { RenderResult, STEMS, type AnalyzedSong, type Plan, type PlanLimits } from '../../schema.ts';
import { beatsOf, render, SONG_A, SONG_B, SONG_SEC, songBody, type Storage } from '../audio-out/render-fixture.ts';
import { makeSong } from '../music/arbitraries.ts';

/** Short mashups, so that a render takes a second or two. */
export const LIMITS: PlanLimits = { min_length_sec: 10, max_length_sec: 18, stems: [...STEMS] };
/** Largest difference in length between a file and its plan. */
const MAX_LENGTH_ERROR_SEC = 0.05;
/** Quieter than this is silence. */
const SILENT_LUFS = -50;

export const SONGS: AnalyzedSong[] = [SONG_A, SONG_B].map((spec) => {
  const song = makeSong(spec.id, { bpm: spec.bpm, key: spec.key, duration: SONG_SEC, vocals: 0.6 });
  const beats = beatsOf(spec);
  const { beat_bands: _, ...rhythmic } = song.analysis.rhythmic;
  return {
    ...song,
    analysis: {
      ...song.analysis,
      rhythmic: { ...rhythmic, beats_sec: beats, downbeats_sec: beats.filter((_beat, i) => i % 4 === 0) },
    },
  };
});

/** Uniform tenths. Arbitrary doubles lie at the ends of their range most of the time. */
const tenths = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 10, max: max * 10 }).map((tenth) => tenth / 10);
const effect = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.keys(EFFECTS)) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'lowpass(freq=40)',
      'highpass(freq=8000)',
      'reverb(mix=1,decay=8)',
      'stutter(beats=0.0625,bars=4)',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
const layer = fc.record({
  songId: fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom('song-a', 'song-b', 'song1', 'Song song-b') },
    { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  ),
  stem: fc.constantFrom(...STEMS, 'beat', 'voice'),
  volume_db: tenths(-20, 8),
  effects: fc.array(effect, { maxLength: 4 }),
  source_start_sec: tenths(0, 40),
  why: fc.string({ maxLength: 20 }),
});
const section = fc.record({
  bars: fc.constantFrom(1, 2, 2, 3),
  slip: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.double({ min: -0.6, max: 0.6, noNaN: true })),
  energy: tenths(0, 10).map((tenth) => tenth / 10),
  layers: fc.oneof(
    { weight: 8, arbitrary: fc.uniqueArray(layer, { minLength: 1, maxLength: 4, selector: ({ stem }) => stem }) },
    { weight: 1, arbitrary: fc.array(layer, { maxLength: 4 }) },
  ),
});

/** Plans that are nearly valid: some pass, some are repaired, some are rejected. */
export const randomPlans = fc
  .record({
    bpm: tenths(85, 120),
    key: fc.constantFrom('A minor', 'B minor', 'C major', 'F# minor', 'Eb major', 'no key'),
    meter: fc.constantFrom(4, 4, 4, 3),
    sections: fc.array(section, { minLength: 3, maxLength: 5 }),
  })
  .map(({ bpm, key, meter, sections }) => {
    const barSec = (60 / bpm) * meter;
    let start = 0;
    return {
      creative_vision: 'Random',
      masterplan: {
        title: 'Random',
        artistCredits: 'A vs. B',
        global: { targetBPM: bpm, targetKey: key, timeSignature: [meter, 4] },
        timeline: sections.map(({ bars, slip, energy, layers }) => {
          const duration_sec = (bars + slip) * barSec;
          const made = { time_start_sec: start, duration_sec, description: 'x', energy_level: energy, layers };
          start += duration_sec;
          return made;
        }),
        problems_and_solutions: [],
      },
    };
  });

/** Checks random plans. Returns the valid ones and the number of rejected ones; each rejection has reasons. */
export function sortPlans(count: number, seed: number): { valid: Plan[]; rejected: number } {
  const valid: Plan[] = [];
  let rejected = 0;
  for (const raw of fc.sample(randomPlans, { numRuns: count, seed })) {
    const { plan, faults } = checkPlan(raw, SONGS, LIMITS);
    assert.equal(plan === undefined, faults.length > 0);
    if (plan) valid.push(plan);
    else {
      for (const fault of faults) assert.ok(fault.length > 10, fault);
      rejected += 1;
    }
  }
  return { valid, rejected };
}

/** Renders a plan and fails unless the result is an audible file of the planned length. */
export async function assertRenders(storage: Storage, rendererUrl: string, plan: Plan): Promise<void> {
  const { timeline, global, title, artistCredits } = plan.masterplan;
  const { events } = await render(rendererUrl, {
    masterplan: { timeline, global_settings: global, title, artistCredits },
    songs: [SONG_A, SONG_B].map((spec, i) => ({ ...songBody(storage, spec), analysis: SONGS[i]!.analysis })),
    job_id: 'job',
    format: 'wav',
    upload: { path: 'generated/job/mashup.wav', url: `${storage.url}/upload/mashup.wav` },
  });
  const last = events.at(-1);
  assert.ok(last && 'storage_path' in last, `${JSON.stringify(last)} for ${JSON.stringify(plan.masterplan)}`);
  const result = RenderResult.parse(last.result);
  const planned = timeline.reduce((sum, { duration_sec }) => sum + duration_sec, 0);
  assert.ok(Math.abs(result.duration_sec - planned) < MAX_LENGTH_ERROR_SEC, `${result.duration_sec} for ${planned}`);
  assert.ok(result.loudness_lufs > SILENT_LUFS && result.true_peak_dbtp < 0, JSON.stringify(result));
}
