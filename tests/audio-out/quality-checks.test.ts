import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { playSong } from '../../bench/hard-material/band.ts';
import { RenderRequest, type Stem } from '../../schema.ts';
import { changeTuning } from '../../services/processing/corrections/tuning-changes.ts';
import type { RenderPlan } from '../../services/processing/plan/plan.ts';
import { changeShifts } from '../../services/processing/corrections/shift-changes.ts';
import { check, describeFailure, passesHardChecks } from '../../services/processing/quality/checks.ts';
import { measureFile } from '../../services/processing/measure/file.ts';
import { analyzeSong } from '../../services/analysis/analyze.ts';
import { heardKeyDistance, hearKey, statedKey } from '../../services/processing/measure/heard-key.ts';
import { checkFile } from '../../services/processing/quality/check-file.ts';
import { checkLayers } from '../../services/processing/quality/check-layers.ts';
import type { MeasuredSection } from '../../services/processing/quality/measured-section.ts';
import { measureLayer, type LayerMeasurement } from '../../services/processing/measure/layer.ts';
import { measureOnsets, type OnsetEnvelopes } from '../../services/processing/measure/onsets.ts';
import { buildBeatGrid } from '../../services/processing/song/beat-grid.ts';
import { parseRenderPlan } from '../../services/processing/plan/plan.ts';
import { openScratch, readRegion, writeRegion } from '../../services/processing/files/scratch.ts';
import { alignGrid } from '../../services/processing/song/align-grid.ts';
import { noise, sine } from './signals.ts';

const RATE = 44_100;
const BPM = 120;
const BEAT = 60 / BPM;
const SECONDS = 16;

/** A rock beat of a synthesised kit: kick on one and three, snare on two and four, `late` seconds late. */
function kit(late = 0): Float32Array {
  const samples = new Float32Array(SECONDS * RATE);
  const snare = noise(0.1, RATE, 0.5, 9);
  for (let beat = 0; beat < SECONDS / BEAT; beat++) {
    const start = Math.round((beat * BEAT + late + 0.1) * RATE);
    for (let i = 0; i < 0.1 * RATE && start + i < samples.length; i++) {
      // A drumhead does not start to move within one sample.
      const fall = Math.min(1, i / 40) * Math.exp(-i / 900);
      const kick = Math.sin((2 * Math.PI * 55 * i) / RATE) + 0.3 * Math.exp(-i / 40) * Math.sin(i * 0.4);
      samples[start + i] = fall * (beat % 2 === 0 ? 0.8 * kick : (snare[i] ?? 0));
    }
  }
  return samples;
}

const chord = (...hertz: number[]): Float32Array => {
  const notes = hertz.map((each) => sine(each, SECONDS, RATE, 0.2));
  return notes[0]!.map((_, i) => notes.reduce((sum, note) => sum + note[i]!, 0));
};

const measure = (songId: string, stem: Stem, sound: Float32Array): Promise<LayerMeasurement> =>
  measureLayer({ songId, stem }, [sound, sound], [sound, sound], {
    from: 0,
    to: sound.length,
    sampleRate: RATE,
    tunedTo: 0,
  });

function checkSections(sections: MeasuredSection[]): ReturnType<typeof checkLayers> {
  return checkLayers(sections, {
    sampleRate: RATE,
    beatsPerBar: 4,
    anchor: 'a',
    tempoChange: 0.05,
    meters: new Map([
      ['a', 4],
      ['b', 4],
    ]),
    downbeatsOnBars: 1,
  });
}

function checkSection(
  layers: LayerMeasurement[],
  onsets: [string, OnsetEnvelopes][] = [],
): ReturnType<typeof checkLayers> {
  const free = new Set<string>();
  return checkSections([
    { durationSec: SECONDS, bpm: BPM, layers, onsets: new Map(onsets), free, otherPulse: new Set() },
  ]);
}

const failed = ({ checks }: { checks: ReturnType<typeof checkLayers>['checks'] }): string[] =>
  checks.filter(({ passed }) => !passed).map(({ name }) => name);
const onsets = (late = 0): OnsetEnvelopes => measureOnsets(kit(late), RATE);

