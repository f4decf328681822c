import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RenderRequest, type Stem } from '../../schema.ts';
import { correct } from '../../services/processing/corrections/shift-changes.ts';
import { check, inWords, isSound } from '../../services/processing/quality/checks.ts';
import { hearFile } from '../../services/processing/measure/file.ts';
import { judgeFile } from '../../services/processing/quality/check-file.ts';
import { type HeardSection, judgeLayers } from '../../services/processing/quality/check-layers.ts';
import { hearLayer, type LayerSound } from '../../services/processing/measure/layer.ts';
import { hearPercussion, type Percussion } from '../../services/processing/measure/onsets.ts';
import { songGrid } from '../../services/processing/song/beat-grid.ts';
import { readPlan } from '../../services/processing/plan/plan.ts';
import { openScratch, readSpot, writeSpot } from '../../services/processing/files/scratch.ts';
import { settleGrid } from '../../services/processing/song/align-grid.ts';
import { noise, sine } from './signals.ts';

const RATE = 44_100;
const BPM = 120;
const BEAT = 60 / BPM;
const SECONDS = 16;

/** A beat of rock: kick on one and three, snare on two and four, `late` seconds behind; strokes of a synthesised kit. */
function kit(late = 0): Float32Array {
  const samples = new Float32Array(SECONDS * RATE);
  const snare = noise(0.1, RATE, 0.5, 9);
  for (let beat = 0; beat < SECONDS / BEAT; beat++) {
    const start = Math.round((beat * BEAT + late + 0.1) * RATE);
    for (let i = 0; i < 0.1 * RATE && start + i < samples.length; i++) {
      // No skin starts to move within a sample.
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

const hear = (songId: string, stem: Stem, sound: Float32Array): Promise<LayerSound> =>
  hearLayer({ songId, stem }, [sound, sound], [sound, sound], { from: 0, to: sound.length, sampleRate: RATE });

function judgeAll(sections: HeardSection[]): ReturnType<typeof judgeLayers> {
  return judgeLayers(sections, {
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

function judge(layers: LayerSound[], strokes: [string, Percussion][] = []): ReturnType<typeof judgeLayers> {
  const free = new Set<string>();
  return judgeAll([
    { durationSec: SECONDS, bpm: BPM, layers, percussion: new Map(strokes), free, otherPulse: new Set() },
  ]);
}

const failed = ({ checks }: { checks: ReturnType<typeof judgeLayers>['checks'] }): string[] =>
  checks.filter(({ passed }) => !passed).map(({ name }) => name);
const strokes = (late = 0): Percussion => hearPercussion(kit(late), RATE);

describe('the ear on layers', () => {
  it('passes drums that strike together and measures how late one is, to the millisecond', () => {
    assert.deepEqual(
      failed(
        judge(
          [],
          [
            ['a', strokes()],
            ['b', strokes(0.004)],
          ],
        ),
      ),
      [],
    );
    const late = judge(
      [],
      [
        ['a', strokes()],
        ['b', strokes(0.025)],
      ],
    );
    assert.deepEqual(failed(late), ['beat_lag_median', 'beat_lag_p95']);
    assert.ok(Math.abs(late.findings.lateMs.get('b')! - 25) < 1, `${late.findings.lateMs.get('b')} ms`);
  });

  for (const [beats, name] of [
    [1, 'one beat'],
    [-1, 'one beat early'],
  ] as const) {
    it(`hears that a song lies ${name} beside the metre, which no lag shows`, () => {
      const { checks, findings } = judge(
        [],
        [
          ['a', strokes()],
          ['b', hearPercussion(shifted(kit(), beats * BEAT), RATE)],
        ],
      );
      assert.deepEqual(failed({ checks }), ['metre_advantage']);
      assert.equal(Math.abs(findings.phase.get('b')!), 1);
    });
  }

  it('hears that a song lies half a beat beside the metre', () => {
    const { checks, findings } = judge(
      [],
      [
        ['a', strokes()],
        ['b', hearPercussion(shifted(kit(), BEAT / 2), RATE)],
      ],
    );
    assert.ok(failed({ checks }).includes('metre_advantage'));
    assert.equal(Math.abs(findings.phase.get('b')!) % 1, 0.5);
  });

  it('passes a voice in the key of the music under it and refuses one a semitone beside it', async () => {
    const bed = await hear('a', 'other', chord(220, 261.63, 329.63));
    const good = judge([bed, await hear('b', 'vocals', chord(440, 523.25, 659.26))]);
    assert.deepEqual(failed(good), []);
    const semitone = 2 ** (1 / 12);
    const raised = judge([bed, await hear('b', 'vocals', chord(440 * semitone, 523.25 * semitone, 659.26 * semitone))]);
    assert.deepEqual(failed(raised), ['harmony', 'harmony_rank']);
    const correction = correct(
      {
        semitones: new Map([
          ['a', 0],
          ['b', 0],
        ]),
        beats: new Map(),
        starts: new Map(),
      },
      raised.findings,
      new Map([
        ['a', song('a')],
        ['b', song('b')],
      ]),
    );
    const { semitones } = correction!.tuning;
    assert.equal(semitones.get('b')! - semitones.get('a')!, -1);
    assert.equal(correction!.words.length, 1);
  });

  it('tells a medley from a mashup, and a song that plays at its own speed over the drums of another', async () => {
    const bed = await hear('a', 'other', chord(220, 261.63, 329.63));
    const voice = await hear('b', 'vocals', chord(440, 523.25, 659.26));
    const drums = await hear('a', 'drums', kit());
    const section = (layers: LayerSound[], free: string[] = []): HeardSection => ({
      durationSec: SECONDS,
      bpm: BPM,
      layers,
      percussion: new Map(),
      free: new Set(free),
      otherPulse: new Set(),
    });
    assert.deepEqual(failed(judgeAll([section([bed]), section([voice])])), ['together']);
    assert.deepEqual(failed(judgeAll([section([bed, voice], ['b']), section([bed])])), []);
    assert.deepEqual(failed(judgeAll([section([bed, voice, drums], ['b'])])), ['beside_beat']);
  });

  it('hears two songs singing at once, and two basses', async () => {
    const voice = chord(440);
    const both = judge([await hear('a', 'vocals', voice), await hear('b', 'vocals', voice)]);
    assert.ok(failed(both).includes('two_voices'));
    const basses = judge([await hear('a', 'bass', chord(55)), await hear('b', 'bass', chord(60))]);
    assert.deepEqual(failed(basses), ['one_bass']);
  });
});

function shifted(samples: Float32Array, seconds: number): Float32Array {
  const by = Math.round(seconds * RATE);
  return samples.map((_, i) => samples[(((i - by) % samples.length) + samples.length) % samples.length]!);
}

function song(id: string): Parameters<typeof correct>[2] extends ReadonlyMap<string, infer Song> ? Song : never {
  return {
    id,
    name: id,
    stems: {},
    durationSec: SECONDS,
    key: 'A minor',
    grid: songGrid({ bpm: BPM }, SECONDS),
    beatChroma: [],
    energy: undefined,
    vocals: undefined,
    sections: [],
  };
}

describe('the ear on a file', () => {
  const drums = kit();
  const sound = chord(110, 220, 277.2).map((value, i) => 0.5 * value + 0.3 * drums[i]!);

  it('tells a click at a splice from the stroke of a drum', () => {
    const splices = [4.1, 8.1, 10.3];
    assert.equal(hearFile([sound, sound], RATE, splices).clicks, 0);
    const cut = sound.map((value, i) => (i >= 10.3 * RATE && i < 10.4 * RATE ? value + 0.05 : value));
    assert.equal(hearFile([cut, cut], RATE, splices).clicks, 1);
  });

  it('takes no drum that begins with a jump, bar after bar, for a click where parts meet', () => {
    const step =
      (at: number, size: number): ((value: number, i: number) => number) =>
      (value, i) =>
        i >= at * RATE && i < (at + 0.1) * RATE ? value + size : value;
    const drum = [2.1, 4.1, 6.1, 8.1, 10.1].reduce((samples, at) => samples.map(step(at, 0.1)), sound);
    assert.equal(hearFile([drum, drum], RATE, [4.1]).clicks, 0);
    const louder = drum.map(step(7.3, 0.3));
    assert.equal(hearFile([louder, louder], RATE, [4.1, 7.3]).clicks, 1);
  });

  it('finds clipping, holes, a wrong length, level and format, and says so in words', () => {
    const broken = sound.map((value, i) =>
      i > 2 * RATE && i < 3.5 * RATE ? 0 : Math.max(-1, Math.min(1, value * 12)),
    );
    const checks = judgeFile(hearFile([broken, broken], RATE, []), 'mp3', { durationSec: 20, format: 'wav' });
    const names = checks.filter(({ passed }) => !passed).map(({ name }) => name);
    assert.deepEqual(names, ['loudness', 'true_peak', 'clipping', 'gap', 'length', 'format']);
    assert.ok(!isSound(checks));
    assert.match(
      inWords(checks.find(({ name }) => name === 'gap')!),
      /^There is a hole in the sound \(1\.\d+ s; at most 1\)\.$/,
    );
  });

  it('lets what could not be measured pass, and warnings with it', () => {
    assert.ok(check('harmony', null).passed);
    assert.ok(isSound([check('tempo_change', 10)]));
    assert.ok(!isSound([check('tempo_change_limit', 13)]));
  });
});

describe('what a render prepares', () => {
  it('puts a grid that is 12 ms early on the strokes of the drums', () => {
    const beats = Array.from({ length: 31 }, (_, i) => 0.1 + i * BEAT - 0.012);
    const grid = songGrid({ bpm: BPM, beats_sec: beats }, SECONDS);
    const settled = settleGrid(grid, strokes().attack, RATE);
    const errors = settled.beats.slice(2, -2).map((at) => Math.abs(((at - 0.1 + BEAT / 2) % BEAT) - BEAT / 2));
    assert.ok(Math.max(...errors) < 0.004, `${Math.max(...errors)}`);
  });

  it('keeps layers on disk as they are', () => {
    const scratch = openScratch();
    try {
      const spots = [scratch.reserve(1000), scratch.reserve(500)];
      const tone = sine(440, 0.05, RATE, 0.5);
      for (const spot of spots) writeSpot(spot, [tone, tone.map((value) => -value)]);
      const [left, right] = readSpot(spots[1]!, 100, 400);
      assert.deepEqual(left, tone.slice(100, 400));
      assert.deepEqual(
        right,
        tone.slice(100, 400).map((value) => -value),
      );
    } finally {
      scratch.close();
    }
  });

  it('starts sections where the plan says and tells where that makes one longer or shorter', () => {
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
    const { plan, warnings } = readPlan(request);
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
      /^Section 2 starts at 10\.0 s by the plan: the section before goes on until it starts\.$/,
    );
  });
});
