import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Stem } from '../../schema.ts';
import { encodeWav16 } from '../../audio/decode/wav.ts';
import { hearLayer } from '../../services/processing/measure/layer.ts';
import { songGrid } from '../../services/processing/song/beat-grid.ts';
import type { RenderPlan } from '../../services/processing/plan/plan.ts';
import type { RephraseTask } from '../../services/processing/corrections/phrase-candidates.ts';
import { rephrase } from '../../services/processing/corrections/phrase-changes.ts';
import type { Run } from '../../services/processing/plan/run.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';
import { shiftsOf } from '../../services/processing/plan/tuning.ts';
import { sine } from './signals.ts';

const RATE = 44_100;
const BPM = 120;
/** Four bars. */
const PHRASE_SEC = 8;
const PHRASES = 3;

/** Chords of a phrase each, one after the other. */
function phrases(chords: readonly (readonly number[])[]): Float32Array {
  const samples = new Float32Array(chords.length * PHRASE_SEC * RATE);
  chords.forEach((chord, i) => {
    for (const hertz of chord)
      sine(hertz, PHRASE_SEC, RATE, 0.15).forEach((value, k) => (samples[i * PHRASE_SEC * RATE + k]! += value));
  });
  return samples;
}

// In cents of a song in A minor: its own chord, and two that share nothing with it in any reachable shift.
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
  const grid = songGrid({ bpm: BPM }, durationSec);
  const none = { energy: undefined, vocals: undefined, beatChroma: [], sections: [] };
  return { id, name: id, stems: {}, durationSec, key: 'A minor', grid, ...none };
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

describe('other bars for a voice that does not fit', () => {
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
  const MEETING: Part[] = [
    { songId: 'singer', stem: 'vocals', sound: '/voice' },
    { songId: 'band', stem: 'other', sound: '/bed' },
  ];

  /** The first phrases of what sounds together in each section, as they were heard. */
  async function firstTake(...sections: Part[][]): Promise<RephraseTask> {
    const parts = sections.flatMap((own, i) => own.map((part) => ({ ...part, start: i * PHRASE_SEC })));
    const runs = parts.map(({ songId, stem, start }, id) => run(id, songId, stem, start));
    const clips = runs.map(({ id, songId, stem, start, end }) => ({
      songId,
      stem,
      volumeDb: 0,
      effects: [],
      parts: [{ runId: id, start, end }],
      joinsPrevious: false,
      joinsNext: false,
    }));
    const span = { from: 0, to: PHRASE_SEC * RATE, sampleRate: RATE };
    const heard = await Promise.all(
      parts.map(({ sound }, i) =>
        hearLayer(clips[i]!, [SOUNDS[sound]!, SOUNDS[sound]!], [SOUNDS[sound]!, SOUNDS[sound]!], span),
      ),
    );
    const inSection = <T>(list: readonly T[], i: number): T[] =>
      list.filter((_, k) => parts[k]!.start === i * PHRASE_SEC);
    const planned = sections.map((_, i) => ({
      ...{ start: i * PHRASE_SEC, end: (i + 1) * PHRASE_SEC },
      ...{ bpm: BPM, description: '', energy: 0.5, layers: [] },
    }));
    const durationSec = sections.length * PHRASE_SEC;
    const plan: RenderPlan = { bpm: BPM, key: 'A minor', beatsPerBar: 4, durationSec, sections: planned };
    const songs = new Map(
      ['singer', 'band'].map((id) => {
        const own = parts.filter(({ songId }) => songId === id);
        return [id, { ...song(id), stems: Object.fromEntries(own.map(({ stem, sound }) => [stem, `${url}${sound}`])) }];
      }),
    );
    return {
      plan,
      arrangement: { runs, sections: sections.map((_, i) => inSection(clips, i)), warnings: [] },
      layers: sections.map((_, i) => inSection(heard, i)),
      tuning: { semitones: new Map([...songs.keys()].map((id) => [id, 0])), beats: new Map(), starts: new Map() },
      songs,
      outOfTune: ['singer'],
      heardIn: new Set(),
    };
  }

  it('takes the phrase that fits, and says so', async () => {
    const found = await rephrase(await firstTake(MEETING));
    assert.equal(found?.tuning.starts.get('0 singer'), PHRASE_SEC);
    assert.equal(found?.tuning.semitones.get('singer'), 0);
    assert.match(found!.words[0]!, /^Section 1 \(0 s\): "singer" sings other bars, from 8\.0 s/);
  });

  it('shifts no song whose notes lie right under the voice of the other', async () => {
    const voice: Part[] = [
      { songId: 'singer', stem: 'vocals', sound: '/low-voice' },
      { songId: 'band', stem: 'other', sound: '/bed' },
    ];
    const alone = await firstTake(voice);
    const lowered = new Map([...alone.tuning.semitones, ['band', -2] as const]);
    assert.deepEqual((await rephrase(alone))?.tuning.semitones, lowered);
    const answer: Part[] = [
      { songId: 'band', stem: 'vocals', sound: '/bed' },
      { songId: 'singer', stem: 'other', sound: '/bed' },
    ];
    assert.equal(await rephrase(await firstTake(voice, answer)), undefined);
  });

  it('tries another shift where the stems told wrong in one', async () => {
    const task = await firstTake([
      { songId: 'singer', stem: 'vocals', sound: '/low-voice' },
      { songId: 'band', stem: 'other', sound: '/bed' },
    ]);
    task.heardIn = new Set([shiftsOf(new Map([...task.tuning.semitones, ['band', -2] as const]))]);
    assert.equal(await rephrase(task), undefined);
  });

  it('counts the beats by which the song is brought forward: they must not lead beyond its end', async () => {
    const task = await firstTake(MEETING);
    task.songs.get('singer')!.durationSec = 2 * PHRASE_SEC;
    task.tuning.beats.set('singer', 1);
    // From a bar before the phrase on, and a beat later.
    assert.equal((await rephrase(task))?.tuning.starts.get('0 singer'), PHRASE_SEC - (4 * 60) / BPM);
  });

  it('finds none where none fits', async () => {
    const task = await firstTake(MEETING);
    task.songs.get('singer')!.durationSec = PHRASE_SEC;
    assert.equal(await rephrase(task), undefined);
  });
});