describe('checking layers', () => {
  it('passes drums that hit together and measures the lag of late ones to the millisecond', () => {
    assert.deepEqual(
      failed(
        checkSection(
          [],
          [
            ['a', onsets()],
            ['b', onsets(0.004)],
          ],
        ),
      ),
      [],
    );
    const late = checkSection(
      [],
      [
        ['a', onsets()],
        ['b', onsets(0.025)],
      ],
    );
    assert.deepEqual(failed(late), ['beat_lag_median', 'beat_lag_p95']);
    assert.ok(Math.abs(late.measurements.lateMs.get('b')! - 25) < 1, `${late.measurements.lateMs.get('b')} ms`);
  });

  for (const [beats, name] of [
    [1, 'late'],
    [-1, 'early'],
  ] as const) {
    it(`detects a song that is one beat ${name} in the metre, which no lag shows`, () => {
      const { checks, measurements } = checkSection(
        [],
        [
          ['a', onsets()],
          ['b', measureOnsets(shifted(kit(), beats * BEAT), RATE)],
        ],
      );
      assert.deepEqual(failed({ checks }), ['metre_advantage']);
      assert.equal(Math.abs(measurements.beatOffset.get('b')!), 1);
    });
  }

  it('detects a song that is half a beat late in the metre', () => {
    const { checks, measurements } = checkSection(
      [],
      [
        ['a', onsets()],
        ['b', measureOnsets(shifted(kit(), BEAT / 2), RATE)],
      ],
    );
    assert.ok(failed({ checks }).includes('metre_advantage'));
    assert.equal(Math.abs(measurements.beatOffset.get('b')!) % 1, 0.5);
  });

  it('passes a voice in the key of the music under it and fails one a semitone off', async () => {
    const bed = await measure('a', 'other', chord(220, 261.63, 329.63));
    const good = checkSection([bed, await measure('b', 'vocals', chord(440, 523.25, 659.26))]);
    assert.deepEqual(failed(good), []);
    const semitone = 2 ** (1 / 12);
    const raised = checkSection([
      bed,
      await measure('b', 'vocals', chord(440 * semitone, 523.25 * semitone, 659.26 * semitone)),
    ]);
    assert.deepEqual(failed(raised), ['harmony', 'harmony_rank']);
    const correction = changeShifts(
      {
        semitones: new Map([
          ['a', 0],
          ['b', 0],
        ]),
        cents: new Map(),
        tunedTo: 0,
        beats: new Map(),
        starts: new Map(),
      },
      raised.measurements,
      new Map([
        ['a', song('a')],
        ['b', song('b')],
      ]),
    );
    const { semitones } = correction!.tuning;
    assert.equal(semitones.get('b')! - semitones.get('a')!, -1);
    assert.equal(correction!.messages.length, 1);
  });

  it('fails a voice that is 20 cents from the tuning of the bed, and tunes it', async () => {
    const notes = [220, 261.63, 329.63];
    const bed = await measure('a', 'other', chord(...notes));
    const off = await measure('b', 'vocals', chord(...notes.map((hertz) => 2 * hertz * 2 ** (20 / 1200))));
    const { checks, measurements } = checkSection([bed, off]);
    assert.deepEqual(failed({ checks }), ['tuning']);
    const layers = [layerOf('a', 'other'), layerOf('b', 'vocals')];
    const section = { start: 0, end: SECONDS, bpm: BPM, description: '', energy: 1, layers };
    const plan: RenderPlan = {
      bpm: BPM,
      key: 'A minor',
      shifts: {},
      beatsPerBar: 4,
      durationSec: SECONDS,
      sections: [section],
    };
    const none = { semitones: new Map(), cents: new Map(), tunedTo: 0, beats: new Map(), starts: new Map() };
    const songs = new Map(['a', 'b'].map((id) => [id, song(id)]));
    const { tuning } = changeTuning({ plan, tuning: none }, measurements.tuning, songs)!;
    assert.equal(Math.round(tuning.cents.get('b')!), -20);
    assert.ok(!tuning.cents.has('a'));
    const right = await measure('b', 'vocals', chord(...notes.map((hertz) => 2 * hertz)));
    const inTune = checkSection([bed, right]);
    assert.deepEqual(failed(inTune), []);
    assert.equal(changeTuning({ plan, tuning: none }, inTune.measurements.tuning, songs), undefined);
  });

  it('fails a medley, and a song that plays at its own speed over the drums of another', async () => {
    const bed = await measure('a', 'other', chord(220, 261.63, 329.63));
    const voice = await measure('b', 'vocals', chord(440, 523.25, 659.26));
    const drums = await measure('a', 'drums', kit());
    const section = (layers: LayerMeasurement[], free: string[] = []): MeasuredSection => ({
      durationSec: SECONDS,
      bpm: BPM,
      layers,
      onsets: new Map(),
      free: new Set(free),
      otherPulse: new Set(),
    });
    assert.deepEqual(failed(checkSections([section([bed]), section([voice])])), ['together']);
    assert.deepEqual(failed(checkSections([section([bed, voice], ['b']), section([bed])])), []);
    assert.deepEqual(failed(checkSections([section([bed, voice, drums], ['b'])])), ['beside_beat']);
  });

  it('fails two songs that sing at once, and two basses', async () => {
    const voice = chord(440);
    const both = checkSection([await measure('a', 'vocals', voice), await measure('b', 'vocals', voice)]);
    assert.ok(failed(both).includes('two_voices'));
    const basses = checkSection([await measure('a', 'bass', chord(55)), await measure('b', 'bass', chord(60))]);
    assert.deepEqual(failed(basses), ['one_bass']);
  });
});

