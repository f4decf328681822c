import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { STEMS, type Stem } from '../../schema.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { measureLayer } from '../../services/processing/measure/layer.ts';
import { buildBeatGrid } from '../../services/processing/song/beat-grid.ts';
import type { RenderPlan } from '../../services/processing/plan/plan.ts';
import type { PhraseTask } from '../../services/processing/corrections/phrase-candidates.ts';
import { changePhrases } from '../../services/processing/corrections/phrase-changes.ts';
import type { Run } from '../../services/processing/plan/run.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';
import { shiftsKey } from '../../services/processing/plan/tuning.ts';
import { sine } from './signals.ts';

const RATE = 44_100;
const BPM = 120;
/** Four bars. */
const PHRASE_SEC = 8;
const PHRASES = 3;

/** Chords, each of the length of a phrase, one after the other. */
function phrases(chords: readonly (readonly number[])[]): Float32Array {
  const samples = new Float32Array(chords.length * PHRASE_SEC * RATE);
  chords.forEach((chord, i) => {
    for (const hertz of chord)
      sine(hertz, PHRASE_SEC, RATE, 0.15).forEach((value, k) => (samples[i * PHRASE_SEC * RATE + k]! += value));
  });
  return samples;
}

// The chord of a song in A minor, and a cluster that does not fit it in any reachable shift.
const A_MINOR = [220, 261.63, 329.63];
const CLUSTER = [220, 233.08, 246.94, 261.63, 277.18];

/** Two semitones lower. */
const G_MINOR = A_MINOR.map((hertz) => hertz * 2 ** (-2 / 12));

const SOUNDS: Record<string, Float32Array> = {
  '/voice': phrases([CLUSTER, A_MINOR, CLUSTER].map((chord) => chord.map((hertz) => 2 * hertz))),
  '/bed': phrases([A_MINOR, A_MINOR, A_MINOR]),
  '/low-voice': phrases([G_MINOR, G_MINOR, G_MINOR].map((chord) => chord.map((hertz) => 2 * hertz))),
};

function song(id: string): RenderSong {
  const durationSec = PHRASES * PHRASE_SEC;
  const grid = buildBeatGrid({ bpm: BPM }, durationSec);
  const none = {
    energy: undefined,
    vocals: undefined,
    tuningCents: undefined,
    drumSound: undefined,
    loudness: undefined,
  };
  const empty = { stems: {}, beatChroma: [], sections: [] };
  return {
    id,
    name: id,
    durationSec,
    key: 'A minor',
    grid,
    hasBeat: true,
    sound: [[0, durationSec]],
    ...none,
    ...empty,
  };
}

const run = (id: number, songId: string, stem: Stem, start = 0): Run => ({
  id,
  songId,
  stem,
  start,
  end: start + PHRASE_SEC,
  sourceBeat: 0,
  beatSec: 60 / BPM,
  free: false,
  semitones: 0,
});

