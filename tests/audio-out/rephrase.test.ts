import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Stem } from '../../schema.ts';
import { encodeWav16 } from '../../services/audio/wav.ts';
import type { Arrangement } from '../../services/processing/arrange.ts';
import { hearLayer } from '../../services/processing/ear/layer.ts';
import { songGrid } from '../../services/processing/grid.ts';
import type { RenderPlan } from '../../services/processing/plan.ts';
import type { RephraseTask } from '../../services/processing/meetings.ts';
import { rephrase } from '../../services/processing/rephrase.ts';
import type { Run } from '../../services/processing/run.ts';
import type { RenderSong } from '../../services/processing/song.ts';
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

const SOUNDS: Record<string, Float32Array> = {
  '/voice': phrases([CLUSTER, A_MINOR, CLUSTER].map((chord) => chord.map((hertz) => 2 * hertz))),
  '/bed': phrases([A_MINOR, A_MINOR, A_MINOR]),
};

function song(id: string, stem: Stem, url: string): RenderSong {
  const durationSec = PHRASES * PHRASE_SEC;
  const grid = songGrid({ bpm: BPM }, durationSec);
  const none = { energy: undefined, vocals: undefined, beatChroma: [], sections: [] };
  return { id, name: id, stems: { [stem]: url }, durationSec, key: 'A minor', grid, ...none };
}

const run = (id: number, songId: string, stem: Stem): Run => ({
  id,
  songId,
  stem,
  start: 0,
  end: PHRASE_SEC,
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

  /** The first phrase of the voice over the first of the bed, as it was heard. */
  async function firstTake(): Promise<RephraseTask> {
    const runs = [run(0, 'singer', 'vocals'), run(1, 'band', 'other')];
    const clips = runs.map(({ id, songId, stem }) => ({
      songId,
      stem,
      volumeDb: 0,
      effects: [],
      parts: [{ runId: id, start: 0, end: PHRASE_SEC }],
      joinsPrevious: false,
      joinsNext: false,
    }));
    const arrangement: Arrangement = { runs, sections: [clips], warnings: [] };
    const section = { start: 0, end: PHRASE_SEC, bpm: BPM, description: '', energy: 0.5, layers: [] };
    const plan: RenderPlan = { bpm: BPM, key: 'A minor', beatsPerBar: 4, durationSec: PHRASE_SEC, sections: [section] };
    const span = { from: 0, to: PHRASE_SEC * RATE, sampleRate: RATE };
    const layers = await Promise.all(
      (['/voice', '/bed'] as const).map((path, i) => {
        const sound = [SOUNDS[path]!, SOUNDS[path]!];
        return hearLayer(clips[i]!, sound, sound, span);
      }),
    );
    const semitones = new Map([
      ['singer', 0],
      ['band', 0],
    ]);
    return {
      plan,
      arrangement,
      layers: [layers],
      tuning: { semitones, beats: new Map(), starts: new Map() },
      songs: new Map([
        ['singer', song('singer', 'vocals', `${url}/voice`)],
        ['band', song('band', 'other', `${url}/bed`)],
      ]),
      outOfTune: ['singer'],
    };
  }

  it('takes the phrase that fits, and says so', async () => {
    const found = await rephrase(await firstTake());
    assert.equal(found?.tuning.starts.get('0 singer'), PHRASE_SEC);
    assert.equal(found?.tuning.semitones.get('singer'), 0);
    assert.match(found!.words[0]!, /^Section 1 \(0 s\): "singer" sings other bars, from 8\.0 s/);
  });

  it('finds none where none fits', async () => {
    const task = await firstTake();
    task.songs.get('singer')!.durationSec = PHRASE_SEC;
    assert.equal(await rephrase(task), undefined);
  });
});