function shifted(samples: Float32Array, seconds: number): Float32Array {
  const by = Math.round(seconds * RATE);
  return samples.map((_, i) => samples[(((i - by) % samples.length) + samples.length) % samples.length]!);
}

const layerOf = (songId: string, stem: Stem): RenderPlan['sections'][number]['layers'][number] => {
  return { songId, stem, volumeDb: 0, effects: [], sourceStartSec: undefined, free: false };
};

function song(id: string): Parameters<typeof changeShifts>[2] extends ReadonlyMap<string, infer Song> ? Song : never {
  return {
    id,
    name: id,
    stems: {},
    durationSec: SECONDS,
    key: 'A minor',
    grid: buildBeatGrid({ bpm: BPM }, SECONDS),
    hasBeat: true,
    beatChroma: [],
    tuningCents: undefined,
    energy: undefined,
    vocals: undefined,
    sections: [],
    sound: [[0, SECONDS]],
    drumSound: undefined,
    loudness: undefined,
  };
}

describe('checking a file', () => {
  const drums = kit();
  const sound = chord(110, 220, 277.2).map((value, i) => 0.5 * value + 0.3 * drums[i]!);

  it('distinguishes a click at a splice from a drum hit', () => {
    const splices = [4.1, 8.1, 10.3];
    assert.equal(measureFile([sound, sound], RATE, splices).clicks, 0);
    const cut = sound.map((value, i) => (i >= 10.3 * RATE && i < 10.4 * RATE ? value + 0.05 : value));
    assert.equal(measureFile([cut, cut], RATE, splices).clicks, 1);
  });

  it('does not count a drum that begins with a click in every bar as a click at a splice', () => {
    const step =
      (at: number, size: number): ((value: number, i: number) => number) =>
      (value, i) =>
        i >= at * RATE && i < (at + 0.1) * RATE ? value + size : value;
    const drum = [2.1, 4.1, 6.1, 8.1, 10.1].reduce((samples, at) => samples.map(step(at, 0.1)), sound);
    assert.equal(measureFile([drum, drum], RATE, [4.1]).clicks, 0);
    const louder = drum.map(step(7.3, 0.3));
    assert.equal(measureFile([louder, louder], RATE, [4.1, 7.3]).clicks, 1);
  });

  it('fails clipping, gaps, a wrong length, level and format, and describes the failures', () => {
    const broken = sound.map((value, i) =>
      i > 2 * RATE && i < 3.5 * RATE ? 0 : Math.max(-1, Math.min(1, value * 12)),
    );
    const checks = checkFile(measureFile([broken, broken], RATE, []), 'mp3', { durationSec: 20, format: 'wav' });
    const names = checks.filter(({ passed }) => !passed).map(({ name }) => name);
    assert.deepEqual(names, ['loudness', 'true_peak', 'clipping', 'gap', 'length', 'format']);
    assert.ok(!passesHardChecks(checks));
    assert.match(
      describeFailure(checks.find(({ name }) => name === 'gap')!),
      /^There is a gap in the sound \(1\.\d+ s; at most 1\)\.$/,
    );
  });

  it('describes a failure with three digits, unless the value would read as the threshold', () => {
    assert.match(describeFailure(check('beat_lag_median', 48.336)), /\(48\.3 ms; at most 10\)\.$/);
    assert.match(describeFailure(check('foreign_meters', 1)), /\(1 song; at most 0\)\.$/);
    assert.match(describeFailure(check('foreign_meters', 2)), /\(2 songs; at most 0\)\.$/);
    assert.match(describeFailure(check('beat_lag_median', 10.004)), /\(10\.004 ms; at most 10\)\.$/);
  });

  it('fails silence before and after the music, apart from gaps within it', () => {
    const late = sound.map((value, i) => (i < 1.5 * RATE ? 0.001 * value : value));
    const early = sound.map((value, i) => (i > sound.length - 3 * RATE ? 0 : value));
    const failures = (samples: Float32Array): string[] =>
      checkFile(measureFile([samples, samples], RATE, []), 'wav', {})
        .filter(({ passed, name }) => !passed && name !== 'loudness')
        .map(describeFailure);
    assert.deepEqual(failures(sound), []);
    assert.deepEqual(failures(late), ['The mashup begins with silence (1.5 s; at most 1).']);
    assert.deepEqual(failures(early), ['The mashup ends with silence (3 s; at most 2).']);
    const { silence_start_sec, silence_end_sec, longest_gap_sec } = measureFile([new Float32Array(RATE)], RATE, []);
    assert.deepEqual([silence_start_sec, silence_end_sec, longest_gap_sec], [1, 1, 0]);
  });

  it('fails a mashup that is heard from one side', () => {
    const quiet = sound.map((value) => value * 0.4);
    const balance = (left: Float32Array, right: Float32Array): boolean =>
      checkFile(measureFile([left, right], RATE, []), 'wav', {}).find(({ name }) => name === 'side_balance')!.passed;
    assert.ok(!balance(sound, quiet));
    assert.ok(!balance(quiet, sound));
    assert.ok(!balance(sound, new Float32Array(sound.length)));
    assert.ok(
      balance(
        sound,
        sound.map((value) => value * 0.6),
      ),
    );
  });

  it('fails a key that is stated and not heard, if the heard one is clear', async () => {
    const { mix } = playSong({ parts: [{ bars: 10, bpm: 120, meter: 4 }], tonic: 7 });
    const heard = await hearKey([mix, mix], RATE);
    assert.equal(heard.key, 'G major');
    assert.deepEqual(heard, (await analyzeSong([mix, mix])).harmonic, 'as songs are analysed');
    const passes = (stated: string, confidence = heard.key_confidence): boolean =>
      check('heard_key', heardKeyDistance([stated], { key: heard.key, key_confidence: confidence })).passed;
    assert.ok(passes('G major') && passes('E minor') && passes('D major'));
    assert.ok(!passes('A major') && !passes('Ab major') && !passes('G minor'));
    assert.equal(heardKeyDistance(['A major', 'E minor'], heard), 0, 'parts may be in another key');
    assert.equal(statedKey(['A major', 'E minor'], heard, 'A major'), 'E minor');
    assert.equal(statedKey(['A major', 'E minor'], { ...heard, key_confidence: 0.3 }, 'E minor'), 'A major');
    assert.equal(statedKey([], heard, 'A major'), 'G major');
    assert.equal(statedKey([], { ...heard, key_confidence: 0.3 }, 'A major'), 'A major');
    assert.ok(passes('Ab major', 0.3), 'an unclear key says nothing');
    assert.ok(passes('N/A'));
  });

  it('has a sentence for each failed check', () => {
    assert.equal(
      check('heard_key', 3).message,
      'The mashup sounds in another key than it states (3 fifths; at most 1).',
    );
    assert.equal(check('heard_key', 1).message, undefined);
  });

  it('passes a value that could not be measured, and a file with warnings only', () => {
    assert.ok(check('harmony', null).passed);
    assert.ok(passesHardChecks([check('tempo_change', 10)]));
    assert.ok(!passesHardChecks([check('tempo_change_limit', 13)]));
  });
});