describe('changing phrases for a voice that does not fit', () => {
  let server: Server;
  let url = '';
  before(async () => {
    server = createServer((request, response) => {
      const sound = SOUNDS[request.url ?? '']!;
      response.end(encodeWav16([sound, sound], RATE));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  type Part = { songId: string; stem: Stem; sound: string };
  const VOICE_OVER_BED: Part[] = [
    { songId: 'singer', stem: 'vocals', sound: '/voice' },
    { songId: 'band', stem: 'other', sound: '/bed' },
  ];

  /** The task after a first candidate, in which each section plays the first phrase of its parts. */
  async function firstCandidate(...sections: Part[][]): Promise<PhraseTask> {
    const parts = sections.flatMap((own, i) => own.map((part) => ({ ...part, start: i * PHRASE_SEC })));
    const runs = parts.map(({ songId, stem, start }, id) => run(id, songId, stem, start));
    const slices = runs.map(({ id, songId, stem, start, end }) => ({
      songId,
      stem,
      volumeDb: 0,
      effects: [],
      parts: [{ runId: id, start, end }],
      joinsPrevious: false,
      joinsNext: false,
    }));
    const span = { from: 0, to: PHRASE_SEC * RATE, sampleRate: RATE, tunedTo: 0 };
    const measured = await Promise.all(
      parts.map(({ sound }, i) =>
        measureLayer(slices[i]!, [SOUNDS[sound]!, SOUNDS[sound]!], [SOUNDS[sound]!, SOUNDS[sound]!], span),
      ),
    );
    const inSection = <T>(list: readonly T[], i: number): T[] =>
      list.filter((_, k) => parts[k]!.start === i * PHRASE_SEC);
    const planned = sections.map((_, i) => ({
      ...{ start: i * PHRASE_SEC, end: (i + 1) * PHRASE_SEC },
      ...{ bpm: BPM, description: '', energy: 0.5, layers: [] },
    }));
    const durationSec = sections.length * PHRASE_SEC;
    const plan: RenderPlan = { bpm: BPM, key: 'A minor', shifts: {}, beatsPerBar: 4, durationSec, sections: planned };
    const songs = new Map(
      ['singer', 'band'].map((id) => {
        const own = parts.filter(({ songId }) => songId === id);
        return [
          id,
          { ...song(id), stems: Object.fromEntries(own.map(({ stem, sound }) => [stem, [`${url}${sound}`]])) },
        ];
      }),
    );
    return {
      plan,
      arrangement: { runs, sections: sections.map((_, i) => inSection(slices, i)), tunedTo: 0, warnings: [] },
      layers: sections.map((_, i) => inSection(measured, i)),
      tuning: {
        semitones: new Map([...songs.keys()].map((id) => [id, 0])),
        cents: new Map(),
        tunedTo: 0,
        beats: new Map(),
        starts: new Map(),
      },
      songs,
      sources: new Map(
        [...songs].map(([id, { name, stems }]) => [
          id,
          Object.fromEntries(
            STEMS.flatMap((stem) => (stems[stem] ? [[stem, { urls: stems[stem], song: name, stem }]] : [])),
          ),
        ]),
      ),
      outOfTune: ['singer'],
      triedShifts: new Set(),
    };
  }

  it('chooses the phrase that fits, and describes the change', async () => {
    const found = await changePhrases(await firstCandidate(VOICE_OVER_BED));
    assert.equal(found?.tuning.starts.get('0 singer'), PHRASE_SEC);
    assert.equal(found?.tuning.semitones.get('singer'), 0);
    assert.match(found!.messages[0]!, /^Section 1 \(0 s\): "singer" sings other bars, from 8\.0 s/);
  });

  it('shifts no song whose notes fit the voice of the other', async () => {
    const voice: Part[] = [
      { songId: 'singer', stem: 'vocals', sound: '/low-voice' },
      { songId: 'band', stem: 'other', sound: '/bed' },
    ];
    const alone = await firstCandidate(voice);
    const lowered = new Map([...alone.tuning.semitones, ['band', -2] as const]);
    assert.deepEqual((await changePhrases(alone))?.tuning.semitones, lowered);
    const reply: Part[] = [
      { songId: 'band', stem: 'vocals', sound: '/bed' },
      { songId: 'singer', stem: 'other', sound: '/bed' },
    ];
    assert.equal(await changePhrases(await firstCandidate(voice, reply)), undefined);
  });

  it('does not try a shift again that did not help', async () => {
    const task = await firstCandidate([
      { songId: 'singer', stem: 'vocals', sound: '/low-voice' },
      { songId: 'band', stem: 'other', sound: '/bed' },
    ]);
    task.triedShifts = new Set([shiftsKey(new Map([...task.tuning.semitones, ['band', -2] as const]))]);
    assert.equal(await changePhrases(task), undefined);
  });

  it('includes the beat offset of the song: a phrase must not lead beyond its end', async () => {
    const task = await firstCandidate(VOICE_OVER_BED);
    task.songs.get('singer')!.durationSec = 2 * PHRASE_SEC;
    task.tuning.beats.set('singer', 1);
    // It starts a bar before the phrase, and plays a beat earlier.
    assert.equal((await changePhrases(task))?.tuning.starts.get('0 singer'), PHRASE_SEC - (4 * 60) / BPM);
  });

  it('changes nothing if no phrase fits', async () => {
    const task = await firstCandidate(VOICE_OVER_BED);
    task.songs.get('singer')!.durationSec = PHRASE_SEC;
    assert.equal(await changePhrases(task), undefined);
  });
});