describe('preparing a render', () => {
  it('aligns a grid that is 12 ms early to the onsets of the drums', () => {
    const beats = Array.from({ length: 31 }, (_, i) => 0.1 + i * BEAT - 0.012);
    const grid = buildBeatGrid({ bpm: BPM, beats_sec: beats }, SECONDS);
    const aligned = alignGrid(grid, onsets().attack, RATE);
    const errors = aligned.beats.slice(2, -2).map((at) => Math.abs(((at - 0.1 + BEAT / 2) % BEAT) - BEAT / 2));
    assert.ok(Math.max(...errors) < 0.004, `${Math.max(...errors)}`);
  });

  it('reads layers from disk unchanged', () => {
    const scratch = openScratch();
    try {
      const regions = [scratch.reserve(1000), scratch.reserve(500)];
      const tone = sine(440, 0.05, RATE, 0.5);
      for (const region of regions) writeRegion(region, [tone, tone.map((value) => -value)]);
      const [left, right] = readRegion(regions[1]!, 100, 400);
      assert.deepEqual(left, tone.slice(100, 400));
      assert.deepEqual(
        right,
        tone.slice(100, 400).map((value) => -value),
      );
    } finally {
      scratch.close();
    }
  });

  it('starts sections where the plan says and warns if that makes one longer or shorter', () => {
    const section = (time_start_sec: number, duration_sec: number): Record<string, unknown> => ({
      time_start_sec,
      duration_sec,
      layers: [{ songId: 'a', stem: 'bass' }],
    });
    const request = RenderRequest.parse({
      masterplan: { timeline: [section(0, 8), section(10, 8), section(16, 8)], global_settings: { targetBPM: BPM } },
      songs: [{ song_id: 'a', storage_path: 'a', analysis: {} }],
      job_id: 'job',
    });
    const { plan, warnings } = parseRenderPlan(request);
    assert.deepEqual(
      plan.sections.map(({ start, end }) => [start, end]),
      [
        [0, 10],
        [10, 16],
        [16, 24],
      ],
    );
    assert.equal(plan.durationSec, 24);
    assert.equal(warnings.length, 2);
    assert.match(
      warnings[0]!,
      /^Section 2 starts at 10\.0 s in the plan: the section before is extended to that time\.$/,
    );
  });
});
